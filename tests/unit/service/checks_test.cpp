// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

namespace {

constexpr std::array kCheckStates{State::planning, State::planned, State::waiting, State::final};

std::vector<std::string> history(const StateHistory& entries) {
    std::vector<std::string> names;
    for (const StateEntry& e : entries) names.emplace_back(to_string(e.state));
    return names;
}

/// Brings check `c` (which depends on `d` where `deps`) into a state.
void bring(World& w, State state, bool deps) {
    w.write(deps ? "checks: [{id: d}, {id: c, dependencies: [d]}]" : "checks: [{id: c}]");
    if (state == State::planning) return;
    if (!deps) {
        // Without dependencies PLANNED does not last.
        w.write("checks: [{id: c, state: WAITING}]");
    } else {
        w.write("checks: [{id: c, state: PLANNED}]");
        if (state != State::planned) w.write("checks: [{id: d, state: FINAL}]");
    }
    if (state == State::final) w.write("checks: [{id: c, state: FINAL}]");
}

}  // namespace

TEST_CASE("A writer's state requests follow the table, from each state to each") {
    // Rows: from PLANNING, PLANNED, WAITING, FINAL. Columns: to the same. '.': accepted, '!': refused.
    const std::array<const char*, 4> with_dependencies{"..!!", "!.!!", "!...", "!.!."};
    const std::array<const char*, 4> without{"....", "    ", "!...", "!.!."};
    for (const bool deps : {true, false})
        for (std::size_t from = 0; from < 4; ++from)
            for (std::size_t to = 0; to < 4; ++to) {
                const char expected = (deps ? with_dependencies : without)[from][to];
                if (expected == ' ') continue;
                World w;
                bring(w, kCheckStates[from], deps);
                const std::string text =
                    "checks: [{id: c, state: " + std::string(to_string(kCheckStates[to])) + "}]";
                CAPTURE(deps, to_string(kCheckStates[from]), to_string(kCheckStates[to]));
                if (expected == '.')
                    CHECK_NOTHROW(w.write(text));
                else
                    CHECK(w.refused(text) == ErrorCode::invalid_state);
            }
}

TEST_CASE("A check without dependencies waits as soon as it is PLANNED, in the same write") {
    World w;
    const auto result = w.write("checks: [{id: c, state: PLANNED}]");
    CHECK(history(w.check("c").state_history) == std::vector<std::string>{"PLANNED", "WAITING"});
    REQUIRE(result.advanced.size() == 1);
    CHECK(result.advanced[0] ==
          Advance{{NodeType::check, "c"}, State::planned, State::waiting, std::nullopt});
}

TEST_CASE("Going directly from PLANNING to FINAL leaves no trace of states in between") {
    World w;
    w.write("checks: [{id: c}]");
    w.write("checks: [{id: c, state: FINAL, result: {data: {n: 1}}}]");
    CHECK(history(w.check("c").state_history) == std::vector<std::string>{"PLANNING", "FINAL"});
    CHECK(w.check("c").results.at(0).finalized_at.has_value());
}

TEST_CASE("Options are merged while PLANNING and locked afterwards") {
    World w;
    w.write("checks: [{id: c, options: {a: 1, b: {x: 1}}}]");
    w.write("checks: [{id: c, options: {b: {y: 2}, a: null}}]");
    CHECK(same_json(w.check("c").options, {R"({"b":{"x":1,"y":2}})"}));
    w.write("checks: [{id: c, state: PLANNED}]");
    CHECK(w.refused("checks: [{id: c, options: {z: 1}}]") == ErrorCode::invalid_state);
    const auto version = w.version();
    w.write("checks: [{id: c, options: {b: {y: 2}}}]");
    CHECK(w.version() == version);
}

TEST_CASE("The write that plans a check may still change its options and dependencies") {
    World w;
    w.write("checks: [{id: c}, {id: d}]");
    w.write("checks: [{id: c, options: {a: 1}, dependencies: [d], state: PLANNED}]");
    CHECK(w.state("check:c") == "PLANNED");
    CHECK(w.check("c").options.text == R"({"a":1})");
    CHECK(w.check("c").dependencies.edges.size() == 1);
}

TEST_CASE("Dependencies are locked once a check is PLANNED; the same ones again are fine") {
    World w;
    w.write("checks: [{id: d}, {id: e}, {id: c, dependencies: [d, e], state: PLANNED}]");
    CHECK(w.refused("checks: [{id: c, dependencies: [d]}]") == ErrorCode::invalid_state);
    CHECK(w.refused("checks: [{id: c, dependencies: []}]") == ErrorCode::invalid_state);
    CHECK(w.refused("checks: [{id: c, dependencies: {any: [d, e]}}]") == ErrorCode::invalid_state);
    const auto version = w.version();
    w.write("checks: [{id: c, dependencies: [e, check:d, e]}]");
    CHECK(w.version() == version);
}

TEST_CASE("A kind is set at creation and never changes") {
    World w;
    w.write("checks: [{id: c, kind: build}, {id: n}]");
    CHECK(w.refused("checks: [{id: c, kind: test}]") == ErrorCode::invalid_state);
    CHECK(w.refused("checks: [{id: n, kind: test}]") == ErrorCode::invalid_state);
    w.write("checks: [{id: c, kind: build}]");
    CHECK(w.check("n").kind.empty());
}

