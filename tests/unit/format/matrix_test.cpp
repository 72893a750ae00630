// SPDX-License-Identifier: Apache-2.0
// Nodes that stand for many, and references to them.
#include <fmt/core.h>

#include <bit>

#include "reading.hpp"
#include "support/catch.hpp"
#include "support/written_nodes.hpp"

using namespace turboci;
using Shown = nlohmann::json;
using Lines = std::vector<std::string>;

namespace {

Shown shown_of(const std::string& text, const std::string& name = "plan.yaml") {
    const Reading r = read(text, name);
    CHECK(r.problems() == Lines{});
    return shown(r.request);
}

Lines ids(const std::string& text, const std::string& name = "plan.yaml") {
    Lines found;
    const Shown all = shown_of(text, name);
    for (const auto& [list, nodes] : all.items())
        for (const auto& node : nodes) found.push_back(node["id"]);
    return found;
}

/// The members of the only group of the node `id`.
Shown dependencies(const std::string& text, const std::string& id) {
    const Shown all = shown_of(text);
    for (const auto& [list, nodes] : all.items())
        for (const auto& node : nodes)
            if (node["id"] == id) return node["dependencies"];
    return nullptr;
}

Lines problems(const std::string& matrix) {
    return read("stages:\n- id: s-{{os}}\n  matrix: " + matrix + "\n").problems();
}

}  // namespace

TEST_CASE("a matrix stands for one node a combination, the last axis fastest") {
    CHECK(ids("stages: [{id: 't-{{os}}-{{py}}', matrix: {os: [linux, mac], py: ['3.11', '3.12'],\n"
              "exclude: [{os: mac, py: '3.11'}]}}, {id: z}]\nchecks: [{id: 'c{{a}}', matrix: {a: [x]}}]\n") ==
          Lines{"cx", "t-linux-3.11", "t-linux-3.12", "t-mac-3.12", "z"});
    CHECK(ids(R"({"stages": [{"matrix": {"v": [3.10, "3.11", true, 1e2]}, "id": "t{{v}}"}]})", "p.json") ==
          Lines{"t3.10", "t3.11", "ttrue", "t1e2"});
    CHECK(ids("x-m: &m {os: [a, b]}\nstages:\n- {id: 's{{os}}', matrix: *m}\n- {id: 't{{os}}', matrix: {<<: "
              "*m, "
              "exclude: [{os: a}]}}\n") == Lines{"sa", "sb", "tb"});
}

TEST_CASE("values are taken as they are written") {
    CHECK(ids("stages:\n- id: t-{{v}}\n  matrix: {v: [3.10, 0755, 0x1F, yes, True, .inf, 1_0, 2026-01-01, ' "
              "a b', "
              "\"q\\\"\"]}\n") == Lines{"t-3.10", "t-0755", "t-0x1F", "t-yes", "t-True", "t-.inf", "t-1_0",
                                        "t-2026-01-01", "t- a b", "t-q\""});
}

TEST_CASE("an axis is replaced in every string of the node, at every depth, and in nothing else") {
    CHECK(shown_of("stages:\n- id: s-{{os}}\n  matrix: {os: [mac], n: ['2']}\n  timeout: '{{n}}m'\n"
                   "  args: {command: 'x {{os}}{{os}} {{{os}}} {{ os }} {{nope}} {{os} {{', env: {'{{os}}': "
                   "'{{n}}'},"
                   " more: [[{a: '{{os}}'}], 2]}\n"
                   "  assignments: ['c-{{os}}', {target_check_id: 'd-{{os}}', goal_state: PLANNED}]\n"
                   "  attempt: {progress: ['at {{os}}']}\n")["stages"] ==
          Shown::parse(R"([{"id":"s-mac","timeout":"2m",
            "args":{"command":"x macmac {mac} {{ os }} {{nope}} {{os} {{","env":{"{{os}}":"2"},
                    "more":[[{"a":"mac"}],2]},
            "assignments":["c-mac to FINAL","d-mac to PLANNED"],"attempt":{"progress":["at mac"]}}])"));
    // A value is not looked at again.
    CHECK(ids("checks: [{id: '{{a}}', matrix: {a: ['{{b}}'], b: [x]}}]\n") == Lines{"{{b}}"});
}

