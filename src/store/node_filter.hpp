// SPDX-License-Identifier: Apache-2.0
// The conditions of a NodeScan, for rows that have been read.
#pragma once

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/store.hpp"

namespace turboci {

/// Does a node fulfil the conditions of a scan? The scan must outlive it; its keys and limit are not looked
/// at. May be asked by several threads.
class NodeFilter {
public:
    explicit NodeFilter(const NodeScan& scan) : scan_(scan), kinds_(scan.kinds.begin(), scan.kinds.end()) {
        for (const std::string& pattern : scan.ids)
            (is_pattern(pattern) ? patterns_ : ids_).emplace_back(pattern);
        std::ranges::sort(kinds_);
        std::ranges::sort(ids_);
    }

    [[nodiscard]] bool matches(const NodeRow& row) const {
        return (!scan_.type || row.type == *scan_.type) && any_or_contains(scan_.states, row.state) &&
               (scan_.outcomes.empty() || (row.outcome && any_or_contains(scan_.outcomes, *row.outcome))) &&
               (kinds_.empty() || std::ranges::binary_search(kinds_, std::string_view(row.kind))) &&
               (scan_.ids.empty() || is_named(row.id));
    }

private:
    template <class T>
    static bool any_or_contains(const std::vector<T>& wanted, const T& value) {
        return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
    }
    static bool is_pattern(const std::string& text) {
        return text.find_first_of("*?[\\") != std::string::npos;
    }
    [[nodiscard]] bool is_named(const std::string& id) const {
        return std::ranges::binary_search(ids_, std::string_view(id)) ||
               std::ranges::any_of(patterns_, [&](std::string_view pattern) {
                   return fnmatch(pattern.data(), id.c_str(), 0) == 0;
               });
    }

    const NodeScan& scan_;
    std::vector<std::string_view> kinds_, ids_;  ///< ascending: there may be as many as nodes
    std::vector<std::string_view> patterns_;
};

}  // namespace turboci
