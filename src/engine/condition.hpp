// SPDX-License-Identifier: Apache-2.0
// Conditions: whether a node is wanted at all, by what a check that it depends on has found out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/apply.hpp"

namespace turboci::engine {

/// The condition of a node, as it was written. Empty: none.
[[nodiscard]] std::vector<Condition> condition_of(WorkingSet& nodes, const Node& node);
/// Why a condition of `node` does not hold now, as a clause; nullopt if all hold. Its dependencies are
/// satisfied.
[[nodiscard]] std::optional<std::string> why_not_wanted(WorkingSet& nodes, const Node& node);

/// Sets, compares or refuses the condition of a write. Call when the node's dependencies are those of the
/// write. `open`: it may still change.
void apply_condition(Session& session, Node& node, const std::vector<ConditionSpec>& specs, Position at,
                     bool open);
/// Refuses a condition whose check is not the target of an edge that has to be resolved before the
/// dependencies can be satisfied.
void check_condition(Session& session, Node& node, Position at);

}  // namespace turboci::engine
