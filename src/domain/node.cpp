// SPDX-License-Identifier: Apache-2.0
#include "turboci/node.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace turboci {

namespace {

struct StateName {
    State state;
    std::string_view name;
    int check_number;  ///< 0: not a state of checks
    int stage_number;  ///< 0: not a state of stages
};
constexpr std::array<StateName, 6> kStates{{
    {State::planning, "PLANNING", 10, 0},
    {State::planned, "PLANNED", 20, 10},
    {State::waiting, "WAITING", 30, 0},
    {State::attempting, "ATTEMPTING", 0, 20},
    {State::awaiting_group, "AWAITING_GROUP", 0, 30},
    {State::final, "FINAL", 40, 40},
}};

struct Move {
    NodeType type;
    State from;
    State to;
    bool writer;
    bool orchestrator;
};
constexpr std::array<Move, 11> kMoves{{
    // type            from                   to                     writer orchestrator
    {NodeType::check, State::planning, State::planned, true, true},
    {NodeType::check, State::planning, State::waiting, true, false},  // needs an empty predicate
    {NodeType::check, State::planning, State::final, true, true},     // likewise; skipped
    {NodeType::check, State::planned, State::waiting, false, true},   // dependencies satisfied
    {NodeType::check, State::planned, State::final, false, true},     // skipped
    {NodeType::check, State::waiting, State::final, true, true},
    {NodeType::stage, State::planned, State::attempting, false, true},
    {NodeType::stage, State::planned, State::final, false, true},  // skipped, cancelled
    {NodeType::stage, State::attempting, State::awaiting_group, false, true},
    {NodeType::stage, State::attempting, State::final, false, true},  // no group, or cancelled
    {NodeType::stage, State::awaiting_group, State::final, false, true},
}};

template <class Table, class Key>
std::optional<Key> find_name(const Table& table, std::string_view text) {
    for (const auto& [key, name] : table)
        if (name == text) return key;
    return std::nullopt;
}

constexpr std::array<std::pair<Outcome, std::string_view>, 4> kOutcomes{{
    {Outcome::passed, "passed"},
    {Outcome::failed, "failed"},
    {Outcome::skipped, "skipped"},
    {Outcome::cancelled, "cancelled"},
}};

constexpr std::array<std::pair<SkipCause, std::string_view>, 2> kSkipCauses{{
    {SkipCause::upstream, "upstream"},
    {SkipCause::not_needed, "not_needed"},
}};

/// The length of the UTF-8 sequence at the start of `s`; 0 if it is not valid.
std::size_t sequence_length(std::string_view s) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || s.size() < n) return 0;
    for (std::size_t i = 1; i < n; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogates
    if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return n;
}

bool is_blank_at(std::string_view s, bool front) noexcept {
    // Unicode's White_Space that a person would not see at the edge of a name.
    static constexpr std::array<std::string_view, 19> kBlanks{
        " ",      "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
        "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
    return std::ranges::any_of(kBlanks,
                               [&](std::string_view b) { return front ? s.starts_with(b) : s.ends_with(b); });
}

/// The code point of a whole sequence.
char32_t code_point(std::string_view sequence) noexcept {
    constexpr std::array<unsigned, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t value = static_cast<unsigned char>(sequence.front()) & kLeadBits[sequence.size()];
    for (const char c : sequence.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    return value;
}

/// Characters that nobody sees, or that turn the direction of what stands around them. The joiners U+200C and
/// U+200D are none: several scripts are not written without them.
constexpr bool is_invisible(char32_t c) noexcept {
    return c == 0xAD || c == 0x61C || c == 0x180E || c == 0x200B || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x2064) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xFEFF;
}

/// The first invisible character of valid UTF-8; 0 if there is none.
char32_t first_invisible(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t n = sequence_length(text);
        const char32_t c = code_point(text.substr(0, n));
        if (is_invisible(c)) return c;
        text.remove_prefix(n);
    }
    return 0;
}

/// Most ids are of visible ASCII alone and have no colon: nothing can be wrong with them but their length.
bool is_plain_id(std::string_view id) noexcept {
    return std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

}  // namespace

std::string_view to_string(NodeType type) noexcept { return type == NodeType::check ? "check" : "stage"; }

std::string_view to_string(State state) noexcept { return kStates[static_cast<std::size_t>(state)].name; }

