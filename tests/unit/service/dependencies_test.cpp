// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;

TEST_CASE("A failure skips what needs success, all the way down, in the same write") {
    World w;
    w.write(R"(
checks: [{id: build}, {id: unit, state: PLANNED, dependencies: [build]}, {id: report, state: PLANNED, dependencies: [unit]}]
stages: [{id: deploy, dependencies: [report]}]
)");
    const auto result = w.write("checks: [{id: build, state: FINAL, result: {failure: broken}}]");
    CHECK(w.state("check:unit") == "FINAL skipped");
    CHECK(w.state("check:report") == "FINAL skipped");
    CHECK(w.state("stage:deploy") == "FINAL skipped");
    CHECK(result.advanced.size() == 3);
    const Check unit = w.check("unit");
    REQUIRE(unit.results.size() == 1);
    CHECK(unit.results[0].owner_type == OwnerType::orchestrator);
    CHECK_THAT(*unit.results[0].failure, Contains("check:build"));
    CHECK(w.stage("deploy").concluded_reason == ConcludedReason::dependencies_unsatisfied);
}

TEST_CASE("A PLANNING check whose dependencies are lost is skipped only when it is PLANNED") {
    World w;
    w.write("checks: [{id: a}, {id: c, dependencies: [a]}]");
    w.write("checks: [{id: a, state: FINAL, result: {failure: x}}]");
    CHECK(w.state("check:c") == "PLANNING");
    CHECK(w.check("c").dependencies.resolution == Resolution::unsatisfied);
    w.write("checks: [{id: c, state: PLANNED}]");
    CHECK(w.state("check:c") == "FINAL skipped");
}

TEST_CASE("Nested groups resolve as early as three-valued logic allows") {
    World w;
    w.write(R"(
checks:
  - {id: a}
  - {id: b}
  - {id: c}
  - {id: d}
  - {id: p, state: PLANNED, dependencies: {any: [{all: [a, b]}, {at_least: 2, of: [b, c, d]}]}}
)");
    w.write("checks: [{id: a, state: FINAL, result: {failure: x}}]");  // loses the first group
    CHECK(w.state("check:p") == "PLANNED");
    w.write("checks: [{id: c, state: FINAL}]");
    CHECK(w.state("check:p") == "PLANNED");
    w.write("checks: [{id: d, state: FINAL}]");
    CHECK(w.state("check:p") == "WAITING");
    const Predicate deps = w.check("p").dependencies;
    CHECK(deps.kind == GroupKind::any);
    REQUIRE(deps.groups.size() == 2);
    CHECK(deps.groups[0].resolution == Resolution::unsatisfied);
    CHECK(deps.groups[1].resolution == Resolution::satisfied);
    CHECK(deps.groups[1].threshold == 2);
    CHECK(deps.groups[1].edges[0].resolution == Resolution::unresolved);
}

TEST_CASE("Once resolved a group never changes") {
    World w;
    w.write("checks: [{id: a}, {id: b}, {id: p, state: PLANNED, dependencies: {any: [a, b]}}]");
    w.write("checks: [{id: a, state: FINAL}]");
    w.write("checks: [{id: b, state: FINAL, result: {failure: x}}]");
    CHECK(w.check("p").dependencies.resolution == Resolution::satisfied);
    CHECK(w.state("check:p") == "WAITING");
}

TEST_CASE("New dependencies on nodes that have moved in the same write count each move once") {
    World w;
    w.write("checks: [{id: old}, {id: older, state: FINAL}]");
    w.write(R"(
checks:
  - {id: old, state: FINAL}
  - {id: fresh, state: FINAL}
  - {id: p, state: PLANNED, dependencies: [old, older, fresh]}
  - {id: q, state: PLANNED, dependencies: {at_least: 2, of: [old, older, fresh, blocked]}}
  - {id: blocked}
)");
    CHECK(w.state("check:p") == "WAITING");
    CHECK(w.state("check:q") == "WAITING");
}

