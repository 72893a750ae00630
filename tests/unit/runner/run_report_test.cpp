// SPDX-License-Identifier: Apache-2.0
#include "executor_fixture.hpp"
#include "runner/dry_run.hpp"

using namespace turboci;
using namespace turboci::test;
using Strings = std::vector<std::string>;

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

TEST_CASE("A failed stage whose check is not part of the run fails it") {
    RunFixture f(
        "checks: [{id: c, state: PLANNED}]\n"
        "stages: [{id: x, args: {command: [fail]}, assignments: [c]}, {id: y, args: {command: [ok]}, "
        "assignments: [c]}]");
    f.options.refs = {{NodeType::stage, "x"}};
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.started == Strings{"x"});
}

TEST_CASE("A run that ends before a backoff does says until when the stage waits") {
    RunFixture f("stages: [{id: a, retry: {max_retries: 1, backoff: 1h}, args: {command: [fail]}}]");
    f.runner.at.emplace(1h + 10min, [&] { f.runner.signals = {2}; });
    CHECK(f.run().exit_code == 130);
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
