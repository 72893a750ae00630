// SPDX-License-Identifier: Apache-2.0
#include "runner/run_store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "os/process_identity.hpp"
#include "runner/plan_run.hpp"
#include "service/judge.hpp"

namespace turboci {

namespace {

/// Hands each stage of a query to a function.
class StageVisitor : public NodeSink {
public:
    explicit StageVisitor(std::function<void(const Stage&)> visit) : visit_(std::move(visit)) {}
    void plan(const WorkPlan&) override {}
    void check(const Check&) override {}
    void stage(const Stage& stage) override { visit_(stage); }

private:
    std::function<void(const Stage&)> visit_;
};

AttemptWrite attempt_of(const EndWrite& end) {
    AttemptWrite attempt;
    attempt.state = end.event.failure ? AttemptState::incomplete : AttemptState::complete;
    attempt.failure = end.event.failure;
    attempt.no_retry = end.no_retry;
    attempt.holder = end.word;
    return attempt;
}

AttemptWrite attempt_of(const StopMark& mark, const std::string& holder) {
    AttemptWrite attempt;
    attempt.failure = mark.reason;
    HolderWord& word = attempt.holder.emplace();
    word.identity = holder;
    word.cause = mark.cause;
    word.stopping = true;
    return attempt;
}

AttemptWrite start_of(const std::string& process_uid, const std::string& holder) {
    AttemptWrite attempt;
    attempt.state = AttemptState::running;
    attempt.process_uid = process_uid;
    attempt.holder.emplace().identity = holder;
    return attempt;
}

AttemptWrite give_back_of(const std::string& holder) {
    AttemptWrite attempt;
    attempt.state = AttemptState::pending;
    attempt.holder.emplace().identity = holder;
    return attempt;
}

}  // namespace

RunStore::RunStore(Service& service, const RunOptions& options, const WorkPlan& plan,
                   const StageCommands& commands)
    : service_(service),
      impatient_(service.with({.at_most = Duration::zero()})),
      options_(options),
      commands_(commands),
      runner_(this_runner()),
      process_uid_(options.process_uid.empty() ? runner_process_uid(runner_) : options.process_uid),
      holder_(options.holder.empty() ? new_identity() : options.holder),
      plan_identity_(plan.identity),
      within_(environment_value(options.environment, kWithinVariable)) {}

WriteResult RunStore::write(const Batch& batch) { return service_.write_nodes(request_of(batch)); }

WriteResult RunStore::write_at_once(const Batch& batch) { return impatient_->write_nodes(request_of(batch)); }

WriteNodes RunStore::request_of(const Batch& batch) {
    WriteNodes request;
    request.plan = options_.plan;
    request.plan_identity = plan_identity_;
    request.tick = batch.tick;
    request.reason = "run";
    request.actor = options_.actor;
    const auto add = [&](const std::string& stage, std::int32_t idx, AttemptWrite&& attempt) {
        attempt.idx = idx;
        attempt.runner = runner_;
        StageWrite write;
        write.id = stage;
        write.attempt = std::move(attempt);
        request.stages.push_back(write);
    };
    for (const EndWrite& end : batch.ends) add(end.event.stage, end.event.idx, attempt_of(end));
    for (const StopMark& mark : batch.marks) add(mark.stage, mark.idx, attempt_of(mark, holder_));
    for (const AttemptId& name : batch.started) add(name.stage, name.idx, start_of(process_uid_, holder_));
    for (const AttemptId& name : batch.given_back) add(name.stage, name.idx, give_back_of(holder_));
    if (!batch.cancel.empty()) {
        request.reason = batch.cancel;
        CancelStages& cancel = request.cancel.emplace();
        cancel.clean_up_too = batch.cancel_all;
        look_for_clean_up_ = !batch.cancel_all;
        if (batch.selection) cancel.only = batch.selection->stages;
        if (batch.selection && cancel.only.empty()) request.cancel.reset();
    }
    if (batch.claim + batch.claim_ahead == 0) return request;
    Claim& claim = request.claim.emplace();
    claim.at_most = batch.claim;
    claim.ahead = batch.claim_ahead;
    claim.process_uid = process_uid_;
    claim.runner = runner_;
    claim.holder = holder_;
    claim.filter.with_command = true;
    if (!options_.runners.empty()) claim.filter.runners = options_.runners;
    claim.filter.args_bytes = commands_.safe_args_bytes();
    claim.filter.judged.assign(judged_.begin(), judged_.end());
    if (batch.selection) {
        claim.filter.only = batch.selection->stages;
        // Nothing but checks was asked for.
        if (claim.filter.only.empty()) request.claim.reset();
    }
    return request;
}

/// What the system would not execute is left alone: it would use up an attempt, and another environment may
/// do.
bool RunStore::fits(const std::string& stage, const JsonText& args) {
    const std::string why = commands_.excess(stage, args);
    if (why.empty()) {
        if (args.text.size() > commands_.safe_args_bytes()) judged_.insert(stage);
        return true;
    }
    if (misfits_.insert(stage).second)
        notes_.push_back(fmt::format("stage:{} cannot be executed here: {}", stage, why));
    return false;
}

std::vector<std::string> RunStore::take_notes() { return std::exchange(notes_, {}); }

bool RunStore::takes_runner(const std::string& runner) const {
    if (options_.runners.empty()) return runner.empty();
    return std::ranges::any_of(options_.runners,
                               [&](const std::string& kind) { return kind == runner || kind == "*"; });
}

WorkPlan RunStore::look() {
    WorkPlan plan = service_.get_plan(options_.plan);
    require_identity(options_.plan, plan.identity, plan_identity_);
    return plan;
}

/// Stages that failed, or if there are more, checks: mostly one goes with the other.
std::size_t RunStore::count_failures() {
    class Failed final : public NodeSink {
    public:
        void plan(const WorkPlan&) override {}
        void check(const Check& check) override {
            if (check.outcome == Outcome::failed) refs.insert({NodeType::check, check.id});
        }
        void stage(const Stage& stage) override {
            if (stage.outcome == Outcome::failed) refs.insert({NodeType::stage, stage.id});
        }
        std::set<NodeRef> refs;
    };
    QueryNodes query;
    query.plan = options_.plan;
    query.refs = options_.refs;
    if (!query.refs.empty()) query.deps = -1;
    Failed failed;
    const Judgement judgement = judge(service_, query, &failed);
    std::size_t checks = 0, stages = 0;
    for (const NodeRef& ref : judgement.bad)
        if (failed.refs.contains(ref)) ++(ref.type == NodeType::check ? checks : stages);
    return std::max(checks, stages);
}

Inspection RunStore::inspect(const std::vector<std::string>& stages, bool judge) {
    Inspection found;
    found.plan = look();
    if (!options_.refs.empty()) {
        found.selection = select_nodes(service_, options_.plan, options_.refs, clean_up_);
        if (std::exchange(look_for_clean_up_, false)) {
            clean_up_ = clean_up_of(service_, options_.plan, *found.selection);
            if (!clean_up_.empty())
                found.selection = select_nodes(service_, options_.plan, options_.refs, clean_up_);
        }
    }
    QueryNodes query;
    query.plan = options_.plan;
    query.types = {NodeType::stage};
    if (stages.empty()) query.states = {State::attempting};
    for (const std::string& stage : stages) query.refs.push_back({NodeType::stage, stage});
    StageVisitor visitor([&](const Stage& stage) { inspect_stage(stage, found); });
    service_.query(query, visitor);
    if (judge) found.failures = count_failures();
    return found;
}

void RunStore::inspect_stage(const Stage& stage, Inspection& found) {
    if (stage.attempts.empty()) return;
    const Attempt& attempt = stage.attempts.back();
    found.current[stage.id] = attempt;
    if (is_ended(attempt.state) || attempt.process_uid == process_uid_) return;
    if (!is_selected(found.selection.get(), {NodeType::stage, stage.id})) return;
    if (attempt.state == AttemptState::pending) {
        // What lacks room within the plan's limits waits for who holds it, and that one is looked at by
        // itself.
        const bool lacks_room = !stage.uses.empty() && !attempt.not_before;
        if (takes_runner(stage.runner) && has_command(stage.args) && !lacks_room &&
            fits(stage.id, stage.args))
            found.work_later = true;
        return;
    }
    // What ends without anybody's help: a runner of this host ends its own, or is found dead; a timeout or
    // heartbeat ends the others. Not before us: the stage that we are a part of.
    const auto process = parse_runner_process_uid(attempt.process_uid);
    const bool here = process && process->host == runner_.host;
    // Of a runner elsewhere only the store can tell, from its signs of life.
    const bool lives = attempt.has_runner && (!here || runner_is_alive(*process));
    const std::string name = enclosing_stage(options_.store, options_.plan, stage.id);
    const bool around_us = within_.find(name) != std::string::npos;
    if (attempt.has_runner && !lives) found.runner_died = true;
    if ((lives || stage.timeout || stage.heartbeat) && !around_us) found.others_work = true;
}

void RunStore::beat() {
    has_beaten_ = true;
    Beat beat;
    beat.holder = holder_;
    static_cast<void>(service_.beat(beat));
}

void RunStore::end_beats() noexcept {
    if (!has_beaten_) return;
    try {
        service_.end_beats(holder_);
    } catch (const Error&) {
        // It grows old by itself.
    }
}

}  // namespace turboci
