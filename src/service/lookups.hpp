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
Facts ask(Snapshot& snapshot, PlanKey plan, const Fill& fill) {
    Lookup lookup;
    fill(lookup);
    return snapshot.load(plan, lookup);
}
template <class Row>
std::optional<Row> first_of(std::vector<Row>&& rows) {
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

inline std::vector<StateCount> counts(Snapshot& snapshot, PlanKey plan) {
    return ask(snapshot, plan, [](Lookup& l) { l.counts = true; }).counts;
}
inline std::optional<OperationRow> find_operation(Snapshot& snapshot, PlanKey plan, std::string_view op_id) {
    return ask(snapshot, plan, [&](Lookup& l) { l.operation = op_id; }).operation;
}
/// Did this request make the plan? A later one that changed nothing belongs to the first version, too.
inline bool began_with(Snapshot& snapshot, PlanKey plan, std::string_view op_id) {
    const auto operation = find_operation(snapshot, plan, op_id);
    if (!operation || operation->version != 1) return false;
    bool is_first = false;
    snapshot.read_log(plan, std::nullopt, 0, [&](const LogEntry& entry) {
        is_first = entry.version == 1 && entry.op_id == op_id;
        return false;
    });
    return is_first;
}
inline std::optional<NodeRow> find_node(Snapshot& snapshot, PlanKey plan, NodeType type,
                                        std::string_view id) {
    return first_of(ask(snapshot, plan, [&](Lookup& l) { l.names = {{type, std::string(id)}}; }).nodes);
}
/// STORE (damaged) if there is none.
inline NodeRow node(Snapshot& snapshot, NodeKey key) {
    return std::move(ask(snapshot, {}, [&](Lookup& l) { l.nodes = {key}; }).nodes.at(0));
}
inline NodeBody body(Snapshot& snapshot, NodeKey key) {
    return std::move(ask(snapshot, {}, [&](Lookup& l) { l.bodies = {key}; }).bodies.at(0).body);
}
inline std::vector<GroupRow> groups(Snapshot& snapshot, NodeKey owner) {
    return ask(snapshot, {}, [&](Lookup& l) { l.groups = {owner}; }).groups;
}
inline std::optional<GroupRow> group(Snapshot& snapshot, NodeKey owner, PredicateRole role,
                                     std::int32_t number) {
    return first_of(ask(snapshot, {}, [&](Lookup& l) { l.single_groups = {{owner, role, number}}; }).groups);
}
inline std::vector<EdgeRow> edges_of(Snapshot& snapshot, NodeKey owner, PredicateRole role) {
    return ask(snapshot, {}, [&](Lookup& l) { l.edges = {{owner, role}}; }).edges;
}
inline std::vector<EdgeRow> edges_to(Snapshot& snapshot, NodeKey target, int after, int up_to) {
    return ask(snapshot, {}, [&](Lookup& l) { l.waiting = {{target, after, up_to}}; }).waiting;
}
inline std::vector<AssignmentRow> assignments_of(Snapshot& snapshot, NodeKey stage) {
    return ask(snapshot, {}, [&](Lookup& l) { l.assignments = {stage}; }).assignments;
}
inline std::vector<AssignmentRow> assignments_to(Snapshot& snapshot, NodeKey check) {
    return ask(snapshot, {}, [&](Lookup& l) { l.assigned = {check}; }).assigned;
}
inline std::vector<GoalRow> goals(Snapshot& snapshot, NodeKey check) {
    return ask(snapshot, {}, [&](Lookup& l) { l.goals = {check}; }).goals;
}
inline std::optional<AttemptRow> attempt(Snapshot& snapshot, NodeKey stage, std::int32_t idx) {
    return first_of(ask(snapshot, {}, [&](Lookup& l) { l.attempts = {{stage, idx}}; }).attempts);
}
inline std::vector<AttemptRow> attempts(Snapshot& snapshot, NodeKey stage) {
    return ask(snapshot, {}, [&](Lookup& l) { l.all_attempts = {stage}; }).attempts;
}
inline std::vector<AttemptRow> ready_attempts(Snapshot& snapshot, PlanKey plan, Timestamp now,
                                              std::int64_t limit) {
    return ask(snapshot, plan, [&](Lookup& l) { l.ready = Lookup::Ready{now, limit}; }).ready;
}
inline std::optional<Timestamp> next_ready_at(Snapshot& snapshot, PlanKey plan, Timestamp now) {
    return ask(snapshot, plan, [&](Lookup& l) { l.next_ready = now; }).next_ready;
}
inline std::vector<AttemptRow> overdue_attempts(Snapshot& snapshot, PlanKey plan, Timestamp now) {
    return ask(snapshot, plan, [&](Lookup& l) { l.overdue = now; }).overdue;
}
inline std::vector<AttemptRow> held_attempts(Snapshot& snapshot, PlanKey plan) {
    return ask(snapshot, plan, [](Lookup& l) { l.held = true; }).held;
}
/// Who holds an attempt, for a refusal.
inline std::string held_text(Snapshot& snapshot, const AttemptRow& row) {
    return "attempt " + std::to_string(row.attempt.idx) + " of stage:" + node(snapshot, row.stage).id +
           " is held by " + row.attempt.process_uid;
}
inline std::vector<ResultRow> results(Snapshot& snapshot, NodeKey check) {
    return ask(snapshot, {}, [&](Lookup& l) { l.results = {check}; }).results;
}
inline std::optional<ResultRow> find_result(Snapshot& snapshot, NodeKey check, OwnerType type,
                                            std::string_view owner) {
    return first_of(ask(snapshot, {}, [&](Lookup& l) {
                        l.single_results = {{check, type, std::string(owner)}};
                    }).results);
}
inline std::vector<ResultRow> open_results_of(Snapshot& snapshot, NodeKey stage, std::int32_t idx) {
    return ask(snapshot, {}, [&](Lookup& l) { l.open_results = {{stage, idx}}; }).open_results;
}
inline std::optional<Timestamp> last_beat(Snapshot& snapshot, std::string_view holder) {
    const auto beats = ask(snapshot, {}, [&](Lookup& l) { l.beats = {std::string(holder)}; }).beats;
    return beats.empty() ? std::nullopt : std::optional(beats.front().at);
}

}  // namespace turboci::service
