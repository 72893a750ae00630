// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "domain/attempt_token.hpp"
#include "executor_fixture.hpp"
#include "os/process_identity.hpp"
#include "runner/stage_command.hpp"
#include "service/lookups.hpp"

using namespace turboci;
using namespace turboci::test;
using Strings = std::vector<std::string>;

TEST_CASE("Stages run in the order of their dependencies") {
    RunFixture f(R"(
stages:
  - {id: c, args: {command: [ok, 1s]}, dependencies: [b]}
  - {id: b, args: {command: [ok, 1s]}, dependencies: [a]}
  - {id: a, args: {command: [ok, 1s]}}
)");
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.started == Strings{"a", "b", "c"});
    CHECK(f.stage("c").outcome == Outcome::passed);
    CHECK(f.hearer.summary.passed == 3);
    CHECK(f.hearer.summary.elapsed == 3s);
}

TEST_CASE("An attempt is RUNNING in the store, with its holder, before its command starts") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 1s]}}]");
    bool seen = false;
    f.runner.on_start = [&](const std::string& id) {
        const Attempt attempt = f.stage(id).attempts.at(0);
        CHECK(attempt.state == AttemptState::running);
        CHECK(attempt.process_uid == runner_process_uid(this_runner()));
        seen = true;
    };
    CHECK(f.run().exit_code == 0);
    CHECK(seen);
}

TEST_CASE("A chain costs one write per stage, a batch of ends one for all of them") {
    std::string chain = "stages: [{id: s0, args: {command: [ok, 1s]}}";
    for (int i = 1; i < 20; ++i) {
        chain += ", {id: s" + std::to_string(i) + ", args: {command: [ok, 1s]}, dependencies: [s" +
                 std::to_string(i - 1) + "]}";
    }
    RunFixture f(chain + "]");
    std::int64_t before = f.version();
    CHECK(f.run().exit_code == 0);
    CHECK(f.version() - before == 21);

    std::string wide = "stages: [";
    for (int i = 0; i < 20; ++i) wide += "{id: w" + std::to_string(i) + ", args: {command: [ok, 1s]}},";
    f.write(wide + "]");
    f.options.jobs = 10;
    before = f.version();
    CHECK(f.run().exit_code == 0);
    CHECK(f.version() - before == 3);
    CHECK(f.runner.most_at_once == 10);
}

TEST_CASE("Never more commands at a time than jobs") {
    RunFixture f(
        "stages: [{id: a, args: {command: [ok, 1s]}}, {id: b, args: {command: [ok, 2s]}}, {id: c, args: "
        "{command: [ok, 3s]}}, {id: d, args: {command: [ok, 1s]}}, {id: e, args: {command: [ok, 1s]}}]");
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.most_at_once == 2);
    CHECK(f.hearer.summary.elapsed == 4s);
}

TEST_CASE("A failed stage fails its check, skips what needs it, and leaves the rest running") {
    RunFixture f(R"(
checks: [{id: built, state: PLANNED}]
stages:
  - {id: build, args: {command: [fail]}, assignments: [built]}
  - {id: test, args: {command: [ok]}, dependencies: [built]}
  - {id: notify, args: {command: [ok]}, dependencies: [{node: check:built, when: failure}]}
  - {id: other, args: {command: [ok]}}
)");
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"build", "other", "notify"});
    CHECK(f.stage("test").outcome == Outcome::skipped);
    CHECK(f.stage("build").attempts.at(0).failure == "exit status 3");
    CHECK(f.check("built").outcome == Outcome::failed);
    CHECK(f.hearer.summary.failed == 1);
    CHECK(f.hearer.summary.skipped == 1);
    CHECK(f.hearer.summary.failed_checks == 1);
    CHECK(f.hearer.ends.at(0).tail == "output of build\n");
    CHECK(std::count(f.hearer.finals.begin(), f.hearer.finals.end(), "stage:test skipped") == 1);
    CHECK(std::count(f.hearer.finals.begin(), f.hearer.finals.end(), "check:built failed") == 1);
}

TEST_CASE("A failed stage that no check answers for fails the run") {
    RunFixture f("stages: [{id: a, args: {command: [fail]}}]");
    CHECK(f.run().exit_code == 1);
}

TEST_CASE("A stage fails the run even if it was only to plan a check") {
    RunFixture f(R"(
checks: [{id: c}]
stages: [{id: a, args: {command: [fail]}, assignments: [{target_check_id: c, goal_state: PLANNED}]}]
)");
    CHECK(f.run().exit_code == 1);
}

