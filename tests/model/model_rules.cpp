// SPDX-License-Identifier: Apache-2.0
// What follows from a write: predicates, expiry, the fixpoint, outcomes.
#include <algorithm>
#include <functional>

#include "model.hpp"

namespace turboci::model {

int rank(NodeType type, State state) {
    static const std::map<State, int> checks{
        {State::planning, 10}, {State::planned, 20}, {State::waiting, 30}, {State::final, 40}};
    static const std::map<State, int> stages{
        {State::planned, 10}, {State::attempting, 20}, {State::awaiting_group, 30}, {State::final, 40}};
    const auto& table = type == NodeType::check ? checks : stages;
    const auto found = table.find(state);
    return found == table.end() ? 0 : found->second;
}

ModelCheck* ModelPlan::check(const std::string& id) {
    for (auto& c : checks)
        if (c.ref.id == id) return &c;
    return nullptr;
}

ModelStage* ModelPlan::stage(const std::string& id) {
    for (auto& s : stages)
        if (s.ref.id == id) return &s;
    return nullptr;
}

ModelNode* ModelPlan::node(const NodeRef& ref) {
    if (ref.type == NodeType::check) return check(ref.id);
    return stage(ref.id);
}

// ---------------------------------------------------------------------------------- predicates

Resolution Model::evaluate(const ModelPlan& plan, const ModelEdge& edge) const {
    const ModelNode& target = *const_cast<ModelPlan&>(plan).node(edge.target);
    if (rank(edge.target.type, target.state) < rank(edge.target.type, edge.on_state))
        return Resolution::unresolved;
    bool satisfied = false;
    if (edge.on_state != State::final) {
        for (const auto& entry : target.history)
            satisfied |= entry.state != State::final &&
                         rank(edge.target.type, entry.state) >= rank(edge.target.type, edge.on_state);
        if (flawed(Flaw::missed_state_counts)) satisfied = true;
    } else if (edge.when == When::always) {
        satisfied = true;
        if (flawed(Flaw::always_needs_an_answer) && target.outcome == Outcome::skipped) satisfied = false;
    } else if (edge.when == When::success) {
        satisfied = target.outcome == Outcome::passed;
        if (flawed(Flaw::skipped_is_passed) && target.outcome == Outcome::skipped) satisfied = true;
    } else {
        satisfied = target.outcome == Outcome::failed;
        if (flawed(Flaw::cancelled_is_failed) && target.outcome == Outcome::cancelled) satisfied = true;
    }
    return satisfied ? Resolution::satisfied : Resolution::unsatisfied;
}

Resolution Model::evaluate(const ModelPlan& plan, const ModelGroup& group) const {
    std::int64_t yes = 0, no = 0, open = 0;
    const auto count = [&](Resolution r) {
        ++(r == Resolution::satisfied ? yes : r == Resolution::unsatisfied ? no : open);
    };
    for (const auto& e : group.edges) count(evaluate(plan, e));
    for (const auto& g : group.groups) count(evaluate(plan, g));
    std::int64_t needed = group.needed();
    if (flawed(Flaw::and_is_or) && group.kind == GroupKind::all) needed = std::min<std::int64_t>(needed, 1);
    if (flawed(Flaw::or_is_and) && group.kind == GroupKind::any) needed = yes + no + open;
    if (flawed(Flaw::threshold_plus_one) && group.kind == GroupKind::at_least) ++needed;
    if (yes >= needed) return Resolution::satisfied;
    if (flawed(Flaw::early_loss_unseen) && open > 0) return Resolution::unresolved;
    return yes + open >= needed ? Resolution::unresolved : Resolution::unsatisfied;
}

// ---------------------------------------------------------------------------------- time

/// The wall clock as long as it goes with the steady one (2 s and a thousandth off at the most) or the
/// machine was started anew; never back.
Timestamp Model::time_of(const ClockAnchor& last, const ClockReading& now) const {
    if (flawed(Flaw::time_goes_back)) return now.wall;
    if (now.boot_id != last.boot_id) return std::max(now.wall, last.time);
    const Duration steady = std::max(now.since_boot - last.since_boot, Duration::zero());
    const Duration apart = std::chrono::abs(now.wall - (last.time + steady));
    const bool agrees = apart <= std::chrono::seconds(2) + steady / 1000;
    return std::max(agrees ? now.wall : last.time + steady, last.time);
}

// ---------------------------------------------------------------------------------- changes

void Model::touch(ModelNode& node, Mover by) {
    node.touched = true;
    node.updated_at = now_;
    node.version = draft_.version + 1;
    if (by == Mover::writer) node.by_writer = true;
}

void Model::move(ModelNode& node, State to, Mover by) {
    std::string text =
        to_string(node.ref) + " " + std::string(to_string(node.state)) + " " + std::string(to_string(to));
    if (node.outcome) text += " " + std::string(to_string(*node.outcome));
    if (by == Mover::orchestrator) answer_.advanced.push_back(text);
    node.state = to;
    touch(node, by);
    node.history.push_back({to, draft_.version + 1, now_});
}

void Model::end_attempt(ModelStage& stage, AttemptState state, std::optional<std::string> failure,
                        bool no_retry, Mover by) {
    const auto idx = static_cast<std::int32_t>(stage.attempts.size());
    ModelAttempt& attempt = stage.attempts.back();
    attempt.state = state;
    attempt.failure = std::move(failure);
    attempt.updated_at = now_;
    touch(stage, by);
    for (auto& check : draft_.checks)
        for (auto& result : check.results)
            if (result.owner_type == OwnerType::stage_attempt && result.stage == stage.ref.id &&
                result.idx == idx && !result.finalized_at && !flawed(Flaw::results_stay_open)) {
                result.finalized_at = now_;
                touch(check, Mover::orchestrator);
            }
    stage.blocked = no_retry && !flawed(Flaw::no_retry_ignored);
}

/// An attempt has ended: either another follows, or they are over.
bool Model::follow(ModelStage& stage) {
    const auto idx = static_cast<std::int32_t>(stage.attempts.size());
    if (stage.attempts.back().state == AttemptState::complete) {
        stage.over = true;
        stage.reason = ConcludedReason::attempt_complete;
        return true;
    }
    const std::int32_t allowed = stage.retry.max_retries + (flawed(Flaw::retry_plus_one) ? 1 : 0);
    if (stage.blocked || idx > allowed) {
        stage.over = true;
        stage.reason = stage.blocked ? ConcludedReason::retry_blocked : ConcludedReason::no_retries_left;
        return true;
    }
    Duration backoff = stage.retry.backoff;
    for (std::int32_t i = 1; i < idx && !flawed(Flaw::backoff_is_constant); ++i) backoff *= 2;
    ModelAttempt next;
    next.created_at = next.updated_at = now_;
    if (backoff != Duration::zero())
        next.not_before = now_ + std::min<Duration>(backoff, std::chrono::hours(24));
    stage.attempts.push_back(next);
    touch(stage, Mover::orchestrator);
    return true;
}

bool Model::expire(const WriteNodes& request) {
    bool any = false;
    for (auto& stage : draft_.stages) {
        if (stage.attempts.empty()) continue;
        const ModelAttempt& a = stage.attempts.back();
        if (a.state != AttemptState::running) continue;
        const Duration grace(flawed(Flaw::timeout_late) ? 1 : 0);
        const bool timed_out = stage.timeout && *a.started_at + *stage.timeout + grace <= now_;
        const bool silent =
            stage.heartbeat && *a.last_heartbeat + *stage.heartbeat <= now_ && !flawed(Flaw::silence_is_fine);
        if (!timed_out && !silent) continue;
        // The runner that holds an attempt is believed, however late its word comes.
        const bool vouched = a.runner && std::ranges::any_of(request.stages, [&](const StageWrite& w) {
                                 return w.id == stage.ref.id && w.attempt && w.attempt->runner == a.runner;
                             });
        if (vouched && !flawed(Flaw::runner_not_believed)) continue;
        end_attempt(stage, AttemptState::incomplete, "<expired>", false, Mover::orchestrator);
        any = true;
    }
    return any;
}

bool Model::lose() {
    bool any = false;
    for (auto& stage : draft_.stages) {
        if (stage.attempts.empty() || flawed(Flaw::dead_runners_live)) continue;
        const ModelAttempt& a = stage.attempts.back();
        const bool held = a.state == AttemptState::scheduled || a.state == AttemptState::running;
        if (!held || !a.runner || is_alive(*a.runner)) continue;
        end_attempt(stage, AttemptState::incomplete, "lost: runner died", false, Mover::orchestrator);
        any = true;
    }
    return any;
}

// ---------------------------------------------------------------------------------- the fixpoint

void Model::advance() {
    for (bool moved = true; moved;) {
        moved = false;
        for (auto& c : draft_.checks) moved |= advance(c);
        for (auto& s : draft_.stages) moved |= advance(s);
    }
}

bool Model::goal_met(const ModelCheck& check, State goal) {
    bool any = false, all = true;
    for (const auto& stage : draft_.stages)
        for (const auto& a : stage.assignments)
            if (a.target_check_id == check.ref.id && a.goal_state == goal) {
                if (stage.state == State::final) any = true;
                if (stage.state != State::final) all = false;
            }
    return any && (all || flawed(Flaw::any_stage_finishes));
}

bool Model::advance(ModelCheck& check) {
    switch (check.state) {
        case State::planning:
            for (const State goal : {State::planned, State::waiting, State::final})
                if (goal_met(check, goal)) {
                    move(check, State::planned, Mover::orchestrator);
                    return true;
                }
            return false;
        case State::planned: {
            Resolution r = evaluate(draft_, check.dependencies);
            if (flawed(Flaw::goal_jumps) && r == Resolution::unresolved && goal_met(check, State::final))
                r = Resolution::satisfied;
            if (r == Resolution::satisfied) {
                move(check, State::waiting, Mover::orchestrator);
                return true;
            }
            if (r == Resolution::unresolved) return false;
            ModelResult result{.owner_type = OwnerType::orchestrator, .owner_id = "orchestrator"};
            result.failure = "";
            result.created_at = now_;
            check.results.push_back(result);
            finish(check, Outcome::skipped, Mover::orchestrator);
            return true;
        }
        case State::waiting:
            if (!goal_met(check, State::final)) return false;
            conclude(check);
            return true;
        default:
            return false;
    }
}

/// What broke the dependencies of checks that were skipped: known when nothing moves any more, because
/// several may break in one write and any of them may be named.
void Model::blame() {
    for (auto& check : draft_.checks) {
        if (!check.touched || check.outcome != Outcome::skipped) continue;
        if (evaluate(draft_, check.dependencies) != Resolution::unsatisfied) continue;
        auto& names = check.results.back().names_one;
        const std::function<void(const ModelGroup&)> collect = [&](const ModelGroup& g) {
            for (const auto& e : g.edges)
                if (evaluate(draft_, e) == Resolution::unsatisfied) names.push_back(to_string(e.target));
            for (const auto& inner : g.groups) collect(inner);
        };
        collect(check.dependencies);
    }
}

/// All stages that were to finish the check are FINAL.
void Model::conclude(ModelCheck& check) {
    bool all_skipped = true, unanswered = false;
    ModelResult result{.owner_type = OwnerType::orchestrator, .owner_id = "orchestrator"};
    for (const auto& stage : draft_.stages) {
        const bool ours = std::ranges::any_of(stage.assignments, [&](const Assignment& a) {
            return a.target_check_id == check.ref.id && a.goal_state == State::final;
        });
        if (!ours || stage.state != State::final) continue;
        if (stage.outcome != Outcome::skipped) all_skipped = false;
        bool answered = false, last_answered = false;
        for (const auto& r : check.results) {
            if (r.owner_type != OwnerType::stage_attempt || r.stage != stage.ref.id) continue;
            answered = true;
            if (r.idx == static_cast<std::int32_t>(stage.attempts.size())) last_answered = true;
        }
        const bool lost = stage.outcome == Outcome::failed || stage.outcome == Outcome::cancelled;
        const bool spoke = flawed(Flaw::early_answer_speaks) ? answered : last_answered;
        if (lost && !spoke) {
            unanswered = true;
            if (!flawed(Flaw::failed_stage_passes)) {
                result.failure = "";
                result.names_all.push_back("stage " + stage.ref.id + ": ");
            }
        } else if (!answered) {
            unanswered = true;
        }
    }
    Outcome outcome = outcome_of(check);
    if (!result.names_all.empty()) outcome = Outcome::failed;
    if (all_skipped) result.failure = "";  // says so; that alone is no failure of the check
    if (unanswered) {
        result.created_at = now_;
        check.results.push_back(result);
    }
    if (all_skipped && outcome != Outcome::failed && !flawed(Flaw::all_skipped_passes)) {
        outcome = Outcome::skipped;
    }
    finish(check, outcome, Mover::orchestrator);
}

Outcome Model::outcome_of(const ModelCheck& check) {
    for (const auto& r : check.results) {
        if (!r.failure) continue;
        const bool superseded = r.owner_type == OwnerType::stage_attempt &&
                                std::ranges::any_of(check.results, [&](const ModelResult& other) {
                                    return other.owner_type == OwnerType::stage_attempt &&
                                           other.stage == r.stage && other.idx > r.idx;
                                });
        if (!superseded || flawed(Flaw::every_attempt_counts)) return Outcome::failed;
    }
    return Outcome::passed;
}

void Model::finish(ModelCheck& check, Outcome outcome, Mover by) {
    for (auto& r : check.results)
        if (!r.finalized_at) r.finalized_at = now_;
    check.outcome = outcome;
    move(check, State::final, by);
}

bool Model::advance(ModelStage& stage) {
    const auto end = [&](Outcome outcome, ConcludedReason reason) {
        stage.outcome = outcome;
        stage.reason = reason;
        move(stage, State::final, Mover::orchestrator);
        return true;
    };
    if (stage.state == State::planned) {
        const Resolution r = evaluate(draft_, stage.dependencies);
        if (r == Resolution::unresolved) return false;
        if (r == Resolution::unsatisfied)
            return end(Outcome::skipped, ConcludedReason::dependencies_unsatisfied);
        ModelAttempt first;
        first.created_at = first.updated_at = now_;
        stage.attempts.push_back(first);
        move(stage, State::attempting, Mover::orchestrator);
        return true;
    }
    if (stage.state == State::attempting && !stage.over && is_ended(stage.attempts.back().state))
        return follow(stage);
    const bool completed = stage.reason == ConcludedReason::attempt_complete;
    if (stage.state == State::attempting && stage.over) {
        if (!stage.group.empty() && !flawed(Flaw::group_ignored)) {
            move(stage, State::awaiting_group, Mover::orchestrator);
            return true;
        }
        return end(completed ? Outcome::passed : Outcome::failed, *stage.reason);
    }
    if (stage.state != State::awaiting_group) return false;
    const Resolution r = evaluate(draft_, stage.group);
    if (r == Resolution::unresolved) return false;
    if (!completed) return end(Outcome::failed, *stage.reason);
    if (r == Resolution::satisfied || flawed(Flaw::lost_group_passes))
        return end(Outcome::passed, ConcludedReason::attempt_complete);
    return end(Outcome::failed, ConcludedReason::group_unsatisfied);
}

// ---------------------------------------------------------------------------------- cycles

void Model::refuse_cycles() {
    if (flawed(Flaw::cycles_accepted)) return;
    std::map<NodeRef, int> colour;  // 1: on the path, 2: done
    const std::function<bool(const NodeRef&)> walk = [&](const NodeRef& ref) {
        if (colour[ref] == 1) return true;
        if (colour[ref] == 2) return false;
        colour[ref] = 1;
        const std::function<bool(const ModelGroup&)> through = [&](const ModelGroup& g) {
            return std::ranges::any_of(g.edges, [&](const ModelEdge& e) { return walk(e.target); }) ||
                   std::ranges::any_of(g.groups, through);
        };
        const bool cycle = through(draft_.node(ref)->dependencies);
        colour[ref] = 2;
        return cycle;
    };
    bool cycle = false;
    for (const auto& c : draft_.checks) cycle |= walk(c.ref);
    for (const auto& s : draft_.stages) cycle |= walk(s.ref);
    if (cycle) refuse(ErrorCode::cyclic_dependency);
}

}  // namespace turboci::model
