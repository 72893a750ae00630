// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kAssignmentsOf(
    "SELECT stage_key, position, check_key, goal FROM assignments WHERE stage_key = ?1 ORDER BY position");
const Sql kAssignmentsTo(
    "SELECT stage_key, position, check_key, goal FROM assignments INDEXED BY assignments_by_check"
    " WHERE check_key = ?1 ORDER BY stage_key, position");
const Sql kInsertAssignment(
    "INSERT INTO assignments(stage_key, position, check_key, goal) VALUES(?1, ?2, ?3, ?4)");
const Sql kGoals("SELECT check_key, goal, stages, open FROM goals WHERE check_key = ?1 ORDER BY goal");
const Sql kPutGoal(
    "INSERT INTO goals(check_key, goal, stages, open) VALUES(?1, ?2, ?3, ?4)"
    " ON CONFLICT DO UPDATE SET stages = excluded.stages, open = excluded.open");

std::vector<AssignmentRow> read_assignments(Query&& row) {
    std::vector<AssignmentRow> all;
    while (row.step())
        all.push_back(
            {row.node(0), row.small(1), row.node(2), decode_state(NodeType::check, row.integer(3))});
    return all;
}

}  // namespace

std::vector<AssignmentRow> SqliteTransaction::assignments_of(NodeKey stage) {
    return read_assignments(Query(db_, kAssignmentsOf, stage));
}

std::vector<AssignmentRow> SqliteTransaction::assignments_to(NodeKey check) {
    return read_assignments(Query(db_, kAssignmentsTo, check));
}

void SqliteTransaction::insert_assignment(const AssignmentRow& row) {
    Query(db_, kInsertAssignment, row.stage, row.position, row.check, state_number(NodeType::check, row.goal))
        .run();
}

std::vector<GoalRow> SqliteTransaction::goals(NodeKey check) {
    std::vector<GoalRow> all;
    Query row(db_, kGoals, check);
    while (row.step())
        all.push_back(
            {row.node(0), decode_state(NodeType::check, row.integer(1)), row.small(2), row.small(3)});
    return all;
}

void SqliteTransaction::put_goal(const GoalRow& row) {
    Query(db_, kPutGoal, row.check, state_number(NodeType::check, row.goal), row.stages, row.open).run();
}

}  // namespace turboci::sqlite
