// SPDX-License-Identifier: Apache-2.0
// The cost of a write follows what it touches, never the size of the plan. Counted, not timed.
#include "service/local_service.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

namespace {

/// Statements and rows of one more write.
StoreStatistics cost(World& w, const std::string& yaml) {
    w.service->write_nodes(World::request(yaml));
    return w.statistics;
}

/// A plan of n checks in layers of ten, each needing three of the layer before, plus one ready stage.
std::string layered(int n) {
    std::string plan = "stages: [{id: probe}]\nchecks:\n";
    for (int i = 0; i < n; ++i) {
        plan += "  - {id: n" + std::to_string(i) + ", state: PLANNED";
        if (i >= 10) {
            const int base = (i / 10 - 1) * 10;
            plan += ", dependencies: [n" + std::to_string(base + i % 10) + ", n" +
                    std::to_string(base + (i + 1) % 10) + ", n" + std::to_string(base + (i + 2) % 10) + "]";
        }
        plan += "}\n";
    }
    return plan;
}

}  // namespace

TEST_CASE("Finishing one node costs the same in a small plan and in a large one", "[statements]") {
    World small, large;
    small.write(layered(100));
    large.write(layered(10000));
    const std::string finish = "checks: [{id: n5, state: FINAL}]";
    const auto a = cost(small, finish), b = cost(large, finish);
    CHECK(a.statements > 0);
    CHECK(a.statements == b.statements);
    CHECK(a.rows == b.rows);
}

TEST_CASE("A claim that is limited to some stages reads those that are ready, however many it names",
          "[statements]") {
    const auto claim = [](int others) {
        World w;
        std::string plan = "stages:\n  - {id: first}\n";
        for (int i = 0; i < others; ++i)
            plan += "  - {id: s" + std::to_string(i) + ", dependencies: [first]}\n";
        w.write(plan);
        WriteNodes r = World::request("{}");
        r.claim.emplace().process_uid = "w";
        r.claim->filter.only = {"first"};
        for (int i = 0; i < others; ++i) r.claim->filter.only.push_back("s" + std::to_string(i));
        CHECK(w.service->write_nodes(r).claimed.size() == 1);
        return w.statistics;
    };
    const auto small = claim(10), large = claim(1000);
    CHECK(small.statements == large.statements);
    CHECK(small.rows == large.rows);
}

TEST_CASE("Adding one node costs the same in a small plan and in a large one", "[statements]") {
    World small, large;
    small.write(layered(100));
    large.write(layered(10000));
    const std::string add = "checks: [{id: fresh, dependencies: [n50, n60]}]";
    const auto a = cost(small, add), b = cost(large, add);
    CHECK(a.statements == b.statements);
    CHECK(a.rows == b.rows);
}

TEST_CASE("A completion in a wide fan-in costs the same whatever the width", "[statements]") {
    const auto completion = [](int width) {
        World w;
        std::string plan = "stages: [{id: probe}]\nchecks:\n";
        std::string members;
        for (int i = 0; i < width; ++i) {
            plan += "  - {id: n" + std::to_string(i) + "}\n";
            members += (i ? ", n" : "n") + std::to_string(i);
        }
        w.write(plan + "  - {id: join, state: PLANNED, dependencies: [" + members + "]}\n");
        return cost(w, "checks: [{id: n3, state: FINAL}]");
    };
    const auto narrow = completion(10), wide = completion(3000);
    CHECK(narrow.statements == wide.statements);
    CHECK(narrow.rows == wide.rows);
}

TEST_CASE("A stage that ends costs the same whatever number of stages shares its check", "[statements]") {
    const auto completion = [](int width) {
        World w;
        std::string plan = "checks: [{id: c, state: PLANNED}]\nstages:\n";
        for (int i = 0; i < width; ++i) plan += "  - {id: s" + std::to_string(i) + ", assignments: [c]}\n";
        w.write(plan);
        w.claim("s3");
        return cost(w, "stages: [{id: s3, attempt: {state: COMPLETE}}]");
    };
    CHECK(completion(100).statements == completion(2000).statements);
}