TEST_CASE("Retries wait for their backoff, which doubles") {
    RunFixture f("stages: [{id: a, args: {command: [fail, 1s]}, retry: {max_retries: 2, backoff: 10s}}]");
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"a", "a", "a"});
    CHECK(f.hearer.summary.elapsed == 33s);
    CHECK(f.hearer.summary.retried == 2);
    CHECK(f.hearer.ends.at(0).retry_in == Duration(10s));
    CHECK(f.hearer.ends.at(1).retry_in == Duration(20s));
    CHECK_FALSE(f.hearer.ends.at(2).retry_in);
    CHECK(f.stage("a").concluded_reason == ConcludedReason::no_retries_left);
}

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

TEST_CASE("The runner sends heartbeats for the stages that have one") {
    RunFixture f("stages: [{id: a, heartbeat: 30s, args: {command: [ok, 10m]}}]");
    CHECK(f.run().exit_code == 0);
    const Attempt attempt = f.stage("a").attempts.at(0);
    CHECK(attempt.state == AttemptState::complete);
    CHECK(f.hearer.summary.elapsed == 10min);
}

TEST_CASE("A stage without a command is left to other workers, and waited for in vain") {
    RunFixture f(
        "stages: [{id: manual, args: {who: ops}}, {id: a, args: {command: [ok]}}, "
        "{id: after, dependencies: [manual], args: {command: [ok]}}]");
    const RunReport report = f.run();
    CHECK(report.exit_code == 8);
    CHECK(f.runner.started == Strings{"a"});
    CHECK(f.stage("manual").attempts.at(0).state == AttemptState::pending);
    CHECK(report.summary.waits_for == Strings{"stage:manual has no args.command: a worker has to claim it"});
    CHECK(report.summary.unfinished == 2);
}

TEST_CASE("A check that a person must answer ends the run with 8 and its name") {
    RunFixture f(
        "checks: [{id: approved, state: PLANNED}, {id: later}]\n"
        "stages: [{id: deploy, args: {command: [ok]}, dependencies: [approved]}]");
    const RunReport report = f.run();
    CHECK(report.exit_code == 8);
    CHECK(report.summary.waits_for == Strings{"check:approved waits for somebody to report",
                                              "check:later is PLANNING: somebody has to plan it"});
    CHECK(f.runner.started.empty());
}

TEST_CASE("A command that makes no sense fails its stage for good") {
    RunFixture f("");
    f.write_unjudged("a", R"({"command":{"run":"make"}})");
    f.write_unjudged("b", R"({"command":[]})");
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started.empty());
    CHECK(f.stage("a").attempts.size() == 1);
    CHECK(f.stage("a").attempts.at(0).failure == "args.command must be a string or a list of strings");
    CHECK(f.stage("a").concluded_reason == ConcludedReason::retry_blocked);
    CHECK(f.stage("b").attempts.at(0).failure == "args.command is empty");
}

TEST_CASE("What the system would not take costs no attempt, and leaves the rest running") {
    RunFixture f(R"(
stages:
  - {id: big, args: {command: [ok], env: {BIG: )" +
                 std::string(9000, 'x') + R"(}}}
  - {id: small, args: {command: [ok]}}
  - {id: after, args: {command: [ok]}, dependencies: [big]}
)");
    f.options.exec_space = 8000;
    const RunReport report = f.run();
    CHECK(report.exit_code == 8);
    CHECK(f.runner.started == Strings{"small"});
    REQUIRE(report.summary.waits_for.size() == 1);
    const std::string& why = report.summary.waits_for.at(0);
    CHECK(why.starts_with("stage:big cannot be executed here: its arguments and environment take "));
    CHECK(why.ends_with("8000 are allowed; the largest is the environment variable BIG with 9004 bytes"));
    CHECK(f.hearer.notes == Strings{why});
    CHECK(f.stage("big").attempts.at(0).state == AttemptState::pending);
    CHECK(dry_run(*f.endpoint, f.options).at(0).problem == why.substr(why.find("its ")));
    // Where there is room it runs.
    f.options.exec_space = 80'000;
    CHECK(f.run().exit_code == 0);
    CHECK(f.stage("big").attempts.size() == 1);
}

TEST_CASE("A program that is not there fails its stage with the reason") {
    RunFixture f("stages: [{id: a, args: {command: [missing]}}]");
    CHECK(f.run().exit_code == 1);
    CHECK(f.stage("a").attempts.at(0).failure == "cannot execute 'missing': No such file or directory");
}

TEST_CASE("Commands know their store, plan, stage and attempt") {
    RunFixture f(
        "stages: [{id: a, args: {command: [ok], env: {MODE: fast, PATH: /opt/bin, TURBOCI_PLAN: x}}}]");
    f.options.environment = {"PATH=/bin", "TURBOCI_STAGE=outer", "HOME=/root"};
    CHECK(f.run().exit_code == 0);
    Strings env = f.runner.environment.at("a");
    std::sort(env.begin(), env.end());
    const auto token =
        std::find_if(env.begin(), env.end(), [](const auto& e) { return e.starts_with("TURBOCI_TOKEN="); });
    REQUIRE(token != env.end());
    const auto parsed = parse_attempt_token(std::string_view(*token).substr(14));
    REQUIRE(parsed);
    CHECK(parsed->stage == "a");
    CHECK(parsed->idx == 1);
    env.erase(token);
    CHECK(env == Strings{"HOME=/root", "MODE=fast", "PATH=/opt/bin", "TURBOCI_ATTEMPT=1", "TURBOCI_PLAN=p",
                         "TURBOCI_STAGE=a", "TURBOCI_STORE=" + f.options.store_path,
                         "TURBOCI_WITHIN=" + enclosing_stage(f.options.store_path, "p", "a")});
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

TEST_CASE("Nodes written while the run goes on join it") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 5s]}}]");
    f.runner.on_start = [&](const std::string& id) {
        if (id == "a") f.write("stages: [{id: late, args: {command: [ok, 1s]}}]");
    };
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.started == Strings{"a", "late"});
    CHECK(f.hearer.summary.elapsed == 5s);
}

