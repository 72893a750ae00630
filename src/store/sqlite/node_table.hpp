// SPDX-License-Identifier: Apache-2.0
// The nodes of a plan in memory, packed: about 130 bytes a node.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/node_columns.hpp"

namespace turboci::sqlite {

/// A NodeRow without memory of its own. Values have been checked when it was made.
/// What edges need of their target comes first, to lie in one line of the processor's cache.
struct PackedNode {
    std::int64_t key;
    std::size_t text;  ///< where id, history and kind begin in the table's bytes
    std::uint16_t id_size;
    std::uint8_t history_size;
    NodeType type;
    State state;
    std::uint8_t outcome, concluded_reason;  ///< 0: none
    bool has_continuation;
    std::uint32_t kind_size;
    std::int32_t attempt;
    std::int64_t version, updated_at, dependencies_since;
    GroupCount dependencies;
};

/// Filled once, in the order of keys; then only read.
class NodeTable {
public:
    explicit NodeTable(PlanKey plan) : plan_(plan) {}
    [[nodiscard]] PlanKey plan() const noexcept { return plan_; }
    void load(Database& db, const NodeRange& range, std::size_t expected);
    [[nodiscard]] const std::vector<PackedNode>& nodes() const noexcept { return nodes_; }
    /// Null if the plan has no such node.
    [[nodiscard]] const PackedNode* find(std::int64_t key) const noexcept;

    [[nodiscard]] std::string_view id(const PackedNode& n) const {
        return {bytes_.data() + n.text, n.id_size};
    }
    void unpack(const PackedNode& n, NodeRow& row) const;
    void unpack(const PackedNode& n, EdgeRecord& edge) const;  ///< the target's part

private:
    void add(const Query& row);
    [[nodiscard]] std::string_view kind(const PackedNode& n) const {
        return {bytes_.data() + n.text + n.id_size + n.history_size, n.kind_size};
    }
    [[nodiscard]] std::span<const std::byte> history(const PackedNode& n) const;

    PlanKey plan_;
    std::vector<PackedNode> nodes_;
    std::string bytes_;
};

}  // namespace turboci::sqlite
