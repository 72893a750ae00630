// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request whatever the plan.
#include "model.hpp"

namespace turboci::model {

void Model::validate(const PredicateSpec& group, bool root, bool continuation) {
    const auto members = static_cast<std::int64_t>(group.edges.size() + group.groups.size());
    if (members == 0) {
        if (!root || group.kind != GroupKind::all) refuse(ErrorCode::invalid_dependency);
    } else if (group.kind == GroupKind::at_least && (group.at_least < 1 || group.at_least > members)) {
        refuse(ErrorCode::invalid_dependency);
    }
    for (const auto& e : group.edges) {
        if (continuation && e.target.type == NodeType::check) refuse(ErrorCode::invalid_dependency);
        if (e.target.type && rank(*e.target.type, e.on_state) == 0) refuse(ErrorCode::invalid_argument);
        if (e.when && e.on_state != State::final) refuse(ErrorCode::invalid_argument);
    }
    for (const auto& g : group.groups) validate(g, false, continuation);
}

void Model::validate(const WriteNodes& request) {
    const auto invalid = [&](bool wrong) {
        if (wrong) refuse(ErrorCode::invalid_argument);
    };
    std::set<std::string> checks, stages;
    for (const auto& c : request.checks) {
        invalid(!checks.insert(c.id).second);
        invalid(c.state && rank(NodeType::check, *c.state) == 0);
        if (c.dependencies) validate(*c.dependencies, true, false);
        for (const auto& r : c.results) invalid(r.failure && r.clear_failure);
    }
    std::set<std::string> limits;
    for (const auto& l : request.limits) invalid(l.count < 1 || !limits.insert(l.name).second);
    for (const auto& s : request.stages) {
        invalid(!stages.insert(s.id).second);
        if (s.uses)
            for (const auto& use : *s.uses) invalid(use.count < 1);
        invalid(s.runner == "*");
        if (s.dependencies) validate(*s.dependencies, true, false);
        if (s.continuation_group) validate(*s.continuation_group, true, true);
        if (s.assignments)
            for (const auto& a : *s.assignments)
                invalid(a.goal_state != State::planned && a.goal_state != State::waiting &&
                        a.goal_state != State::final);
        if (!s.attempt || s.attempt->state == AttemptState::incomplete) continue;
        invalid(s.attempt->failure.has_value() || s.attempt->no_retry);
    }
}

}  // namespace turboci::model
