// SPDX-License-Identifier: Apache-2.0
#include "service/apply.hpp"

#include <fmt/format.h>

#include "service/resolve.hpp"

namespace turboci::service {

std::string name_of(const Node& node) { return fmt::format("{}:{}", to_string(node.row.type), node.row.id); }

void create_nodes(Session& session) {
    WorkingSet& nodes = session.nodes;
    for (const CheckWrite& write : session.request.checks) {
        Node* check = nodes.find(NodeType::check, write.id);
        if (check == nullptr) {
            check = &nodes.create(NodeType::check, write.id, write.state.value_or(State::planning));
            check->check_write = &write;
        }
        session.checks.push_back(check);
    }
    for (const StageWrite& write : session.request.stages) {
        Node* stage = nodes.find(NodeType::stage, write.id);
        if (stage == nullptr) {
            stage = &nodes.create(NodeType::stage, write.id, State::planned);
            stage->stage_write = &write;
        }
        session.stages.push_back(stage);
    }
}

void apply_writes(Session& session) {
    const auto& checks = session.request.checks;
    const auto& stages = session.request.stages;
    // States and outcomes first: predicates count what their targets are.
    std::vector<bool> open;
    open.reserve(checks.size());
    for (std::size_t i = 0; i < checks.size(); ++i) {
        open.push_back(session.checks[i]->row.state == State::planning);
        apply_check(session, *session.checks[i], checks[i]);
    }
    for (std::size_t i = 0; i < checks.size(); ++i)
        apply_check_predicate(session, *session.checks[i], checks[i], open[i]);
    for (std::size_t i = 0; i < stages.size(); ++i) apply_stage(session, *session.stages[i], stages[i]);
}

void apply_late(Session& session) {
    for (const auto& [check, write] : session.late_results) apply_results(session, *check, *write, false);
    for (const auto& [stage, write] : session.late_stages) {
        if (write->attempt) apply_attempt(session, *stage, *write->attempt);
        if (write->cancel) apply_cancel(session, *stage, *write);
    }
}

}  // namespace turboci::service
