// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;

TEST_CASE("A stage whose dependencies are there is attempted in the write that creates it") {
    World w;
    w.write("stages: [{id: s}]");
    const Stage s = w.stage("s");
    CHECK(s.state == State::attempting);
    REQUIRE(s.attempts.size() == 1);
    CHECK(s.attempts[0].state == AttemptState::pending);
    CHECK(s.attempts[0].idx == 1);
}

TEST_CASE("What is fixed at creation may be repeated but not changed") {
    World w;
    const char* plan = R"(
checks: [{id: c}, {id: d}]
stages:
  - {id: s, args: {command: [make, all]}, dependencies: [c], assignments: [d], retry: {max_retries: 2, backoff: 1s}, timeout: 5m, heartbeat: 10s}
)";
    w.write(plan);
    const auto version = w.version();
    w.write(plan);
    w.write("stages: [{id: s}]");
    CHECK(w.version() == version);
    for (const char* other :
         {"args: {command: [make, other]}", "dependencies: [d]", "dependencies: []", "assignments: [c]",
          "assignments: []", "assignments: [{target_check_id: d, goal_state: WAITING}]",
          "retry: {max_retries: 3, backoff: 1s}", "timeout: 6m", "heartbeat: 1s"}) {
        CAPTURE(other);
        CHECK(w.refused("stages: [{id: s, " + std::string(other) + "}]") == ErrorCode::invalid_state);
    }
}

TEST_CASE("An assignment to a check that is nowhere is refused") {
    World w;
    CHECK(w.refused("stages: [{id: s, assignments: [nope]}]") == ErrorCode::invalid_dependency);
}

TEST_CASE("Retries follow until they are used up, with a backoff that doubles") {
    using namespace std::chrono_literals;
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 2, backoff: 10s}}]");
    w.break_stage("s");
    const Timestamp first_end = w.clock.reading.wall;
    CHECK(w.stage("s").attempts.at(1).not_before == first_end + 10s);
    w.clock.advance(10s);
    w.break_stage("s");
    CHECK(w.stage("s").attempts.at(2).not_before == first_end + 10s + 20s);
    w.clock.advance(20s);
    w.break_stage("s");
    const Stage s = w.stage("s");
    CHECK(w.state("stage:s") == "FINAL failed");
    CHECK(s.concluded_reason == ConcludedReason::no_retries_left);
    CHECK(s.attempts.size() == 3);
}

TEST_CASE("A later attempt that completes makes the stage pass") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 1}}]");
    w.break_stage("s");
    w.pass("s");
    CHECK(w.state("stage:s") == "FINAL passed");
    CHECK(w.stage("s").concluded_reason == ConcludedReason::attempt_complete);
}

TEST_CASE("A writer may block further attempts") {
    World w;
    w.write("stages: [{id: s, retry: {max_retries: 5}}]");
    w.claim("s");
    w.fail("s", "hopeless", true);
    CHECK(w.stage("s").concluded_reason == ConcludedReason::retry_blocked);
    CHECK(w.state("stage:s") == "FINAL failed");
}

TEST_CASE("Cancelling ends a stage wherever it stands and runs nothing again") {
    World w;
    w.write(
        "stages: [{id: a, retry: {max_retries: 3}}, {id: b, dependencies: ['stage:a']}, {id: after, "
        "dependencies: [{node: b, when: always}]}]");
    w.write("stages: [{id: b, cancel: true}]");
    CHECK(w.state("stage:b") == "FINAL cancelled");
    CHECK(w.state("stage:after") == "ATTEMPTING");
    w.claim("a");
    w.write("stages: [{id: a, cancel: true}]");
    const Stage a = w.stage("a");
    CHECK(w.state("stage:a") == "FINAL cancelled");
    REQUIRE(a.attempts.size() == 1);
    CHECK(a.attempts[0].state == AttemptState::incomplete);
    CHECK(a.concluded_reason == ConcludedReason::cancelled);
    const auto version = w.version();
    w.write("stages: [{id: a, cancel: true}]");
    CHECK(w.version() == version);
    w.pass("after");
    CHECK(w.refused("stages: [{id: after, cancel: true}]") == ErrorCode::invalid_state);
}

TEST_CASE("A stage can be created and cancelled in one write") {
    World w;
    w.write("stages: [{id: s, cancel: true}]");
    CHECK(w.state("stage:s") == "FINAL cancelled");
}
