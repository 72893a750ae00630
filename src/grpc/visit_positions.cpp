// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "grpc/convert.hpp"

namespace turboci::rpc {

namespace {

using Visit = std::function<void(const Position&)>;

void visit_all(const PredicateSpec& spec, const Visit& visit) {
    visit(spec.at);
    for (const auto& edge : spec.edges) visit(edge.at);
    for (const auto& group : spec.groups) visit_all(group, visit);
}
void visit_all(const std::optional<PredicateSpec>& spec, const Visit& visit) {
    if (spec) visit_all(*spec, visit);
}
void visit_all(const std::optional<std::vector<ConditionSpec>>& conditions, const Visit& visit) {
    if (!conditions) return;
    for (const auto& condition : *conditions) visit(condition.at);
}

void visit_all(const CheckWrite& check, const Visit& visit) {
    visit(check.at);
    visit(check.id_at);
    visit_all(check.dependencies, visit);
    visit_all(check.condition, visit);
    for (const auto& result : check.results) visit(result.at);
}

void visit_all(const StageWrite& stage, const Visit& visit) {
    visit(stage.at);
    visit(stage.id_at);
    visit_all(stage.dependencies, visit);
    if (stage.assignments)
        for (const auto& assignment : *stage.assignments) visit(assignment.at);
    visit_all(stage.condition, visit);
    visit_all(stage.continuation_group, visit);
    if (stage.attempt) visit(stage.attempt->at);
}

}  // namespace

void visit_positions(const WriteNodes& request, const Visit& visit) {
    visit(request.limits_at);
    for (std::size_t i = 0; i < request.checks.size(); ++i) visit_all(request.checks[i], visit);
    for (std::size_t i = 0; i < request.stages.size(); ++i) visit_all(request.stages[i], visit);
}

}  // namespace turboci::rpc
