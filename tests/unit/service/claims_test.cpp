// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {
WriteNodes any(std::int32_t at_most, std::string uid = "w") {
    WriteNodes r = World::request("{}");
    r.claim = Claim{.stages = {}, .at_most = at_most, .process_uid = std::move(uid)};
    return r;
}
std::vector<std::string> ids(const WriteResult& result) {
    std::vector<std::string> names;
    for (const auto& c : result.claimed) names.push_back(c.stage.id);
    return names;
}
ErrorCode refused_claim(World& w, const std::string& stage) {
    WriteNodes r = any(1);
    r.claim->stages = {stage};
    return w.refusal(r).code();
}
}  // namespace

TEST_CASE("Claims take the oldest ready stage first, each once, until there is none") {
    World w;
    w.write("stages: [{id: b}, {id: a}, {id: later, dependencies: [a]}]");
    w.clock.advance(1s);
    w.write("stages: [{id: c}]");
    CHECK(ids(w.write(any(1))) == std::vector<std::string>{"b"});
    const auto rest = w.write(any(5));
    CHECK(ids(rest) == std::vector<std::string>{"a", "c"});
    CHECK(rest.claimed[0].stage.attempts.at(0).state == AttemptState::running);
    const auto version = w.version();
    CHECK(ids(w.write(any(1))).empty());
    CHECK(w.version() == version);
}

TEST_CASE("A claim honours the backoff and tells when it is over") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 1, backoff: 30s}}]");
    w.break_stage("s");
    w.clock.advance(10s);
    const auto none = w.write(any(1));
    CHECK(none.claimed.empty());
    CHECK(none.next_ready_in == Duration(20s));
    CHECK(refused_claim(w, "s") == ErrorCode::pending);
    w.clock.advance(20s);
    CHECK(ids(w.write(any(1))) == std::vector<std::string>{"s"});
}

TEST_CASE("A claim that is sent again tells what it took the first time, whatever has happened since") {
    World w;
    w.write("stages: [{id: a}, {id: b, retry: {max_retries: 1}}, {id: c}]");
    WriteNodes two = any(2);
    two.op_id = "two";
    CHECK(ids(w.write(two)) == std::vector<std::string>{"a", "b"});
    w.complete("a");
    w.break_stage("b");
    WriteNodes held = any(1, "holder");
    held.op_id = "first";
    CHECK(ids(w.write(held)) == std::vector<std::string>{"b"});
    // Taking what one has changes nothing, and is an answer to remember too.
    held.op_id = "second";
    held.claim->stages = {"b"};
    const auto version = w.version();
    CHECK(ids(w.write(held)) == std::vector<std::string>{"b"});
    CHECK(w.version() == version);
    w.complete("b");
    const auto again = w.write(two);
    CHECK(again.replayed);
    CHECK(ids(again) == std::vector<std::string>{"a", "b"});
    CHECK(again.claimed.at(1).idx == 1);
    CHECK(w.write(held).claimed.at(0).idx == 2);
    // Who claims under an op_id of another has not got what that one holds.
    WriteNodes other = any(2, "other");
    other.op_id = "two";
    const auto nothing = w.write(other);
    CHECK(nothing.replayed);
    CHECK(nothing.claimed.empty());
    CHECK(w.stage("c").attempts.at(0).state == AttemptState::pending);
}

TEST_CASE("A named claim says why the stage cannot be had") {
    World w;
    w.write("stages: [{id: s}, {id: later, dependencies: [s]}]");
    CHECK(refused_claim(w, "later") == ErrorCode::pending);
    CHECK(refused_claim(w, "nope") == ErrorCode::not_found);
    w.pass("s");
    CHECK(refused_claim(w, "s") == ErrorCode::invalid_state);
}

TEST_CASE("A claimer may refuse what it cannot run, and gets the next one") {
    World w;
    std::string plan = "stages: [";
    for (int i = 0; i < 200; ++i) plan += "{id: other" + std::to_string(i) + "},";
    w.write(plan + "{id: mine, args: {command: 'true'}}]");
    WriteNodes r = any(2);
    SECTION("those without a command") { r.claim->filter.with_command = true; }
    SECTION("those that are not among its own") { r.claim->filter.only = {"mine"}; }
    SECTION("those of other names") { r.claim->filter.match = {"m*", "none"}; }
    SECTION("those that it will not have") {
        for (int i = 0; i < 200; ++i) r.claim->filter.except.push_back("other" + std::to_string(i));
    }
    CHECK(ids(w.write(r)) == std::vector<std::string>{"mine"});
}

