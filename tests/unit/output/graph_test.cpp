// SPDX-License-Identifier: Apache-2.0
#include "format/graph.hpp"

#include "output_samples.hpp"
#include "support/catch.hpp"
#include "support/outline_of.hpp"
#include "support/sanitized.hpp"
#include "support_run.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// src → build (check), s answers build, any of two, a nested threshold.
NodeCollector small_graph() {
    NodeCollector graph;
    WorkPlan plan;
    plan.id = "p";
    graph.plan(plan);
    graph.check(check("src", "source", State::final, Outcome::passed));
    Check build = check("build", "build", State::waiting);
    build.dependencies = group(
        GroupKind::all, {edge(NodeType::check, "src", State::final, When::success, Resolution::satisfied)},
        Resolution::satisfied);
    graph.check(build);
    Check test = check("test", "test");
    test.dependencies = group(GroupKind::any, {edge(NodeType::check, "build"),
                                               edge(NodeType::check, "src", State::final, When::failure)});
    Predicate inner = group(GroupKind::at_least,
                            {edge(NodeType::stage, "s"), edge(NodeType::check, "src", State::waiting),
                             edge(NodeType::check, "gone")},
                            Resolution::unresolved, 2);
    test.dependencies.groups.push_back(inner);
    graph.check(test);
    Stage s = stage("s", State::attempting);
    s.assignments = {{"build", State::waiting}, {"build", State::final}, {"gone", State::final}};
    s.dependencies = group(GroupKind::all, {edge(NodeType::check, "src", State::final, When::always)});
    s.continuation_group = group(GroupKind::all, {edge(NodeType::stage, "t")});
    graph.stage(s);
    graph.stage(stage("t", State::final, Outcome::failed));
    return graph;
}

std::string render(const NodeCollector& graph, const GraphOptions& options) {
    std::string text;
    render_graph(support::outline_of(graph), options, [&](std::string_view piece) { text += piece; });
    return text;
}

std::string render(const NodeCollector& graph, GraphFormat format, bool collapse = false,
                   bool color = false) {
    GraphOptions options;
    options.format = format;
    options.collapse_by_kind = collapse;
    options.color = color;
    return render(graph, options);
}

NodeCollector awkward_graph() {
    std::string all_bytes;
    for (int c = 0; c < 256; ++c) all_bytes += static_cast<char>(c);
    const std::vector<std::string> names = {"plain",
                                            "with space",
                                            "quo\"te",
                                            "back\\slash",
                                            "\\",
                                            "\\\\",
                                            "\\\"",
                                            "ends\\",
                                            "\\N\\G\\L\\l",
                                            "new<b>html</b>",
                                            "<b>",
                                            "ünïcödé",
                                            "semi;colon{}",
                                            "ci:job+x86",
                                            "[x]|y",
                                            "a&b",
                                            "&lt;",
                                            "&#0;",
                                            "&#x1;",
                                            "&amp;lt;",
                                            "node",
                                            "a -> b",
                                            "/* c */",
                                            "// d",
                                            "# e",
                                            "%%",
                                            "end",
                                            "1. x",
                                            "- y",
                                            "`z`",
                                            "*b*",
                                            "_i_",
                                            std::string(256, 'w'),
                                            std::string(256, '\\'),
                                            all_bytes,
                                            "\xff\xfe",
                                            "\xef\xbf\xbf",
                                            "\u202e rtl",
                                            "$(x)",
                                            "a;b",
                                            "a\nb"};
    NodeCollector graph;
    WorkPlan plan;
    plan.id = "q\"\\";
    graph.plan(plan);
    Check sum = check("sum");
    sum.dependencies.kind = GroupKind::any;
    for (const std::string& name : names) {
        graph.check(check(name, name));
        sum.dependencies.edges.push_back(edge(NodeType::check, name));
    }
    graph.check(sum);
    for (const std::string& name : names) {
        Stage answer = stage(name);
        answer.assignments = {{name, State::final}};
        graph.stage(answer);
    }
    return graph;
}

}  // namespace