TEST_CASE("Each owner has one result of a check and adds to it until it is finalized") {
    World w;
    w.write("checks: [{id: c, state: WAITING}]");
    w.write("checks: [{id: c, result: {data: {a: 1}}}]");
    auto other = World::request("checks: [{id: c, result: {data: {b: 2}}}]");
    other.actor = "somebody else";
    w.write(other);
    w.write("checks: [{id: c, result: {data: {a: null, d: 4}, failure: no good}}]");
    auto results = w.check("c").results;
    REQUIRE(results.size() == 2);
    CHECK(results[0].data.text == R"({"d":4})");
    CHECK(results[0].failure == "no good");
    CHECK(results[0].owner_id == "tester");
    CHECK(results[1].owner_id == "somebody else");
    w.write("checks: [{id: c, result: {failure: null, finalize: true}}]");
    CHECK_FALSE(w.check("c").results[0].failure);
    CHECK(w.refused("checks: [{id: c, result: {failure: again}}]") == ErrorCode::invalid_state);
    w.write("checks: [{id: c, result: {data: {d: 4}}}]");  // says nothing new
}

TEST_CASE("Results are refused before WAITING and after FINAL, unless they say what is so") {
    World w;
    w.write("checks: [{id: c}]");
    CHECK(w.refused("checks: [{id: c, result: {data: {a: 1}}}]") == ErrorCode::invalid_state);
    w.write("checks: [{id: d}]");
    w.write("checks: [{id: c, state: PLANNED, dependencies: [d]}]");
    CHECK(w.refused("checks: [{id: c, result: {data: {a: 1}}}]") == ErrorCode::invalid_state);
    w.write("checks: [{id: d, state: FINAL, result: {data: {a: 1}}}]");
    const auto version = w.version();
    w.write("checks: [{id: d, state: FINAL, result: {data: {a: 1}}}]");
    CHECK(w.version() == version);
    CHECK(w.refused("checks: [{id: d, result: {data: {a: 2}}}]") == ErrorCode::invalid_state);
}

TEST_CASE("A result may come in the write that lets the orchestrator take the check to WAITING") {
    World w;
    w.write("checks: [{id: c, state: PLANNED, result: {data: {a: 1}}}]");
    CHECK(w.state("check:c") == "WAITING");
    CHECK(w.check("c").results.size() == 1);
    w.write("checks: [{id: d}]");
    CHECK(w.refused("checks: [{id: e, state: PLANNED, dependencies: [d], result: {data: {a: 1}}}]") ==
          ErrorCode::invalid_state);
}

TEST_CASE("A new check with dependencies cannot be created beyond PLANNED") {
    World w;
    w.write("checks: [{id: d}]");
    CHECK(w.refused("checks: [{id: c, dependencies: [d], state: WAITING}]") == ErrorCode::invalid_state);
    CHECK(w.refused("checks: [{id: c, dependencies: [d], state: FINAL}]") == ErrorCode::invalid_state);
}

TEST_CASE("A failure among the results makes the outcome failed") {
    World w;
    w.write("checks: [{id: c, state: WAITING}]");
    w.write("checks: [{id: c, result: {failure: broken}}]");
    auto other = World::request("checks: [{id: c, state: FINAL, result: {data: {fine: true}}}]");
    other.actor = "optimist";
    w.write(other);
    CHECK(w.state("check:c") == "FINAL failed");
    for (const Result& r : w.check("c").results) CHECK(r.finalized_at.has_value());
}

TEST_CASE("A result for a check that this very write skips is refused, and nothing is written") {
    World w;
    CHECK(w.refused("checks: [{id: bad, state: FINAL, result: {failure: x}}, {id: c, state: PLANNED, "
                    "dependencies: [bad], result: {failure: y}}]") == ErrorCode::invalid_state);
    w.write("checks: [{id: good, state: FINAL, result: {data: {n: 1}}}]");
    CHECK(w.state("check:good") == "FINAL passed");
    CHECK(w.service->check_states().empty());
}

TEST_CASE("A result names its attempt with or without the plan, and no attempt of another plan") {
    World w;
    w.write("checks: [{id: c, state: WAITING}]\nstages: [{id: 'q:s'}, {id: s}]");
    w.claim("q:s");
    w.claim("s");
    w.write("checks: [{id: c, result: {owner_type: stage_attempt, owner_id: 'p:s:1', data: {n: 1}}}]");
    w.write("checks: [{id: c, result: {owner_type: stage_attempt, owner_id: 'q:s:1', data: {n: 2}}}]");
    CHECK(w.check("c").results.at(0).owner_id == "p:s:1");
    CHECK(w.check("c").results.at(1).owner_id == "p:q:s:1");
    CHECK(w.refused("checks: [{id: c, result: {owner_type: stage_attempt, owner_id: 'other:s:1'}}]") ==
          ErrorCode::not_found);
}

TEST_CASE("The record tells what new dependencies lead to") {
    World w;
    w.write("checks: [{id: a}, {id: b}]\nstages: [{id: s}]");
    w.write("checks: [{id: a, dependencies: [b, s]}]");
    std::string changes;
    w.service->read_log({.plan = "p", .ref = parse_ref("check:a"), .since = 2},
                        [&](const LogEntry& e) { changes = e.changes.text; });
    CHECK(changes == R"({"dependencies":{"edges":2,"to":["check:b","stage:s"]}})");
}

TEST_CASE("Options begin as they are written, results' data without nulls, and both can be written again") {
    World w;
    const std::string file =
        "checks: [{id: c, state: PLANNED, options: {a: null, b: {c: null, d: 1}}, result: {data: {n: null, "
        "m: "
        "1}}}]";
    w.write(file);
    CHECK(w.check("c").options.text == R"({"a":null,"b":{"c":null,"d":1}})");
    CHECK(w.check("c").results.at(0).data.text == R"({"m":1})");
    const auto version = w.version();
    w.write(file);
    CHECK(w.version() == version);
    CHECK(w.refused("checks: [{id: c, options: {b: null}}]") == ErrorCode::invalid_state);
}
