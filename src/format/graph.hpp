// SPDX-License-Identifier: Apache-2.0
// A plan's graph as DOT, Mermaid, JSON or an indented tree. Deterministic; escaped by each grammar.
#pragma once

#include <string>
#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

enum class GraphFormat { dot, mermaid, json, tree };
enum class RankDir { LR, TB };

struct GraphOptions {
    GraphFormat format = GraphFormat::dot;
    /// One box per kind of check, and per set of stages with the same targets (with targets of the same
    /// kinds, where that would still be more than kMaxTargetBoxes); edges between boxes are counted.
    bool collapse_by_kind = false;
    RankDir rankdir = RankDir::LR;
    bool color = false;  ///< tree only
};
inline constexpr std::size_t kMaxTargetBoxes = 24;

/// Keeps what a query finds, to be drawn.
class GraphCollector : public NodeSink {
public:
    void plan(const WorkPlan& plan) override { plan_ = plan; }
    void check(const Check& check) override { checks_.push_back(check); }
    void stage(const Stage& stage) override { stages_.push_back(stage); }
    [[nodiscard]] const WorkPlan& plan() const { return plan_; }
    [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
    [[nodiscard]] const std::vector<Stage>& stages() const { return stages_; }

private:
    WorkPlan plan_;
    std::vector<Check> checks_;
    std::vector<Stage> stages_;
};

/// The text, with a newline at the end. Edges to nodes outside the selection are left out.
///
/// Arrows point the way that work flows: from a dependency to what waits for it, from a stage to the check
/// that it answers. DOT names nodes by their references. JSON, on one line:
/// {"plan":ID,"nodes":[{"ref","type","kind","state","outcome"}…],
///  "edges":[{"from":REF,"to":REF,"kind":"dependency|continuation|assignment","on_state","when","goal_state",
///            "group","resolved","satisfied"}…],
///  "groups":[{"id","owner":REF,"role":"dependencies|continuation_group","parent":ID|null,"predicate",
///             "threshold","members","resolution"}…]}
/// with null for what does not apply; `kind` of a stage is null. Collapsed:
/// {"plan":ID,"nodes":[{"ref":BOX,"type","label","count","states":[{"state","outcome","count"}…]}…],
///  "edges":[{"from":BOX,"to":BOX,"kind","label","count"}…],"groups":[]}
[[nodiscard]] std::string render_graph(const GraphCollector& graph, const GraphOptions& options);

}  // namespace turboci
