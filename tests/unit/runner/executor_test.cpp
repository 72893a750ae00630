// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "domain/attempt_token.hpp"
#include "executor_fixture.hpp"
#include "os/process_identity.hpp"
#include "runner/stage_command.hpp"

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

TEST_CASE("An empty plan runs to its end at once") {
    RunFixture f;
    CHECK(f.run().exit_code == 0);
    CHECK(f.version() == 1);
}
