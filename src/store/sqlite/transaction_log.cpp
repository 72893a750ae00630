// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/row_feed.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kInsertWrite(
    "INSERT INTO writes(plan_key, version, time, actor, reason, op_id, first_change, change_count)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
const Sql kInsertChange(
    "INSERT INTO changes(change_key, node_key, version, by_whom, changes) VALUES(?1, ?2, ?3, ?4, ?5)");
const Sql kInsertChanges(
    "INSERT INTO changes(change_key, node_key, version, by_whom, changes)"
    " SELECT c1, c2, c3, c4, c5 FROM turboci_feed");
const Sql kFindOperation("SELECT op_id, version, claimed FROM operations WHERE plan_key = ?1 AND op_id = ?2");
const Sql kOperations("SELECT op_id, version, claimed FROM operations WHERE plan_key = ?1 ORDER BY op_id");
const Sql kInsertOperation(
    "INSERT INTO operations(plan_key, op_id, version, claimed) VALUES(?1, ?2, ?3, ?4)");
// CROSS JOIN fixes the order of the loops: a write, its range of changes, the node of each.
const Sql kPlanLog(
    "SELECT w.version, w.time, w.actor, w.reason, w.op_id, c.by_whom, c.changes, n.type, n.id"
    " FROM writes AS w CROSS JOIN changes AS c LEFT JOIN nodes AS n ON n.node_key = c.node_key"
    " WHERE w.plan_key = ?1 AND w.version > ?2 AND c.change_key >= w.first_change"
    " AND c.change_key < w.first_change + w.change_count ORDER BY w.version, c.change_key");
const Sql kNodeLog(
    "SELECT w.version, w.time, w.actor, w.reason, w.op_id, c.by_whom, c.changes, n.type, n.id"
    " FROM changes AS c INDEXED BY changes_by_node CROSS JOIN writes AS w LEFT JOIN nodes AS n"
    " ON n.node_key = c.node_key WHERE c.node_key = ?3 AND c.node_key > 0 AND w.plan_key = ?1"
    " AND w.version = c.version AND c.version > ?2 ORDER BY c.change_key");

OperationRow read_operation(const Query& row) {
    return {.op_id = row.string(0), .version = row.integer(1), .claimed = unpack_claimed(row.text(2))};
}

void read_entries(Query&& row, const std::function<bool(const LogEntry&)>& visit) {
    LogEntry entry;
    while (row.step()) {
        entry.version = row.integer(0);
        entry.time = row.time(1);
        entry.actor = row.text(2);
        entry.reason = row.text(3);
        entry.op_id = row.text(4);
        entry.by = row.enumeration(5, Mover::writer, Mover::orchestrator);
        entry.changes.text = row.object(6);
        if (row.is_null(7))
            entry.node.reset();
        else
            entry.node = NodeRef{row.enumeration(7, NodeType::check, NodeType::stage), row.string(8)};
        if (!visit(entry)) return;
    }
}

}  // namespace

void SqliteTransaction::append_write(PlanKey plan, const WriteRow& write, const Rows<ChangeRow>& changes) {
    std::int64_t& key = counters().change;
    Query(db_, kInsertWrite, plan, write.version, write.time, write.actor, write.reason, write.op_id, key,
          changes.count)
        .run();
    const auto use_values = [&](const ChangeRow& row, auto&& use) {
        use(key++, row.node, write.version, row.by, row.changes);
    };
    std::size_t at = 0;
    if (changes.count < kFewRows) {
        for (; at < changes.count; ++at)
            use_values(changes.at(at),
                       [&](const auto&... values) { Query(db_, kInsertChange, values...).run(); });
        return;
    }
    RowFeed::run(db_, kInsertChanges, [&](RowFeed::Row& out) {
        if (at == changes.count) return false;
        use_values(changes.at(at++), [&](const auto&... values) { fill_row(out, values...); });
        return true;
    });
}

std::optional<OperationRow> SqliteTransaction::find_operation(PlanKey plan, std::string_view op_id) {
    Query row(db_, kFindOperation, plan, op_id);
    if (!row.step()) return std::nullopt;
    return read_operation(row);
}

void SqliteTransaction::insert_operation(PlanKey plan, const OperationRow& row) {
    const std::string claimed = pack_claimed(row.claimed);
    Query(db_, kInsertOperation, plan, row.op_id, row.version, claimed).run();
}

std::vector<OperationRow> SqliteTransaction::operations(PlanKey plan) {
    std::vector<OperationRow> all;
    Query row(db_, kOperations, plan);
    while (row.step()) all.push_back(read_operation(row));
    return all;
}

void SqliteTransaction::read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                                 const std::function<bool(const LogEntry&)>& visit) {
    count_trip();
    if (node)
        read_entries(Query(db_, kNodeLog, plan, since, *node), visit);
    else
        read_entries(Query(db_, kPlanLog, plan, since), visit);
}

}  // namespace turboci::sqlite
