// SPDX-License-Identifier: Apache-2.0
// What a predicate says, whatever the order of the members of a group: to compare two.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "turboci/dependency.hpp"

namespace turboci::engine {

/// A group. `Target`: how an edge names its target, by key or by name.
template <class Target>
struct PredicateForm {
    using Edge = std::tuple<Target, State, When>;
    GroupKind kind = GroupKind::all;
    std::int64_t threshold = 0;
    std::set<Edge> edges;
    std::vector<PredicateForm> groups;  ///< sorted

    [[nodiscard]] bool empty() const { return edges.empty() && groups.empty(); }
    [[nodiscard]] auto parts() const { return std::tie(kind, threshold, edges, groups); }
    bool operator<(const PredicateForm& other) const { return parts() < other.parts(); }
    bool operator==(const PredicateForm& other) const { return parts() == other.parts(); }
};

/// From groups without their inner groups, in preorder, [0] the root. `parent_of(i)`: the number of the
/// parent of group i, less than i; asked of all but the root.
template <class Target, class ParentOf>
[[nodiscard]] PredicateForm<Target> nest_forms(std::vector<PredicateForm<Target>> groups,
                                               const ParentOf& parent_of) {
    for (std::size_t i = groups.size(); i-- > 0;) {
        // Those within it come after it, and are whole already.
        std::ranges::sort(groups[i].groups, std::less<>());
        if (i > 0) groups.at(static_cast<std::size_t>(parent_of(i))).groups.push_back(std::move(groups[i]));
    }
    return std::move(groups.front());
}

}  // namespace turboci::engine
