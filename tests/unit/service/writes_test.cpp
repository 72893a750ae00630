// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {
std::vector<LogEntry> log(World& w, std::int64_t since = 0, std::optional<RefText> ref = {}) {
    std::vector<LogEntry> entries;
    w.service->read_log({.plan = "p", .ref = std::move(ref), .since = since},
                        [&](const LogEntry& e) { entries.push_back(e); });
    return entries;
}
}  // namespace

TEST_CASE("Each write that changes something adds one to the version, and only those") {
    World w;
    const auto v = w.version();
    w.write("checks: [{id: a}, {id: b}]\nstages: [{id: s}]");
    CHECK(w.version() == v + 1);
    w.write("checks: [{id: a}, {id: b}]\nstages: [{id: s}]");
    w.write("{}");
    CHECK(w.version() == v + 1);
    CHECK(w.check("a").version == v + 1);
}

TEST_CASE("if_version lets a writer in only at the version it saw") {
    World w;
    WriteNodes r = World::request("checks: [{id: a}]");
    r.if_version = w.version();
    w.write(r);
    WriteNodes stale = World::request("checks: [{id: b}]");
    stale.if_version = *r.if_version;
    CHECK(w.refusal(stale).code() == ErrorCode::conflict);
}

TEST_CASE("The same op_id has one effect and always the first answer's version") {
    World w;
    WriteNodes r = World::request("checks: [{id: a}]");
    r.op_id = "job-17";
    r.if_version = w.version();
    const auto first = w.write(r);
    w.write("checks: [{id: b}]");
    const auto again = w.write(r);
    CHECK(again.replayed);
    CHECK(again.plan.version == first.plan.version);
    CHECK(again.created.empty());
    WriteNodes other = World::request("checks: [{id: c}]");
    other.op_id = "job-17";
    CHECK(w.write(other).replayed);
    CHECK_THROWS_AS(w.check("c"), Error);
}

TEST_CASE("An op_id is remembered for a write that changed nothing, too") {
    World w;
    WriteNodes r = World::request("{}");
    r.op_id = "nothing";
    const auto version = w.version();
    w.write(r);
    w.write("checks: [{id: a}]");
    const auto again = w.write(r);
    CHECK(again.replayed);
    CHECK(again.plan.version == version);
}

TEST_CASE("An op_id that made no plan makes one, whatever was done with it in others") {
    World w;
    WriteNodes idle = World::request("{}");
    idle.op_id = "push-7";
    w.write(idle);
    CHECK(w.version() == 1);
    CreatePlan create;
    create.nodes.op_id = "push-7";
    const auto made = w.service->create_plan(create);
    CHECK_FALSE(made.replayed);
    CHECK(made.plan.id != "p");
    const auto again = w.service->create_plan(create);
    CHECK(again.replayed);
    CHECK(again.plan.id == made.plan.id);
}

TEST_CASE("The order of the members of a group means nothing, be they edges or groups") {
    World w;
    w.write("stages: [{id: a}, {id: b}, {id: c}]");
    const auto with = [](std::string_view dependencies) {
        return "stages: [{id: s, dependencies: " + std::string(dependencies) + "}]";
    };
    w.write(with("{all: [a, {any: [b, c]}, {at_least: 1, of: [c, {all: [a, b]}]}]}"));
    const auto version = w.version();
    w.write(with("{all: [{at_least: 1, of: [{all: [b, a]}, c]}, a, {any: [c, b]}]}"));
    CHECK(w.version() == version);
    for (const char* other : {"{all: [a, {any: [b, c]}, {at_least: 1, of: [b, {all: [a, c]}]}]}",
                              "{all: [a, {any: [b, c]}, {at_least: 2, of: [c, {all: [a, b]}]}]}",
                              "{all: [a, {all: [b, c]}, {at_least: 1, of: [c, {all: [a, b]}]}]}",
                              "{all: [a, {any: [b, c, {at_least: 1, of: [c, {all: [a, b]}]}]}]}"})
        CHECK(w.refused(with(other)) == ErrorCode::invalid_state);
}

TEST_CASE("A dry run tells everything and keeps nothing") {
    World w;
    WriteNodes r = World::request("checks: [{id: a, state: PLANNED}]\nstages: [{id: s}]");
    r.dry_run = true;
    r.op_id = "x";
    const auto result = w.write(r);
    CHECK(result.created.size() == 2);
    CHECK(result.advanced.size() == 2);
    CHECK(result.plan.version == w.version() + 1);
    CHECK(w.query({.plan = "p"}).checks.empty());
    r.dry_run = false;
    CHECK_FALSE(w.write(r).replayed);
}

TEST_CASE("Every change is recorded with who, why and what") {
    World w;
    w.write("checks: [{id: a, options: {x: 1}}, {id: b, state: PLANNED, dependencies: [a]}]");
    WriteNodes r = World::request("checks: [{id: a, options: {x: 2}}]");
    r.reason = "because";
    r.op_id = "op";
    w.write(r);
    w.write("checks: [{id: a, state: FINAL, result: {failure: x}}]");
    const auto entries = log(w);
    REQUIRE(entries.size() == 6);
    CHECK_FALSE(entries[0].node.has_value());
    CHECK(entries[1].node == NodeRef{NodeType::check, "a"});
    CHECK_THAT(entries[1].changes.text, Contains(R"("created":true)") && Contains(R"("to":"PLANNING")"));
    CHECK(entries[3].reason == "because");
    CHECK(entries[3].op_id == "op");
    CHECK(entries[3].actor == "tester");
    CHECK_THAT(entries[3].changes.text, Contains(R"("options":{"x":2})"));
    CHECK(entries[4].by == Mover::writer);
    CHECK_THAT(entries[4].changes.text, Contains(R"("outcome":{"from":null,"to":"failed"})"));
    CHECK(entries[5].node == NodeRef{NodeType::check, "b"});
    CHECK(entries[5].by == Mover::orchestrator);
    CHECK_THAT(entries[5].changes.text, Contains(R"("from":"PLANNED","to":"FINAL")"));

    CHECK(log(w, entries[3].version).size() == 2);
    CHECK(log(w, 0, RefText{std::nullopt, "b"}).size() == 2);
    CHECK(log(w, w.version()).empty());
}

