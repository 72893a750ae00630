// SPDX-License-Identifier: Apache-2.0
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("a document's header becomes the request's") {
    const auto r = read(
        "reason: nightly\nactor: ci\nif_version: 7\nop_id: abc\nplan: {team: core, release: 1.10, hot: yes, "
        "n: 007}\n");
    CHECK(r.problems().empty());
    CHECK(r.request.reason == "nightly");
    CHECK(r.request.actor == "ci");
    CHECK(r.request.if_version == 7);
    CHECK(r.request.op_id == "abc");
    CHECK(r.request.labels->text == R"({"team":"core","release":"1.10","hot":"yes","n":"007"})");
}

TEST_CASE("a check's keys all arrive") {
    const auto r = read(R"(checks:
  - id: unit
    kind: test
    options: {suite: all}
    state: WAITING
    dependencies: []
    result: {data: {n: 1}, failure: 3 tests failed, finalize: true}
    results:
      - {failure: {message: broken}, owner_type: stage_attempt, owner_id: 'p:ci:job:12'}
      - {failure: null, stage: s, attempt: 2}
      - {failure: no}
)");
    CHECK(r.problems().empty());
    const auto& c = r.request.checks.at(0);
    CHECK(c.id == "unit");
    CHECK(c.kind == "test");
    CHECK(c.options->text == R"({"suite":"all"})");
    CHECK(c.state == State::waiting);
    CHECK(c.dependencies->empty());
    CHECK(c.dependencies->kind == GroupKind::all);
    CHECK(c.at.line == 2);
    CHECK(c.at.column == 5);
    REQUIRE(c.results.size() == 4);
    CHECK(c.results[0].data->text == R"({"n":1})");
    CHECK(c.results[0].failure == "3 tests failed");
    CHECK(c.results[0].finalize);
    CHECK_FALSE(c.results[0].owner);
    CHECK(c.results[1].failure == "broken");
    CHECK(c.results[1].owner == AttemptRef{"p:ci:job", 12});
    CHECK(c.results[2].clear_failure);
    CHECK_FALSE(c.results[2].failure);
    CHECK(c.results[2].owner == AttemptRef{"s", 2});
    CHECK(c.results[3].failure == "no");
}

TEST_CASE("what is not written stays absent") {
    const auto r = read("checks: [{id: a}]\nstages: [{id: s}]\n");
    const auto& c = r.request.checks.at(0);
    CHECK_FALSE((c.kind || c.options || c.state || c.dependencies));
    CHECK(c.results.empty());
    const auto& s = r.request.stages.at(0);
    CHECK_FALSE((s.args || s.dependencies || s.assignments || s.retry || s.timeout || s.heartbeat));
    CHECK_FALSE((s.continuation_group || s.attempt || s.cancel));
}

TEST_CASE("a stage's keys all arrive") {
    const auto r = read(R"(stages:
  - id: build
    args: {command: [make, all]}
    dependencies: [src]
    assignments: [a, check:b, {target_check_id: c, goal_state: PLANNED}, {target_check_id: check:d}]
    retry: {max_retries: 2, backoff: 10s}
    timeout: 1h
    heartbeat: 500ms
    continuation_group: [child, stage:other, {any: [x]}]
    cancel: true
    attempt:
      idx: 3
      state: INCOMPLETE
      process_uid: w1
      details: {host: h}
      progress: [half, {message: most, details: {p: 90}}, '7']
      failure: {message: boom}
      no_retry: true
      heartbeat: true
)");
    CHECK(r.problems().empty());
    const auto& s = r.request.stages.at(0);
    CHECK(s.args->text == R"({"command":["make","all"]})");
    CHECK(s.dependencies->edges.at(0).target == RefText{std::nullopt, "src"});
    REQUIRE(s.assignments->size() == 4);
    CHECK((*s.assignments)[0].target_check_id == "a");
    CHECK((*s.assignments)[0].goal_state == State::final);
    CHECK((*s.assignments)[1].target_check_id == "b");
    CHECK((*s.assignments)[2].goal_state == State::planned);
    CHECK((*s.assignments)[3].target_check_id == "d");
    CHECK(s.retry == Retry{2, std::chrono::seconds(10)});
    CHECK(s.timeout == std::chrono::hours(1));
    CHECK(s.heartbeat == std::chrono::milliseconds(500));
    CHECK(s.continuation_group->edges.at(0).target == RefText{NodeType::stage, "child"});
    CHECK(s.continuation_group->groups.at(0).edges.at(0).target == RefText{NodeType::stage, "x"});
    CHECK(s.cancel);
    const auto& a = s.attempt.value();
    CHECK(a.idx == 3);
    CHECK(a.state == AttemptState::incomplete);
    CHECK(a.process_uid == "w1");
    CHECK(a.details->text == R"({"host":"h"})");
    REQUIRE(a.progress.size() == 3);
    CHECK(a.progress[0].first == "half");
    CHECK(a.progress[1].first == "most");
    CHECK(a.progress[1].second.text == R"({"p":90})");
    CHECK(a.progress[2].first == "7");
    CHECK(a.failure == "boom");
    CHECK(a.no_retry);
    CHECK(a.heartbeat);
}

