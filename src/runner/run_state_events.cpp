// SPDX-License-Identifier: Apache-2.0
// What the events of a run mean for its state.
#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/signals.hpp"
#include "runner/run_state.hpp"

namespace turboci {

namespace {

constexpr Duration kLockRetry = std::chrono::seconds(1);
constexpr int kMaxLockFailures = 6;
constexpr int kMaxBatchFailures = 3;
/// A claim that came too early is made again after so long.
constexpr Duration kSoon = std::chrono::milliseconds(50);

/// The store has the last word on how attempts ended: somebody may have marked them.
void learn_ends(std::vector<EndWrite>& ends, const std::vector<AttemptEnd>& in_store) {
    std::map<std::pair<std::string_view, std::int32_t>, const AttemptEnd*> by_attempt;
    for (const AttemptEnd& end : in_store) by_attempt[{end.stage, end.idx}] = &end;
    for (EndWrite& end : ends) {
        const auto found = by_attempt.find({end.event.stage, end.event.idx});
        if (found == by_attempt.end()) continue;
        const AttemptEnd& stored = *found->second;
        end.event.failure = stored.failure;
        if (stored.state == AttemptState::complete) end.event.failure.reset();
        end.event.cause = stored.cause;
        end.event.retry_in = stored.next_in;
    }
}

}  // namespace

// ------------------------------------------------------------------------------ signals and commands

void RunState::signalled(int number, Duration now) {
    if (signal_ != 0) {
        advance_to(RunPhase::killed);
        return stop_all(StopReason::interrupted, true);
    }
    signal_ = number;
    if (settings_.cancel_on_signal && phase_ == RunPhase::running) return cancel(signal_text(number), now);
    advance_to(RunPhase::interrupted);
    news_.emplace_back(fmt::format("{}: ending {} running {}", signal_text(number), running_.size(),
                                   running_.size() == 1 ? "stage" : "stages"));
    stop_all(StopReason::interrupted, false);
}

void RunState::give_up(std::exception_ptr reason) {
    if (!error_) error_ = std::move(reason);
    advance_to(RunPhase::broken);
    stop_all(StopReason::interrupted, false);
}

void RunState::command_ended(StartId id, const CommandEnd& end, AttemptOutput output, Duration now) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    const Running attempt = std::move(found->second);
    running_.erase(found);
    const auto of_it = [&](const auto& item) {
        return item.stage == attempt.stage && item.idx == attempt.idx;
    };
    std::erase_if(marks_, of_it);
    std::erase_if(unwritten_starts_, of_it);  // the end says it all
    EndWrite write = end_of(attempt, now);
    StageEnd& event = write.event;
    event.tail = std::move(output.tail);
    event.log_path = std::move(output.log_path);
    event.log_error = output.log_error;
    write.word.log = std::move(output.log);
    write.word.ran_for = event.elapsed;
    write.word.signalled = attempt.stopped != StopReason::none;
    if (end.kind == CommandEnd::Kind::exited) write.word.exit_code = end.value;
    if (end.kind == CommandEnd::Kind::signalled) write.word.signal = end.value;
    if (!end.success()) event.failure = turboci::describe(end);
    durations_[attempt.stage] += event.elapsed;
    commit_delay_.command_took(event.elapsed);
    switch (attempt.stopped) {
        case StopReason::timed_out:
            event.failure = timeout_text(attempt);
            write.word.cause = Cause::timeout;
            break;
        case StopReason::silent:
            event.failure = silence_text(attempt);
            write.word.cause = Cause::silent;
            break;
        case StopReason::cancelled:
            event.failure = "cancelled: it cleaned up for too long";
            write.word.cause = Cause::cancelled;
            break;
        case StopReason::interrupted:
            event.failure = interruption();
            write.word.cause = Cause::interrupted;
            break;
        case StopReason::disowned:
            event.failure = "its attempt is held by another";
            judge_end(event);
            report_end(std::move(event));
            claim_ = true;
            outlook_ = Outlook::unknown;
            return;
        case StopReason::none:
        case StopReason::asked:
            break;
    }
    ends_.push_back(std::move(write));
}

