// SPDX-License-Identifier: Apache-2.0
#include "engine/fates.hpp"

#include <algorithm>

#include "engine/answers.hpp"
#include "turboci/error.hpp"
#include "turboci/verdict.hpp"

namespace turboci::engine {

OldPlan::OldPlan(std::span<const NodeRecord> nodes) : nodes_(nodes) {
    indexes_.reserve(nodes.size());
    counted_.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        indexes_.emplace(nodes[i].row.key, i);
        if (!nodes[i].results.empty()) counted_[i] = counted_results(nodes[i].results);
    }
}

std::size_t OldPlan::index(NodeKey key) const {
    const auto found = indexes_.find(key);
    if (found == indexes_.end())
        throw Error(ErrorCode::store, "the store is damaged: a row names a node of another plan");
    return found->second;
}

bool OldPlan::is_required(std::size_t node) const {
    if (nodes_[node].row.type == NodeType::check) return nodes_[node].row.required;
    const auto& assignments = nodes_[node].assignments;
    const bool any_required = std::ranges::any_of(
        assignments, [&](const AssignmentRecord& a) { return nodes_[index(a.row.check)].row.required; });
    return stage_is_required(!assignments.empty(), any_required);
}

bool OldPlan::is_bad(const ResultRow& result) const {
    if (result.result.failure) return true;
    if (result.stage == NodeKey::none) return false;
    const auto& attempts = nodes_[index(result.stage)].attempts;
    const auto writer =
        std::ranges::find(attempts, result.attempt, [](const AttemptRow& row) { return row.attempt.idx; });
    return writer != attempts.end() && writer->attempt.state == AttemptState::incomplete;
}

namespace {

using Definition = NodePlans::Definition;

class Fates {
public:
    Fates(const OldPlan& plan, std::span<const NodePlans> plans)
        : plan_(plan), plans_(plans), nodes_(plan.size()), fates_(plan.size(), Fate::carried) {}

    std::vector<Fate> decide() {
        for (std::size_t i = 0; i < plan_.size(); ++i) connect(i);
        for (std::size_t i = 0; i < plan_.size(); ++i) {
            if (plans_[i].definition == Definition::none) lower(i, Fate::left_out);
            if (!may_be_carried(i)) lower(i, Fate::again);
        }
        while (!lowered_.empty()) {
            const std::size_t i = lowered_.back();
            lowered_.pop_back();
            for (const std::size_t follower : nodes_[i].followers) lower(follower, Fate::again);
            for (const std::size_t written : nodes_[i].wrote) lower(written, Fate::left_out);
        }
        return std::move(fates_);
    }

private:
    struct Linked {
        std::vector<std::size_t> followers;  ///< begin anew if it does not stay
        std::vector<std::size_t> wrote;      ///< are left to it if it does not stay
        bool failed = false;                 ///< a stage: one of its results in a required check is a failure
        bool questioned = false;             ///< a stage: a check that it answers is named or another one now
    };

    [[nodiscard]] bool is_another(std::size_t i) const {
        return plans_[i].named || plans_[i].definition == Definition::other;
    }

    void connect(std::size_t i) {
        const NodeRecord& node = plan_[i];
        for (const EdgeRecord& edge : node.edges)
            if (edge.edge.role == PredicateRole::dependencies)
                nodes_[plan_.index(edge.edge.target)].followers.push_back(i);
        if (plans_[i].definition == Definition::of_author)
            nodes_[plan_.index(node.body.created_by)].wrote.push_back(i);
        if (node.row.type == NodeType::stage) return connect_assignments(i);
        for (const ResultRow* result : plan_.counted(i)) {
            if (result->stage == NodeKey::none) continue;
            Linked& stage = nodes_[plan_.index(result->stage)];
            stage.followers.push_back(i);
            stage.failed = stage.failed || (node.row.required && plan_.is_bad(*result));
            stage.questioned = stage.questioned || is_another(i);
        }
    }
    void connect_assignments(std::size_t i) {
        Linked& stage = nodes_[i];
        for (const AssignmentRecord& assignment : plan_[i].assignments) {
            const std::size_t check = plan_.index(assignment.row.check);
            stage.followers.push_back(check);
            stage.questioned = stage.questioned || is_another(check);
        }
    }

    [[nodiscard]] bool may_be_carried(std::size_t i) const {
        if (is_another(i) || plans_[i].gained || nodes_[i].failed || nodes_[i].questioned) return false;
        const auto outcome = plan_[i].row.outcome;
        return outcome == Outcome::passed || (outcome == Outcome::failed && !plan_.is_required(i));
    }

    void lower(std::size_t i, Fate fate) {
        if (fates_[i] >= fate) return;
        const bool was_carried = fates_[i] == Fate::carried;
        fates_[i] = fate;
        if (was_carried) lowered_.push_back(i);
    }

    const OldPlan& plan_;
    std::span<const NodePlans> plans_;
    std::vector<Linked> nodes_;
    std::vector<Fate> fates_;
    std::vector<std::size_t> lowered_;  ///< whose followers have not been told yet
};

}  // namespace

std::vector<Fate> decide_fates(const OldPlan& plan, std::span<const NodePlans> plans) {
    return Fates(plan, plans).decide();
}

}  // namespace turboci::engine
