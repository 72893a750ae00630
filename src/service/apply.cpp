// SPDX-License-Identifier: Apache-2.0
#include "service/apply.hpp"

#include <fmt/format.h>

#include "service/resolve.hpp"

namespace turboci::service {

std::string name_of(const Node& node) { return fmt::format("{}:{}", to_string(node.row.type), node.row.id); }

void create_nodes(Session& session) {
    WorkingSet& nodes = session.nodes;
    for (const CheckWrite& write : session.request.checks)
        if (nodes.find(NodeType::check, write.id) == nullptr)
            nodes.create(NodeType::check, write.id, write.state.value_or(State::planning)).check_write =
                &write;
    for (const StageWrite& write : session.request.stages)
        if (nodes.find(NodeType::stage, write.id) == nullptr)
            nodes.create(NodeType::stage, write.id, State::planned).stage_write = &write;
}

void apply_writes(Session& session) {
    WorkingSet& nodes = session.nodes;
    // States and outcomes first: predicates count what their targets are.
    std::vector<bool> open;
    open.reserve(session.request.checks.size());
    for (const CheckWrite& write : session.request.checks) {
        Node& check = *nodes.find(NodeType::check, write.id);
        open.push_back(check.row.state == State::planning);
        apply_check(session, check, write);
    }
    std::size_t i = 0;
    for (const CheckWrite& write : session.request.checks)
        apply_check_predicate(session, *nodes.find(NodeType::check, write.id), write, open[i++]);
    for (const StageWrite& write : session.request.stages)
        apply_stage(session, *nodes.find(NodeType::stage, write.id), write);
}

void apply_late(Session& session) {
    for (const auto& [check, write] : session.late_results) apply_results(session, *check, *write, false);
    for (const auto& [stage, write] : session.late_stages) {
        if (write->attempt) apply_attempt(session, *stage, *write->attempt);
        if (write->cancel) apply_cancel(session, *stage, *write);
    }
}

}  // namespace turboci::service
