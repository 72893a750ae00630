// SPDX-License-Identifier: Apache-2.0
// From predicates as written to rows with counts, and back to what readers see.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/working_set.hpp"
#include "turboci/problems.hpp"

namespace turboci::engine {

/// A predicate with its names resolved and duplicate edges merged: groups in preorder, [0] the root.
struct FlatPredicate {
    std::vector<GroupRow> groups;
    std::vector<NewEdge> edges;
};

/// Resolves `spec` for `owner`. Missing and ambiguous targets, states that a target does not have, and
/// impossible thresholds go to `problems`; the result is then not to be used.
[[nodiscard]] FlatPredicate flatten(WorkingSet& nodes, Problems& problems, Node& owner, PredicateRole role,
                                    const PredicateSpec& spec);

/// For the record: what its edges lead to, as a JSON object.
[[nodiscard]] std::string edges_json(WorkingSet& nodes, const FlatPredicate& flat);

/// Is that what the owner has already?
[[nodiscard]] bool same_predicate(WorkingSet& nodes, Node& owner, const FlatPredicate& flat);

/// Makes it the owner's predicate, in place of an earlier one, counted by what its targets are now.
void set_predicate(WorkingSet& nodes, Node& owner, PredicateRole role, FlatPredicate&& flat);

/// The node that a reference stands for. Adds to `problems` and returns null if there is none or if a
/// bare name is two nodes. `only`: the type that a bare name must have, if just one makes sense.
[[nodiscard]] Node* resolve_ref(WorkingSet& nodes, Problems& problems, const RefText& ref, Position at,
                                const Node& user, std::optional<NodeType> only = std::nullopt);

/// "needs check:build passed, but it failed": the first edges that make the dependencies unsatisfiable.
[[nodiscard]] std::string why_unsatisfied(WorkingSet& nodes, Node& owner, PredicateRole role);

/// STORE: the store is damaged.
[[noreturn]] void throw_damaged(std::string_view what);

/// Puts groups, which stand in preorder, into their parents, and returns the root. `parent_of(i)`: the number
/// of the parent of group i, asked of all but the root. STORE (damaged) if one comes after its child.
template <class Group, class ParentOf>
[[nodiscard]] Group nest_groups(std::vector<Group> groups, const ParentOf& parent_of) {
    // Children come after their parents, so moving from the back keeps every subtree whole. They come to
    // their parent the last one first.
    for (std::size_t i = groups.size(); i-- > 1;) {
        const auto parent = static_cast<std::size_t>(parent_of(i));
        if (parent >= i) throw_damaged("a group's parent comes after it");
        std::ranges::reverse(groups[i].groups);
        groups[parent].groups.push_back(std::move(groups[i]));
    }
    std::ranges::reverse(groups.front().groups);
    return std::move(groups.front());
}

/// The predicate of one role as readers see it.
[[nodiscard]] Predicate view_predicate(const NodeRecord& record, PredicateRole role);
/// The same into a value that is used again and again and keeps its memory.
void view_predicate(const NodeRecord& record, PredicateRole role, Predicate& predicate);

}  // namespace turboci::engine
