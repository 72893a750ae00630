// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/row_feed.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

// Most names that are looked up are new or wanted by key too: one statement more, but a short one.
const Sql kFindNode("SELECT node_key FROM nodes WHERE plan_key = ?1 AND type = ?2 AND id = ?3");
const Sql kInsertNode("INSERT INTO nodes(" TURBOCI_NODE_COLUMNS
                      ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
                      "?18, ?19, ?20, ?21)");
const Sql kInsertNodes("INSERT INTO nodes(" TURBOCI_NODE_COLUMNS
                       ") SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17,"
                       " c18, c19, c20, c21 FROM turboci_feed");
const Sql kUpdateNode(
    "UPDATE nodes SET state = ?2, outcome = ?3, concluded_reason = ?4, version = ?5, updated_at = ?6,"
    " history = ?7, group_kind = ?8, threshold = ?9, unresolved = ?10, satisfied = ?11, resolution = ?12,"
    " dependencies_since = ?13, attempt = ?14, has_continuation = ?15, required = ?16, skip_cause = ?17"
    " WHERE node_key = ?1");
const Sql kOpenNodes("SELECT node_key FROM nodes WHERE plan_key = ?1 AND state < 40 ORDER BY node_key");
const Sql kBody("SELECT " TURBOCI_BODY_COLUMNS " FROM node_bodies WHERE node_key = ?1");
#define TURBOCI_BODY_VALUES \
    "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19"
const Sql kInsertBody("INSERT INTO node_bodies(node_key, " TURBOCI_BODY_COLUMNS
                      ") VALUES(" TURBOCI_BODY_VALUES ")");
const Sql kInsertBodies("INSERT INTO node_bodies(node_key, " TURBOCI_BODY_COLUMNS
                        ") SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17,"
                        " c18, c19 FROM turboci_feed");
const Sql kPutBody(
    "INSERT INTO node_bodies(node_key, " TURBOCI_BODY_COLUMNS ") VALUES(" TURBOCI_BODY_VALUES
    ") ON CONFLICT DO UPDATE SET json = excluded.json,"
    " max_retries = excluded.max_retries, backoff = excluded.backoff, timeout = excluded.timeout,"
    " heartbeat = excluded.heartbeat, message = excluded.message, condition = excluded.condition,"
    " silence = excluded.silence, runner = excluded.runner, uses = excluded.uses,"
    " max_backoff = excluded.max_backoff, retry_on = excluded.retry_on, on_interrupt = "
    "excluded.on_interrupt");
#undef TURBOCI_BODY_VALUES
const Sql kDeleteBody("DELETE FROM node_bodies WHERE node_key = ?1");
const Sql kAnyNode("SELECT 1 FROM nodes LIMIT 1");
// Their rows come in an order that is not theirs.
constexpr std::array<std::string_view, 2> kLateIndexes{"nodes_by_id", "edges_by_target"};

void save_body(Database& db, const Sql& how, NodeKey key, const NodeBody& body) {
    use_values(key, body, BodyTexts(body), [&](const auto&... values) { Query(db, how, values...).run(); });
}

}  // namespace

std::optional<NodeRow> SqliteTransaction::find_node(PlanKey plan, NodeType type, std::string_view id) {
    Query row(db_, kFindNode, plan, type, id);
    if (!row.step()) return std::nullopt;
    return node(row.node(0));
}

NodeRow SqliteTransaction::node(NodeKey key) {
    NodeRow node;
    if (!read_node(db_, key, node))
        throw_damaged(fmt::format("there is no node {}", static_cast<std::int64_t>(key)));
    return node;
}

void SqliteTransaction::use_key(NodeKey key) {
    const auto number = static_cast<std::int64_t>(key);
    if (number < counters().node)
        throw Error(ErrorCode::internal, fmt::format("node key {} is used up", number));
    counters().node = number + 1;
}

