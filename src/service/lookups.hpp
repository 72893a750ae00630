// SPDX-License-Identifier: Apache-2.0
// Questions of one row each, where there is nothing to ask together with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

template <class Fill>
Facts ask(UnitOfWork& uow, PlanKey plan, const Fill& fill) {
    Lookup lookup;
    fill(lookup);
    return uow.load(plan, lookup);
}
template <class Row>
std::optional<Row> first_of(std::vector<Row>&& rows) {
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

inline std::vector<StateCount> counts(UnitOfWork& uow, PlanKey plan) {
    return ask(uow, plan, [](Lookup& l) { l.counts = true; }).counts;
}
inline std::optional<OperationRow> find_operation(UnitOfWork& uow, PlanKey plan, std::string_view op_id) {
    return ask(uow, plan, [&](Lookup& l) { l.operation = op_id; }).operation;
}
inline std::optional<NodeRow> find_node(UnitOfWork& uow, PlanKey plan, NodeType type, std::string_view id) {
    return first_of(ask(uow, plan, [&](Lookup& l) { l.names = {{type, std::string(id)}}; }).nodes);
}
/// STORE (damaged) if there is none.
inline NodeRow node(UnitOfWork& uow, NodeKey key) {
    return std::move(ask(uow, {}, [&](Lookup& l) { l.nodes = {key}; }).nodes.at(0));
}
inline NodeBody body(UnitOfWork& uow, NodeKey key) {
    return std::move(ask(uow, {}, [&](Lookup& l) { l.bodies = {key}; }).bodies.at(0).body);
}
inline std::vector<GroupRow> groups(UnitOfWork& uow, NodeKey owner) {
    return ask(uow, {}, [&](Lookup& l) { l.groups = {owner}; }).groups;
}
inline std::optional<GroupRow> group(UnitOfWork& uow, NodeKey owner, PredicateRole role,
                                     std::int32_t number) {
    return first_of(ask(uow, {}, [&](Lookup& l) { l.single_groups = {{owner, role, number}}; }).groups);
}
inline std::vector<EdgeRow> edges_of(UnitOfWork& uow, NodeKey owner, PredicateRole role) {
    return ask(uow, {}, [&](Lookup& l) { l.edges = {{owner, role}}; }).edges;
}
inline std::vector<EdgeRow> edges_to(UnitOfWork& uow, NodeKey target, int after, int up_to) {
    return ask(uow, {}, [&](Lookup& l) { l.waiting = {{target, after, up_to}}; }).waiting;
}
inline std::vector<AssignmentRow> assignments_of(UnitOfWork& uow, NodeKey stage) {
    return ask(uow, {}, [&](Lookup& l) { l.assignments = {stage}; }).assignments;
}
inline std::vector<AssignmentRow> assignments_to(UnitOfWork& uow, NodeKey check) {
    return ask(uow, {}, [&](Lookup& l) { l.assigned = {check}; }).assigned;
}
inline std::vector<GoalRow> goals(UnitOfWork& uow, NodeKey check) {
    return ask(uow, {}, [&](Lookup& l) { l.goals = {check}; }).goals;
}
inline std::optional<AttemptRow> attempt(UnitOfWork& uow, NodeKey stage, std::int32_t idx) {
    return first_of(ask(uow, {}, [&](Lookup& l) { l.attempts = {{stage, idx}}; }).attempts);
}
inline std::vector<AttemptRow> attempts(UnitOfWork& uow, NodeKey stage) {
    return ask(uow, {}, [&](Lookup& l) { l.all_attempts = {stage}; }).attempts;
}
inline std::vector<AttemptRow> ready_attempts(UnitOfWork& uow, PlanKey plan, Timestamp now,
                                              std::int64_t limit) {
    return ask(uow, plan, [&](Lookup& l) { l.ready = Lookup::Ready{now, limit}; }).ready;
}
inline std::optional<Timestamp> next_ready_at(UnitOfWork& uow, PlanKey plan, Timestamp now) {
    return ask(uow, plan, [&](Lookup& l) { l.next_ready = now; }).next_ready;
}
inline std::vector<AttemptRow> overdue_attempts(UnitOfWork& uow, PlanKey plan, Timestamp now) {
    return ask(uow, plan, [&](Lookup& l) { l.overdue = now; }).overdue;
}
inline std::vector<AttemptRow> held_attempts(UnitOfWork& uow, PlanKey plan) {
    return ask(uow, plan, [](Lookup& l) { l.held = true; }).held;
}
inline std::vector<ResultRow> results(UnitOfWork& uow, NodeKey check) {
    return ask(uow, {}, [&](Lookup& l) { l.results = {check}; }).results;
}
inline std::optional<ResultRow> find_result(UnitOfWork& uow, NodeKey check, OwnerType type,
                                            std::string_view owner) {
    return first_of(ask(uow, {}, [&](Lookup& l) {
                        l.single_results = {{check, type, std::string(owner)}};
                    }).results);
}
inline std::vector<ResultRow> open_results_of(UnitOfWork& uow, NodeKey stage, std::int32_t idx) {
    return ask(uow, {}, [&](Lookup& l) { l.open_results = {{stage, idx}}; }).open_results;
}
inline std::optional<Timestamp> last_beat(UnitOfWork& uow, std::string_view holder) {
    const auto beats = ask(uow, {}, [&](Lookup& l) { l.beats = {std::string(holder)}; }).beats;
    return beats.empty() ? std::nullopt : std::optional(beats.front().at);
}

}  // namespace turboci::service
