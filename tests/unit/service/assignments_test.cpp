// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;

namespace {
/// A result written from inside attempt `idx` of a stage.
void report(World& w, const std::string& check, const std::string& stage, int idx,
            const std::string& result) {
    WriteNodes r = World::request("checks: [{id: " + check + ", result: " + result + "}]");
    r.inside = AttemptRef{stage, idx};
    w.write(r);
}
}  // namespace

TEST_CASE("A check is finished when the last stage assigned to finish it is FINAL") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}, {id: t, assignments: [c]}]");
    w.pass("s");
    CHECK(w.state("check:c") == "WAITING");
    w.pass("t");
    CHECK(w.state("check:c") == "FINAL passed");
    const Check c = w.check("c");
    REQUIRE(c.results.size() == 1);
    CHECK(c.results[0].owner_type == OwnerType::orchestrator);
    CHECK_FALSE(c.results[0].failure);
}

TEST_CASE("A stage that fails without an answer fails its check") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}, {id: t, assignments: [c]}]");
    w.pass("s");
    w.claim("t");
    w.fail("t", "segfault");
    CHECK(w.state("check:c") == "FINAL failed");
    CHECK_THAT(*w.check("c").results.back().failure, Contains("stage t: attempt_failed (segfault)"));
}

TEST_CASE("A cancelled stage fails its check") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}]");
    w.write("stages: [{id: s, cancel: true}]");
    CHECK(w.state("check:c") == "FINAL failed");
    CHECK_THAT(*w.check("c").results.back().failure, Contains("stage s: cancelled"));
}

TEST_CASE("A check whose stages were all skipped is skipped") {
    World w;
    w.write(
        "checks: [{id: gate}, {id: c, state: PLANNED}]\nstages: [{id: s, dependencies: [gate], assignments: "
        "[c]}, {id: t, dependencies: [gate], assignments: [c]}]");
    w.write("checks: [{id: gate, state: FINAL, result: {failure: closed}}]");
    CHECK(w.state("check:c") == "FINAL skipped");
}

TEST_CASE(
    "A stage that was not needed beside one that passed changes nothing; one that was broken skips the "
    "check") {
    for (const auto& [result, outcome] :
         {std::pair("{data: {}}", "FINAL passed"), {"{failure: closed}", "FINAL skipped"}}) {
        World w;
        const std::string when = outcome == std::string("FINAL passed") ? "failure" : "success";
        w.write(
            "checks: [{id: gate}, {id: c, state: PLANNED}]\nstages: [{id: s, dependencies: [{node: gate, "
            "when: " +
            when + "}], assignments: [c]}, {id: t, assignments: [c]}]");
        w.write(std::string("checks: [{id: gate, state: FINAL, result: ") + result + "}]");
        w.pass("t");
        CHECK(w.state("check:c") == outcome);
    }
}

TEST_CASE("Of a stage's results only the highest attempt's counts") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c], retry: {max_retries: 1}}]");
    w.claim("s");
    report(w, "c", "s", 1, "{failure: flaky}");
    w.fail("s");
    w.claim("s");
    report(w, "c", "s", 2, "{data: {ok: true}}");
    w.complete("s");
    const Check c = w.check("c");
    CHECK(w.state("check:c") == "FINAL passed");
    REQUIRE(c.results.size() == 2);
    CHECK(c.results[0].owner_id == "p:s:1");
    CHECK(c.results[1].owner_id == "p:s:2");
}

TEST_CASE("An answer of an earlier attempt does not speak for a stage that was lost later") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c], retry: {max_retries: 1}}]");
    w.claim("s");
    report(w, "c", "s", 1, "{data: {ok: true}}");
    w.fail("s");
    w.break_stage("s");
    CHECK(w.state("check:c") == "FINAL failed");
}

TEST_CASE("A stage that reports a pass and then fails fails its check") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}]");
    w.claim("s");
    report(w, "c", "s", 1, "{data: {ok: true}}");
    w.fail("s", "upload of logs failed");
    CHECK(w.state("check:c") == "FINAL failed");
    CHECK(w.check("c").results.back().failure ==
          "stage s reported a pass and then ended: upload of logs failed");
}

