// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

namespace {

const char* const kDiamond = R"(
checks:
  - {id: A, kind: source, state: FINAL}
  - {id: B, kind: build, state: PLANNED, dependencies: [A]}
  - {id: C, kind: build, state: PLANNED, dependencies: [A]}
  - {id: D, kind: test, state: PLANNED, dependencies: [B, C]}
stages:
  - {id: b, assignments: [B]}
  - {id: ship, dependencies: [D]}
)";

std::set<std::string> refs(World& w, QueryNodes q) {
    q.plan = "p";
    const auto list = w.query(q);
    std::set<std::string> names;
    for (const Check& c : list.checks) names.insert("check:" + c.id);
    for (const Stage& s : list.stages) names.insert("stage:" + s.id);
    return names;
}
using Names = std::set<std::string>;

}  // namespace

TEST_CASE("A query without filters gives everything in the order of creation") {
    World w;
    w.write(kDiamond);
    const auto list = w.query({.plan = "p"});
    REQUIRE(list.checks.size() == 4);
    CHECK(list.checks[0].id == "A");
    CHECK(list.checks[3].id == "D");
    CHECK(list.stages.size() == 2);
    CHECK(list.work_plan.counts.size() == 5);
}

TEST_CASE("Filters AND together, values of one filter OR") {
    World w;
    w.write(kDiamond);
    CHECK(refs(w, {.kinds = {"build"}}) == Names{"check:B", "check:C"});
    CHECK(refs(w, {.states = {State::planned}}) == Names{"check:D", "stage:ship"});
    CHECK(refs(w, {.types = {NodeType::check}, .states = {State::planned, State::final}}) ==
          Names{"check:A", "check:D"});
    CHECK(refs(w, {.outcomes = {Outcome::passed}}) == Names{"check:A"});
    CHECK(refs(w, {.match = {"[AB]", "sh*"}}) == Names{"check:A", "check:B", "stage:ship"});
    CHECK(refs(w, {.kinds = {"test"}, .states = {State::final}}).empty());
    CHECK(refs(w, {.refs = {{std::nullopt, "A"}, {NodeType::check, "B"}}, .states = {State::waiting}}) ==
          Names{"check:B"});
}

TEST_CASE("Ready is what can be worked on now, blocked what waits for something") {
    World w;
    w.write(kDiamond);
    CHECK(refs(w, {.ready = true}) == Names{"check:C", "stage:b"});
    CHECK(refs(w, {.types = {NodeType::stage}, .ready = true}) == Names{"stage:b"});
    CHECK(refs(w, {.blocked = true}) == Names{"check:D", "stage:ship"});
    w.claim("b");
    CHECK(refs(w, {.ready = true}) == Names{"check:C"});
}

TEST_CASE("Selections expand along dependencies and assignments, so many steps") {
    World w;
    w.write(kDiamond);
    const RefText a{NodeType::check, "A"}, d{NodeType::check, "D"};
    CHECK(refs(w, {.refs = {d}, .deps = 1}) == Names{"check:B", "check:C", "check:D"});
    CHECK(refs(w, {.refs = {d}, .deps = -1}) == Names{"check:A", "check:B", "check:C", "check:D", "stage:b"});
    CHECK(refs(w, {.refs = {d}, .deps = 0}) == Names{"check:D"});
    CHECK(refs(w, {.refs = {a}, .dependents = 1}) == Names{"check:A", "check:B", "check:C"});
    CHECK(refs(w, {.refs = {a}, .dependents = -1}) ==
          Names{"check:A", "check:B", "check:C", "check:D", "stage:ship"});
    CHECK(refs(w, {.refs = {d}, .deps = 1, .dependents = 1}) ==
          Names{"check:B", "check:C", "check:D", "stage:ship"});
    CHECK(refs(w, {.refs = {{NodeType::stage, "b"}}, .dependents = 1}) == Names{"check:B", "stage:b"});
    CHECK(refs(w, {.refs = {{NodeType::stage, "b"}}, .dependents = -1}) ==
          Names{"check:B", "check:D", "stage:b", "stage:ship"});
    CHECK(refs(w, {.refs = {{NodeType::stage, "b"}}, .deps = -1}) == Names{"stage:b"});
}