std::string_view to_string(Outcome outcome) noexcept {
    return kOutcomes[static_cast<std::size_t>(outcome) - 1].second;
}

std::string_view to_string(Mover mover) noexcept {
    return mover == Mover::writer ? "writer" : "orchestrator";
}

std::optional<NodeType> parse_node_type(std::string_view text) noexcept {
    if (text == "check") return NodeType::check;
    if (text == "stage") return NodeType::stage;
    return std::nullopt;
}

std::optional<State> parse_state(std::string_view text) noexcept {
    for (const auto& s : kStates)
        if (s.name == text) return s.state;
    return std::nullopt;
}

std::optional<Outcome> parse_outcome(std::string_view text) noexcept {
    return find_name<decltype(kOutcomes), Outcome>(kOutcomes, text);
}

std::string_view to_string(SkipCause cause) noexcept {
    return kSkipCauses[static_cast<std::size_t>(cause) - 1].second;
}
std::optional<SkipCause> parse_skip_cause(std::string_view text) noexcept {
    return find_name<decltype(kSkipCauses), SkipCause>(kSkipCauses, text);
}

int state_number(NodeType type, State state) noexcept {
    const auto& s = kStates[static_cast<std::size_t>(state)];
    return type == NodeType::check ? s.check_number : s.stage_number;
}

std::optional<State> state_from_number(NodeType type, int number) noexcept {
    constexpr int kStep = 10;
    constexpr std::array<State, 4> kChecks{State::planning, State::planned, State::waiting, State::final};
    constexpr std::array<State, 4> kStages{State::planned, State::attempting, State::awaiting_group,
                                           State::final};
    if (number < kStep || number > 4 * kStep || number % kStep != 0) return std::nullopt;
    return (type == NodeType::check ? kChecks : kStages)[static_cast<std::size_t>(number / kStep - 1)];
}

bool may_move(NodeType type, State from, State to, Mover mover) noexcept {
    return std::ranges::any_of(kMoves, [&](const Move& m) {
        return m.type == type && m.from == from && m.to == to &&
               (mover == Mover::writer ? m.writer : m.orchestrator);
    });
}

std::string to_string(const NodeRef& ref) { return fmt::format("{}:{}", to_string(ref.type), ref.id); }

RefText parse_ref(std::string_view text) {
    if (text.starts_with("check:")) return {NodeType::check, std::string(text.substr(6))};
    if (text.starts_with("stage:")) return {NodeType::stage, std::string(text.substr(6))};
    return {std::nullopt, std::string(text)};
}

std::string to_string(const RefText& ref) {
    return ref.type ? to_string(NodeRef{*ref.type, ref.id}) : ref.id;
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t n = sequence_length(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

bool has_control_character(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7F) return true;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
    }
    return false;
}

std::optional<std::string> kept_node_id_problem(std::string_view id) {
    if (id.empty()) return "is empty";
    if (id.size() > kMaxNodeIdBytes)
        return fmt::format("is {} bytes long, {} at most", id.size(), kMaxNodeIdBytes);
    if (is_plain_id(id)) return std::nullopt;
    if (!is_valid_utf8(id)) return "is not valid UTF-8";
    if (has_control_character(id)) return "has a control character";
    if (is_blank_at(id, true) || is_blank_at(id, false)) return "begins or ends with a blank";
    if (id.starts_with("check:") || id.starts_with("stage:"))
        return "begins with 'check:' or 'stage:', which is how references begin";
    return std::nullopt;
}

std::optional<std::string> node_id_problem(std::string_view id) {
    if (auto problem = kept_node_id_problem(id); problem || is_plain_id(id)) return problem;
    if (const char32_t c = first_invisible(id); c != 0)
        return fmt::format("has a character that cannot be seen, U+{:04X}", static_cast<std::uint32_t>(c));
    return std::nullopt;
}

std::optional<std::string> plan_id_problem(std::string_view id) {
    const auto alnum = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    if (id.empty()) return "is empty";
    if (id.size() > kMaxPlanIdBytes)
        return fmt::format("is {} bytes long, {} at most", id.size(), kMaxPlanIdBytes);
    if (!alnum(id.front())) return "does not begin with a letter or digit";
    if (!std::ranges::all_of(id, [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; }))
        return "has characters other than A-Z a-z 0-9 . _ -";
    return std::nullopt;
}

}  // namespace turboci
