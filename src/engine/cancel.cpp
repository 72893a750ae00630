// SPDX-License-Identifier: Apache-2.0
#include "engine/cancel.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engine/resolve.hpp"

namespace turboci::engine {

namespace {

/// Tells the stages that clean up from all others.
class CleanUp {
public:
    /// Looks at these stages, and at those that they depend on.
    CleanUp(WorkingSet& nodes, const std::vector<Node*>& stages) : nodes_(nodes) {
        std::vector<Node*> wave = stages;
        while (!wave.empty()) {
            nodes_.foresee_dependencies(wave);
            std::vector<Node*> next;
            for (Node* stage : wave) look_at(*stage, next);
            wave = std::move(next);
        }
        decide();
    }
    [[nodiscard]] bool contains(const Node& stage) const { return cleaning_.contains(&stage); }

private:
    /// Does the edge wait for the end of something, and not for its success?
    static bool follows_trouble(const EdgeRow& edge) { return !wants_no_failure(edge.on_state, edge.when); }

    void look_at(Node& stage, std::vector<Node*>& next) {
        if (!seen_.insert(&stage).second) return;
        const auto edges = nodes_.edges_of(stage, PredicateRole::dependencies);
        if (edges.empty()) return;
        if (std::ranges::all_of(edges, follows_trouble)) {
            cleaning_.insert(&stage);
            found_.push_back(&stage);
            return;
        }
        const auto is_stage = [&](const EdgeRow& edge) {
            return nodes_.get(edge.target).row.type == NodeType::stage;
        };
        if (!std::ranges::all_of(edges, is_stage)) return;
        // It cleans up if all that it depends on does.
        std::unordered_set<Node*> targets;
        for (const EdgeRow& edge : edges) targets.insert(&nodes_.get(edge.target));
        left_[&stage] = targets.size();
        for (Node* target : targets) {
            dependents_[target].push_back(&stage);
            next.push_back(target);
        }
    }

    void decide() {
        while (!found_.empty()) {
            Node* const stage = found_.back();
            found_.pop_back();
            for (Node* dependent : dependents_[stage])
                if (--left_[dependent] == 0) {
                    cleaning_.insert(dependent);
                    found_.push_back(dependent);
                }
        }
    }

    WorkingSet& nodes_;
    std::unordered_set<const Node*> seen_, cleaning_;
    std::unordered_map<Node*, std::size_t> left_;
    std::unordered_map<Node*, std::vector<Node*>> dependents_;
    std::vector<Node*> found_;
};

void cancel_stages(Session& session, const std::vector<Node*>& stages, bool clean_up_too) {
    const CleanUp clean_up(session.nodes, clean_up_too ? std::vector<Node*>() : stages);
    for (Node* stage : stages)
        if (!clean_up.contains(*stage)) apply_cancel(session, *stage, {});
}

/// A check that no stage answers will not be answered any more.
void skip_unassigned(Session& session, const std::vector<Node*>& checks) {
    for (Node* check : checks) {
        const auto& goals = session.nodes.goals(*check);
        const bool assigned = std::ranges::any_of(goals, [](const GoalRow& g) { return g.stages > 0; });
        if (!assigned) skip_check(session.nodes, *check, "plan cancelled", SkipCause::upstream);
    }
}

}  // namespace

void cancel_new_stages(Session& session) {
    std::vector<Node*> stages = session.nodes.created_nodes;
    std::erase_if(stages, [](const Node* node) { return node->row.type != NodeType::stage; });
    cancel_stages(session, stages, false);
}

void apply_plan_cancel(Session& session) {
    WorkingSet& nodes = session.nodes;
    const auto is_stage = [](const Node* node) { return node->row.type == NodeType::stage; };
    const bool clean_up_too = session.request.cancel->clean_up_too;
    const auto& only = session.request.cancel->only;
    std::vector<Node*> stages, checks;
    for (Node* node : nodes.foresee_open_nodes()) (is_stage(node) ? stages : checks).push_back(node);
    if (!only.empty()) {
        const std::unordered_set<std::string_view> named(only.begin(), only.end());
        std::erase_if(stages, [&](const Node* stage) { return !named.contains(stage->row.id); });
        return cancel_stages(session, stages, clean_up_too);
    }
    if (!session.cancelled)
        session.cancelled = PlanCancelled{nodes.now(), session.request.actor, session.request.reason};
    cancel_stages(session, stages, clean_up_too);
    skip_unassigned(session, checks);
}

}  // namespace turboci::engine