void RunState::not_started(StartId id, std::string failure, bool no_retry, Duration now) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    EndWrite write = end_of(found->second, now);
    running_.erase(found);
    std::erase_if(unwritten_starts_, [&](const AttemptId& name) {
        return name.stage == write.event.stage && name.idx == write.event.idx;
    });
    write.event.failure = std::move(failure);
    write.word.cause = stopping() ? Cause::interrupted : Cause::failed;
    write.no_retry = no_retry;
    ends_.push_back(std::move(write));
}

EndWrite RunState::end_of(const Running& attempt, Duration now) const {
    EndWrite write;
    write.event.stage = attempt.stage;
    write.event.idx = attempt.idx;
    write.event.max_attempts = attempt.max_attempts;
    write.event.elapsed = now - attempt.started;
    write.word.identity = settings_.holder;
    return write;
}

std::string RunState::timeout_text(const Running& attempt) {
    return "timed out after " + format_duration(attempt.timeout.value_or(Duration::zero()));
}

std::string RunState::silence_text(const Running& attempt) {
    return "no output for " + format_duration(attempt.silence.value_or(Duration::zero()));
}

void RunState::heard(StartId id, Duration at) {
    if (const auto found = running_.find(id); found != running_.end())
        found->second.heard = std::max(found->second.heard, at);
}

std::string RunState::interruption() const {
    if (signal_ != 0) return "interrupted by " + signal_text(signal_);
    if (phase_ == RunPhase::timed_out)
        return "interrupted: the clean-up timed out after " + format_duration(settings_.cleanup_timeout);
    return "interrupted";
}

// -------------------------------------------------------------------------------- what the store said

/// The job that is over; the store has answered.
StoreJob RunState::job_done(Duration now) {
    store_seen_at_ = now;
    return std::exchange(job_, StoreJob::none);
}

void RunState::beaten(Duration now) {
    job_done(now);
    lock_failures_ = 0;
    beaten_at_ = now;
}

void RunState::looked(WorkPlan plan, Duration now) {
    job_done(now);
    lock_failures_ = 0;
    if (plan.version != plan_.version) inspect_ = true;
    see_plan(std::move(plan));
}

void RunState::see_plan(WorkPlan plan) {
    if (plan.version != plan_.version) {
        claim_ = true;
        outlook_ = Outlook::unknown;
    }
    plan_ = std::move(plan);
}

void RunState::batch_committed(WriteResult result, Duration now) {
    job_done(now);
    lock_failures_ = batch_failures_ = 0;
    commit_delay_.write_took(now - batch_began_);
    Batch batch = std::exchange(batch_, {});
    // Our own write is one version. The claim in it saw what others wrote before.
    const bool wrote = !batch.ends.empty() || !batch.marks.empty() || !batch.started.empty() ||
                       !batch.given_back.empty() || !result.claimed.empty() || !result.advanced.empty();
    if (result.plan.version - plan_.version > (wrote ? 1 : 0)) inspect_ = true;
    // Which of ours are to end is known when they are looked at, which is at once.
    if (!batch.cancel.empty()) {
        inspect_ = claim_ = true;
        inspected_at_ = now - settings_.watch_interval;
    }
    if (result.plan.version != plan_.version || (batch.claim > 0 && result.claimed.empty()))
        outlook_ = Outlook::unknown;
    plan_ = result.plan;
    const std::int32_t asked = batch.claim + batch.claim_ahead;
    if (asked == 0) {
        claim_ = claim_ || !batch.ends.empty();
    } else if (result.claimed.size() == static_cast<std::size_t>(asked)) {
        claim_ = true;
    }
    if (result.next_ready_in) {
        const Duration at = now + std::max(*result.next_ready_in, Duration::zero());
        ready_at_ = ready_at_ ? std::min(*ready_at_, at) : at;
    }
    learn_ends(batch.ends, result.ended);
    report_batch(batch, result);
    for (ClaimedAttempt& claimed : result.claimed) take(std::move(claimed), now);
}

void RunState::take(ClaimedAttempt attempt, Duration now) {
    const std::vector<Attempt>& attempts = attempt.stage.attempts;
    const bool starts_later = !attempts.empty() && attempts.back().state == AttemptState::scheduled;
    if (!starts_later) return hold(std::move(attempt), now);
    ahead_.push_back({std::move(attempt), now});
}