TEST_CASE("defaults are filled in with the axes of the node") {
    CHECK(shown_of("defaults: {stage: {args: {command: 'make {{os}}', env: {OS: '{{os}}', X: x}}}}\n"
                   "stages: [{id: 's-{{os}}', matrix: {os: [a]}, args: {env: {X: '{{os}}'}}}, {id: t}]\n")
              ["stages"] ==
          Shown::parse(R"([{"id":"s-a","args":{"command":"make a","env":{"OS":"a","X":"a"}}},
                          {"id":"t","args":{"command":"make {{os}}","env":{"OS":"{{os}}","X":"x"}}}])"));
}

TEST_CASE("a reference to a matrix means all of it, as edges of its group with their own when") {
    const std::string nodes =
        "stages:\n- {id: 't-{{os}}-{{py}}', matrix: {os: [a, b], py: [1, 2], exclude: [{os: b, py: 1}]}}\n";
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['t-{{os}}-{{py}}']}\n", "r") ==
          Shown{"t-a-1", "t-a-2", "t-b-2"});
    CHECK(dependencies(nodes +
                           "- {id: r, dependencies: {at_least: 2, of: [x, {node: 'stage:t-{{os}}-{{py}}', "
                           "when: failure}, {any: ['t-{{os}}-{{py}}']}]}}\n- {id: x}\n",
                       "r") ==
          Shown::parse(R"({"at_least": 2, "of": ["x", "stage:t-a-1 when failure", "stage:t-a-2 when failure",
                          "stage:t-b-2 when failure", {"any": ["t-a-1", "t-a-2", "t-b-2"]}]})"));
    // Before the matrix and behind it, from a check too.
    CHECK(dependencies("checks: [{id: r, dependencies: ['t-{{os}}-{{py}}']}]\n" + nodes, "r") ==
          Shown{"t-a-1", "t-a-2", "t-b-2"});
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['t-a-1', 't-{{x}}']}\n", "r") ==
          Shown{"t-a-1", "t-{{x}}"});
}

TEST_CASE("a node with a matrix means those that agree on the axes that both have") {
    const std::string nodes =
        "stages:\n- {id: 't-{{os}}-{{py}}', matrix: {os: [a, b], py: [1, 2], exclude: [{os: b, py: 1}]}}\n";
    const std::string by_os =
        nodes + "- {id: 'r-{{os}}', matrix: {os: [a, b]}, dependencies: ['t-{{os}}-{{py}}']}\n";
    CHECK(dependencies(by_os, "r-a") == Shown{"t-a-1", "t-a-2"});
    CHECK(dependencies(by_os, "r-b") == Shown{"t-b-2"});
    const std::string both = nodes +
                             "- {id: 'r-{{py}}-{{os}}', matrix: {py: [2], os: [a, b], z: [1]}, dependencies: "
                             "['t-{{os}}-{{py}}']}\n";
    CHECK(dependencies(both, "r-2-b") == Shown{"t-b-2"});
    // Some axes filled in by hand, by an axis of another name, or both.
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['t-a-{{py}}']}\n", "r") == Shown{"t-a-1", "t-a-2"});
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['t-{{os}}-2']}\n", "r") == Shown{"t-a-2", "t-b-2"});
    const std::string other =
        nodes + "- {id: 'r-{{on}}', matrix: {on: [a, b]}, dependencies: ['t-{{on}}-{{py}}']}\n";
    CHECK(dependencies(other, "r-b") == Shown{"t-b-2"});
    // Axes that are not in the id count as well.
    const std::string beside =
        "stages:\n- {id: 'b-{{os}}', matrix: {os: [l, m], cc: [gcc, clang], exclude: [{os: l, cc: clang}, "
        "{os: m, "
        "cc: gcc}]}}\n- {id: 'r-{{cc}}', matrix: {cc: [gcc, clang]}, dependencies: ['b-{{os}}']}\n";
    CHECK(dependencies(beside, "r-gcc") == Shown{"b-l"});
    CHECK(dependencies(beside, "r-clang") == Shown{"b-m"});
}

