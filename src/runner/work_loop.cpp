// SPDX-License-Identifier: Apache-2.0
#include "runner/work_loop.hpp"

#include <fmt/core.h>
#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "os/signals.hpp"
#include "runner/executor.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

namespace {

// Attempts that others hold: are they still alive? Whoever writes finds out.
constexpr Duration kIdleTickInterval = std::chrono::seconds(5);
// A plan that could not be worked on is left alone for so long.
constexpr Duration kAfterFailure = std::chrono::seconds(5);
constexpr Duration kLongestPause = std::chrono::seconds(5);

bool has_work(const WorkPlan& plan) {
    const PlanTotals sum = totals(plan);
    return sum.final_stages < sum.stages;
}

bool has_attempting(const WorkPlan& plan) {
    return std::ranges::any_of(plan.counts, [](const StateCount& count) {
        return count.type == NodeType::stage && count.state == State::attempting && count.count > 0;
    });
}

}  // namespace

WorkLoop::WorkLoop(Service& service, CommandRunner& runner, const Clock& clock, WorkListener& listener,
                   WorkOptions options)
    : service_(service.with(wait_unless(options.run.wait, stop_waiting_))),
      runner_(runner),
      clock_(clock),
      listener_(listener),
      options_(std::move(options)),
      pause_(options_.run.watch_interval) {
    options_.run.holder = new_identity();
    options_.run.ahead = options_.run.beats = false;
}

int WorkLoop::run() {
    if (const std::string note = end_leftovers(options_.run.store); !note.empty()) listener_.on_note(note);
    must_drain_ = service_->beat({options_.run.holder, options_.name, options_.run.runners, false});
    plans_ = service_->list_plans();
    beaten_at_ = seen_at_ = now();
    thread_ = std::make_unique<StoreThread>([this] { runner_.notify(); }, options_.run.threaded);
    while (true) {
        drop_idle();
        begin_plans();
        if (is_over()) break;
        ask_store();
        if (const auto until = step_all()) wait(*until);
    }
    thread_.reset();
    for (const auto& active : active_) end(*active);
    if (options_.once) service_->flush();
    try {
        service_->end_beats(options_.run.holder);
    } catch (const Error&) {
        // It grows old by itself.
    }
    if (const std::size_t left = runner_.settle(kSettle); left > 0)
        listener_.on_note(fmt::format("{} processes could not be ended", left));
    return signals_ > 1 ? 128 + last_signal_ : 0;
}

std::size_t WorkLoop::free_slots() const {
    std::size_t used = 0;
    for (const auto& active : active_) used += active->run->state().used_slots();
    const auto jobs = static_cast<std::size_t>(std::max(options_.run.jobs, 1));
    return jobs - std::min(jobs, used);
}

/// A beat, or a look at the plans, or both.
void WorkLoop::ask_store() {
    const Duration at = now();
    if (asks_for_plans_ || beats_ || (has_failed_ && at < seen_at_ + pause_)) return;
    beats_ = at >= beaten_at_ + options_.run.lost_after / 6;
    asks_for_plans_ = !draining() && free_slots() > 0 && at >= seen_at_ + pause_;
    if (!beats_ && !asks_for_plans_) return;
    Beat beat{options_.run.holder, options_.name, options_.run.runners, draining()};
    thread_->submit([this, beat = std::move(beat), beats = beats_, plans = asks_for_plans_] {
        const std::lock_guard turn(turn_);
        if (beats) must_drain_ = service_->beat(beat);
        if (plans) answer_ = service_->list_plans();
    });
}

void WorkLoop::take_answer() {
    if (!thread_->done()) return;
    const bool beat = std::exchange(beats_, false), plans = std::exchange(asks_for_plans_, false);
    const Duration at = now();
    seen_at_ = at;
    try {
        thread_->finish();
    } catch (const Error& error) {
        // Once is enough until it answers again. What runs goes on for as long as nobody takes it for lost.
        if (!std::exchange(has_failed_, true))
            listener_.on_note(fmt::format("{}; trying again", error.what()));
        pause_ = std::min(pause_ * 2, kLongestPause);
        return;
    }
    if (std::exchange(has_failed_, false)) listener_.on_note("the store answers again");
    pause_ = options_.run.watch_interval;
    if (plans) plans_ = std::move(answer_);
    if (!beat) return;
    beaten_at_ = at;
    for (const auto& active : active_) active->run->state().alive(at);
    if (must_drain_ && !std::exchange(told_to_drain_, true)) drain();
}

