// SPDX-License-Identifier: Apache-2.0
// Every kind of bad plan file gets an error with a position.
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("malformed plans are refused with a position and a reason") {
    const std::pair<std::string, std::string> cases[] = {
        {"- a\n- b\n", "1:1: a plan file must be a map with keys such as 'checks' and 'stages', not a list"},
        {"just text\n",
         "1:1: a plan file must be a map with keys such as 'checks' and 'stages', not a string"},
        {"checks: [{id: a, optoins: {}}]\n", "1:18: unknown key 'optoins'; did you mean 'options'?"},
        {"check: []\n", "1:1: unknown key 'check'; did you mean 'checks'?"},
        {"environment: []\n",
         "1:1: unknown key 'environment'; known here: checks, stages, reason, actor, if_version, op_id, "
         "plan, limits, defaults"},
        {"checks: [{id: a, version: 3}]\n",
         "1:18: unknown key 'version'; known here: id, kind, options, state, required, dependencies, "
         "condition, if, skip, result, results, matrix"},
        {"checks: [{kind: build}]\n", "1:10: 'id' is missing"},
        {"checks: [{id: ''}]\n", "1:15: 'id' is empty"},
        {"checks: [{id: {a: b}}]\n", "1:15: 'id' must be a string, not a map"},
        {"checks: [{id: ~}]\n", "1:15: 'id' must be a string, not null"},
        {"checks: [{id: a, kind: []}]\n", "1:24: 'kind' must be a string, not a list"},
        {"checks: [{id: a, kind: }]\n", "1:24: 'kind' must be a string, not null"},
        {"checks: [{id: a, state: DONE}]\n",
         "1:25: 'DONE' is not a state; use PLANNING, PLANNED, WAITING or FINAL"},
        {"checks: [{id: a, options: [1]}]\n", "1:27: 'options' must be a map, not a list"},
        {"checks: [{id: a, options: null}]\n", "1:27: 'options' must be a map, not null"},
        {"checks: {id: a}\n", "1:9: 'checks' must be a list, not a map"},
        {"checks: 5\n", "1:9: 'checks' must be a list, not an integer"},
        {"checks: [a]\n", "1:10: an item of 'checks' must be a map, not a string"},
        {"checks: [[]]\n", "1:10: an item of 'checks' must be a map, not a list"},
        {"checks: [{id: a, result: []}]\n", "1:26: 'result' must be a map, not a list"},
        {"checks: [{id: a, results: {}}]\n", "1:27: 'results' must be a list, not a map"},
        {"checks: [{id: a, result: {finalize: yes}}]\n",
         "1:37: 'finalize' must be true or false, not a string"},
        {"checks: [{id: a, result: {failure: []}}]\n",
         "1:36: 'failure' must be a string, null, or a map with 'message', not a list"},
        {"checks: [{id: a, result: {failure: {}}}]\n", "1:36: 'message' is missing"},
        {"checks: [{id: a, result: {data: 1}}]\n", "1:33: 'data' must be a map, not an integer"},
        {"stages: [{id: a, timeout: soon}]\n",
         "1:27: 'timeout' must be a duration such as 500ms, 30s, 10m or 2h, not 'soon'"},
        {"stages: [{id: a, timeout: 30}]\n",
         "1:27: 'timeout' must be a duration such as 500ms, 30s, 10m or 2h, not an integer"},
        {"stages: [{id: a, timeout: 0s}]\n", "1:27: 'timeout' must be more than nothing"},
        {"stages: [{id: a, heartbeat: 0ms}]\n", "1:29: 'heartbeat' must be more than nothing"},
        {"stages: [{id: a, retry: {max_retries: -1}}]\n",
         "1:39: 'max_retries' must be between 0 and 1000, not -1"},
        {"stages: [{id: a, retry: {max_retries: 1001}}]\n",
         "1:39: 'max_retries' must be between 0 and 1000, not 1001"},
        {"stages: [{id: a, retry: {max_retries: 2.0}}]\n",
         "1:39: 'max_retries' must be an integer, not a number"},
        {"stages: [{id: a, retry: {backoff: -1s}}]\n",
         "1:35: 'backoff' must be a duration such as 500ms, 30s, 10m or 2h, not '-1s'"},
        {"stages: [{id: a, retry: 3}]\n", "1:25: 'retry' must be a map, not an integer"},
        {"stages: [{id: a, args: make}]\n", "1:24: 'args' must be a map, not a string"},
        {"stages: [{id: a, cancel: 1}]\n", "1:26: 'cancel' must be true or false, not an integer"},
        {"stages: [{id: a, assignments: c}]\n", "1:31: 'assignments' must be a list, not a string"},
        {"stages: [{id: a, assignments: [[c]]}]\n",
         "1:32: an item of 'assignments' must be a string or a map, not a list"},
        {"stages: [{id: a, assignments: ['stage:c']}]\n",
         "1:32: a stage is assigned to checks, not to 'stage:c'"},
        {"stages: [{id: a, assignments: [{goal_state: FINAL}]}]\n", "1:32: 'target_check_id' is missing"},
        {"stages: [{id: a, assignments: [{target_check_id: c, goal_state: SOON}]}]\n",
         "1:65: 'SOON' is not a state; use PLANNED, WAITING or FINAL"},
        {"stages: [{id: a, attempt: {idx: 0}}]\n", "1:33: 'idx' must be between 1 and 2147483647, not 0"},
        {"stages: [{id: a, attempt: {state: FINAL}}]\n",
         "1:35: 'FINAL' is not a state; use PENDING, SCHEDULED, RUNNING, COMPLETE or INCOMPLETE"},
        {"stages: [{id: a, attempt: {progress: [{details: {}}]}}]\n", "1:39: 'message' is missing"},
        {"stages: [{id: a, attempt: {failure: '3.5', nope: 1}}]\n",
         "1:44: unknown key 'nope'; known here: idx, state, process_uid, details, progress, failure, "
         "no_retry, heartbeat"},
        {"if_version: soon\n", "1:13: 'if_version' must be an integer, not a string"},
        {"plan: x\n", "1:7: 'plan' must be a map, not a string"},
        {"plan: {a: [b]}\n", "1:11: a label must be a string, not a list"},
        {"plan: {a: {b: c}}\n", "1:11: a label must be a string, not a map"},
        {"plan: {a: }\n", "1:11: a label must be a string, not null"},
        {"checks: [{id: \"a\\ud800b\"}]\n",
         "1:15: not valid YAML: found invalid Unicode character escape code while "
         "parsing a quoted scalar that begins at 1:15"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        const auto r = read(text);
        if (message.find("not valid YAML") == std::string::npos) {
            CHECK(r.problems() == std::vector<std::string>{message});
            CHECK(r.code == ErrorCode::invalid_argument);
        } else {
            CHECK(r.mentions("not valid YAML"));
        }
    }
}

TEST_CASE("malformed dependencies are refused with a position and a reason") {
    const std::string list_or_group = "must be a list, or a map with 'all', 'any', or 'at_least' and 'of'";
    const std::pair<std::string, std::string> cases[] = {
        {"a", "1:32: 'dependencies' " + list_or_group + ", not a string"},
        {"{node: a}", "1:32: an edge stands in a list: [{node: …}]"},
        {"{}", "1:32: a group needs 'all', 'any', or 'at_least' and 'of'"},
        {"{all: [a], any: [b]}", "1:32: a group has only one of 'all', 'any', or 'at_least' and 'of'"},
        {"{any: [a], at_least: 1}", "1:32: a group has only one of 'all', 'any', or 'at_least' and 'of'"},
        {"{at_least: 1}", "1:32: 'at_least' needs 'of', the list of members"},
        {"{of: [a]}", "1:32: 'of' needs 'at_least', the number of members"},
        {"{at_least: many, of: [a]}", "1:43: 'at_least' must be an integer, not a string"},
        {"{all: a}", "1:38: 'all' must be a list, not a string"},
        {"{all: null}", "1:38: 'all' must be a list, not null"},
        {"{all: []}", "1:32: a group is empty; write [] for no dependencies"},
        {"[[a]]", "1:33: an item of 'dependencies' must be a string or a map, not a list"},
        {"[~]", "1:33: an item of 'dependencies' must be a string or a map, not null"},
        {"{any: [{all: [[]]}]}", "1:46: an item of 'all' must be a string or a map, not a list"},
        {"[{when: failure}]",
         "1:33: an edge needs 'node', a group needs 'all', 'any', or 'at_least' and 'of'"},
        {"[{}]", "1:33: an edge needs 'node', a group needs 'all', 'any', or 'at_least' and 'of'"},
        {"[{node: a, any: [b]}]",
         "1:33: a member is either an edge ('node') or a group ('all', 'any', or 'at_least' "
         "and 'of'), not both"},
        {"[{node: a, when: sometimes}]",
         "1:49: 'sometimes' is not a 'when'; use success, failure, always, not_failed or unsuccessful"},
        {"[{node: a, on_sate: FINAL}]", "1:43: unknown key 'on_sate'; did you mean 'on_state'?"},
        {"[{node: [a]}]", "1:40: 'node' must be a string, not a list"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        CHECK(read("checks: [{id: p, dependencies: " + text + "}]\n").problems() ==
              std::vector<std::string>{message});
    }
    CHECK(read("checks: [{id: p, dependencies: [{node: a, on_state: NEVER}]}]\n")
              .mentions("'NEVER' is not a state"));
    CHECK(read("checks: [{id: p, dependencies: {all: []}}]\n").code == ErrorCode::invalid_dependency);
}

TEST_CASE("owners of results must be named whole") {
    const std::pair<std::string, std::string> cases[] = {
        {"owner_type: actor",
         "1:39: 'owner_type' can only be stage_attempt, not 'actor'; a result without it belongs "
         "to the actor of the write"},
        {"owner_type: stage_attempt", "1:39: 'owner_type' needs 'owner_id' (PLAN:STAGE:IDX)"},
        {"owner_id: 'p:s:1'", "1:37: 'owner_id' needs 'owner_type: stage_attempt'"},
        {"owner_type: stage_attempt, owner_id: s", "1:64: 'owner_id' must be PLAN:STAGE:IDX, not 's'"},
        {"owner_type: stage_attempt, owner_id: 'p:s:0'",
         "1:64: 'owner_id' must be PLAN:STAGE:IDX, not 'p:s:0'"},
        {"owner_type: stage_attempt, owner_id: 'p:s:1x'",
         "1:64: 'owner_id' must be PLAN:STAGE:IDX, not 'p:s:1x'"},
        {"stage: s", "1:34: 'stage' needs 'attempt', its number"},
        {"attempt: 1", "1:36: 'attempt' needs 'stage'"},
        {"stage: s, attempt: 1, owner_id: x",
         "1:34: give either 'stage' and 'attempt' or 'owner_type' and 'owner_id'"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        CHECK(read("checks: [{id: p, result: {" + text + "}}]\n").problems() ==
              std::vector<std::string>{message});
    }
}

TEST_CASE("all problems of all files are reported, in the order of files and lines") {
    Reading reading;
    Problems problems;
    read_plan_text({"b.yaml", "checks:\n  - id: a\n    optoins: {x: 1}\n  - id: b\n    staet: FINAL\n"},
                   reading.request, problems);
    read_plan_text({"a.json", R"({"checks": [{"id": 5}]})"}, reading.request, problems);
    read_plan_text({"c.yaml", "checks: [\n"}, reading.request, problems);
    finish(reading, problems);
    REQUIRE(reading.details.size() == 4);
    CHECK(reading.details[0].file == "b.yaml");
    CHECK(reading.problems()[0] == "3:5: unknown key 'optoins'; did you mean 'options'?");
    CHECK(reading.problems()[1] == "5:5: unknown key 'staet'; did you mean 'state'?");
    CHECK(reading.details[2].file == "a.json");
    CHECK(reading.problems()[2] == "1:20: 'id' must be a string, not an integer; put it in quotes");
    CHECK(reading.details[3].file == "c.yaml");
}

TEST_CASE("a hundred problems are kept and the rest counted") {
    std::string text = "checks:\n";
    for (int i = 0; i < 250; ++i) text += "- {id: a" + std::to_string(i) + ", nope: 1}\n";
    Reading reading;
    Problems problems;
    read_plan_text({"p.yaml", text}, reading.request, problems);
    CHECK(problems.size() == 250);
    finish(reading, problems);
    CHECK(reading.details.size() == 101);
    CHECK(reading.details.back().message == "and 150 more problems");
}

TEST_CASE("a wrong value is passed over and the rest of the file is read") {
    const auto r = read(
        "checks:\n- {id: a, kind: {x: [1, {y: z}]}, state: PLANNED}\n- nonsense\n- {id: b, options: {k: v}}\n"
        "stages: [{id: s, dependencies: [a, [b], c]}]\n");
    CHECK(r.details.size() == 3);
    REQUIRE(r.request.checks.size() == 2);
    CHECK(r.request.checks[0].state == State::planned);
    CHECK(r.request.checks[1].options->text == R"({"k":"v"})");
    CHECK(r.request.stages.at(0).dependencies->edges.size() == 2);
}