TEST_CASE("Replacing the dependencies of a PLANNING check counts the new ones from the start") {
    World w;
    w.write("checks: [{id: a}, {id: b, state: FINAL}, {id: c, dependencies: [a]}]");
    w.write("checks: [{id: c, dependencies: {all: [b, {any: [a, b]}]}}]");
    w.write("checks: [{id: c, state: PLANNED}]");
    CHECK(w.state("check:c") == "WAITING");
    w.write("checks: [{id: a, state: FINAL}]");  // an edge that is gone must not be counted
    CHECK(w.state("check:c") == "WAITING");
}

TEST_CASE("An edge on an earlier state is satisfied by passing through it and lost by missing it") {
    World w;
    w.write(R"(
checks: [{id: c}, {id: direct}]
stages:
  - {id: at_waiting, dependencies: [{node: check:c, on_state: WAITING}]}
  - {id: never, dependencies: [{node: check:direct, on_state: PLANNED}]}
)");
    w.write("checks: [{id: c, state: PLANNED}]");
    CHECK(w.state("stage:at_waiting") == "ATTEMPTING");
    w.write("checks: [{id: direct, state: FINAL}]");
    CHECK(w.state("stage:never") == "FINAL skipped");
}

TEST_CASE("Targets that are nowhere are refused with their names, all of them") {
    World w;
    const Error e = w.refusal("checks: [{id: c, dependencies: [nope, 'stage:neither']}]");
    CHECK(e.code() == ErrorCode::invalid_dependency);
    REQUIRE(e.details().size() == 2);
    CHECK_THAT(e.details()[0].message, Contains("nope"));
    CHECK_THAT(e.details()[1].message, Contains("stage:neither"));
    CHECK(e.details()[0].line == 1);
}

TEST_CASE("A bare name that is two nodes is refused, in the same write too") {
    World w;
    const Error e = w.refusal("checks: [{id: x}, {id: y, dependencies: [x]}]\nstages: [{id: x}]");
    CHECK(e.code() == ErrorCode::invalid_argument);
    CHECK_THAT(World::text(e), Contains("check:x") && Contains("stage:x"));
}

TEST_CASE("A threshold beyond the different members is refused") {
    World w;
    w.write("checks: [{id: a}, {id: b}]");
    CHECK(w.refused("checks: [{id: p, dependencies: {at_least: 2, of: [a, check:a]}}]") ==
          ErrorCode::invalid_dependency);
}

TEST_CASE("A state that the target's type does not have is refused") {
    World w;
    w.write("stages: [{id: s}]");
    CHECK(w.refused("checks: [{id: p, dependencies: [{node: 's', on_state: WAITING}]}]") ==
          ErrorCode::invalid_argument);
}

TEST_CASE("Cycles are refused and the shortest one is printed") {
    World w;
    const Error e = w.refusal(R"(
checks:
  - {id: a, dependencies: [b, c]}
  - {id: b, dependencies: [c]}
  - {id: c, dependencies: [a]}
  - {id: z, dependencies: [a]}
)");
    CHECK(e.code() == ErrorCode::cyclic_dependency);
    CHECK_THAT(World::text(e), Contains("check:a -> check:c -> check:a"));
    CHECK(w.refused("stages: [{id: s, dependencies: ['stage:s']}]") == ErrorCode::cyclic_dependency);
}

TEST_CASE("A cycle that closes through stored nodes is refused") {
    World w;
    w.write("checks: [{id: a}, {id: b, dependencies: [a]}, {id: c, dependencies: [b]}]");
    w.write("stages: [{id: s, dependencies: [c]}]");
    CHECK(w.refused("checks: [{id: a, dependencies: ['stage:s']}]") == ErrorCode::cyclic_dependency);
    CHECK(w.refused("checks: [{id: a, dependencies: [n]}, {id: n, dependencies: ['stage:s']}]") ==
          ErrorCode::cyclic_dependency);
    CHECK_NOTHROW(w.write("checks: [{id: n}, {id: a, dependencies: [n]}]"));
}