void RunState::adopt(ClaimedAttempt attempt, Duration now) {
    const Attempt& current = attempt.stage.attempts.back();
    if (current.state == AttemptState::scheduled)
        unwritten_starts_.push_back({attempt.stage.id, attempt.idx});
    hold(std::move(attempt), now);
}

void RunState::hold(ClaimedAttempt attempt, Duration now) {
    const Stage& stage = attempt.stage;
    // While it held nothing it had no need to beat. Now a beat may be due, but it is not late.
    if (running_.empty()) beaten_at_ = std::max(beaten_at_, now - settings_.lost_after / 6);
    const StartId id{++last_id_};
    running_[id] = {stage.id, attempt.idx, stage.retry.max_retries + 1, stage.timeout, stage.silence,
                    now,      now};
    if (attempt.idx > 1) ++retried_;
    to_start_.push_back({id, std::move(attempt)});
}

void RunState::report_batch(const Batch& batch, const WriteResult& result) {
    for (const EndWrite& end : batch.ends) {
        judge_end(end.event);
        report_end(end.event);
    }
    for (const Advance& advance : result.advanced) {
        if (advance.to != State::final || !advance.outcome) continue;
        if (!is_selected(selection_.get(), advance.node)) continue;
        news_.emplace_back(FinalNode{advance.node, *advance.outcome});
        if (settings_.fail_fast > 0 && *advance.outcome == Outcome::failed) judge_ = true;
    }
    for (const std::string& warning : result.warnings) news_.emplace_back("warning: " + warning);
}

void RunState::judge_end(const StageEnd& event) {
    if (event.failure && !event.retry_in && settings_.fail_fast > 0) judge_ = true;
}

void RunState::judge_failures(std::size_t failures, Duration now) {
    if (settings_.fail_fast == 0 || failures < settings_.fail_fast) return;
    cancel(failures == 1 ? "a stage or check failed" : fmt::format("{} stages or checks failed", failures),
           now);
}

void RunState::report_end(StageEnd event) {
    std::string incomplete;
    if (event.log_error != 0)
        incomplete = fmt::format("stage:{}: its log is incomplete: {}", event.stage,
                                 std::generic_category().message(event.log_error));
    news_.emplace_back(std::move(event));
    if (!incomplete.empty()) news_.emplace_back(std::move(incomplete));
}

// ------------------------------------------------------------------------------- what a look found

void RunState::inspected(Inspection found, Duration now) {
    job_done(now);
    lock_failures_ = 0;
    inspected_at_ = now;
    see_plan(std::move(found.plan));
    if (found.selection) {
        // What a stage has written may be ready, and of no interest when we last claimed.
        if (selection_ && selection_->ids.size() != found.selection->ids.size()) claim_ = true;
        selection_ = found.selection;
    }
    inspect_running(found);
    inspect_ahead(found);
    inspect_ends(found);
    judge_failures(found.failures, now);
    if (found.work_later && !ready_at_ && !claim_) ready_at_ = now + kSoon;
    if (found.runner_died && death_seen_at_version_ != plan_.version) {
        death_seen_at_version_ = plan_.version;
        tick_ = claim_ = true;
    }
    if (!holds_nothing()) return;
    outlook_ = found.others_work ? Outlook::others : found.work_later ? Outlook::later : Outlook::nothing;
}

/// The attempt as it was found, if it is this run's; else null.
const Attempt* RunState::held_attempt(const Inspection& found, const std::string& stage,
                                      std::int32_t idx) const {
    const auto at = found.current.find(stage);
    if (at == found.current.end() || at->second.idx != idx) return nullptr;
    return at->second.process_uid == settings_.process_uid ? &at->second : nullptr;
}

/// Stops what was taken from this run, or what somebody wants to be stopped.
void RunState::inspect_running(const Inspection& found) {
    for (auto& [id, running] : running_) {
        const Attempt* attempt = held_attempt(found, running.stage, running.idx);
        const bool ours = attempt != nullptr && !is_ended(attempt->state);
        const bool asked = ours && attempt->stopping && !attempt->stopping->from_inside;
        if ((ours && !asked) || running.stopped == StopReason::disowned) continue;
        if (ours && running.stopped != StopReason::none) continue;
        running.stopped = ours ? StopReason::asked : StopReason::disowned;
        stop_.push_back(id);
        if (ours) continue;
        std::erase_if(unwritten_starts_,
                      [&, stage = running.stage](const AttemptId& name) { return name.stage == stage; });
    }
}