TEST_CASE("assignments and continuation groups mean all of a matrix too") {
    CHECK(shown_of("checks: [{id: 'c-{{os}}', matrix: {os: [a, b]}}, {id: d}]\n"
                   "stages:\n- {id: 's-{{os}}', matrix: {os: [a, b]}, assignments: ['c-{{os}}', d]}\n"
                   "- {id: t, assignments: [{target_check_id: 'check:c-{{os}}', goal_state: PLANNED}],\n"
                   "   continuation_group: {any: ['s-{{os}}']}}\n")["stages"] ==
          Shown::parse(R"([{"id":"s-a","assignments":["c-a to FINAL","d to FINAL"]},
                          {"id":"s-b","assignments":["c-b to FINAL","d to FINAL"]},
                          {"id":"t","assignments":["c-a to PLANNED","c-b to PLANNED"],
                           "continuation_group":{"any":["stage:s-a","stage:s-b"]}}])"));
}

TEST_CASE("the check of a condition must come to exactly one") {
    const std::string checks = "checks: [{id: 'c-{{os}}-{{py}}', matrix: {os: [a, b], py: [1, 2]}}]\n";
    const auto stage = [](const std::string& matrix, const std::string& check) {
        return "stages:\n- id: 's-{{os}}'\n  matrix: " + matrix + "\n  if: {check: '" + check +
               "', path: '/{{os}}', equals: '{{os}}'}\n";
    };
    CHECK(shown_of(checks + stage("{os: [a, b], py: [1]}", "c-{{os}}-{{py}}"))["stages"] ==
          Shown::parse(R"([{"id":"s-a","condition":[["c-a-1","/a",1,"\"a\""]]},
                           {"id":"s-b","condition":[["c-b-1","/b",1,"\"b\""]]}])"));
    // One is left of those that are open.
    CHECK(shown_of("checks: [{id: 'c-{{os}}-{{py}}', matrix: {os: [a], py: [2]}}]\n" +
                   stage("{os: [a]}", "c-{{os}}-{{py}}"))["stages"][0]["condition"][0][0] == "c-a-2");
    CHECK(read(checks + stage("{os: [a]}", "c-{{os}}-{{py}}")).problems() ==
          Lines{"5:7: a condition names one node; 'c-a-{{py}}' means 2 here"});
    CHECK(shown_of(checks + "stages: [{id: s, if: {check: d, path: '', exists: true}}]\n")["stages"].size() ==
          1);
}

TEST_CASE("references tell checks and stages of one id apart") {
    const std::string nodes =
        "checks: [{id: 'n-{{a}}', matrix: {a: [1]}}]\nstages:\n- {id: 'n-{{a}}', matrix: {a: [2]}}\n";
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['check:n-{{a}}']}\n", "r") == Shown{"check:n-1"});
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['stage:n-{{a}}']}\n", "r") == Shown{"stage:n-2"});
    CHECK(dependencies(nodes + "- {id: r, dependencies: ['n-{{a}}']}\n", "r") == Shown{"n-1", "n-2"});
}

TEST_CASE("a matrix of one file can be referred to from another of the same write, before it and behind it") {
    const std::string matrix = "stages: [{id: 's-{{os}}', matrix: {os: [a, b]}}]\n";
    const std::string other = "stages: [{id: r, dependencies: ['s-{{os}}']}]\n";
    for (const bool matrix_first : {true, false}) {
        WriteNodes request;
        Problems found;
        PlanFileReader reader(request, found);
        CHECK(reader.read({"1", "stages: [{id: x}]\n"}));
        CHECK(reader.read({"2", matrix_first ? matrix : other}));
        CHECK(reader.read({"3", matrix_first ? other : matrix}));
        CHECK(reader.finish());
        CHECK(found.empty());
        CHECK(shown(request.stages[matrix_first ? 3 : 1])["dependencies"] == Shown{"s-a", "s-b"});
    }
    // In a write without it the reference is what is written there.
    CHECK(dependencies(other, "r") == Shown{"s-{{os}}"});
}

TEST_CASE("a reference of which no combination is left is refused where it stands") {
    const std::string nodes = "stages:\n- {id: 's-{{os}}', matrix: {os: [a, b]}}\n";
    const Reading r = read(nodes + "- id: r-{{os}}\n  matrix: {os: [b, c]}\n  dependencies: ['s-{{os}}']\n");
    CHECK(r.problems() == Lines{"5:18: no combination of the matrix 's-{{os}}' is left for {os: 'c'}"});
    CHECK(r.code == ErrorCode::invalid_dependency);
    CHECK(read(nodes + "- {id: r-{{os}}, matrix: {os: [c]}, assignments: ['check:s-{{os}}']}\n")
              .details.size() == 1);
    CHECK(read("checks: [{id: 'c-{{os}}', matrix: {os: [a]}}]\nstages:\n- id: r-{{os}}\n  matrix: {os: [c]}\n"
               "  assignments: ['c-{{os}}']\n")
              .problems() == Lines{"5:17: no combination of the matrix 'c-{{os}}' is left for {os: 'c'}"});
}

