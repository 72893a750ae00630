// SPDX-License-Identifier: Apache-2.0
#include "service/expiry.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "service/resolve.hpp"

namespace turboci::service {

namespace {

bool speaks_for(const WriteNodes& request, const Node& stage, const AttemptRow& row) {
    if (!row.runner) return false;
    for (std::size_t i = 0; i < request.stages.size(); ++i) {
        if (request.stages.id(i) != stage.row.id) continue;
        const StageWrite write = request.stages[i];
        return write.attempt && write.attempt->runner == row.runner;
    }
    return false;
}

}  // namespace

void expire_attempts(WorkingSet& nodes, const WriteNodes& request) {
    for (AttemptRow& row : nodes.uow().overdue_attempts(nodes.plan(), nodes.now())) {
        Node& stage = nodes.get(row.stage);
        if (speaks_for(request, stage, row)) continue;
        const NodeBody body = nodes.body(stage);
        const bool timed_out =
            body.timeout && row.started_at && *row.started_at + *body.timeout <= nodes.now();
        const std::string failure =
            timed_out ? fmt::format("timed out after {}", format_duration(*body.timeout))
                      : fmt::format("no heartbeat for {}",
                                    format_duration(body.heartbeat.value_or(Duration::zero())));
        end_attempt(nodes, stage, row, AttemptState::incomplete, failure, false, Mover::orchestrator);
    }
}

void end_lost_attempts(WorkingSet& nodes, const Orchestrator::RunnerProbe& alive) {
    for (AttemptRow& row : nodes.uow().held_attempts(nodes.plan()))
        if (row.runner && !alive(*row.runner))
            end_attempt(nodes, nodes.get(row.stage), row, AttemptState::incomplete, "lost: runner died",
                        false, Mover::orchestrator);
}

}  // namespace turboci::service
