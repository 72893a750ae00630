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
    bool collapse_by_kind = false;  ///< one box per kind of check, and per set of stages with the same targets
    RankDir rankdir = RankDir::LR;
    bool color = false;  ///< tree only
};

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

/// Edges to nodes outside the selection are left out.
[[nodiscard]] std::string render_graph(const GraphCollector& graph, const GraphOptions& options);

}  // namespace turboci
