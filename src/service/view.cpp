// SPDX-License-Identifier: Apache-2.0
#include "service/view.hpp"
#include "service/lookups.hpp"

#include <fmt/core.h>

#include "engine/predicates.hpp"

namespace turboci::service {

namespace {

Timestamp created_at(const NodeRow& row) {
    return row.history.empty() ? Timestamp{} : row.history.front().at;
}

}  // namespace

void view_check(NodeRecord& record, Check& check) {
    NodeRow& row = record.row;
    check.id.swap(row.id);
    check.kind.swap(row.kind);
    check.state = row.state;
    check.outcome = row.outcome;
    check.skip_cause = row.skip_cause;
    check.required = row.required;
    check.condition.swap(record.body.condition);
    check.carried_from.swap(record.body.carried_from);
    check.created_by.swap(record.created_by);
    check.options.text.swap(record.body.json.text);
    engine::view_predicate(record, PredicateRole::dependencies, check.dependencies);
    check.results.clear();
    for (ResultRow& row_of : record.results) check.results.push_back(std::move(row_of.result));
    check.version = row.version;
    check.created_at = created_at(row);
    check.updated_at = row.updated_at;
    check.state_history.swap(row.history);
}

void view_stage(NodeRecord& record, Stage& stage) {
    NodeRow& row = record.row;
    stage.id.swap(row.id);
    stage.state = row.state;
    stage.outcome = row.outcome;
    stage.skip_cause = row.skip_cause;
    stage.concluded_reason = row.concluded_reason;
    stage.concluded_message.swap(record.body.message);
    stage.created_by.swap(record.created_by);
    stage.args.text.swap(record.body.json.text);
    engine::view_predicate(record, PredicateRole::dependencies, stage.dependencies);
    stage.assignments.clear();
    for (AssignmentRecord& a : record.assignments)
        stage.assignments.push_back({std::move(a.check_id), a.row.goal});
    stage.retry = record.body.retry;
    stage.timeout = record.body.timeout;
    stage.heartbeat = record.body.heartbeat;
    stage.silence = record.body.silence;
    stage.runner.swap(record.body.runner);
    stage.uses.swap(record.body.uses);
    stage.condition.swap(record.body.condition);
    stage.carried_from.swap(record.body.carried_from);
    engine::view_predicate(record, PredicateRole::continuation, stage.continuation_group);
    stage.attempts.clear();
    for (AttemptRow& row_of : record.attempts) stage.attempts.push_back(std::move(row_of.attempt));
    stage.version = row.version;
    stage.created_at = created_at(row);
    stage.updated_at = row.updated_at;
    stage.state_history.swap(row.history);
}

Check view_check(NodeRecord record) {
    Check check;
    view_check(record, check);
    return check;
}

Stage view_stage(NodeRecord record) {
    Stage stage;
    view_stage(record, stage);
    return stage;
}

WorkPlan view_plan(Snapshot& snapshot, const PlanRow& row, bool with_counts) {
    WorkPlan plan{.id = row.id,
                  .identity = row.identity,
                  .version = row.version,
                  .labels = row.labels,
                  .limits = row.limits,
                  .cancelled = row.cancelled,
                  .from = row.from,
                  .created_at = row.created_at,
                  .updated_at = row.clock.time,
                  .counts = {}};
    if (with_counts) plan.counts = service::counts(snapshot, row.key);
    return plan;
}

std::optional<NodeRow> find_named(Snapshot& snapshot, const PlanRow& plan, const RefText& ref) {
    if (ref.type) return service::find_node(snapshot, plan.key, *ref.type, ref.id);
    auto check = service::find_node(snapshot, plan.key, NodeType::check, ref.id);
    auto stage = service::find_node(snapshot, plan.key, NodeType::stage, ref.id);
    if (check && stage)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("'{0}' is two nodes, check:{0} and stage:{0}", ref.id),
                    "name the one you mean");
    return check ? check : stage;
}

NodeRow require_node(Snapshot& snapshot, const PlanRow& plan, const RefText& ref) {
    auto row = find_named(snapshot, plan, ref);
    if (!row)
        throw Error(ErrorCode::not_found,
                    fmt::format("there is no node '{}' in plan {}", to_string(ref), plan.id))
            .because({}, {{"node", to_string(ref)}});
    return std::move(*row);
}

bool is_current(Snapshot& snapshot, const AttemptToken& token) {
    const auto plan = snapshot.find_plan(token.plan);
    if (!plan || plan->identity != token.plan_identity) return false;
    const auto stage = find_node(snapshot, plan->key, NodeType::stage, token.stage);
    if (!stage || stage->attempt != token.idx) return false;
    const NodeRecord record = read_record(snapshot, *stage);
    const auto row = std::ranges::find(record.attempts, token.idx,
                                       [](const AttemptRow& attempt) { return attempt.attempt.idx; });
    return row != record.attempts.end() && !token.holder.empty() && row->holder == token.holder &&
           !is_ended(row->attempt.state);
}

NodeRecord read_record(Snapshot& snapshot, const NodeRow& row) {
    NodeRecord result;
    const std::vector<NodeKey> keys{row.key};
    snapshot.scan(row.plan, {.keys = &keys}, [&](std::span<NodeRecord> records) {
        result = std::move(records.front());
        return false;
    });
    return result;
}

}  // namespace turboci::service