TEST_CASE("what is wrong with a matrix is told where it stands") {
    for (const auto& [matrix, expected] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "3:11: a matrix needs an axis: {os: [linux, mac]}"},
             {"{exclude: []}", "3:11: a matrix needs an axis: {os: [linux, mac]}"},
             {"[a]", "3:11: 'matrix' must be a map, not a list"},
             {"5", "3:11: 'matrix' must be a map, not an integer"},
             {"~", "3:11: 'matrix' must be a map, not null"},
             {"{os: linux}", "3:16: the axis 'os' must be a list of values, not a string"},
             {"{os: {a: b}}", "3:16: the axis 'os' must be a list of values, not a map"},
             {"{os: }", "3:16: the axis 'os' must be a list of values, not null"},
             {"{os: []}", "3:16: the axis 'os' has no value"},
             {"{os: [a, [b]]}",
              "3:20: a value of the axis 'os' must be a string, a number, true or false, not a list"},
             {"{os: [~]}",
              "3:17: a value of the axis 'os' must be a string, a number, true or false, not null"},
             {"{os: [a, b, a]}", "3:23: the axis 'os' has the value 'a' twice"},
             {"{'o s': [a]}",
              "3:12: 'o s' cannot be the name of an axis; use letters, digits, '_', '-' and '.'"},
             {"{os: [a], exclude: {os: a}}", "3:30: 'exclude' must be a list of combinations: [{os: VALUE}]"},
             {"{os: [a], exclude: [b]}",
              "3:31: an item of 'exclude' must be a map such as {os: VALUE}, not a string; no axis can be "
              "called "
              "'exclude'"},
             {"{exclude: [{arch: b}], os: [a]}",
              "3:23: 'exclude' names 'arch', which is no axis of this matrix"},
             {"{exclude: [{oss: b}], os: [a]}",
              "3:23: 'exclude' names 'oss', which is no axis of this matrix; did you mean 'os'?"},
             {"{exclude: [{os: b}], os: [a]}", "3:27: 'b' is no value of the axis 'os'"},
             {"{exclude: [{os: [a]}], os: [a]}",
              "3:27: a value of the axis 'os' must be a string, a number, true or false, not a list"},
             {"{exclude: [{}], os: [a]}", "3:22: an item of 'exclude' names no axis"},
             {"{os: [a, b], exclude: [{os: b}, {os: a}]}",
              "3:11: every combination of the matrix is excluded"},
             {"{os: [a, b], py: [c, d]}",
              "3:11: several combinations of the matrix have the id 's-a', for example {os: 'a', py: 'd'}; "
              "name "
              "each axis in the id"},
             {"{os: [a, b], os: [c]}", "3:24: duplicate key 'os'"},
             {"{os: [a, *b]}", "3:20: unknown alias 'b'"},
         }) {
        INFO(matrix);
        CHECK(problems(matrix) == Lines{expected});
    }
    CHECK(problems("{os: [a], exclude: ~}").empty());
    CHECK(problems("{os: [a, b], exclude: []}").empty());
}

TEST_CASE("nobody misses the nodes of a matrix that is wrong") {
    WriteNodes request;
    Problems found;
    CHECK_FALSE(read_plan_text({"p", "stages: [{id: 's{{a}}', matrix: {a: x}}]\n"}, request, found));
    CHECK_FALSE(read_plan_text({"p",
                                "stages: [{id: 's{{a}}', matrix: {a: [x]}}, {id: 'r{{a}}', matrix: {a: [y]}, "
                                "dependencies: ['s{{a}}']}]\n"},
                               request, found));
}

TEST_CASE("what is wrong in a node with a matrix is told once, where it stands") {
    CHECK(
        read("stages:\n- id: s-{{os}}\n  matrix: {os: [a, b, c]}\n  timeout: '{{os}}'\n  timeuot: 1\n  args: "
             "{env: {A: "
             "1}}\n")
            .problems() == Lines{"4:12: 'timeout' must be a duration such as 500ms, 30s, 10m or 2h, not 'a'",
                                 "5:3: unknown key 'timeuot'; did you mean 'timeout'?",
                                 "6:19: args.env.A must be a string, or null to unset it; put it in quotes"});
    CHECK(read("stages:\n- matrix: {os: [a, b]}\n- {id: 5, matrix: {os: [a, b]}}\n").problems() ==
          Lines{"2:3: 'id' is missing", "3:8: 'id' must be a string, not an integer; put it in quotes"});
    CHECK(read("stages:\n- {id: '{{os}}', matrix: {os: ['', b]}}\n").problems() ==
          Lines{"2:8: 'id' is empty"});
}

