// SPDX-License-Identifier: Apache-2.0
#include "executor_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Strings = std::vector<std::string>;

TEST_CASE("A stage past its timeout is stopped and says so") {
    RunFixture f("stages: [{id: a, timeout: 5s, args: {command: [ok, 1h]}}]");
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.stopped == Strings{"a"});
    CHECK(f.stage("a").attempts.at(0).failure == "timed out after 5s");
    CHECK(f.hearer.summary.elapsed == 5s);
}

TEST_CASE("While a stage outlives its timeout its next attempt is not started") {
    RunFixture f(R"(
stages:
  - {id: a, timeout: 5s, retry: {max_retries: 1}, args: {command: [stubborn]}}
  - {id: b, args: {command: [ok, 7s]}}
)");
    f.options.jobs = 3;
    f.runner.at.emplace(1h + 20s, [&] { f.runner.kill(CommandId{1}); });
    Duration second{0};
    f.runner.on_start = [&](const std::string& id) {
        if (id != "a") return;
        second = f.clock.since_boot;
        if (f.runner.started.size() > 2)
            f.runner.at.emplace(f.clock.since_boot + 6s, [&] { f.runner.kill(CommandId{3}); });
    };
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"a", "b", "a"});
    CHECK(second == 1h + 20s);
    CHECK(f.stage("a").attempts.at(0).failure == "timed out after 5s");
}

TEST_CASE("An interrupt ends what runs, starts nothing more, and tells the signal in the exit code") {
    RunFixture f(
        "stages: [{id: a, args: {command: [ok, 1h]}}, {id: b, args: {command: [ok, 1h]}}, "
        "{id: c, args: {command: [ok]}}]");
    f.runner.at.emplace(1h + 5s, [&] { f.runner.signals = {2}; });
    CHECK(f.run().exit_code == 130);
    CHECK(f.runner.started == Strings{"a", "b"});
    CHECK(f.runner.stopped == Strings{"a", "b"});
    CHECK(f.stage("a").attempts.at(0).failure == "interrupted by signal 2 (SIGINT)");
    CHECK(f.stage("b").attempts.at(0).state == AttemptState::incomplete);
    CHECK(f.stage("c").attempts.at(0).state == AttemptState::pending);
}

TEST_CASE("A second interrupt kills at once") {
    RunFixture f("stages: [{id: a, args: {command: [stubborn]}}]");
    f.runner.at.emplace(1h + 5s, [&] { f.runner.signals = {15}; });
    f.runner.at.emplace(1h + 6s, [&] { f.runner.signals = {2}; });
    CHECK(f.run().exit_code == 143);
    CHECK(f.runner.killed == Strings{"a"});
    CHECK(f.hearer.summary.elapsed == 6s);
}

TEST_CASE("The run's own timeout ends it") {
    RunFixture f("stages: [{id: a, retry: {max_retries: 1}, args: {command: [ok, 1h]}}]");
    f.options.timeout = 10min;
    CHECK(f.run().exit_code == 1);
    CHECK(f.stage("a").outcome == Outcome::cancelled);
    CHECK(f.stage("a").attempts.size() == 1);
    CHECK(f.stage("a").attempts.at(0).cause == Cause::cancelled);
    CHECK(f.stage("a").concluded_message == "the run timed out after 10m");
}

TEST_CASE("With fail-fast what is left after a failure is cancelled, and what cleans up runs") {
    RunFixture f(
        "stages: [{id: a, args: {command: [fail, 1s]}}, {id: b, args: {command: [ok, 50s]}}, "
        "{id: c, args: {command: [ok]}}, "
        "{id: down, args: {command: [ok]}, dependencies: [{node: stage:b, when: always}]}]");
    f.options.fail_fast = 1;
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"a", "b", "down"});
    CHECK(f.runner.stopped == Strings{"b"});
    CHECK(f.stage("a").outcome == Outcome::failed);
    CHECK(f.stage("b").outcome == Outcome::cancelled);
    CHECK(f.stage("c").outcome == Outcome::cancelled);
    CHECK(f.stage("down").outcome == Outcome::passed);
}

