// SPDX-License-Identifier: Apache-2.0
#include "flaw.hpp"

#include <array>

namespace turboci::model {

std::string_view to_string(Flaw flaw) {
    static constexpr std::array<std::string_view, static_cast<std::size_t>(Flaw::last_flaw)> names{
        "none",
        "and_is_or",
        "or_is_and",
        "threshold_plus_one",
        "early_loss_unseen",
        "skipped_is_passed",
        "cancelled_is_failed",
        "always_needs_an_answer",
        "missed_state_counts",
        "duplicate_edges_count",
        "retry_plus_one",
        "backoff_is_constant",
        "no_retry_ignored",
        "timeout_late",
        "silence_is_fine",
        "word_is_not_a_heartbeat",
        "cancel_retries",
        "group_ignored",
        "lost_group_passes",
        "failed_stage_passes",
        "early_answer_speaks",
        "every_attempt_counts",
        "any_stage_finishes",
        "all_skipped_passes",
        "goal_jumps",
        "results_stay_open",
        "finalized_is_open",
        "results_while_planned",
        "planned_is_strict",
        "direct_with_dependencies",
        "options_stay_open",
        "no_op_counts",
        "if_version_ignored",
        "op_id_ignored",
        "any_uid_may_speak",
        "claim_ignores_backoff",
        "cycles_accepted",
        "check_wins_bare_names",
        "null_is_kept",
        "time_goes_back",
        "refusal_keeps_expiry",
        "runner_not_believed",
        "dead_runners_live",
    };
    return names[static_cast<std::size_t>(flaw)];
}

}  // namespace turboci::model