bool WorkLoop::is_wanted(const WorkPlan& plan) const {
    if (!has_work(plan)) return false;
    const bool is_active =
        std::ranges::any_of(active_, [&](const auto& active) { return active->identity == plan.identity; });
    const bool is_named =
        options_.plans.empty() || std::ranges::any_of(options_.plans, [&](const auto& glob) {
            return ::fnmatch(glob.c_str(), plan.id.c_str(), 0) == 0;
        });
    if (is_active || !is_named) return false;
    const auto known = known_.find(plan.identity);
    // What a run of ours has seen may be newer than the list.
    if (known == known_.end() || known->second.version < plan.version) return true;
    return known->second.again && now() >= *known->second.again;
}

/// Those in which something may be ready. What a run finds there decides.
void WorkLoop::begin_plans() {
    if (draining()) return;
    for (const WorkPlan& plan : plans_) {
        // Each gets one slot at least before another is begun.
        if (active_.size() >= static_cast<std::size_t>(std::max(options_.run.jobs, 1)) || free_slots() == 0)
            return;
        if (is_wanted(plan)) begin(plan);
    }
}

void WorkLoop::begin(WorkPlan plan) {
    auto active = std::make_unique<Active>();
    active->identity = plan.identity;
    active->listener = listener_.plan(plan.id);
    RunOptions options = options_.run;
    options.plan = plan.id;
    active->run = std::make_unique<PlanRun>(*service_, runner_, clock_, *active->listener, std::move(options),
                                            std::move(plan), &turn_);
    active->run->state().alive(beaten_at_);
    active_.push_back(std::move(active));
}

void WorkLoop::end(Active& active) {
    active.run->close();
    const RunState& state = active.run->state();
    Known& known = known_[active.identity];
    known = {state.wants_more() ? -1 : state.plan().version, state.ready_at()};
    if (!state.error()) {
        if (!options_.once && !known.again && has_attempting(state.plan()))
            known.again = now() + kIdleTickInterval;
        return;
    }
    known = {state.plan().version, now() + kAfterFailure};
    try {
        std::rethrow_exception(state.error());
    } catch (const std::exception& error) {
        active.listener->on_note(error.what());
    }
}

void WorkLoop::drop_idle() {
    std::erase_if(active_, [this](const std::unique_ptr<Active>& active) {
        const RunState& state = active->run->state();
        if (!state.finished() && !state.idle()) return false;
        end(*active);
        return true;
    });
}

std::optional<Duration> WorkLoop::step_all() {
    std::optional<Duration> first = beaten_at_ + options_.run.lost_after / 6;
    if (has_failed_) first = std::max(*first, seen_at_ + pause_);
    const auto until = [&first](Duration moment) { first = std::min(*first, moment); };
    if (!draining() && free_slots() > 0) {
        until(seen_at_ + pause_);
        for (const auto& [identity, known] : known_)
            if (known.again) until(std::max(*known.again, seen_at_ + pause_));
    }
    // Those that use fewest slots choose first, and of them those that have waited longest.
    std::ranges::stable_sort(active_, {}, [](const auto& active) {
        return std::pair(active->run->state().used_slots(), active->served);
    });
    bool again = false;
    for (const auto& active : active_) {
        RunState& state = active->run->state();
        state.allow(state.used_slots() + free_slots());
        const std::size_t used = state.used_slots();
        const PlanRun::Step step = active->run->step();
        if (state.used_slots() > used) active->served = ++turns_;
        again = again || step.again || state.finished() || state.idle();
        if (step.wait_until) until(*step.wait_until);
    }
    return again ? std::nullopt : first;
}

bool WorkLoop::is_over() const {
    if (!active_.empty()) return false;
    if (draining()) return true;
    return options_.once && !asks_for_plans_ &&
           std::ranges::none_of(plans_, [this](const WorkPlan& plan) { return is_wanted(plan); });
}

void WorkLoop::wait(Duration until) {
    const RunnerEvents events = runner_.wait(std::max(until - now(), Duration::zero()));
    for (const int number : events.signals) handle_signal(number);
    for (const CommandEnd& end : events.ended)
        for (const auto& active : active_)
            if (active->run->handle_end(end)) break;
    for (const auto& active : active_) active->run->finish_job();
    take_answer();
}

void WorkLoop::handle_signal(int number) {
    last_signal_ = number;
    if (++signals_ == 1) return drain();
    if (signals_ > 2) stop_waiting_ = true;
    for (const auto& active : active_) active->run->state().signalled(number, now());
}

void WorkLoop::drain() {
    std::size_t running = 0;
    for (const auto& active : active_) {
        running += active->run->state().used_slots();
        active->run->state().drain();
    }
    if (std::exchange(told_that_it_drains_, true)) return;
    const std::string why = signals_ > 0 ? signal_text(last_signal_) : "told to drain";
    listener_.on_note(running == 0 ? why + ": nothing runs"
                                   : fmt::format("{}: {} {} to the end, nothing more is claimed", why,
                                                 running, running == 1 ? "stage goes on" : "stages go on"));
}

}  // namespace turboci