TEST_CASE("What hangs on the nodes that a run was asked for cleans up after them, and nothing else runs") {
    const std::string plan =
        "stages: [{id: a, args: {command: [fail, 1s]}}, {id: b, args: {command: [ok, 50s]}}, "
        "{id: down, args: {command: [ok]}, dependencies: [{node: stage:b, when: always}]}, "
        "{id: after, args: {command: [ok]}, dependencies: [stage:down]}, "
        "{id: mixed, args: {command: [ok]}, dependencies: [stage:down, stage:other]}, "
        "{id: other, args: {command: [ok]}}, "
        "{id: foreign, args: {command: [ok]}, dependencies: [{node: stage:other, when: always}]}]";
    RunFixture f(plan);
    f.options.refs = {{NodeType::stage, "a"}, {NodeType::stage, "b"}};
    SECTION("cancelled") {
        f.options.fail_fast = 1;
        CHECK(f.run().exit_code == 1);
        CHECK(f.runner.started == Strings{"a", "b", "down", "after"});
        CHECK(f.stage("b").outcome == Outcome::cancelled);
    }
    SECTION("run to its end") {
        CHECK(f.run().exit_code == 1);
        CHECK(f.runner.started == Strings{"a", "b"});
        CHECK(f.stage("down").state == State::attempting);
    }
    CHECK(f.stage("other").state == State::attempting);
    CHECK(f.stage("mixed").state == State::planned);
}

TEST_CASE("With fail-fast the failure of what is not required cancels nothing") {
    RunFixture f(
        "checks: [{id: extra, state: PLANNED, required: false}]\n"
        "stages: [{id: a, args: {command: [fail, 1s]}, assignments: [extra]}, "
        "{id: b, args: {command: [ok, 5s]}}]");
    f.options.fail_fast = 1;
    CHECK(f.run().exit_code == 0);
    CHECK(f.stage("b").outcome == Outcome::passed);
}

TEST_CASE("With fail-fast an attempt that will be retried is no failure yet") {
    RunFixture f(
        "stages: [{id: a, retry: {max_retries: 1}, args: {command: [fail, 1s]}}, "
        "{id: b, args: {command: [ok, 1s]}}]");
    f.options.fail_fast = 1;
    f.options.jobs = 1;
    CHECK(f.run().exit_code == 1);
    CHECK(f.stage("a").attempts.size() == 2);
}

TEST_CASE("A stage that somebody cancels is stopped") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 1h]}}, {id: b, args: {command: [ok, 10s]}}]");
    f.runner.at.emplace(1h + 5s, [&] { f.cancel("a"); });
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.stopped == Strings{"a"});
    CHECK(f.stage("a").outcome == Outcome::cancelled);
    CHECK(f.hearer.summary.cancelled == 1);
    CHECK(f.hearer.summary.elapsed == 10s);
}

TEST_CASE("A stage may complete its own attempt and end in peace") {
    RunFixture f(
        "stages: [{id: a, args: {command: [ok, 10s]}}, {id: b, args: {command: [ok, 1s]}, dependencies: "
        "[a]}]");
    f.runner.at.emplace(1h + 2s, [&] {
        f.write("stages: [{id: a, attempt: {state: COMPLETE}}]", AttemptRef{"a", 1});
        CHECK(f.stage("a").state == State::attempting);
    });
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.stopped.empty());
    CHECK(f.stage("a").outcome == Outcome::passed);
    CHECK(f.hearer.summary.passed == 2);
    CHECK(f.hearer.summary.elapsed == 11s);  // b waits for the process of a
}

TEST_CASE("What ended by itself before anybody told it to ends as itself") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 5s]}}, {id: b, args: {command: [ok, 5s]}}]");
    f.runner.at.emplace(1h + 5s, [&] { f.cancel("a"); });
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.stopped.empty());
    CHECK(f.stage("a").outcome == Outcome::passed);
    CHECK(f.stage("b").outcome == Outcome::passed);
}
