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
    broken_pass_counts,        ///< a pass counts although its attempt did not run to its end
    live_pass_is_broken,       ///< a pass does not count while its attempt is live
    writer_trusts_passes,      ///< a check that a writer ends does not ask how attempts ended
    strangers_are_trusted,     ///< nor does it ask that of stages that are not assigned to it
    upstream_skip_passes,      ///< a check passes although a part of its answer never ran
    hand_is_unheard,           ///< an answer by hand does not keep a check from being skipped
    skips_are_not_needed,      ///< a skip is never `upstream`
    any_edge_is_upstream,      ///< an edge that wanted a failure makes a skip `upstream`, too
    upstream_ends,             ///< what is skipped `upstream` does not make others so
    failed_keeps_skip_cause,   ///< a check that fails where it would be skipped tells a skip_cause
    skip_hides_broken_pass,    ///< a check that is skipped does not ask how attempts ended
    skip_blames_all,           ///< its note says of each stage that it broke its word
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
    naming_does_not_look,   ///< nor does a write that names their stages
    elsewhere_lives_on,     ///< a runner that cannot be seen is never gone
    beats_are_unheard,      ///< a beat is no sign of life
    beats_go_forward,       ///< a beat by a clock that was set back is not heard
    queue_is_lost,          ///< SCHEDULED attempts of runners that are gone end
    lost_forgets_its_mark,  ///< a marked attempt whose runner is gone ends lost
    runner_killed_at_once,  ///< others end attempts that a living runner holds
    others_say_complete,    ///< others may say that such an attempt is COMPLETE
    inside_says_complete,   ///< from inside, it ends such an attempt
    inside_is_outside,      ///< a mark from inside is like any
    last_mark_stands,       ///< a later mark replaces the first
    cancel_comes_second,    ///< a cancel replaces no mark
    signal_is_forgotten,    ///< what ended after the signal ends as it says
    mark_is_an_end,         ///< what ended before the signal ends as marked
    cancel_is_forgotten,    ///< a stage goes on after an attempt with the mark of a cancel
    cancel_beats_complete,  ///< a COMPLETE attempt with such a mark leaves its stage cancelled
    cause_is_failed,        ///< the holder's word of the cause is not heard
    holders_not_asked,      ///< anybody's word is taken for the holder's
    second_word_refused,    ///< an end that the holder says again is refused
    past_holders_unasked,   ///< anybody may speak of a past attempt as its holder
    second_wish_is_mute,    ///< news beside a wish for the end that changes nothing are lost
    old_news_count,         ///< beside such a wish, what is known already counts a version
    no_stop_grace,          ///< a runner's timeout is looked at without grace
    runners_expire,         ///< a runner's attempt ends when it is past timeout and grace
    runners_must_write,     ///< the heartbeat of a stage concerns runners
    lost_uses_retry,        ///< an interruption uses up a retry
    lost_waits,             ///< the attempt after an interruption waits
    eleven_interruptions,   ///< ten in a row are not too often
    backoff_by_idx,         ///< the backoff doubles with each attempt, interruptions too
    one_reason_for_all,     ///< no_retries_left where no retry was ever allowed
    heartbeat_is_a_change,  ///< a heartbeat counts a version
    heartbeat_expires,      ///< a heartbeat ends what is overdue
    heartbeat_keeps_op_id,
    heartbeat_for_runners,  ///< a heartbeat moves last_heartbeat of what a runner holds
    heartbeat_looks,        ///< a heartbeat finds out that a runner is gone
    never_given_back,       ///< SCHEDULED does not go back to PENDING
    inside_ends_checks,     ///< an attempt makes the check FINAL that its stage is assigned to
    last_word_stays_open,   ///< asking for FINAL from inside does not finalize
    strangers_end_checks,   ///< an attempt may end checks that its stage is not assigned to
    required_stays_open,    ///< `required` may change when PLANNED
    reason_is_unheard,      ///< a cancelled stage does not tell why
    tokens_unread,
    empty_plans_trust,  ///< nor are they where there is no node
    plans_look_alike,   ///< a token of an earlier plan of the same id is as good
    holders_look_alike,
    token_outlives,  ///< a token of an attempt that has ended is as good
    inside_unasked,  ///< `inside` may say another attempt than the token
    authors_unknown,
    hand_skips_upstream,         ///< what somebody skips is skipped `upstream`
    running_may_be_skipped,      ///< a stage is skipped while an attempt is RUNNING
    second_skip_refused,         ///< what is skipped may not be skipped again
    failures_may_be_skipped,     ///< a check with a counted failure is skipped by hand
    optional_counts,             ///< a check that is not required makes the verdict say no
    upstream_is_fine,            ///< what is skipped `upstream` does not make the verdict say no
    gate_allows_upstream,        ///< a gate that allows what was skipped allows any skip
    any_skip_is_no_failure,      ///< an edge on not_failed is satisfied by what was skipped `upstream`
    unsuccessful_is_failure,     ///< an edge on unsuccessful is satisfied by failed alone
    not_failed_is_indifferent,   ///< a skip for want of not_failed is never `upstream`
    early_words_are_not_inside,  ///< a process that speaks before its start is in the store has not begun
    conditions_unread,           ///< conditions are not looked at
    one_condition_is_enough,     ///< of several conditions one has to hold
    nothing_is_equal,            ///< not_equals does not hold where there is no value
    old_data_counts,             ///< data of earlier attempts counts for conditions
    false_is_upstream,           ///< a stage whose condition is false is skipped `upstream`
    conditions_ask_anybody,      ///< a condition may ask checks that the node does not wait for
    every_end_is_retried,        ///< retries do not ask how an attempt ended
    exits_are_unread,            ///< an exit status alone is never a reason for a retry
    backoff_has_no_end,          ///< max_backoff is not looked at
    nobody_is_to_blame,          ///< an interruption is nobody's failure whatever the policy says
    broken_data_is_unseen,       ///< data of a pass that ended INCOMPLETE does not count for conditions
    limits_unread,               ///< claims take what does not fit into the limits
    queues_use_nothing,          ///< a SCHEDULED attempt holds nothing of a limit
    all_uses_are_one,            ///< a held stage uses one of a limit, whatever it says
    limits_sink,                 ///< a limit may be lower than what an open stage uses
    kinds_unread,                ///< claims take stages of any kind of runner
    ahead_runs,                  ///< what is claimed ahead is RUNNING
    ahead_shares,                ///< what uses a limit is claimed ahead
    ahead_is_bold,               ///< what must not be interrupted is claimed ahead
    only_always_cleans_up,       ///< what waits for a failure is cancelled with the plan
    clean_up_has_no_heirs,       ///< what depends on clean-up alone is cancelled with the plan
    clean_up_stays,              ///< clean-up is never cancelled with others
    cancel_is_not_remembered,    ///< what is written after the cancel of a plan is not cancelled
    cancels_one_by_one,          ///< stages become ready while the plan is cancelled
    cancel_forgives,           ///< an open check with a counted failure is skipped when the plan is cancelled
    any_end_is_carried,        ///< a rerun carries what failed or was skipped
    dependents_stay,           ///< what depends on what begins anew is carried
    answers_outlive_stages,    ///< a check is carried although a stage that answers it begins anew
    a_no_is_carried,           ///< a stage is carried although a required check heard a no from it
    optional_is_asked_again,   ///< a failure that is not required begins anew unnamed
    names_are_unheard,         ///< what is named is carried
    checks_alone_anew,         ///< the stages of a check that is named, or another one now, are carried
    strange_names_are_fine,    ///< a name of no node is accepted
    gains_are_unseen,          ///< a check that gained a stage is carried
    policy_is_definition,      ///< a stage whose policy has changed begins anew
    what_was_written_stays,    ///< nodes that an attempt wrote come along when its stage begins anew
    own_groups_are_defined,    ///< a group that an attempt wrote is part of the definition
    results_stay_behind,       ///< a rerun carries no results
    reports_stay_behind,       ///< a check that begins anew gets no results of stages that are carried
    all_attempts_are_carried,  ///< a rerun carries all attempts
    last_plan_is_named,        ///< carried_from is the plan that carried the node last
    labels_stay,               ///< labels of a rerun are not heard
    limits_are_left,           ///< limits do not come along
    lines_branch,              ///< a plan is started again twice without a fork
    held_plans_go_on,          ///< a plan is started again while an attempt is held
    passed_plans_go_on,        ///< a plan that passed is started again without a reason
    rerun_has_no_op_id,        ///< a rerun that is asked for again happens again
    old_plans_stay_open,       ///< what is open in the old plan stays so
    old_clean_up_runs,         ///< something becomes ready while the old plan ends
    superseded_is_forgiven,  ///< an open check with a counted failure is skipped when its plan is superseded
    last_flaw
};

[[nodiscard]] std::string_view to_string(Flaw flaw);

}  // namespace turboci::model
