// SPDX-License-Identifier: Apache-2.0
#include "format/plan_graph.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace turboci {

namespace {

/// Every edge of a tree of groups; nesting is bounded by the plan file's.
void each_edge(const Predicate& predicate, const std::function<void(const Edge&)>& visit) {
    for (const Edge& edge : predicate.edges) visit(edge);
    for (const Predicate& group : predicate.groups) each_edge(group, visit);
}

}  // namespace

void PlanGraph::add(GraphNode node) {
    index_.emplace(to_string(node.ref), nodes_.size());
    for (const Assignment& a : node.assignments) assigned_to_[a.target_check_id].push_back(nodes_.size());
    nodes_.push_back(std::move(node));
}

void PlanGraph::check(const Check& check) {
    GraphNode node;
    node.ref = {NodeType::check, check.id};
    node.state = check.state;
    node.outcome = check.outcome;
    if (!check.state_history.empty() && check.state_history.back().state == State::final)
        node.ended = check.state_history.back().at;
    node.dependencies = check.dependencies;
    add(std::move(node));
}

void PlanGraph::stage(const Stage& stage) {
    GraphNode node;
    node.ref = {NodeType::stage, stage.id};
    node.state = stage.state;
    node.outcome = stage.outcome;
    node.dependencies = stage.dependencies;
    each_edge(stage.continuation_group, [&](const Edge& edge) {
        node.group.push_back(edge.target);
        continued_by_[edge.target.id].push_back(nodes_.size());
    });
    node.assignments = stage.assignments;
    if (!stage.attempts.empty()) {
        node.began = stage.attempts.front().started_at;
        node.ended = stage.attempts.back().ended_at;
    }
    add(std::move(node));
}

std::optional<std::size_t> PlanGraph::find(const NodeRef& ref) const {
    const auto found = index_.find(to_string(ref));
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

void PlanGraph::each_earlier(std::size_t i, const std::function<void(std::size_t)>& visit) const {
    // The members of a continuation group run after its stage, and before what waits for that.
    const auto visit_with_group = [&](const NodeRef& ref) {
        const auto target = find(ref);
        if (!target) return;
        visit(*target);
        for (const NodeRef& member : nodes_[*target].group)
            if (const auto at = find(member)) visit(*at);
    };
    const GraphNode& node = nodes_[i];
    each_edge(node.dependencies, [&](const Edge& edge) { visit_with_group(edge.target); });
    const auto& index = node.ref.type == NodeType::check ? assigned_to_ : continued_by_;
    if (const auto found = index.find(node.ref.id); found != index.end())
        for (const std::size_t stage : found->second) {
            if (node.ref.type == NodeType::check)
                visit_with_group(nodes_[stage].ref);
            else
                visit(stage);
        }
}

std::optional<std::size_t> PlanGraph::last_before(std::size_t i, Timestamp limit) const {
    std::optional<std::size_t> last;
    each_earlier(i, [&](std::size_t earlier) {
        const GraphNode& node = nodes_[earlier];
        if (earlier == i || !node.ended || *node.ended > limit || node.outcome == Outcome::skipped) return;
        // Of several that ended at the same moment a stage says more than a check.
        const auto rank = [](const GraphNode& n) {
            return std::pair(*n.ended, n.ref.type == NodeType::stage);
        };
        if (!last || rank(node) > rank(nodes_[*last])) last = earlier;
    });
    return last;
}

PlanGraph::Chain PlanGraph::critical_path(const std::function<bool(const std::string&)>& ran) const {
    const auto took_part = [&](const GraphNode& node) {
        return node.ref.type == NodeType::stage && node.began && node.ended && ran(node.ref.id);
    };
    std::optional<std::size_t> at;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (took_part(nodes_[i]) && (!at || *nodes_[i].ended > *nodes_[*at].ended)) at = i;
    }
    Chain chain;
    if (!at) return chain;
    const Timestamp end = *nodes_[*at].ended;
    Timestamp begin = end;
    Duration working{0};
    // Assignments may lead round a circle.
    std::unordered_set<std::size_t> visited;
    while (at && visited.insert(*at).second) {
        const GraphNode& node = nodes_[*at];
        Timestamp limit = *node.ended;
        if (node.ref.type == NodeType::stage) {
            if (!took_part(node)) break;  // it was over before the run began
            chain.stages.push_back(node.ref.id);
            working += std::max(*node.ended - *node.began, Duration::zero());
            begin = limit = *node.began;
        }
        at = last_before(*at, limit);
    }
    std::reverse(chain.stages.begin(), chain.stages.end());
    chain.length = std::max(end - begin, Duration::zero());
    chain.waiting = std::max(chain.length - working, Duration::zero());
    return chain;
}

}  // namespace turboci
