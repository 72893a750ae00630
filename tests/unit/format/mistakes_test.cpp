// SPDX-License-Identifier: Apache-2.0
// What people write who know another system, or who slipped: told where the file is read.
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;
using Lines = std::vector<std::string>;

namespace {

Lines warnings(const std::string& text, const std::string& name = "plan.yaml") {
    WriteNodes request;
    Problems problems;
    read_plan_text({name, text}, request, problems);
    REQUIRE(problems.empty());
    return problems.warnings(request.files);
}

}  // namespace

TEST_CASE("args that run could only fail on are refused where the value stands, in YAML and in JSON") {
    const std::string yaml =
        "stages:\n- id: a\n  args:\n    command: make\n    env:\n      HOME: /tmp\n      PORT: 8080\n";
    CHECK(read(yaml).problems() ==
          Lines{"7:13: args.env.PORT must be a string, or null to unset it; put it in quotes"});
    const std::string json =
        "{\"stages\": [{\"id\": \"a\", \"args\": {\n\"command\": \"make\",\n\"env\": {\"PORT\": 8080}}}]}";
    CHECK(read(json).problems() ==
          Lines{"3:17: args.env.PORT must be a string, or null to unset it; put it in quotes"});
    for (const auto& [args, expected] : std::vector<std::pair<std::string, std::string>>{
             {"{command: 5}", "1:34: args.command must be a string or a list of strings; put it in quotes"},
             {"{command: []}", "1:34: args.command is empty"},
             {"{command: ''}", "1:34: args.command is empty"},
             {"{command: [sleep, 0.1]}",
              "1:42: args.command must be a string or a list of strings; put it in quotes"},
             {"{command: {run: make}}", "1:34: args.command must be a string or a list of strings"},
             {"{cwd: 5}", "1:30: args.cwd must be a path; put it in quotes"},
             {"{env: [A=b]}", "1:30: args.env must be a mapping of strings"},
             {"{env: {A=B: x}}", "1:31: args.env: 'A=B' cannot be the name of a variable"},
             {"{shell: bash}",
              "1:32: args.shell must be a list of strings such as [bash, -euo, pipefail, -c]"},
             {"{command: \"a\\0b\"}", "1:34: args.command holds a NUL character"},
             {"{command: 1e999}",
              "1:34: '1e999' cannot be told in JSON; put it in quotes to make it a string"},
         }) {
        INFO(args);
        const Reading r = read("stages: [{id: a, args: " + args + "}]\n");
        CHECK(r.problems() == Lines{expected});
        // Nothing is left of them that others could find again without a place.
        REQUIRE(r.request.stages.size() == 1);
        CHECK_FALSE((r.request.stages[0].args && args.find("1e999") == std::string::npos));
    }
}

TEST_CASE("args that are shared by anchors and merges are judged as they come together") {
    CHECK(read("x-b: &b {command: make, env: {A: '1'}}\nstages: [{id: a, args: {<<: *b, cwd: sub}}]\n")
              .problems()
              .empty());
    CHECK(read("x-b: &b {env: {A: 1}}\nstages: [{id: a, args: {<<: *b, command: x}}]\n").problems() ==
          Lines{"1:19: args.env.A must be a string, or null to unset it; put it in quotes"});
}

TEST_CASE("options, data and the deeper parts of args are nobody's business") {
    CHECK(read("checks: [{id: a, options: {command: 5, env: [1]}, state: FINAL, result: {data: {cwd: 5}}}]\n"
               "stages: [{id: a, args: {more: {command: 5, comand: 6, env: [x]}}}]\n")
              .problems()
              .empty());
    CHECK(warnings("checks: [{id: a, options: {comand: x}}]\nstages: [{id: a, args: {more: {comand: 6}}}]\n")
              .empty());
}

TEST_CASE("a near miss in args is warned of with its place") {
    CHECK(warnings("stages: [{id: a, args: {comand: make}}]\n") ==
          Lines{"plan.yaml:1:25: 'comand' means nothing to 'turboci run'; did you mean 'command'?"});
    CHECK(warnings(R"({"stages": [{"id": "a", "args": {"command": "x", "environ": {}}}]})", "p.json") ==
          Lines{"p.json:1:50: 'environ' means nothing to 'turboci run'; did you mean 'env'?"});
    std::string many = "stages:\n";
    for (int i = 0; i < 300; ++i) many += "- {id: s" + std::to_string(i) + ", args: {comand: x}}\n";
    const Lines told = warnings(many);
    CHECK(told.size() == 101);
    CHECK(told.back() == "and 200 more warnings");
}

TEST_CASE("keys of other systems are told what they are called here") {
    const auto told = [](const std::string& list, const std::string& key) {
        const Reading r = read(list + ": [{id: a, " + key + ": x}]\n");
        REQUIRE(r.details.size() == 1);
        return r.details[0].message;
    };
    for (const std::string list : {"checks", "stages"}) {
        for (const std::string key : {"needs", "depends_on", "dependsOn", "deps", "requires"})
            CHECK(told(list, key) == "unknown key '" + key + "'; it is 'dependencies' here");
        CHECK(told(list, "name") == "unknown key 'name'; it is 'id' here");
    }
    for (const std::string key : {"command", "run", "script"})
        CHECK(told("stages", key) == "unknown key '" + key + "'; it is 'args.command' here");
    CHECK(told("stages", "env") == "unknown key 'env'; it is 'args.env' here");
    CHECK(told("stages", "retries") == "unknown key 'retries'; it is 'retry' here");
    CHECK(told("checks", "command").find("known here") != std::string::npos);  // a check is never executed
    CHECK(read("jobs: []\n").problems() == Lines{"1:1: unknown key 'jobs'; it is 'stages' here"});
}

