// SPDX-License-Identifier: Apache-2.0
#include "service/view.hpp"

#include <fmt/format.h>

#include "service/predicates.hpp"

namespace turboci::service {

Check view_check(const NodeRecord& record) {
    const NodeRow& row = record.row;
    return {.id = row.id,
            .kind = row.kind,
            .state = row.state,
            .outcome = row.outcome,
            .options = record.body.json,
            .dependencies = view_predicate(record, PredicateRole::dependencies),
            .results = record.results,
            .version = row.version,
            .created_at = row.history.front().at,
            .updated_at = row.updated_at,
            .state_history = row.history};
}

Stage view_stage(const NodeRecord& record) {
    const NodeRow& row = record.row;
    return {.id = row.id,
            .state = row.state,
            .outcome = row.outcome,
            .concluded_reason = row.concluded_reason,
            .args = record.body.json,
            .dependencies = view_predicate(record, PredicateRole::dependencies),
            .assignments = record.assignments,
            .retry = record.body.retry,
            .timeout = record.body.timeout,
            .heartbeat = record.body.heartbeat,
            .continuation_group = view_predicate(record, PredicateRole::continuation),
            .attempts = record.attempts,
            .version = row.version,
            .created_at = row.history.front().at,
            .updated_at = row.updated_at,
            .state_history = row.history};
}

WorkPlan view_plan(UnitOfWork& uow, const PlanRow& row) {
    return {.id = row.id,
            .version = row.version,
            .labels = row.labels,
            .created_at = row.created_at,
            .updated_at = row.clock.time,
            .counts = uow.counts(row.key)};
}

PlanRow require_plan(UnitOfWork& uow, std::string_view id) {
    if (!id.empty()) {
        auto plan = uow.find_plan(id);
        if (!plan)
            throw Error(ErrorCode::not_found, fmt::format("there is no plan '{}'", id),
                        "list them with 'turboci plan list'");
        return *plan;
    }
    constexpr std::size_t kMaxListed = 10;
    auto plans = uow.plans();
    if (plans.size() == 1) return std::move(plans.front());
    if (plans.empty())
        throw Error(ErrorCode::not_found, "the store has no plan", "create one with 'turboci plan create'");
    std::string names;
    for (std::size_t i = 0; i < plans.size() && i < kMaxListed; ++i)
        names += (i == 0 ? "" : ", ") + plans[i].id;
    if (plans.size() > kMaxListed) names += fmt::format(" and {} more", plans.size() - kMaxListed);
    throw Error(ErrorCode::usage, fmt::format("the store has {} plans ({})", plans.size(), names),
                "choose one with --plan or TURBOCI_PLAN");
}

NodeRow require_node(UnitOfWork& uow, const PlanRow& plan, const RefText& ref) {
    const auto missing = [&] {
        return Error(ErrorCode::not_found,
                     fmt::format("there is no node '{}' in plan {}", to_string(ref), plan.id));
    };
    if (ref.type) {
        auto row = uow.find_node(plan.key, *ref.type, ref.id);
        if (!row) throw missing();
        return *row;
    }
    auto check = uow.find_node(plan.key, NodeType::check, ref.id);
    auto stage = uow.find_node(plan.key, NodeType::stage, ref.id);
    if (check && stage)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("'{0}' is two nodes, check:{0} and stage:{0}", ref.id),
                    "name the one you mean");
    if (!check && !stage) throw missing();
    return check ? *check : *stage;
}

NodeRecord read_record(UnitOfWork& uow, const NodeRow& row) {
    NodeRecord result;
    const std::vector<NodeKey> keys{row.key};
    uow.read_records(row.plan, row.type, &keys, [&](const NodeRecord& record) { result = record; });
    return result;
}

}  // namespace turboci::service
