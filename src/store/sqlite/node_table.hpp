// SPDX-License-Identifier: Apache-2.0
// The nodes of a plan in memory, packed: about 110 bytes a node.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/node_columns.hpp"

namespace turboci::sqlite {

/// The part of a packed node that others want of it as their target; its text follows it directly, so that
/// both come with one or two lines of the processor's cache.
struct PackedTarget {
    std::int64_t key;
    std::uint32_t kind_size;
    std::uint16_t id_size;
    std::uint8_t history_size;
    NodeType type;
    State state;
    std::uint8_t outcome, concluded_reason;  ///< 0: none
    bool has_continuation;
    bool required;
    std::uint8_t skip_cause;  ///< 0: none
    /// Without the padding that would follow.
    static constexpr std::size_t kBytes = 22;
};

/// The rest of a NodeRow. Values have been checked when it was made.
struct PackedNode {
    std::int64_t version, updated_at, dependencies_since;
    GroupCount dependencies;
    std::int32_t attempt;
};

/// Filled in the order of keys; then only read. Nodes go by their place in it.
class NodeTable {
public:
    explicit NodeTable(PlanKey plan) : plan_(plan) {}
    [[nodiscard]] PlanKey plan() const noexcept { return plan_; }
    void reserve(std::size_t nodes);
    /// Adds the nodes of a range, which are behind those that it has.
    void load(Database& db, const NodeRange& range);
    /// Adds all nodes of a table, which are behind those that it has.
    void append(const NodeTable& other);
    void clear() noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] std::int64_t key(std::size_t node) const { return target(node).key; }
    [[nodiscard]] NodeType type(std::size_t node) const { return target(node).type; }
    void unpack(std::size_t node, NodeRow& row) const;

    /// find() and unpack() of a target wait for memory twice: to learn where it is, and for itself. Who knows
    /// earlier what he will ask for calls these, in this order, with time between them.
    void expect_place(std::int64_t key) const noexcept;
    void expect(std::int64_t key) const noexcept;
    /// The place of a node; STORE if the plan has no such node.
    [[nodiscard]] std::size_t find(std::int64_t key) const;
    [[nodiscard]] std::string_view id(std::size_t node) const;
    void unpack(std::size_t node, EdgeRecord& edge) const;  ///< the target's part

private:
    class Scan;
    template <class Row>
    void add(const Columns<Row>& row);
    [[nodiscard]] PackedTarget target(std::size_t node) const {
        PackedTarget t{};
        std::memcpy(&t, bytes_.data() + places_[node], PackedTarget::kBytes);
        return t;
    }
    [[nodiscard]] const char* text(std::size_t node) const {
        return bytes_.data() + places_[node] + PackedTarget::kBytes;
    }
    [[nodiscard]] std::size_t guess(std::int64_t key) const noexcept {
        return static_cast<std::size_t>(key) - static_cast<std::size_t>(first_key_);
    }

    PlanKey plan_;
    std::int64_t first_key_ = 0;
    std::vector<PackedNode> nodes_;
    std::vector<std::size_t> places_;  ///< of each node: where it begins in bytes_
    std::string bytes_;                ///< PackedTarget, id, history, kind; then the next
};

}  // namespace turboci::sqlite
