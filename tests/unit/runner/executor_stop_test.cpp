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
    CHECK(f.run().exit_code == 8);
    CHECK(f.stage("a").attempts.at(0).failure == "interrupted: the run timed out after 10m");
    CHECK(f.stage("a").attempts.size() == 2);
    CHECK(f.hearer.summary.waits_for == Strings{"stage:a is ready to run"});
}

TEST_CASE("With fail-fast nothing starts after a failure, and what runs may end") {
    RunFixture f(
        "stages: [{id: a, args: {command: [fail, 1s]}}, {id: b, args: {command: [ok, 5s]}}, "
        "{id: c, args: {command: [ok]}}]");
    f.options.fail_fast = true;
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"a", "b"});
    CHECK(f.stage("b").outcome == Outcome::passed);
    CHECK(f.stage("c").state == State::attempting);
}

TEST_CASE("With fail-fast an attempt that will be retried is no failure yet") {
    RunFixture f(
        "stages: [{id: a, retry: {max_retries: 1}, args: {command: [fail, 1s]}}, "
        "{id: b, args: {command: [ok, 1s]}}]");
    f.options.fail_fast = true;
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
