// SPDX-License-Identifier: Apache-2.0
// How values that are not plain integers or texts stand in the tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// A state from its number; STORE if the type has no such state.
[[nodiscard]] State decode_state(NodeType type, std::int64_t number);
[[nodiscard]] std::optional<Outcome> decode_outcome(std::int64_t number);  ///< 0 is none

/// A history packed into a few bytes: for each entry the state's number (one byte), then version and time
/// as LEB128 numbers, both as differences from the entry before.
class PackedHistory {
public:
    PackedHistory(NodeType type, const StateHistory& history);
    [[nodiscard]] std::span<const std::byte> bytes() const { return {buffer_.data(), size_}; }

private:
    void put(std::uint64_t value);
    std::array<std::byte, std::size_t{4} * 21> buffer_{};
    std::size_t size_ = 0;
};
/// Replaces `history`. STORE if the bytes are not what PackedHistory makes.
void unpack_history(NodeType type, std::span<const std::byte> bytes, StateHistory& history);
/// How far a target in `state` has come, for `edge`, whose row is there: target_furthest and reached_at.
/// STORE if the bytes are not what PackedHistory makes.
void read_reached(NodeType type, State state, std::span<const std::byte> history, EdgeRecord& edge);
void read_reached(NodeType type, State state, const StateHistory& history, EdgeRecord& edge);

/// The attempts that an operation took as text: "STAGE_KEY:IDX", blanks between.
[[nodiscard]] std::string pack_claimed(const std::vector<OperationRow::Taken>& claimed);
/// STORE if the text is not what pack_claimed() makes.
[[nodiscard]] std::vector<OperationRow::Taken> unpack_claimed(std::string_view text);

/// The columns of a group's count, from `column` on: kind, threshold, unresolved, satisfied, resolution.
template <class Row>
[[nodiscard]] GroupCount read_count(const Columns<Row>& row, int column) {
    GroupCount count;
    count.kind = row.enumeration(column, GroupKind::all, GroupKind::at_least);
    count.threshold = row.small(column + 1);
    count.unresolved = row.small(column + 2);
    count.satisfied = row.small(column + 3);
    count.resolution = row.enumeration(column + 4, Resolution::unresolved, Resolution::unsatisfied);
    return count;
}

}  // namespace turboci::sqlite
