// SPDX-License-Identifier: Apache-2.0
#include "service/expiry.hpp"

#include <fmt/format.h>

#include "service/resolve.hpp"

namespace turboci::service {

void expire_attempts(WorkingSet& nodes) {
    for (AttemptRow& row : nodes.uow().overdue_attempts(nodes.plan(), nodes.now())) {
        Node& stage = nodes.get(row.stage);
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