TEST_CASE("Along what is satisfied alone, an assignment is one when its stage has passed") {
    World w;
    w.write(kDiamond);
    const RefText d{NodeType::check, "D"}, b{NodeType::stage, "b"};
    const auto needed = [&] { return refs(w, {.refs = {d}, .deps = -1, .edges = EdgeFilter::satisfied}); };
    const auto needing = [&] {
        return refs(w, {.refs = {b}, .dependents = -1, .edges = EdgeFilter::satisfied});
    };
    CHECK(needed() == Names{"check:D"});
    w.write("checks: [{id: C, state: FINAL}]");
    CHECK(needed() == Names{"check:A", "check:C", "check:D"});
    w.claim("b");
    CHECK(needing() == Names{"stage:b"});
    w.complete("b");
    CHECK(needed() == Names{"check:A", "check:B", "check:C", "check:D", "stage:b"});
    CHECK(needing() == Names{"check:B", "check:D", "stage:b"});
}

TEST_CASE("A stage that did not pass satisfies no assignment") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}]");
    w.break_stage("s");
    CHECK(w.state("check:c") == "FINAL failed");
    CHECK(refs(w, {.refs = {{NodeType::check, "c"}}, .deps = -1, .edges = EdgeFilter::satisfied}) ==
          Names{"check:c"});
    CHECK(refs(w, {.refs = {{NodeType::stage, "s"}}, .dependents = -1, .edges = EdgeFilter::satisfied}) ==
          Names{"stage:s"});
}

TEST_CASE("A stage needs the members of its continuation group, and they lead back to it") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}]
stages:
  - {id: part, dependencies: [pre]}
  - {id: pre}
  - {id: s, assignments: [c], continuation_group: [part]}
)");
    CHECK(refs(w, {.refs = {{NodeType::check, "c"}}, .deps = 2}) ==
          Names{"check:c", "stage:part", "stage:s"});
    CHECK(refs(w, {.refs = {{NodeType::check, "c"}}, .deps = -1}) ==
          Names{"check:c", "stage:part", "stage:pre", "stage:s"});
    CHECK(refs(w, {.refs = {{NodeType::stage, "pre"}}, .dependents = -1}) ==
          Names{"check:c", "stage:part", "stage:pre", "stage:s"});
}

TEST_CASE("A name that is not there is not found; an ambiguous one is refused") {
    World w;
    w.write("checks: [{id: x}]\nstages: [{id: x}]");
    const auto code = [&](RefText ref) {
        try {
            w.query({.plan = "p", .refs = {std::move(ref)}});
        } catch (const Error& e) {
            return e.code();
        }
        return ErrorCode::internal;
    };
    CHECK(code({std::nullopt, "nope"}) == ErrorCode::not_found);
    CHECK(code({NodeType::stage, "nope"}) == ErrorCode::not_found);
    CHECK(code({std::nullopt, "x"}) == ErrorCode::invalid_argument);
}

TEST_CASE("A summary tells what is ready, running, open and failed") {
    World w;
    w.write(kDiamond);
    w.write("stages: [{id: r}, {id: f}]");
    w.claim("r");
    w.claim("f");
    w.fail("f", "exit status 3");
    const PlanSummary s = w.service->summarize("p", 100);
    CHECK(s.ready == std::vector<NodeRef>{{NodeType::stage, "b"}, {NodeType::check, "C"}});
    CHECK(s.running == std::vector<NodeRef>{{NodeType::stage, "r"}});
    REQUIRE(s.failed.size() == 1);
    CHECK(s.failed[0].node == NodeRef{NodeType::stage, "f"});
    CHECK(s.failed[0].message == "exit status 3");
    CHECK(s.open_checks.size() == 3);
    CHECK(w.service->summarize("p", 1).open_checks.size() == 1);
}
