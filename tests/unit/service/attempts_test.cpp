// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

TEST_CASE("A claim is exclusive, repeatable by its holder, and names the holder to others") {
    World w;
    w.write("stages: [{id: s}]");
    w.claim("s", "w1");
    const auto version = w.version();
    w.claim("s", "w1");
    CHECK(w.version() == version);
    WriteNodes other = World::request("{}");
    other.claim = Claim{.stages = {"s"}, .at_most = 1, .process_uid = "w2"};
    const Error e = w.refusal(other);
    CHECK(e.code() == ErrorCode::conflict);
    CHECK_THAT(e.what(), Contains("w1"));
    CHECK(w.refused("stages: [{id: s, attempt: {state: COMPLETE, process_uid: w2}}]") == ErrorCode::conflict);
}

TEST_CASE("RUNNING needs to know by whom") {
    World w;
    w.write("stages: [{id: s}]");
    CHECK(w.refused("stages: [{id: s, attempt: {state: RUNNING}}]") == ErrorCode::invalid_argument);
    w.write("stages: [{id: s, attempt: {state: SCHEDULED}}]");
    w.write("stages: [{id: s, attempt: {state: RUNNING, process_uid: w}}]");
    CHECK(w.stage("s").attempts[0].process_uid == "w");
    CHECK(w.refused("stages: [{id: s, attempt: {state: SCHEDULED}}]") == ErrorCode::invalid_state);
}

TEST_CASE("An ended attempt cannot be changed, and saying the same again changes nothing") {
    World w;
    w.write("stages: [{id: s}]");
    w.pass("s");
    const auto version = w.version();
    w.complete("s");
    CHECK(w.version() == version);
    CHECK(w.refused("stages: [{id: s, attempt: {state: INCOMPLETE, failure: late}}]") ==
          ErrorCode::invalid_state);
    CHECK(w.refused("stages: [{id: s, attempt: {progress: [late]}}]") == ErrorCode::invalid_state);
    CHECK(w.refused("stages: [{id: s, attempt: {details: {a: 1}}}]") == ErrorCode::invalid_state);
}

TEST_CASE("An attempt that is not the current one is told apart from one that never was") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 1}}, {id: later, dependencies: [s]}]");
    w.break_stage("s");
    CHECK(w.refused("stages: [{id: s, attempt: {idx: 1, state: COMPLETE}}]") == ErrorCode::invalid_state);
    CHECK(w.refused("stages: [{id: s, attempt: {idx: 3, state: COMPLETE}}]") == ErrorCode::not_found);
    CHECK(w.refused("stages: [{id: later, attempt: {state: COMPLETE}}]") == ErrorCode::invalid_state);
}

TEST_CASE("What an earlier attempt was may be said again, but nobody comes to hold it") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 1}}]");
    w.write("stages: [{id: s, attempt: {state: INCOMPLETE}}]");
    w.write("stages: [{id: s, attempt: {idx: 1, state: INCOMPLETE}}]");
    CHECK(w.refused("stages: [{id: s, attempt: {idx: 1, process_uid: w}}]") == ErrorCode::invalid_state);
    CHECK(w.stage("s").attempts[0].process_uid.empty());
}

TEST_CASE("Details are merged and progress is kept in order") {
    World w;
    w.write("stages: [{id: s}]");
    w.claim("s");
    w.write(
        "stages: [{id: s, attempt: {details: {a: 1, b: 2}, progress: [one, {message: two, details: {pct: "
        "50}}]}}]");
    w.write("stages: [{id: s, attempt: {details: {a: null}, progress: [three]}}]");
    const Attempt a = w.stage("s").attempts[0];
    CHECK(a.details.text == R"({"b":2})");
    REQUIRE(a.progress.size() == 3);
    CHECK(a.progress[0].message == "one");
    CHECK(a.progress[1].details.text == R"({"pct":50})");
    CHECK(a.progress[2].message == "three");
}

TEST_CASE("An attempt past its timeout ends with the next write, whoever writes") {
    World w;
    w.write("stages: [{id: s, timeout: 10s, retry: {max_retries: 1}}]");
    w.claim("s");
    w.clock.advance(9s);
    w.write("checks: [{id: c}]");
    CHECK(w.stage("s").attempts.size() == 1);
    w.clock.advance(1s);
    w.write("checks: [{id: d}]");
    const Stage s = w.stage("s");
    REQUIRE(s.attempts.size() == 2);
    CHECK(s.attempts[0].state == AttemptState::incomplete);
    CHECK(s.attempts[0].failure == "timed out after 10s");
    CHECK(s.attempts[1].state == AttemptState::pending);
}

TEST_CASE("A silent attempt ends; each word from it starts the wait anew") {
    World w;
    w.write("stages: [{id: s, heartbeat: 10s}]");
    w.claim("s");
    for (int i = 0; i < 3; ++i) {
        w.clock.advance(9s);
        w.write("stages: [{id: s, attempt: {heartbeat: true}}]");
    }
    CHECK(w.state("stage:s") == "ATTEMPTING");
    w.clock.advance(10s);
    w.tick();
    CHECK(w.state("stage:s") == "FINAL failed");
    CHECK(w.stage("s").attempts[0].failure == "no heartbeat for 10s");
}

