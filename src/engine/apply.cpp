// SPDX-License-Identifier: Apache-2.0
#include "engine/apply.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "engine/resolve.hpp"

namespace turboci::engine {

std::string name_of(const Node& node) { return fmt::format("{}:{}", to_string(node.row.type), node.row.id); }

void create_nodes(Session& session) {
    WorkingSet& nodes = session.nodes;
    const auto& checks = session.request.checks;
    const auto& stages = session.request.stages;
    nodes.expect(checks.size() + stages.size());
    session.checks.reserve(checks.size());
    session.stages.reserve(stages.size());
    CheckWrite check;
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const std::string_view id = checks.id(i);
        Node* node = nodes.find(NodeType::check, id);
        if (node == nullptr) {
            checks.read_head(i, check);
            node = &nodes.create(NodeType::check, id, check.state.value_or(State::planning), i);
            node->row.required = check.required.value_or(true);
        }
        session.checks.push_back(node);
    }
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const std::string_view id = stages.id(i);
        Node* node = nodes.find(NodeType::stage, id);
        if (node == nullptr) node = &nodes.create(NodeType::stage, id, State::planned, i);
        session.stages.push_back(node);
    }
}

namespace {

// So many nodes are asked about at once.
constexpr std::size_t kBatch = 1'000;

using Comparison = WorkingSet::Comparison;

Comparison comparison_of(const Node* node, const CheckWrite& write) {
    return {node, write.options || write.condition, static_cast<bool>(write.dependencies), false, false};
}
Comparison comparison_of(const Node* node, const StageWrite& write) {
    return {node, sets_body(write), static_cast<bool>(write.dependencies),
            static_cast<bool>(write.continuation_group), write.assignments.has_value()};
}

/// The writes from `begin` on that are about nodes that are there already.
template <class Writes>
void foresee_batch(Session& session, const Writes& writes, const std::vector<Node*>& nodes,
                   std::size_t begin) {
    if (begin % kBatch != 0) return;
    std::vector<Comparison> batch;
    std::decay_t<decltype(writes[0])> write;
    for (std::size_t i = begin; i < std::min(begin + kBatch, nodes.size()); ++i) {
        if (nodes[i]->is_new()) continue;
        writes.read(i, write);
        batch.push_back(comparison_of(nodes[i], write));
    }
    if (!batch.empty()) session.nodes.foresee_comparisons(batch);
}

}  // namespace

void apply_writes(Session& session) {
    const auto& checks = session.request.checks;
    const auto& stages = session.request.stages;
    // States and outcomes first: predicates count what their targets are.
    std::vector<bool> open;
    open.reserve(checks.size());
    CheckWrite check;
    for (std::size_t i = 0; i < checks.size(); ++i) {
        foresee_batch(session, checks, session.checks, i);
        checks.read(i, check);
        open.push_back(session.checks[i]->row.state == State::planning);
        apply_check(session, *session.checks[i], check);
    }
    for (std::size_t i = 0; i < checks.size(); ++i) {
        foresee_batch(session, checks, session.checks, i);
        checks.read(i, check);
        apply_check_predicate(session, *session.checks[i], check, open[i]);
    }
    StageWrite stage;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        foresee_batch(session, stages, session.stages, i);
        stages.read(i, stage);
        apply_stage(session, *session.stages[i], stage);
    }
}

void apply_late(Session& session) {
    for (const auto& [check, write] : session.late_results) apply_results(session, *check, write, false);
    for (const auto& [stage, write] : session.late_stages) apply_moves(session, *stage, write);
    for (const auto& [check, at] : session.skipped_checks) apply_skip(session, *check, at);
}

}  // namespace turboci::engine
