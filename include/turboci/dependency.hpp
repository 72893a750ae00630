// SPDX-License-Identifier: Apache-2.0
// Predicates: trees of AND, OR and THRESHOLD groups over edges to other nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "turboci/error.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// How a group counts its members. All three are "at least n of": n = all, 1, or as written.
enum class GroupKind : std::uint8_t {
    all = 1,       ///< AND
    any = 2,       ///< OR
    at_least = 3,  ///< THRESHOLD
};

/// Which outcomes satisfy an edge on FINAL. An edge on an earlier state has no `when`.
enum class When : std::uint8_t {
    success = 1,       ///< passed
    failure = 2,       ///< failed
    always = 3,        ///< any outcome, skipped and cancelled included
    not_failed = 4,    ///< passed, or skipped because it was not needed
    unsuccessful = 5,  ///< anything but passed
};

/// Three-valued logic; once it has left `unresolved` a resolution never changes.
enum class Resolution : std::uint8_t {
    unresolved = 1,
    satisfied = 2,
    unsatisfied = 3,  ///< can never be satisfied any more
};

[[nodiscard]] std::string_view to_string(GroupKind kind) noexcept;         ///< "AND", "OR", "THRESHOLD"
[[nodiscard]] std::string_view to_string(When when) noexcept;              ///< "success", …
[[nodiscard]] std::string_view to_string(Resolution resolution) noexcept;  ///< "UNRESOLVED", …
[[nodiscard]] std::optional<When> parse_when(std::string_view text) noexcept;

/// An edge as written in a request: the target may be a bare name.
struct EdgeSpec {
    RefText target;
    State on_state = State::final;
    std::optional<When> when;  ///< absent: success where on_state is FINAL
    Position at;
};

/// A group as written in a request. Only the root of "no dependencies" may be empty.
struct PredicateSpec {
    GroupKind kind = GroupKind::all;
    std::int64_t at_least = 0;  ///< used by GroupKind::at_least alone; 1 to the number of members
    std::vector<EdgeSpec> edges;
    std::vector<PredicateSpec> groups;
    Position at;
    [[nodiscard]] bool empty() const noexcept { return edges.empty() && groups.empty(); }
};

/// The running count of one group: what a completion touches instead of re-reading the group.
/// Members are its edges and its direct child groups.
struct GroupCount {
    GroupKind kind = GroupKind::all;
    std::int32_t threshold = 0;   ///< satisfied members needed: members for all, 1 for any
    std::int32_t unresolved = 0;  ///< members that may still go either way
    std::int32_t satisfied = 0;
    Resolution resolution = Resolution::satisfied;  ///< of the empty group
    bool operator==(const GroupCount&) const = default;
};
/// What the counts say: satisfied at `threshold`, unsatisfied when too few are left, else unresolved.
[[nodiscard]] Resolution resolve(const GroupCount& count) noexcept;

/// What an edge says of a target that is in `target_state` and passed the states in `history`.
/// Resolved when the target reaches or passes `on_state`; `outcome` and `skip_cause` are the target's, if
/// FINAL.
[[nodiscard]] Resolution resolve_edge(NodeType target_type, State on_state, When when, State target_state,
                                      std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause,
                                      const StateHistory& history) noexcept;
/// The same of a target whose furthest state before FINAL has the number `furthest` (0: there was none).
[[nodiscard]] Resolution resolve_edge(NodeType target_type, State on_state, When when, State target_state,
                                      std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause,
                                      int furthest) noexcept;
/// The number of the furthest state before FINAL; 0 if there was none.
[[nodiscard]] int furthest_before_end(NodeType type, const StateHistory& history) noexcept;

/// Of the edges that want their target well, a target that failed breaks one; `failure` and such it
/// satisfies.
[[nodiscard]] constexpr bool wants_no_failure(State on_state, When when) noexcept {
    return on_state != State::final || when == When::success || when == When::not_failed;
}

/// What the data of a check must say for a node to be wanted at all. It holds if one of the check's results
/// that count has such a value; the negations hold if none has.
struct Condition {
    enum class Test : std::uint8_t {
        equals = 1,      ///< there is a value at `path`, and it is `value`
        not_equals = 2,  ///< the negation of `equals`
        exists = 3,      ///< there is a value at `path`
        absent = 4,      ///< the negation of `exists`
    };
    std::string check;  ///< id; the target of one of the node's own edges
    std::string path;   ///< a JSON pointer (RFC 6901)
    Test test = Test::exists;
    std::string value;  ///< JSON text, of `equals` and `not_equals`; compared as JSON
    bool operator==(const Condition&) const = default;
};

/// An edge as shown to readers.
struct Edge {
    NodeRef target;
    State on_state = State::final;
    When when = When::success;
    Resolution resolution = Resolution::unresolved;
    std::optional<Timestamp> resolved_at;
    State target_state = State::planning;   ///< for explanations; not part of the JSON contract
    std::optional<Outcome> target_outcome;  ///< likewise
};

/// A group as shown to readers; the root of a node without dependencies is an empty, satisfied AND.
struct Predicate {
    GroupKind kind = GroupKind::all;
    std::int32_t threshold = 0;
    std::vector<Edge> edges;
    std::vector<Predicate> groups;
    Resolution resolution = Resolution::satisfied;
    [[nodiscard]] bool empty() const noexcept { return edges.empty() && groups.empty(); }
};

}  // namespace turboci
