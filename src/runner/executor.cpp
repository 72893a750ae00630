// SPDX-License-Identifier: Apache-2.0
#include "runner/executor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "os/leftovers.hpp"
#include "os/process_identity.hpp"
#include "os/signals.hpp"
#include "runner/stage_command.hpp"

namespace turboci {

namespace {

constexpr Duration kSettle = std::chrono::seconds(5);

}  // namespace

Executor::Executor(Endpoint& endpoint, CommandRunner& runner, const Clock& clock, RunListener& listener,
                   RunOptions options)
    : endpoint_(endpoint),
      runner_(runner),
      clock_(clock),
      listener_(listener),
      options_(std::move(options)),
      me_(this_runner()),
      uid_(runner_process_uid(me_)),
      holder_(new_identity()),
      within_(environment_value(options_.environment, kWithinVariable)) {
    options_.jobs = std::max(options_.jobs, 1);
}

PlanTotals Executor::current_totals() const { return selection_ ? selection_->totals : totals(plan_); }

void Executor::prepare() {
    began_ = now();
    plan_ = endpoint_.get_plan(options_.plan);
    options_.plan = plan_.id;
    plan_identity_ = plan_.identity;
    commands_.emplace(options_.store_path, options_.plan, options_.environment, options_.exec_space);
    if (!options_.refs.empty()) selection_ = select_nodes(endpoint_, options_.plan, options_.refs);
    totals_before_ = current_totals();
    if (const std::size_t count = kill_leftovers(options_.store_path); count > 0) {
        listener_.on_note(fmt::format("ended {} {} that a killed run had left behind", count,
                                      count == 1 ? "process" : "processes"));
    }
    looked_at_ = inspected_at_ = beaten_at_ = began_;
    store_thread_ = std::make_unique<StoreThread>([this] { runner_.notify(); }, options_.threaded);
}

RunReport Executor::run() {
    prepare();
    loop();
    store_thread_.reset();
    if (has_beaten_) {
        try {
            endpoint_.end_beats(holder_);
        } catch (const Error&) {
            // Nobody is misled by a last sign of life: it grows old.
        }
    }
    summary_.survivors = runner_.settle(kSettle);
    if (fatal_) {
        // The commands have ended; if the store takes it after all, nobody need find that out later.
        try {
            if (!ended_.empty()) {
                Batch last;
                last.ended = ended_;
                static_cast<void>(endpoint_.write_nodes(make_request(last, false)));
            }
        } catch (const Error&) {
            // What fatal_ says is the reason for this one too.
        }
        std::rethrow_exception(fatal_);
    }
    RunReport report = make_report();
    listener_.on_summary(report.summary);
    return report;
}

void Executor::loop() {
    while (true) {
        // What has ended meanwhile goes on its way before anything else: the disk works while the next
        // commands start, and these run while their starts are told.
        const bool held = gather();
        if (!held && !ended_.empty()) submit();
        start_claimed();
        if (!held) submit();
        for (const auto& log : std::exchange(unmade_logs_, {})) log->make();
        report_batch();
        if (finished()) return;
        handle(runner_.wait(time_to_wait()));
    }
}

/// True if what has ended is not to be written yet, because more is about to end.
bool Executor::gather() {
    held_until_.reset();
    const bool may_wait = !stopping() && !retry_at_ && batch_failures_ == 0;
    if (ended_.empty() || store_thread_->busy() || !may_wait) {
        commit_delay_.release();
        return false;
    }
    const Duration at = now();
    for (const auto& [id, active] : active_) commit_delay_.running_since(active.started, at);
    for (std::size_t i = 0; i < claimed_.size(); ++i) commit_delay_.running_since(at, at);
    held_until_ = commit_delay_.held_until(at);
    if (!held_until_) commit_delay_.release();
    return held_until_.has_value();
}

bool Executor::finished() const {
    if (store_thread_->busy() || !active_.empty()) return false;
    if (fatal_) return true;
    if (!ended_.empty()) return false;
    if (stopping()) return true;
    return idle_checked_ && !may_claim_ && !others_work_ && !work_later_;
}

std::optional<Duration> Executor::time_to_wait() const {
    const Duration at = now();
    std::optional<Duration> least = listener_.refresh_interval();
    const auto until = [&](Duration moment) {
        const Duration left = std::max(moment - at, Duration::zero());
        if (!least || left < *least) least = left;
    };
    if (held_until_) until(*held_until_);
    if (options_.timeout && !stopping()) until(began_ + *options_.timeout);
    for (const auto& [id, active] : active_) {
        if (active.timeout && active.stopped == Stopped::no) until(active.started + *active.timeout);
    }
    // What needs the store comes when it is free again.
    if (store_thread_->busy()) return least;
    if (retry_at_) {
        until(*retry_at_);
        return least;
    }
    if (!active_.empty()) until(beaten_at_ + options_.lost_after / 6);
    if (ready_at_ && !stopping() && free_slots() > 0) until(*ready_at_);
    if (inspect_) until(inspected_at_ + options_.watch_interval);
    if (!active_.empty() || others_work_) until(looked_at_ + options_.watch_interval);
    return least;
}

void Executor::handle(const RunnerEvents& events) {
    for (const int number : events.signals) handle_signal(number);
    for (const CommandEnd& end : events.ended) handle_end(end);
    if (events.resized) listener_.on_resize();
    if (store_thread_->done()) handle_reply();
    check_times();
    report_progress();
}

void Executor::handle_signal(int number) {
    if (interrupted_by_ == 0) {
        interrupted_by_ = number;
        listener_.on_note(fmt::format("{}: ending {} running {}", signal_text(number), active_.size(),
                                      active_.size() == 1 ? "stage" : "stages"));
        stop_all(Stopped::interrupted, false);
    } else {
        at_once_ = true;
        if (options_.stop_waiting) options_.stop_waiting->store(true);
        stop_all(Stopped::interrupted, true);
    }
}

void Executor::stop_all(Stopped why, bool at_once) {
    for (auto& [id, active] : active_) {
        if (active.stopped == Stopped::no) active.stopped = why;
        if (at_once) {
            runner_.kill(CommandId{id});
        } else {
            runner_.stop(CommandId{id});
        }
    }
}

void Executor::give_up(std::exception_ptr reason) {
    if (!fatal_) fatal_ = std::move(reason);
    stop_all(Stopped::interrupted, false);
}

std::string Executor::interruption() const {
    if (interrupted_by_ != 0) return "interrupted by " + signal_text(interrupted_by_);
    if (out_of_time_) return "interrupted: the run timed out after " + format_duration(*options_.timeout);
    return "interrupted";
}

void Executor::handle_end(const CommandEnd& end) {
    const auto found = active_.find(static_cast<std::uint64_t>(end.id));
    if (found == active_.end()) return;
    const Active active = std::move(found->second);
    active_.erase(found);
    Ended ended;
    ended.event = describe_attempt(active);
    ended.word.identity = holder_;
    ended.word.signalled = active.stopped != Stopped::no;
    if (active.log) ended.word.log_path = active.log->relative_path();
    if (end.kind == CommandEnd::Kind::exited) ended.word.exit_code = end.value;
    if (end.kind == CommandEnd::Kind::signalled) ended.word.signal = end.value;
    if (!end.success()) ended.event.failure = turboci::describe(end);
    if (active.stopped == Stopped::timed_out) {
        ended.event.failure = timeout_text(active);
        ended.word.cause = Cause::timeout;
    } else if (active.stopped == Stopped::interrupted) {
        ended.event.failure = interruption();
        ended.word.cause = Cause::interrupted;
    }
    durations_[active.stage] += ended.event.elapsed;
    commit_delay_.command_took(ended.event.elapsed);
    if (active.stopped == Stopped::disowned) {
        ended.event.failure = "its attempt is held by another";
        judge_end(ended);
        report_end(ended);
        may_claim_ = true;
        idle_checked_ = false;
        return;
    }
    ended_.push_back(std::move(ended));
}

std::string Executor::timeout_text(const Active& active) {
    return "timed out after " + format_duration(active.timeout.value_or(Duration::zero()));
}

StageEnd Executor::describe_attempt(const Active& active) const {
    StageEnd event;
    event.stage = active.stage;
    event.idx = active.idx;
    event.max_attempts = active.retry.max_retries + 1;
    event.elapsed = now() - active.started;
    if (active.log) {
        active.log->finish();
        event.tail = active.log->tail();
        event.log_path = active.log->path();
        event.log_error = active.log->error();
    }
    return event;
}

void Executor::check_times() {
    const Duration at = now();
    if (options_.timeout && !stopping() && at >= began_ + *options_.timeout) {
        out_of_time_ = true;
        listener_.on_note(fmt::format("the run timed out after {}", format_duration(*options_.timeout)));
        stop_all(Stopped::interrupted, false);
    }
    for (auto& [id, active] : active_) {
        if (!active.timeout || active.stopped != Stopped::no || at < active.started + *active.timeout)
            continue;
        active.stopped = Stopped::timed_out;
        runner_.stop(CommandId{id});
    }
    // Where nobody can look for us, others take us for gone soon.
    if (!active_.empty() && !stopping() && at >= beaten_at_ + options_.lost_after * 2 / 3) {
        listener_.on_note("the store could not be written for too long; ending what runs");
        give_up(
            std::make_exception_ptr(Error(ErrorCode::locked, "the store could not be written for too long")));
    }
    if (ready_at_ && at >= *ready_at_) {
        ready_at_.reset();
        may_claim_ = true;
    }
    if (retry_at_ && at >= *retry_at_) retry_at_.reset();
}

void Executor::start_claimed() {
    for (const ClaimedAttempt& claimed : std::exchange(claimed_, {})) start(claimed);
}

void Executor::start(const ClaimedAttempt& claimed) {
    const Stage& stage = claimed.stage;
    Active active;
    active.stage = stage.id;
    active.idx = claimed.idx;
    active.retry = stage.retry;
    active.timeout = stage.timeout;
    active.started = now();
    if (claimed.idx > 1) ++summary_.retried;
    const auto refuse = [&](std::string failure, bool no_retry) {
        Ended ended;
        ended.no_retry = no_retry;
        ended.event = describe_attempt(active);
        ended.event.failure = std::move(failure);
        ended.word.identity = holder_;
        ended.word.cause = stopping() ? Cause::interrupted : Cause::failed;
        ended_.push_back(std::move(ended));
    };
    if (interrupted_by_ != 0 || out_of_time_ || fatal_) return refuse(interruption(), false);

    auto parsed = parse_stage_command(stage.args);
    if (const auto* problem = std::get_if<std::string>(&parsed)) return refuse(*problem, true);
    const StageCommand& wanted = std::get<StageCommand>(parsed);
    try {
        if (!logs_)
            logs_ = std::make_unique<LogDirectory>(options_.store_path, options_.plan, plan_identity_);
        active.log = logs_->log_of(stage.id, claimed.idx, options_.log_limit);
    } catch (const Error& error) {
        refuse(error.what(), false);
        give_up(std::current_exception());
        return;
    }
    Command command = commands_->command(wanted, stage.id, claimed.idx, claimed.token);
    command.output = active.log;
    const CommandId id = runner_.start(command);
    unmade_logs_.push_back(active.log);
    started_.push_back({active.stage, active.idx, active.retry.max_retries + 1, active.log->path()});
    active_.emplace(static_cast<std::uint64_t>(id), std::move(active));
}

/// What an end that is in the store means for what else may be started.
void Executor::judge_end(const Ended& ended) {
    if (ended.event.failure && !ended.event.retry_in && options_.fail_fast) failing_ = true;
}

void Executor::report_end(const Ended& ended) {
    const StageEnd& event = ended.event;
    listener_.on_end(event);
    if (event.log_error != 0) {
        listener_.on_note(fmt::format("stage:{}: its log is incomplete: {}", event.stage,
                                      std::generic_category().message(event.log_error)));
    }
}

void Executor::report_excess() {
    for (const auto& [stage, why] : std::exchange(excess_, {}))
        if (excess_told_.insert(stage).second)
            listener_.on_note(fmt::format("stage:{} cannot be executed here: {}", stage, why));
}

void Executor::report_batch() {
    if (!store_thread_->busy()) report_excess();
    const Batch told = std::exchange(told_, {});
    for (const Ended& ended : told.ended) report_end(ended);
    for (const Advance& advance : told.result.advanced) {
        if (advance.to != State::final || !advance.outcome) continue;
        if (is_selected(selection_.get(), advance.node)) listener_.on_final(advance.node, *advance.outcome);
    }
    for (const std::string& warning : told.result.warnings) listener_.on_note("warning: " + warning);
    for (const StageStart& start : std::exchange(started_, {})) listener_.on_start(start);
}

void Executor::report_progress() {
    const Duration at = now();
    RunProgress progress;
    const PlanTotals all = current_totals();
    progress.total = all.stages;
    progress.done = all.final_stages;
    progress.failed = all.failed_stages + all.cancelled_stages;
    progress.elapsed = at - began_;
    progress.running.reserve(active_.size());
    for (const auto& [id, active] : active_) progress.running.push_back({active.stage, at - active.started});
    std::sort(progress.running.begin(), progress.running.end(), [](const auto& a, const auto& b) {
        return a.elapsed != b.elapsed ? a.elapsed > b.elapsed : a.stage < b.stage;
    });
    listener_.on_progress(progress);
}

}  // namespace turboci
