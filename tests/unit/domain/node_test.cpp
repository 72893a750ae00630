// SPDX-License-Identifier: Apache-2.0
#include "turboci/node.hpp"

#include <set>
#include <tuple>

#include "support/catch.hpp"
#include "support/sanitized.hpp"

using namespace turboci;

namespace {
constexpr std::array kAllStates{State::planning,   State::planned,        State::waiting,
                                State::attempting, State::awaiting_group, State::final};
using Move = std::tuple<State, State>;

std::set<Move> moves(NodeType type, Mover mover) {
    std::set<Move> allowed;
    for (const State from : kAllStates)
        for (const State to : kAllStates)
            if (may_move(type, from, to, mover)) allowed.emplace(from, to);
    return allowed;
}
}  // namespace

TEST_CASE("A writer may plan a check, answer it, and go directly only from PLANNING") {
    CHECK(moves(NodeType::check, Mover::writer) == std::set<Move>{{State::planning, State::planned},
                                                                  {State::planning, State::waiting},
                                                                  {State::planning, State::final},
                                                                  {State::waiting, State::final}});
}

TEST_CASE("The orchestrator takes checks one state at a time, or at once to a skip") {
    CHECK(moves(NodeType::check, Mover::orchestrator) == std::set<Move>{{State::planning, State::planned},
                                                                        {State::planning, State::final},
                                                                        {State::planned, State::waiting},
                                                                        {State::planned, State::final},
                                                                        {State::waiting, State::final}});
}

TEST_CASE("The states of stages are the orchestrator's alone") {
    CHECK(moves(NodeType::stage, Mover::writer).empty());
    CHECK(moves(NodeType::stage, Mover::orchestrator) ==
          std::set<Move>{{State::planned, State::attempting},
                         {State::planned, State::final},
                         {State::attempting, State::awaiting_group},
                         {State::attempting, State::final},
                         {State::awaiting_group, State::final}});
}

TEST_CASE("No move goes back or stays") {
    for (const NodeType type : {NodeType::check, NodeType::stage})
        for (const Mover mover : {Mover::writer, Mover::orchestrator})
            for (const auto& [from, to] : moves(type, mover))
                CHECK(state_number(type, from) < state_number(type, to));
}

TEST_CASE("States carry their published numbers and names") {
    CHECK(state_number(NodeType::check, State::planning) == 10);
    CHECK(state_number(NodeType::check, State::planned) == 20);
    CHECK(state_number(NodeType::check, State::waiting) == 30);
    CHECK(state_number(NodeType::check, State::final) == 40);
    CHECK(state_number(NodeType::stage, State::planned) == 10);
    CHECK(state_number(NodeType::stage, State::attempting) == 20);
    CHECK(state_number(NodeType::stage, State::awaiting_group) == 30);
    CHECK(state_number(NodeType::stage, State::final) == 40);
    CHECK(state_number(NodeType::stage, State::waiting) == 0);
    for (const NodeType type : {NodeType::check, NodeType::stage})
        for (const State s : kAllStates) {
            CHECK(parse_state(to_string(s)) == s);
            if (const int n = state_number(type, s); n != 0) CHECK(state_from_number(type, n) == s);
        }
    CHECK_FALSE(state_from_number(NodeType::check, 0));
    CHECK_FALSE(state_from_number(NodeType::check, 25));
    CHECK_FALSE(parse_state("final"));
}

TEST_CASE("A reference is split at its type only") {
    CHECK(parse_ref("check:a") == RefText{NodeType::check, "a"});
    CHECK(parse_ref("stage:ci:job+x86") == RefText{NodeType::stage, "ci:job+x86"});
    CHECK(parse_ref("ci:job") == RefText{std::nullopt, "ci:job"});
    CHECK(to_string(NodeRef{NodeType::stage, "b"}) == "stage:b");
}

TEST_CASE("Node ids may be any readable name") {
    for (const std::string id : {"a", "build / linux (x86, gcc)", "ünïcödé", "ci:job+x86", "3.11", "[x]|y"})
        CHECK_FALSE(node_id_problem(id).has_value());
    CHECK_FALSE(node_id_problem(std::string(256, 'x')).has_value());
}

TEST_CASE("Node ids that could deceive or break are refused with the reason") {
    CHECK(node_id_problem("") == "is empty");
    CHECK(node_id_problem(std::string(257, 'x')) == "is 257 bytes long, 256 at most");
    CHECK(node_id_problem("a\x07z") == "has a control character");
    CHECK(node_id_problem("a\x7f") == "has a control character");
    CHECK(node_id_problem("a\xC2\x85z") == "has a control character");
    CHECK(node_id_problem("a\xff") == "is not valid UTF-8");
    CHECK(node_id_problem(" a") == "begins or ends with a blank");
    CHECK(node_id_problem("a ") == "begins or ends with a blank");
    CHECK(node_id_problem("a\u00A0") == "begins or ends with a blank");
    CHECK(node_id_problem("a\u202Eb") == "has a character that cannot be seen, U+202E");
    CHECK(node_id_problem("check:a").has_value());
    CHECK(node_id_problem("stage:").has_value());
}

TEST_CASE("Exactly the invisible and direction characters are refused within an id, the joiners are not") {
    const auto utf8 = [](char32_t c) {
        std::string text;
        const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
        if (c < 0x800) {
            text += static_cast<char>(0xC0 | c >> 6);
        } else if (c < 0x10000) {
            text += static_cast<char>(0xE0 | c >> 12);
            tail(6);
        } else {
            text += static_cast<char>(0xF0 | c >> 18);
            tail(12);
            tail(6);
        }
        tail(0);
        return text;
    };
    const std::u32string invisible =
        U"\u00AD\u061C\u180E\u200B\u200E\u200F\u2028\u2029\u202A\u202B\u202C\u202D\u202E\u2060\u2061\u2062"
        U"\u2063\u2064\u2066\u2067\u2068\u2069\uFEFF";
    std::u32string refused;
    const char32_t last = turboci::test::kSanitized ? 0x1FFFF : 0x10FFFF;
    for (char32_t c = 0xA0; c <= last; ++c)
        if ((c < 0xD800 || c > 0xDFFF) && node_id_problem("a" + utf8(c) + "b")) refused += c;
    CHECK((refused == invisible));
    CHECK_FALSE(node_id_problem("\u0645\u06CC\u200C\u062E"));
    CHECK_FALSE(node_id_problem("\U0001F469\u200D\U0001F52C"));
    CHECK_FALSE(kept_node_id_problem("a\u202Eb"));  // earlier versions took it
}

TEST_CASE("Plan ids are plain words") {
    for (const std::string id : {"p", "7", "release-1.2_x", "01jd"})
        CHECK_FALSE(plan_id_problem(id).has_value());
    CHECK_FALSE(plan_id_problem(std::string(128, 'p')).has_value());
    for (const std::string id : {"", ".hidden", "-flag", "a b", "a/b", "ä"})
        CHECK(plan_id_problem(id).has_value());
    CHECK(plan_id_problem(std::string(129, 'p')).has_value());
}

TEST_CASE("UTF-8 is checked by the letter") {
    CHECK(is_valid_utf8("plain \u00e4 \u4e2d \U0001F600"));
    for (const std::string bad :
         {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x98", "\xE4\xB8"})
        CHECK_FALSE(is_valid_utf8(bad));
}
