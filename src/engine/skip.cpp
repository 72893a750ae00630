// SPDX-License-Identifier: Apache-2.0
// Skipping by hand.
#include <fmt/core.h>

#include "engine/apply.hpp"
#include "engine/holder.hpp"
#include "engine/resolve.hpp"

namespace turboci::engine {

namespace {

void skip_by_hand(Session& session, Node& check, Position at) {
    WorkingSet& nodes = session.nodes;
    if (has_failure(nodes, check)) {
        session.problems.add(
            ErrorCode::invalid_state, at,
            fmt::format("{} has a result with a failure and cannot be skipped", name_of(check)));
        return;
    }
    const std::string& reason = session.request.reason;
    nodes.record(check, Mover::writer, "skip", "true");
    skip_check(nodes, check,
               reason.empty() ? fmt::format("skipped by {}", session.request.actor) : "skipped: " + reason,
               SkipCause::not_needed);
}

}  // namespace

void apply_skip(Session& session, Node& node, Position at) {
    WorkingSet& nodes = session.nodes;
    if (node.row.state == State::final) {
        if (node.row.outcome == Outcome::skipped) return;
        session.problems.add(ErrorCode::invalid_state, at,
                             fmt::format("{} is FINAL ({}) and cannot be skipped", name_of(node),
                                         to_string(node.row.outcome.value_or(Outcome::failed))));
        return;
    }
    if (node.row.type == NodeType::check) return skip_by_hand(session, node, at);
    const auto attempt = nodes.current_attempt(node);
    // One that was claimed ahead has begun if it speaks itself.
    const bool speaks = attempt && has_runner(*attempt, is_inside(session.request, node));
    if (attempt && (attempt->attempt.state == AttemptState::running || speaks)) {
        session.problems.add(
            ErrorCode::invalid_state, at,
            fmt::format("attempt {} of {} is RUNNING; what has begun is cancelled, not skipped",
                        attempt->attempt.idx, name_of(node)));
        return;
    }
    nodes.record(node, Mover::writer, "skip", "true");
    skip_stage(nodes, node, session.request.reason);
}

}  // namespace turboci::engine