TEST_CASE("Timeouts do not depend on the wall clock") {
    World w;
    w.write("stages: [{id: s, timeout: 10s}, {id: t, timeout: 1h}]");
    w.claim("s");
    w.claim("t");
    w.clock.reading.wall -= 24h * 365;
    w.clock.advance(11s);
    w.tick();
    CHECK(w.state("stage:s") == "FINAL failed");
    w.clock.reading.wall += 24h * 3650;
    w.tick();
    CHECK(w.state("stage:t") == "ATTEMPTING");
}

TEST_CASE("A refused write does not even keep what expired meanwhile") {
    World w;
    w.write("stages: [{id: s, timeout: 10s}]");
    w.claim("s");
    w.clock.advance(11s);
    CHECK(w.refused("checks: [{id: c, dependencies: [nope]}]") == ErrorCode::invalid_dependency);
    CHECK(w.state("stage:s") == "ATTEMPTING");
}

TEST_CASE("A completion that comes after the timeout is too late") {
    World w;
    w.write("stages: [{id: s, timeout: 10s}]");
    w.claim("s");
    w.clock.advance(11s);
    CHECK(w.refused("stages: [{id: s, attempt: {state: COMPLETE}}]") == ErrorCode::invalid_state);
}

TEST_CASE("A runner that vouches for its attempt is believed, however late the word comes") {
    World w;
    const RunnerIdentity runner{"host", "boot", 42, 7};
    w.write("stages: [{id: s, timeout: 10s}]");
    WriteNodes r = World::request("{}");
    r.claim = Claim{.stages = {}, .at_most = 1, .process_uid = "run", .holder = "me", .runner = runner};
    w.write(r);
    w.clock.advance(60s);
    WriteNodes end = World::request("stages: [{id: s, attempt: {state: COMPLETE}}]");
    change(end.stages, 0, [&](StageWrite& write) { write.attempt->holder.emplace().identity = "me"; });
    w.write(end);
    CHECK(w.state("stage:s") == "FINAL passed");
}

TEST_CASE("Attempts of a runner that died are lost at the next tick, others are not") {
    World w;
    w.write("stages: [{id: mine, retry: {max_retries: 1}}, {id: script}]");
    WriteNodes r = World::request("{}");
    r.claim = Claim{.stages = {"mine"},
                    .at_most = 1,
                    .process_uid = "run",
                    .runner = RunnerIdentity{"host", "boot", 42, 7}};
    w.write(r);
    w.claim("script");
    w.tick();
    CHECK(w.stage("mine").attempts.size() == 1);
    w.service->set_runner_probe(
        [](const RunnerIdentity& id) { return id.pid != 42 ? Liveness::alive : Liveness::gone; });
    w.tick();
    const Stage mine = w.stage("mine");
    REQUIRE(mine.attempts.size() == 2);
    CHECK(mine.attempts[0].failure == "lost: runner died");
    CHECK(w.stage("script").attempts[0].state == AttemptState::running);
}

TEST_CASE("Who comes back late does not end the next attempt, which nobody has begun") {
    World w;
    w.write("stages: [{id: s, timeout: 1s, retry: {max_retries: 3, backoff: 1h}}]");
    w.claim("s", "w1");
    w.clock.advance(2s);
    // This very write finds that the time is over.
    CHECK(w.refused("stages: [{id: s, attempt: {state: COMPLETE}}]") == ErrorCode::invalid_state);
    w.tick();
    CHECK(w.refused("stages: [{id: s, attempt: {state: COMPLETE, process_uid: w1}}]") ==
          ErrorCode::invalid_state);
    CHECK(w.stage("s").attempts.size() == 2);
    CHECK(w.stage("s").attempts.at(1).state == AttemptState::pending);
    w.write("stages: [{id: s, attempt: {idx: 2, state: COMPLETE, process_uid: w1}}]");
    CHECK(w.state("stage:s") == "FINAL passed");
}

TEST_CASE("An end that is told again, by its number, changes nothing") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 1}}]");
    w.break_stage("s");
    const auto version = w.version();
    w.write("stages: [{id: s, attempt: {idx: 1, state: INCOMPLETE, failure: broken}}]");
    CHECK(w.version() == version);
    CHECK(w.refused("stages: [{id: s, attempt: {idx: 1, state: INCOMPLETE, failure: other}}]") ==
          ErrorCode::invalid_state);
}

TEST_CASE("A heartbeat does not take an attempt") {
    World w;
    w.write("stages: [{id: s}]");
    w.write("stages: [{id: s, attempt: {heartbeat: true, process_uid: w1}}]");
    CHECK(w.stage("s").attempts.at(0).process_uid.empty());
    CHECK(w.claim("s", "w2").claimed.size() == 1);
}
