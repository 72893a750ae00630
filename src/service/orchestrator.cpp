// SPDX-License-Identifier: Apache-2.0
// The writing half of the orchestrator: one function is one transaction.
#include "turboci/orchestrator.hpp"
#include "service/lookups.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "engine/decide.hpp"
#include "engine/holder.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace engine;
using namespace service;

/// The answer to a write that was done before, if this is one: a caller that saw no answer asks again, and
/// is told what the first time told.
std::optional<WriteResult> find_replay(UnitOfWork& uow, const PlanRow& plan, const WriteNodes& request) {
    if (request.op_id.empty()) return std::nullopt;
    const auto operation = service::find_operation(uow, plan.key, request.op_id);
    if (!operation) return std::nullopt;
    WriteResult result;
    result.plan = view_plan(uow, plan);
    result.plan.version = operation->version;
    result.replayed = true;
    if (request.claim)
        for (const OperationRow::Taken& taken : operation->claimed) {
            Stage stage = view_stage(read_record(uow, service::node(uow, taken.stage)));
            // Another claimer that uses the same op_id must not take for its own what it does not hold.
            const bool holds =
                std::any_of(stage.attempts.begin(), stage.attempts.end(), [&](const Attempt& a) {
                    return a.idx == taken.idx && a.process_uid == request.claim->process_uid;
                });
            if (!holds) continue;
            const auto row = service::attempt(uow, taken.stage, taken.idx).value();
            std::string token = token_of(uow.identity(), plan, stage.id, row);
            result.claimed.push_back({std::move(stage), taken.idx, std::move(token)});
        }
    return result;
}

/// One write from begin to end. `is_new`: the plan is not in the store yet.
WriteResult write_in(UnitOfWork& uow, const PlanRow& plan, const WriteNodes& request, const ClockReading& now,
                     bool is_new, const RunnerProbe& probe, Duration lost_after) {
    const std::string store = uow.identity();
    const Load load = [&](const Lookup& lookup) { return uow.load(plan.key, lookup); };
    Decision decision = decide({.request = request,
                                .plan = plan,
                                .is_new = is_new,
                                .next_node = uow.next_node_key(),
                                .now = now,
                                .store = store,
                                .probe = probe,
                                .lost_after = lost_after},
                               load);
    const PlanKey key = uow.apply(decision.changes);
    WriteResult& answer = decision.answer;
    if (const auto& claim = request.claim) {
        const auto wanted = static_cast<std::size_t>(std::max(claim->at_most, 0));
        if (answer.claimed.size() < wanted)
            if (const auto next = service::next_ready_at(uow, key, decision.nodes->now()))
                answer.next_ready_in = *next - decision.nodes->now();
    }
    if (!request.dry_run && decision.keep) uow.commit();
    return std::move(answer);
}

/// All labels as one patch: merged one by one, each would cost as much as those before it.
JsonText labels_of(const CreatePlan& request) {
    if (request.labels.empty()) return {};
    std::string patch;
    for (const auto& [key, value] : request.labels) {
        patch += patch.empty() ? '{' : ',';
        append_json_string(patch, key);
        patch += ':';
        append_json_string(patch, value);
    }
    return merge_patch({}, {patch + '}'});
}

/// The plan that the same request has made before. An op_id alone finds only one that began with it.
std::optional<WriteResult> find_created(UnitOfWork& uow, const CreatePlan& request) {
    if (request.nodes.op_id.empty()) return std::nullopt;
    if (!request.id.empty()) {
        const auto plan = uow.find_plan(request.id);
        return plan ? find_replay(uow, *plan, request.nodes) : std::nullopt;
    }
    for (const PlanRow& plan : uow.plans())
        if (auto done = find_replay(uow, plan, request.nodes); done && done->plan.version == 1) return done;
    return std::nullopt;
}

}  // namespace

WriteResult Orchestrator::create_plan(const CreatePlan& request) {
    const auto uow = store_.begin(Access::write);
    const ClockReading reading = clock_.read();
    PlanRow plan;
    if (auto done = find_created(*uow, request)) return std::move(*done);
    plan.identity = new_identity();
    plan.id = request.id.empty() ? new_plan_id(reading.wall) : request.id;
    if (uow->find_plan(plan.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan.id),
                    "write to it with 'turboci nodes write', or choose another id");
    plan.labels = labels_of(request);
    plan.created_at = reading.wall;
    plan.clock = {reading.wall, reading.since_boot, reading.boot_id};
    return write_in(*uow, plan, request.nodes, reading, true, runner_probe_, lost_after_);
}

WriteResult Orchestrator::write_nodes(const WriteNodes& request) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = require_plan(*uow, request.plan);
    require_identity(plan.id, plan.identity, request.plan_identity);
    if (auto done = find_replay(*uow, plan, request)) return std::move(*done);
    return write_in(*uow, plan, request, clock_.read(), false, runner_probe_, lost_after_);
}

WriteResult Orchestrator::tick(const WriteNodes& request) {
    WriteNodes looking = request;
    looking.tick = true;
    return write_nodes(looking);
}

void Orchestrator::delete_plan(const std::string& id, bool force) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = require_plan(*uow, id);
    const Load load = [&](const Lookup& lookup) { return uow->load(plan.key, lookup); };
    const Holders holders(runner_probe_, load, lost_after_, clock_.read().wall);
    if (!force)
        for (const AttemptRow& row : service::held_attempts(*uow, plan.key)) {
            // What is only SCHEDULED has no process yet.
            if (row.attempt.state != AttemptState::running || !holders.lives(row)) continue;
            throw Error(ErrorCode::conflict,
                        fmt::format("attempt {} of stage:{} is held by {}", row.attempt.idx,
                                    service::node(*uow, row.stage).id, row.attempt.process_uid),
                        "wait for it, or delete the plan all the same with --force");
        }
    uow->delete_plan(plan.key);
    uow->commit();
}

void Orchestrator::beat(const std::string& holder) {
    const auto uow = store_.begin(Access::write);
    uow->beat(holder, clock_.read().wall);
    uow->commit();
}

void Orchestrator::end_beats(const std::string& holder) {
    // What was silent for a day holds nothing that somebody will look for.
    const auto uow = store_.begin(Access::write);
    uow->forget_beats(holder, clock_.read().wall - std::chrono::hours(24));
    uow->commit();
}

}  // namespace turboci
