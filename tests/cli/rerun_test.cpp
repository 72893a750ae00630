// SPDX-License-Identifier: Apache-2.0
// The second day: a plan that failed is started again.
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

/// Runs a plan of which `test` fails until there is a file `mended`.
void run_to_failure(const Binary& turboci) {
    turboci.ok({"plan", "create", "monday", "-f", "-", "--label", "branch=main"}, R"(
checks: [{id: tests, state: PLANNED}]
stages:
  - {id: build, args: {command: echo building}}
  - {id: test, args: {command: test -e mended}, dependencies: [stage:build], assignments: [tests]}
)");
    CHECK(turboci.run({"run", "-q", "-j1"}).code == 1);
}

}  // namespace

TEST_CASE("plan rerun, run, gate: without a flag the new plan is meant") {
    const Binary turboci;
    run_to_failure(turboci);
    const Ran made = turboci.run({"plan", "rerun", "--id", "tuesday"});
    CHECK(made.code == 0);
    CHECK(made.out == "tuesday\n");
    CHECK(contains(made.err, "plan tuesday: 1 node carried over, 2 nodes begin anew"));
    turboci.file("mended", "");
    const Ran ran = turboci.run({"run", "-j1"});
    CHECK(ran.code == 0);
    CHECK(!contains(ran.out + ran.err, "stage:build"));
    CHECK(contains(ran.out + ran.err, "passed stage:test"));
    CHECK(turboci.run({"gate"}).code == 0);
    CHECK(turboci.run({"gate", "-p", "monday"}).code == 1);
    CHECK(contains(turboci.ok({"plan", "list"}), "monday"));
    // There is nothing left to do.
    const Ran again = turboci.run({"plan", "rerun"});
    CHECK(again.code == 0);
    CHECK(again.out == "tuesday\n");
    CHECK(contains(again.err, "nothing to do"));
}

TEST_CASE("A carried stage's log is found, until the plan where it ran is gone") {
    const Binary turboci;
    run_to_failure(turboci);
    turboci.ok({"plan", "rerun", "--id", "tuesday"});
    CHECK(turboci.ok({"logs", "build"}) == "building\n");
    turboci.ok({"plan", "delete", "monday"});
    const Ran ran = turboci.run({"logs", "build"});
    CHECK(ran.code == 4);
    CHECK(contains(ran.err, "the log of stage:build attempt 1 is gone with plan monday, where it ran"));
}

TEST_CASE("plan rerun tells programs what it did, and takes files") {
    const Binary turboci;
    run_to_failure(turboci);
    const std::string file = turboci.file("plan.yaml", R"(
checks: [{id: tests, state: PLANNED}]
stages:
  - {id: build, args: {command: echo building}}
  - {id: test, args: {command: 'true'}, dependencies: [stage:build], assignments: [tests]}
  - {id: more, args: {command: 'true'}, dependencies: [stage:test]}
)");
    const Json result = Json::parse(
        turboci.ok({"plan", "rerun", "-f", file, "--id", "tuesday", "--reason", "mended", "-o", "json"}));
    CHECK(result["plan"]["from"] == "monday");
    CHECK(result["plan"]["labels"]["branch"] == "main");
    CHECK(result["carried"] == Json::array({"stage:build"}));
    CHECK(result["begun"] == Json::array({"check:tests", "stage:test", "stage:more"}));
    CHECK(result["ended"].empty());
    CHECK(result["nothing_to_do"] == false);
    CHECK(turboci.run({"run", "-q"}).code == 0);
    if (turboci.has_file()) CHECK(turboci.run({"store", "check"}).code == 0);
}

TEST_CASE("What plan rerun refuses") {
    const Binary turboci;
    run_to_failure(turboci);
    CHECK(turboci.run({"plan", "rerun", "--id", "no/id"}).code == 3);
    CHECK(turboci.run({"plan", "rerun", "--id", "monday"}).code == 6);
    CHECK(turboci.run({"plan", "rerun", "stage:nobody"}).code == 4);
    CHECK(turboci.run({"plan", "rerun", "-p", "sunday"}).code == 4);
    CHECK(turboci.run({"plan", "rerun", "--if-version", "1"}).code == 6);
    const Ran bad = turboci.run({"plan", "rerun", "-f", "-"}, "stages: [{id: s, dependencies: [t]}]");
    CHECK(bad.code == 3);
    CHECK(contains(bad.err, "-:1:"));
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "monday\n");
    turboci.ok({"plan", "rerun", "--id", "tuesday"});
    const Ran twice = turboci.run({"plan", "rerun", "-p", "monday"});
    CHECK(twice.code == 6);
    CHECK(contains(twice.err, "tuesday"));
    CHECK(turboci.ok({"plan", "rerun", "-p", "monday", "--fork", "--id", "other"}) == "other\n");
}
