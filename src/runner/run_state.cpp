// SPDX-License-Identifier: Apache-2.0
// What a run does next. What events mean is in run_state_events.cpp.
#include "runner/run_state.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "os/signals.hpp"

namespace turboci {

namespace {

constexpr Duration kTickInterval = std::chrono::seconds(2);
/// Commands that take longer gain nothing by being claimed ahead: a commit is a small part of their time.
constexpr Duration kShortCommand = std::chrono::milliseconds(100);
/// What was not started by then is given back. Other runners need not be known: an idle one asks again each
/// second, so it waits two seconds at most for what this run does not get to.
constexpr Duration kLongestAhead = std::chrono::seconds(1);

}  // namespace

RunState::RunState(RunSettings settings, WorkPlan plan, std::shared_ptr<const Selection> selection,
                   Duration now)
    : settings_(std::move(settings)),
      plan_(std::move(plan)),
      selection_(std::move(selection)),
      began_(now),
      store_seen_at_(now),
      inspected_at_(now),
      beaten_at_(now) {}

RunActions RunState::next(Duration now) {
    RunActions actions;
    pass_time(now);
    give_back_ahead(now);
    start_ahead(now);
    start_claimed(now, actions);
    delay_until_ = commit_delay(now);
    if (const StoreJob job = choose_job(now); job != StoreJob::none) begin_job(job, now, actions);
    actions.stop = std::exchange(stop_, {});
    actions.kill = std::exchange(kill_, {});
    actions.news = std::exchange(news_, {});
    if (is_over()) {
        advance_to(RunPhase::finished);
    } else {
        actions.wait_until = wait_until();
    }
    return actions;
}

void RunState::advance_to(RunPhase phase) { phase_ = std::max(phase_, phase); }

void RunState::stop_all(StopReason why, bool at_once) {
    for (auto& [id, running] : running_) {
        if (running.stopped == StopReason::none) running.stopped = why;
        (at_once ? kill_ : stop_).push_back(id);
    }
}

void RunState::pass_time(Duration now) {
    if (settings_.timeout && phase_ == RunPhase::running && now >= began_ + *settings_.timeout)
        cancel(fmt::format("the run timed out after {}", format_duration(*settings_.timeout)), now);
    if (phase_ == RunPhase::cleaning_up && now >= cleaned_up_by_) end_cleaning_up();
    end_late_commands(now);
    // Where nobody can look for this process, others take it for gone soon.
    if (!running_.empty() && !stopping() && now >= beaten_at_ + settings_.lost_after * 2 / 3) {
        constexpr const char* kSilent = "the store could not be written for too long";
        news_.emplace_back(fmt::format("{}; ending what runs", kSilent));
        give_up(std::make_exception_ptr(Error(ErrorCode::locked, kSilent)));
    }
    if (ready_at_ && now >= *ready_at_) {
        ready_at_.reset();
        claim_ = true;
    }
    if (retry_at_ && now >= *retry_at_) retry_at_.reset();
}

/// Commands that run, or are silent, for longer than their stages allow.
void RunState::end_late_commands(Duration now) {
    for (auto& [id, running] : running_) {
        if (running.stopped != StopReason::none) continue;
        const bool late = running.timeout && now >= running.started + *running.timeout;
        const bool silent = running.silence && now >= running.heard + *running.silence;
        if (!late && !silent) continue;
        running.stopped = late ? StopReason::timed_out : StopReason::silent;
        stop_.push_back(id);
        marks_.push_back({running.stage, running.idx, late ? Cause::timeout : Cause::silent,
                          late ? timeout_text(running) : silence_text(running)});
    }
}

/// Cancels what was selected. What runs is ended when the store says that it is to: what cleans up goes on.
void RunState::cancel(std::string why, Duration now) {
    if (phase_ != RunPhase::running) return;
    advance_to(RunPhase::cleaning_up);
    cleaned_up_by_ = now + settings_.cleanup_timeout;
    news_.emplace_back(why + ": cancelling what is left");
    cancel_ = std::move(why);
    for (const Ahead& ahead : std::exchange(ahead_, {}))
        given_back_.push_back({ahead.attempt.stage.id, ahead.attempt.idx});
}

void RunState::end_cleaning_up() {
    advance_to(RunPhase::timed_out);
    cancel_ = "the clean-up timed out after " + format_duration(settings_.cleanup_timeout);
    cancel_all_ = true;
    news_.emplace_back(cancel_);
    stop_all(StopReason::cancelled, false);
}

/// What a stopping run has claimed ends unstarted.
void RunState::start_claimed(Duration now, RunActions& actions) {
    for (RunActions::Start& start : std::exchange(to_start_, {})) {
        if (!stopping()) {
            actions.start.push_back(std::move(start));
        } else {
            not_started(start.id, interruption(), false, now);
        }
    }
}

std::size_t RunState::free_slots() const { return settings_.jobs - std::min(settings_.jobs, used_slots()); }

std::size_t RunState::used_slots() const noexcept {
    const std::size_t promised = job_ == StoreJob::batch ? static_cast<std::size_t>(batch_.claim) : 0;
    return running_.size() + promised;
}

bool RunState::idle() const {
    return job_ == StoreJob::none && holds_nothing() && news_.empty() &&
           (!claim_ || free_slots() == 0 || phase_ >= RunPhase::draining);
}

void RunState::start_ahead(Duration now) {
    while (phase_ == RunPhase::running && !ahead_.empty() && free_slots() > 0) {
        ClaimedAttempt attempt = std::move(ahead_.front().attempt);
        ahead_.pop_front();
        unwritten_starts_.push_back({attempt.stage.id, attempt.idx});
        hold(std::move(attempt), now);
    }
}

void RunState::give_back_ahead(Duration now) {
    while (!ahead_.empty() && (stopping() || now >= ahead_.front().since + kLongestAhead)) {
        const ClaimedAttempt& attempt = ahead_.front().attempt;
        given_back_.push_back({attempt.stage.id, attempt.idx});
        ahead_.pop_front();
    }
}

/// As many as there are slots, while commands are short. Under --fail-fast nothing may start before the ends
/// of those before it are in the store.
std::int32_t RunState::wanted_ahead() const {
    const std::optional<Duration> command = commit_delay_.typical_command();
    if (!settings_.claims_ahead || phase_ != RunPhase::running || settings_.fail_fast > 0 || !command ||
        *command > kShortCommand)
        return 0;
    if ((!claim_ && ends_.empty()) || !given_back_.empty()) return 0;
    return static_cast<std::int32_t>(settings_.jobs - std::min(settings_.jobs, ahead_.size()));
}

/// Until when what has ended is not written, because more is about to end; absent: write it.
std::optional<Duration> RunState::commit_delay(Duration now) {
    if (ends_.empty() || job_ != StoreJob::none || stopping() || retry_at_ || batch_failures_ > 0) {
        commit_delay_.release();
        return std::nullopt;
    }
    for (const auto& [id, running] : running_) commit_delay_.running_since(running.started, now);
    const std::optional<Duration> until = commit_delay_.held_until(now);
    if (!until) commit_delay_.release();
    return until;
}

StoreJob RunState::choose_job(Duration now) {
    if (job_ != StoreJob::none || delay_until_ || retry_at_ || phase_ >= RunPhase::broken)
        return StoreJob::none;
    const bool idle = running_.empty();
    // Some attempt was ended by another writer: find out which before the others are written again.
    const bool reconcile = inspect_ && batch_failures_ > 0;
    const bool watch_due = now >= store_seen_at_ + settings_.watch_interval;
    if (must_beat(now)) return StoreJob::beat;
    if (judge_ && ends_.empty() && cancel_.empty()) return StoreJob::inspect;
    if (!reconcile && (wants_claim() || has_to_write())) return StoreJob::batch;
    if (inspect_ && (reconcile || idle || now >= inspected_at_ + settings_.watch_interval))
        return StoreJob::inspect;
    if (stopping()) return watch_due && !idle ? StoreJob::look : StoreJob::none;
    if (idle && outlook_ == Outlook::unknown) return StoreJob::inspect;
    if (!watch_due) return StoreJob::none;
    // Only a tick finds out that another runner has died.
    if (idle ? outlook_ == Outlook::others : free_slots() > 0 && now >= ticked_at_ + kTickInterval) {
        tick_ = claim_ = true;
        return StoreJob::batch;
    }
    return idle ? StoreJob::none : StoreJob::look;
}

void RunState::begin_job(StoreJob job, Duration now, RunActions& actions) {
    job_ = actions.job = job;
    if (job == StoreJob::batch) fill_batch(now);
    if (job != StoreJob::inspect) return;
    inspect_ = false;
    actions.judge = std::exchange(judge_, false);
    for (const auto& [id, running] : running_) actions.inspect.push_back(running.stage);
    for (const Ahead& ahead : ahead_) actions.inspect.push_back(ahead.attempt.stage.id);
    for (const AttemptId& name : given_back_) actions.inspect.push_back(name.stage);
    for (const EndWrite& end : ends_) actions.inspect.push_back(end.event.stage);
}

void RunState::fill_batch(Duration now) {
    batch_began_ = now;
    Batch batch;
    if (wants_claim()) batch.claim = static_cast<std::int32_t>(free_slots());
    batch.claim_ahead = wanted_ahead();
    batch.ends = std::exchange(ends_, {});
    batch.marks = std::exchange(marks_, {});
    batch.started = std::exchange(unwritten_starts_, {});
    batch.given_back = std::exchange(given_back_, {});
    batch.selection = selection_;
    batch.cancel = std::exchange(cancel_, {});
    batch.cancel_all = cancel_all_;
    batch.tick = std::exchange(tick_, false);
    if (batch.tick) ticked_at_ = now;
    if (batch.claim + batch.claim_ahead > 0) claim_ = false;
    batch_ = std::move(batch);
}

Batch RunState::unwritten() const {
    Batch batch;
    batch.ends = ends_;
    batch.given_back = given_back_;
    return batch;
}

/// Something must reach the store, be it claimed with or not.
bool RunState::has_to_write() const {
    return !ends_.empty() || !marks_.empty() || !unwritten_starts_.empty() || !given_back_.empty() ||
           !cancel_.empty();
}

bool RunState::holds_nothing() const {
    return running_.empty() && ahead_.empty() && given_back_.empty() && ends_.empty() && cancel_.empty();
}

bool RunState::wants_claim() const {
    if (phase_ >= RunPhase::draining || free_slots() == 0 || judge_) return false;
    // Under --fail-fast an end that is not yet in the store must not start anything: it may be a failure.
    return ends_.empty() ? claim_ : settings_.fail_fast == 0;
}

bool RunState::must_beat(Duration now) const {
    return settings_.beats && !running_.empty() && phase_ < RunPhase::killed &&
           now >= beaten_at_ + settings_.lost_after / 6;
}

bool RunState::is_over() const {
    if (job_ != StoreJob::none || !running_.empty() || judge_) return false;
    if (phase_ >= RunPhase::broken) return true;
    if (!holds_nothing()) return false;
    return phase_ >= RunPhase::draining || (outlook_ == Outlook::nothing && !claim_);
}

std::optional<Duration> RunState::wait_until() const {
    std::optional<Duration> first;
    const auto until = [&first](Duration moment) { first = first ? std::min(*first, moment) : moment; };
    if (delay_until_) until(*delay_until_);
    if (settings_.timeout && phase_ == RunPhase::running) until(began_ + *settings_.timeout);
    if (phase_ == RunPhase::cleaning_up) until(cleaned_up_by_);
    for (const auto& [id, running] : running_) {
        if (running.stopped != StopReason::none) continue;
        if (running.timeout) until(running.started + *running.timeout);
        if (running.silence) until(running.heard + *running.silence);
    }
    if (!ahead_.empty()) until(ahead_.front().since + kLongestAhead);
    // What needs the store comes when it is free again.
    if (job_ != StoreJob::none) return first;
    if (retry_at_) {
        until(*retry_at_);
        return first;
    }
    if (!running_.empty()) until(beaten_at_ + settings_.lost_after * (settings_.beats ? 1 : 4) / 6);
    if (ready_at_ && !stopping() && free_slots() > 0) until(*ready_at_);
    if (inspect_) until(inspected_at_ + settings_.watch_interval);
    if (!running_.empty() || outlook_ == Outlook::others) until(store_seen_at_ + settings_.watch_interval);
    return first;
}

RunProgress RunState::progress(Duration now) const {
    RunProgress progress;
    const PlanTotals all = selection_ ? selection_->totals : totals(plan_);
    progress.total = all.stages;
    progress.done = all.final_stages;
    progress.failed = all.failed_stages + all.cancelled_stages;
    progress.elapsed = now - began_;
    progress.running.reserve(running_.size());
    for (const auto& [id, running] : running_)
        progress.running.push_back({running.stage, now - running.started});
    std::sort(progress.running.begin(), progress.running.end(), [](const auto& a, const auto& b) {
        return a.elapsed != b.elapsed ? a.elapsed > b.elapsed : a.stage < b.stage;
    });
    return progress;
}

}  // namespace turboci
