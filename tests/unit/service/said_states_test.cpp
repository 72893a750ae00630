// SPDX-License-Identifier: Apache-2.0
// Writers that say where a stage is, and who owns a result: what other programs send.
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;

namespace {

WriteNodes says(State state, std::optional<AttemptWrite> attempt = {}) {
    WriteNodes r = World::request("{}");
    StageWrite write;
    write.id = "s";
    write.state = state;
    write.attempt = std::move(attempt);
    r.stages.push_back(write);
    return r;
}

AttemptWrite failing(std::optional<AttemptState> state) {
    AttemptWrite write;
    write.state = state;
    write.failure = "broken";
    return write;
}

}  // namespace

TEST_CASE("A stage that its writer calls FINAL ends its attempt, which has run to its end") {
    World w;
    w.write("stages: [{id: s}]");
    w.claim("s");
    w.write(says(State::final));
    CHECK(w.state("stage:s") == "FINAL passed");
    CHECK(w.stage("s").attempts[0].state == AttemptState::complete);
    const auto version = w.version();
    w.write(says(State::final));
    CHECK(w.version() == version);
}

TEST_CASE("A stage that its writer calls FINAL with a failure is not tried again") {
    for (const auto state : {std::optional<AttemptState>(), std::optional(AttemptState::incomplete)}) {
        World w;
        w.write("stages: [{id: s, retry: {max_retries: 5}}]");
        w.claim("s");
        w.write(says(State::final, failing(state)));
        CHECK(w.state("stage:s") == "FINAL failed");
        CHECK(w.stage("s").concluded_reason == ConcludedReason::retry_blocked);
        CHECK(w.stage("s").attempts[0].failure == "broken");
    }
}

TEST_CASE("An attempt that ends in the same write makes its stage FINAL already") {
    World w;
    w.write("stages: [{id: s}]");
    w.claim("s");
    AttemptWrite complete;
    complete.state = AttemptState::complete;
    w.write(says(State::final, complete));
    CHECK(w.state("stage:s") == "FINAL passed");
}

TEST_CASE("A state that a stage is not in is refused, but for PLANNED") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, dependencies: [c]}]");
    w.write(says(State::planned));
    CHECK(w.refused(says(State::final)) == ErrorCode::invalid_state);
    CHECK_THAT(w.refusal(says(State::final)).what(), Contains("end its attempt, or cancel it"));
    CHECK(w.refused(says(State::attempting)) == ErrorCode::invalid_state);
    CHECK(w.refused(says(State::waiting)) == ErrorCode::invalid_argument);
    w.write("stages: [{id: other}]");
    WriteNodes r = World::request("{}");
    StageWrite write;
    write.id = "other";
    write.state = State::attempting;
    r.stages.push_back(write);
    w.write(r);
    CHECK(w.state("stage:other") == "ATTEMPTING");
}

TEST_CASE("A stage may be claimed and ended in the write that creates it") {
    World w;
    AttemptWrite take;
    take.state = AttemptState::running;
    take.process_uid = "w";
    w.write(says(State::planned, take));
    CHECK(w.stage("s").attempts[0].state == AttemptState::running);
    WriteNodes r = World::request("{}");
    StageWrite write;
    write.id = "t";
    write.state = State::final;
    r.stages.push_back(write);
    w.write(r);
    CHECK(w.state("stage:t") == "FINAL passed");
}

TEST_CASE("A failure without a state goes with the end of a stage alone") {
    World w;
    w.write("stages: [{id: s}]");
    CHECK(w.refused(says(State::planned, failing({}))) == ErrorCode::invalid_argument);
}

TEST_CASE("A result may be owned by an actor who does not write") {
    World w;
    w.write("checks: [{id: c, state: WAITING}]");
    WriteNodes r = World::request("{}");
    CheckWrite write;
    write.id = "c";
    for (const char* by : {"tool/1", "tool/2"}) {
        ResultWrite& result = write.results.emplace_back();
        result.by = by;
        result.data = JsonText{R"({"n":1})"};
    }
    r.checks.push_back(write);
    w.write(r);
    const Check check = w.check("c");
    REQUIRE(check.results.size() == 2);
    CHECK(check.results[0].owner_type == OwnerType::actor);
    CHECK(check.results[0].owner_id == "tool/1");
    CHECK(check.results[1].owner_id == "tool/2");
    write.results[0].by = "";
    WriteNodes empty = World::request("{}");
    empty.checks.push_back(write);
    CHECK(w.refused(empty) == ErrorCode::invalid_argument);
}

TEST_CASE("Nodes that are not there can be told apart instead of refused") {
    struct Sink : NodeSink {
        void plan(const WorkPlan& /*plan*/) override {}
        void absent(const RefText& ref) override { names.push_back(to_string(ref)); }
        void check(const Check& /*check*/) override { ++checks; }
        void stage(const Stage& /*stage*/) override { ++stages; }
        std::vector<std::string> names;
        int checks = 0, stages = 0;
    };
    World w;
    w.write("checks: [{id: c}]");
    QueryNodes q;
    q.plan = "p";
    q.refs = {
        {NodeType::check, "c"}, {NodeType::check, "no"}, {NodeType::stage, "c"}, {std::nullopt, "none"}};
    Sink sink;
    CHECK_THROWS_AS(w.service->query(q, sink), Error);
    q.skip_absent = true;
    w.service->query(q, sink);
    CHECK(sink.names == std::vector<std::string>{"check:no", "stage:c", "none"});
    CHECK(sink.checks == 1);
    q.refs = {{NodeType::check, "no"}};
    Sink none;
    w.service->query(q, none);
    CHECK(none.checks + none.stages == 0);
    w.write("stages: [{id: c}]");
    q.refs = {{std::nullopt, "c"}};
    CHECK_THROWS_AS(w.service->query(q, none), Error);
}

TEST_CASE("Where ids are exact, neither beginnings nor labels nor @latest choose a plan") {
    World w;
    const auto exact = make_local_service(*w.store, {.exact_ids = true});
    CHECK(exact->get_plan("p").id == "p");
    CreatePlan create;
    create.id = "long-name";
    create.labels = {{"k", "v"}};
    exact->create_plan(create);
    for (const char* text : {"long", "k=v", "@latest", ""}) {
        INFO(text);
        CHECK_THROWS_AS(exact->get_plan(text), Error);
        WriteNodes write = World::request("checks: [{id: c}]");
        write.plan = text;
        CHECK_THROWS_AS(exact->write_nodes(write), Error);
    }
    CHECK(w.service->get_plan("long").id == "long-name");
}
