// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "engine/validate.hpp"
#include "support/catch.hpp"

using namespace turboci;

namespace {

struct Found {
    ErrorCode code = ErrorCode::internal;
    std::vector<std::string> problems;
};

Found found_in(const WriteNodes& request) {
    Problems problems;
    validate(request, problems);
    Found found;
    try {
        problems.raise_if_any(request.files);
    } catch (const Error& error) {
        found.code = error.code();
        for (const auto& d : error.details())
            found.problems.push_back(d.line == 0 ? d.message
                                                 : fmt::format("{}:{}: {}", d.line, d.column, d.message));
        if (found.problems.empty()) found.problems.emplace_back(error.what());
    }
    return found;
}

/// What is wrong with a plan file that can be read.
Found found_in(const std::string& text) {
    WriteNodes request;
    Problems problems;
    read_plan_text({"plan.yaml", text}, request, problems);
    REQUIRE(problems.empty());
    return found_in(request);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound plan has no problems") {
    CHECK(found_in(
              "reason: \"two\\nlines\"\nactor: me\nchecks:\n- {id: 'ci: job (x86)', kind: build}\n"
              "- {id: b, dependencies: {at_least: 1, of: [a, {node: c, on_state: WAITING}]}, state: FINAL, "
              "result: {failure: \"a\\tb\\n\\e[1mc\"}}\nstages:\n- {id: s, assignments: [a], retry: "
              "{max_retries: 1000}, "
              "timeout: 1ms, attempt: {state: INCOMPLETE, failure: x, no_retry: true}}\n")
              .problems.empty());
}

TEST_CASE("ids that cannot name a node are refused") {
    CHECK(found_in("checks: [{id: \"a\\u0007b\"}]\n").problems ==
          Texts{"1:15: the id 'a\\x07b' has a control character"});
    CHECK(found_in("checks: [{id: 'check:a'}]\n").problems.size() == 1);
    CHECK(found_in("stages: [{id: 'stage:a'}]\n").problems.size() == 1);
    CHECK(found_in("checks: [{id: ' a'}]\n").problems.size() == 1);
    CHECK(found_in("checks: [{id: '" + std::string(256, 'x') + "'}]\n").problems.empty());
    CHECK(found_in("checks: [{id: '" + std::string(257, 'x') + "'}]\n").problems.size() == 1);
    CHECK(found_in("checks: [{id: a, dependencies: ['check:']}]\n").problems ==
          Texts{"1:33: 'check:' names no node: its id is empty"});
    CHECK(found_in("stages: [{id: a, assignments: [\"b\\n\"]}]\n").problems.size() == 1);
    CHECK(found_in("checks: [{id: a, result: {stage: ' s', attempt: 1}}]\n").problems.size() == 1);
    WriteNodes empty;
    empty.checks.push_back({});
    CHECK(found_in(empty).problems == Texts{"the id '' is empty"});
}

TEST_CASE("what cannot be seen is refused wherever an id may stand") {
    for (const std::string plan : {
             "checks: [{id: \"a\\u202Eb\"}]",
             "stages: [{id: \"a\\u200Bb\"}]",
             "checks: [{id: a, dependencies: [\"x\\uFEFFy\"]}]",
             "stages: [{id: a, dependencies: [{node: \"stage:x\\u2066y\"}]}]",
             "stages: [{id: a, continuation_group: [\"x\\u2069y\"]}]",
             "stages: [{id: a, assignments: [\"x\\u00ADy\"]}]",
             "stages: [{id: a, assignments: [{target_check_id: \"x\\u061Cy\"}]}]",
             "checks: [{id: a, result: {stage: \"x\\u2060y\", attempt: 1}}]",
             "checks: [{id: a, result: {owner_type: stage_attempt, owner_id: \"p:x\\u180Ey:1\"}}]",
         }) {
        const auto found = found_in(plan);
        INFO(plan);
        REQUIRE(found.problems.size() == 1);
        CHECK(found.problems.front().find("cannot be seen") != std::string::npos);
    }
    WriteNodes inside;
    inside.inside = AttemptRef{"x\u200Ey", 1};
    CHECK(found_in(inside).problems.size() == 1);
    WriteNodes claim;
    claim.claim.emplace().stages.emplace_back("x\u2028y");
    claim.claim->process_uid = "w";
    CHECK(found_in(claim).problems.size() == 1);
}

TEST_CASE("args that run could only fail on are refused in requests that come from no file") {
    WriteNodes request;
    StageWrite stage;
    stage.id = "s";
    for (const auto& [args, expected] : std::vector<std::pair<std::string, Texts>>{
             {R"({"command":"make","env":{"A":"1"},"cwd":"x","shell":["bash","-c"]})", {}},
             {R"({"any":{"command":5},"thing":7})", {}},
             {R"({"command":5})", {"args.command must be a string or a list of strings; put it in quotes"}},
             {R"({"env":{"A":1}})", {"args.env.A must be a string, or null to unset it; put it in quotes"}},
             {R"({"command":"x","cwd":""})", {"args.cwd must be a path"}}}) {
        stage.args = JsonText{args};
        request = {};
        request.stages.push_back(stage);
        CHECK(found_in(request).problems == expected);
    }
}

TEST_CASE("a node that is named twice is refused with both places, across files too") {
    WriteNodes request;
    Problems problems;
    read_plan_text({"a.yaml", "checks:\n- {id: x}\n- {id: y}\nstages: [{id: x}]\n"}, request, problems);
    read_plan_text({"b.yaml", "checks:\n- id: x\n"}, request, problems);
    REQUIRE(problems.empty());
    CHECK(found_in(request).problems == Texts{"2:3: check:x is named twice, first at a.yaml:2:3"});
    CHECK(found_in("stages: [{id: s}, {id: s}, {id: s}]\n").problems.size() == 2);
    // What is no id is told once for each place, and never as it is.
    const auto broken = found_in("stages: [{id: \"a\\nb\"}, {id: \"a\\nb\"}]\n").problems;
    REQUIRE(broken.size() == 2);
    for (const auto& text : broken) CHECK_THAT(text, !Catch::Matchers::Contains("\n"));
}

TEST_CASE("states must be those of the type") {
    CHECK(found_in("checks: [{id: a, state: ATTEMPTING}]\n").problems ==
          Texts{"1:10: a check has no state ATTEMPTING; use PLANNING, PLANNED, WAITING or FINAL"});
    CHECK(found_in("checks: [{id: a, dependencies: [{node: 'check:b', on_state: ATTEMPTING}]}]\n").problems ==
          Texts{"1:40: a check has no state ATTEMPTING"});
    CHECK(found_in("checks: [{id: a, dependencies: [{node: 'stage:b', on_state: WAITING}]}]\n").problems ==
          Texts{"1:40: a stage has no state WAITING"});
    CHECK(found_in("checks: [{id: a, dependencies: [{node: b, on_state: WAITING}]}]\n").problems.empty());
    CHECK(
        found_in("stages: [{id: a, assignments: [{target_check_id: b, goal_state: PLANNING}]}]\n").problems ==
        Texts{"1:32: PLANNING cannot be the goal of an assignment; use PLANNED, WAITING or FINAL"});
    CHECK(found_in("stages: [{id: a, assignments: [{target_check_id: b, goal_state: ATTEMPTING}]}]\n")
              .problems.size() == 1);
}

TEST_CASE("an outcome can only be asked for at the end") {
    CHECK(found_in("checks: [{id: a, dependencies: [{node: b, on_state: WAITING, when: failure}]}]\n")
              .problems ==
          Texts{"1:40: 'when' is only for 'on_state: FINAL', not WAITING: before that there is no outcome"});
    CHECK(found_in("checks: [{id: a, dependencies: [{node: b, on_state: FINAL, when: failure}]}]\n")
              .problems.empty());
}

TEST_CASE("groups must be possible") {
    const auto in_group = [](const std::string& text) {
        return found_in("checks: [{id: p, dependencies: " + text + "}]\n");
    };
    CHECK(in_group("{any: []}").problems == Texts{"1:32: a group is empty"});
    CHECK(in_group("{any: []}").code == ErrorCode::invalid_dependency);
    CHECK(in_group("{all: [a, {any: []}]}").problems == Texts{"1:42: a group is empty"});
    CHECK(in_group("{at_least: 0, of: [a]}").problems ==
          Texts{"1:32: 'at_least' is 0, but must be between 1 and the number of members, 1"});
    CHECK(in_group("{at_least: 3, of: [a, b]}").code == ErrorCode::invalid_dependency);
    CHECK(in_group("{at_least: -1, of: [a, b]}").problems.size() == 1);
    CHECK(in_group("{at_least: 9223372036854775807, of: [a, b]}").problems.size() == 1);
    CHECK(in_group("{at_least: 2, of: []}").problems == Texts{"1:32: a group is empty"});
    CHECK(in_group("{at_least: 2, of: [a, {any: [b, c]}]}").problems.empty());
    CHECK(in_group("[]").problems.empty());
}

TEST_CASE("groups nested beyond the limit are refused without recursion") {
    WriteNodes request;
    CheckWrite check;
    check.id = "a";
    PredicateSpec* group = &check.dependencies.emplace();
    for (int i = 0; i < 200; ++i) group = &group->groups.emplace_back();
    group->edges.push_back({parse_ref("b"), State::final, {}, {}});
    request.checks.push_back(check);
    CHECK(found_in(request).problems == Texts{"groups are nested deeper than 64 levels"});
}

TEST_CASE("only stages can be members of a continuation group") {
    CHECK(found_in("stages: [{id: a, continuation_group: ['check:b']}]\n").problems ==
          Texts{"1:39: only stages can be members of a continuation group, not check:b"});
    CHECK(found_in("stages: [{id: a, continuation_group: [b]}]\n").problems.empty());
}

TEST_CASE("names have a length and no control characters, messages may have lines") {
    CHECK(found_in("checks: [{id: a, kind: \"x\\ny\"}]\n").problems ==
          Texts{"1:10: 'kind' has a control character: 'x\\ny'"});
    CHECK(found_in("checks: [{id: a, kind: \"x\\u009by\"}]\n").problems.size() == 1);
    CHECK(found_in("checks: [{id: a, kind: " + std::string(1025, 'k') + "}]\n").problems ==
          Texts{"1:10: 'kind' is 1025 bytes long, 1024 at most"});
    CHECK(found_in("checks: [{id: a, kind: " + std::string(1024, 'k') + "}]\n").problems.empty());
    WriteNodes named;
    named.actor = "a\tb";
    named.reason = std::string("a\0b", 3);
    CHECK(found_in(named).problems ==
          Texts{"'reason' has a null character", "'actor' has a control character: 'a\\tb'"});
    WriteNodes keyed;
    keyed.op_id = std::string(1025, 'k');
    CHECK(found_in(keyed).problems == Texts{"'op_id' is 1025 bytes long, 1024 at most"});
    CHECK(found_in("checks: [{id: a, result: {failure: " + std::string((1u << 20) + 1, 'k') + "}}]\n")
              .problems.size() == 1);
    CHECK(found_in("checks: [{id: a, result: {failure: " + std::string(1u << 20, 'k') + "}}]\n")
              .problems.empty());
    CHECK(found_in("stages: [{id: a, attempt: {progress: [\"x\\0\"]}}]\n").problems.size() == 1);
    CHECK(found_in("stages: [{id: a, attempt: {process_uid: ''}}]\n").problems ==
          Texts{"1:27: 'process_uid' is empty"});
    CHECK(found_in("stages: [{id: a, attempt: {process_uid: \"\\e\"}}]\n").problems.size() == 1);
    WriteNodes bad;
    bad.actor = "\xff";
    bad.reason = "\xff";
    CHECK(found_in(bad).problems == Texts{"'reason' is not valid UTF-8", "'actor' is not valid UTF-8"});
}

TEST_CASE("numbers and durations must make sense, wherever they come from") {
    WriteNodes version;
    version.if_version = -1;
    CHECK(found_in(version).problems == Texts{"'if_version' must not be negative, but is -1"});
    WriteNodes r;
    StageWrite s;
    s.id = "s";
    s.retry = Retry{-1, std::chrono::seconds(-1)};
    s.timeout = Duration::zero();
    s.heartbeat = Duration(-1);
    s.attempt.emplace().idx = 0;
    r.stages.push_back(s);
    CHECK(found_in(r).problems == Texts{"'max_retries' must be between 0 and 1000, not -1",
                                        "'backoff' is negative", "'timeout' must be more than nothing",
                                        "'heartbeat' must be more than nothing",
                                        "the number of an attempt must be at least 1, not 0"});
}

TEST_CASE("failures and blocked retries belong to INCOMPLETE attempts") {
    CHECK(found_in("stages: [{id: a, attempt: {state: COMPLETE, failure: x}}]\n").problems.size() == 1);
    CHECK(found_in("stages: [{id: a, attempt: {failure: x}}]\n").problems.size() == 1);
    CHECK(found_in("stages: [{id: a, attempt: {state: RUNNING, no_retry: true}}]\n").problems.size() == 1);
}

TEST_CASE("a failure cannot be set and taken back in one result") {
    WriteNodes r;
    CheckWrite check;
    check.id = "c";
    auto& result = check.results.emplace_back();
    result.failure = "x";
    result.clear_failure = true;
    r.checks.push_back(check);
    CHECK(found_in(r).problems == Texts{"a failure cannot be set and taken back at once"});
}

TEST_CASE("what flags say is checked as well") {
    WriteNodes r;
    r.plan = "no good";
    r.inside = AttemptRef{"", 0};
    r.claim = Claim{};
    r.claim->stages = {"stage:x"};
    r.claim->at_most = 0;
    CHECK(found_in(r).problems.size() == 6);
}