TEST_CASE("Labels are set at creation and merged by writes") {
    World w;
    CreatePlan create;
    create.id = "q";
    create.labels = {{"branch", "main"}, {"quote", "\"x\""}};
    w.service->create_plan(create);
    WriteNodes r = World::request("plan: {branch: dev, pr: 7}");
    r.plan = "q";
    w.write(r);
    CHECK(same_json(w.service->get_plan("q").labels, {R"({"branch":"dev","quote":"\"x\"","pr":"7"})"}));
}

TEST_CASE("A plan and its nodes are created together or not at all") {
    World w;
    CreatePlan create;
    create.id = "q";
    create.nodes = World::request("checks: [{id: a, dependencies: [nope]}]");
    CHECK_THROWS_AS(w.service->create_plan(create), Error);
    CHECK_THROWS_AS(w.service->get_plan("q"), Error);
    create.nodes = World::request("checks: [{id: a}]");
    CHECK(w.service->create_plan(create).plan.version == 1);
    try {
        w.service->create_plan(create);
        FAIL("created twice");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::conflict);
    }
}

TEST_CASE("Without an id the only plan is meant; several are listed; none is not found") {
    World w;
    CHECK(w.service->get_plan("").id == "p");
    CreatePlan create;
    create.id = "q";
    w.service->create_plan(create);
    try {
        (void)w.service->get_plan("");
        FAIL("chose one of two");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::usage);
        CHECK_THAT(e.what(), Contains("p, q"));
    }
    w.service->delete_plan("p", true);
    CHECK(w.service->get_plan("").id == "q");
    w.service->delete_plan("q", true);
    try {
        (void)w.service->get_plan("");
        FAIL("found a plan");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::not_found);
    }
}

TEST_CASE("Time never goes back within a plan") {
    World w;
    w.write("checks: [{id: a}]");
    w.clock.reading.wall -= 48h;
    w.clock.reading.boot_id = "boot-2";
    w.write("checks: [{id: b}]");
    CHECK(w.check("b").created_at >= w.check("a").created_at);
}

TEST_CASE("A claim that is sent again gets the answer of the first time") {
    World w;
    w.write("stages: [{id: a}, {id: b}]");
    WriteNodes claim = World::request("{}");
    claim.op_id = "k";
    claim.claim = Claim{};
    claim.claim->process_uid = "w";
    CHECK(w.write(claim).claimed.at(0).stage.id == "a");
    w.complete("a");
    const WriteResult again = w.write(claim);
    CHECK(again.replayed);
    REQUIRE(again.claimed.size() == 1);
    CHECK(again.claimed.at(0).stage.id == "a");
    CHECK(again.claimed.at(0).idx == 1);
    CHECK(w.stage("b").attempts.at(0).state == AttemptState::pending);
}

TEST_CASE("A claim that got nothing may be sent again") {
    World w;
    WriteNodes claim = World::request("{}");
    claim.op_id = "k";
    claim.claim = Claim{};
    claim.claim->process_uid = "w";
    CHECK(w.write(claim).claimed.empty());
    w.write("stages: [{id: a}]");
    CHECK(w.write(claim).claimed.size() == 1);
}

TEST_CASE("A tick and a creation can be sent again") {
    World w;
    WriteNodes tick = World::request("{}");
    tick.op_id = "t";
    w.tick(tick);
    CHECK(w.tick(tick).replayed);
    for (const std::string id : {"named", ""}) {
        CreatePlan create;
        create.id = id;
        create.nodes = World::request("checks: [{id: c}]");
        create.nodes.op_id = "made-" + id;
        const std::string made = w.service->create_plan(create).plan.id;
        const WriteResult again = w.service->create_plan(create);
        CHECK(again.replayed);
        CHECK(again.plan.id == made);
    }
    CHECK(w.service->list_plans().size() == 3);
    CreatePlan other;
    other.id = "named";
    other.nodes.op_id = "another";
    CHECK_THROWS_AS(w.service->create_plan(other), Error);
}

TEST_CASE("Of two labels of one name the last one counts, and a plan's record begins with its creation") {
    World w;
    CreatePlan create;
    create.id = "q";
    create.labels = {{"k", "1"}, {"k", "2"}};
    create.nodes = World::request("plan: {branch: main}\n");
    w.service->create_plan(create);
    CHECK(w.service->get_plan("q").labels.text == R"({"k":"2","branch":"main"})");
    std::string changes;
    w.service->read_log({.plan = "q", .ref = {}, .since = 0},
                        [&](const LogEntry& e) { changes = e.changes.text; });
    CHECK(changes == R"({"created":true,"labels":{"k":"2","branch":"main"}})");
}