TEST_CASE("A chain of very many nodes is written, resolved and refused as a circle") {
    World w;
    const int n = turboci::test::kSanitized ? 20'000 : 100'000;
    WriteNodes r = World::request("{}");
    for (int i = 0; i < n; ++i) {
        CheckWrite c;
        c.id = "n" + std::to_string(i);
        c.state = State::planned;
        if (i > 0) {
            c.dependencies.emplace();
            c.dependencies->edges.push_back(
                {.target = {NodeType::check, "n" + std::to_string(i - 1)}, .when = {}, .at = {}});
        }
        r.checks.push_back(c);
    }
    WriteNodes circle = r;
    change(circle.checks, 0, [&](CheckWrite& first) {
        first.dependencies.emplace().edges.push_back(
            {.target = {NodeType::check, "n" + std::to_string(n - 1)}, .when = {}, .at = {}});
    });
    CHECK(w.refusal(circle).code() == ErrorCode::cyclic_dependency);
    w.write(r);
    CHECK(w.state("check:n1") == "PLANNED");
    w.write("checks: [{id: n0, state: FINAL, result: {failure: x}}]");
    CHECK(w.state("check:n" + std::to_string(n - 1)) == "FINAL skipped");
}

TEST_CASE("A circle of waiting that is no cycle of edges is accepted with a warning") {
    World w;
    const auto result = w.write(R"(
checks: [{id: c, state: PLANNED}]
stages: [{id: s, dependencies: [c], assignments: [c]}]
)");
    REQUIRE(result.warnings.size() == 1);
    CHECK_THAT(result.warnings[0], Contains("stage:s") && Contains("check:c"));
    CHECK(w.write("checks: [{id: d, state: PLANNED}]\nstages: [{id: t, assignments: [d]}]").warnings.empty());
}

TEST_CASE("A state is reached by whoever goes past it alive, and missed by whoever only ends") {
    World w;
    w.write(
        "checks: [{id: t}, {id: ends}, {id: u, state: PLANNED, dependencies: [{node: t, on_state: PLANNED}]},"
        " {id: v, state: PLANNED, dependencies: [{node: ends, on_state: PLANNED}]}]");
    w.write("checks: [{id: t, state: WAITING}, {id: ends, state: FINAL}]");
    CHECK(w.state("check:u") == "WAITING");
    CHECK(w.state("check:v") == "FINAL skipped");
    // The answer stays when the target ends later, and is the same for whoever asks late.
    w.write(
        "checks: [{id: t, state: FINAL}, {id: late, state: PLANNED, dependencies: [{node: t, on_state: "
        "PLANNED}]}]");
    CHECK(w.state("check:late") == "WAITING");
    CHECK(w.check("u").dependencies.edges.at(0).resolution == Resolution::satisfied);
    CHECK(w.service->check_states().empty());
}

TEST_CASE("The cycle that is shown is the shortest, wherever in a long one it begins") {
    World w;
    std::string plan = "checks:\n";
    for (int i = 0; i < 60; ++i) {
        plan += "  - {id: n" + std::to_string(i) + ", dependencies: [n" + std::to_string((i + 1) % 60);
        plan += i == 50 ? ", n49]}\n" : "]}\n";
    }
    const std::string text = World::text(w.refusal(plan));
    CHECK_THAT(text, Contains("check:n49 -> check:n50 -> check:n49") ||
                         Contains("check:n50 -> check:n49 -> check:n50"));
}

TEST_CASE("A group that was resolved before does not hide that a plan can never finish") {
    World w;
    w.write("checks: [{id: c}, {id: d, state: FINAL}]");
    CHECK(w.write("stages: [{id: s, dependencies: {all: [c, {any: [d, c]}]}, assignments: [c]}]")
              .warnings.size() == 1);
}
