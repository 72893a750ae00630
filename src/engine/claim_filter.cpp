// SPDX-License-Identifier: Apache-2.0
#include "engine/claim_filter.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <string>

#include "domain/stage_args.hpp"

namespace turboci::engine {

PreparedFilter::PreparedFilter(const ClaimFilter& filter)
    : filter_(filter),
      only_(filter.only.begin(), filter.only.end()),
      except_(filter.except.begin(), filter.except.end()),
      judged_(filter.judged.begin(), filter.judged.end()) {}

bool PreparedFilter::takes_all() const {
    return only_.empty() && except_.empty() && filter_.match.empty() && !filter_.with_command &&
           filter_.args_bytes == 0;
}

bool PreparedFilter::takes(std::string_view id, const std::function<JsonText()>& args) const {
    if (!only_.empty() && !only_.contains(id)) return false;
    if (except_.contains(id) || !is_matched(id)) return false;
    if (!filter_.with_command && filter_.args_bytes == 0) return true;
    const JsonText json = args();
    if (filter_.with_command && !has_command(json)) return false;
    return filter_.args_bytes == 0 || json.text.size() <= filter_.args_bytes || judged_.contains(id);
}

bool PreparedFilter::takes_runner(std::string_view runner) const {
    return std::ranges::any_of(filter_.runners,
                               [&](const std::string& kind) { return kind == runner || kind == "*"; });
}

bool PreparedFilter::is_matched(std::string_view id) const {
    if (filter_.match.empty()) return true;
    const std::string text(id);
    return std::ranges::any_of(filter_.match, [&](const std::string& pattern) {
        return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
    });
}

}  // namespace turboci::engine
