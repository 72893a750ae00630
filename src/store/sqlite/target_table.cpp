// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/target_table.hpp"

#include <algorithm>
#include <cstddef>

#include "os/memory.hpp"
#include "store/sqlite/row_scan.hpp"

namespace turboci::sqlite {

namespace {

#define TURBOCI_TARGET_COLUMNS "node_key, plan_key, type, id, state, outcome, history, skip_cause"
constexpr std::string_view kNames = TURBOCI_TARGET_COLUMNS;
const Sql kInRange(
    "SELECT 1 FROM nodes WHERE node_key >= ?1 AND node_key <= ?2 AND turboci_take(" TURBOCI_TARGET_COLUMNS
    ") ORDER BY node_key");
#undef TURBOCI_TARGET_COLUMNS

}  // namespace

/// All nodes of a range, in one step.
class TargetTable::Scan final : RowScan {
public:
    Scan(TargetTable& table, Database& db, const KeyRange& range)
        : RowScan(db, kInRange, kNames, range.first, range.last), table_(table) {}
    void run() {
        step();
        db().count_rows(rows_);
    }

private:
    bool take(const RowValues& row) override {
        ++rows_;
        if (row.plan(1) != table_.plan_) return false;
        Head head{};
        head.key = row.integer(0);
        head.type = row.enumeration(2, NodeType::check, NodeType::stage);
        head.state = decode_state(head.type, row.integer(4));
        if (!row.is_null(5))
            head.outcome = static_cast<std::uint8_t>(row.enumeration(5, Outcome::passed, Outcome::cancelled));
        if (!row.is_null(7))
            head.skip_cause =
                static_cast<std::uint8_t>(row.enumeration(7, SkipCause::upstream, SkipCause::not_needed));
        table_.add(head, row.text(3), row.blob(6));
        return false;
    }
    TargetTable& table_;
    std::int64_t rows_ = 0;
};

void TargetTable::reserve(std::size_t nodes) {
    places_.reserve(nodes);
    bytes_.reserve(nodes * 48);
    prefer_huge_pages(bytes_.data(), bytes_.capacity());
}

void TargetTable::add(const Head& head, std::string_view id, std::span<const std::byte> history) {
    static_assert(offsetof(Head, key) == 0 && offsetof(Head, skip_cause) + 1 == Head::kBytes);
    if (id.size() > 0xFFFF || history.size() > 0xFF) throw_damaged("a node has an impossible size");
    Head sized = head;
    sized.id_size = static_cast<std::uint16_t>(id.size());
    sized.history_size = static_cast<std::uint8_t>(history.size());
    if (places_.empty()) first_key_ = head.key;
    places_.push_back(bytes_.size());
    bytes_.append(reinterpret_cast<const char*>(&sized), Head::kBytes)
        .append(id)
        .append(reinterpret_cast<const char*>(history.data()), history.size());
}

void TargetTable::load(Database& db, const KeyRange& range) { Scan(*this, db, range).run(); }

void TargetTable::append(const TargetTable& other) {
    if (other.places_.empty()) return;
    if (places_.empty()) first_key_ = other.first_key_;
    for (const std::size_t place : other.places_) places_.push_back(bytes_.size() + place);
    bytes_ += other.bytes_;
}

void TargetTable::clear() noexcept {
    places_.clear();
    bytes_.clear();
}

void TargetTable::expect_place(NodeKey key) const noexcept {
    const std::size_t number = guess(key);
    if (number < places_.size()) __builtin_prefetch(&places_[number]);
}

void TargetTable::expect(NodeKey key) const noexcept {
    const std::size_t number = guess(key);
    if (number >= places_.size()) return;
    const char* bytes = bytes_.data() + places_[number];
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
}

const char* TargetTable::find(NodeKey key) const {
    // Keys of one plan have gaps only where another plan was written in between.
    const auto wanted = static_cast<std::int64_t>(key);
    const std::size_t number = guess(key);
    if (number < places_.size() && key_at(places_[number]) == wanted) return bytes_.data() + places_[number];
    const auto key_of = [this](std::size_t place) { return key_at(place); };
    const auto it = std::ranges::lower_bound(places_, wanted, {}, key_of);
    if (it == places_.end() || key_at(*it) != wanted)
        throw_damaged("an edge or assignment leads to a node that is not there");
    return bytes_.data() + *it;
}

std::string_view TargetTable::id(NodeKey key) const {
    const char* const node = find(key);
    Head head{};
    std::memcpy(&head, node, Head::kBytes);
    return {node + Head::kBytes, head.id_size};
}

void TargetTable::fill(EdgeRecord& edge) const {
    const char* const node = find(edge.edge.target);
    Head head{};
    std::memcpy(&head, node, Head::kBytes);
    const char* const text = node + Head::kBytes;
    edge.target.type = head.type;
    edge.target.id.assign(text, head.id_size);
    edge.target_state = head.state;
    edge.target_outcome =
        head.outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(head.outcome));
    edge.target_skip_cause =
        head.skip_cause == 0 ? std::nullopt : std::optional(static_cast<SkipCause>(head.skip_cause));
    read_reached(head.type, head.state, std::as_bytes(std::span(text + head.id_size, head.history_size)),
                 edge);
}

}  // namespace turboci::sqlite