TEST_CASE("predicates are read as trees, with positions") {
    const auto r = read(
        "checks:\n- id: p\n  dependencies: {all: [src, {any: [x, {node: check:y, when: failure}]}, "
        "{at_least: 2, of: [stage:a, b, {node: c, on_state: WAITING}]}]}\n");
    CHECK(r.problems().empty());
    const auto root = r.request.checks.at(0).dependencies.value();
    CHECK(root.kind == GroupKind::all);
    REQUIRE(root.edges.size() == 1);
    CHECK(root.edges[0].target.id == "src");
    CHECK_FALSE(root.edges[0].when);
    CHECK(root.edges[0].at.line == 3);
    CHECK(root.edges[0].at.column == 24);
    REQUIRE(root.groups.size() == 2);
    CHECK(root.groups[0].kind == GroupKind::any);
    REQUIRE(root.groups[0].edges.size() == 2);
    CHECK(root.groups[0].edges[1].target == RefText{NodeType::check, "y"});
    CHECK(root.groups[0].edges[1].when == When::failure);
    CHECK(root.groups[1].kind == GroupKind::at_least);
    CHECK(root.groups[1].at_least == 2);
    REQUIRE(root.groups[1].edges.size() == 3);
    CHECK(root.groups[1].edges[0].target == RefText{NodeType::stage, "a"});
    CHECK(root.groups[1].edges[2].on_state == State::waiting);
}

TEST_CASE("each form of dependencies is read") {
    const auto root = [](const std::string& text) {
        const auto r = read("checks: [{id: p, dependencies: " + text + "}]\n");
        CHECK(r.problems().empty());
        return r.request.checks.at(0).dependencies.value();
    };
    CHECK(root("[a, b]").kind == GroupKind::all);
    CHECK(root("[a, b]").edges.size() == 2);
    CHECK(root("{any: [a, b]}").kind == GroupKind::any);
    CHECK(root("{all: [a]}").edges.size() == 1);
    CHECK(root("{at_least: 1, of: [a, b]}").at_least == 1);
    CHECK(root("{of: [a, b], at_least: 2}").kind == GroupKind::at_least);
    CHECK(root("[]").empty());
    CHECK(root("null").empty());
    CHECK(root("[{at_least: -1, of: [a]}]").groups.at(0).at_least == -1);  // the validator's to refuse
}

