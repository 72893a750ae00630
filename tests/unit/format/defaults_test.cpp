// SPDX-License-Identifier: Apache-2.0
// What nodes do not say themselves.
#include "reading.hpp"
#include "support/catch.hpp"
#include "support/written_nodes.hpp"

using namespace turboci;
using Shown = nlohmann::json;
using Lines = std::vector<std::string>;

namespace {

Shown stages(const std::string& text, const std::string& name = "plan.yaml") {
    const Reading r = read(text, name);
    CHECK(r.problems() == Lines{});
    return shown(r.request)["stages"];
}

Shown checks(const std::string& text) {
    const Reading r = read(text);
    CHECK(r.problems() == Lines{});
    return shown(r.request)["checks"];
}

}  // namespace

TEST_CASE("defaults say what a node does not say itself") {
    CHECK(checks("defaults: {check: {kind: test, required: false}}\n"
                 "checks: [{id: a}, {id: b, kind: build}]\n") ==
          Shown::parse(R"([{"id":"a","kind":"test","required":false},
                          {"id":"b","kind":"build","required":false}])"));
    CHECK(stages("defaults: {check: {kind: x}, stage: {timeout: 5m}}\nstages: [{id: a}, {id: b, timeout: "
                 "1m}]\n") == Shown::parse(R"([{"id":"a","timeout":"5m"},{"id":"b","timeout":"1m"}])"));
    CHECK(stages("defaults: {check: {kind: x}}\nstages: [{id: a}]\n") == Shown::parse(R"([{"id":"a"}])"));
    CHECK(stages("defaults: {}\nstages: [{id: a}]\n") == Shown::parse(R"([{"id":"a"}])"));
    CHECK(stages(R"({"defaults": {"stage": {"timeout": "5m"}}, "stages": [{"id": "a"}]})", "p.json") ==
          Shown::parse(R"([{"id":"a","timeout":"5m"}])"));
}

TEST_CASE("maps of defaults are merged at every depth, lists and scalars are the node's own") {
    CHECK(
        stages("defaults: {stage: {args: {env: {A: '1', B: '1'}, shell: [sh, -c], x: {y: {p: 1, q: [1]}}},\n"
               "                   retry: {max_retries: 2, backoff: 5s}}}\n"
               "stages:\n"
               "- {id: a, args: {command: make, env: {B: '2'}, shell: [bash, -c], x: {y: {q: [2], r: 3}}},\n"
               "   retry: {backoff: 1s}}\n"
               "- {id: b, args: {env: , x: 5}}\n"
               "- {id: c, args: {}, retry: {}}\n") == Shown::parse(R"([
            {"id":"a","args":{"command":"make","env":{"A":"1","B":"2"},"shell":["bash","-c"],
                              "x":{"y":{"p":1,"q":[2],"r":3}}},
             "retry":{"max_retries":2,"backoff":"1s"}},
            {"id":"b","args":{"env":null,"shell":["sh","-c"],"x":5},"retry":{"max_retries":2,"backoff":"5s"}},
            {"id":"c","args":{"env":{"A":"1","B":"1"},"shell":["sh","-c"],"x":{"y":{"p":1,"q":[1]}}},
             "retry":{"max_retries":2,"backoff":"5s"}}])"));
    CHECK(checks("defaults: {check: {options: {a: {b: 1}}, result: {data: {n: 1}, failure: no}}}\n"
                 "checks: [{id: a, options: {a: {c: 2}}, result: {data: {m: 2}}}]\n") ==
          Shown::parse(R"([{"id":"a","options":{"a":{"b":1,"c":2}},
                           "results":[{"data":{"n":1,"m":2},"failure":"no","finalize":false}]}])"));
}

TEST_CASE("a predicate is one thing: the node's own takes the place of the default") {
    CHECK(stages("defaults: {stage: {dependencies: {any: [a, b]}, assignments: [c]}}\n"
                 "stages: [{id: a, dependencies: {all: [c]}}, {id: b, dependencies: [], assignments: },\n"
                 "         {id: c, assignments: [d]}]\n") ==
          Shown::parse(R"([{"id":"a","dependencies":["c"],"assignments":["c to FINAL"]},
                          {"id":"b","dependencies":[],"assignments":[]},
                          {"id":"c","dependencies":{"any":["a","b"]},"assignments":["d to FINAL"]}])"));
}

TEST_CASE("a condition is one thing too, by either of its names, while counts of uses are merged") {
    CHECK(stages("defaults: {stage: {if: {check: c, path: /a, equals: 1}, uses: {gpu: 1, disk: 2}}}\n"
                 "stages: [{id: a, condition: {check: d, path: /b, exists: true}, uses: {disk: 3}},\n"
                 "         {id: b, if: [], uses: [net]}, {id: c}]\n") ==
          Shown::parse(R"([{"id":"a","condition":[["d","/b",3,""]],"uses":{"gpu":1,"disk":3}},
                           {"id":"b","condition":[],"uses":{"net":1}},
                           {"id":"c","condition":[["c","/a",1,"1"]],"uses":{"gpu":1,"disk":2}}])"));
}

