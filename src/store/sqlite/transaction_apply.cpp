// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

// From here on it pays to make indexes after the rows.
constexpr std::size_t kBulkRows = 20'000;

template <class Row, class Use>
void each(const Rows<Row>& rows, Use&& use) {
    for (std::size_t i = 0; i < rows.count; ++i) use(rows.at(i));
}

}  // namespace

PlanKey SqliteTransaction::apply(const ChangeSet& c) {
    if (!open_) throw Error(ErrorCode::internal, "the transaction is over");
    count_trip();
    scanner_.forget();
    PlanKey plan = c.plan;
    if (c.deletes_plan) delete_plan(plan);
    if (c.plan_row && c.plan_row->key == PlanKey{})
        plan = insert_plan(*c.plan_row);
    else if (c.plan_row)
        update_plan(*c.plan_row);
    for (const PredicateName& name : c.dropped) drop_predicate(name);
    const bool bulk = c.created.count + c.edges.count >= kBulkRows;
    if (bulk) begin_bulk_insert();
    insert_nodes(plan, c.created, c.created_bodies);
    each(c.new_groups, [&](const GroupRow& row) { insert_group(row); });
    insert_edges(c.edges);
    if (bulk) end_bulk_insert();
    each(c.nodes, [&](const NodeRow& row) { update_node(row); });
    each(c.bodies, [&](const BodyRow& row) { put_body(row); });
    each(c.groups, [&](const GroupRow& row) { update_group(row); });
    each(c.assignments, [&](const AssignmentRow& row) { insert_assignment(row); });
    each(c.goals, [&](const GoalRow& row) { put_goal(row); });
    for (const ClassRow& row : c.new_classes) insert_class(plan, row);
    each(c.new_attempts, [&](const AttemptRow& row) { insert_attempt(plan, row); });
    each(c.attempts, [&](const AttemptRow& row) { update_attempt(row); });
    each(c.progress, [&](const ProgressRow& row) { add_progress(row); });
    each(c.new_results, [&](const ResultRow& row) { insert_result(row); });
    each(c.results, [&](const ResultRow& row) { update_result(row); });
    add_counts(plan, c.counts);
    if (c.write) append_write(plan, *c.write, c.changes);
    if (c.operation) insert_operation(plan, *c.operation);
    change_log_parts(c);
    change_beats(c);
    return plan;
}

}  // namespace turboci::sqlite