TEST_CASE("matrices of one write stand for 100,000 nodes at most, which is told before they are made") {
    const auto axis = [](char name, int n) {
        std::string text = std::string(1, name) + ": [";
        for (int i = 0; i < n; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
        return text + "]";
    };
    const auto node = [](const std::string& id, const std::string& axes) {
        return "- {id: '" + id + "{{a}}-{{b}}-{{c}}-{{d}}-{{e}}', matrix: {" + axes + "}}\n";
    };
    const std::string huge = axis('a', 900) + ", " + axis('b', 900) + ", " + axis('c', 900) + ", " +
                             axis('d', 900) + ", " + axis('e', 900);
    const std::string message =
        "the matrices of one write may stand for 100000 nodes at most; with this one there are more";
    CHECK(read("stages:\n" + node("x", huge)).problems().at(0).ends_with(": " + message));
    const std::string half = axis('a', 250) + ", " + axis('b', 200);
    CHECK(read("checks:\n" + node("x", half) + "stages:\n" + node("x", half)).request.stages.size() ==
          50'000);
    const Reading over =
        read("checks:\n" + node("x", half) + "stages:\n" + node("x", half) + node("y", axis('a', 1)));
    REQUIRE(over.details.size() == 1);
    CHECK(over.details[0].line == 5);
    CHECK(over.details[0].message == message);
    // In several files as in one.
    WriteNodes request;
    Problems found;
    PlanFileReader reader(request, found);
    CHECK(reader.read({"1", "checks:\n" + node("x", half)}));
    CHECK(reader.read({"2", "stages:\n" + node("x", half)}));
    CHECK_FALSE(reader.read({"3", "stages:\n" + node("y", axis('a', 1))}));
    CHECK(found.size() == 1);
}

TEST_CASE("few bytes of a matrix cannot make very much") {
    std::string values, exclude;
    for (int i = 0; i < 300; ++i) values += (i > 0 ? "," : "") + std::to_string(i);
    const std::string matrix = "matrix: {a: [" + values + "], b: [" + values + "]}";
    const auto refused = [](const Reading& r) {
        return r.details.size() == 1 && (r.mentions("make the files grow to more than 256 MiB") ||
                                         r.mentions("mean too many nodes altogether"));
    };
    // A long text in every node; one that grows in itself; many edges; many combinations to leave out.
    CHECK(refused(read("stages: [{id: '{{a}}-{{b}}', " + matrix + ", args: {x: '" + std::string(9000, 'x') +
                       "'}}]\n")));
    CHECK(refused(read("stages: [{id: s, matrix: {a: ['" + std::string(100'000, 'x') + "']}, args: {x: '" +
                       repeated("{{a}}", 20'000) + "'}}]\n")));
    const std::string pad(2000, 'x');  // of the ids, so that fewer edges are enough
    std::string nodes = "stages:\n- {id: '" + pad + "{{a}}', matrix: {a: [" + values + "]}}\n";
    for (int i = 0; i < 500; ++i)
        nodes += "- {id: r" + std::to_string(i) + ", dependencies: ['" + pad + "{{a}}']}\n";
    CHECK(refused(read(nodes)));
    std::string id, axes;
    for (char axis = 'a'; axis < 'k'; ++axis) {
        id += fmt::format("{{{{{}}}}}", axis);
        axes += fmt::format("{}: [0, 1, 2], ", axis);
    }
    for (unsigned some = 0; some < 1u << 10; ++some) {
        if (std::popcount(some) < 5) continue;
        exclude += exclude.empty() ? "{" : ", {";
        for (int i = 0; i < 10; ++i)
            if ((some >> i & 1u) != 0) exclude += fmt::format("{}: 2, ", static_cast<char>('a' + i));
        exclude += '}';
    }
    CHECK(refused(read("stages: [{id: '" + id + "', matrix: {" + axes + "exclude: [" + exclude + "]}}]\n")));
}
