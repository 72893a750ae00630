// SPDX-License-Identifier: Apache-2.0
// The rules that follow from the rules: states advance until nothing more can move.
#pragma once

#include <string>
#include <string_view>

#include "engine/working_set.hpp"

namespace turboci::engine {

/// Tells dependents and assigned checks of every move and advances what can advance, first come first
/// served, until both queues are empty.
void resolve_to_fixpoint(WorkingSet& nodes);

/// How long after its timeout an attempt may be left to its runner, which is busy stopping it.
inline constexpr Duration kStopGrace = std::chrono::seconds(10);

/// How an attempt ends.
struct End {
    AttemptState state = AttemptState::complete;  ///< or INCOMPLETE
    std::optional<Cause> cause;                   ///< of INCOMPLETE
    std::optional<std::string> failure;
};
/// Ends the current attempt. Finalizes its results; the stage advances at the next fixpoint.
void end_attempt(WorkingSet& nodes, Node& stage, AttemptRow& attempt, End end, Mover mover);

/// SCHEDULED → PENDING: no process began, so it is no end. Nobody holds it any more.
void give_back(WorkingSet& nodes, Node& stage, AttemptRow& attempt, Mover mover);

/// Finalizes the results that an attempt has left open.
void finalize_results_of(WorkingSet& nodes, const Node& stage, std::int32_t attempt);

/// Takes a stage from whatever state to FINAL, cancelled. No runner may hold its attempt.
void cancel_stage(WorkingSet& nodes, Node& stage, const std::string& reason);

/// Takes a stage whose attempt is not RUNNING from whatever state to FINAL, skipped as not needed.
void skip_stage(WorkingSet& nodes, Node& stage, const std::string& reason);

/// Takes a check to FINAL, skipped, with a note of the orchestrator that says why. What has a counted failure
/// is failed all the same.
void skip_check(WorkingSet& nodes, Node& check, std::string why, SkipCause cause);
/// Has a result that counts a failure?
[[nodiscard]] bool has_failure(WorkingSet& nodes, Node& check);

/// WAITING (or, directly, PLANNING) → FINAL: finalizes the open results and sets the outcome. A pass of an
/// attempt that did not run to its end fails the check, with a note that says so.
void finish_check(WorkingSet& nodes, Node& check, Mover mover);

/// Sets finalized_at of those that are open.
void finalize_results(WorkingSet& nodes, std::vector<ResultRow>& results);

/// The outcome of a new check that is created FINAL, with a note as in finish_check().
[[nodiscard]] Outcome judge_answers(WorkingSet& nodes, Node& check, const std::vector<ResultRow>& results);

/// PLAN:STAGE:IDX.
[[nodiscard]] std::string attempt_owner_id(std::string_view plan_id, std::string_view stage_id,
                                           std::int32_t idx);

/// Recomputes when timeout or heartbeat would end the attempt.
void set_deadline(AttemptRow& attempt, const NodeBody& body);

}  // namespace turboci::engine
