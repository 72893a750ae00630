// SPDX-License-Identifier: Apache-2.0
// The writing half of the orchestrator: one function is one transaction.
#include "turboci/orchestrator.hpp"
#include "service/lookups.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "domain/attempt_token.hpp"
#include "service/apply.hpp"
#include "service/expiry.hpp"
#include "service/resolve.hpp"
#include "service/view.hpp"
#include "service/warnings.hpp"

namespace turboci {

namespace {

using namespace service;

std::string token_of(const std::string& store, const PlanRow& plan, const std::string& stage,
                     const std::optional<AttemptRow>& row) {
    if (!row) return {};
    return to_string(AttemptToken{store, plan.identity, plan.id, stage, row->attempt.idx, row->holder});
}

/// Heartbeats alone are no change, and expire nothing.
bool is_heartbeat_alone(const WriteNodes& request) {
    if (request.checks.size() > 0 || request.stages.size() == 0 || request.claim || request.labels)
        return false;
    StageWrite write;
    for (std::size_t i = 0; i < request.stages.size(); ++i) {
        request.stages.read(i, write);
        if (!write.attempt || write.cancel || write.args || write.dependencies || write.assignments ||
            write.continuation_group)
            return false;
        const AttemptWrite& a = *write.attempt;
        if (!a.heartbeat || a.state || a.details || a.failure || a.holder || !a.progress.empty())
            return false;
    }
    return true;
}

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
            const auto row = service::attempt(uow, taken.stage, taken.idx);
            std::string token = token_of(uow.identity(), plan, stage.id, row);
            result.claimed.push_back({std::move(stage), taken.idx, std::move(token)});
        }
    return result;
}

void check_version(const WriteNodes& request, const PlanRow& plan) {
    if (request.if_version && *request.if_version != plan.version)
        throw Error(
            ErrorCode::conflict,
            fmt::format("plan {} is at version {}, not {}", plan.id, plan.version, *request.if_version),
            "read it again and decide anew");
}

/// Labels, and the record of the plan itself. True if there is something to tell of it.
bool change_plan(Session& session, PlanRow& plan, bool created) {
    JsonText merged =
        session.request.labels ? merge_patch(plan.labels, *session.request.labels) : plan.labels;
    const bool relabelled = !same_json(merged, plan.labels);
    plan.labels = std::move(merged);
    if (created)
        session.nodes.record_plan(fmt::format("{{\"created\":true,\"labels\":{}}}", plan.labels.text));
    else if (relabelled)
        session.nodes.record_plan(fmt::format("{{\"labels\":{}}}", plan.labels.text));
    return relabelled && !created;
}

std::vector<NodeRef> refs_of(const std::vector<Node*>& nodes) {
    std::vector<NodeRef> refs;
    refs.reserve(nodes.size());
    for (const Node* n : nodes) refs.push_back({n->row.type, std::string(n->row.id)});
    return refs;
}

/// Sorted by type, state and outcome, without zeros.
std::vector<StateCount> sum_of(const std::vector<StateCount>& counts,
                               const std::vector<StateCount>& differences) {
    std::map<std::tuple<NodeType, int, int>, StateCount> sums;
    for (const auto* list : {&counts, &differences})
        for (const StateCount& c : *list) {
            const auto place = std::tuple(c.type, state_number(c.type, c.state),
                                          c.outcome ? static_cast<int>(*c.outcome) : 0);
            const auto [it, is_new] = sums.try_emplace(place, c);
            if (!is_new) it->second.count += c.count;
        }
    std::vector<StateCount> all;
    for (const auto& [place, sum] : sums)
        if (sum.count != 0) all.push_back(sum);
    return all;
}

/// Puts into the store what the working set holds, and the record of it. False if there is nothing to keep.
/// A claim that got nothing leaves no operation behind: it may be tried again. `counts`: of the plan before;
/// then after it.
bool persist(Session& session, UnitOfWork& uow, PlanRow& plan, const ClockReading& reading,
             const std::vector<Node*>& claimed, std::vector<StateCount>& counts) {
    WorkingSet& nodes = session.nodes;
    ChangeSet changes = nodes.change_set();
    counts = sum_of(counts, changes.counts);
    const WriteNodes& request = session.request;
    const std::string op_id = request.claim && claimed.empty() ? std::string() : request.op_id;
    if (nodes.changed()) {
        plan.version = nodes.version();
        plan.clock = {nodes.now(), reading.since_boot, reading.boot_id};
        changes.plan_row = &plan;
        changes.write = WriteRow{plan.key, plan.version, nodes.now(), request.actor, request.reason, op_id};
        changes.changes = nodes.change_rows();
    }
    const bool is_operation = !op_id.empty() && !is_heartbeat_alone(request);
    if (is_operation) {
        OperationRow& operation = changes.operation.emplace();
        operation = {.op_id = op_id, .version = plan.version, .claimed = {}};
        for (const Node* stage : claimed) operation.claimed.push_back({stage->row.key, stage->row.attempt});
    }
    plan.key = uow.apply(changes);
    return is_operation || nodes.changed() || nodes.has_heartbeat();
}