TEST_CASE("A claimer passes over what is too long for it until it has judged it") {
    World w;
    w.write("stages: [{id: long, args: {command: 'echo a long line'}}, {id: short, args: {command: a}}]");
    WriteNodes r = any(2);
    r.claim->filter.args_bytes = 20;
    const bool judged = GENERATE(false, true);
    if (judged) r.claim->filter.judged = {"long"};
    CHECK(ids(w.write(r)) ==
          (judged ? std::vector<std::string>{"long", "short"} : std::vector<std::string>{"short"}));
}

TEST_CASE("The oldest of the stages that a claim is limited to comes first") {
    World w;
    w.write("stages: [{id: a}, {id: b}, {id: later, dependencies: [a]}, {id: c}]");
    WriteNodes r = any(2);
    r.claim->filter.only = {"c", "later", "none", "b"};
    CHECK(ids(w.write(r)) == std::vector<std::string>{"b", "c"});
}

TEST_CASE("What is claimed ahead is SCHEDULED, and goes back when its holder is gone or gives it back") {
    World w;
    w.write("stages: [{id: a}, {id: b}, {id: c}]");
    WriteNodes r = any(1);
    r.claim->ahead = 1;
    r.claim->holder = "holder";
    r.claim->runner = RunnerIdentity{"host", "boot", 42, 7};
    const auto claimed = w.write(r).claimed;
    REQUIRE(claimed.size() == 2);
    CHECK(claimed[0].stage.attempts.back().state == AttemptState::running);
    CHECK(claimed[1].stage.attempts.back().state == AttemptState::scheduled);
    CHECK(w.stage("b").attempts.back().state == AttemptState::scheduled);
    CHECK_FALSE(w.stage("b").attempts.back().started_at);
    SECTION("its holder is gone") {
        w.service->set_runner_probe([](const RunnerIdentity&) { return Liveness::gone; });
        WriteNodes tick = World::request("");
        tick.tick = true;
        w.write(tick);
        CHECK(w.stage("b").attempts.size() == 1);
        CHECK(w.stage("b").attempts.back().state == AttemptState::pending);
    }
    SECTION("somebody cancels it") {
        w.write("stages: [{id: b, cancel: true}]");
        CHECK(w.stage("b").state == State::final);
    }
    SECTION("its plan is deleted") {
        w.write("stages: [{id: a, cancel: true}]");
        CHECK_THROWS_AS(w.service->delete_plan("p", false), Error);  // `a` runs
    }
}

TEST_CASE("A claim is taken after what the same write makes ready") {
    World w;
    w.write("stages: [{id: a}, {id: b, dependencies: [a]}]");
    w.claim("a");
    WriteNodes r = World::request("stages: [{id: a, attempt: {state: COMPLETE}}]");
    r.claim = any(1).claim;
    CHECK(ids(w.write(r)) == std::vector<std::string>{"b"});
}

TEST_CASE("Who executes a stage may do without what surrounds it") {
    World w;
    w.write(
        "checks: [{id: c}]\n"
        "stages:\n"
        "  - {id: a, args: {command: 'true'}, timeout: 10s, heartbeat: 2s, assignments: [c],"
        " retry: {max_retries: 2, backoff: 5s}}\n"
        "  - {id: b, dependencies: [a]}\n");
    WriteNodes r = any(1);
    const auto result = w.write(r);
    REQUIRE(ids(result) == std::vector<std::string>{"a"});
    const Stage& stage = result.claimed[0].stage;
    CHECK(result.claimed[0].idx == 1);
    CHECK(stage.args.text == R"({"command":"true"})");
    CHECK(stage.timeout == Duration(10s));
    CHECK(stage.heartbeat == Duration(2s));
    CHECK(stage.retry.max_retries == 2);
    CHECK(stage.retry.backoff == Duration(5s));
    CHECK(stage.state == State::attempting);
    CHECK(stage.assignments.empty());
    CHECK(stage.attempts.size() == 1);
}