TEST_CASE("Named nodes are run with what they need and nothing else") {
    RunFixture f(R"(
checks:
  - {id: built, state: PLANNED}
  - {id: tested, state: PLANNED, dependencies: [built]}
stages:
  - {id: lint, args: {command: [ok]}}
  - {id: build, args: {command: [ok]}, assignments: [built]}
  - {id: test, args: {command: [ok]}, dependencies: [built], assignments: [tested]}
  - {id: docs, args: {command: [ok]}, dependencies: [built]}
)");
    f.options.refs = {{NodeType::check, "tested"}};
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.started == Strings{"build", "test"});
    CHECK(f.hearer.progress.total == 2);
    CHECK(f.hearer.summary.unfinished == 0);
    f.options.refs = {{std::nullopt, "nowhere"}};
    CHECK_THROWS_AS(f.run(), Error);
}

TEST_CASE("Nodes that join a run of named nodes count if these need them") {
    RunFixture f(R"(
checks: [{id: tested}]
stages: [{id: plan, args: {command: [ok, 5s]}, assignments: [{target_check_id: tested, goal_state: PLANNED}]}]
)");
    f.options.refs = {{NodeType::check, "tested"}};
    f.runner.on_start = [&](const std::string& id) {
        if (id != "plan") return;
        f.write(
            "stages: [{id: shard, args: {command: [ok, 1s]}, assignments: [tested]}, "
            "{id: unrelated, args: {command: [ok, 1s]}}]");
    };
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.started == Strings{"plan", "shard"});
    CHECK(f.check("tested").outcome == Outcome::passed);
}

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
    f.runner.at.emplace(1h + 30s, [&] { f.endpoint->beat("run:elsewhere:1:1"); });
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
            const auto last = service::last_beat(*f.store->begin(Access::read), token->holder);
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

TEST_CASE("A failed stage whose check is not part of the run fails it") {
    RunFixture f(
        "checks: [{id: c, state: PLANNED}]\n"
        "stages: [{id: x, args: {command: [fail]}, assignments: [c]}, {id: y, args: {command: [ok]}, "
        "assignments: [c]}]");
    f.options.refs = {{NodeType::stage, "x"}};
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"x"});
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

TEST_CASE("A run that ends before a backoff does says until when the stage waits") {
    RunFixture f("stages: [{id: a, retry: {max_retries: 1, backoff: 1h}, args: {command: [fail]}}]");
    f.options.timeout = 10min;
    CHECK(f.run().exit_code == 8);
    const std::string until = format_timestamp(f.stage("a").attempts.at(1).not_before.value());
    CHECK(f.hearer.summary.waits_for == Strings{"stage:a waits until " + until + " (backoff)"});
}