TEST_CASE("a file that says nothing is warned of") {
    const std::string said =
        "plan.yaml:1:1: the file has no check, no stage, no limit and no label: there is nothing to write";
    for (const std::string text : {"", "# nothing\n", "reason: x\n", "checks: []\n", "{}", "---\n---\n",
                                   "plan: {}\n", "x-a: &a {id: b}\n"}) {
        INFO(text);
        CHECK(warnings(text) == Lines{said});
    }
    for (const std::string text : {"checks: [{id: a}]\n", "stages: [{id: a}]\n", "plan: {a: b}\n"})
        CHECK(warnings(text).empty());
    // What is wrong with it is enough.
    CHECK(read("checks: [{kind: x}]\n").problems() == Lines{"1:10: 'id' is missing"});
    WriteNodes both;
    Problems problems;
    read_plan_text({"labels.yaml", "plan: {a: '1', b: '2'}\n"}, both, problems);
    read_plan_text({"empty.yaml", ""}, both, problems);
    read_plan_text({"more.yaml", "plan: {b: '3'}\n"}, both, problems);
    CHECK(problems.warnings(both.files).size() == 1);
    CHECK(problems.warnings(both.files)[0].starts_with("empty.yaml:"));
    CHECK(both.labels.value().text == R"({"a":"1","b":"3"})");
}

TEST_CASE("keys that begin with x- are a place for anchors, at the top alone") {
    const Reading r =
        read("x-base: &base {timeout: 5m, args: {command: make}}\nx-: 1\nstages: [{id: a, <<: *base}]\n");
    CHECK(r.problems().empty());
    CHECK(r.request.stages[0].args->text == R"({"command":"make"})");
    CHECK(read(R"({"x-a": {"anything": [1]}, "checks": [{"id": "a"}]})").problems().empty());
    CHECK(read("checks: [{id: a, x-b: 1}]\n").details.size() == 1);
    CHECK(read("X-a: 1\n").details.size() == 1);
}

TEST_CASE("what is meant as JSON gets the words of JSON, and YAML's flow style is read as YAML") {
    for (const std::string text :
         {R"({"checks": [tru]})", R"({"checks": [{"id": "a"},]})", "[1,]", "[tru]",
          R"({"checks": [{"id": a}]})", "\n {\"checks\": [], # none\n\"stages\": []}"}) {
        INFO(text);
        const Reading r = read(text, "plan.json");
        REQUIRE(r.details.size() == 1);
        CHECK(r.details[0].message.starts_with("not valid JSON: "));
    }
    for (const std::string name : {"plan.json", "plan.yaml", "-"}) {
        CHECK(read("{checks: [{id: a}]}", name).problems().empty());  // no JSON by what it looks like
        CHECK(read("checks:\n- id: a\n", name).problems().empty());
        CHECK(read("{\"checks\": [{\"id\": \"a\"}]}\n---\n{\"stages\": [{\"id\": \"b\"}]}\n", name)
                  .request.stages.size() == 1);
    }
    // Where neither content nor name says JSON, more is allowed than JSON knows.
    CHECK(read("{\"checks\": [{\"id\": \"a\"},]}", "plan.yaml").problems().empty());
    CHECK(read("{\"checks\": [{id: a}]} # one", "-").problems().empty());
}

TEST_CASE("a wrong at_least is told once") {
    for (const std::string value : {"1.0", "x", "[1]", "{}", "~", "true", "99999999999999999999"}) {
        INFO(value);
        WriteNodes request;
        CHECK(read("checks: [{id: a}, {id: b, dependencies: {at_least: " + value + ", of: [a]}}]\n")
                  .details.size() == 1);
        const Reading nested =
            read("checks: [{id: a}, {id: b, dependencies: [{any: [{at_least: " + value + ", of: [a]}]}]}]\n");
        CHECK(nested.details.size() == 1);
        // Nor is it found again by those who look at the request.
        CHECK(nested.request.checks[1].dependencies->groups.at(0).groups.at(0).at_least == 1);
    }
}

TEST_CASE("A matrix that is refused and a file that breaks off are both told") {
    const Reading reading =
        read("checks:\n  - {id: a, matrix: 5}\n  - {id: \"b{{x}}\", matrix: {x: []}}\n  - {id: c\n");
    CHECK(reading.mentions("matrix"));
    CHECK(reading.details.size() >= 2);
}

TEST_CASE(
    "Of very many problems in nodes with a matrix the first hundred are told, and how many more there are") {
    std::string text = "checks:\n";
    for (int i = 0; i < 150; ++i)
        text += "  - {id: \"c" + std::to_string(i) + "-{{x}}\", matrix: {x: [1, 2]}, optoins: {}}\n";
    const Reading reading = read(text);
    CHECK(reading.details.size() >= Problems::kMaxKept);
    CHECK(reading.details.size() <= Problems::kMaxKept + 1);
    CHECK(reading.problems().front().find("optoins") != std::string::npos);
}
