// SPDX-License-Identifier: Apache-2.0
// Reads plan text for tests and keeps what was found.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/plan_file.hpp"

namespace turboci {

struct Reading {
    WriteNodes request;
    std::vector<ErrorDetail> details;  ///< in the order of the report
    ErrorCode code = ErrorCode::internal;

    /// "3:5: message" for each problem.
    [[nodiscard]] std::vector<std::string> problems() const {
        std::vector<std::string> lines;
        for (const auto& d : details)
            lines.push_back(std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + d.message);
        return lines;
    }
    [[nodiscard]] bool mentions(std::string_view text) const {
        return std::ranges::any_of(details,
                                   [&](const auto& d) { return d.message.find(text) != std::string::npos; });
    }
};

inline std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

inline void finish(Reading& reading, const Problems& problems) {
    try {
        problems.raise_if_any(reading.request.files);
    } catch (const Error& error) {
        reading.code = error.code();
        reading.details = error.details();
        if (reading.details.empty()) reading.details.push_back({{}, 0, 0, error.what()});
    }
}

inline Reading read(std::string_view text, const std::string& name = "plan.yaml") {
    Reading reading;
    Problems problems;
    read_plan_text({name, text}, reading.request, problems);
    finish(reading, problems);
    return reading;
}

/// The options of the only check of `checks: [{id: a, options: TEXT}]`.
inline std::string options(const std::string& text) {
    const auto reading = read("checks: [{id: a, options: " + text + "}]\n");
    if (!reading.details.empty()) return reading.problems().front();
    return reading.request.checks[0].options.value().text;
}

}  // namespace turboci