TEST_CASE("The live line counts stages alone, also among those that failed") {
    RunFixture f(
        "checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED, dependencies: [c]}]\n"
        "stages: [{id: a, assignments: [c], args: {command: [fail]}}, {id: b, args: {command: [ok]}}]");
    CHECK(f.run().exit_code == 1);
    CHECK(f.hearer.progress.total == 2);
    CHECK(f.hearer.progress.failed == 1);
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

TEST_CASE("An empty plan runs to its end at once") {
    RunFixture f;
    CHECK(f.run().exit_code == 0);
    CHECK(f.version() == 1);
}

TEST_CASE("The summary names the slowest stages and the longest chain") {
    RunFixture f(R"(
checks: [{id: built, state: PLANNED}]
stages:
  - {id: quick, args: {command: [ok, 1s]}}
  - {id: compile, args: {command: [ok, 10s]}, assignments: [built]}
  - {id: test, args: {command: [ok, 7s]}, dependencies: [built]}
  - {id: lint, args: {command: [ok, 12s]}}
)");
    f.options.jobs = 4;
    CHECK(f.run().exit_code == 0);
    const RunSummary& s = f.hearer.summary;
    CHECK(s.critical_path == Strings{"compile", "test"});
    CHECK(s.critical_length == 17s);
    CHECK(s.slowest.at(0).stage == "lint");
    CHECK(s.critical_waiting == 0s);
    CHECK(s.slowest.size() == 4);
}

TEST_CASE("The critical path counts retries and their backoff") {
    RunFixture f(R"(
stages:
  - {id: first, args: {command: [ok, 1s]}}
  - {id: tries, args: {command: [fail, 1s]}, dependencies: [first], retry: {max_retries: 1, backoff: 3s}}
  - {id: short, args: {command: [ok, 2s]}, dependencies: [first]}
  - {id: clean, args: {command: [ok, 2s]}, dependencies: {all: [{node: tries, when: failure}, short]}}
)");
    f.options.jobs = 4;
    CHECK(f.run().exit_code == 1);
    const RunSummary& s = f.hearer.summary;
    CHECK(s.critical_path == Strings{"first", "tries", "clean"});
    CHECK(s.critical_length == 8s);
    CHECK(s.critical_waiting == 0s);
}

TEST_CASE("The critical path tells how long it waited for a free place") {
    RunFixture f(R"(
stages:
  - {id: a, args: {command: [ok, 1s]}}
  - {id: between, args: {command: [ok, 4s]}}
  - {id: b, args: {command: [ok, 2s]}, dependencies: [a]}
)");
    f.options.jobs = 1;
    CHECK(f.run().exit_code == 0);
    const RunSummary& s = f.hearer.summary;
    CHECK(s.critical_path == Strings{"a", "b"});
    CHECK(s.critical_length == 7s);
    CHECK(s.critical_waiting == 4s);
}

TEST_CASE("What was skipped is no cause on the critical path") {
    RunFixture f(R"(
stages:
  - {id: quick, args: {command: [ok, 1s]}}
  - {id: slow, args: {command: [ok, 5s]}}
  - {id: never, args: {command: [ok, 1s]}, dependencies: [{node: slow, when: failure}]}
  - {id: last, args: {command: [ok, 1s]}, dependencies: [quick, {node: never, when: always}]}
)");
    f.options.jobs = 4;
    CHECK(f.run().exit_code == 0);
    CHECK(f.hearer.summary.critical_path == Strings{"quick", "last"});
}

TEST_CASE("A run that finds nothing to do says why") {
    RunFixture failed("stages: [{id: s, args: {command: [fail]}}, {id: t, dependencies: [s]}]");
    CHECK(failed.run().exit_code == 1);
    CHECK(failed.hearer.summary.nothing_to_run.empty());
    CHECK(failed.run().exit_code == 1);
    CHECK(failed.hearer.summary.nothing_to_run == "stage:s failed (and 1 more)");
    RunFixture passed("stages: [{id: s, args: {command: [ok]}}]");
    CHECK(passed.run().exit_code == 0);
    CHECK(passed.run().exit_code == 0);
    CHECK(passed.hearer.summary.nothing_to_run == "everything is done");
    RunFixture open("checks: [{id: c, state: WAITING}]");
    CHECK(open.run().exit_code == 8);
    CHECK(open.hearer.summary.nothing_to_run.empty());
    CHECK(open.hearer.summary.waits_for == Strings{"check:c waits for somebody to report"});
}

TEST_CASE("A dry run tells the order and writes nothing") {
    RunFixture f("");
    f.write_unjudged("lint", R"({"command":7})");
    f.write(R"(
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED, dependencies: [built]}]
stages:
  - {id: deploy, args: {command: ./deploy}, dependencies: {at_least: 2, of: [tested, lint, manual]}}
  - {id: test, args: {command: [make, test]}, dependencies: [built], assignments: [tested]}
  - {id: build, args: {command: make}, assignments: [built]}
  - {id: manual}
  - {id: after, args: {command: x}, dependencies: [manual]}
  - {id: sorry, args: {command: x}, dependencies: [{node: built, when: failure}]}
)");
    const std::int64_t before = f.version();
    const std::vector<DryStep> steps = dry_run(*f.endpoint, f.options);
    Strings order;
    for (const DryStep& step : steps) order.push_back(step.stage);
    CHECK(order == Strings{"lint", "build", "test", "deploy"});
    CHECK(steps.at(1).argv == Strings{"/bin/sh", "-e", "-c", "make"});
    CHECK(steps.at(0).problem == "args.command must be a string or a list of strings; put it in quotes");
    CHECK(f.version() == before);
    f.options.refs = {{NodeType::check, "tested"}};
    CHECK(dry_run(*f.endpoint, f.options).size() == 2);
}
