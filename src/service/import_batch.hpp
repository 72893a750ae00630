// SPDX-License-Identifier: Apache-2.0
// Rows of an imported plan, many of which go to the store together.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

struct ImportBatch {
    std::vector<NodeRow> nodes;
    std::vector<NodeBody> bodies;  ///< of `nodes`
    std::vector<GroupRow> groups;
    std::vector<TypedEdge> edges;
    std::vector<AssignmentRow> assignments;
    std::vector<GoalRow> goals;
    std::vector<ClassRow> classes;
    std::vector<AttemptRow> attempts;
    std::vector<ProgressRow> progress;
    std::vector<ResultRow> results;
    std::vector<StateCount> counts;

    /// What is known when all nodes have been read.
    void finish(const std::map<std::pair<NodeKey, State>, GoalRow>& all_goals,
                const std::map<std::tuple<NodeType, State, int>, std::int64_t>& all_counts) {
        for (const auto& [key, goal] : all_goals) goals.push_back(goal);
        for (const auto& [key, count] : all_counts) {
            const auto& [type, state, outcome] = key;
            counts.push_back({type, state,
                              outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(outcome)),
                              count});
        }
    }
    /// Refers to this.
    [[nodiscard]] ChangeSet change_set() const {
        ChangeSet changes;
        changes.created = Rows(nodes);
        changes.created_bodies = Rows(bodies);
        changes.new_groups = Rows(groups);
        changes.edges = Rows(edges);
        changes.assignments = Rows(assignments);
        changes.goals = Rows(goals);
        changes.new_classes = classes;
        changes.new_attempts = Rows(attempts);
        changes.progress = Rows(progress);
        changes.new_results = Rows(results);
        changes.counts = counts;
        return changes;
    }
};

}  // namespace turboci::service
