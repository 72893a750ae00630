// SPDX-License-Identifier: Apache-2.0
#include "runner/executor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "domain/attempt_token.hpp"
#include "format/node_collector.hpp"
#include "os/leftovers.hpp"
#include "runner/run_listener.hpp"
#include "runner/run_report.hpp"

namespace turboci {

namespace {

Stage read_stage(Service& service, const std::string& plan, const std::string& stage) {
    NodeCollector found;
    QueryNodes query;
    query.plan = plan;
    query.refs = {{NodeType::stage, stage}};
    service.query(query, found);
    return found.stages().at(0);
}

}  // namespace

std::string end_leftovers(const std::string& store) {
    const std::size_t count = kill_leftovers(store);
    if (count == 0) return {};
    return fmt::format("ended {} {} that a killed run had left behind", count,
                       count == 1 ? "process" : "processes");
}

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
    if (const std::string note = end_leftovers(options_.store); !note.empty()) listener_.on_note(note);
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

/// The attempt as the store has it, once the store has agreed that the token is that of its holder.
ClaimedAttempt Executor::take_up(const std::string& name, const std::string& token) {
    const auto parts = parse_attempt_token(token);
    if (!parts) throw Error(ErrorCode::invalid_argument, "that is no token of an attempt");
    if (parts->stage != name)
        throw Error(ErrorCode::conflict,
                    fmt::format("the token is that of stage:{}, not of stage:{}", parts->stage, name),
                    "hand over the token that came with the claim");
    WriteNodes sign;
    sign.plan = parts->plan;
    sign.actor = options_.actor;
    sign.token = token;
    StageWrite write;
    write.id = parts->stage;
    write.attempt.emplace().idx = parts->idx;
    write.attempt->heartbeat = true;
    sign.stages.push_back(write);
    static_cast<void>(service_->write_nodes(sign));
    Stage stage = read_stage(*service_, parts->plan, parts->stage);
    options_.plan = parts->plan;
    options_.holder = parts->holder;
    options_.process_uid = stage.attempts.back().process_uid;
    return {std::move(stage), parts->idx, token};
}

int Executor::run_attempt(const std::string& stage, const std::string& token) {
    ClaimedAttempt attempt = take_up(stage, token);
    const std::int32_t idx = attempt.idx;
    plan_.emplace(*service_, runner_, clock_, listener_, options_, service_->get_plan(options_.plan));
    plan_->state().adopt(std::move(attempt), now());
    plan_->state().drain();
    loop();
    plan_->close();
    static_cast<void>(runner_.settle(kSettle));
    const RunState& state = plan_->state();
    if (state.error()) std::rethrow_exception(state.error());
    if (state.signal() != 0) return 128 + state.signal();
    const auto attempts = read_stage(*service_, options_.plan, stage).attempts;
    const auto ended = std::ranges::find(attempts, idx, &Attempt::idx);
    return ended != attempts.end() && ended->state == AttemptState::complete ? 0 : 1;
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
