// SPDX-License-Identifier: Apache-2.0
// Attempts: what may be said of them and by whom, their ends, and claims.
#include <algorithm>

#include "model.hpp"

namespace turboci::model {

namespace {

nlohmann::json merged(nlohmann::json target, const JsonText& patch) {
    target.merge_patch(nlohmann::json::parse(patch.text));
    return target;
}

std::string failure_of(const Stopping& mark) {
    return mark.reason.empty() ? std::string(to_string(mark.cause)) : mark.reason;
}

bool is_held(const ModelAttempt& a) {
    return a.state == AttemptState::scheduled || a.state == AttemptState::running;
}

}  // namespace

std::string Model::new_identity(std::string_view prefix) {
    return std::string(prefix) + std::to_string(++identities_);
}

bool Model::is_inside(const ModelStage& stage) const {
    const auto& inside = request_->inside;
    return inside && inside->stage_id == stage.ref.id && inside->idx == stage.current();
}

/// Has the current attempt a process? One that was claimed ahead may speak before its start is known.
bool Model::has_begun(const ModelStage& stage) const {
    if (stage.attempts.empty()) return false;
    const ModelAttempt& a = stage.attempts.back();
    const bool speaks = is_inside(stage) && !flawed(Flaw::early_words_are_not_inside);
    return a.state == AttemptState::running || (a.state == AttemptState::scheduled && a.runner && speaks);
}

// ---------------------------------------------------------------------------------- holders that are gone

Liveness Model::look_for(const RunnerIdentity& runner) const {
    if (runner.pid == kElsewhere) return Liveness::unknown;
    return dead_.contains(runner.pid) ? Liveness::gone : Liveness::alive;
}

void Model::beat(const std::string& holder, const ClockReading& now) {
    auto& last = beats_.try_emplace(holder, now.wall).first->second;
    if (now.wall < last && flawed(Flaw::beats_go_forward)) return;
    last = now.wall;  // the latest one, whatever became of the clock since the one before
}

void Model::import() {
    plan_.clock.boot_id.clear();  // whatever machine it was on
    for (auto& stage : plan_.stages)
        if (!stage.attempts.empty()) stage.attempts.back().orphan = is_held(stage.attempts.back());
}

bool Model::lives(const ModelAttempt& a) const {
    if (a.orphan) return false;
    if (!a.runner) return true;
    const Liveness seen = look_for(*a.runner);
    if (seen != Liveness::unknown) return seen == Liveness::alive;
    if (flawed(Flaw::elsewhere_lives_on)) return true;
    const auto beat = beats_.find(a.holder);
    const bool beats = beat != beats_.end() && !flawed(Flaw::beats_are_unheard);
    return wall_ - (beats ? beat->second : a.updated_at) < std::chrono::seconds(60);
}

/// The holder of the current attempt is gone.
void Model::lose(ModelStage& stage) {
    ModelAttempt& a = stage.attempts.back();
    const bool queued = a.state == AttemptState::scheduled && !flawed(Flaw::queue_is_lost);
    if (queued) return give_back(stage, a, Mover::orchestrator);
    if (a.stopping && !flawed(Flaw::lost_forgets_its_mark))
        return end_attempt(stage, {AttemptState::incomplete, a.stopping->cause, failure_of(*a.stopping)},
                           Mover::orchestrator);
    end_attempt(stage, {AttemptState::incomplete, Cause::lost, "lost: runner died"}, Mover::orchestrator);
}

/// A tick looks at all runners, a write at those of the stages that it wants something of.
bool Model::lose(const WriteNodes& request, bool all) {
    if (flawed(all ? Flaw::dead_runners_live : Flaw::naming_does_not_look)) return false;
    bool any = false;
    for (auto& stage : draft_.stages) {
        const bool named = std::ranges::any_of(request.stages, [&](const StageWrite& w) {
            return w.id == stage.ref.id && (w.cancel || w.skip || (w.attempt && !w.attempt->holder));
        });
        if ((!all && !named) || stage.attempts.empty()) continue;
        const ModelAttempt& a = stage.attempts.back();
        if (!is_held(a) || lives(a)) continue;
        lose(stage);
        any = true;
    }
    return any;
}

// ---------------------------------------------------------------------------------- expiry

bool Model::expire(const WriteNodes& request) {
    bool any = false;
    for (auto& stage : draft_.stages) {
        // The holder of an attempt is believed, however late its word comes.
        const bool spoken_for = std::ranges::any_of(request.stages, [&](const StageWrite& w) {
            return w.id == stage.ref.id && w.attempt && w.attempt->holder;
        });
        if (!stage.attempts.empty()) any |= expire(stage, spoken_for);
    }
    return any;
}

bool Model::expire(ModelStage& stage, bool spoken_for) {
    ModelAttempt& a = stage.attempts.back();
    if (a.orphan && is_held(a)) {
        lose(stage);
        return true;
    }
    if (a.state != AttemptState::running || (spoken_for && !flawed(Flaw::runner_not_believed))) return false;
    const bool by_runner = a.runner.has_value();
    if (a.stopping && by_runner && !flawed(Flaw::runners_expire)) return false;  // it is on its way
    Duration grace(flawed(Flaw::timeout_late) ? 1 : 0);
    if (by_runner && !flawed(Flaw::no_stop_grace)) grace += std::chrono::seconds(10);
    const bool timed_out = stage.timeout && *a.started_at + *stage.timeout + grace <= now_;
    const bool must_write = !by_runner || flawed(Flaw::runners_must_write);
    const bool silent = stage.heartbeat && must_write && *a.last_heartbeat + *stage.heartbeat <= now_ &&
                        !flawed(Flaw::silence_is_fine);
    if (!timed_out && !silent) return false;
    if (!by_runner || flawed(Flaw::runners_expire)) {
        const auto cause = timed_out ? Cause::timeout : Cause::silent;
        end_attempt(stage, {AttemptState::incomplete, cause, timed_out ? "<timed out>" : "<silent>"},
                    Mover::orchestrator);
    } else if (!lives(a)) {
        lose(stage);
    } else {
        return mark(stage, a, {now_, "orchestrator", "<timed out>", Cause::timeout, false},
                    Mover::orchestrator);
    }
    return true;
}

// ---------------------------------------------------------------------------------- ends

void Model::finalize_results(const ModelStage& stage) {
    if (flawed(Flaw::results_stay_open)) return;
    for (auto& check : draft_.checks)
        for (auto& r : check.results)
            if (r.owner_type == OwnerType::stage_attempt && r.stage == stage.ref.id &&
                r.idx == stage.current() && !r.finalized_at) {
                r.finalized_at = now_;
                touch(check, Mover::orchestrator);
            }
}

void Model::end_attempt(ModelStage& stage, const End& end, Mover by) {
    ModelAttempt& a = stage.attempts.back();
    a.state = end.state;
    a.cause = end.cause;
    if (end.failure) a.failure = end.failure;
    a.updated_at = now_;
    a.ended_at = now_;
    if (end.ran_for && !a.started_at) a.started_at = now_ - *end.ran_for;
    touch(stage, by);
    answer_.ended.push_back(stage.ref.id + " " + std::to_string(stage.current()) + " " +
                            std::string(to_string(a.state)) +
                            (a.cause ? " " + std::string(to_string(*a.cause)) : ""));
    finalize_results(stage);
}

/// Does the policy want another attempt after such an end? An interruption that counts is a failure.
bool Model::is_retried(const Retry& retry, const ModelAttempt& a) const {
    if (flawed(Flaw::every_end_is_retried)) return true;
    if (a.cause == Cause::timeout) return retry.on.timeout;
    if (a.cause == Cause::silent) return retry.on.silent;
    const bool listed = a.exit_code && !flawed(Flaw::exits_are_unread) &&
                        std::ranges::find(retry.on.exit, *a.exit_code) != retry.on.exit.end();
    return retry.on.failed || listed;
}

/// An attempt has ended: either another follows, or they are over.
bool Model::follow(ModelStage& stage) {
    const ModelAttempt& last = stage.attempts.back();
    const bool complete = last.state == AttemptState::complete;
    const bool cancelled = last.stopping && last.stopping->cause == Cause::cancelled;
    if (cancelled && (complete ? flawed(Flaw::cancel_beats_complete) : !flawed(Flaw::cancel_is_forgotten))) {
        conclude_cancelled(stage, last.stopping->reason);
        return true;
    }
    const auto over = [&](ConcludedReason reason) {
        stage.over = true;
        stage.reason = reason;
        return true;
    };
    if (complete) return over(ConcludedReason::attempt_complete);
    const Retry& retry = stage.retry;
    const auto is_interrupted = [&](const ModelAttempt& a) {
        const bool nobodys = retry.on_interrupt == OnInterrupt::again || flawed(Flaw::nobody_is_to_blame);
        return (a.cause == Cause::lost || a.cause == Cause::interrupted) && nobodys &&
               !flawed(Flaw::lost_uses_retry);
    };
    const auto in_a_row = std::find_if_not(stage.attempts.rbegin(), stage.attempts.rend(), is_interrupted) -
                          stage.attempts.rbegin();
    const auto used = std::count_if(stage.attempts.begin(), stage.attempts.end() - 1,
                                    [&](const ModelAttempt& a) { return !is_interrupted(a); });
    Duration backoff = retry.backoff;
    if (in_a_row > 0) {
        if (in_a_row >= (flawed(Flaw::eleven_interruptions) ? 11 : 10))
            return over(ConcludedReason::interrupted_too_often);
        if (!flawed(Flaw::lost_waits)) backoff = Duration::zero();
    } else {
        if (last.no_retry && !flawed(Flaw::no_retry_ignored)) return over(ConcludedReason::retry_blocked);
        if (!is_retried(retry, last)) return over(ConcludedReason::attempt_failed);
        if (used >= retry.max_retries + (flawed(Flaw::retry_plus_one) ? 1 : 0)) {
            const bool never = retry.max_retries == 0 && !flawed(Flaw::one_reason_for_all);
            return over(never ? ConcludedReason::attempt_failed : ConcludedReason::no_retries_left);
        }
        const auto doublings = flawed(Flaw::backoff_by_idx) ? stage.current() - 1 : used;
        for (std::int64_t i = 0; i < doublings && !flawed(Flaw::backoff_is_constant); ++i) backoff *= 2;
    }
    ModelAttempt next;
    next.created_at = next.updated_at = now_;
    if (backoff != Duration::zero())
        next.not_before =
            now_ + (flawed(Flaw::backoff_has_no_end) ? backoff : std::min(backoff, retry.max_backoff));
    stage.attempts.push_back(next);
    touch(stage, Mover::orchestrator);
    return true;
}

void Model::give_back(ModelStage& stage, ModelAttempt& a, Mover by) {
    a.state = AttemptState::pending;
    a.process_uid.clear();
    a.holder.clear();
    a.runner.reset();
    a.stopping.reset();
    a.orphan = false;
    a.updated_at = now_;
    touch(stage, by);
}

/// The first mark stands, but a cancel replaces any that is none. Did it change anything?
bool Model::mark(ModelStage& stage, ModelAttempt& a, const Stopping& stopping, Mover by) {
    if (a.stopping && !flawed(Flaw::last_mark_stands)) {
        const bool cancels = stopping.cause == Cause::cancelled && a.stopping->cause != Cause::cancelled;
        if (!cancels || flawed(Flaw::cancel_comes_second)) return false;
    }
    a.stopping = stopping;
    if (flawed(Flaw::inside_is_outside)) a.stopping->from_inside = false;
    a.updated_at = now_;
    touch(stage, by);
    return true;
}

/// The end of an attempt as whoever may end it says: its holder, or anybody where the holder cannot be asked.
/// A mark makes it worse if the process was told to end, or asked for that itself.
void Model::end_by_word(ModelStage& stage, ModelAttempt& a, const AttemptWrite& write) {
    if (write.no_retry) a.no_retry = true;
    const bool signalled = (write.holder && write.holder->signalled && !flawed(Flaw::signal_is_forgotten)) ||
                           flawed(Flaw::mark_is_an_end);
    End end{*write.state, std::nullopt, write.failure};
    if (a.stopping && (signalled || a.stopping->from_inside)) {
        end = {AttemptState::incomplete, a.stopping->cause, failure_of(*a.stopping)};
    } else if (write.holder && write.holder->cause && !flawed(Flaw::cause_is_failed)) {
        end.state = AttemptState::incomplete;
        end.cause = write.holder->cause;
    } else if (end.state == AttemptState::incomplete) {
        end.cause = Cause::failed;
    }
    if (write.holder) end.ran_for = write.holder->ran_for;
    end_attempt(stage, end, Mover::writer);
}

/// Somebody speaks of the end of an attempt whose process a living runner holds.
void Model::ask_for_end(ModelStage& stage, ModelAttempt& a, const AttemptWrite& write) {
    const bool inside = is_inside(stage);
    if (write.state == AttemptState::complete) {
        if (flawed(inside ? Flaw::inside_says_complete : Flaw::others_say_complete))
            return end_by_word(stage, a, write);
        if (inside) return finalize_results(stage);
        return refuse(ErrorCode::invalid_state);
    }
    if (flawed(Flaw::runner_killed_at_once)) return end_by_word(stage, a, write);
    if (mark(stage, a, {now_, request_->actor, write.failure.value_or("failed"), Cause::failed, inside},
             Mover::writer))
        a.no_retry |= write.no_retry;
}

void Model::cancel(ModelStage& stage) {
    if (stage.state == State::final) {
        if (stage.outcome != Outcome::cancelled) refuse(ErrorCode::invalid_state);
        return;
    }
    const std::string& reason = request_->reason;
    if (!stage.attempts.empty() && !flawed(Flaw::runner_killed_at_once)) {
        ModelAttempt& a = stage.attempts.back();
        if (has_begun(stage) && a.runner) {
            mark(stage, a, {now_, request_->actor, reason, Cause::cancelled, is_inside(stage)},
                 Mover::writer);
            return;
        }
    }
    touch(stage, Mover::writer);
    conclude_cancelled(stage, reason);
}

void Model::conclude_cancelled(ModelStage& stage, const std::string& reason) {
    if (!stage.attempts.empty() && !is_ended(stage.attempts.back().state))
        end_attempt(stage,
                    {AttemptState::incomplete, Cause::cancelled, reason.empty() ? "cancelled" : reason},
                    Mover::orchestrator);
    if (flawed(Flaw::cancel_retries) && stage.state == State::attempting && !stage.attempts.back().stopping)
        return;
    stage.over = true;
    stage.outcome = Outcome::cancelled;
    stage.reason = ConcludedReason::cancelled;
    if (!reason.empty() && !flawed(Flaw::reason_is_unheard)) stage.concluded_message = reason;
    move(stage, State::final, Mover::orchestrator);
}

/// Somebody does not need the stage. What runs is not skipped.
void Model::skip(ModelStage& stage) {
    if (stage.state == State::final) {
        if (stage.outcome != Outcome::skipped || flawed(Flaw::second_skip_refused))
            refuse(ErrorCode::invalid_state);
        return;
    }
    if (has_begun(stage) && !flawed(Flaw::running_may_be_skipped)) return refuse(ErrorCode::invalid_state);
    touch(stage, Mover::writer);
    conclude_by_hand(stage, request_->reason);
}

void Model::conclude_by_hand(ModelStage& stage, const std::string& reason) {
    if (!stage.attempts.empty() && !is_ended(stage.attempts.back().state))
        end_attempt(stage, {AttemptState::incomplete, Cause::cancelled, reason.empty() ? "skipped" : reason},
                    Mover::orchestrator);
    stage.over = true;
    stage.outcome = Outcome::skipped;
    stage.skip_cause = flawed(Flaw::hand_skips_upstream) ? SkipCause::upstream : SkipCause::not_needed;
    stage.reason = ConcludedReason::skipped;
    if (!reason.empty()) stage.concluded_message = reason;
    move(stage, State::final, Mover::orchestrator);
}

// ---------------------------------------------------------------------------------- what is said of them

void Model::check_token(const ModelToken& token) {
    if (token.other_store || token.other_plan_id || flawed(Flaw::tokens_unread)) return;
    if (draft_.checks.empty() && draft_.stages.empty() && flawed(Flaw::empty_plans_trust)) return;
    if (token.other_plan && !flawed(Flaw::plans_look_alike)) refuse(ErrorCode::conflict);
    const auto& inside = request_->inside;
    if (inside && *inside != AttemptRef{token.stage, token.idx} && !flawed(Flaw::inside_unasked))
        refuse(ErrorCode::conflict);
    const ModelStage* stage = draft_.stage(token.stage);
    if (!stage || token.idx != stage->current()) return refuse(ErrorCode::conflict);
    const ModelAttempt& a = stage->attempts.back();
    if (is_ended(a.state) && !flawed(Flaw::token_outlives)) refuse(ErrorCode::invalid_state);
    if (a.holder != token.holder && !flawed(Flaw::holders_look_alike)) refuse(ErrorCode::conflict);
}

/// One that has been followed by another: what is so already may be said again.
void Model::write_past_attempt(ModelStage& stage, const AttemptWrite& write) {
    if (*write.idx < 1) return refuse(ErrorCode::invalid_state);
    const ModelAttempt& told = stage.attempts[static_cast<std::size_t>(*write.idx) - 1];
    if (told.absent) return refuse(ErrorCode::invalid_state);
    if (write.holder) {
        if (write.holder->identity != told.holder && !flawed(Flaw::past_holders_unasked))
            return refuse(ErrorCode::conflict);
        if (write.state && is_ended(*write.state) && !flawed(Flaw::second_word_refused)) return;
    }
    const bool same = !write.heartbeat && write.progress.empty() &&
                      (!write.state || *write.state == told.state) &&
                      (!write.failure || write.failure == told.failure) &&
                      (!write.process_uid || *write.process_uid == told.process_uid) &&
                      (!write.details || merged(told.details, *write.details) == told.details);
    if (!same) refuse(ErrorCode::invalid_state);
}

void Model::write_attempt(ModelStage& stage, const AttemptWrite& write) {
    const std::int32_t current = stage.current();
    if (current == 0) {
        refuse(ErrorCode::invalid_state);
        if (write.idx) refuse(ErrorCode::not_found);
        return;
    }
    if (write.idx && *write.idx > current) return refuse(ErrorCode::not_found);
    if (write.idx && *write.idx < current) return write_past_attempt(stage, write);
    ModelAttempt& a = stage.attempts.back();
    const HolderWord* word = write.holder ? &*write.holder : nullptr;
    const bool ends = write.state && is_ended(*write.state);
    const bool mine = word && !word->identity.empty() && word->identity == a.holder;
    if (mine && ends && is_ended(a.state) && !flawed(Flaw::second_word_refused)) return;
    const bool takes = write.state && *write.state != AttemptState::pending;
    const bool owns = takes || !a.process_uid.empty();
    const std::string uid = owns ? write.process_uid.value_or(a.process_uid) : a.process_uid;
    const auto details = write.details ? merged(a.details, *write.details) : a.details;
    bool adds = details != a.details || !write.progress.empty();
    const bool news =
        adds || write.heartbeat || uid != a.process_uid || (write.failure && write.failure != a.failure);
    const bool moves = write.state && *write.state != a.state;
    if (!news && !moves && !word) return;
    if (word && !mine && !flawed(Flaw::holders_not_asked)) refuse(ErrorCode::conflict);
    if (is_ended(a.state)) return refuse(ErrorCode::invalid_state);
    if (uid != a.process_uid && !a.process_uid.empty() && !flawed(Flaw::any_uid_may_speak))
        refuse(ErrorCode::conflict);
    const bool begins = write.state == AttemptState::scheduled || write.state == AttemptState::running;
    if (current > 1 && !write.idx && !begins && a.process_uid.empty()) {
        // Who speaks of "the attempt" may mean the one before: its holder, or whoever has just lost it.
        const auto& before = stage.attempts[static_cast<std::size_t>(current) - 2];
        if (a.created_at == now_ || (write.process_uid && before.process_uid == *write.process_uid))
            refuse(ErrorCode::invalid_state);
    }
    const bool back = write.state == AttemptState::pending && a.state == AttemptState::scheduled &&
                      !flawed(Flaw::never_given_back);
    if (write.state && *write.state < a.state && !back) refuse(ErrorCode::invalid_state);
    if (moves && write.state == AttemptState::running && uid.empty()) refuse(ErrorCode::invalid_argument);
    if (!answer_.errors.empty()) return;

    const bool signs = write.heartbeat && !write.state && !write.details && write.progress.empty() && !word;
    if (signs && !flawed(Flaw::heartbeat_is_a_change)) {
        // Runners beat by themselves.
        if (a.state != AttemptState::running || (a.runner && !flawed(Flaw::heartbeat_for_runners))) return;
        a.last_heartbeat = now_;
        has_heartbeat_ = true;
        return;
    }
    const bool second_wish = ends && !word && has_begun(stage) && a.runner && a.stopping;
    if (second_wish && flawed(Flaw::second_wish_is_mute)) return;
    if (second_wish && write.details && flawed(Flaw::old_news_count)) adds = true;
    a.details = details;
    a.process_uid = uid;
    carry_out(stage, a, write, adds);
}

/// What was said of a live attempt, by somebody who may; `adds`: news came with it.
void Model::carry_out(ModelStage& stage, ModelAttempt& a, const AttemptWrite& write, bool adds) {
    const HolderWord* word = write.holder ? &*write.holder : nullptr;
    const bool moves = write.state && *write.state != a.state;
    const bool ends = write.state && is_ended(*write.state);
    if (write.runner) a.runner = write.runner;
    for (const auto& [message, more] : write.progress) a.progress.push_back({message, now_, more});
    if (adds) {
        a.updated_at = now_;
        touch(stage, Mover::writer);
    }
    if (word && word->exit_code) a.exit_code = word->exit_code;
    if (word && word->signal) a.signal = word->signal;
    if (word && word->log) a.log = word->log;
    if (word && word->stopping) {
        mark(stage, a,
             {now_, request_->actor, write.failure.value_or(""), word->cause.value_or(Cause::interrupted),
              false},
             Mover::writer);
        return;
    }
    if (moves && ends && !word && has_begun(stage) && a.runner) return ask_for_end(stage, a, write);
    if (moves && ends) return end_by_word(stage, a, write);
    if (moves && write.state == AttemptState::pending) return give_back(stage, a, Mover::writer);
    a.updated_at = now_;
    touch(stage, Mover::writer);
    const bool sign = write.heartbeat || !flawed(Flaw::word_is_not_a_heartbeat);
    if (a.state == AttemptState::running && sign) a.last_heartbeat = now_;
    if (!moves) return;
    if (a.holder.empty()) a.holder = new_identity(kSecret);
    a.state = *write.state;
    if (a.state == AttemptState::running) run(stage, a, a.process_uid);
}

// ---------------------------------------------------------------------------------- claims

void Model::run(ModelStage& stage, ModelAttempt& attempt, const std::string& uid) {
    attempt.state = AttemptState::running;
    attempt.process_uid = uid;
    attempt.started_at = attempt.last_heartbeat = attempt.updated_at = now_;
    touch(stage, Mover::writer);
}

void Model::take(ModelStage& stage, const Claim& claim, AttemptState to) {
    ModelAttempt& a = stage.attempts.back();
    const bool again = a.state == AttemptState::running;
    if (!again) {
        a.runner = claim.runner;
        a.holder = claim.holder.empty() ? new_identity("auto") : claim.holder;
        if (to == AttemptState::running || flawed(Flaw::ahead_runs)) {
            run(stage, a, claim.process_uid);
        } else {
            a.state = to;
            a.process_uid = claim.process_uid;
            a.updated_at = now_;
            touch(stage, Mover::writer);
        }
    }
    answer_.claimed.push_back(stage.ref.id + " " + std::to_string(stage.current()));
    answer_.holders.push_back(a.holder);
}

namespace {

Timestamp ready_at(const ModelAttempt& a) { return a.not_before.value_or(a.created_at); }

}  // namespace

bool Model::is_ready(const ModelStage& stage) const {
    return ready_at(stage.attempts.back()) <= now_ || flawed(Flaw::claim_ignores_backoff);
}

/// Is there so much left of the limits that the stage uses?
bool Model::fits(const ModelStage& stage) const {
    if (flawed(Flaw::limits_unread)) return true;
    return std::ranges::all_of(stage.uses, [&](const Use& use) {
        std::int64_t held = 0;
        for (const auto& s : draft_.stages) {
            if (s.attempts.empty() || !is_held(s.attempts.back())) continue;
            if (s.attempts.back().state == AttemptState::scheduled && flawed(Flaw::queues_use_nothing))
                continue;
            for (const auto& u : s.uses)
                if (u.limit == use.limit) held += flawed(Flaw::all_uses_are_one) ? 1 : u.count;
        }
        return held + use.count <= draft_.limits.at(use.limit);
    });
}

/// The ready stage that a claim that names none takes next. What others may wait for, and what must not be
/// interrupted, is not taken ahead.
ModelStage* Model::oldest(const Claim& claim, bool ahead) {
    const auto& only = claim.filter.only;
    const auto takes_kind = [&](const std::string& kind) {
        return flawed(Flaw::kinds_unread) || std::ranges::any_of(claim.filter.runners, [&](const auto& k) {
                   return k == "*" || k == kind;
               });
    };
    ModelStage* found = nullptr;
    for (auto& s : draft_.stages) {
        if (s.state != State::attempting || s.attempts.back().state != AttemptState::pending) continue;
        if (!is_ready(s) || (!only.empty() && std::ranges::find(only, s.ref.id) == only.end())) continue;
        if (!takes_kind(s.runner) || !fits(s)) continue;
        if (ahead && !s.uses.empty() && !flawed(Flaw::ahead_shares)) continue;
        if (ahead && s.retry.on_interrupt == OnInterrupt::fail && !flawed(Flaw::ahead_is_bold)) continue;
        if (!found || ready_at(s.attempts.back()) < ready_at(found->attempts.back())) found = &s;
    }
    return found;
}

void Model::take(const Claim& claim) {
    if (!claim.stages.empty()) return take_named(claim);
    for (std::int32_t n = 0; n < claim.at_most + claim.ahead; ++n) {
        const bool ahead = n >= claim.at_most;
        ModelStage* next = oldest(claim, ahead);
        if (next) take(*next, claim, ahead ? AttemptState::scheduled : AttemptState::running);
    }
}

/// Named ones in the order in which they are named.
void Model::take_named(const Claim& claim) {
    for (const auto& id : claim.stages) {
        if (answer_.claimed.size() == static_cast<std::size_t>(claim.at_most)) return;
        ModelStage* s = draft_.stage(id);
        if (!s) {
            refuse(ErrorCode::not_found);
            continue;
        }
        if (s->state != State::attempting) {
            refuse(s->state == State::planned ? ErrorCode::pending : ErrorCode::invalid_state);
            continue;
        }
        const ModelAttempt& a = s->attempts.back();
        const bool others = !a.process_uid.empty() && a.process_uid != claim.process_uid;
        const bool runs = a.state == AttemptState::running;
        if (others) {
            refuse(ErrorCode::conflict);
        } else if (!runs && (!is_ready(*s) || (!is_held(a) && !fits(*s)))) {
            refuse(ErrorCode::pending);
        } else {
            take(*s, claim, AttemptState::running);  // perhaps says so again
        }
    }
}

}  // namespace turboci::model
