// SPDX-License-Identifier: Apache-2.0
// What readers want of the nodes that edges and assignments lead to, for all nodes of a plan: some 60 bytes a
// node.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

/// Keys of nodes that follow one another; other plans' may be among them.
struct KeyRange {
    std::int64_t first = 1, last = 0;
};

/// Filled in the order of keys; then only read, by any number of threads.
class TargetTable {
public:
    explicit TargetTable(PlanKey plan) : plan_(plan) {}
    [[nodiscard]] PlanKey plan() const noexcept { return plan_; }
    void reserve(std::size_t nodes);
    /// Adds the plan's nodes of a range, which are behind those that it has.
    void load(Database& db, const KeyRange& range);
    /// Adds all nodes of a table, which are behind those that it has.
    void append(const TargetTable& other);
    void clear() noexcept;

    /// fill() waits for memory twice: to learn where a node is, and for the node itself. Who knows earlier
    /// what will be asked for calls these, in this order, with time between them.
    void expect_place(NodeKey key) const noexcept;
    void expect(NodeKey key) const noexcept;
    /// The target's part of an edge, whose row is there. STORE if the plan has no such node.
    void fill(EdgeRecord& edge) const;
    [[nodiscard]] std::string_view id(NodeKey key) const;

private:
    /// The fixed part of a node; its id and its packed history follow directly, so that all of it comes with
    /// one or two lines of the processor's cache.
    struct Head {
        std::int64_t key;
        std::uint16_t id_size;
        std::uint8_t history_size;
        NodeType type;
        State state;
        std::uint8_t outcome;     ///< 0: none
        std::uint8_t skip_cause;  ///< 0: none
        /// Without the padding that would follow.
        static constexpr std::size_t kBytes = 15;
    };
    class Scan;
    void add(const Head& head, std::string_view id, std::span<const std::byte> history);
    /// The place of a node; STORE if the plan has no such node.
    [[nodiscard]] const char* find(NodeKey key) const;
    [[nodiscard]] std::int64_t key_at(std::size_t place) const noexcept {
        std::int64_t key = 0;
        std::memcpy(&key, bytes_.data() + place, sizeof key);
        return key;
    }
    [[nodiscard]] std::size_t guess(NodeKey key) const noexcept {
        return static_cast<std::size_t>(key) - static_cast<std::size_t>(first_key_);
    }

    PlanKey plan_;
    std::int64_t first_key_ = 0;
    std::vector<std::size_t> places_;  ///< of each node: where it begins in bytes_
    std::string bytes_;
};

}  // namespace turboci::sqlite
