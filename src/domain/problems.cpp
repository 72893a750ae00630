// SPDX-License-Identifier: Apache-2.0
#include "turboci/problems.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace turboci {

void Problems::add(ErrorCode code, Position at, std::string message, std::string reason, ErrorFacts facts) {
    const bool told =
        at.line != 0 && kept_.size() < kMaxKept && std::ranges::any_of(kept_, [&](const Problem& p) {
            return p.at.file == at.file && p.at.line == at.line && p.at.column == at.column &&
                   p.message == message;
        });
    if (told) return;
    ++total_;
    if (kept_.size() < kMaxKept)
        kept_.push_back({code, at, std::move(message), std::move(reason), std::move(facts)});
}

void Problems::warn(Position at, std::string message) {
    if (warnings_.size() < kMaxKept) {
        warnings_.emplace_back(at, std::move(message));
    } else {
        ++more_warnings_;
    }
}

std::vector<std::string> Problems::warnings(const std::vector<std::string>& files) const {
    std::vector<std::string> lines;
    for (const auto& [at, message] : warnings_) {
        const bool placed = at.line != 0 && at.file < files.size();
        lines.push_back(placed ? fmt::format("{}:{}:{}: {}", files[at.file], at.line, at.column, message)
                               : message);
    }
    if (more_warnings_ > 0) lines.push_back(fmt::format("and {} more warnings", more_warnings_));
    return lines;
}

void Problems::raise(const std::vector<std::string>& files) const {
    auto sorted = kept_;
    // What has no place in a file (flags) comes first.
    std::ranges::stable_sort(sorted, {}, [](const Problem& p) {
        return p.at.line == 0 ? std::tuple(0u, 0u, 0u) : std::tuple(p.at.file, p.at.line, p.at.column);
    });
    std::vector<ErrorDetail> details;
    for (const auto& p : sorted) {
        const bool placed = p.at.line != 0 && p.at.file < files.size();
        details.push_back(placed ? ErrorDetail{files[p.at.file], p.at.line, p.at.column, p.message, p.code}
                                 : ErrorDetail{{}, 0, 0, p.message, p.code});
    }
    const ErrorCode code = sorted.empty() ? ErrorCode::internal : sorted.front().code;
    if (details.size() == 1) {
        const auto& only = details.front();
        const Problem& problem = sorted.front();
        if (only.file.empty()) throw Error(code, only.message).because(problem.reason, problem.facts);
        throw Error(code, fmt::format("{}:{}:{}: {}", only.file, only.line, only.column, only.message), {},
                    details)
            .because(problem.reason, problem.facts);
    }
    if (total_ > kept_.size())
        details.push_back({{}, 0, 0, fmt::format("and {} more problems", total_ - kept_.size())});
    throw Error(code, fmt::format("{} problems found", total_), {}, std::move(details));
}

}  // namespace turboci
