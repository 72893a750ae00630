// SPDX-License-Identifier: Apache-2.0
// Any bytes as a plan file: reading, validating and reviewing must end soundly, and what was carried as
// JSON must be JSON. What comes through the expansion of defaults, though there are none, must be the same.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "endpoint/review.hpp"
#include "engine/validate.hpp"
#include "support/written_nodes.hpp"
#include "turboci/plan_file.hpp"

using namespace turboci;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_object(const std::optional<JsonText>& text) {
    if (!text) return;
    const auto value = nlohmann::json::parse(text->text, nullptr, false);
    require(value.is_object());
}

void require_sound(const WriteNodes& request) {
    require_object(request.labels);
    for (const auto& c : request.checks) {
        require_object(c.options);
        for (const auto& r : c.results) require_object(r.data);
    }
    for (const auto& s : request.stages) {
        require_object(s.args);
        if (!s.attempt) continue;
        require_object(s.attempt->details);
        for (const auto& [message, details] : s.attempt->progress) require_object(details);
    }
}

/// One more document brings every node of the file to PlanExpander.
void require_same_expanded(std::string_view text, const WriteNodes& request) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || text[first] == '{' || text[first] == '[') return;  // JSON is one
    if (text.back() != '\n') return;  // one more would belong to a text block
    const std::string longer = std::string(text) + "---\ndefaults: {}\n";
    WriteNodes expanded;
    Problems problems;
    read_plan_text({"fuzz", longer}, expanded, problems);
    // Only aliases can be too much for one file and not for another.
    if (!problems.empty()) return require(text.find('*') != std::string_view::npos);
    require(shown(request) == shown(expanded));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    WriteNodes request;
    Problems problems;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    read_plan_text({"fuzz", text}, request, problems);
    try {
        problems.raise_if_any(request.files);
        require_sound(request);  // of a broken file nothing is used
        require_same_expanded(text, request);
        validate(request, problems);
        if (problems.empty()) static_cast<void>(review(request, problems));
        problems.raise_if_any(request.files);
    } catch (const Error& error) {
        require(error.code() != ErrorCode::internal);
        for (const auto& d : error.details()) {
            require(d.message.find('\n') == std::string::npos);
            require(is_valid_utf8(d.message));
        }
    }
    return 0;
}
