// SPDX-License-Identifier: Apache-2.0
#include "support/outline_of.hpp"

#include "format/node_collector.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

namespace {

std::string described(const Outline& outline, const Outline::Link& link) {
    std::string text = std::string(outline.nodes.at(link.from).ref) + " > " +
                       std::string(outline.nodes.at(link.to).ref) + " " + std::string(to_string(link.kind)) +
                       " " + std::string(to_string(link.state)) + " " + std::string(to_string(link.when)) +
                       " in " + std::to_string(link.group);
    if (link.kind != LinkKind::assignment) text += " " + std::string(to_string(link.resolution));
    return text;
}

std::string described(const Outline& outline) {
    std::string text = outline.plan + ", " + std::to_string(outline.checks) + " checks\n";
    for (const Outline::Node& n : outline.nodes)
        text += std::string(n.ref) + " (" + std::string(n.kind) + ") " + std::string(to_string(n.state)) +
                " " + (n.outcome ? std::string(to_string(*n.outcome)) : "") + "\n";
    for (const Outline::Link& l : outline.links) text += described(outline, l) + "\n";
    for (const Outline::Group& g : outline.groups)
        text += "group of " + std::string(outline.nodes.at(g.owner).ref) + " in " + std::to_string(g.parent) +
                ": " + std::string(to_string(g.kind)) + " " + std::to_string(g.needed) + " of " +
                std::to_string(g.members) + " " + std::string(to_string(g.role)) + " " +
                std::string(to_string(g.resolution)) + " links " + std::to_string(g.links_begin) + "-" +
                std::to_string(g.links_end) + (g.visible ? " visible\n" : "\n");
    for (const Outline::Outside& o : outline.outside)
        text += std::string(outline.nodes.at(o.stage).ref) + " for " + std::string(o.check_id) + "\n";
    return text;
}

/// By way of whole nodes.
std::string expected(World& w, const QueryNodes& query) {
    NodeCollector found;
    w.service->query(query, found);
    return described(support::outline_of(found));
}

const char* const kPlan = R"(
checks:
  - {id: src, kind: source, state: WAITING}
  - {id: lint, kind: test, state: PLANNED, dependencies: [src]}
  - {id: far, state: PLANNED}
  - {id: all, kind: test, state: PLANNED, dependencies: {all: [src, {any: [lint, {at_least: 2, of: [
      {node: far, when: failure}, {node: src, on_state: PLANNED}, stage:build]}]}, {any: [far, {all: [lint, src]}]}]}}
stages:
  - {id: build, assignments: [src, {target_check_id: lint, goal_state: WAITING}, far]}
  - {id: ship, dependencies: [{node: all, when: always}, {node: lint, on_state: WAITING}]}
)";

}  // namespace

TEST_CASE("An outline says of nodes what is drawn of them, and ties them by number") {
    World w;
    w.write("checks: [{id: a, kind: k}]");
    w.write("stages: [{id: s, assignments: [a]}, {id: t, dependencies: [s, check:a]}]");
    const Outline outline = w.service->outline({.plan = "p"});
    CHECK(described(outline) ==
          "p, 1 checks\n"
          "check:a (k) PLANNING \n"
          "stage:s () ATTEMPTING \n"
          "stage:t () PLANNED \n"
          "stage:s > check:a assignment FINAL success in -1\n"
          "stage:s > stage:t dependency FINAL success in 0 UNRESOLVED\n"
          "check:a > stage:t dependency FINAL success in 0 UNRESOLVED\n"
          "group of stage:t in -1: AND 2 of 2 dependency UNRESOLVED links 1-3 visible\n");
    CHECK(outline.nodes[0].id() == "a");
}

TEST_CASE("An outline is what whole nodes make, whatever has happened and is selected") {
    World w;
    w.write("stages: [{id: first}, {id: spare}]");
    w.write("checks: [{id: later, kind: test, state: PLANNED, dependencies: [stage:first]}]");
    w.write(kPlan);
    const auto check_all = [&] {
        CHECK(described(w.service->outline({.plan = "p"})) == expected(w, {.plan = "p"}));
        for (QueryNodes query : {QueryNodes{.refs = {{NodeType::check, "all"}}, .deps = -1},
                                 QueryNodes{.refs = {{NodeType::stage, "build"}}},
                                 QueryNodes{.refs = {{NodeType::check, "src"}}, .dependents = 1},
                                 QueryNodes{.types = {NodeType::stage}}, QueryNodes{.kinds = {"nothing"}}}) {
            query.plan = "p";
            CHECK(described(w.service->outline(query)) == expected(w, query));
        }
    };
    check_all();
    w.pass("first");
    w.write("checks: [{id: src, state: FINAL}]");
    w.break_stage("build");
    check_all();
    w.write("checks: [{id: later, state: FINAL}, {id: lint, state: FINAL}]");
    check_all();
    const std::string text = described(w.service->outline({.plan = "p"}));
    CHECK(text.find("SATISFIED") != std::string::npos);
}

TEST_CASE("An outline has the continuation groups of stages") {
    World w;
    w.write(
        "stages: [{id: one}, {id: two}, {id: parent, dependencies: [two],"
        " continuation_group: {any: [one, {all: [one, two]}]}}]");
    const std::string text = described(w.service->outline({.plan = "p"}));
    CHECK(text == expected(w, {.plan = "p"}));
    CHECK(text.find("continuation") != std::string::npos);
}

TEST_CASE("A query reads the parts that are asked for") {
    World w;
    w.write(kPlan);
    w.claim("build");
    QueryNodes query{.plan = "p", .parts = kBareNodes};
    const auto bare = w.query(query);
    REQUIRE(bare.stages.size() == 2);
    CHECK(bare.work_plan.counts.empty());
    CHECK(bare.stages[0].id == "build");
    CHECK(bare.stages[0].state == State::attempting);
    CHECK(bare.stages[0].attempts.empty());
    CHECK(bare.stages[0].assignments.empty());
    CHECK(bare.checks[3].dependencies.empty());
    query.parts.attempts = query.parts.predicates = query.parts.counts = true;
    const auto more = w.query(query);
    CHECK_FALSE(more.work_plan.counts.empty());
    CHECK(more.stages[0].attempts.size() == 1);
    CHECK(more.stages[1].dependencies.edges.at(0).target.id == "all");
}
