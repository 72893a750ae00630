// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/row_feed.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kGroups("SELECT " TURBOCI_GROUP_COLUMNS
                  " FROM predicate_groups WHERE owner_key = ?1 ORDER BY role, group_no");
const Sql kGroup("SELECT " TURBOCI_GROUP_COLUMNS
                 " FROM predicate_groups WHERE owner_key = ?1 AND role = ?2 AND group_no = ?3");
const Sql kInsertGroup("INSERT INTO predicate_groups(" TURBOCI_GROUP_COLUMNS
                       ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
const Sql kUpdateGroup(
    "UPDATE predicate_groups SET kind = ?4, threshold = ?5, unresolved = ?6, satisfied = ?7, resolution = ?8"
    " WHERE owner_key = ?1 AND role = ?2 AND group_no = ?3");
const Sql kEdgesOf("SELECT " TURBOCI_EDGE_COLUMNS
                   " FROM edges WHERE owner_key = ?1 AND role = ?2 ORDER BY position");
const Sql kEdgesTo(
    "SELECT " TURBOCI_EDGE_COLUMNS
    " FROM edges INDEXED BY edges_by_target WHERE target_key = ?1 AND on_state > ?2 AND on_state <= ?3");
const Sql kInsertEdge("INSERT INTO edges(" TURBOCI_EDGE_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
const Sql kInsertEdges("INSERT INTO edges(" TURBOCI_EDGE_COLUMNS
                       ") SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM turboci_feed");
const Sql kDeleteGroups("DELETE FROM predicate_groups WHERE owner_key = ?1 AND role = ?2");
const Sql kDeleteEdges("DELETE FROM edges WHERE owner_key = ?1 AND role = ?2");

/// The values of TURBOCI_EDGE_COLUMNS.
template <class Use>
void use_values(const EdgeRow& row, NodeType target_type, Use&& use) {
    use(row.owner, row.role, row.position, row.group, row.target, target_type,
        state_number(target_type, row.on_state), row.when);
}

}  // namespace

std::vector<GroupRow> SqliteTransaction::groups(NodeKey owner) {
    std::vector<GroupRow> all;
    Query row(db_, kGroups, owner);
    while (row.step()) read_group(row, all.emplace_back());
    return all;
}

std::optional<GroupRow> SqliteTransaction::group(NodeKey owner, PredicateRole role, std::int32_t group) {
    Query row(db_, kGroup, owner, role, group);
    if (!row.step()) return std::nullopt;
    GroupRow found;
    read_group(row, found);
    return found;
}

void SqliteTransaction::insert_group(const GroupRow& row) {
    const GroupCount& c = row.count;
    Query(db_, kInsertGroup, row.owner, row.role, row.group, row.parent, c.kind, c.threshold, c.unresolved,
          c.satisfied, c.resolution, row.since)
        .run();
}

void SqliteTransaction::update_group(const GroupRow& row) {
    const GroupCount& c = row.count;
    Query(db_, kUpdateGroup, row.owner, row.role, row.group, c.kind, c.threshold, c.unresolved, c.satisfied,
          c.resolution)
        .run();
}

std::vector<EdgeRow> SqliteTransaction::edges_of(NodeKey owner, PredicateRole role) {
    std::vector<EdgeRow> all;
    Query row(db_, kEdgesOf, owner, role);
    while (row.step()) read_edge(row, all.emplace_back());
    return all;
}

std::vector<EdgeRow> SqliteTransaction::edges_to(NodeKey target, int after, int up_to) {
    std::vector<EdgeRow> all;
    {
        Query row(db_, kEdgesTo, target, after, up_to);
        while (row.step()) read_edge(row, all.emplace_back());
    }
    // The index has them by state first; usually there is one state, and nothing to do.
    const auto order = [](const EdgeRow& e) { return std::tuple(e.owner, e.role, e.position); };
    if (!std::ranges::is_sorted(all, {}, order)) std::ranges::sort(all, {}, order);
    return all;
}

void SqliteTransaction::insert_edges(const Rows<TypedEdge>& edges) {
    std::size_t at = 0;
    if (edges.count < kFewRows) {
        for (; at < edges.count; ++at) {
            const TypedEdge& e = edges.at(at);
            use_values(e.edge, e.target_type,
                       [&](const auto&... values) { Query(db_, kInsertEdge, values...).run(); });
        }
        return;
    }
    RowFeed::run(db_, kInsertEdges, [&](RowFeed::Row& out) {
        if (at == edges.count) return false;
        const TypedEdge& e = edges.at(at++);
        use_values(e.edge, e.target_type, [&](const auto&... values) { fill_row(out, values...); });
        return true;
    });
}

void SqliteTransaction::drop_predicate(const PredicateName& name) {
    Query(db_, kDeleteGroups, name.owner, name.role).run();
    Query(db_, kDeleteEdges, name.owner, name.role).run();
}

}  // namespace turboci::sqlite
