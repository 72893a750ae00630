// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/edge_scan.hpp"

#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

namespace {

#define TURBOCI_TAKEN_COLUMNS "owner_key, role, group_no, target_key, target_type, on_state, on_when"
const Sql kScan("SELECT 1 FROM edges WHERE owner_key >= ?1 AND turboci_take(" TURBOCI_TAKEN_COLUMNS
                ") ORDER BY owner_key, role, position");
constexpr std::string_view kNames = TURBOCI_TAKEN_COLUMNS;
#undef TURBOCI_TAKEN_COLUMNS

}  // namespace

EdgeScan::EdgeScan(Database& db, std::int64_t first_owner) : RowScan(db, kScan, kNames, first_owner) {}

void EdgeScan::next(std::vector<EdgeRow>& edges, std::size_t count) {
    edges.clear();
    edges_ = &edges;
    wanted_ = count;
    step();
    db().count_rows(static_cast<std::int64_t>(edges.size()));
}

bool EdgeScan::take(const RowValues& row) {
    EdgeRow& edge = edges_->emplace_back();
    edge.owner = row.node(0);
    if (edge.owner < NodeKey{1}) row.bad_column(0);
    edge.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
    edge.group = row.index(2);
    edge.target = row.node(3);
    const NodeType target_type = row.enumeration(4, NodeType::check, NodeType::stage);
    edge.on_state = decode_state(target_type, row.integer(5));
    edge.when = row.enumeration(6, When::success, When::always);
    // Positions count up from 0 in the order of reading.
    if (edge.owner == last_.owner && edge.role == last_.role) edge.position = last_.position + 1;
    last_ = edge;
    return edges_->size() >= wanted_;
}

}  // namespace turboci::sqlite
