// SPDX-License-Identifier: Apache-2.0
// How often a write asks the store: what a store on another machine answers with one message is a trip.
#include "service/local_service.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;

namespace {

std::int64_t trips_of(World& w, const WriteNodes& request) {
    w.service->write_nodes(request);
    return w.statistics.trips;
}
std::int64_t trips_of(World& w, const std::string& yaml) { return trips_of(w, World::request(yaml)); }

WriteNodes claim_of(int at_most, const std::string& yaml = "{}") {
    WriteNodes request = World::request(yaml);
    Claim& claim = request.claim.emplace();
    claim.at_most = at_most;
    claim.process_uid = claim.holder = "w";
    return request;
}

std::string complete(const std::string& prefix, int first, int last) {
    std::string plan = "stages:\n";
    for (int i = first; i <= last; ++i)
        plan += "  - {id: " + prefix + std::to_string(i) + ", attempt: {state: COMPLETE}}\n";
    return plan;
}

/// One check, and so many stages that are assigned to it, all claimed.
std::string fan_in(int width) {
    std::string plan =
        "checks: [{id: c, state: PLANNED}, {id: next, state: PLANNED, dependencies: [c]}]\nstages:\n";
    for (int i = 1; i <= width; ++i) plan += "  - {id: s" + std::to_string(i) + ", assignments: [c]}\n";
    return plan;
}

/// Checks, each of which needs the one before it.
std::string chain(int length) {
    std::string plan = "checks:\n  - {id: n1, state: WAITING}\n";
    for (int i = 2; i <= length; ++i)
        plan += "  - {id: n" + std::to_string(i) + ", state: PLANNED, dependencies: [n" +
                std::to_string(i - 1) + "]}\n";
    return plan;
}

}  // namespace

TEST_CASE("a write of one stage takes a few trips, whatever it needs") {
    World w;
    w.write("checks: [{id: a}, {id: b}, {id: c}, {id: d, state: PLANNED}]\nstages: [{id: other}]");
    CHECK(trips_of(w, "stages: [{id: s}]") <= 3);
    CHECK(trips_of(w, "stages: [{id: t, dependencies: [a, b, c], assignments: [d]}]") <= 6);
}

TEST_CASE("a claim of ten stages takes as many trips as a claim of one") {
    World w;
    w.write(fan_in(30));
    const auto one = trips_of(w, claim_of(1));
    CHECK(one <= 3);
    CHECK(trips_of(w, claim_of(10)) == one);
}

TEST_CASE("an end takes as many trips beside a thousand others as beside ten") {
    const auto first_and_last = [](int width) {
        World w;
        w.write(fan_in(width));
        w.write(claim_of(width));
        const auto first = trips_of(w, complete("s", 1, 1));
        w.write(complete("s", 2, width - 1));
        return std::pair(first, trips_of(w, complete("s", width, width)));
    };
    const auto few = first_and_last(10), many = first_and_last(1000);
    CHECK(few == many);
    CHECK(many.first <= 4);
    CHECK(many.second <= 6);
}

TEST_CASE("ten ends and ten claims take as many trips as one of each") {
    World w;
    w.write(fan_in(60));
    w.write(claim_of(20));
    const auto one = trips_of(w, claim_of(1, complete("s", 1, 1)));
    CHECK(trips_of(w, claim_of(10, complete("s", 2, 11))) == one);
    CHECK(one <= 4);
}

TEST_CASE("a failure at the head of a chain takes trips with the logarithm of its length") {
    World w;
    w.write(chain(1000));
    const auto trips = trips_of(w, "checks: [{id: n1, state: FINAL, result: {failure: broken}}]");
    CHECK(w.check("n1000").outcome == Outcome::skipped);
    CHECK(trips <= 14);
}

TEST_CASE("a new plan takes as many trips with a thousand nodes as with one") {
    World w;
    const auto creation = [&](int nodes, const std::string& id) {
        CreatePlan create;
        create.id = id;
        create.nodes = World::request(chain(nodes));
        w.service->create_plan(create);
        return w.statistics.trips;
    };
    const auto one = creation(1, "one");
    CHECK(creation(1003, "many") == one);
    CHECK(one <= 3);
}

TEST_CASE("a file that is written again takes as many trips with a thousand nodes as with ten") {
    const auto again = [](int nodes) {
        World w;
        const std::string plan = fan_in(nodes);
        w.write(plan);
        const auto version = w.version();
        WriteNodes request = World::request(plan);
        request.labels = JsonText{R"({"again":"yes"})"};
        const auto trips = trips_of(w, request);
        CHECK(w.version() == version + 1);
        return trips;
    };
    CHECK(again(10) == again(900));
}

TEST_CASE("what a node needs and why it waits are read level by level") {
    const auto trips = [](int width) {
        World w;
        w.write(fan_in(width));
        LocalService& service = *w.service;
        QueryNodes query;
        query.plan = "p";
        query.refs = {{NodeType::check, "next"}};
        query.deps = -1;
        struct Count final : NodeSink {
            void plan(const WorkPlan&) override {}
            void check(const Check&) override { ++nodes; }
            void stage(const Stage&) override { ++nodes; }
            int nodes = 0;
        } sink;
        service.query(query, sink);
        CHECK(sink.nodes == width + 2);
        const auto of_query = w.statistics.trips;
        const auto explanation = service.explain("p", {NodeType::check, "next"});
        CHECK(explanation.root_causes.size() >= 10);
        return std::pair(of_query, w.statistics.trips);
    };
    const auto few = trips(20), many = trips(200);
    CHECK(few == many);
    CHECK(few.first <= 10);
    CHECK(few.second <= 14);
}

TEST_CASE("a summary takes as many trips of a large plan as of a small one") {
    const auto trips = [](int width) {
        World w;
        w.write(fan_in(width));
        w.write(claim_of(width));
        w.write(
            "stages: [{id: s1, attempt: {state: INCOMPLETE, failure: x}}, {id: s2, attempt: {state: "
            "INCOMPLETE, failure: y}}]");
        CHECK(w.service->summarize("p", 20).failed.size() == 2);
        return w.statistics.trips;
    };
    CHECK(trips(10) == trips(300));
}