TEST_CASE("Cycle detection walks only what new edges can reach", "[statements]") {
    const auto replaced = [](int depth) {
        World w;
        std::string plan = "stages: [{id: probe}]\nchecks:\n  - {id: n0}\n";
        for (int i = 1; i < depth; ++i)
            plan += "  - {id: n" + std::to_string(i) + ", dependencies: [n" + std::to_string(i - 1) + "]}\n";
        w.write(plan + "  - {id: top}\n");
        return cost(w, "checks: [{id: top, dependencies: [n2]}]");
    };
    CHECK(replaced(10).rows == replaced(5000).rows);
}

TEST_CASE("A completion costs the same in a join of few groups and of many", "[statements]") {
    World small, large;
    const auto join = [](int groups) {
        std::string plan = "stages: [{id: probe}]\nchecks:\n";
        std::string of;
        for (int i = 0; i < groups; ++i) {
            const std::string n = std::to_string(i);
            plan += "  - {id: a" + n + ", state: WAITING}\n  - {id: b" + n + ", state: WAITING}\n";
            of += (i > 0 ? ", {any: [a" : "{any: [a") + n + ", b" + n + "]}";
        }
        return plan + "  - {id: join, state: PLANNED, dependencies: {all: [" + of + "]}}\n";
    };
    small.write(join(10));
    large.write(join(1000));
    const std::string finish = "checks: [{id: a5, state: FINAL}]";
    const auto a = cost(small, finish), b = cost(large, finish);
    CHECK(a.statements == b.statements);
    CHECK(a.rows == b.rows);
}

TEST_CASE("What a selection expands to costs what is found, in a small plan and in a large one",
          "[statements]") {
    const auto expansion = [](int others) {
        World w;
        std::string plan =
            "checks:\n  - {id: c, state: PLANNED, dependencies: [d]}\n  - {id: d, state: PLANNED}\n"
            "  - {id: shared, state: PLANNED}\n";
        for (int i = 0; i < others; ++i) plan += "  - {id: n" + std::to_string(i) + ", dependencies: [d]}\n";
        plan += "stages:\n  - {id: s, assignments: [d]}\n";
        for (int i = 0; i < others; ++i)
            plan += "  - {id: s" + std::to_string(i) + ", assignments: [shared]}\n";
        w.write(plan);
        LocalService& service = *w.service;
        struct Nothing final : NodeSink {
            void plan(const WorkPlan&) override {}
            void check(const Check&) override {}
            void stage(const Stage&) override {}
        } sink;
        QueryNodes query;
        query.plan = "p";
        query.refs = {{NodeType::check, "c"}};
        query.deps = -1;
        query.parts = kBareNodes;
        service.query(query, sink);
        return w.statistics;
    };
    const auto small = expansion(10), large = expansion(2000);
    CHECK(small.statements > 0);
    CHECK(small.statements == large.statements);
    CHECK(small.rows == large.rows);
}

TEST_CASE("What one node holds is written and shown in time with its number, whatever the shape") {
    // With a walk through all that was before for each, these would take minutes.
    constexpr int kMany = 20'000;
    World w;
    std::string names, groups;
    for (int i = 0; i < kMany; ++i) {
        names += (i > 0 ? ", c" : "c") + std::to_string(i);
        groups += i > 0 ? ", {any: [b]}" : "{any: [b]}";
    }
    std::string plan = "checks:\n- {id: b}\n- {id: wide, dependencies: [" + groups + "]}\n";
    for (int i = 0; i < kMany; ++i) plan += "- {id: c" + std::to_string(i) + "}\n";
    plan += "stages:\n- {id: s, assignments: [" + names + ", " + names + "]}\n";
    w.write(plan);
    CHECK(w.check("wide").dependencies.groups.size() == kMany);
    CHECK(w.stage("s").assignments.size() == kMany);
    const auto version = w.service->get_plan("p").version;
    w.write(plan);  // the comparison with what is there
    CHECK(w.service->get_plan("p").version == version);
}
