// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/node_table.hpp"

#include <algorithm>

#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

namespace {

const Sql kInRange("SELECT " TURBOCI_NODE_COLUMNS
                   " FROM nodes WHERE node_key >= ?1 AND node_key <= ?2 ORDER BY node_key");
const Sql kByKey("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");

}  // namespace

void NodeTable::load(Database& db, const NodeRange& range, std::size_t expected) {
    nodes_.reserve(expected);
    bytes_.reserve(expected * 48);
    if (range.scan) {
        Query row(db, kInRange, range.first, range.last);
        while (row.step())
            if (row.plan(1) == plan_) add(row);
        return;
    }
    for (const NodeKey key : range.keys) {
        Query row(db, kByKey, key);
        if (row.step()) add(row);
    }
}

void NodeTable::add(const Query& row) {
    PackedNode n{};
    n.key = row.integer(0);
    n.type = row.enumeration(2, NodeType::check, NodeType::stage);
    const std::string_view id = row.text(3);
    const std::string_view kind_text = row.text(4);
    const std::span<const std::byte> packed = row.blob(10);
    if (id.size() > 0xFFFF || packed.size() > 0xFF) throw_damaged("a node has an impossible size");
    n.text = bytes_.size();
    n.id_size = static_cast<std::uint16_t>(id.size());
    n.kind_size = static_cast<std::uint32_t>(kind_text.size());
    n.history_size = static_cast<std::uint8_t>(packed.size());
    bytes_.append(id).append(reinterpret_cast<const char*>(packed.data()), packed.size()).append(kind_text);
    n.state = decode_state(n.type, row.integer(5));
    if (!row.is_null(6))
        n.outcome = static_cast<std::uint8_t>(row.enumeration(6, Outcome::passed, Outcome::cancelled));
    if (!row.is_null(7))
        n.concluded_reason = static_cast<std::uint8_t>(
            row.enumeration(7, ConcludedReason::attempt_complete, ConcludedReason::group_unsatisfied));
    n.version = row.integer(8);
    n.updated_at = row.integer(9);
    n.dependencies = read_count(row, 11);
    n.dependencies_since = row.integer(16);
    n.attempt = row.small(17);
    n.has_continuation = row.boolean(18);
    nodes_.push_back(n);
}

const PackedNode* NodeTable::find(std::int64_t key) const noexcept {
    if (nodes_.empty() || key < nodes_.front().key || key > nodes_.back().key) return nullptr;
    // Keys of one plan have gaps only where another plan was written in between.
    const auto guess = static_cast<std::size_t>(key - nodes_.front().key);
    if (guess < nodes_.size() && nodes_[guess].key == key) return &nodes_[guess];
    const auto it = std::ranges::lower_bound(nodes_, key, {}, &PackedNode::key);
    return it != nodes_.end() && it->key == key ? &*it : nullptr;
}

std::span<const std::byte> NodeTable::history(const PackedNode& n) const {
    return std::as_bytes(std::span(bytes_.data() + n.text + n.id_size, n.history_size));
}

void NodeTable::unpack(const PackedNode& n, NodeRow& row) const {
    row.key = NodeKey{n.key};
    row.plan = plan_;
    row.type = n.type;
    row.id = id(n);
    row.kind = kind(n);
    row.state = n.state;
    row.outcome = n.outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(n.outcome));
    row.concluded_reason = n.concluded_reason == 0
                               ? std::nullopt
                               : std::optional(static_cast<ConcludedReason>(n.concluded_reason));
    row.version = n.version;
    row.updated_at = Timestamp(Duration(n.updated_at));
    unpack_history(n.type, history(n), row.history);
    row.dependencies = n.dependencies;
    row.dependencies_since = Timestamp(Duration(n.dependencies_since));
    row.attempt = n.attempt;
    row.has_continuation = n.has_continuation;
}

void NodeTable::unpack(const PackedNode& n, EdgeRecord& edge) const {
    edge.target.type = n.type;
    edge.target.id = id(n);
    edge.target_state = n.state;
    edge.target_outcome = n.outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(n.outcome));
    unpack_history(n.type, history(n), edge.target_history);
}

}  // namespace turboci::sqlite
