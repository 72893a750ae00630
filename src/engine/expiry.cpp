// SPDX-License-Identifier: Apache-2.0
#include "engine/expiry.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

namespace turboci::engine {

namespace {

/// The stages of which the request speaks as the holder of their attempts.
std::unordered_set<std::string_view> spoken_for(const WriteNodes& request) {
    std::unordered_set<std::string_view> ids;
    StageWrite write;
    for (std::size_t i = 0; i < request.stages.size(); ++i) {
        request.stages.read(i, write);
        if (write.attempt && write.attempt->holder) ids.insert(request.stages.id(i));
    }
    return ids;
}

/// The attempt of a script: nobody can be asked to end it.
void end_expired(WorkingSet& nodes, Node& stage, AttemptRow& row) {
    const NodeBody body = nodes.body(stage);
    const auto& started = row.attempt.started_at;
    const bool timed_out = body.timeout && started && *started + *body.timeout <= nodes.now();
    End end{AttemptState::incomplete, timed_out ? Cause::timeout : Cause::silent, {}};
    end.failure = timed_out ? fmt::format("timed out after {}", format_duration(*body.timeout))
                            : fmt::format("no heartbeat for {}",
                                          format_duration(body.heartbeat.value_or(Duration::zero())));
    end_attempt(nodes, stage, row, std::move(end), Mover::orchestrator);
}

void mark_overdue(WorkingSet& nodes, Node& stage, AttemptRow& row) {
    const Duration timeout = nodes.body(stage).timeout.value_or(Duration::zero());
    mark_stopping(nodes, stage, row,
                  {nodes.now(), "orchestrator", fmt::format("timed out after {}", format_duration(timeout)),
                   Cause::timeout, false},
                  Mover::orchestrator);
}

}  // namespace

void expire_attempts(WorkingSet& nodes, const WriteNodes& request, const Holders& holders) {
    auto overdue = nodes.overdue_attempts();
    if (overdue.empty()) return;
    const auto spoken = spoken_for(request);
    for (AttemptRow& row : overdue) {
        Node& stage = nodes.get(row.stage);
        const bool orphan = is_orphan(row);
        if (!orphan && spoken.contains(stage.row.id)) continue;
        if (!orphan && !has_runner(row)) {
            end_expired(nodes, stage, row);
        } else if (holders.lives(row)) {
            mark_overdue(nodes, stage, row);
        } else {
            lose_attempt(nodes, stage, row);
        }
    }
}

void end_lost_attempts(WorkingSet& nodes, const Holders& holders) {
    for (AttemptRow& row : nodes.held_attempts())
        if (is_orphan(row) || (row.runner && !holders.lives(row)))
            lose_attempt(nodes, nodes.get(row.stage), row);
}

}  // namespace turboci::engine
