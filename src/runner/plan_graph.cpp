// SPDX-License-Identifier: Apache-2.0
#include "runner/plan_graph.hpp"

#include <algorithm>
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
    node.history = check.state_history;
    node.dependencies = check.dependencies;
    add(std::move(node));
}

void PlanGraph::stage(const Stage& stage) {
    GraphNode node;
    node.ref = {NodeType::stage, stage.id};
    node.state = stage.state;
    node.outcome = stage.outcome;
    node.history = stage.state_history;
    node.dependencies = stage.dependencies;
    each_edge(stage.continuation_group, [&](const Edge& edge) {
        node.group.push_back(edge.target);
        continued_by_[edge.target.id].push_back(nodes_.size());
    });
    node.assignments = stage.assignments;
    node.args = stage.args;
    if (!stage.attempts.empty()) node.not_before = stage.attempts.back().not_before;
    node.claimable = stage.attempts.empty() || stage.attempts.back().state == AttemptState::pending;
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

PlanGraph::Chain PlanGraph::longest_chain(const std::unordered_map<std::string, Duration>& durations) const {
    struct Best {
        Duration length{0};
        std::optional<std::size_t> before;
        enum { unseen, open, done } mark = unseen;
    };
    std::vector<Best> best(nodes_.size());
    const auto own = [&](std::size_t i) {
        const auto found =
            nodes_[i].ref.type == NodeType::stage ? durations.find(nodes_[i].ref.id) : durations.end();
        return found == durations.end() ? Duration::zero() : found->second;
    };
    // Depth first with a stack of our own: chains are longer than the machine's stack is deep. Needs that
    // are still open lead round a circle of assignments and are left out.
    std::optional<std::size_t> last;
    for (std::size_t root = 0; root < nodes_.size(); ++root) {
        std::vector<std::size_t> stack{root};
        while (!stack.empty()) {
            const std::size_t i = stack.back();
            if (best[i].mark == Best::unseen) {
                best[i].mark = Best::open;
                each_earlier(i, [&](std::size_t need) {
                    if (best[need].mark == Best::unseen) stack.push_back(need);
                });
                continue;
            }
            stack.pop_back();
            if (best[i].mark == Best::done) continue;
            best[i].mark = Best::done;
            Duration before{0};
            each_earlier(i, [&](std::size_t need) {
                if (best[need].mark != Best::done || need == i || best[need].length <= before) return;
                before = best[need].length;
                best[i].before = need;
            });
            best[i].length = before + own(i);
            if (best[i].length > Duration::zero() && (!last || best[i].length > best[*last].length)) last = i;
        }
    }
    Chain chain;
    if (last) chain.length = best[*last].length;
    for (std::optional<std::size_t> i = last; i; i = best[*i].before) {
        if (own(*i) > Duration::zero()) chain.stages.push_back(nodes_[*i].ref.id);
    }
    std::reverse(chain.stages.begin(), chain.stages.end());
    return chain;
}

}  // namespace turboci
