// SPDX-License-Identifier: Apache-2.0
// Why nodes were skipped, in reports.
#include "format/report_causes.hpp"

#include "format/junit.hpp"
#include "format/markdown.hpp"
#include "output_samples.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

template <class Node>
Node skipped_for(Node node, std::vector<Edge> edges, GroupKind kind = GroupKind::all) {
    node.state = State::final;
    node.outcome = Outcome::skipped;
    node.skip_cause = SkipCause::upstream;
    node.dependencies = group(kind, std::move(edges), Resolution::unsatisfied);
    return node;
}

Edge broken_edge(NodeType type, std::string id) {
    return edge(type, std::move(id), State::final, When::success, Resolution::unsatisfied);
}

std::vector<std::string> names_of(const std::vector<ReportNode>& nodes) {
    std::vector<std::string> names;
    for (const ReportNode& node : nodes) names.push_back(to_string(node.ref()));
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("What was skipped after failures names where they began", "[causes]") {
    NodeCollector graph;
    graph.plan(plan());
    graph.check(check("good", "", State::final, Outcome::passed));
    graph.check(check("bad", "", State::final, Outcome::failed));
    // Skipped through its stage, not through an edge of its own.
    Check packed = check("packed", "", State::final, Outcome::skipped);
    packed.skip_cause = SkipCause::upstream;
    graph.check(packed);
    Stage pack = skipped_for(
        stage("pack"), {edge(NodeType::check, "good", State::final, When::success, Resolution::satisfied),
                        broken_edge(NodeType::check, "bad")});
    pack.assignments = {{"packed", State::final}};
    graph.stage(pack);
    graph.stage(stage("gone", State::final, Outcome::cancelled));
    graph.stage(skipped_for(stage("sign"),
                            {broken_edge(NodeType::check, "packed"), broken_edge(NodeType::stage, "gone")}));
    Stage chosen = stage("chosen", State::final, Outcome::skipped);
    chosen.skip_cause = SkipCause::not_needed;
    graph.stage(chosen);
    const PlanReport report(graph);
    const ReportCauses causes(report);
    CHECK(names_of(causes.causes_of({NodeType::stage, "pack"})) == Names{"check:bad"});
    CHECK(names_of(causes.causes_of({NodeType::check, "packed"})) == Names{"check:bad"});
    CHECK(names_of(causes.causes_of({NodeType::stage, "sign"})) == Names{"check:bad", "stage:gone"});
    CHECK(causes.causes_of({NodeType::check, "bad"}).empty());
    CHECK(causes.causes_of({NodeType::stage, "chosen"}).empty());
    CHECK(names_of(causes.skipped_after({NodeType::check, "bad"})) ==
          Names{"check:packed", "stage:pack", "stage:sign"});
    CHECK(names_of(causes.skipped_after({NodeType::stage, "gone"})) == Names{"stage:sign"});
    CHECK(causes.skipped_after({NodeType::check, "good"}).empty());

    CHECK(has(markdown_summary(graph), "- `stage:sign` because of `check:bad`, `stage:gone`\n"));
    CHECK(has(junit_xml(graph),
              "<failure type=\"skipped\" message=\"skipped because of check:bad, stage:gone\">"));
}

TEST_CASE("Causes are found at the end of any chain, and only so many of them", "[causes]") {
    NodeCollector graph;
    graph.plan(plan());
    for (int i = 0; i < 20; ++i) graph.stage(stage("bad" + std::to_string(i), State::final, Outcome::failed));
    std::vector<Edge> all;
    for (int i = 0; i < 20; ++i) all.push_back(broken_edge(NodeType::stage, "bad" + std::to_string(i)));
    graph.stage(skipped_for(stage("s0"), all));
    for (int i = 1; i < 20'000; ++i)
        graph.stage(skipped_for(stage("s" + std::to_string(i)),
                                {broken_edge(NodeType::stage, "s" + std::to_string(i - 1))}));
    // Nothing that the rules lead to, but no reason to go round for ever.
    graph.stage(skipped_for(stage("x"), {broken_edge(NodeType::stage, "y")}));
    graph.stage(
        skipped_for(stage("y"), {broken_edge(NodeType::stage, "x"), broken_edge(NodeType::check, "?")}));
    const PlanReport report(graph);
    const ReportCauses causes(report);
    CHECK(causes.causes_of({NodeType::stage, "s19999"}).size() == ReportCauses::kMaxCauses);
    CHECK(causes.skipped_after({NodeType::stage, "bad0"}).size() == 20'000);
    CHECK(causes.causes_of({NodeType::stage, "x"}).empty());
}
