// SPDX-License-Identifier: Apache-2.0
#include "service/resolve.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "service/predicates.hpp"

namespace turboci::service {

namespace {

/// One member of a group has left the unresolved: counts it, and so on up to the root.
void count_member(WorkingSet& nodes, Node& owner, PredicateRole role, std::int32_t group, bool satisfied) {
    while (true) {
        GroupCount& count = nodes.change_group_count(owner, role, group);
        --count.unresolved;
        if (satisfied) ++count.satisfied;
        if (count.resolution != Resolution::unresolved) return;
        count.resolution = resolve(count);
        if (count.resolution == Resolution::unresolved) return;
        const std::int32_t parent = nodes.parent_of(owner, role, group);
        if (parent < 0) break;
        satisfied = count.resolution == Resolution::satisfied;
        group = parent;
    }
    nodes.enqueue(owner);
}

/// Tells everybody who waits for it that a node has moved.
void announce(WorkingSet& nodes, Node& node) {
    const HotRow& row = node.row;
    const int reached = state_number(row.type, row.state);
    const int told = node.told;
    if (reached <= told) return;
    node.told = static_cast<std::uint8_t>(reached);
    for (const EdgeRow& edge : nodes.edges_to(node, told, reached)) {
        const auto r = resolve_edge(node, edge.on_state, edge.when);
        count_member(nodes, nodes.get(edge.owner), edge.role, edge.group, r == Resolution::satisfied);
    }
    if (row.type != NodeType::stage || row.state != State::final) return;
    for (const AssignmentRow& a : nodes.uow().assignments_of(row.key)) {
        Node& check = nodes.get(a.check);
        if (--nodes.goal(check, a.goal).open == 0) nodes.enqueue(check);
    }
}

// ------------------------------------------------------------------------------------ checks

/// The furthest state that finished assignments want the check in; 0 for none.
int wanted_number(WorkingSet& nodes, Node& check) {
    int wanted = 0;
    for (const GoalRow& g : nodes.goals(check))
        if (g.stages > 0 && g.open == 0) wanted = std::max(wanted, state_number(NodeType::check, g.goal));
    return wanted;
}

void add_orchestrator_result(WorkingSet& nodes, Node& check, std::optional<std::string> failure) {
    ResultRow row;
    row.check = check.row.key;
    row.result.owner_type = OwnerType::orchestrator;
    row.result.owner_id = "orchestrator";
    row.result.failure = std::move(failure);
    row.result.created_at = nodes.now();
    row.result.finalized_at = nodes.now();
    nodes.uow().insert_result(row);
    nodes.record_result(check, Mover::orchestrator,
                        fmt::format("{{\"owner\":\"orchestrator\",\"failure\":{}}}",
                                    row.result.failure ? json_string(*row.result.failure) : "null"));
}

void skip_check(WorkingSet& nodes, Node& check, std::string failure) {
    add_orchestrator_result(nodes, check, std::move(failure));
    auto results = nodes.uow().results(check.row.key);
    finalize_results(nodes, results);
    // The orchestrator's own failure says why it was skipped; anybody else's still makes it failed.
    std::erase_if(results, [](const ResultRow& r) { return r.result.owner_type == OwnerType::orchestrator; });
    const bool failed = outcome_of(results) == Outcome::failed;
    check.row.outcome = failed ? Outcome::failed : Outcome::skipped;
    nodes.move(check, State::final, Mover::orchestrator);
}

/// Why a stage gave no answer, for the check that waited for it.
std::string stage_complaint(WorkingSet& nodes, const Node& stage) {
    std::string text =
        fmt::format("stage {}: {}", stage.row.id,
                    stage.row.concluded_reason ? to_string(*stage.row.concluded_reason) : "ended");
    if (stage.row.attempt > 0 && stage.row.outcome == Outcome::failed)
        if (const auto attempt = nodes.uow().attempt(stage.row.key, stage.row.attempt);
            attempt && attempt->attempt.failure)
            text += fmt::format(" ({})", *attempt->attempt.failure);
    return text;
}

/// All stages assigned to finish the check are FINAL: adds what they left unsaid and ends the check.
void finish_assigned_check(WorkingSet& nodes, Node& check) {
    constexpr std::size_t kMaxNamed = 10;
    std::map<NodeKey, std::int32_t> answered;  // stage → the highest attempt that has a result
    for (const ResultRow& r : nodes.uow().results(check.row.key))
        if (r.stage != NodeKey::none) answered[r.stage] = std::max(answered[r.stage], r.attempt);

    struct Complaints {
        std::string text;
        std::size_t count = 0;
        void add(std::string_view what) {
            if (count++ < kMaxNamed) text += fmt::format("{}{}", text.empty() ? "" : "; ", what);
        }
        [[nodiscard]] std::string all() const {
            return count > kMaxNamed ? fmt::format("{}; and {} more", text, count - kMaxNamed) : text;
        }
    };
    bool all_skipped = true, silent = false;
    Complaints failures, skips;
    for (const AssignmentRow& a : nodes.uow().assignments_to(check.row.key)) {
        if (a.goal != State::final) continue;
        Node& stage = nodes.get(a.stage);
        if (stage.row.outcome != Outcome::skipped) all_skipped = false;
        const auto it = answered.find(a.stage);
        const bool lost = stage.row.outcome == Outcome::failed || stage.row.outcome == Outcome::cancelled;
        // An answer of an earlier attempt does not speak for a stage whose last attempt was lost.
        if (it != answered.end() && (!lost || it->second == stage.row.attempt)) continue;
        silent = true;
        if (lost)
            failures.add(stage_complaint(nodes, stage));
        else if (all_skipped)
            skips.add(stage_complaint(nodes, stage));
    }
    if (all_skipped) return skip_check(nodes, check, "every assigned stage was skipped: " + skips.all());
    if (silent)
        add_orchestrator_result(nodes, check,
                                failures.count == 0 ? std::nullopt : std::optional(failures.all()));
    finish_check(nodes, check, Mover::orchestrator);
}

void advance_check(WorkingSet& nodes, Node& check) {
    HotRow& row = check.row;
    if (row.state == State::final) return;
    const int wanted = wanted_number(nodes, check);
    if (row.state == State::planning && wanted > state_number(NodeType::check, State::planning))
        nodes.move(check, State::planned, Mover::orchestrator);
    if (row.state == State::planned) {
        if (row.dependencies.resolution == Resolution::unsatisfied)
            return skip_check(nodes, check,
                              "skipped: " + why_unsatisfied(nodes, check, PredicateRole::dependencies));
        if (row.dependencies.resolution == Resolution::satisfied)
            nodes.move(check, State::waiting, Mover::orchestrator);
    }
    if (row.state == State::waiting && wanted == state_number(NodeType::check, State::final))
        finish_assigned_check(nodes, check);
}

// ------------------------------------------------------------------------------------ stages

void start_attempt(WorkingSet& nodes, Node& stage, Duration backoff) {
    AttemptRow row;
    row.stage = stage.row.key;
    row.plan = nodes.plan();
    row.attempt.idx = ++stage.row.attempt;
    row.attempt.created_at = row.attempt.updated_at = nodes.now();
    row.ready_at = nodes.now() + backoff;
    if (backoff > Duration::zero()) row.attempt.not_before = row.ready_at;
    nodes.uow().insert_attempt(row);
    nodes.record_attempt(stage, Mover::orchestrator,
                         fmt::format("{{\"idx\":{},\"state\":\"PENDING\"}}", row.attempt.idx));
}

void conclude(WorkingSet& nodes, Node& stage, Outcome outcome, ConcludedReason reason) {
    stage.row.outcome = outcome;
    stage.row.concluded_reason = reason;
    nodes.move(stage, State::final, Mover::orchestrator);
}

Resolution group_resolution(WorkingSet& nodes, Node& stage) {
    if (!stage.row.has_continuation) return Resolution::satisfied;
    return nodes.group_count(stage, PredicateRole::continuation, 0).resolution;
}

/// The attempts are over; what is left is the continuation group.
void advance_ended_stage(WorkingSet& nodes, Node& stage, const AttemptRow& last) {
    if (stage.row.has_continuation && stage.row.state == State::attempting)
        nodes.move(stage, State::awaiting_group, Mover::orchestrator);
    const Resolution group = group_resolution(nodes, stage);
    if (group == Resolution::unresolved) return;
    if (last.attempt.state == AttemptState::incomplete)
        return conclude(nodes, stage, Outcome::failed,
                        last.no_retry ? ConcludedReason::retry_blocked : ConcludedReason::no_retries_left);
    if (group == Resolution::unsatisfied)
        return conclude(nodes, stage, Outcome::failed, ConcludedReason::group_unsatisfied);
    conclude(nodes, stage, Outcome::passed, ConcludedReason::attempt_complete);
}

void advance_stage(WorkingSet& nodes, Node& stage) {
    HotRow& row = stage.row;
    if (row.state == State::planned) {
        if (row.dependencies.resolution == Resolution::unsatisfied)
            return conclude(nodes, stage, Outcome::skipped, ConcludedReason::dependencies_unsatisfied);
        if (row.dependencies.resolution != Resolution::satisfied) return;
        nodes.move(stage, State::attempting, Mover::orchestrator);
        start_attempt(nodes, stage, Duration::zero());
        return;
    }
    if (row.state != State::attempting && row.state != State::awaiting_group) return;
    const auto last = nodes.uow().attempt(row.key, row.attempt);
    if (!last || !is_ended(last->attempt.state)) return;
    if (row.state == State::attempting && last->attempt.state == AttemptState::incomplete &&
        !last->no_retry) {
        const Retry retry = nodes.body(stage).retry;
        if (last->attempt.idx <= retry.max_retries)
            return start_attempt(nodes, stage, wait_after(retry, last->attempt.idx));
    }
    advance_ended_stage(nodes, stage, *last);
}

}  // namespace

void resolve_to_fixpoint(WorkingSet& nodes) {
    while (true) {
        if (Node* node = nodes.next_queued()) {
            if (node->row.type == NodeType::check)
                advance_check(nodes, *node);
            else
                advance_stage(nodes, *node);
        } else if (Node* moved = nodes.next_moved()) {
            announce(nodes, *moved);
        } else {
            return;
        }
    }
}

void end_attempt(WorkingSet& nodes, Node& stage, AttemptRow& row, AttemptState state,
                 std::optional<std::string> failure, bool no_retry, Mover mover) {
    Attempt& attempt = row.attempt;
    attempt.state = state;
    if (failure) attempt.failure = std::move(failure);
    attempt.updated_at = nodes.now();
    row.no_retry = no_retry;
    row.deadline.reset();
    nodes.uow().update_attempt(row);
    nodes.record_attempt(
        stage, mover,
        fmt::format("{{\"idx\":{},\"state\":\"{}\",\"failure\":{}}}", attempt.idx, to_string(state),
                    attempt.failure ? json_string(*attempt.failure) : "null"));
    for (ResultRow& r : nodes.uow().open_results_of(stage.row.key, attempt.idx)) {
        r.result.finalized_at = nodes.now();
        nodes.uow().update_result(r);
        nodes.record_result(
            nodes.get(r.check), Mover::orchestrator,
            fmt::format("{{\"owner\":{},\"finalized\":true}}", json_string(r.result.owner_id)));
    }
    nodes.enqueue(stage);
}

void cancel_stage(WorkingSet& nodes, Node& stage) {
    nodes.record(stage, Mover::writer, "cancel", "true");
    if (stage.row.attempt > 0)
        if (auto attempt = nodes.uow().attempt(stage.row.key, stage.row.attempt);
            attempt && !is_ended(attempt->attempt.state))
            end_attempt(nodes, stage, *attempt, AttemptState::incomplete, "cancelled", true,
                        Mover::orchestrator);
    conclude(nodes, stage, Outcome::cancelled, ConcludedReason::cancelled);
}

void finish_check(WorkingSet& nodes, Node& check, Mover mover) {
    auto results = nodes.uow().results(check.row.key);
    finalize_results(nodes, results);
    check.row.outcome = outcome_of(results);
    nodes.move(check, State::final, mover);
}

void finalize_results(WorkingSet& nodes, std::vector<ResultRow>& results) {
    for (ResultRow& r : results) {
        if (r.result.finalized_at) continue;
        r.result.finalized_at = nodes.now();
        nodes.uow().update_result(r);
    }
}

Outcome outcome_of(const std::vector<ResultRow>& results) {
    std::map<NodeKey, std::int32_t> highest;
    for (const ResultRow& r : results)
        if (r.stage != NodeKey::none) highest[r.stage] = std::max(highest[r.stage], r.attempt);
    const bool failed = std::ranges::any_of(results, [&](const ResultRow& r) {
        return r.result.failure && (r.stage == NodeKey::none || highest[r.stage] == r.attempt);
    });
    return failed ? Outcome::failed : Outcome::passed;
}

std::string attempt_owner_id(std::string_view plan_id, std::string_view stage_id, std::int32_t idx) {
    return fmt::format("{}:{}:{}", plan_id, stage_id, idx);
}

void set_deadline(AttemptRow& row, const NodeBody& body) {
    row.deadline.reset();
    const auto sooner = [&](Timestamp t) { row.deadline = row.deadline ? std::min(*row.deadline, t) : t; };
    if (body.timeout && row.started_at) sooner(*row.started_at + *body.timeout);
    if (body.heartbeat && row.attempt.last_heartbeat) sooner(*row.attempt.last_heartbeat + *body.heartbeat);
}

}  // namespace turboci::service
