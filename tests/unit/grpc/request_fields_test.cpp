// SPDX-License-Identifier: Apache-2.0
// What the fields of a request mean where that is not plain, and which of them are refused.
#include <functional>
#include <string>
#include <vector>

#include "grpc/convert.hpp"
#include "support/catch.hpp"

namespace turboci::rpc {

namespace {

v1::CheckWrite& add_check(v1::WriteNodesRequest& wire) {
    auto& check = *wire.add_checks();
    check.set_id("c");
    return check;
}

WriteNodes read_request(const v1::WriteNodesRequest& wire) {
    FieldNames names;
    return read(wire, names);
}

/// The problems of a request: "FIELD: what is wrong".
std::vector<std::string> problems(const v1::WriteNodesRequest& wire) {
    FieldNames names;
    std::vector<std::string> found;
    try {
        static_cast<void>(read(wire, names));
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid_argument);
        for (const auto& detail : error.details())
            found.push_back(std::string(names.name(detail.line)) + ": " + detail.message);
    }
    return found;
}

using Problems = std::vector<std::string>;

}  // namespace

TEST_CASE("A process_uid alone claims the attempt; beside anything else it only says who must hold it") {
    const auto state_of = [](const std::function<void(v1::AttemptWrite&)>& say) {
        v1::WriteNodesRequest wire;
        auto& stage = *wire.add_stages();
        stage.set_id("s");
        stage.mutable_current_attempt()->set_process_uid("p");
        say(*stage.mutable_current_attempt());
        return read_request(wire).stages[0].attempt.value().state;
    };
    CHECK(state_of([](auto&) {}) == AttemptState::running);
    CHECK(state_of([](auto& attempt) { attempt.set_idx(2); }) == AttemptState::running);
    CHECK(state_of([](auto& attempt) { attempt.set_state(v1::ATTEMPT_STATE_COMPLETE); }) ==
          AttemptState::complete);
    CHECK_FALSE(state_of([](auto& attempt) { attempt.set_guards(true); }));
    CHECK_FALSE(state_of([](auto& attempt) { attempt.set_heartbeat(true); }));
    CHECK_FALSE(state_of([](auto& attempt) { attempt.set_details_json("{}"); }));
    CHECK_FALSE(state_of([](auto& attempt) { attempt.mutable_failure(); }));
    CHECK_FALSE(state_of([](auto& attempt) { attempt.set_process_uid(""); }));
}

TEST_CASE("A process_uid that claims nothing here claims nothing on the other side") {
    StageWrite stage;
    stage.id = "s";
    stage.attempt.emplace().process_uid = "p";
    WriteNodes request;
    request.stages.push_back(stage);
    v1::WriteNodesRequest wire;
    write(request, wire);
    CHECK(wire.stages(0).current_attempt().guards());
    const auto attempt = read_request(wire).stages[0].attempt.value();
    CHECK(attempt.process_uid == "p");
    CHECK_FALSE(attempt.state);
}

TEST_CASE("An edge without `when` is satisfied by any outcome, and only one on FINAL has a `when`") {
    v1::WriteNodesRequest wire;
    auto& group = *add_check(wire).mutable_dependencies();
    group.add_dependencies()->set_target_id("a");
    auto& early = *group.add_dependencies();
    early.set_target_type(v1::NODE_TYPE_STAGE);
    early.set_target_id("s");
    early.set_on_state(v1::STAGE_STATE_ATTEMPTING);
    const auto spec = read_request(wire).checks[0].dependencies.value();
    CHECK(spec.kind == GroupKind::all);
    REQUIRE(spec.edges.size() == 2);
    CHECK(spec.edges[0].target == RefText{NodeType::check, "a"});
    CHECK(spec.edges[0].on_state == State::final);
    CHECK(spec.edges[0].when == When::always);
    CHECK(spec.edges[1].on_state == State::attempting);
    CHECK_FALSE(spec.edges[1].when);
}

