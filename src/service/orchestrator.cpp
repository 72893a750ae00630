// SPDX-License-Identifier: Apache-2.0
// The writing half of the orchestrator: one function is one transaction.
#include "turboci/orchestrator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "service/apply.hpp"
#include "service/expiry.hpp"
#include "service/resolve.hpp"
#include "service/view.hpp"
#include "service/warnings.hpp"

namespace turboci {

namespace {

using namespace service;

/// A caller that saw no answer asks again: tell what the first time told.
WriteResult replay(UnitOfWork& uow, const PlanRow& plan, std::int64_t version) {
    WriteResult result;
    result.plan = view_plan(uow, plan);
    result.plan.version = version;
    result.replayed = true;
    return result;
}

void check_version(const WriteNodes& request, const PlanRow& plan) {
    if (request.if_version && *request.if_version != plan.version)
        throw Error(
            ErrorCode::conflict,
            fmt::format("plan {} is at version {}, not {}", plan.id, plan.version, *request.if_version),
            "read it again and decide anew");
}

void merge_labels(Session& session, PlanRow& plan) {
    if (!session.request.labels) return;
    JsonText merged = merge_patch(plan.labels, *session.request.labels);
    if (same_json(merged, plan.labels)) return;
    plan.labels = std::move(merged);
    session.nodes.record_plan(fmt::format("{{\"labels\":{}}}", plan.labels.text));
}

std::vector<NodeRef> refs_of(const std::vector<Node*>& nodes) {
    std::vector<NodeRef> refs;
    refs.reserve(nodes.size());
    for (const Node* n : nodes) refs.push_back({n->row.type, n->row.id});
    return refs;
}

/// Puts into the store what the working set holds, and the record of it.
void persist(Session& session, UnitOfWork& uow, PlanRow& plan, const ClockReading& reading) {
    WorkingSet& nodes = session.nodes;
    nodes.flush();
    const WriteNodes& request = session.request;
    if (nodes.changed()) {
        plan.version = nodes.version();
        plan.clock = {nodes.now(), reading.since_boot, reading.boot_id};
        const auto changes = nodes.change_rows();
        uow.append_write({plan.key, plan.version, nodes.now(), request.actor, request.reason, request.op_id},
                         changes);
        uow.update_plan(plan);
    }
    if (!request.op_id.empty()) uow.insert_operation(plan.key, request.op_id, plan.version);
}

WriteResult answer(Session& session, UnitOfWork& uow, const PlanRow& plan,
                   const std::vector<Node*>& claimed) {
    WriteResult result;
    result.plan = view_plan(uow, plan);
    result.created = refs_of(session.nodes.created_nodes);
    result.changed = refs_of(session.nodes.changed_nodes);
    result.advanced = std::move(session.nodes.advanced);
    for (Node* stage : claimed)
        result.claimed.push_back({view_stage(read_record(uow, stage->row)), stage->row.attempt});
    return result;
}

/// The body of every write: apply, resolve, record. `plan` is a row that exists; `created` tells that
/// this transaction made it.
WriteResult write_in(UnitOfWork& uow, PlanRow plan, const WriteNodes& request, const ClockReading& reading,
                     bool created, const Orchestrator::RunnerProbe& runner_alive) {
    const Timestamp now = plan_time(plan.clock, reading);
    const bool has_nodes = !created && !uow.counts(plan.key).empty();
    WorkingSet nodes(uow, plan.key, has_nodes, plan.version + 1, now);
    Session session{.request = request,
                    .plan = plan,
                    .nodes = nodes,
                    .problems = {},
                    .late_results = {},
                    .late_stages = {}};
    if (created) nodes.record_plan(fmt::format("{{\"created\":true,\"labels\":{}}}", plan.labels.text));

    if (has_nodes) {
        expire_attempts(nodes, request);
        if (runner_alive) end_lost_attempts(nodes, runner_alive);
        resolve_to_fixpoint(nodes);
    }
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
    merge_labels(session, plan);
    auto warnings = deadlock_warnings(session);
    persist(session, uow, plan, reading);
    WriteResult result = answer(session, uow, plan, claimed);
    result.warnings = std::move(warnings);
    if (request.claim && claimed.size() < static_cast<std::size_t>(std::max(request.claim->at_most, 0)))
        if (const auto next = uow.next_ready_at(plan.key, now)) result.next_ready_in = *next - now;
    if (!request.dry_run && (nodes.changed() || !request.op_id.empty())) uow.commit();
    return result;
}

}  // namespace

WriteResult Orchestrator::create_plan(const CreatePlan& request) {
    const auto uow = store_.begin(Access::write);
    const ClockReading reading = clock_.read();
    PlanRow plan;
    plan.id = request.id.empty() ? new_plan_id(reading.wall) : request.id;
    if (uow->find_plan(plan.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan.id),
                    "write to it with 'turboci nodes write', or choose another id");
    std::string labels = "{";
    for (const auto& [key, value] : request.labels)
        labels += fmt::format("{}{}:{}", labels.size() > 1 ? "," : "", json_string(key), json_string(value));
    plan.labels.text = labels + "}";
    plan.created_at = reading.wall;
    plan.clock = {reading.wall, reading.since_boot, reading.boot_id};
    plan.key = uow->insert_plan(plan);
    return write_in(*uow, plan, request.nodes, reading, true, {});
}

WriteResult Orchestrator::write_nodes(const WriteNodes& request) {
    const auto uow = store_.begin(Access::write);
    PlanRow plan = require_plan(*uow, request.plan);
    if (!request.op_id.empty())
        if (const auto version = uow->find_operation(plan.key, request.op_id))
            return replay(*uow, plan, *version);
    check_version(request, plan);
    return write_in(*uow, std::move(plan), request, clock_.read(), false, {});
}

WriteResult Orchestrator::tick(const WriteNodes& request) {
    const auto uow = store_.begin(Access::write);
    const auto everything_lives = [](const RunnerIdentity&) { return true; };
    return write_in(*uow, require_plan(*uow, request.plan), request, clock_.read(), false,
                    runner_alive_ ? runner_alive_ : everything_lives);
}

void Orchestrator::delete_plan(const std::string& plan) {
    const auto uow = store_.begin(Access::write);
    uow->delete_plan(require_plan(*uow, plan).key);
    uow->commit();
}

}  // namespace turboci
