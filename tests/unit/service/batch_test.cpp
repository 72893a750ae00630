// SPDX-License-Identifier: Apache-2.0
// Several requests in one transaction, and waiting for news.
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;
using namespace std::chrono_literals;

TEST_CASE(
    "Each request of a batch has its own version, answer and error, and one that is refused leaves nothing") {
    World w;
    w.write("checks: [{id: a}]");
    const std::int64_t before = w.version();
    WriteNodes named = World::request("checks: [{id: b}]");
    named.op_id = "second";
    WriteNodes stale = World::request("checks: [{id: c}]");
    stale.if_version = before;
    const std::vector<WriteNodes> requests{
        World::request("checks: [{id: a, state: PLANNED}]"),
        named,
        World::request("checks: [{id: d, dependencies: [nowhere]}, {id: e}]"),
        stale,
        named,
        World::request("checks: [{id: f, dependencies: [b]}]"),
    };
    const auto answers = w.service->write_batch(requests);
    REQUIRE(answers.size() == 6);
    CHECK(answers.at(0).result->plan.version == before + 1);
    CHECK(answers.at(1).result->plan.version == before + 2);
    CHECK(answers.at(2).error->code() == ErrorCode::invalid_dependency);
    CHECK_FALSE(answers.at(2).result);
    CHECK(answers.at(3).error->code() == ErrorCode::conflict);
    CHECK(answers.at(4).result->replayed);
    CHECK(answers.at(5).result->plan.version == before + 3);
    CHECK(w.version() == before + 3);
    CHECK(w.state("check:a") == "WAITING");
    CHECK_THROWS_AS(w.check("e"), Error);
}

TEST_CASE("What cannot be in a batch is refused by itself") {
    World w;
    WriteNodes tried = World::request("checks: [{id: a}]");
    tried.dry_run = true;
    WriteNodes bad = World::request("{}");
    bad.op_id = "a\nb";
    WriteNodes elsewhere = World::request("checks: [{id: b}]");
    elsewhere.plan = "nowhere";
    const std::vector<WriteNodes> requests{tried, bad, elsewhere, World::request("checks: [{id: c}]")};
    const auto answers = w.service->write_batch(requests);
    CHECK(answers.at(0).error->code() == ErrorCode::invalid_argument);
    CHECK(answers.at(1).error->code() == ErrorCode::invalid_argument);
    CHECK(answers.at(2).error->code() == ErrorCode::not_found);
    CHECK(answers.at(3).result->created.size() == 1);
}

TEST_CASE("Every entry looks at what it is given") {
    World w;
    WriteNodes bad = World::request("{}");
    CheckWrite check;
    check.id = "check:bad id\n";
    bad.checks.push_back(check);
    bad.tick = GENERATE(false, true);
    CHECK(w.refusal(bad).code() == ErrorCode::invalid_argument);
}

TEST_CASE("Who watches a plan is told of its next version, or that there was none") {
    World w;
    const std::int64_t now = w.version();
    CHECK(w.service->watch("p", now - 1, 0s).version == now);
    CHECK(w.service->watch("p", now, 1ms).version == now);
    w.write("checks: [{id: a}]");
    CHECK(w.service->watch("p", now, 1h).version == now + 1);
    w.service->delete_plan("p", false);
    CHECK_THROWS_AS(w.service->watch("p", now, 0s), Error);
}