WriteResult answer(Session& session, UnitOfWork& uow, const PlanRow& plan, const std::vector<Node*>& claimed,
                   std::vector<StateCount> counts) {
    WriteResult result;
    result.plan = view_plan(uow, plan, false);
    result.plan.counts = std::move(counts);
    result.created = refs_of(session.nodes.created_nodes);
    result.changed = refs_of(session.nodes.changed_nodes);
    result.advanced = std::move(session.nodes.advanced);
    for (const Node* stage : claimed) {
        NodeRecord record;
        if (session.request.claim->whole) {
            NodeRow row = session.nodes.row(*stage);
            row.plan = plan.key;
            record = read_record(uow, row);
        } else {
            record.row = session.nodes.row(*stage);
            record.body = session.nodes.body(*stage);
        }
        std::string token =
            token_of(session.store, plan, record.row.id, session.nodes.current_attempt(*stage));
        result.claimed.push_back({view_stage(std::move(record)), stage->row.attempt, std::move(token)});
    }
    result.ended = std::move(session.nodes.ended);
    return result;
}

/// The body of every write: apply, resolve, record. `created`: the plan is new, and not in the store yet.
/// `looks`: held attempts of runners are looked at, all of them.
WriteResult write_in(UnitOfWork& uow, PlanRow plan, const WriteNodes& request, const ClockReading& reading,
                     bool created, const Holders& holders, bool looks) {
    const Timestamp now = plan_time(plan.clock, reading);
    std::vector<StateCount> counts = created ? std::vector<StateCount>() : service::counts(uow, plan.key);
    const bool has_nodes = !counts.empty();
    WorkingSet nodes(uow, plan.key, has_nodes, request, plan.version + 1, now);
    const std::string store = uow.identity();
    Session session{.request = request,
                    .plan = plan,
                    .store = store,
                    .nodes = nodes,
                    .problems = {},
                    .checks = {},
                    .stages = {},
                    .late_results = {},
                    .late_stages = {},
                    .finished_by_writer = {}};
    nodes.foresee_request(plan.id, looks);
    if (has_nodes) {
        if (!is_heartbeat_alone(request)) {
            expire_attempts(nodes, request, holders);
            lose_named(session, holders);
        }
        if (looks) end_lost_attempts(nodes, holders);
        resolve_to_fixpoint(nodes);
    }
    if (!created && !looks) check_token(session);
    note_author(session);
    create_nodes(session);
    apply_writes(session);
    session.problems.raise_if_any(request.files);
    refuse_cycles(session);
    session.problems.raise_if_any(request.files);
    resolve_to_fixpoint(nodes);
    apply_late(session);
    session.problems.raise_if_any(request.files);
    resolve_to_fixpoint(nodes);

    std::vector<Node*> claimed;
    if (request.claim) claimed = take_claim(session, *request.claim);
    session.problems.raise_if_any(request.files);
    const bool relabelled = change_plan(session, plan, created);
    auto warnings = deadlock_warnings(session);
    const bool worth_keeping = persist(session, uow, plan, reading, claimed, counts);
    WriteResult result = answer(session, uow, plan, claimed, std::move(counts));
    result.relabelled = relabelled;
    result.moved = nodes.changed();
    result.warnings = std::move(warnings);
    if (request.claim && claimed.size() < static_cast<std::size_t>(std::max(request.claim->at_most, 0)))
        if (const auto next = service::next_ready_at(uow, plan.key, now)) result.next_ready_in = *next - now;
    if (!request.dry_run && worth_keeping) uow.commit();
    return result;
}

}  // namespace

namespace {

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

Holders holders_in(UnitOfWork& uow, const Orchestrator::RunnerProbe& probe, Duration lost_after,
                   Timestamp wall) {
    return {probe, [&uow](std::string_view holder) { return service::last_beat(uow, holder); }, lost_after,
            wall};
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
    return write_in(*uow, plan, request.nodes, reading, true,
                    holders_in(*uow, runner_probe_, lost_after_, reading.wall), false);
}

WriteResult Orchestrator::write_nodes(const WriteNodes& request) {
    const auto uow = store_.begin(Access::write);
    PlanRow plan = require_plan(*uow, request.plan);
    require_identity(plan.id, plan.identity, request.plan_identity);
    if (auto done = find_replay(*uow, plan, request)) return std::move(*done);
    check_version(request, plan);
    const ClockReading now = clock_.read();
    return write_in(*uow, std::move(plan), request, now, false,
                    holders_in(*uow, runner_probe_, lost_after_, now.wall), false);
}

WriteResult Orchestrator::tick(const WriteNodes& request) {
    const auto uow = store_.begin(Access::write);
    PlanRow plan = require_plan(*uow, request.plan);
    require_identity(plan.id, plan.identity, request.plan_identity);
    if (auto done = find_replay(*uow, plan, request)) return std::move(*done);
    check_version(request, plan);
    const ClockReading now = clock_.read();
    return write_in(*uow, std::move(plan), request, now, false,
                    holders_in(*uow, runner_probe_, lost_after_, now.wall), true);
}

void Orchestrator::delete_plan(const std::string& id, bool force) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = require_plan(*uow, id);
    const auto alive = holders_in(*uow, runner_probe_, lost_after_, clock_.read().wall);
    if (!force)
        for (const AttemptRow& row : service::held_attempts(*uow, plan.key)) {
            if (!alive.lives(row)) continue;
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