TEST_CASE("What a file leaves out is said on the wire: success") {
    WriteNodes request;
    CheckWrite check;
    check.dependencies.emplace().edges.push_back({{NodeType::check, "a"}, State::final, {}, {}});
    request.checks.push_back(check);
    v1::WriteNodesRequest wire;
    write(request, wire);
    CHECK(wire.checks(0).dependencies().dependencies(0).when() == v1::WHEN_SUCCESS);
}

TEST_CASE("A group that is given and empty removes, one that is not given says nothing") {
    v1::WriteNodesRequest wire;
    add_check(wire);
    add_check(wire).mutable_dependencies();
    const auto request = read_request(wire);
    CHECK_FALSE(request.checks[0].dependencies);
    REQUIRE(request.checks[1].dependencies);
    CHECK(request.checks[1].dependencies->empty());
}

TEST_CASE("The owner of a result is an attempt, an actor, or whoever writes") {
    struct Row {
        const char *type, *id;
        std::optional<AttemptRef> owner;
        std::optional<std::string> by;
    };
    const std::vector<Row> rows{
        {"", "", {}, {}},
        {"stage_attempt", "s:2", AttemptRef{"s", 2}, {}},
        {"stage_attempt", "p:exec:build:x:10", AttemptRef{"p:exec:build:x", 10}, {}},
        {"stage_attempt", "s", {}, "stage_attempt/s"},
        {"stage_attempt", "s:x", {}, "stage_attempt/s:x"},
        {"stage_attempt", ":1", {}, "stage_attempt/:1"},
        {"runner", "r1", {}, "runner/r1"},
        {"runner", "", {}, "runner"},
        {"", "r1", {}, "r1"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.type, row.id);
        v1::WriteNodesRequest wire;
        auto& result = *add_check(wire).mutable_result();
        result.set_owner_type(row.type);
        result.set_owner_id(row.id);
        const auto read_back = read_request(wire).checks[0].results.at(0);
        CHECK(read_back.owner == row.owner);
        CHECK(read_back.by == row.by);
    }
}

TEST_CASE("JSON is taken as text before Struct, without blanks, and nothing else changed") {
    v1::WriteNodesRequest wire;
    auto& check = add_check(wire);
    (*check.mutable_options()->mutable_fields())["a"].set_number_value(1);
    CHECK(read_request(wire).checks[0].options == JsonText{R"({"a":1})"});
    check.set_options_json("{ \"b\" : [ 1.50 ,\n\"x y\\\" \" ] }");
    CHECK(read_request(wire).checks[0].options == JsonText{R"({"b":[1.50,"x y\" "]})"});
}

TEST_CASE("All problems of a request are told at once, each with its field") {
    v1::WriteNodesRequest wire;
    auto& check = add_check(wire);
    check.set_state(static_cast<v1::CheckState>(15));
    check.set_options_json("[]");
    check.mutable_dependencies()->add_groups()->add_dependencies()->set_on_state(25);
    auto& stage = *wire.add_stages();
    stage.mutable_timeout()->set_seconds(-1);
    stage.add_conditions();
    stage.mutable_current_attempt()->set_state(static_cast<v1::AttemptState>(-1));
    CHECK(problems(wire) ==
          Problems{"checks[0].options_json: is no JSON object", "checks[0].state: 15 is no state of a check",
                   "checks[0].dependencies.groups[0].dependencies[0].on_state: 25 is no state of a check",
                   "stages[0].timeout: must not be negative",
                   "stages[0].conditions[0]: has no test: one of 'equals_json', 'not_equals_json', 'exists'",
                   "stages[0].current_attempt.state: -1 is no value of AttemptState that is known here"});
}

