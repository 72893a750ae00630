// SPDX-License-Identifier: Apache-2.0
// How values stand in the tables of a database, whichever it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci {

/// STORE "the store is damaged: WHAT".
[[noreturn]] void throw_damaged(std::string_view what);

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

}  // namespace turboci
