// SPDX-License-Identifier: Apache-2.0
#include "engine/decide.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "domain/attempt_token.hpp"
#include "domain/policy_text.hpp"
#include "engine/apply.hpp"
#include "engine/cancel.hpp"
#include "engine/claim.hpp"
#include "engine/expiry.hpp"
#include "engine/resolve.hpp"
#include "engine/warnings.hpp"

namespace turboci::engine {

std::string token_of(const std::string& store, const PlanRow& plan, const std::string& stage,
                     const AttemptRow& row) {
    return to_string(AttemptToken{store, plan.identity, plan.id, stage, row.attempt.idx, row.holder});
}

void check_version(const WriteNodes& request, const PlanRow& plan) {
    if (request.if_version && *request.if_version != plan.version)
        throw Error(
            ErrorCode::conflict,
            fmt::format("plan {} is at version {}, not {}", plan.id, plan.version, *request.if_version),
            "read it again and decide anew")
            .because("IF_VERSION", {{"current_version", std::to_string(plan.version)}});
}

namespace {

/// Heartbeats alone are no change, and expire nothing.
bool is_heartbeat_alone(const WriteNodes& request) {
    if (request.checks.size() > 0 || request.stages.size() == 0 || request.claim || request.labels ||
        !request.limits.empty() || request.cancel)
        return false;
    StageWrite write;
    for (std::size_t i = 0; i < request.stages.size(); ++i) {
        request.stages.read(i, write);
        if (!write.attempt || write.cancel || write.skip || sets_body(write) || write.condition ||
            write.dependencies || write.assignments || write.continuation_group)
            return false;
        if (!engine::is_heartbeat_alone(*write.attempt)) return false;
    }
    return true;
}

/// Labels, limits, and the record of the plan itself. True if the labels of a plan that was there have
/// changed.
bool change_plan(Session& session, PlanRow& plan, bool is_new) {
    JsonText merged =
        session.request.labels ? merge_patch(plan.labels, *session.request.labels) : plan.labels;
    const bool relabelled = !same_json(merged, plan.labels);
    plan.labels = std::move(merged);
    std::string record;
    const auto add = [&](std::string_view member) {
        record.append(record.empty() ? "" : ",").append(member);
    };
    if (is_new) add(R"("created":true)");
    if (is_new && plan.from) add(R"("from":)" + json_string(plan.from->plan));
    if (is_new || relabelled) add(R"("labels":)" + plan.labels.text);
    const bool came_along = is_new && !session.limits.empty();
    if (session.limits != plan.limits || came_along) add(R"("limits":)" + to_json(session.limits));
    plan.limits = session.limits;
    if (session.cancelled != plan.cancelled && session.cancelled)
        add(fmt::format(R"("cancelled":{{"by":{},"reason":{}}})", json_string(session.cancelled->by),
                        json_string(session.cancelled->reason)));
    plan.cancelled = session.cancelled;
    if (!record.empty()) session.nodes.record_plan("{" + record + "}");
    return relabelled && !is_new;
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

ClaimedAttempt claimed_attempt(const Session& session, const Node& node) {
    WorkingSet& nodes = session.nodes;
    const AttemptRow row = nodes.current_attempt(node).value();
    const NodeBody body = nodes.body(node);
    ClaimedAttempt claimed;
    Stage& stage = claimed.stage;
    stage.id = node.row.id;
    stage.state = node.row.state;
    stage.args = body.json;
    stage.retry = body.retry;
    stage.timeout = body.timeout;
    stage.heartbeat = body.heartbeat;
    stage.silence = body.silence;
    stage.runner = body.runner;
    stage.uses = body.uses;
    stage.version = nodes.version();
    stage.updated_at = nodes.now();
    claimed.idx = row.attempt.idx;
    stage.attempts = {row.attempt};
    claimed.token = token_of(session.store, session.plan, stage.id, row);
    return claimed;
}

/// The request and all that follows from it.
void apply(Session& session, const WriteInput& input, const Holders& holders, bool plan_has_nodes) {
    const WriteNodes& request = input.request;
    WorkingSet& nodes = session.nodes;
    const auto resolve_and_check = [&] {
        session.problems.raise_if_any(request.files);
        resolve_to_fixpoint(nodes);
    };
    if (plan_has_nodes) {
        if (!is_heartbeat_alone(request)) {
            expire_attempts(nodes, request, holders);
            lose_named(session, holders);
        }
        if (request.tick) end_lost_attempts(nodes, holders);
        resolve_to_fixpoint(nodes);
    }
    if (!input.is_new && !request.tick) check_token(session);
    note_author(session);
    apply_limits(session);
    if (input.carried != nullptr) nodes.set_carried(*input.carried);
    create_nodes(session);
    apply_writes(session);
    session.problems.raise_if_any(request.files);
    refuse_cycles(session);
    if (session.cancelled) cancel_new_stages(session);
    if (input.carried != nullptr) carry(session, *input.carried);
    if (!input.superseded_by.empty()) supersede(session, input.superseded_by);
    resolve_and_check();
    apply_late(session);
    resolve_and_check();
    if (request.cancel) {
        apply_plan_cancel(session);
        resolve_and_check();
    }
}

/// All changes, and what is recorded of them. A claim that got nothing leaves no operation behind: it may be
/// tried again.
void collect_changes(const WriteInput& input, const std::vector<Node*>& claimed, Decision& decision) {
    const WriteNodes& request = input.request;
    WorkingSet& nodes = *decision.nodes;
    PlanRow& plan = decision.plan;
    decision.changes = nodes.change_set();
    ChangeSet& changes = decision.changes;
    const std::string op_id = request.claim && claimed.empty() ? std::string() : request.op_id;
    decision.answer.moved = nodes.changed();
    if (decision.answer.moved) {
        plan.version = nodes.version();
        plan.clock = {nodes.now(), input.now.since_boot, input.now.boot_id};
        changes.plan_row = plan;
        changes.write = WriteRow{plan.key, plan.version, nodes.now(), request.actor, request.reason, op_id};
        changes.changes = nodes.change_rows();
    }
    const bool is_operation = !op_id.empty() && !is_heartbeat_alone(request);
    if (is_operation) {
        OperationRow& operation = changes.operation.emplace();
        operation = {.op_id = op_id, .version = plan.version, .claimed = {}};
        for (const Node* stage : claimed) operation.claimed.push_back({stage->row.key, stage->row.attempt});
    }
    decision.keep = is_operation || decision.answer.moved || nodes.has_heartbeat();
}

}  // namespace

Decision decide(const WriteInput& input, const Load& load) {
    const WriteNodes& request = input.request;
    if (!input.is_new) check_version(request, input.plan);
    Decision decision;
    decision.plan = input.plan;
    const Timestamp now = plan_time(input.plan.clock, input.now);
    decision.nodes = std::make_unique<WorkingSet>(load, input.plan.key, input.next_node, request,
                                                  input.plan.version + 1, now);
    WorkingSet& nodes = *decision.nodes;
    std::vector<StateCount> counts;
    if (!input.is_new) counts = nodes.foresee_request(input.plan.id, request.tick);
    Session session{.request = request,
                    .plan = input.plan,
                    .store = input.store,
                    .nodes = nodes,
                    .problems = {},
                    .checks = {},
                    .stages = {},
                    .late_results = {},
                    .late_stages = {},
                    .skipped_checks = {},
                    .limits = input.plan.limits,
                    .cancelled = input.plan.cancelled,
                    .finished_by_writer = {}};
    const Holders holders(input.probe, load, input.lost_after, input.now.wall);
    apply(session, input, holders, !counts.empty());

    std::vector<Node*> claimed;
    if (request.claim) claimed = take_claim(session, *request.claim);
    session.problems.raise_if_any(request.files);
    WriteResult& answer = decision.answer;
    answer.relabelled = change_plan(session, decision.plan, input.is_new);
    answer.warnings = deadlock_warnings(session);
    for (const Node* stage : claimed) answer.claimed.push_back(claimed_attempt(session, *stage));
    collect_changes(input, claimed, decision);
    answer.plan = {.id = decision.plan.id,
                   .identity = decision.plan.identity,
                   .version = decision.plan.version,
                   .labels = decision.plan.labels,
                   .limits = decision.plan.limits,
                   .cancelled = decision.plan.cancelled,
                   .from = decision.plan.from,
                   .created_at = decision.plan.created_at,
                   .updated_at = decision.plan.clock.time,
                   .counts = sum_of(counts, decision.changes.counts)};
    answer.created = refs_of(nodes.created_nodes);
    answer.changed = refs_of(nodes.changed_nodes);
    answer.advanced = std::move(nodes.advanced);
    answer.ended = std::move(nodes.ended);
    return decision;
}

}  // namespace turboci::engine
