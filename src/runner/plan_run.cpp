// SPDX-License-Identifier: Apache-2.0
#include "runner/plan_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "runner/run_listener.hpp"
#include "runner/selection.hpp"

namespace turboci {

namespace {

RunSettings settings_of(const RunOptions& options, const RunStore& store) {
    RunSettings settings;
    settings.jobs = static_cast<std::size_t>(std::max(options.jobs, 1));
    settings.fail_fast = options.fail_fast;
    settings.timeout = options.timeout;
    settings.cleanup_timeout = options.cleanup_timeout;
    settings.cancel_on_signal = options.cancel_on_signal;
    settings.watch_interval = options.watch_interval;
    settings.lost_after = options.lost_after;
    settings.beats = options.beats;
    settings.claims_ahead = options.ahead;
    settings.holder = store.holder();
    settings.process_uid = store.process_uid();
    return settings;
}

}  // namespace

PlanRun::PlanRun(Service& service, CommandRunner& runner, const Clock& clock, RunListener& listener,
                 RunOptions options, WorkPlan plan, std::mutex* turn)
    : service_(service),
      runner_(runner),
      clock_(clock),
      listener_(listener),
      options_(std::move(options)),
      turn_(turn),
      commands_(options_.store, options_.plan, options_.environment, options_.exec_space),
      plan_identity_(plan.identity) {
    store_.emplace(service_, options_, plan, commands_);
    std::shared_ptr<const Selection> selection;
    if (!options_.refs.empty()) selection = select_nodes(service_, options_.plan, options_.refs);
    totals_before_ = selection ? selection->totals : totals(plan);
    if (options_.ship_logs) shipper_.emplace(service_);
    state_.emplace(settings_of(options_, *store_), std::move(plan), std::move(selection), now());
    thread_ = std::make_unique<StoreThread>([this] { runner_.notify(); }, options_.threaded);
}

PlanRun::Step PlanRun::step() {
    listen();
    RunActions actions = state_->next(now());
    const bool all_started = carry_out(actions);
    return {!all_started, actions.wait_until};
}

std::unique_lock<std::mutex> PlanRun::take_turn() const {
    return turn_ != nullptr ? std::unique_lock(*turn_) : std::unique_lock<std::mutex>();
}

void PlanRun::close() {
    thread_.reset();
    const auto turn = take_turn();
    ship_what_is_left();
    if (options_.holder.empty()) store_->end_beats();
    if (state_->error()) write_what_is_left();
}

/// Ends are written even if what was printed last could not be sent with them.
void PlanRun::ship_what_is_left() {
    constexpr int kTries = 3;
    if (!shipper_) return;
    for (int tries = 0; tries < kTries && (tries == 0 || shipper_->has_unsent()); ++tries) shipper_->send();
    if (shipper_->has_unsent())
        listener_.on_note("the store did not take all that was printed; the rest is in the logs here");
}

/// The commands have ended; if the store takes it after all, nobody need find that out later.
void PlanRun::write_what_is_left() {
    const Batch last = state_->unwritten();
    if (last.ends.empty() && last.given_back.empty()) return;
    try {
        static_cast<void>(store_->write(last));
    } catch (const Error&) {
        // What the run ends with is the reason for this one too.
    }
}

/// When the commands that must not be silent wrote something.
void PlanRun::listen() {
    for (const Process& process : processes_)
        if (process.listened_to) state_->heard(process.id, now() - process.log->quiet_for());
}

/// False if something could not be started: there is something new to decide.
bool PlanRun::carry_out(RunActions& actions) {
    const auto each = [this](const std::vector<StartId>& ids, void (CommandRunner::*end)(CommandId)) {
        for (const Process& process : processes_)
            if (std::find(ids.begin(), ids.end(), process.id) != ids.end()) (runner_.*end)(process.command);
    };
    if (!actions.stop.empty()) each(actions.stop, &CommandRunner::stop);
    if (!actions.kill.empty()) each(actions.kill, &CommandRunner::kill);
    std::vector<std::string> notes;
    std::vector<StageStart> started;  // with the batch that is over
    if (job_ == StoreJob::none) {
        notes = store_->take_notes();
        started = std::exchange(started_, {});
    }
    if (actions.job != StoreJob::none) begin_job(actions);
    bool all_started = true;
    const std::size_t first = processes_.size();
    for (const RunActions::Start& next : actions.start) all_started = start(next) && all_started;
    for (std::size_t i = first; i < processes_.size(); ++i) processes_[i].log->make();
    for (const std::string& note : notes) listener_.on_note(note);
    tell(actions.news);
    for (const StageStart& start : started) listener_.on_start(start);
    // While ends are being written, what started in their slots is told after them.
    if (job_ != StoreJob::batch)
        for (const StageStart& start : std::exchange(started_, {})) listener_.on_start(start);
    listener_.on_progress(state_->progress(now()));
    return all_started;
}

/// What has ended goes on its way before anything is started: the disk works while the next commands start.
void PlanRun::begin_job(const RunActions& actions) {
    job_ = actions.job;
    std::function<void()> job;
    switch (actions.job) {
        case StoreJob::batch:
            job = [this] { written_ = store_->write(state_->batch()); };
            break;
        case StoreJob::look:
            job = [this] { seen_ = store_->look(); };
            break;
        case StoreJob::inspect:
            job = [this, stages = actions.inspect, judge = actions.judge] {
                inspection_ = store_->inspect(stages, judge);
            };
            break;
        case StoreJob::beat:
            job = [this] { store_->beat(); };
            break;
        case StoreJob::none:
            return;
    }
    if (shipper_) shipper_->collect();
    if (shipper_ || turn_ != nullptr)
        job = [this, job] {
            const auto turn = take_turn();
            if (shipper_) shipper_->send();
            job();
        };
    // Where nothing runs that would have to be looked after, this thread does it, unless the store, or
    // another run, keeps it waiting.
    const bool here = turn_ == nullptr && !shipper_ && job_ == StoreJob::batch && options_.threaded &&
                      processes_.empty() && actions.start.empty();
    if (!here) return thread_->submit(std::move(job));
    retry_ = std::move(job);
    thread_->do_here([this] { written_ = store_->write_at_once(state_->batch()); });
}

bool PlanRun::start(const RunActions::Start& start) {
    const Stage& stage = start.attempt.stage;
    const std::int32_t idx = start.attempt.idx;
    const auto refuse = [&](const std::string& why, bool no_retry) {
        state_->not_started(start.id, why, no_retry, now());
        return false;
    };
    auto parsed = parse_stage_command(stage.args);
    if (const auto* problem = std::get_if<std::string>(&parsed)) return refuse(*problem, true);
    std::shared_ptr<AttemptLog> log;
    try {
        if (!logs_)
            logs_ = std::make_unique<LogDirectory>(options_.store_path, options_.plan, plan_identity_);
        log = logs_->log_of(stage.id, idx, options_.log_limit);
    } catch (const Error& error) {
        refuse(error.what(), false);
        state_->give_up(std::current_exception());
        return false;
    }
    Command command = commands_.command(std::get<StageCommand>(parsed), stage.id, idx, start.attempt.token);
    std::shared_ptr<LogShipper::Feed> feed;
    if (shipper_) feed = shipper_->feed(start.attempt.token, log);
    command.output = feed ? std::shared_ptr<OutputSink>(feed) : log;
    processes_.push_back({start.id, runner_.start(command), log, feed, stage.silence.has_value()});
    started_.push_back({stage.id, idx, stage.retry.max_retries + 1, log->path()});
    return true;
}

void PlanRun::tell(const std::vector<News>& news) {
    for (const News& item : news) {
        if (const auto* note = std::get_if<std::string>(&item)) listener_.on_note(*note);
        if (const auto* end = std::get_if<StageEnd>(&item)) listener_.on_end(*end);
        if (const auto* node = std::get_if<FinalNode>(&item)) listener_.on_final(node->node, node->outcome);
    }
}

bool PlanRun::handle_end(const CommandEnd& end) {
    const auto found = std::find_if(processes_.begin(), processes_.end(),
                                    [&](const Process& process) { return process.command == end.id; });
    if (found == processes_.end()) return false;
    AttemptLog& log = *found->log;
    log.finish();
    const LogPlace place = found->feed ? shipper_->end(*found->feed) : LogPlace{log.relative_path(), 0, 0};
    state_->command_ended(found->id, end, {log.tail(), log.path(), place, log.error()}, now());
    processes_.erase(found);
    return true;
}

void PlanRun::finish_job() {
    if (!thread_->done()) return;
    const StoreJob job = std::exchange(job_, StoreJob::none);
    const std::function<void()> retry = std::exchange(retry_, nullptr);
    try {
        thread_->finish();
    } catch (const Error& error) {
        if (retry && error.code() == ErrorCode::locked && state_->phase() != RunPhase::killed) {
            job_ = job;
            return thread_->submit(retry);
        }
        return state_->job_failed(error, std::current_exception(), now());
    } catch (...) {
        return state_->job_broken(std::current_exception(), now());
    }
    switch (job) {
        case StoreJob::batch:
            return state_->batch_committed(std::move(written_), now());
        case StoreJob::look:
            return state_->looked(std::move(seen_), now());
        case StoreJob::inspect:
            return state_->inspected(std::move(inspection_), now());
        case StoreJob::beat:
            return state_->beaten(now());
        case StoreJob::none:
            break;
    }
}

}  // namespace turboci
