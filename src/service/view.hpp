// SPDX-License-Identifier: Apache-2.0
// From rows to what readers see.
#pragma once

#include <string_view>

#include "domain/attempt_token.hpp"
#include "turboci/store.hpp"

namespace turboci::service {

[[nodiscard]] Check view_check(NodeRecord record);
[[nodiscard]] Stage view_stage(NodeRecord record);
/// The same into a value that is used again and again: what it holds is exchanged for what the record holds,
/// so that nothing is copied and both keep their memory.
void view_check(NodeRecord& record, Check& check);
void view_stage(NodeRecord& record, Stage& stage);
[[nodiscard]] WorkPlan view_plan(Snapshot& snapshot, const PlanRow& row, bool with_counts = true);

/// The node that a reference names, if it is there; INVALID_ARGUMENT if a bare name is two nodes.
[[nodiscard]] std::optional<NodeRow> find_named(Snapshot& snapshot, const PlanRow& plan, const RefText& ref);
/// The same: NOT_FOUND, or INVALID_ARGUMENT if a bare name is two nodes.
[[nodiscard]] NodeRow require_node(Snapshot& snapshot, const PlanRow& plan, const RefText& ref);

/// Is the attempt that the token names current, held by whom it says, and not over?
[[nodiscard]] bool is_current(Snapshot& snapshot, const AttemptToken& token);

/// Single whole nodes.
[[nodiscard]] NodeRecord read_record(Snapshot& snapshot, const NodeRow& row);

}  // namespace turboci::service
