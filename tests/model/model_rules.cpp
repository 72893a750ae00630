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

ModelCheck* ModelPlan::check(const std::string& wanted) {
    for (auto& c : checks)
        if (c.ref.id == wanted) return &c;
    return nullptr;
}

ModelStage* ModelPlan::stage(const std::string& wanted) {
    for (auto& s : stages)
        if (s.ref.id == wanted) return &s;
    return nullptr;
}

ModelNode* ModelPlan::node(const NodeRef& ref) {
    if (ref.type == NodeType::check) return check(ref.id);
    return stage(ref.id);
}

// ---------------------------------------------------------------------------------- predicates

Resolution Model::evaluate(const ModelPlan& plan, const ModelEdge& edge) const {
    const ModelNode& target = *const_cast<ModelPlan&>(plan).node(edge.target);
    if (hidden_.contains(&edge)) return Resolution::unresolved;
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
    } else if (edge.when == When::not_failed) {
        const bool unneeded = target.skip_cause == SkipCause::not_needed ||
                              (target.outcome == Outcome::skipped && flawed(Flaw::any_skip_is_no_failure));
        satisfied = target.outcome == Outcome::passed || unneeded;
    } else if (edge.when == When::unsuccessful) {
        satisfied = target.outcome != Outcome::passed;
        if (flawed(Flaw::unsuccessful_is_failure)) satisfied = target.outcome == Outcome::failed;
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
            if (r == Resolution::unresolved) return false;
            if (r == Resolution::satisfied && is_wanted(check)) {
                move(check, State::waiting, Mover::orchestrator);
                return true;
            }
            if (r == Resolution::satisfied) {
                add_note(check, true, {});
                for (const auto& c : check.condition) check.results.back().names_one.push_back(c.check);
                check.skip_cause = SkipCause::not_needed;
                finish(check, Outcome::skipped, Mover::orchestrator);
                return true;
            }
            add_note(check, true, {});
            check.results.back().blames = true;
            check.skip_cause = skip_cause_of(check);
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
        if (!check.touched || check.results.empty() || !check.results.back().blames) continue;
        auto& names = check.results.back().names_one;
        const std::function<void(const ModelGroup&)> collect = [&](const ModelGroup& g) {
            for (const auto& e : g.edges)
                if (evaluate(draft_, e) == Resolution::unsatisfied) names.push_back(to_string(e.target));
            for (const auto& inner : g.groups) collect(inner);
        };
        collect(check.dependencies);
    }
}

/// Edges that wanted success, broken because their targets failed, were cancelled or skipped `upstream`.
std::set<const ModelEdge*> Model::upstream_edges(const ModelGroup& group) const {
    std::set<const ModelEdge*> found;
    for (const auto& g : group.groups) found.merge(upstream_edges(g));
    for (const auto& e : group.edges) {
        if (evaluate(draft_, e) != Resolution::unsatisfied) continue;
        const bool no_failure = e.when == When::not_failed && !flawed(Flaw::not_failed_is_indifferent);
        const bool wanted_success = e.on_state != State::final || e.when == When::success || no_failure;
        if (!wanted_success && !flawed(Flaw::any_edge_is_upstream)) continue;
        const ModelNode& target = *const_cast<ModelPlan&>(draft_).node(e.target);
        const bool inherits = target.skip_cause == SkipCause::upstream && !flawed(Flaw::upstream_ends);
        if (target.outcome == Outcome::failed || target.outcome == Outcome::cancelled || inherits)
            found.insert(&e);
    }
    if (flawed(Flaw::skips_are_not_needed)) found.clear();
    return found;
}

SkipCause Model::skip_cause_of(const ModelNode& node) {
    const bool upstream = !upstream_edges(node.dependencies).empty();
    const SkipCause cause = upstream ? SkipCause::upstream : SkipCause::not_needed;
    const auto expected = expected_skips_.find(node.ref);
    if (expected == expected_skips_.end() || expected->second == cause) return cause;
    doubted_skips_[node.ref] = cause;
    return expected->second;
}

