// SPDX-License-Identifier: Apache-2.0
#include "domain/attempt_token.hpp"
#include "executor_fixture.hpp"
#include "os/process_identity.hpp"
#include "runner/stage_command.hpp"
#include "service/lookups.hpp"

using namespace turboci;
using namespace turboci::test;
using Strings = std::vector<std::string>;

TEST_CASE("The attempts of a runner that died are found, ended and run again") {
    RunFixture f(
        "stages: [{id: a, retry: {max_retries: 1}, args: {command: [ok]}}, {id: b, args: {command: [ok]}}]");
    RunnerIdentity dead = this_runner();
    dead.start_time -= 1;
    f.attempt("a", AttemptState::running, "run:dead", dead);
    f.attempt("b", AttemptState::running, "run:dead", dead);
    f.endpoint->set_runner_probe(
        [](const RunnerIdentity& id) { return runner_is_alive(id) ? Liveness::alive : Liveness::gone; });
    CHECK(f.run().exit_code == 0);
    CHECK(f.stage("a").attempts.at(0).failure == "lost: runner died");
    CHECK(f.stage("a").outcome == Outcome::passed);
    CHECK(f.stage("b").outcome == Outcome::passed);
    CHECK(f.runner.started == Strings{"a", "b"});
}

TEST_CASE("What another runner holds is waited for") {
    RunFixture f(
        "stages: [{id: a, args: {command: [ok]}}, {id: b, args: {command: [ok]}, dependencies: [a]}]");
    RunnerIdentity other = this_runner();  // one that lives on this host
    other.pid = ::getppid();
    other.start_time = read_process_stat(other.pid).value().start_time;
    f.attempt("a", AttemptState::running, runner_process_uid(other), other);
    f.runner.at.emplace(1h + 30s, [&] { f.attempt("a", AttemptState::complete, runner_process_uid(other)); });
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.started == Strings{"b"});
    CHECK(f.hearer.summary.elapsed < 32s);
}

TEST_CASE("What a runner of another host holds is waited for until it has been silent for too long") {
    RunFixture f("stages: [{id: a, args: {command: [ok]}}]");
    f.endpoint->set_runner_probe([](const RunnerIdentity&) { return Liveness::unknown; });
    f.attempt("a", AttemptState::running, "run:elsewhere:1:1", RunnerIdentity{"elsewhere", "boot", 1, 1});
    f.runner.at.emplace(1h + 30s,
                        [&] { static_cast<void>(f.endpoint->beat({.holder = "run:elsewhere:1:1"})); });
    CHECK(f.run().exit_code == 0);
    CHECK(f.stage("a").attempts.at(0).cause == Cause::lost);
    CHECK(f.runner.started == Strings{"a"});
    CHECK(f.hearer.summary.elapsed >= 90s);
    CHECK(f.hearer.summary.elapsed < 95s);
}

TEST_CASE("A run says that it lives while it runs something, and takes it back at its end") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 10m]}}]");
    int beats = 0;
    for (int minute = 1; minute < 10; ++minute)
        f.runner.at.emplace(1h + std::chrono::minutes(minute), [&] {
            const auto token =
                parse_attempt_token(environment_value(f.runner.environment.at("a"), "TURBOCI_TOKEN"));
            const auto last = service::last_beat(*f.store->read({}), token->holder);
            if (last && f.clock.read().wall - *last <= 11s) ++beats;
        });
    CHECK(f.run().exit_code == 0);
    CHECK(beats == 9);
    CHECK(f.version() == 4);  // signs of life are no writes of the plan
}

TEST_CASE("A run within a stage does not wait for that stage to end") {
    RunFixture f("stages: [{id: outer, args: {command: [ok]}}, {id: inner, args: {command: [ok]}}]");
    RunnerIdentity other = this_runner();
    other.pid = ::getppid();
    other.start_time = read_process_stat(other.pid).value().start_time;
    f.attempt("outer", AttemptState::running, runner_process_uid(other), other);
    f.options.environment = {"TURBOCI_WITHIN=" + enclosing_stage(f.options.store_path, "p", "outer")};
    CHECK(f.run().exit_code == 8);
    CHECK(f.runner.started == Strings{"inner"});
}

TEST_CASE("What a worker holds is waited for only if time will end it") {
    RunFixture f("stages: [{id: a, args: {command: [ok]}}]");
    f.attempt("a", AttemptState::running, "worker-7");
    const RunReport report = f.run();
    CHECK(report.exit_code == 8);
    CHECK(report.summary.waits_for == Strings{"stage:a is held by worker-7"});

    RunFixture g("stages: [{id: a, timeout: 1m, retry: {max_retries: 1}, args: {command: [ok]}}]");
    g.attempt("a", AttemptState::running, "worker-7");
    CHECK(g.run().exit_code == 0);
    CHECK(g.stage("a").attempts.at(0).failure == "timed out after 1m");
    CHECK(g.runner.started == Strings{"a"});
}

TEST_CASE("A later run waits for attempts that are not ready yet") {
    RunFixture f("stages: [{id: a, retry: {max_retries: 1, backoff: 1h}, args: {command: [ok]}}]");
    f.attempt("a", AttemptState::running, "worker-7");
    f.attempt("a", AttemptState::incomplete);
    CHECK(f.run().exit_code == 0);
    CHECK(f.hearer.summary.elapsed == 1h);
}

TEST_CASE("A store that is locked for a while holds nothing up for good") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 1s]}}]");
    f.runner.on_start = [&](const std::string&) { f.store->refuse = 2; };
    CHECK(f.run().exit_code == 0);
    CHECK(f.hearer.notes ==
          Strings{"the store is locked; trying again", "the store is locked; trying again"});
    CHECK(f.stage("a").outcome == Outcome::passed);
}

TEST_CASE("A store that stays locked, or breaks, ends the run after ending its commands") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 1s]}}, {id: b, args: {command: [ok, 1h]}}]");
    f.runner.on_start = [&](const std::string&) {
        f.store->refuse = 1'000;
        f.store->refuse_with = ErrorCode::store;
    };
    try {
        static_cast<void>(f.run());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::store);
    }
    CHECK(f.runner.stopped == Strings{"b"});

    RunFixture g("stages: [{id: a, args: {command: [ok, 1s]}}]");
    g.runner.on_start = [&](const std::string&) { g.store->refuse = 1'000; };
    CHECK_THROWS_AS(g.run(), Error);
}

TEST_CASE("Logs that cannot be written end the run") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 1s]}}]");
    std::filesystem::create_directory_symlink("/tmp", f.options.store_path + ".logs");
    try {
        static_cast<void>(f.run());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::store);
    }
    CHECK(f.runner.started.empty());
    CHECK(f.stage("a").attempts.at(0).state == AttemptState::incomplete);
}
