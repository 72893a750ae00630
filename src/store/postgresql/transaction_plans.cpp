// SPDX-License-Identifier: Apache-2.0
// The rows of plans as they change.
#include <array>

#include "store/postgresql/transaction.hpp"
#include "store/row_values.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

#define TURBOCI_INSERT_PLAN                               \
    "INSERT INTO turboci.plans(" TURBOCI_PLAN_COLUMNS     \
    ", next_node) VALUES($1, $2, $3, $4, $5, $6, $7, $8," \
    " $9, $10, $11, $12, $13, $14, $15, $16, $17)"
constexpr const char* kInsertPlan = TURBOCI_INSERT_PLAN;
constexpr const char* kTryInsertPlan = TURBOCI_INSERT_PLAN " ON CONFLICT (id) DO NOTHING RETURNING plan_key";
#undef TURBOCI_INSERT_PLAN
constexpr const char* kUpdatePlan =
    "UPDATE turboci.plans SET version = $2, labels = $3, clock_time = $4, clock_since_boot = $5,"
    " clock_boot_id = $6, limits = $7, cancelled_since = $8, cancelled_by = $9, cancelled_reason = $10"
    " WHERE plan_key = $1";

#define TURBOCI_OWN(table, key) "DELETE FROM turboci." table " WHERE " key " >= $1 AND " key " < $2"
constexpr std::array kDeleteByNode{
    TURBOCI_OWN("log_parts", "stage_key"),  TURBOCI_OWN("progress", "stage_key"),
    TURBOCI_OWN("attempts", "stage_key"),   TURBOCI_OWN("results", "check_key"),
    TURBOCI_OWN("goals", "check_key"),      TURBOCI_OWN("assignments", "stage_key"),
    TURBOCI_OWN("edges", "owner_key"),      TURBOCI_OWN("predicate_groups", "owner_key"),
    TURBOCI_OWN("node_bodies", "node_key"), TURBOCI_OWN("nodes", "node_key"),
};
#undef TURBOCI_OWN
constexpr std::array kDeleteByPlan{
    "DELETE FROM turboci.changes WHERE plan_key = $1",     "DELETE FROM turboci.writes WHERE plan_key = $1",
    "DELETE FROM turboci.operations WHERE plan_key = $1",  "DELETE FROM turboci.classes WHERE plan_key = $1",
    "DELETE FROM turboci.plan_counts WHERE plan_key = $1", "DELETE FROM turboci.plans WHERE plan_key = $1",
};

}  // namespace

PlanKey PostgresqlTransaction::insert_plan(const PlanRow& row) {
    const PlanKey key = reserve_plan();
    const std::optional<std::string_view> none;
    const auto from_id = row.from ? std::optional<std::string_view>(row.from->plan) : none;
    const auto from_identity = row.from ? std::optional<std::string_view>(row.from->identity) : none;
    const std::int64_t next = first_key(key) + 1;
    // Under the lock of the id nobody else can make a plan of it, and none was there.
    const bool is_sure = absent_ids_.erase(row.id) > 0;
    use_later_plan_values(row, [&](const auto&... values) {
        connection_.send(is_sure ? kInsertPlan : kTryInsertPlan,
                         Parameters(key, row.id, row.version, row.labels.text, row.created_at, row.clock.time,
                                    row.clock.since_boot, row.clock.boot_id, row.identity,
                                    row.older_rules_until, values..., from_id, from_identity, next),
                         !is_sure);
    });
    if (!is_sure && trip().at(0).empty())
        throw Error(ErrorCode::conflict, "plan '" + row.id + "' exists already", "choose another id")
            .because("ID_EXISTS");
    reserved_.reset();
    next_nodes_[key] = next;
    locked_plans_.insert(key);
    locked_ids_.insert(row.id);
    return key;
}

void PostgresqlTransaction::update_plan(const PlanRow& row) {
    use_later_plan_values(row, [&](const auto&... values) {
        connection_.run(kUpdatePlan, Parameters(row.key, row.version, row.labels.text, row.clock.time,
                                                row.clock.since_boot, row.clock.boot_id, values...));
    });
}

void PostgresqlTransaction::delete_plan(PlanKey plan) {
    for (const char* const sql : kDeleteByNode)
        connection_.run(sql, Parameters(first_key(plan), end_key(plan)));
    for (const char* const sql : kDeleteByPlan) connection_.run(sql, Parameters(plan));
}

}  // namespace turboci::postgresql