/// Where another order was expected, there must be one that leads to it.
void Model::judge_skips() {
    for (const auto& [ref, cause] : doubted_skips_) {
        ModelNode& node = *draft_.node(ref);
        const auto upstream = upstream_edges(node.dependencies);
        bool possible = !upstream.empty();
        if (node.skip_cause == SkipCause::not_needed) {
            // All of them came after the skip, and that did not need them.
            possible = std::ranges::all_of(upstream, [&](const ModelEdge* e) {
                return draft_.node(e->target)->history.back().version > draft_.version;
            });
            hidden_ = upstream;
            possible = possible && evaluate(draft_, node.dependencies) == Resolution::unsatisfied;
            hidden_.clear();
        }
        if (!possible) node.skip_cause = cause;
    }
    doubted_skips_.clear();
}

/// Of each stage the result of the highest attempt that reported counts, of everybody else each. A pass
/// counts only with an attempt that may still end COMPLETE, or did.
Model::Answers Model::answers(const ModelCheck& check) {
    Answers sum;
    for (const auto& r : check.results) {
        if (r.owner_type == OwnerType::orchestrator) continue;
        if (r.owner_type == OwnerType::actor) {
            sum.by_hand = true;
            sum.failed |= r.failure.has_value();
            continue;
        }
        const bool superseded = is_superseded(check, r);
        if (superseded && flawed(Flaw::every_attempt_counts)) sum.failed |= r.failure.has_value();
        if (superseded) continue;
        if (r.failure) {
            sum.failed = true;
            sum.spoken.insert(r.stage);
        } else {
            (is_broken(r) ? sum.broken : sum.spoken).insert(r.stage);
        }
    }
    return sum;
}

/// Has a later attempt of the same stage reported, too?
bool Model::is_superseded(const ModelCheck& check, const ModelResult& result) const {
    return std::ranges::any_of(check.results, [&](const ModelResult& other) {
        return result.owner_type == OwnerType::stage_attempt &&
               other.owner_type == OwnerType::stage_attempt && other.stage == result.stage &&
               other.idx > result.idx;
    });
}

/// A pass of an attempt that did not run to its end.
bool Model::is_broken(const ModelResult& result) {
    if (result.owner_type != OwnerType::stage_attempt || result.failure) return false;
    const auto& attempts = draft_.stage(result.stage)->attempts;
    const auto state = attempts[static_cast<std::size_t>(result.idx) - 1].state;
    if (state == AttemptState::incomplete) return !flawed(Flaw::broken_pass_counts);
    return state != AttemptState::complete && flawed(Flaw::live_pass_is_broken);
}

// ---------------------------------------------------------------------------------- conditions

bool Model::is_wanted(const ModelNode& node) {
    if (flawed(Flaw::conditions_unread)) return true;
    const auto holds_now = [&](const Condition& c) { return holds(c); };
    if (flawed(Flaw::one_condition_is_enough) && !node.condition.empty())
        return std::ranges::any_of(node.condition, holds_now);
    return std::ranges::all_of(node.condition, holds_now);
}

/// Is there a counted result with such a value? The negations: is there none? A pass of an attempt that did
/// not run to its end counts as a failure, and its data as any.
bool Model::holds(const Condition& condition) {
    if (!draft_.check(condition.check)) return false;  // a flaw let it pass
    const ModelCheck& check = *draft_.check(condition.check);
    const nlohmann::json::json_pointer path(condition.path);
    const bool by_value =
        condition.test == Condition::Test::equals || condition.test == Condition::Test::not_equals;
    const bool negated =
        condition.test == Condition::Test::not_equals || condition.test == Condition::Test::absent;
    const bool found = std::ranges::any_of(check.results, [&](const ModelResult& r) {
        if (r.owner_type == OwnerType::orchestrator) return false;
        if (is_superseded(check, r) && !flawed(Flaw::old_data_counts)) return false;
        if (is_broken(r) && flawed(Flaw::broken_data_is_unseen)) return false;
        if (!r.data.contains(path)) return negated && flawed(Flaw::nothing_is_equal);
        return !by_value || r.data.at(path) == nlohmann::json::parse(condition.value);
    });
    return found != negated;
}

