// SPDX-License-Identifier: Apache-2.0
// All plans of a few nodes, within bounds that are written down here.
//
//   1 node:  every state that a check may be created in, required or not; every policy of kPolicies; use
//            of a limit, all of it or more (refused); a kind of runner; a node that depends on itself
//            (refused); a continuation group over the stage itself.
//   2 nodes: every edge (`when` of each kind, and earlier states) in every direction, one cycle of each pair
//   of
//            types; groups with two edges to one node, AND, OR and THRESHOLD, and nested; every condition
//            on the data of a check that is waited for, and one on a check that is not; every assignment,
//            also with two goals; continuation groups in both directions; kPolicies that differ;
//            stages that share a limit, or need different runners.
//   3 nodes: every shape of a graph without cycles; one edge of each kind, or AND and OR of two, each on
//            success, failure or always; every assignment to FINAL; one continuation group, or none; no
//            retries, or one.
//
// Checks are PLANNED in plans of 3 nodes; that PLANNING ends as it must is seen with 1 and 2.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "operation.hpp"

namespace turboci::model {

/// Nodes are numbers in a small plan: their places in `nodes`.
struct SmallEdge {
    int target = 0;
    State on_state = State::final;
    std::optional<When> when;
};
struct SmallGroup {
    GroupKind kind = GroupKind::all;
    std::int64_t at_least = 0;
    std::vector<SmallEdge> edges;
    std::vector<SmallGroup> groups;
};
struct Policy {
    std::int32_t retries = 0;
    Duration backoff{0};
    std::optional<Duration> timeout, heartbeat;
    Duration max_backoff = kMaxBackoff;
    RetryOn on;
    OnInterrupt on_interrupt = OnInterrupt::again;
};
/// What the data of a check must say.
struct SmallCondition {
    int check = 0;
    Condition::Test test = Condition::Test::equals;  ///< of 1 at /k
};
struct SmallNode {
    NodeType type = NodeType::check;
    SmallGroup dependencies;
    std::optional<SmallCondition> condition;
    State state = State::planning;  ///< of a check
    bool required = true;           ///< likewise
    std::vector<std::pair<int, State>> assignments;
    SmallGroup group;
    std::int64_t uses = 0;  ///< of the limit `gpu`, which is 1 in the plan if any node uses it
    std::string runner;
    Policy policy;
};
using SmallPlan = std::vector<SmallNode>;

/// Checks are called a, b, c, stages s, t, u, in the order of the nodes.
[[nodiscard]] Operation creation(const SmallPlan& plan);

/// Calls `found` with each plan of `nodes` nodes, numbered from 0; of those that differ only in the names of
/// nodes with the first.
void each_small_plan(int nodes, const std::function<void(std::size_t number, const SmallPlan&)>& found);

}  // namespace turboci::model