/// Forgets what was claimed ahead and is this run's no more.
void RunState::inspect_ahead(const Inspection& found) {
    const auto lost = [&](const std::string& stage, std::int32_t idx) {
        const Attempt* attempt = held_attempt(found, stage, idx);
        return attempt == nullptr || is_ended(attempt->state);
    };
    std::erase_if(ahead_,
                  [&](const Ahead& ahead) { return lost(ahead.attempt.stage.id, ahead.attempt.idx); });
    std::erase_if(given_back_, [&](const AttemptId& name) { return lost(name.stage, name.idx); });
}

/// Drops the ends that another writer has written.
void RunState::inspect_ends(const Inspection& found) {
    std::vector<EndWrite> open;
    for (EndWrite& end : ends_) {
        const Attempt* attempt = held_attempt(found, end.event.stage, end.event.idx);
        if (attempt != nullptr && !is_ended(attempt->state)) {
            open.push_back(std::move(end));
            continue;
        }
        if (attempt != nullptr && attempt->state == AttemptState::complete) end.event.failure.reset();
        judge_end(end.event);
        report_end(std::move(end.event));
        claim_ = true;
    }
    ends_ = std::move(open);
}

// ----------------------------------------------------------------------------------------- failures

void RunState::take_batch_back() {
    Batch batch = std::exchange(batch_, {});
    ends_.insert(ends_.begin(), std::make_move_iterator(batch.ends.begin()),
                 std::make_move_iterator(batch.ends.end()));
    const auto take_back_of_running = [this](auto& to, auto& from) {
        for (auto& item : from) {
            const bool runs = std::any_of(running_.begin(), running_.end(), [&](const auto& entry) {
                return entry.second.stage == item.stage && entry.second.idx == item.idx;
            });
            if (runs) to.push_back(std::move(item));
        }
    };
    take_back_of_running(marks_, batch.marks);
    take_back_of_running(unwritten_starts_, batch.started);
    given_back_.insert(given_back_.end(), std::make_move_iterator(batch.given_back.begin()),
                       std::make_move_iterator(batch.given_back.end()));
    claim_ = claim_ || batch.claim + batch.claim_ahead > 0;
    tick_ = tick_ || batch.tick;
    if (cancel_.empty()) cancel_ = std::move(batch.cancel);
}

void RunState::job_broken(std::exception_ptr reason, Duration now) {
    if (job_done(now) == StoreJob::batch) take_batch_back();
    give_up(std::move(reason));
}

bool RunState::must_tell_ends() const {
    return !settings_.beats && !ends_.empty() && phase_ < RunPhase::draining;
}

void RunState::job_failed(const Error& error, std::exception_ptr reason, Duration now) {
    const StoreJob job = job_done(now);
    if (job == StoreJob::batch) take_batch_back();
    if (job == StoreJob::look || job == StoreJob::inspect) inspect_ = true;
    const bool may_pass = error.code() == ErrorCode::locked || error.reason() == kReasonConnectionLost;
    switch (may_pass ? ErrorCode::locked : error.code()) {
        case ErrorCode::locked:
            if (phase_ == RunPhase::killed) {
                // The next run finds that this one is gone, and carries on.
                news_.emplace_back(fmt::format("{}: what ended last is not recorded", error.what()));
                ends_.clear();
                given_back_.clear();
                return;
            }
            if (++lock_failures_ < kMaxLockFailures || !running_.empty() || must_tell_ends()) {
                news_.emplace_back(fmt::format("{}; trying again", error.what()));
                retry_at_ = now + kLockRetry;
                return;
            }
            break;
        case ErrorCode::invalid_state:
        case ErrorCode::conflict:
            // Some attempt was ended by another writer. Find out which, and write the others again.
            if (job == StoreJob::batch && ++batch_failures_ < kMaxBatchFailures) {
                inspect_ = true;
                return;
            }
            break;
        default:
            break;
    }
    if (!running_.empty()) news_.emplace_back(fmt::format("{}; ending what runs", error.what()));
    give_up(std::move(reason));
}

}  // namespace turboci
