// SPDX-License-Identifier: Apache-2.0
// The rules that follow from the rules: states advance until nothing more can move.
#pragma once

#include <string>
#include <string_view>

#include "service/working_set.hpp"

namespace turboci::service {

/// Tells dependents and assigned checks of every move and advances what can advance, first come first
/// served, until both queues are empty.
void resolve_to_fixpoint(WorkingSet& nodes);

/// Ends the current attempt. Finalizes its results; the stage advances at the next fixpoint.
void end_attempt(WorkingSet& nodes, Node& stage, AttemptRow& attempt, AttemptState state,
                 std::optional<std::string> failure, bool no_retry, Mover mover);

/// Takes a stage from whatever state to FINAL, cancelled.
void cancel_stage(WorkingSet& nodes, Node& stage);

/// WAITING (or, directly, PLANNING) → FINAL: finalizes the open results and sets the outcome.
void finish_check(WorkingSet& nodes, Node& check, Mover mover);

/// Sets finalized_at of those that are open.
void finalize_results(WorkingSet& nodes, std::vector<ResultRow>& results);

/// The outcome that the results of a check amount to: of each stage only the highest attempt counts.
[[nodiscard]] Outcome outcome_of(const std::vector<ResultRow>& results);

/// PLAN:STAGE:IDX.
[[nodiscard]] std::string attempt_owner_id(std::string_view plan_id, std::string_view stage_id,
                                           std::int32_t idx);

/// Recomputes when timeout or heartbeat would end the attempt.
void set_deadline(AttemptRow& attempt, const NodeBody& body);

}  // namespace turboci::service
