// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

TEST_CASE("A stage with spawned stages is held open until they are done") {
    World w;
    w.write("stages: [{id: parent}]");
    w.claim("parent");
    w.write("stages: [{id: child}, {id: parent, continuation_group: [child]}]");
    w.complete("parent");
    CHECK(w.state("stage:parent") == "AWAITING_GROUP");
    w.pass("child");
    CHECK(w.state("stage:parent") == "FINAL passed");
}

TEST_CASE("A group that cannot be satisfied any more fails the stage") {
    World w;
    w.write("stages: [{id: parent}, {id: x}, {id: y}]");
    w.write("stages: [{id: parent, continuation_group: {any: [x, y]}}]");
    w.pass("parent");
    w.break_stage("x");
    CHECK(w.state("stage:parent") == "AWAITING_GROUP");
    w.break_stage("y");
    CHECK(w.state("stage:parent") == "FINAL failed");
    CHECK(w.stage("parent").concluded_reason == ConcludedReason::group_unsatisfied);
}

TEST_CASE("A stage whose attempts are used up still waits for what it spawned, and stays failed") {
    World w;
    w.write("stages: [{id: parent}, {id: child}]");
    w.write("stages: [{id: parent, continuation_group: [child]}]");
    w.break_stage("parent");
    CHECK(w.state("stage:parent") == "AWAITING_GROUP");
    w.pass("child");
    CHECK(w.state("stage:parent") == "FINAL failed");
    CHECK(w.stage("parent").concluded_reason == ConcludedReason::attempt_failed);
}

TEST_CASE("A group that is resolved when the attempts end holds nothing") {
    World w;
    w.write("stages: [{id: parent}, {id: child}]");
    w.pass("child");
    w.write("stages: [{id: parent, continuation_group: [child]}]");
    w.pass("parent");
    CHECK(w.state("stage:parent") == "FINAL passed");
}

TEST_CASE("The group may be replaced until the attempts are over, and repeated at any time") {
    World w;
    w.write("stages: [{id: parent}, {id: a}, {id: b}]");
    w.write("stages: [{id: parent, continuation_group: [a]}]");
    w.write("stages: [{id: parent, continuation_group: [a, b]}]");
    w.pass("parent");
    CHECK(w.refused("stages: [{id: parent, continuation_group: [b]}]") == ErrorCode::invalid_state);
    const auto version = w.version();
    w.write("stages: [{id: parent, continuation_group: [b, a]}]");
    CHECK(w.version() == version);
    w.pass("a");
    w.pass("b");
    CHECK(w.state("stage:parent") == "FINAL passed");
    w.write("stages: [{id: parent, continuation_group: [a, b]}]");
}

TEST_CASE("Only stages can be members, and a bare name means the stage") {
    World w;
    w.write("checks: [{id: x}]\nstages: [{id: x}, {id: parent}]");
    CHECK(w.refused("stages: [{id: parent, continuation_group: ['check:x']}]") ==
          ErrorCode::invalid_dependency);
    w.write("stages: [{id: parent, continuation_group: [x]}]");
    CHECK(w.stage("parent").continuation_group.edges.at(0).target == NodeRef{NodeType::stage, "x"});
}

TEST_CASE("Cancelling a stage that awaits its group ends it") {
    World w;
    w.write("stages: [{id: parent}, {id: child}]");
    w.write("stages: [{id: parent, continuation_group: [child]}]");
    w.pass("parent");
    w.write("stages: [{id: parent, cancel: true}]");
    CHECK(w.state("stage:parent") == "FINAL cancelled");
    CHECK(w.state("stage:child") == "ATTEMPTING");
}

TEST_CASE("A group that waits for its own parent draws a warning") {
    World w;
    w.write("stages: [{id: parent}, {id: child, dependencies: [parent]}]");
    CHECK(w.write("stages: [{id: parent, continuation_group: [child]}]").warnings.size() == 1);
}
