// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;

namespace {
std::string all(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& l : lines) text += l + "\n";
    return text;
}
}  // namespace

TEST_CASE("A blocked node is explained by what it waits for, down to who must act") {
    World w;
    w.write(R"(
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED, dependencies: [built]}]
stages: [{id: build, assignments: [built]}, {id: ship, dependencies: [tested]}]
)");
    const Explanation e = w.service->explain("p", {NodeType::stage, "ship"});
    CHECK(e.node.ref == NodeRef{NodeType::stage, "ship"});
    REQUIRE(e.because.size() == 3);
    CHECK(e.because[0].ref == NodeRef{NodeType::check, "tested"});
    CHECK(e.because[1].ref == NodeRef{NodeType::check, "built"});
    CHECK(e.because[2].ref == NodeRef{NodeType::stage, "build"});
    CHECK(e.root_causes == std::vector<NodeRef>{{NodeType::stage, "build"}});
    CHECK_THAT(all(e.because[2].notes), Contains("PENDING"));
}

TEST_CASE("A skipped node is explained by the failure that started it") {
    World w;
    w.write(R"(
checks: [{id: a}, {id: b, state: PLANNED, dependencies: [a, z]}, {id: z}, {id: c, state: PLANNED, dependencies: [b]}]
)");
    w.write("checks: [{id: a, state: FINAL, result: {failure: does not compile}}]");
    const Explanation e = w.service->explain("p", {NodeType::check, "c"});
    CHECK(e.root_causes == std::vector<NodeRef>{{NodeType::check, "a"}});
    CHECK_THAT(all(e.because.back().notes), Contains("does not compile"));
}

TEST_CASE("A check that nobody works on says so") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}, {id: d}]");
    CHECK_THAT(all(w.service->explain("p", {NodeType::check, "c"}).node.notes),
               Contains("no stage is assigned"));
    CHECK_THAT(all(w.service->explain("p", {NodeType::check, "d"}).node.notes), Contains("PLANNING"));
}

TEST_CASE("A long chain of reasons is cut and says so") {
    World w;
    std::string plan = "checks: [{id: n0}";
    for (int i = 1; i < 1500; ++i)
        plan += ", {id: n" + std::to_string(i) + ", state: PLANNED, dependencies: [n" +
                std::to_string(i - 1) + "]}";
    w.write(plan + "]");
    const Explanation e = w.service->explain("p", {NodeType::check, "n1499"});
    CHECK(e.truncated);
    CHECK(e.because.size() == kMaxExplained);
}
