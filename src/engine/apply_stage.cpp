// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "domain/quotes.hpp"
#include "engine/apply.hpp"
#include "engine/condition.hpp"
#include "engine/holder.hpp"
#include "engine/predicates.hpp"
#include "engine/resolve.hpp"

namespace turboci::engine {

namespace {

void refuse_change(Session& session, const Node& stage, Position at, std::string_view what) {
    session.problems.add(
        ErrorCode::invalid_state, at,
        fmt::format("{} exists with other {}, which are fixed at creation", name_of(stage), what));
}

/// Assignments with their checks looked up; duplicates merged.
std::vector<AssignmentRow> resolve_assignments(Session& session, Node& stage, const StageWrite& write) {
    std::vector<AssignmentRow> rows;
    std::set<std::pair<NodeKey, State>> known;
    for (const auto& spec : *write.assignments) {
        Node* check = session.nodes.find(NodeType::check, spec.target_check_id);
        if (check == nullptr) {
            session.problems.add(
                ErrorCode::invalid_dependency, spec.at,
                fmt::format("{} is assigned to check:{}, which is neither in the plan nor in this write",
                            name_of(stage), spec.target_check_id));
            continue;
        }
        if (known.emplace(check->row.key, spec.goal_state).second)
            rows.push_back(
                {stage.row.key, static_cast<std::int32_t>(rows.size()), check->row.key, spec.goal_state});
    }
    return rows;
}

void create_assignments(Session& session, Node& stage, const std::vector<AssignmentRow>& rows) {
    session.nodes.set_assignments(stage, rows);
    for (const AssignmentRow& row : rows) {
        GoalRow& goal = session.nodes.goal(session.nodes.get(row.check), row.goal);
        ++goal.stages;
        ++goal.open;
    }
}

bool same_assignments(std::vector<AssignmentRow> a, std::vector<AssignmentRow> b) {
    const auto key = [](const AssignmentRow& r) { return std::pair(r.check, r.goal); };
    std::ranges::sort(a, {}, key);
    std::ranges::sort(b, {}, key);
    return std::ranges::equal(a, b, {}, key, key);
}

/// A stage can only use what there is.
void check_uses(Session& session, const Node& stage, const StageWrite& write) {
    const auto refuse = [&](std::string why) {
        session.problems.add(ErrorCode::invalid_argument, write.at, std::move(why));
    };
    for (const Use& use : *write.uses) {
        const auto limit = std::ranges::find(session.limits, use.limit, &Limit::name);
        if (limit == session.limits.end())
            refuse(fmt::format("{} uses {}, which is none of the plan's limits", name_of(stage),
                               in_quotes(use.limit)));
        else if (use.count > limit->count)
            refuse(fmt::format("{} uses {} of {}, of which there are {}", name_of(stage), use.count,
                               in_quotes(use.limit), limit->count));
    }
}

void create_class(Session& session, Node& stage, const StageWrite& write) {
    if (!write.runner && !write.uses) return;
    if (write.uses) check_uses(session, stage, write);
    stage.class_number =
        session.nodes.class_of(write.runner.value_or(""), write.uses.value_or(std::vector<Use>()));
}

/// What is fixed at creation must be what it was.
void compare_fixed(Session& session, Node& stage, const StageWrite& write) {
    if (sets_body(write)) {
        const NodeBody body = session.nodes.body(stage);
        if (write.args && !same_json(*write.args, body.json)) refuse_change(session, stage, write.at, "args");
        const bool policy = (write.retry && *write.retry != body.retry) ||
                            (write.timeout && write.timeout != body.timeout) ||
                            (write.heartbeat && write.heartbeat != body.heartbeat) ||
                            (write.silence && write.silence != body.silence);
        if (policy) refuse_change(session, stage, write.at, "policy (retry, timeout, heartbeat, silence)");
        if (write.runner && *write.runner != body.runner) refuse_change(session, stage, write.at, "runner");
        if (write.uses && *write.uses != body.uses) refuse_change(session, stage, write.at, "uses");
    }
    if (write.assignments) {
        const std::size_t problems = session.problems.size();
        auto rows = resolve_assignments(session, stage, write);
        if (session.problems.size() == problems &&
            !same_assignments(std::move(rows), session.nodes.assignments_of(stage.row.key)))
            refuse_change(session, stage, write.at, "assignments");
    }
}

void apply_stage_predicate(Session& session, Node& stage, PredicateRole role, const PredicateSpec& spec,
                           Position at) {
    const std::size_t problems = session.problems.size();
    FlatPredicate flat = flatten(session.nodes, session.problems, stage, role, spec);
    if (session.problems.size() != problems) return;
    if (!stage.is_new() && same_predicate(session.nodes, stage, flat)) return;
    if (role == PredicateRole::dependencies) {
        if (!stage.is_new()) return refuse_change(session, stage, at, "dependencies");
    } else {
        if (stage.row.state != State::planned && stage.row.state != State::attempting) {
            session.problems.add(
                ErrorCode::invalid_state, at,
                fmt::format("{} is {}; its continuation group can be set until its attempts are over",
                            name_of(stage), to_string(stage.row.state)));
            return;
        }
        if (!stage.is_new())
            session.nodes.record(stage, Mover::writer, "continuation_group", edges_json(session.nodes, flat));
    }
    set_predicate(session.nodes, stage, role, std::move(flat));
}

}  // namespace

void apply_stage(Session& session, Node& stage, const StageWrite& write) {
    if (stage.is_new()) {
        if (write.assignments) create_assignments(session, stage, resolve_assignments(session, stage, write));
        create_class(session, stage, write);
        session.nodes.enqueue(stage);
    } else {
        compare_fixed(session, stage, write);
    }
    if (write.dependencies)
        apply_stage_predicate(session, stage, PredicateRole::dependencies, *write.dependencies, write.at);
    if (write.continuation_group)
        apply_stage_predicate(session, stage, PredicateRole::continuation, *write.continuation_group,
                              write.at);
    if (write.condition) apply_condition(session, stage, *write.condition, write.at, false);
    const bool moves = write.attempt || write.state || write.cancel || write.skip;
    if (moves && stage.is_new())
        session.late_stages.emplace_back(&stage, write);
    else if (moves)
        apply_moves(session, stage, write);
}

namespace {

/// The end of the live attempt of a stage that its writer calls FINAL.
AttemptWrite ending(const StageWrite& write) {
    AttemptWrite end;
    end.at = write.at;
    if (write.attempt) end = *write.attempt;
    if (end.failure || end.state == AttemptState::incomplete) {
        end.state = AttemptState::incomplete;
        end.no_retry = true;
    } else {
        end.state = AttemptState::complete;
    }
    return end;
}

/// The stage must be where the writer says that it is.
void check_state(Session& session, const Node& stage, State said, Position at) {
    if (said == State::planned || said == stage.row.state) return;
    session.problems.add(
        ErrorCode::invalid_state, at,
        fmt::format("{} is {} and cannot be made {}: {}", name_of(stage), to_string(stage.row.state),
                    to_string(said),
                    said == State::final ? "end its attempt, or cancel it" : "its attempts take it there"));
}

}  // namespace

void apply_moves(Session& session, Node& stage, const StageWrite& write) {
    const bool ends = write.state == State::final && stage.row.state == State::attempting;
    if (ends)
        apply_attempt(session, stage, ending(write));
    else if (write.attempt)
        apply_attempt(session, stage, *write.attempt);
    if (write.state && !ends) check_state(session, stage, *write.state, write.at);
    if (write.cancel) apply_cancel(session, stage, write.at);
    if (write.skip) apply_skip(session, stage, write.at);
}

void apply_cancel(Session& session, Node& stage, Position at) {
    if (stage.row.state == State::final) {
        if (stage.row.outcome == Outcome::cancelled) return;
        session.problems.add(ErrorCode::invalid_state, at,
                             fmt::format("{} is FINAL ({}) and cannot be cancelled", name_of(stage),
                                         to_string(stage.row.outcome.value_or(Outcome::failed))));
        return;
    }
    WorkingSet& nodes = session.nodes;
    const std::string& reason = session.request.reason;
    auto row = nodes.current_attempt(stage);
    const bool inside = is_inside(session.request, stage);
    if (row && has_runner(*row, inside)) {
        // Its holder is told, and ends it: nothing may follow while the process is there.
        const bool marked = mark_stopping(
            nodes, stage, *row, {nodes.now(), session.request.actor, reason, Cause::cancelled, inside},
            Mover::writer);
        if (marked) nodes.record(stage, Mover::writer, "cancel", "true");
        return;
    }
    nodes.record(stage, Mover::writer, "cancel", "true");
    cancel_stage(nodes, stage, reason);
}

}  // namespace turboci::engine
