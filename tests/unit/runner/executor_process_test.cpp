// SPDX-License-Identifier: Apache-2.0
// The executor with everything that it has in earnest: processes, the store's thread, the machine's clock.
#include <fstream>
#include <iterator>

#include "executor_fixture.hpp"
#include "os/process_identity.hpp"
#include "runner/stage_command.hpp"
#include "service/local_service.hpp"
#include "supervised.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

/// The fixture's store under the machine's clock.
class RealRun {
public:
    explicit RealRun(const std::string& yaml) : fixture({}, &system_clock()), real(*fixture.store) {
        fixture.options.plan = "real";
        fixture.options.threaded = true;
        fixture.options.jobs = 4;
        fixture.options.environment = own_environment();
        real.set_runner_probe(
            [](const RunnerIdentity& id) { return runner_is_alive(id) ? Liveness::alive : Liveness::gone; });
        CreatePlan create;
        create.id = "real";
        Problems problems;
        read_plan_text({"test.yaml", yaml}, create.nodes, problems);
        problems.raise_if_any(create.nodes.files);
        real.create_plan(create);
    }
    RunReport run() {
        Supervisor supervisor(impatient());
        Executor executor(real, supervisor, system_clock(), fixture.hearer, fixture.options);
        return executor.run();
    }
    [[nodiscard]] std::string log(const std::string& name) const {
        std::ifstream file(fixture.options.store_path + ".logs/real/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    Stage stage(const std::string& id) {
        QueryNodes query;
        query.plan = "real";
        query.refs = {{NodeType::stage, id}};
        RunFixture::Collected found;
        real.query(query, found);
        return found.stages.at(0);
    }

    RunFixture fixture;
    LocalService real;
};

}  // namespace

TEST_CASE("Real commands run, and their output lies in logs") {
    RealRun r(R"(
stages:
  - {id: hello, args: {command: 'echo hello $TURBOCI_PLAN/$TURBOCI_STAGE/$TURBOCI_ATTEMPT; echo oops >&2'}}
  - {id: list, args: {command: [printf, '%s|', a b, c]}, dependencies: [hello]}
  - {id: flaky, args: {command: 'test $TURBOCI_ATTEMPT = 2'}, retry: {max_retries: 1, backoff: 10ms}}
)");
    CHECK(r.run().exit_code == 0);
    CHECK(r.log("hello.1.log") == "hello real/hello/1\noops\n");
    CHECK(r.log("list.1.log") == "a b|c|");
    CHECK(r.stage("flaky").attempts.at(0).failure == "exit status 1");
    CHECK(r.stage("flaky").attempts.size() == 2);
}

TEST_CASE("A wide plan with many ends at once is run to its end, each stage once") {
    std::string yaml = "stages:\n";
    for (int i = 0; i < 60; ++i) {
        yaml += "  - {id: s" + std::to_string(i) + ", args: {command: [\"true\"]}";
        if (i >= 10) yaml += ", dependencies: [s" + std::to_string(i - 10) + "]";
        yaml += "}\n";
    }
    RealRun r(yaml);
    CHECK(r.run().exit_code == 0);
    CHECK(r.fixture.hearer.starts.size() == 60);
    CHECK(r.fixture.hearer.summary.passed == 60);
}

TEST_CASE("A store that is locked for a moment between two stages is waited for, and nothing said") {
    RealRun r(
        "stages: [{id: a, args: {command: 'true'}}, {id: b, args: {command: 'true'}, dependencies: [a]}]");
    r.fixture.store->refuse = 1;
    CHECK(r.run().exit_code == 0);
    CHECK(r.fixture.hearer.notes.empty());
    CHECK(r.fixture.store->refuse == 0);
}

TEST_CASE("Stages that will not end are ended at their timeout, and leave nothing behind") {
    const std::string mark = unique_mark("run");
    const std::string hostile = std::string("{command: ['") + HOSTILE_CHILD + "', ";
    std::string yaml = "stages:\n";
    for (const char* mode : {"ignore-term", "child-ignores-term", "close-output", "daemon-then-wait",
                             "flood-for-ever", "stop-again-and-again"}) {
        yaml += std::string("  - {id: ") + mode + ", timeout: 300ms, args: " + hostile + mode + ", " + mark +
                "]}}\n";
    }
    for (const char* mode : {"setsid", "daemon", "nameless-daemon", "family", "hold-output", "leave-group"}) {
        yaml += std::string("  - {id: ") + mode + ", args: " + hostile + mode + ", " + mark + "]}}\n";
    }
    RealRun r(yaml);
    r.fixture.options.jobs = 12;
    r.fixture.options.log_limit = 64 * 1024;
    const RunReport report = r.run();
    CHECK(report.exit_code == 1);
    CHECK(report.summary.passed == 6);
    CHECK(report.summary.failed == 6);
    CHECK(report.summary.survivors == 0);
    CHECK(processes_with(mark).empty());
    CHECK(r.stage("ignore-term").attempts.at(0).failure == "timed out after 300ms");
    CHECK(r.log("flood-for-ever.1.log").size() < 65 * 1024);
}