void SqliteTransaction::insert_nodes(PlanKey plan, const Rows<NodeRow>& nodes, const Rows<NodeBody>& bodies) {
    const std::size_t count = nodes.count;
    if (count < kFewRows) {
        for (std::size_t i = 0; i < count; ++i) {
            const NodeRow& node = nodes.at(i);
            const NodeKey key = node.key;
            use_key(key);
            use_values(plan, node, PackedHistory(node.type, node.history),
                       [&](const auto&... values) { Query(db_, kInsertNode, values...).run(); });
            if (const NodeBody& body = bodies.at(i); body != NodeBody{})
                save_body(db_, kInsertBody, key, body);
        }
        return;
    }
    std::vector<NodeKey> keys;
    keys.reserve(count);
    std::optional<PackedHistory> history;
    RowFeed::run(db_, kInsertNodes, [&](RowFeed::Row& out) {
        if (keys.size() == count) return false;
        const NodeRow& node = nodes.at(keys.size());
        keys.push_back(node.key);
        use_key(node.key);
        history.emplace(node.type, node.history);
        use_values(plan, node, *history, [&](const auto&... values) { fill_row(out, values...); });
        return true;
    });
    std::size_t at = 0;
    std::optional<BodyTexts> texts;
    RowFeed::run(db_, kInsertBodies, [&](RowFeed::Row& out) {
        static const NodeBody kNone;
        const NodeBody* found = &kNone;
        while (at < count && *(found = &bodies.at(at)) == kNone) ++at;
        if (at == count) return false;
        texts.emplace(*found);
        use_values(keys[at++], *found, *texts, [&](const auto&... values) { fill_row(out, values...); });
        return true;
    });
}

void SqliteTransaction::begin_bulk_insert() {
    // With rows of other writes there, making an index anew may cost more than keeping it.
    if (Query(db_, kAnyNode).step()) return;
    for (const std::string_view name : kLateIndexes) db_.exec(fmt::format("DROP INDEX {}", name).c_str());
    indexes_dropped_ = true;
    spills_before_ = db_.spills();
}

void SqliteTransaction::end_bulk_insert() {
    if (!indexes_dropped_) return;
    // Pages that were driven out to the file already leave their room to sorting. Before that none must be: a
    // write that keeps its pages to itself keeps nobody from reading, and changes nothing if it is a dry run.
    std::optional<FewPages> few_pages;
    if (db_.spills() > spills_before_) few_pages.emplace(db_);
    for (const SchemaObject& object : newest_schema())
        if (std::ranges::find(kLateIndexes, object.name) != kLateIndexes.end()) db_.exec(object.sql);
    indexes_dropped_ = false;
}

void SqliteTransaction::update_node(const NodeRow& row) {
    const PackedHistory history(row.type, row.history);
    const GroupCount& count = row.dependencies;
    Query(db_, kUpdateNode, row.key, state_number(row.type, row.state), row.outcome, row.concluded_reason,
          row.version, row.updated_at, history.bytes(), count.kind, count.threshold, count.unresolved,
          count.satisfied, count.resolution, row.dependencies_since, row.attempt, row.has_continuation,
          row.required, row.skip_cause)
        .run();
}

std::vector<NodeKey> SqliteTransaction::open_nodes(PlanKey plan) {
    std::vector<NodeKey> keys;
    Query row(db_, kOpenNodes, plan);
    while (row.step()) keys.push_back(row.node(0));
    return keys;
}

NodeBody SqliteTransaction::body(NodeKey key) {
    NodeBody body;
    Query row(db_, kBody, key);
    if (row.step()) read_body(row, 0, body);
    return body;
}

void SqliteTransaction::put_body(const BodyRow& row) {
    if (row.body == NodeBody{})
        Query(db_, kDeleteBody, row.node).run();
    else
        save_body(db_, kPutBody, row.node, row.body);
}

void SqliteTransaction::scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) {
    count_trip();
    scanner_.scan(plan, what, NodeKey{counters().node}, take);
}

}  // namespace turboci::sqlite
