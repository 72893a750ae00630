// SPDX-License-Identifier: Apache-2.0
// Rules of the model that can be broken one at a time, to see that the comparison would notice.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace turboci::model {

enum class Flaw : std::uint8_t {
    none,
    and_is_or,                 ///< AND is satisfied by one member
    or_is_and,                 ///< OR needs all
    threshold_plus_one,        ///< THRESHOLD needs one more
    early_loss_unseen,         ///< AND is lost only when all members are resolved
    skipped_is_passed,         ///< an edge on success is satisfied by skipped
    cancelled_is_failed,       ///< an edge on failure is satisfied by cancelled
    always_needs_an_answer,    ///< an edge on always is not satisfied by skipped
    missed_state_counts,       ///< an edge on a state that was jumped over is satisfied
    duplicate_edges_count,     ///< duplicate edges are not merged
    retry_plus_one,            ///< one retry more
    backoff_is_constant,       ///< the backoff does not double
    no_retry_ignored,          ///< retries go on although the writer blocked them
    timeout_late,              ///< an attempt may run a microsecond more than its timeout
    silence_is_fine,           ///< heartbeats are not looked at
    word_is_not_a_heartbeat,   ///< only a heartbeat counts as a sign of life
    cancel_retries,            ///< a cancelled attempt is followed by another
    group_ignored,             ///< stages end without their continuation group
    lost_group_passes,         ///< a stage passes although its group is lost
    failed_stage_passes,       ///< a check passes when its stage failed without an answer
    early_answer_speaks,       ///< a result of an earlier attempt speaks for a stage that was lost
    every_attempt_counts,      ///< results of all attempts count, not only the highest one's
    any_stage_finishes,        ///< a goal is reached when one of its stages is FINAL
    all_skipped_passes,        ///< a check whose stages were all skipped passes
    goal_jumps,                ///< a goal takes a check on without waiting for its dependencies
    results_stay_open,         ///< the end of an attempt does not finalize its results
    finalized_is_open,         ///< finalized results may change
    results_while_planned,     ///< results are accepted before WAITING
    planned_is_strict,         ///< PLANNED is refused from a check that has moved on
    direct_with_dependencies,  ///< PLANNING may be left for WAITING with dependencies
    options_stay_open,         ///< options may change when PLANNED
    no_op_counts,              ///< a write that changes nothing counts a version
    if_version_ignored,
    op_id_ignored,
    any_uid_may_speak,  ///< an attempt listens to others than its holder
    claim_ignores_backoff,
    cycles_accepted,
    check_wins_bare_names,  ///< a bare name that is two nodes means the check
    null_is_kept,           ///< merging keeps nulls
    time_goes_back,         ///< the plan's clock is the wall clock
    refusal_keeps_expiry,   ///< what expired is kept although the write was refused
    runner_not_believed,    ///< the runner's word comes too late, like anybody's
    dead_runners_live,      ///< a tick does not look for runners
    last_flaw
};

[[nodiscard]] std::string_view to_string(Flaw flaw);

}  // namespace turboci::model