TEST_CASE("defaults may stand behind the nodes, and belong to their document") {
    const std::string nodes = "stages: [{id: a, timeout: 1m}, {id: b}]\nchecks: [{id: c}]\n";
    const std::string defaults = "defaults: {stage: {timeout: 5m}, check: {kind: k}}\n";
    CHECK(shown(read(nodes + defaults).request) == shown(read(defaults + nodes).request));
    CHECK(stages(R"({"stages": [{"id": "a"}], "defaults": {"stage": {"timeout": "5m"}}})", "p.json") ==
          Shown::parse(R"([{"id":"a","timeout":"5m"}])"));
    CHECK(stages("stages: [{id: a}]\ndefaults: {stage: {timeout: 1m}}\n---\nstages: [{id: b}]\n---\n"
                 "defaults: {stage: {timeout: 2m}}\nstages: [{id: c}]\n--- ~\n---\nstages: [{id: d}]\n"
                 "defaults: {stage: {timeout: 3m}}\n") ==
          Shown::parse(R"([{"id":"a","timeout":"1m"},{"id":"b"},{"id":"c","timeout":"2m"},
                          {"id":"d","timeout":"3m"}])"));
}

TEST_CASE("defaults can be anchors, and take what aliases and merges bring") {
    CHECK(stages("x-a: &a {timeout: 5m}\ndefaults: {stage: {<<: *a, args: &b {env: {A: '1'}}}}\n"
                 "stages: [{id: s}, {id: t, args: {<<: *b, command: x}}, {<<: *a, id: u}]\n") ==
          Shown::parse(R"([{"id":"s","timeout":"5m","args":{"env":{"A":"1"}}},
                          {"id":"t","timeout":"5m","args":{"command":"x","env":{"A":"1"}}},
                          {"id":"u","timeout":"5m","args":{"env":{"A":"1"}}}])"));
}

TEST_CASE("what is wrong in defaults is told once, where it stands") {
    const std::string nodes = "stages: [{id: a}, {id: b}, {id: 'c{{x}}', matrix: {x: [1, 2]}}]\n";
    for (const auto& [text, expected] : std::vector<std::pair<std::string, Lines>>{
             {"{stage: {timeout: x}}",
              {"1:29: 'timeout' must be a duration such as 500ms, 30s, 10m or 2h, not 'x'"}},
             {"{stage: {args: {env: {A: 1}}}}",
              {"1:36: args.env.A must be a string, or null to unset it; put it in quotes"}},
             {"{stage: {needs: [a]}}", {"1:20: unknown key 'needs'; it is 'dependencies' here"}},
             {"{stage: {id: a}}", {"1:20: 'defaults' cannot say 'id': it is each node's own"}},
             {"{stage: {matrix: {x: [1]}}}", {"1:20: 'defaults' cannot say 'matrix': it is each node's own"}},
             {"{check: {id: a, kind: 5}}",
              {"1:20: 'defaults' cannot say 'id': it is each node's own",
               "1:33: 'kind' must be a string, not an integer; put it in quotes"}},
             {"{stages: {}}", {"1:12: unknown key 'stages'; it is 'stage' here"}},
             {"{stage: []}", {"1:19: 'stage' must be a map, not a list"}},
             {"[]", {"1:11: 'defaults' must be a map, not a list"}},
             {"{stage: {timeout: 1s, timeout: 2s}}", {"1:33: duplicate key 'timeout'"}},
             {"{stage: {retry: {max_retries: '{{x}}'}}}",
              {"1:41: 'max_retries' must be an integer, not a string"}},
         }) {
        INFO(text);
        CHECK(read("defaults: " + text + "\n" + nodes).problems() == expected);
        Lines behind;  // the same of defaults that stand behind the nodes, one line further down
        for (const std::string& line : expected) behind.push_back("2" + line.substr(1));
        CHECK(read(nodes + "defaults: " + text + "\n").problems() == behind);
    }
}

TEST_CASE("what is wrong in a node is told where it stands though there are defaults") {
    CHECK(read("defaults: {stage: {timeout: 5m}}\nstages:\n- timeout: 1\n- {id: b, timeuot: 1}\n- x\nreason: "
               "5\n")
              .problems() == Lines{"3:3: 'id' is missing",
                                   "3:12: 'timeout' must be a duration such as 500ms, 30s, 10m or 2h, not "
                                   "an integer",
                                   "4:11: unknown key 'timeuot'; did you mean 'timeout'?",
                                   "5:3: an item of 'stages' must be a map, not a string",
                                   "6:9: 'reason' must be a string, not an integer; put it in quotes"});
    CHECK(read("defaults: {stage: {timeout: 5m}}\nstages: {a: 1}\nchecks: x\n--- 5\n--- [x]\n")
              .details.size() == 4);
}

TEST_CASE("a near miss in the args of defaults is warned of once") {
    WriteNodes request;
    Problems problems;
    read_plan_text({"p.yaml", "defaults: {stage: {args: {comand: x}}}\nstages: [{id: a}, {id: b}]\n"},
                   request, problems);
    CHECK(problems.warnings(request.files) ==
          Lines{"p.yaml:1:27: 'comand' means nothing to 'turboci run'; did you mean 'command'?"});
}

TEST_CASE("defaults alone are a file that says nothing") {
    WriteNodes request;
    Problems problems;
    read_plan_text({"p.yaml", "defaults: {stage: {timeout: 5m}}\n"}, request, problems);
    CHECK(problems.warnings(request.files).size() == 1);
}

TEST_CASE("few bytes of defaults cannot make very much of many nodes") {
    std::string nodes = "stages:\n";
    for (int i = 0; i < 3000; ++i) nodes += "- id: s" + std::to_string(i) + "\n";
    const Reading r = read("defaults: {stage: {args: {x: '" + std::string(200'000, 'x') + "'}}}\n" + nodes);
    REQUIRE(r.details.size() == 1);
    CHECK(r.details[0].message.starts_with("matrices and defaults make the files grow to more than 256 MiB"));
    CHECK(r.details[0].line > 1);
}