TEST_CASE("When an attempt ends its open results are finalized and new ones refused") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [{target_check_id: c, goal_state: "
        "PLANNED}], retry: {max_retries: 1}}]");
    w.claim("s");
    report(w, "c", "s", 1, "{data: {n: 1}}");
    CHECK_FALSE(w.check("c").results[0].finalized_at);
    w.fail("s");
    CHECK(w.check("c").results[0].finalized_at.has_value());
    WriteNodes late = World::request("checks: [{id: c, result: {data: {n: 2}}}]");
    late.inside = AttemptRef{"s", 1};
    CHECK(w.refusal(late).code() == ErrorCode::invalid_state);
    late.inside = AttemptRef{"s", 9};
    CHECK(w.refusal(late).code() == ErrorCode::not_found);
    late.inside = AttemptRef{"nope", 1};
    CHECK(w.refusal(late).code() == ErrorCode::not_found);
}

TEST_CASE("A goal before FINAL takes the check there through the states in between") {
    World w;
    w.write(
        "checks: [{id: d}, {id: c, dependencies: [d]}]\nstages: [{id: planner, assignments: "
        "[{target_check_id: c, goal_state: WAITING}]}]");
    w.pass("planner");
    CHECK(w.state("check:c") == "PLANNED");
    w.write("checks: [{id: d, state: FINAL}]");
    CHECK(w.state("check:c") == "WAITING");
}

TEST_CASE("A finished goal waits for the check's own dependencies") {
    World w;
    w.write("checks: [{id: d}, {id: c, dependencies: [d]}]\nstages: [{id: s, assignments: [c]}]");
    w.pass("s");
    CHECK(w.state("check:c") == "PLANNED");
    w.write("checks: [{id: d, state: FINAL}]");
    CHECK(w.state("check:c") == "FINAL passed");
}

TEST_CASE("A goal that the check has reached already has no effect") {
    World w;
    w.write(
        "checks: [{id: c, state: FINAL}]\nstages: [{id: s, assignments: [c, {target_check_id: c, goal_state: "
        "WAITING}]}]");
    w.break_stage("s");
    CHECK(w.state("check:c") == "FINAL passed");
}

TEST_CASE("A stage assigned later keeps the check open again") {
    World w;
    w.write(
        "checks: [{id: d}, {id: c, state: PLANNED, dependencies: [d]}]\nstages: [{id: s, assignments: [c]}]");
    w.pass("s");
    w.write("stages: [{id: t, assignments: [c]}]");
    w.write("checks: [{id: d, state: FINAL}]");
    CHECK(w.state("check:c") == "WAITING");
    w.pass("t");
    CHECK(w.state("check:c") == "FINAL passed");
}

TEST_CASE("Stages that were not needed fail no check, however many they are") {
    World w;
    std::string plan =
        "checks: [{id: bad}, {id: c, state: PLANNED}]\nstages:\n  - {id: z, assignments: [c]}\n";
    for (int i = 0; i < 15; ++i)
        plan += "  - {id: s" + std::to_string(i) +
                ", dependencies: [{node: bad, when: failure}], assignments: [c]}\n";
    w.write(plan);
    w.write("checks: [{id: bad, state: FINAL}]");
    w.pass("z");
    CHECK(w.state("check:c") == "FINAL passed");
}

TEST_CASE("Of many stages that failed, the first ten are named and the others counted") {
    World w;
    std::string plan = "checks: [{id: c, state: PLANNED}]\nstages:\n";
    for (int i = 0; i < 12; ++i) plan += "  - {id: s" + std::to_string(i) + ", assignments: [c]}\n";
    w.write(plan);
    for (int i = 0; i < 12; ++i) w.break_stage("s" + std::to_string(i));
    const std::string failure = w.check("c").results.at(0).failure.value();
    CHECK_THAT(failure, Contains("stage s9: attempt_failed (broken)"));
    CHECK_THAT(failure, Contains("; and 2 more"));
    CHECK(failure.find("s10") == std::string::npos);
}