/// A result by the orchestrator; with `failure`, one that has all `names`.
void Model::add_note(ModelCheck& check, bool failure, std::vector<std::string> names) {
    ModelResult note{.owner_type = OwnerType::orchestrator, .owner_id = "orchestrator"};
    if (failure) note.failure = "";
    note.names_all = std::move(names);
    note.created_at = now_;
    check.results.push_back(note);
}

/// Somebody ends the check: what live attempts have said stands.
void Model::end_by_writer(ModelCheck& check) {
    Answers sum = answers(check);
    if (flawed(Flaw::writer_trusts_passes)) sum.broken.clear();
    std::vector<std::string> names;
    for (const auto& stage : sum.broken)
        names.push_back("stage " + stage + " reported a pass and then ended: ");
    if (!names.empty()) add_note(check, true, names);
    finish(check, sum.failed || !names.empty() ? Outcome::failed : Outcome::passed, Mover::writer);
}

/// All stages that were to finish the check are FINAL.
void Model::conclude(ModelCheck& check) {
    const Answers sum = answers(check);
    std::vector<std::string> names, blamed;
    bool all_skipped = true, upstream = false, any_lost = false, silent = false;
    for (const auto& stage : draft_.stages) {
        const bool ours = std::ranges::any_of(stage.assignments, [&](const Assignment& a) {
            return a.target_check_id == check.ref.id && a.goal_state == State::final;
        });
        const std::string& id = stage.ref.id;
        blamed.push_back("stage " + id + " reported a pass and then ended: ");
        if (!ours && sum.broken.contains(id) && !flawed(Flaw::strangers_are_trusted))
            names.push_back("stage " + id + " reported a pass and then ended: ");
        if (!ours || stage.state != State::final) continue;
        const bool lost = stage.outcome == Outcome::failed || stage.outcome == Outcome::cancelled;
        all_skipped &= stage.outcome == Outcome::skipped;
        upstream |= stage.skip_cause == SkipCause::upstream;
        any_lost |= lost;
        if (sum.broken.contains(id)) {
            names.push_back("stage " + id + " reported a pass and then ended: ");
        } else if (!sum.spoken.contains(id)) {
            silent = true;
            if (lost && !flawed(Flaw::failed_stage_passes)) names.push_back("stage " + id + ": ");
        }
    }
    bool failed = sum.failed || !names.empty();
    const bool by_hand = sum.by_hand && !flawed(Flaw::hand_is_unheard);
    const bool in_part = upstream && !any_lost && !flawed(Flaw::upstream_skip_passes);
    const bool skips = ((all_skipped && !flawed(Flaw::all_skipped_passes)) || in_part) && !by_hand;
    if (skips) {
        if (flawed(Flaw::skip_hides_broken_pass)) failed = sum.failed;
        if (!names.empty() && flawed(Flaw::skip_blames_all)) names = blamed;
        add_note(check, true, names);
        if (!failed || flawed(Flaw::failed_keeps_skip_cause))
            check.skip_cause = upstream ? SkipCause::upstream : SkipCause::not_needed;
    } else if (silent || !names.empty()) {
        add_note(check, !names.empty(), names);
    }
    finish(check, failed ? Outcome::failed : skips ? Outcome::skipped : Outcome::passed, Mover::orchestrator);
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
        if (r == Resolution::unsatisfied) {
            stage.skip_cause = skip_cause_of(stage);
            return end(Outcome::skipped, ConcludedReason::dependencies_unsatisfied);
        }
        if (!is_wanted(stage)) {
            stage.skip_cause = flawed(Flaw::false_is_upstream) ? SkipCause::upstream : SkipCause::not_needed;
            stage.concluded_message = "";  // in prose
            return end(Outcome::skipped, ConcludedReason::condition_false);
        }
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
