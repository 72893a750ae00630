// SPDX-License-Identifier: Apache-2.0
#include "domain/stored_values.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "turboci/error.hpp"

namespace turboci {

namespace {

std::uint64_t take(std::span<const std::byte>& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (bytes.empty()) break;
        const auto b = static_cast<std::uint64_t>(bytes.front());
        bytes = bytes.subspan(1);
        value |= (b & 0x7F) << shift;
        if ((b & 0x80) == 0) return value;
    }
    throw_damaged("a history of states makes no sense");
}

/// Goes through a packed history.
template <class Visit>
void for_each_entry(NodeType type, std::span<const std::byte> bytes, const Visit& visit) {
    constexpr std::int64_t kLimit = std::int64_t{1} << 62;
    std::int64_t version = 0;
    std::int64_t time = 0;
    int entries = 0;
    do {
        if (bytes.empty() || ++entries > 4) throw_damaged("a history of states makes no sense");
        const State state = decode_state(type, static_cast<std::int64_t>(bytes.front()));
        bytes = bytes.subspan(1);
        const std::uint64_t versions = take(bytes);
        const std::uint64_t times = take(bytes);
        if (versions >= kLimit || times >= kLimit) throw_damaged("a history of states makes no sense");
        version += static_cast<std::int64_t>(versions);
        time += static_cast<std::int64_t>(times);
        if (version >= kLimit || time >= kLimit) throw_damaged("a history of states makes no sense");
        visit(StateEntry{state, version, Timestamp(Duration(time))});
    } while (!bytes.empty());
}

/// How far the target of an edge has come.
class Reach {
public:
    Reach(NodeType type, State state, EdgeRecord& edge)
        : type_(type), wanted_(state_number(type, edge.edge.on_state)), edge_(edge) {
        edge.target_furthest = 0;
        edge.reached_at.reset();
        far_enough_ = state_number(type, state) >= wanted_;
    }
    [[nodiscard]] bool far_enough() const { return far_enough_; }
    void pass(const StateEntry& entry) {
        const int number = state_number(type_, entry.state);
        if (entry.state != State::final) edge_.target_furthest = std::max(edge_.target_furthest, number);
        if (number >= wanted_ && !edge_.reached_at) edge_.reached_at = entry.at;
    }

private:
    NodeType type_;
    int wanted_;
    bool far_enough_ = false;
    EdgeRecord& edge_;
};

}  // namespace

void throw_damaged(std::string_view what) {
    throw Error(ErrorCode::store, fmt::format("the store is damaged: {}", what),
                "run 'turboci store check', and restore a backup")
        .because("DAMAGED");
}

State decode_state(NodeType type, std::int64_t number) {
    const auto state =
        number > 0 && number <= 40 ? state_from_number(type, static_cast<int>(number)) : std::nullopt;
    if (!state) throw_damaged("a node is in a state that does not exist");
    return *state;
}

std::optional<Outcome> decode_outcome(std::int64_t number) {
    if (number == 0) return std::nullopt;
    if (number < 1 || number > static_cast<std::int64_t>(Outcome::cancelled))
        throw_damaged("a node has an outcome that does not exist");
    return static_cast<Outcome>(number);
}

PackedHistory::PackedHistory(NodeType type, const StateHistory& history) {
    if (history.empty() || history.size() > 4)
        throw Error(ErrorCode::internal, "a node has between one and four states behind it");
    std::int64_t version = 0;
    std::int64_t time = 0;
    for (const StateEntry& entry : history) {
        const std::int64_t at = entry.at.time_since_epoch().count();
        if (entry.version < version || at < time)
            throw Error(ErrorCode::internal, "a history runs backwards");
        buffer_[size_++] = static_cast<std::byte>(state_number(type, entry.state));
        put(static_cast<std::uint64_t>(entry.version - version));
        put(static_cast<std::uint64_t>(at - time));
        version = entry.version;
        time = at;
    }
}

void PackedHistory::put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) buffer_[size_++] = static_cast<std::byte>((value & 0x7F) | 0x80);
    buffer_[size_++] = static_cast<std::byte>(value);
}

void unpack_history(NodeType type, std::span<const std::byte> bytes, StateHistory& history) {
    history.clear();
    for_each_entry(type, bytes, [&](const StateEntry& entry) { history.push_back(entry); });
}

void read_reached(NodeType type, State state, std::span<const std::byte> history, EdgeRecord& edge) {
    Reach reach(type, state, edge);
    if (reach.far_enough())
        for_each_entry(type, history, [&](const StateEntry& entry) { reach.pass(entry); });
}

void read_reached(NodeType type, State state, const StateHistory& history, EdgeRecord& edge) {
    Reach reach(type, state, edge);
    if (reach.far_enough())
        std::ranges::for_each(history, [&](const StateEntry& entry) { reach.pass(entry); });
}

std::string pack_claimed(const std::vector<OperationRow::Taken>& claimed) {
    std::string text;
    for (const auto& [stage, idx] : claimed)
        text += fmt::format("{}{}:{}", text.empty() ? "" : " ", static_cast<std::int64_t>(stage), idx);
    return text;
}

std::vector<OperationRow::Taken> unpack_claimed(std::string_view text) {
    constexpr std::string_view kNonsense = "the attempts that an operation took make no sense";
    std::vector<OperationRow::Taken> claimed;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto take_number = [&](auto& number, bool is_last_part) {
        const auto [next, error] = std::from_chars(at, end, number);
        const bool ends_well = is_last_part ? next == end || *next == ' ' : next != end && *next == ':';
        if (error != std::errc() || number < 1 || !ends_well) throw_damaged(kNonsense);
        at = next == end ? end : next + 1;
    };
    if (text.ends_with(' ')) throw_damaged(kNonsense);
    while (at != end) {
        std::int64_t stage = 0;
        std::int32_t idx = 0;
        take_number(stage, false);
        take_number(idx, true);
        claimed.push_back({NodeKey{stage}, idx});
    }
    return claimed;
}

}  // namespace turboci
