// SPDX-License-Identifier: Apache-2.0
#include "service/local_service.hpp"

#include "support/catch.hpp"
#include "unit/service/world.hpp"

using namespace turboci;
using test::World;

namespace {

/// The error that `call` throws.
template <class Call>
Error refusal(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    throw std::logic_error("nothing was refused");
}

}  // namespace

TEST_CASE("a write with several problems is refused whole, with all of them") {
    World world;
    LocalService endpoint(*world.store);
    const auto before = endpoint.get_plan("p").version;
    auto request = World::request("checks:\n- {id: fine}\n- {id: a, kind: \"x\\ny\"}\n- {id: a}\n");
    request.op_id = "\x1b";
    const auto error = refusal([&] { endpoint.write_nodes(request); });
    CHECK(error.code() == ErrorCode::invalid_argument);
    REQUIRE(error.details().size() == 3);
    CHECK(error.details()[0].line == 0);
    CHECK(error.details()[1].file == "plan.yaml");
    CHECK(error.details()[1].line == 3);
    CHECK(error.details()[2].line == 4);
    CHECK(endpoint.get_plan("p").version == before);
    CHECK(endpoint.write_nodes(World::request("checks: [{id: fine}]\n")).created.size() == 1);
}

TEST_CASE("a plan is created with its nodes, or not at all") {
    World world;
    LocalService endpoint(*world.store);
    CreatePlan create;
    create.id = "-bad";
    create.labels = {{"", "x"}, {"k", "\xff"}};
    create.nodes = World::request("checks: [{id: ' a'}]\n");
    const auto error = refusal([&] { endpoint.create_plan(create); });
    CHECK(error.details().size() == 4);
    create.id = "good";
    create.labels = {{"k", "v"}};
    create.nodes = World::request("checks: [{id: a}]\n");
    CHECK(endpoint.create_plan(create).created == std::vector<NodeRef>{{NodeType::check, "a"}});
    CHECK(endpoint.get_plan("good").labels.text == R"({"k":"v"})");
    CHECK(refusal([&] { endpoint.create_plan(create); }).code() == ErrorCode::conflict);
    CHECK(endpoint.list_plans().size() == 2);
}

TEST_CASE("a claim takes a ready stage, and says PENDING when there is none") {
    World world;
    LocalService endpoint(*world.store);
    endpoint.write_nodes(World::request("stages: [{id: s}]\n"));
    WriteNodes request;
    request.plan = "p";
    request.actor = "tester";
    CHECK(refusal([&] { endpoint.claim(request); }).code() == ErrorCode::internal);
    request.claim.emplace().process_uid = "w1";
    const auto result = endpoint.claim(request);
    REQUIRE(result.claimed.size() == 1);
    CHECK(result.claimed[0].stage.id == "s");
    const auto error = refusal([&] { endpoint.claim(request); });
    CHECK(error.code() == ErrorCode::pending);
    CHECK(std::string(error.what()) == "no stage is ready to claim");
    request.claim->process_uid.clear();
    CHECK(refusal([&] { endpoint.claim(request); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("a plan that can never finish is written with a warning") {
    World world;
    LocalService endpoint(*world.store);
    const auto result = endpoint.write_nodes(
        World::request("checks: [{id: c}]\nstages: [{id: s, dependencies: [c], assignments: [c]}]\n"));
    CHECK(result.created.size() == 2);
    REQUIRE(result.warnings.size() == 1);
    CHECK(result.warnings[0].find("can never finish") != std::string::npos);
}