TEST_CASE("What contradicts itself is refused") {
    struct Row {
        std::function<void(v1::CheckWrite&, v1::StageWrite&)> make;
        std::string problem;
    };
    const std::vector<Row> rows{
        {[](auto& c, auto&) {
             c.set_kind("k");
             c.set_empty_kind(true);
         },
         "checks[0].kind: is given, and yet it is said to be empty"},
        {[](auto& c, auto&) {
             c.set_state(v1::CHECK_STATE_FINAL);
             c.set_state_name("FINAL");
         },
         "checks[0].state_name: is given beside 'state'"},
        {[](auto& c, auto&) { c.set_state_name("DONE"); }, "checks[0].state_name: 'DONE' is no state"},
        {[](auto& c, auto&) { c.set_skip_reason("why"); }, "checks[0].skip_reason: is given without 'skip'"},
        {[](auto& c, auto&) {
             auto& edge = *c.mutable_dependencies()->add_dependencies();
             edge.set_either_type(true);
             edge.set_target_type(v1::NODE_TYPE_CHECK);
         },
         "checks[0].dependencies.dependencies[0].either_type: is given beside 'target_type'"},
        {[](auto& c, auto&) {
             auto& edge = *c.mutable_dependencies()->add_dependencies();
             edge.set_either_type(true);
             edge.set_on_state(20);
         },
         "checks[0].dependencies.dependencies[0].on_state: means nothing without 'target_type'; use "
         "'on_state_name'"},
        {[](auto& c, auto&) {
             c.mutable_result()->set_owner_id("somebody");
             c.mutable_result()->mutable_owner()->set_stage_id("s");
         },
         "checks[0].result.owner: is another than 'owner_id' says"},
        {[](auto& c, auto& s) {
             c.mutable_result()->set_attempt_token("one");
             s.mutable_current_attempt()->set_attempt_token("two");
         },
         "stages[0].current_attempt.attempt_token: is another than that of the write or of another node"},
        {[](auto&, auto& s) {
             s.mutable_current_attempt()->set_idx(1);
             s.mutable_current_attempt()->set_zero_idx(true);
         },
         "stages[0].current_attempt.zero_idx: is given beside 'idx'"},
        {[](auto&, auto& s) {
             s.mutable_current_attempt()->set_exit_code(1);
             s.mutable_current_attempt()->mutable_holder()->set_identity("h");
         },
         "stages[0].current_attempt.holder: is given beside 'cause', 'exit_code', 'signal' or 'log_json'"},
        {[](auto&, auto& s) { s.mutable_current_attempt()->set_log_json("{}"); },
         "stages[0].current_attempt.log_json: has neither a path nor 'bytes' and 'dropped'"},
        {[](auto&, auto& s) { s.mutable_current_attempt()->mutable_not_before(); },
         "stages[0].current_attempt.not_before: is not taken: an attempt that is given back is ready at "
         "once"},
        {[](auto&, auto& s) { s.mutable_retry()->mutable_on()->add_causes(v1::ATTEMPT_CAUSE_LOST); },
         "stages[0].retry.on.causes[0]: must be FAILED, TIMEOUT or SILENT"},
        {[](auto&, auto& s) { s.mutable_retry()->mutable_on()->add_exit_codes(256); },
         "stages[0].retry.on.exit_codes[0]: must be from 1 to 255"},
        {[](auto&, auto& s) { s.mutable_silence()->set_nanos(1'000'000'000); },
         "stages[0].silence: is no duration of at most 10,000 years"},
        {[](auto&, auto& s) { (*s.mutable_args()->mutable_fields())["a"]; },
         "stages[0].args: has a value of no kind"},
    };
    for (const auto& row : rows) {
        v1::WriteNodesRequest wire;
        auto& check = add_check(wire);
        row.make(check, *wire.add_stages());
        CHECK(problems(wire) == Problems{row.problem});
    }
}

TEST_CASE("A token or a reason that a node brings is that of the write") {
    v1::WriteNodesRequest wire;
    auto& check = add_check(wire);
    check.mutable_result()->set_attempt_token("token");
    check.set_skip(true);
    check.set_skip_reason("not today");
    const auto request = read_request(wire);
    CHECK(request.token == "token");
    CHECK(request.reason == "not today");
}

TEST_CASE("The end that an executor tells in the write itself is its holder's word") {
    v1::WriteNodesRequest wire;
    auto& attempt = *wire.add_stages()->mutable_current_attempt();
    attempt.set_cause(v1::ATTEMPT_CAUSE_FAILED);
    attempt.set_exit_code(3);
    attempt.set_log_json(R"({"path":"a/b"})");
    HolderWord expected;
    expected.cause = Cause::failed;
    expected.exit_code = 3;
    expected.log = LogPlace{"a/b"};
    CHECK(read_request(wire).stages[0].attempt.value().holder == expected);
}

TEST_CASE("The metadata of a creation are its labels, unless they come in order") {
    v1::CreateWorkPlanRequest wire;
    (*wire.mutable_metadata())["b"] = "2";
    (*wire.mutable_metadata())["a"] = "1";
    FieldNames names;
    using Labels = std::vector<std::pair<std::string, std::string>>;
    CHECK(read(wire, names).labels == Labels{{"a", "1"}, {"b", "2"}});
    wire.set_labels_json(R"({"z":"26","a":"1"})");
    CHECK(read(wire, names).labels == Labels{{"z", "26"}, {"a", "1"}});
    wire.set_labels_json(R"({"z":26})");
    CHECK_THROWS_AS(read(wire, names), Error);
}

TEST_CASE("What a creation says twice must be the same") {
    v1::CreateWorkPlanRequest wire;
    wire.set_actor("a");
    wire.mutable_nodes()->set_actor("a");
    wire.mutable_nodes()->set_reason("why");
    FieldNames names;
    CHECK(read(wire, names).nodes.actor == "a");
    CHECK(read(wire, names).nodes.reason == "why");
    wire.mutable_nodes()->set_actor("b");
    wire.mutable_nodes()->set_work_plan_id("p");
    CHECK_THROWS_WITH(read(wire, names), "2 problems found");
}

TEST_CASE("An answer with a number that is not known is the fault of its server") {
    v1::Check wire;
    wire.set_state(static_cast<v1::CheckState>(50));
    try {
        static_cast<void>(read(wire));
        FAIL("was read");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::store);
        CHECK(std::string(error.what()) == "state: 50 is no value of CheckState that is known here");
    }
}

TEST_CASE("Times and durations keep their microseconds, before 1970 too") {
    for (const std::int64_t micros : {0L, 1L, -1L, 999'999L, -1'000'001L, 1'700'000'000'123'456L}) {
        google::protobuf::Timestamp wire;
        write(Timestamp(Duration(micros)), wire);
        CHECK(wire.nanos() >= 0);
        CHECK(read(wire) == Timestamp(Duration(micros)));
    }
    google::protobuf::Duration wire;
    write(Duration(1'500'000), wire);
    CHECK(wire.seconds() == 1);
    CHECK(wire.nanos() == 500'000'000);
    wire.set_nanos(500'000'999);  // rounded down
    CHECK(read(wire) == Duration(1'500'000));
}

// ---- queries

TEST_CASE("A public client's query means what it means to a public server") {
    v1::QueryNodesRequest wire;
    wire.add_check_ids("a");
    SECTION("neither type is wanted: nothing") { CHECK(read(wire).nothing); }
    SECTION("checks alone: those that are named") {
        wire.set_include_checks(true);
        wire.add_stage_ids("s");
        const auto query = read(wire);
        CHECK(query.nodes.types == std::vector{NodeType::check});
        CHECK(query.nodes.refs == std::vector{RefText{NodeType::check, "a"}});
        CHECK(query.filter.empty());
    }
    SECTION("both, and ids of one: all of the other") {
        wire.set_include_checks(true);
        wire.set_include_stages(true);
        const auto query = read(wire);
        CHECK(query.nodes.types.empty());
        CHECK(query.nodes.refs.empty());
        Check a;
        a.id = "a";
        Check b;
        b.id = "b";
        CHECK(query.filter.takes(a));
        CHECK_FALSE(query.filter.takes(b));
        CHECK(query.filter.takes(Stage{}));
    }
    SECTION("both, and ids of both") {
        wire.set_include_checks(true);
        wire.set_include_stages(true);
        wire.add_stage_ids("s");
        CHECK(read(wire).nodes.refs ==
              std::vector{RefText{NodeType::check, "a"}, RefText{NodeType::stage, "s"}});
    }
    SECTION("with types, ids select among all nodes") {
        wire.add_types(v1::NODE_TYPE_CHECK);
        wire.add_types(v1::NODE_TYPE_STAGE);
        const auto query = read(wire);
        CHECK(query.nodes.refs == std::vector{RefText{NodeType::check, "a"}});
        CHECK(query.nodes.types.empty());
        CHECK(query.filter.empty());
    }
    SECTION("what is absent is no error unless it must exist") {
        CHECK(read(wire).nodes.skip_absent);
        wire.set_named_must_exist(true);
        CHECK_FALSE(read(wire).nodes.skip_absent);
    }
}

TEST_CASE("States of one type say nothing of the other type") {
    v1::QueryNodesRequest wire;
    wire.set_include_checks(true);
    wire.set_include_stages(true);
    wire.add_check_states(v1::CHECK_STATE_WAITING);
    const auto query = read(wire);
    Check check;
    CHECK_FALSE(query.filter.takes(check));
    check.state = State::waiting;
    CHECK(query.filter.takes(check));
    CHECK(query.filter.takes(Stage{}));
    CHECK(query.nodes.states.empty());
    SECTION("the service is asked for no more than is wanted") {
        wire.set_include_stages(false);
        CHECK(read(wire).nodes.states == std::vector{State::waiting});
        wire.set_include_stages(true);
        wire.add_stage_states(v1::STAGE_STATE_ATTEMPTING);
        CHECK(read(wire).nodes.states == std::vector{State::waiting, State::attempting});
    }
    SECTION("a number that is none is refused") {
        wire.add_stage_states(static_cast<v1::StageState>(15));
        CHECK_THROWS_WITH(read(wire), "stage_states[0]: 15 is no value of StageState that is known here");
        FieldNames names;
        try {
            static_cast<void>(read(wire, names));
            FAIL("was read");
        } catch (const Error& error) {
            CHECK(names.name(error.details().at(0).line) == "stage_states[0]");
        }
    }
}

TEST_CASE("No parts are everything, and one bit is nothing") {
    v1::QueryNodesRequest wire;
    wire.set_include_checks(true);
    CHECK(read(wire).nodes.parts.stamps);
    CHECK(read(wire).nodes.parts.counts);
    wire.set_parts(256);
    CHECK_FALSE(read(wire).nodes.parts.stamps);
    CHECK_FALSE(read(wire).nodes.parts.counts);
    wire.set_parts(64);
    CHECK(read(wire).nodes.parts.results);
    CHECK_FALSE(read(wire).nodes.parts.body);
    wire.set_parts(512);
    CHECK_THROWS_WITH(read(wire), "parts: 512 has unknown bits");
}

TEST_CASE("A message of places tells their fields instead") {
    FieldNames names;
    const Path nodes{nullptr, "nodes"};
    CHECK(names.add(nodes("checks", 3)("id")).line == 3);
    CHECK(names.told("<request>:3:1: is empty, first at <request>:2:1") ==
          "nodes.checks[3].id: is empty, first at nodes.checks[3]");
    CHECK(names.told("no place, <request>:9:1, <request>, <request>:3") ==
          "no place, <request>:9:1, <request>, <request>:3");
    CHECK(names.add("worker_uid").line == 4);
    CHECK(names.name(4) == "worker_uid");
    CHECK(names.name(0).empty());
    CHECK(names.name(5).empty());
}

}  // namespace turboci::rpc
