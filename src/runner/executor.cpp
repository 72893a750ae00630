// SPDX-License-Identifier: Apache-2.0
#include "runner/executor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "os/leftovers.hpp"
#include "runner/run_listener.hpp"
#include "runner/run_report.hpp"

namespace turboci {

namespace {

constexpr Duration kSettle = std::chrono::seconds(5);

}  // namespace

Wait wait_unless(Wait wait, const std::atomic<bool>& stop) {
    wait.give_up = [&stop, before = std::move(wait.give_up)] { return stop || (before && before()); };
    return wait;
}

Executor::Executor(Service& service, CommandRunner& runner, const Clock& clock, RunListener& listener,
                   RunOptions options)
    : service_(service.with(wait_unless(options.wait, stop_waiting_))),
      runner_(runner),
      clock_(clock),
      listener_(listener),
      options_(std::move(options)) {}

RunReport Executor::run() {
    const Duration began = now();
    WorkPlan plan = service_->get_plan(options_.plan);
    options_.plan = plan.id;
    if (const std::size_t count = kill_leftovers(options_.store); count > 0) {
        listener_.on_note(fmt::format("ended {} {} that a killed run had left behind", count,
                                      count == 1 ? "process" : "processes"));
    }
    plan_.emplace(*service_, runner_, clock_, listener_, options_, std::move(plan));
    loop();
    plan_->close();
    RunFacts facts;
    facts.survivors = runner_.settle(kSettle);
    const RunState& state = plan_->state();
    if (state.error()) std::rethrow_exception(state.error());
    facts.before = plan_->totals_before();
    facts.elapsed = now() - began;
    facts.durations = state.durations();
    facts.retried = state.retried();
    facts.signal = state.signal();
    RunReport report = make_report(*service_, options_, plan_->commands(), facts, clock_.read().wall);
    listener_.on_summary(report.summary);
    return report;
}

void Executor::loop() {
    while (true) {
        const PlanRun::Step step = plan_->step();
        if (plan_->state().finished()) return;
        if (!step.again) wait(step.wait_until);
    }
}

void Executor::wait(std::optional<Duration> until) {
    std::optional<Duration> at_most = listener_.refresh_interval();
    if (until) {
        const Duration left = std::max(*until - now(), Duration::zero());
        at_most = at_most ? std::min(*at_most, left) : left;
    }
    const RunnerEvents events = runner_.wait(at_most);
    for (const int number : events.signals) {
        // The second one: nothing is waited for.
        if (plan_->state().signal() != 0) stop_waiting_ = true;
        plan_->state().signalled(number, now());
    }
    for (const CommandEnd& end : events.ended) static_cast<void>(plan_->handle_end(end));
    if (events.resized) listener_.on_resize();
    plan_->finish_job();
}

}  // namespace turboci
