// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <array>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kFindPlan("SELECT " TURBOCI_PLAN_COLUMNS " FROM plans WHERE id = ?1");
const Sql kAllPlans("SELECT " TURBOCI_PLAN_COLUMNS " FROM plans ORDER BY plan_key");
const Sql kInsertPlan("INSERT INTO plans(" TURBOCI_PLAN_COLUMNS
                      ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
const Sql kUpdatePlan(
    "UPDATE plans SET version = ?2, labels = ?3, clock_time = ?4, clock_since_boot = ?5, clock_boot_id = ?6,"
    " limits = ?7, cancelled_since = ?8, cancelled_by = ?9, cancelled_reason = ?10"
    " WHERE plan_key = ?1");
const Sql kCounts(
    "SELECT type, state, outcome, count FROM plan_counts WHERE plan_key = ?1 AND count <> 0"
    " ORDER BY type, state, outcome");
const Sql kAddCount(
    "UPDATE plan_counts SET count = count + ?5 WHERE plan_key = ?1 AND type = ?2 AND state = ?3"
    " AND outcome = ?4");
const Sql kInsertCount(
    "INSERT INTO plan_counts(plan_key, type, state, outcome, count) VALUES(?1, ?2, ?3, ?4, ?5)");

#define TURBOCI_OWN_NODES "(SELECT node_key FROM nodes INDEXED BY nodes_by_id WHERE plan_key = ?1)"
// In this order: what is found through nodes and writes goes before them.
const std::array<Sql, 16> kDeletePlan{
    Sql("DELETE FROM log_parts WHERE stage_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM progress WHERE stage_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM attempts WHERE stage_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM results WHERE check_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM goals WHERE check_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM assignments WHERE stage_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM edges WHERE owner_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM predicate_groups WHERE owner_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM node_bodies WHERE node_key IN " TURBOCI_OWN_NODES),
    // By key, so that the changes of the plan itself go too; each write names its own.
    Sql("DELETE FROM changes WHERE change_key IN (SELECT c.change_key FROM writes AS w CROSS JOIN changes AS "
        "c"
        " WHERE w.plan_key = ?1 AND c.change_key >= w.first_change"
        " AND c.change_key < w.first_change + w.change_count)"),
    Sql("DELETE FROM writes WHERE plan_key = ?1"),
    Sql("DELETE FROM operations WHERE plan_key = ?1"),
    Sql("DELETE FROM classes WHERE plan_key = ?1"),
    Sql("DELETE FROM plan_counts WHERE plan_key = ?1"),
    Sql("DELETE FROM nodes WHERE node_key IN " TURBOCI_OWN_NODES),
    Sql("DELETE FROM plans WHERE plan_key = ?1"),
};
#undef TURBOCI_OWN_NODES

}  // namespace

std::optional<PlanRow> SqliteTransaction::find_plan(std::string_view id) {
    count_trip();
    Query row(db_, kFindPlan, id);
    if (!row.step()) return std::nullopt;
    return read_plan(row);
}

std::vector<PlanRow> SqliteTransaction::plans() {
    count_trip();
    std::vector<PlanRow> all;
    Query row(db_, kAllPlans);
    while (row.step()) all.push_back(read_plan(row));
    return all;
}

PlanKey SqliteTransaction::insert_plan(const PlanRow& row) {
    if (find_plan(row.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists already", row.id), "choose another id")
            .because("ID_EXISTS");
    const PlanKey key{counters().plan++};
    const std::optional<std::string_view> none;
    const auto from_id = row.from ? std::optional<std::string_view>(row.from->plan) : none;
    const auto from_identity = row.from ? std::optional<std::string_view>(row.from->identity) : none;
    use_later_plan_values(row, [&](const auto&... values) {
        Query(db_, kInsertPlan, key, row.id, row.version, row.labels.text, row.created_at, row.clock.time,
              row.clock.since_boot, row.clock.boot_id, row.identity, row.older_rules_until, values...,
              from_id, from_identity)
            .run();
    });
    return key;
}

void SqliteTransaction::update_plan(const PlanRow& row) {
    use_later_plan_values(row, [&](const auto&... values) {
        Query(db_, kUpdatePlan, row.key, row.version, row.labels.text, row.clock.time, row.clock.since_boot,
              row.clock.boot_id, values...)
            .run();
    });
}

void SqliteTransaction::delete_plan(PlanKey plan) {
    for (const Sql& statement : kDeletePlan) Query(db_, statement, plan).run();
}

std::vector<StateCount> SqliteTransaction::counts(PlanKey plan) {
    std::vector<StateCount> all;
    Query row(db_, kCounts, plan);
    while (row.step()) {
        StateCount count;
        count.type = row.enumeration(0, NodeType::check, NodeType::stage);
        count.state = decode_state(count.type, row.integer(1));
        count.outcome = decode_outcome(row.integer(2));
        count.count = row.integer(3);
        all.push_back(count);
    }
    return all;
}

void SqliteTransaction::add_counts(PlanKey plan, std::span<const StateCount> differences) {
    for (const StateCount& d : differences) {
        const int state = state_number(d.type, d.state);
        const int outcome = d.outcome ? static_cast<int>(*d.outcome) : 0;
        Query add(db_, kAddCount, plan, d.type, state, outcome, d.count);
        add.run();
        if (add.changes() == 0) Query(db_, kInsertCount, plan, d.type, state, outcome, d.count).run();
    }
}

}  // namespace turboci::sqlite
