// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/node_table.hpp"

#include <algorithm>
#include <cstddef>

#include "os/memory.hpp"
#include "store/sqlite/row_scan.hpp"

namespace turboci::sqlite {

namespace {

const Sql kInRange(
    "SELECT 1 FROM nodes WHERE node_key >= ?1 AND node_key <= ?2 AND turboci_take(" TURBOCI_NODE_COLUMNS
    ") ORDER BY node_key");
const Sql kByKey("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");

static_assert(offsetof(PackedTarget, key) == 0 &&
              offsetof(PackedTarget, skip_cause) + 1 == PackedTarget::kBytes);

std::optional<Outcome> outcome_of(const PackedTarget& t) {
    return t.outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(t.outcome));
}

}  // namespace

void NodeTable::reserve(std::size_t nodes) {
    nodes_.reserve(nodes);
    places_.reserve(nodes);
    bytes_.reserve(nodes * 64);
    prefer_huge_pages(nodes_.data(), nodes_.capacity() * sizeof(PackedNode));
    prefer_huge_pages(bytes_.data(), bytes_.capacity());
}

template <class Row>
void NodeTable::add(const Columns<Row>& row) {
    PackedTarget t{};
    t.key = row.integer(0);
    t.type = row.enumeration(2, NodeType::check, NodeType::stage);
    const std::string_view id = row.text(3);
    const std::string_view kind = row.text(4);
    const std::span<const std::byte> packed = row.blob(10);
    if (id.size() > 0xFFFF || packed.size() > 0xFF) throw_damaged("a node has an impossible size");
    t.id_size = static_cast<std::uint16_t>(id.size());
    t.kind_size = static_cast<std::uint32_t>(kind.size());
    t.history_size = static_cast<std::uint8_t>(packed.size());
    t.state = decode_state(t.type, row.integer(5));
    if (!row.is_null(6))
        t.outcome = static_cast<std::uint8_t>(row.enumeration(6, Outcome::passed, Outcome::cancelled));
    PackedNode n{};
    if (!row.is_null(7))
        t.concluded_reason =
            static_cast<std::uint8_t>(row.enumeration(7, ConcludedReason::attempt_complete, kLastReason));
    n.version = row.integer(8);
    n.updated_at = row.integer(9);
    n.dependencies = read_count(row, 11);
    n.dependencies_since = row.integer(16);
    n.attempt = row.small(17);
    t.has_continuation = row.boolean(18);
    t.required = row.boolean(19);
    if (!row.is_null(20))
        t.skip_cause =
            static_cast<std::uint8_t>(row.enumeration(20, SkipCause::upstream, SkipCause::not_needed));
    places_.push_back(bytes_.size());
    bytes_.append(reinterpret_cast<const char*>(&t), PackedTarget::kBytes)
        .append(id)
        .append(reinterpret_cast<const char*>(packed.data()), packed.size())
        .append(kind);
    nodes_.push_back(n);
}

/// All nodes of a range, in one step.
class NodeTable::Scan final : RowScan {
public:
    Scan(NodeTable& table, Database& db, const NodeRange& range)
        : RowScan(db, kInRange, TURBOCI_NODE_COLUMNS, range.first, range.last), table_(table) {}
    void run() {
        step();
        db().count_rows(rows_);
    }

private:
    bool take(const RowValues& row) override {
        ++rows_;
        if (row.plan(1) == table_.plan_) table_.add(row);
        return false;
    }
    NodeTable& table_;
    std::int64_t rows_ = 0;
};

void NodeTable::load(Database& db, const NodeRange& range) {
    if (range.scan) {
        Scan(*this, db, range).run();
    } else {
        for (const NodeKey key : range.keys) {
            Query row(db, kByKey, key);
            if (row.step()) add(row);
        }
    }
    if (!nodes_.empty()) first_key_ = key(0);
}

void NodeTable::append(const NodeTable& other) {
    for (const std::size_t place : other.places_) places_.push_back(bytes_.size() + place);
    nodes_.insert(nodes_.end(), other.nodes_.begin(), other.nodes_.end());
    bytes_ += other.bytes_;
    if (!nodes_.empty()) first_key_ = key(0);
}

void NodeTable::clear() noexcept {
    nodes_.clear();
    places_.clear();
    bytes_.clear();
}

void NodeTable::expect_place(std::int64_t key) const noexcept {
    const std::size_t place = guess(key);
    if (place < places_.size()) __builtin_prefetch(&places_[place]);
}

void NodeTable::expect(std::int64_t key) const noexcept {
    const std::size_t place = guess(key);
    if (place >= places_.size()) return;
    const char* bytes = bytes_.data() + places_[place];
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
}

std::size_t NodeTable::find(std::int64_t key) const {
    // Keys of one plan have gaps only where another plan was written in between.
    const std::size_t place = guess(key);
    if (place < size() && this->key(place) == key) return place;
    const auto key_at = [this](const std::size_t& bytes) {
        std::int64_t k = 0;
        std::memcpy(&k, bytes_.data() + bytes, sizeof k);
        return k;
    };
    const auto it = std::ranges::lower_bound(places_, key, {}, key_at);
    if (it == places_.end() || key_at(*it) != key)
        throw_damaged("an edge or assignment leads to a node that is not there");
    return static_cast<std::size_t>(it - places_.begin());
}

std::string_view NodeTable::id(std::size_t node) const { return {text(node), target(node).id_size}; }

void NodeTable::unpack(std::size_t node, NodeRow& row) const {
    const PackedTarget t = target(node);
    const PackedNode& n = nodes_[node];
    const char* text = this->text(node);
    row.key = NodeKey{t.key};
    row.plan = plan_;
    row.type = t.type;
    row.id.assign(text, t.id_size);
    text += t.id_size;
    unpack_history(t.type, std::as_bytes(std::span(text, t.history_size)), row.history);
    row.kind.assign(text + t.history_size, t.kind_size);
    row.state = t.state;
    row.outcome = outcome_of(t);
    row.concluded_reason = t.concluded_reason == 0
                               ? std::nullopt
                               : std::optional(static_cast<ConcludedReason>(t.concluded_reason));
    row.version = n.version;
    row.updated_at = Timestamp(Duration(n.updated_at));
    row.dependencies = n.dependencies;
    row.dependencies_since = Timestamp(Duration(n.dependencies_since));
    row.attempt = n.attempt;
    row.has_continuation = t.has_continuation;
    row.required = t.required;
    row.skip_cause = t.skip_cause == 0 ? std::nullopt : std::optional(static_cast<SkipCause>(t.skip_cause));
}

void NodeTable::unpack(std::size_t node, EdgeRecord& edge) const {
    const PackedTarget t = target(node);
    const char* text = this->text(node);
    edge.target.type = t.type;
    edge.target.id.assign(text, t.id_size);
    edge.target_state = t.state;
    edge.target_outcome = outcome_of(t);
    read_reached(t.type, t.state, std::as_bytes(std::span(text + t.id_size, t.history_size)), edge);
}

}  // namespace turboci::sqlite