TEST_CASE("what is a number or a truth value to YAML names no node, as in JSON") {
    const auto r = read(
        "checks: [{id: 3.10}, {id: a, kind: 5}, {id: true}, {id: b, dependencies: [12, {node: 0x10}]}]\n"
        "op_id: 7\nstages: [{id: s, attempt: {process_uid: 12}, assignments: [1e3]}]\n");
    CHECK(r.problems() ==
          std::vector<std::string>{
              "1:15: 'id' must be a string, not a number; put it in quotes",
              "1:36: 'kind' must be a string, not an integer; put it in quotes",
              "1:45: 'id' must be a string, not true or false; put it in quotes",
              "1:75: an item of 'dependencies' must be a string or a map, not an integer; put it in quotes",
              "1:86: 'node' must be a string, not an integer; put it in quotes",
              "2:8: 'op_id' must be a string, not an integer; put it in quotes",
              "3:41: 'process_uid' must be a string, not an integer; put it in quotes",
              "3:60: an item of 'assignments' must be a string or a map, not a number; put it in quotes"});
    CHECK(read("checks: [{id: '3.10', kind: no}, {id: 1.2.3}, {id: 12a}]\n").problems().empty());
    CHECK_FALSE(read(R"({"checks": [{"id": 3.10}]})").problems().empty());
}

TEST_CASE("lists may be left empty") {
    const auto r = read(
        "checks:\nstages:\n---\nstages: [{id: s, assignments: }, {id: t, attempt: {progress: }}]\nchecks: "
        "[{id: c, results: }]\n");
    CHECK(r.problems().empty());
    CHECK(r.request.stages.at(0).assignments->empty());
}

TEST_CASE("the number of the owner's attempt is the last part of its name") {
    const auto r = read("checks: [{id: c, result: {owner_type: stage_attempt, owner_id: 'p:ci:job:12'}}]\n");
    CHECK(r.problems().empty());
    CHECK(r.request.checks.at(0).results.at(0).owner == AttemptRef{"p:ci:job", 12});
}

TEST_CASE("headers of several documents and files go together or contradict each other") {
    Reading reading;
    Problems problems;
    read_plan_text(
        {"a.yaml", "reason: one\nactor: me\nif_version: 3\nplan: {a: 1, b: 1}\n---\nreason: one\n"},
        reading.request, problems);
    read_plan_text({"b.yaml", "reason: two\nactor: me\nif_version: 3\nplan: {b: 2}\nchecks: [{id: x}]\n"},
                   reading.request, problems);
    CHECK(problems.empty());
    CHECK(reading.request.reason == "one; two");
    CHECK(reading.request.labels->text == R"({"a":"1","b":"2"})");
    CHECK(reading.request.files == std::vector<std::string>{"a.yaml", "b.yaml"});
    CHECK(reading.request.checks.at(0).at.file == 1);
    read_plan_text({"c.yaml", "actor: you\nif_version: 4\nop_id: x\n---\nop_id: y\n"}, reading.request,
                   problems);
    finish(reading, problems);
    CHECK(reading.problems() == std::vector<std::string>{
                                    "1:8: 'actor' was given before with another value: 'me'",
                                    "2:13: 'if_version' was given before with another value: 3",
                                    "5:8: 'op_id' was given before with another value: 'x'",
                                });
}

TEST_CASE("a plan of many nodes is read whole and in order") {
    std::string text = "checks:\n";
    for (int i = 0; i < 5000; ++i)
        text += "- {id: c" + std::to_string(i) + ", options: {n: " + std::to_string(i) + "}}\n";
    const auto r = read(text);
    CHECK(r.problems().empty());
    REQUIRE(r.request.checks.size() == 5000);
    CHECK(r.request.checks[4321].id == "c4321");
    CHECK(r.request.checks[4321].options->text == R"({"n":4321})");
    CHECK(r.request.checks[4321].at.line == 4323);
}

TEST_CASE("labels of many documents are merged in their order, and an empty map says nothing") {
    const auto r =
        read("plan: {a: 1, b: 1}\n---\nplan: {b: 2}\n---\nplan: {}\n---\nplan: {c: 3}\nchecks: [{id: x}]\n");
    CHECK(r.request.labels.value().text == R"({"a":"1","b":"2","c":"3"})");
}

TEST_CASE("a command that is null or no value at all is told once") {
    CHECK(read("stages: [{id: s, args: {command: ~, cwd: ~}}]").problems().size() <= 1);
    CHECK(read("stages: [{id: s, args: {command: !!int x}}]").problems().size() == 1);
}