TEST_CASE("DOT names nodes by their references and shows state, groups and conditions", "[graph]") {
    const std::string dot = render(small_graph(), GraphFormat::dot);
    CHECK(dot.starts_with("digraph \"p\" {\n"));
    CHECK(dot.ends_with("}\n"));
    CHECK(has(dot, "rankdir=LR"));
    CHECK(has(dot, R"(  "check:src" [shape=ellipse, label="src\nsource, passed", fillcolor="#b7e4d1")"));
    CHECK(has(dot, R"(  "check:build" [shape=ellipse, label="build\nbuild, WAITING")"));
    CHECK(has(dot, R"(  "stage:s" [shape=box, label="s\nATTEMPTING")"));
    CHECK(has(dot, R"(  "stage:t" [shape=box, label="t\nfailed")"));
    CHECK(has(dot, "  \"check:src\" -> \"check:build\" [color=\"#00795a\"];\n"));
    CHECK(has(dot, R"(label="any")"));
    CHECK(has(dot, R"(label="2 of 3")"));
    CHECK(has(dot, R"("check:src" -> "group:1" [arrowhead=none, label="on failure"];)"));
    CHECK(has(dot, R"("group:2" -> "group:1" [arrowhead=none];)"));
    CHECK(has(dot, R"("group:1" -> "check:test";)"));
    CHECK(has(dot, R"("check:src" -> "group:2" [arrowhead=none, label="at WAITING"];)"));
    CHECK(has(dot, R"("check:src" -> "stage:s" [label="always"];)"));
    CHECK(has(dot, R"("stage:s" -> "check:build" [style=dashed, arrowhead=empty, label="to WAITING"];)"));
    CHECK(has(dot, R"("stage:s" -> "check:build" [style=dashed, arrowhead=empty];)"));
    CHECK(has(dot, R"("stage:t" -> "stage:s" [style=dotted];)"));
    CHECK_FALSE(has(dot, "gone"));
    CHECK(dot == render(small_graph(), GraphFormat::dot));
}

TEST_CASE("The direction of a graph can be chosen", "[graph]") {
    GraphOptions options;
    options.rankdir = RankDir::TB;
    CHECK(has(render(small_graph(), options), "rankdir=TB"));
    options.format = GraphFormat::mermaid;
    CHECK(render(small_graph(), options).starts_with("flowchart TB\n"));
}

TEST_CASE("Groups that say nothing more than all of these have no connector", "[graph]") {
    NodeCollector graph;
    graph.check(check("a"));
    graph.check(check("b"));
    Check c = check("c");
    c.dependencies = group(GroupKind::all, {edge(NodeType::check, "a")});
    c.dependencies.groups.push_back(group(GroupKind::any, {edge(NodeType::check, "b")}));
    c.dependencies.groups.push_back(
        group(GroupKind::all, {edge(NodeType::check, "a"), edge(NodeType::check, "b")}));
    graph.check(c);
    const std::string dot = render(graph, GraphFormat::dot);
    CHECK_FALSE(has(dot, "group:"));
    CHECK(has(dot, "\"check:b\" -> \"check:c\""));

    NodeCollector outside;
    Check lonely = check("lonely");
    lonely.dependencies = group(GroupKind::any, {edge(NodeType::check, "x"), edge(NodeType::check, "y")});
    outside.check(lonely);
    CHECK_FALSE(has(render(outside, GraphFormat::dot), "group:"));
}

TEST_CASE("An AND inside an OR is drawn", "[graph]") {
    NodeCollector graph;
    for (const char* id : {"a", "b", "c"}) graph.check(check(id));
    Check d = check("d");
    d.dependencies = group(GroupKind::any, {edge(NodeType::check, "c")});
    d.dependencies.groups.push_back(
        group(GroupKind::all, {edge(NodeType::check, "a"), edge(NodeType::check, "b")}));
    graph.check(d);
    const std::string dot = render(graph, GraphFormat::dot);
    CHECK(has(dot, "label=\"all\""));
    CHECK(has(dot, "\"group:1\" -> \"group:0\""));
}

TEST_CASE("DOT is quoted so that no name can break out of it", "[graph]") {
    const std::string dot = render(awkward_graph(), GraphFormat::dot);
    CHECK(has(dot, R"("check:back\\slash" [shape=ellipse, label="back\\slash\nback\\slash, PLANNED")"));
    CHECK(has(dot, R"("check:\\\"")"));
    CHECK(has(dot, R"("check:&amp;lt;")"));
    CHECK(has(dot, R"("check:a&b")"));
    CHECK(has(dot, R"(label="\\N\\G\\L\\l\n)"));
    CHECK(has(dot, "tooltip=\"" + std::string(256, 'w') + "\""));
    for (const char c : dot) {
        if (static_cast<unsigned char>(c) < 0x20) CHECK(c == '\n');
    }
}

TEST_CASE("dot accepts every graph without a word", "[graph]") {
    if (!can_run("dot -V")) return;
    for (const NodeCollector& graph : {awkward_graph(), small_graph(), NodeCollector{}}) {
        for (const bool collapse : {false, true}) {
            const RunOutput done = run_with_input("dot -Tsvg", render(graph, GraphFormat::dot, collapse));
            CHECK(done.status == 0);
            CHECK(done.err.empty());
            CHECK(has(done.out, "</svg>"));
        }
    }
    const RunOutput svg = run_with_input("dot -Tsvg", render(awkward_graph(), GraphFormat::dot));
    CHECK(has(svg.out, "new&lt;b&gt;html&lt;/b&gt;"));
    CHECK(has(svg.out, "with space"));
    CHECK(has(svg.out, "ünïcödé"));
    CHECK_FALSE(has(svg.out, "<b>"));
    if (can_run("python3 -c pass")) {
        const RunOutput xml = run_with_input(
            "python3 -c 'import sys,xml.dom.minidom as m; m.parse(sys.stdin.buffer)'", svg.out);
        CHECK(xml.err.empty());
        CHECK(xml.status == 0);
    }
}

TEST_CASE("Mermaid labels are entities where punctuation could mean something", "[graph]") {
    const std::string text = render(small_graph(), GraphFormat::mermaid);
    CHECK(text.starts_with("flowchart LR\n  n0([\"src<br/>source, passed\"]):::passed\n"));
    CHECK(has(text, "  n3[\"s<br/>ATTEMPTING\"]:::attempting\n"));
    CHECK(has(text, "  n5{\"any\"}:::none\n"));
    CHECK(has(text, "  n0 -->|\"on failure\"| n5\n"));
    CHECK(has(text, "  n3 -.-> n1\n"));
    CHECK(has(text, "  n4 ==>|\"continuation\"| n3\n"));
    CHECK(has(text, "  classDef failed fill:#f7a889,"));
    const std::string awkward = render(awkward_graph(), GraphFormat::mermaid);
    CHECK(has(awkward, "quo#34;te"));
    CHECK(has(awkward, "new#60;b#62;html#60;#47;b#62;"));
    CHECK(has(awkward, "[\"1#46; x<br/>"));
    CHECK(has(awkward, "[\"#45; y<br/>"));
    CHECK(has(awkward, "#96;z#96;"));
    CHECK(has(awkward, "ci:job#43;x86"));
    CHECK_FALSE(has(awkward, "%%"));
}

TEST_CASE("JSON keeps every group and tells how far each edge is", "[graph]") {
    const std::string text = render(small_graph(), GraphFormat::json);
    CHECK(text.starts_with(
        R"({"plan":"p","nodes":[{"ref":"check:src","type":"check","kind":"source","required":true,"state":"FINAL","outcome":"passed"},)"));
    CHECK(has(
        text,
        R"({"ref":"stage:s","type":"stage","kind":null,"required":null,"state":"ATTEMPTING","outcome":null})"));
    CHECK(has(
        text,
        R"({"from":"check:src","to":"check:build","kind":"dependency","on_state":"FINAL","when":"success","goal_state":null,"group":0,"resolved":true,"satisfied":true})"));
    CHECK(has(
        text,
        R"({"from":"check:src","to":"check:test","kind":"dependency","on_state":"WAITING","when":null,"goal_state":null,"group":2,"resolved":false,"satisfied":false})"));
    CHECK(has(
        text,
        R"({"from":"stage:s","to":"check:build","kind":"assignment","on_state":null,"when":null,"goal_state":"WAITING","group":null,"resolved":null,"satisfied":null})"));
    CHECK(has(
        text,
        R"({"id":2,"owner":"check:test","role":"dependencies","parent":1,"predicate":"THRESHOLD","threshold":2,"members":3,"resolution":"UNRESOLVED"})"));
    CHECK(has(
        text,
        R"({"id":4,"owner":"stage:s","role":"continuation_group","parent":null,"predicate":"AND","threshold":1,"members":1,"resolution":"UNRESOLVED"})"));
    CHECK(lines_of(text) == 1);
    CHECK(render(NodeCollector{}, GraphFormat::json) ==
          "{\"plan\":\"\",\"nodes\":[],\"edges\":[],\"groups\":[]}\n");
}

TEST_CASE("A tree goes from what nobody waits for down to what comes first", "[graph]") {
    CHECK(render(small_graph(), GraphFormat::tree) ==
          "check:test  test, PLANNED\n"
          "  any:\n"
          "    check:build  build, WAITING\n"
          "      check:src  source, passed\n"
          "      stage:s  ATTEMPTING  (assigned, to WAITING)\n"
          "        check:src  source, passed  (always)\n"
          "        stage:t  failed  (continuation)\n"
          "      stage:s  ATTEMPTING  (assigned)  (see above)\n"
          "    check:src  source, passed  (on failure)\n"
          "    2 of 3:\n"
          "      stage:s  ATTEMPTING  (see above)\n"
          "      check:src  source, passed  (at WAITING)\n");
    CHECK(has(render(small_graph(), GraphFormat::tree, false, true), "\x1b[31mfailed\x1b[0m"));
    CHECK(render(NodeCollector{}, GraphFormat::tree).empty());
}

TEST_CASE("A tree shows what hangs on a cycle too", "[graph]") {
    NodeCollector graph;
    graph.check(check("c"));
    Stage s = stage("s");
    s.assignments = {{"c", State::final}};
    s.dependencies = group(GroupKind::all, {edge(NodeType::check, "c")});
    graph.stage(s);
    CHECK(render(graph, GraphFormat::tree) ==
          "check:c  PLANNED\n"
          "  stage:s  PLANNED  (assigned)\n"
          "    check:c  PLANNED  (see above)\n");
}

TEST_CASE("A tree's lines are safe in a log", "[graph]") {
    NodeCollector graph;
    graph.check(check("x ##[error]\x1b[2J", "::warning::"));
    const std::string text = render(graph, GraphFormat::tree);
    CHECK(text == "check:x \\x23#[error]\\x1b[2J  \\x3a:warning::, PLANNED\n");
}

TEST_CASE("Depth is no limit for any format", "[graph]") {
    constexpr int kDepth = turboci::test::kSanitized ? 20'000 : 100'000;
    NodeCollector graph;
    for (int i = 0; i < kDepth; ++i) {
        Check c = check("c" + std::to_string(i));
        if (i > 0)
            c.dependencies = group(GroupKind::all, {edge(NodeType::check, "c" + std::to_string(i - 1))});
        graph.check(c);
    }
    for (const GraphFormat format :
         {GraphFormat::dot, GraphFormat::mermaid, GraphFormat::json, GraphFormat::tree}) {
        const std::string text = render(graph, format);
        CHECK(text.size() > kDepth * 10u);
        CHECK(text.size() < kDepth * 450u);
    }
    const std::string tree = render(graph, GraphFormat::tree);
    CHECK(lines_of(tree) == kDepth);
    CHECK(has(tree, "[" + std::to_string(kDepth - 1) + "] check:c0  PLANNED\n"));
}

TEST_CASE("Collapsed, checks become kinds and stages become what they answer", "[graph]") {
    NodeCollector graph;
    WorkPlan plan;
    plan.id = "p";
    graph.plan(plan);
    for (int i = 0; i < 5; ++i) graph.check(check("q" + std::to_string(i), "analysis"));
    graph.check(check("alone", "gate"));
    for (int i = 0; i < 1000; ++i) {
        Stage s = stage("s" + std::to_string(i), State::final, i < 10 ? Outcome::failed : Outcome::passed);
        s.assignments = {{"q" + std::to_string(i % 5), State::final}};
        if (i >= 5)
            s.dependencies =
                group(GroupKind::any, {edge(NodeType::stage, "s0"), edge(NodeType::stage, "s1")});
        graph.stage(s);
    }
    const std::string dot = render(graph, GraphFormat::dot, true);
    CHECK(has(dot, R"("kind:analysis" [shape=ellipse, label="analysis: 5 checks\n5 PLANNED")"));
    CHECK(has(dot, R"("kind:gate" [shape=ellipse, label="check:alone (gate)\nPLANNED")"));
    CHECK(has(
        dot,
        R"("stages:1" [shape=box, label="200 stages for check:q0\n198 passed, 2 failed", fillcolor="#f7a889")"));
    CHECK(has(dot, R"("stages:1" -> "stages:3" [label="any ×200"];)") == false);  // s2 itself waits for none
    CHECK(has(dot, R"("stages:1" -> "stages:3" [label="any ×199"];)"));
    CHECK(has(dot, R"("stages:1" -> "kind:analysis" [style=dashed, arrowhead=empty, label="×200"];)"));
    CHECK(lines_of(dot) < 40);
    const std::string tree = render(graph, GraphFormat::tree, true);
    CHECK(has(tree,
              "analysis: 5 checks  5 PLANNED\n  200 stages for check:q0  198 passed, 2 failed  (assigned, "
              "×200)\n"));
    const std::string json = render(graph, GraphFormat::json, true);
    CHECK(has(
        json,
        R"({"ref":"stages:1","type":"stage","label":"200 stages for check:q0","count":200,"states":[{"state":"FINAL","outcome":"passed","count":198},{"state":"FINAL","outcome":"failed","count":2}]})"));
    CHECK(has(render(graph, GraphFormat::mermaid, true), "200 stages for check:q0<br/>198 passed, 2 failed"));
}

TEST_CASE("Collapsed, many small targets become their kinds", "[graph]") {
    NodeCollector graph;
    for (int i = 0; i < 200; ++i) {
        const std::string id = "u" + std::to_string(i);
        graph.check(check(id, i % 2 == 0 ? "build" : "test"));
        Stage s = stage(id);
        s.assignments = {{id, State::final}};
        graph.stage(s);
    }
    graph.stage(stage("free"));
    const std::string dot = render(graph, GraphFormat::dot, true);
    CHECK(has(dot, "label=\"100 stages for build checks\\n100 PLANNED\""));
    CHECK(has(dot, "label=\"100 stages for test checks\\n100 PLANNED\""));
    CHECK(has(dot, "label=\"stage:free\\nPLANNED\""));
    CHECK(lines_of(dot) < 20);
}

TEST_CASE("Merged, a stage and the check that it alone answers are one box", "[graph]") {
    NodeCollector graph;
    graph.check(check("build", "build", State::final, Outcome::passed));
    graph.check(check("test", "test"));
    graph.check(check("docs"));
    const auto add = [&](const std::string& id, std::vector<Assignment> to, std::vector<Edge> edges,
                         State state, std::optional<Outcome> outcome) {
        Stage one = stage(id, state, outcome);
        one.assignments = std::move(to);
        if (!edges.empty()) one.dependencies = group(GroupKind::all, std::move(edges));
        graph.stage(one);
    };
    add("compile", {{"build", State::final}}, {}, State::final, Outcome::passed);
    add("test", {{"test", State::final}}, {edge(NodeType::check, "build"), edge(NodeType::stage, "compile")},
        State::attempting, std::nullopt);
    add("docs-1", {{"docs", State::final}}, {}, State::planned, std::nullopt);
    add("docs-2", {{"docs", State::final}}, {}, State::planned, std::nullopt);
    GraphOptions merged;
    merged.merge = true;
    const std::string dot = render(graph, merged);
    CHECK(has(dot,
              R"("check:build" [shape=box, label="build\nbuild, passed\nby compile", fillcolor="#b7e4d1", )"
              R"(color="#00795a", style="filled,rounded"];)"));
    // The check has no answer yet: the box looks as its stage does.
    CHECK(has(dot,
              R"("check:test" [shape=box, label="test\ntest, PLANNED\nby ATTEMPTING", fillcolor="#b3d9f2")"));
    CHECK_FALSE(has(dot, "stage:compile"));
    // The edges to the check and to its stage are one.
    CHECK(has(dot, R"("check:build" -> "check:test";)"));
    CHECK_FALSE(has(dot, "×2"));
    CHECK(has(dot, R"("stage:docs-1" -> "check:docs" [style=dashed, arrowhead=empty];)"));
    merged.format = GraphFormat::mermaid;
    CHECK(has(render(graph, merged), R"(n0("build<br/>build, passed<br/>by compile"):::passed)"));
    merged.format = GraphFormat::tree;
    CHECK(has(render(graph, merged),
              "check:test  test, PLANNED, by ATTEMPTING\n  check:build  build, passed, by compile"));
    merged.format = GraphFormat::json;
    CHECK(has(
        render(graph, merged),
        R"({"ref":"check:build","type":"check","label":"build","count":2,"states":[)"
        R"({"state":"FINAL","outcome":"passed","count":1},{"state":"FINAL","outcome":"passed","count":1}]})"));
}

TEST_CASE("A stage that answers more, or elsewhere, is not merged", "[graph]") {
    NodeCollector graph;
    for (const char* id : {"a", "b", "c", "d"}) graph.check(check(id));
    Stage two = stage("two");
    two.assignments = {{"a", State::final}, {"b", State::final}};
    Stage early = stage("early");
    early.assignments = {{"c", State::waiting}};
    Stage outside = stage("outside");
    outside.assignments = {{"d", State::final}, {"gone", State::final}};
    for (const Stage& one : {two, early, outside}) graph.stage(one);
    GraphOptions merged;
    merged.merge = true;
    CHECK(render(graph, merged) == render(graph, GraphFormat::dot));
    // Collapsed boxes merge as nodes do.
    merged.collapse_by_kind = true;
    NodeCollector many;
    for (int i = 0; i < 3; ++i) {
        const std::string id = "u" + std::to_string(i);
        many.check(check(id, "unit"));
        Stage s = stage(id);
        s.assignments = {{id, State::final}};
        many.stage(s);
    }
    CHECK(has(render(many, merged), R"(style=dashed, arrowhead=empty)"));
}

TEST_CASE("Reduced, a graph has no edge that follows from others", "[graph]") {
    NodeCollector graph;
    const auto add = [&](const std::string& id, std::vector<Edge> edges, GroupKind kind = GroupKind::all) {
        Stage one = stage(id);
        if (!edges.empty()) one.dependencies = group(kind, std::move(edges));
        graph.stage(one);
    };
    const auto on = [](const char* id, When when = When::success) {
        return edge(NodeType::stage, id, State::final, when);
    };
    add("a", {});
    add("b", {on("a")});
    add("c", {on("a"), on("b")});                  // a follows from b
    add("d", {on("a", When::always), on("c")});    // says more than that a has passed
    add("e", {on("a"), on("c")}, GroupKind::any);  // one of them is enough
    add("f", {on("a"), on("e")});                  // e may do without a
    add("g", {on("b", When::always), on("a")});    // b may fail, a may not
    GraphOptions reduced;
    reduced.reduce = true;
    const std::string dot = render(graph, reduced);
    CHECK_FALSE(has(dot, R"("stage:a" -> "stage:c")"));
    CHECK(has(dot, R"("stage:b" -> "stage:c")"));
    CHECK(has(dot, R"("stage:a" -> "stage:d" [label="always"])"));
    CHECK(has(dot, R"("stage:a" -> "group:)"));
    CHECK(has(dot, R"("stage:a" -> "stage:f")"));
    CHECK(has(dot, R"("stage:a" -> "stage:g")"));
    CHECK(lines_of(dot) + 1 == lines_of(render(graph, GraphFormat::dot)));
    // A check is FINAL passed when its stage is: who needs the check needs the stage.
    graph.check(check("q"));
    Stage answer = stage("answer");
    answer.assignments = {{"q", State::final}};
    graph.stage(answer);
    add("last", {edge(NodeType::check, "q"), on("answer")});
    CHECK_FALSE(has(render(graph, reduced), R"("stage:answer" -> "stage:last")"));
    CHECK(has(render(graph, reduced), R"("stage:answer" -> "check:q")"));
}

TEST_CASE("Reducing keeps exactly what can be reached", "[graph]") {
    // Every earlier node is needed by every later one: a chain is left.
    NodeCollector chain;
    for (int i = 0; i < 60; ++i) {
        Stage one = stage("s" + std::to_string(i));
        std::vector<Edge> edges;
        for (int j = 0; j < i; ++j) edges.push_back(edge(NodeType::stage, "s" + std::to_string(j)));
        if (i > 0) one.dependencies = group(GroupKind::all, edges);
        chain.stage(one);
    }
    GraphOptions reduced;
    reduced.reduce = true;
    reduced.format = GraphFormat::json;
    GraphSize size = render_graph(support::outline_of(chain), reduced, [](std::string_view) {});
    CHECK(size.nodes == 60);
    CHECK(size.edges == 59);
    // On a cycle nothing follows from anything.
    NodeCollector cycle;
    for (const auto& [id, needs] : {std::pair("a", "b"), std::pair("b", "a"), std::pair("c", "a")}) {
        Stage one = stage(id);
        one.dependencies = group(GroupKind::all, {edge(NodeType::stage, needs), edge(NodeType::stage, "b")});
        cycle.stage(one);
    }
    size = render_graph(support::outline_of(cycle), reduced, [](std::string_view) {});
    CHECK(size.edges == 6);
}

TEST_CASE("The size of a picture is told in Mermaid's own units", "[graph]") {
    NodeCollector graph;
    graph.check(check("ü"));
    GraphOptions options;
    options.format = GraphFormat::mermaid;
    std::string text;
    const GraphSize size =
        render_graph(support::outline_of(graph), options, [&](std::string_view piece) { text += piece; });
    CHECK(size.nodes == 1);
    CHECK(size.edges == 0);
    CHECK(size.characters == text.size() - 1);
}
