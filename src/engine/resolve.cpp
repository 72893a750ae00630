// SPDX-License-Identifier: Apache-2.0
#include "engine/resolve.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "engine/answers.hpp"
#include "engine/condition.hpp"
#include "engine/predicates.hpp"

namespace turboci::engine {

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
    for (const AssignmentRow& a : nodes.assignments_of(row.key)) {
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
    nodes.add_result(row);
    nodes.record_result(check, Mover::orchestrator,
                        fmt::format("{{\"owner\":\"orchestrator\",\"failure\":{}}}",
                                    row.result.failure ? json_string(*row.result.failure) : "null"));
}

/// Complaints of a check, as many as fit into one text.
class Complaints {
public:
    void add(std::string_view what) {
        if (count_++ < kMaxNamed) text_ += fmt::format("{}{}", text_.empty() ? "" : "; ", what);
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::string all() const {
        return count_ > kMaxNamed ? fmt::format("{}; and {} more", text_, count_ - kMaxNamed) : text_;
    }

private:
    static constexpr std::size_t kMaxNamed = 10;
    std::string text_;
    std::size_t count_ = 0;
};

Answers answers_of(WorkingSet& nodes, const std::vector<ResultRow>& results) {
    return count_answers(results, [&](NodeKey stage, std::int32_t idx) { return nodes.attempt(stage, idx); });
}

void add_broken(WorkingSet& nodes, const Answers& answers, Complaints& complaints) {
    for (const Answers::Broken& b : answers.broken)
        complaints.add(
            fmt::format("stage {} reported a pass and then ended: {}", nodes.get(b.stage).row.id, b.reason));
}

void end_check(WorkingSet& nodes, Node& check, std::vector<ResultRow>& results, Outcome outcome,
               Mover mover) {
    finalize_results(nodes, results);
    check.row.outcome = outcome;
    nodes.move(check, State::final, mover);
}

/// Why a stage gave no answer, for the check that waited for it.
std::string stage_complaint(WorkingSet& nodes, const Node& stage) {
    std::string text =
        fmt::format("stage {}: {}", stage.row.id,
                    stage.row.concluded_reason ? to_string(*stage.row.concluded_reason) : "ended");
    if (stage.row.outcome == Outcome::cancelled || stage.row.outcome == Outcome::skipped) {
        if (const auto message = nodes.message(stage)) text += fmt::format(" ({})", *message);
    } else if (stage.row.attempt > 0 && stage.row.outcome == Outcome::failed) {
        if (const auto attempt = nodes.current_attempt(stage); attempt && attempt->attempt.failure)
            text += fmt::format(" ({})", *attempt->attempt.failure);
    }
    return text;
}

/// All stages assigned to finish the check are FINAL: adds what they left unsaid and ends the check.
void finish_assigned_check(WorkingSet& nodes, Node& check) {
    auto results = nodes.results(check);
    const Answers answers = answers_of(nodes, results);
    bool all_skipped = true, upstream = false, any_lost = false, silent = false;
    Complaints failures, skips;
    for (const AssignmentRow& a : nodes.assignments_to(check.row.key)) {
        if (a.goal != State::final) continue;
        Node& stage = nodes.get(a.stage);
        const bool lost = stage.row.outcome == Outcome::failed || stage.row.outcome == Outcome::cancelled;
        const bool skipped = stage.row.outcome == Outcome::skipped;
        all_skipped = all_skipped && skipped;
        any_lost = any_lost || lost;
        upstream = upstream || stage.row.skip_cause == SkipCause::upstream;
        if (skipped) skips.add(stage_complaint(nodes, stage));
        if (answers.has(a.stage) || answers.is_broken(a.stage)) continue;
        silent = true;
        if (lost) failures.add(stage_complaint(nodes, stage));
    }
    add_broken(nodes, answers, failures);
    // An answer of which a part never ran is none; but what somebody said counts.
    const bool skip = (all_skipped || (upstream && !any_lost)) && !answers.by_hand && answers.broken.empty();
    if (skip)
        return skip_check(
            nodes, check,
            (all_skipped ? "every assigned stage was skipped: " : "an assigned stage was skipped: ") +
                skips.all(),
            upstream ? SkipCause::upstream : SkipCause::not_needed);
    if (silent || !failures.empty())
        add_orchestrator_result(nodes, check,
                                failures.empty() ? std::nullopt : std::optional(failures.all()));
    const bool failed = answers.failed || !failures.empty();
    end_check(nodes, check, results, failed ? Outcome::failed : Outcome::passed, Mover::orchestrator);
}

/// Why a node that is skipped now is: over the edges that are resolved.
SkipCause skip_cause_of(WorkingSet& nodes, Node& node) {
    for (const EdgeRow& edge : nodes.edges_of(node, PredicateRole::dependencies)) {
        if (!wants_no_failure(edge.on_state, edge.when)) continue;
        const Node& target = nodes.get(edge.target);
        if (resolve_edge(target, edge.on_state, edge.when) != Resolution::unsatisfied) continue;
        const bool broke = target.row.outcome == Outcome::failed ||
                           target.row.outcome == Outcome::cancelled ||
                           target.row.skip_cause == SkipCause::upstream;
        if (broke) return SkipCause::upstream;
    }
    return SkipCause::not_needed;
}

void advance_check(WorkingSet& nodes, Node& check) {
    HotRow& row = check.row;
    if (row.state == State::final) return;
    const int wanted = wanted_number(nodes, check);
    if (row.state == State::planning && wanted > state_number(NodeType::check, State::planning))
        nodes.move(check, State::planned, Mover::orchestrator);
    if (row.state == State::planned) {
        if (row.dependencies.resolution == Resolution::unsatisfied)
            return skip_check(nodes, check, why_unsatisfied(nodes, check, PredicateRole::dependencies),
                              skip_cause_of(nodes, check));
        if (row.dependencies.resolution == Resolution::satisfied) {
            if (const auto why = why_not_wanted(nodes, check))
                return skip_check(nodes, check, "not needed: " + *why, SkipCause::not_needed);
            nodes.move(check, State::waiting, Mover::orchestrator);
        }
    }
    if (row.state == State::waiting && wanted == state_number(NodeType::check, State::final))
        finish_assigned_check(nodes, check);
}

// ------------------------------------------------------------------------------------ stages

void record_pending(WorkingSet& nodes, Node& stage) {
    nodes.record_attempt(stage, Mover::orchestrator,
                         fmt::format("{{\"idx\":{},\"state\":\"PENDING\"}}", stage.row.attempt));
}

/// Was the end of `last` one that uses up no retry?
bool is_nobodys_failure(WorkingSet& nodes, const Node& stage, const AttemptRow& last) {
    return is_interruption(last.attempt.cause.value_or(Cause::failed)) &&
           nodes.body(stage).retry.on_interrupt == OnInterrupt::again;
}

/// Begins the attempt after `last`, which has ended.
void start_another(WorkingSet& nodes, Node& stage, Duration backoff, const AttemptRow& last) {
    AttemptRow row;
    const bool interrupted = is_nobodys_failure(nodes, stage, last);
    row.class_number = last.class_number;
    row.retries = last.retries + (interrupted ? 0 : 1);
    row.interruptions = interrupted ? last.interruptions + 1 : 0;
    if (stage.ended >= 0) nodes.ended[static_cast<std::size_t>(stage.ended)].next_in = backoff;
    row.stage = stage.row.key;
    row.plan = nodes.plan();
    row.attempt.idx = ++stage.row.attempt;
    row.attempt.created_at = row.attempt.updated_at = nodes.now();
    row.ready_at = nodes.now() + backoff;
    if (backoff > Duration::zero()) row.attempt.not_before = row.ready_at;
    nodes.add_attempt(row);
    record_pending(nodes, stage);
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

bool retries_end(const Retry& retry, const AttemptRow& last) {
    return turboci::retries_end(retry, last.attempt.cause.value_or(Cause::failed), last.attempt.exit_code);
}

/// Why no attempt follows one that is INCOMPLETE.
ConcludedReason why_no_retry(WorkingSet& nodes, const Node& stage, const AttemptRow& last) {
    if (is_nobodys_failure(nodes, stage, last)) return ConcludedReason::interrupted_too_often;
    if (last.no_retry) return ConcludedReason::retry_blocked;
    const Retry retry = nodes.body(stage).retry;
    const bool may_follow = retry.max_retries > 0 && retries_end(retry, last);
    return may_follow ? ConcludedReason::no_retries_left : ConcludedReason::attempt_failed;
}

/// The attempts are over; what is left is the continuation group.
void advance_ended_stage(WorkingSet& nodes, Node& stage, const AttemptRow& last) {
    if (stage.row.has_continuation && stage.row.state == State::attempting)
        nodes.move(stage, State::awaiting_group, Mover::orchestrator);
    const Resolution group = group_resolution(nodes, stage);
    if (group == Resolution::unresolved) return;
    if (last.attempt.state == AttemptState::incomplete)
        return conclude(nodes, stage, Outcome::failed, why_no_retry(nodes, stage, last));
    if (group == Resolution::unsatisfied)
        return conclude(nodes, stage, Outcome::failed, ConcludedReason::group_unsatisfied);
    conclude(nodes, stage, Outcome::passed, ConcludedReason::attempt_complete);
}

/// Begins another attempt if one may follow `last`, which is INCOMPLETE.
bool retry_attempt(WorkingSet& nodes, Node& stage, const AttemptRow& last) {
    if (is_nobodys_failure(nodes, stage, last)) {
        // Nobody's failure: it uses up no retry and waits for none.
        if (last.interruptions + 1 >= kMaxInterruptions) return false;
        start_another(nodes, stage, Duration::zero(), last);
        return true;
    }
    if (last.no_retry) return false;
    const Retry retry = nodes.body(stage).retry;
    if (last.retries >= retry.max_retries || !retries_end(retry, last)) return false;
    start_another(nodes, stage, wait_before_retry(retry, last.retries + 1), last);
    return true;
}

void advance_stage(WorkingSet& nodes, Node& stage) {
    HotRow& row = stage.row;
    if (row.state == State::planned) {
        if (row.dependencies.resolution == Resolution::unsatisfied) {
            row.skip_cause = skip_cause_of(nodes, stage);
            return conclude(nodes, stage, Outcome::skipped, ConcludedReason::dependencies_unsatisfied);
        }
        if (row.dependencies.resolution != Resolution::satisfied) return;
        if (const auto why = why_not_wanted(nodes, stage)) {
            nodes.set_message(stage, *why);
            row.skip_cause = SkipCause::not_needed;
            return conclude(nodes, stage, Outcome::skipped, ConcludedReason::condition_false);
        }
        nodes.move(stage, State::attempting, Mover::orchestrator);
        nodes.begin_first_attempt(stage);
        record_pending(nodes, stage);
        return;
    }
    if (row.state != State::attempting && row.state != State::awaiting_group) return;
    const auto last = nodes.current_attempt(stage);
    if (!last || !is_ended(last->attempt.state)) return;
    if (row.state == State::attempting && last->attempt.state == AttemptState::incomplete) {
        // Whatever the end of the process was: somebody has cancelled the stage meanwhile.
        const auto& mark = last->attempt.stopping;
        if (mark && mark->cause == Cause::cancelled) return cancel_stage(nodes, stage, mark->reason);
        if (last->attempt.cause == Cause::cancelled)
            return cancel_stage(nodes, stage, last->attempt.failure.value_or(""));
        if (retry_attempt(nodes, stage, *last)) return;
    }
    advance_ended_stage(nodes, stage, *last);
}

}  // namespace

void resolve_to_fixpoint(WorkingSet& nodes) {
    // In waves: what all of one need of the store is asked at once. A wave that follows another may be one of
    // many, so each looks twice as far ahead as the one before it.
    constexpr int kMostLevels = 512;
    for (int levels = 1; nodes.has_queued() || nodes.has_moved();) {
        if (nodes.has_queued()) {
            nodes.foresee_advances();
            while (Node* node = nodes.next_queued()) {
                if (node->row.type == NodeType::check)
                    advance_check(nodes, *node);
                else
                    advance_stage(nodes, *node);
            }
        } else {
            nodes.foresee_announcements(levels);
            levels = std::min(2 * levels, kMostLevels);
            for (Node* moved : nodes.take_moved()) announce(nodes, *moved);
        }
    }
}

void end_attempt(WorkingSet& nodes, Node& stage, AttemptRow& row, End end, Mover mover) {
    Attempt& attempt = row.attempt;
    attempt.state = end.state;
    attempt.cause = end.cause;
    if (end.failure) attempt.failure = std::move(end.failure);
    attempt.updated_at = nodes.now();
    attempt.ended_at = nodes.now();
    row.deadline.reset();
    nodes.put_attempt(row);
    const std::string cause = end.cause ? fmt::format(R"(,"cause":"{}")", to_string(*end.cause)) : "";
    nodes.record_attempt(
        stage, mover,
        fmt::format(R"({{"idx":{},"state":"{}"{},"failure":{}}})", attempt.idx, to_string(end.state), cause,
                    attempt.failure ? json_string(*attempt.failure) : "null"));
    stage.ended = static_cast<std::int32_t>(nodes.ended.size());
    nodes.ended.push_back({std::string(stage.row.id), attempt.idx, attempt.state, attempt.cause,
                           attempt.failure, std::nullopt});
    finalize_results_of(nodes, stage, attempt.idx);
    nodes.enqueue(stage);
}

void finalize_results_of(WorkingSet& nodes, const Node& stage, std::int32_t attempt) {
    for (ResultRow& r : nodes.open_results_of(stage, attempt)) {
        r.result.finalized_at = nodes.now();
        nodes.put_result(r);
        nodes.record_result(
            nodes.get(r.check), Mover::orchestrator,
            fmt::format("{{\"owner\":{},\"finalized\":true}}", json_string(r.result.owner_id)));
    }
}

void give_back(WorkingSet& nodes, Node& stage, AttemptRow& row, Mover mover) {
    row.attempt.state = AttemptState::pending;
    row.attempt.process_uid.clear();
    row.attempt.stopping.reset();
    row.attempt.updated_at = nodes.now();
    row.holder.clear();
    row.runner.reset();
    row.deadline.reset();
    nodes.put_attempt(row);
    nodes.record_attempt(stage, mover, fmt::format(R"({{"idx":{},"state":"PENDING"}})", row.attempt.idx));
}

void cancel_stage(WorkingSet& nodes, Node& stage, const std::string& reason) {
    if (!reason.empty()) nodes.set_message(stage, reason);
    if (auto attempt = nodes.current_attempt(stage); attempt && !is_ended(attempt->attempt.state))
        end_attempt(nodes, stage, *attempt,
                    {AttemptState::incomplete, Cause::cancelled, reason.empty() ? "cancelled" : reason},
                    Mover::orchestrator);
    conclude(nodes, stage, Outcome::cancelled, ConcludedReason::cancelled);
}

void skip_stage(WorkingSet& nodes, Node& stage, const std::string& reason) {
    if (!reason.empty()) nodes.set_message(stage, reason);
    if (auto attempt = nodes.current_attempt(stage); attempt && !is_ended(attempt->attempt.state))
        end_attempt(nodes, stage, *attempt,
                    {AttemptState::incomplete, Cause::cancelled, reason.empty() ? "skipped" : reason},
                    Mover::orchestrator);
    stage.row.skip_cause = SkipCause::not_needed;
    conclude(nodes, stage, Outcome::skipped, ConcludedReason::skipped);
}

void skip_check(WorkingSet& nodes, Node& check, std::string why, SkipCause cause) {
    auto results = nodes.results(check);
    // The orchestrator's own note says why it was skipped; anybody else's failure still makes it failed.
    const Answers answers = answers_of(nodes, results);
    const bool failed = answers.failed || !answers.broken.empty();
    add_orchestrator_result(nodes, check, std::move(why));
    if (!failed) check.row.skip_cause = cause;
    end_check(nodes, check, results, failed ? Outcome::failed : Outcome::skipped, Mover::orchestrator);
}

bool has_failure(WorkingSet& nodes, Node& check) {
    const Answers answers = answers_of(nodes, nodes.results(check));
    return answers.failed || !answers.broken.empty();
}

Outcome judge_answers(WorkingSet& nodes, Node& check, const std::vector<ResultRow>& results) {
    const Answers answers = answers_of(nodes, results);
    Complaints complaints;
    add_broken(nodes, answers, complaints);
    if (!complaints.empty()) add_orchestrator_result(nodes, check, complaints.all());
    return answers.failed || !complaints.empty() ? Outcome::failed : Outcome::passed;
}

void finish_check(WorkingSet& nodes, Node& check, Mover mover) {
    auto results = nodes.results(check);
    const Outcome outcome = judge_answers(nodes, check, results);
    end_check(nodes, check, results, outcome, mover);
}

void finalize_results(WorkingSet& nodes, std::vector<ResultRow>& results) {
    for (ResultRow& r : results) {
        if (r.result.finalized_at) continue;
        r.result.finalized_at = nodes.now();
        nodes.put_result(r);
    }
}

std::string attempt_owner_id(std::string_view plan_id, std::string_view stage_id, std::int32_t idx) {
    return fmt::format("{}:{}:{}", plan_id, stage_id, idx);
}

void set_deadline(AttemptRow& row, const NodeBody& body) {
    row.deadline.reset();
    const Attempt& attempt = row.attempt;
    if (attempt.state != AttemptState::running || attempt.stopping) return;
    const auto sooner = [&](Timestamp t) { row.deadline = row.deadline ? std::min(*row.deadline, t) : t; };
    // A runner enforces the timeout itself, and says by itself that it lives.
    if (body.timeout && attempt.started_at)
        sooner(*attempt.started_at + *body.timeout + (row.runner ? kStopGrace : Duration::zero()));
    if (body.heartbeat && attempt.last_heartbeat && !row.runner)
        sooner(*attempt.last_heartbeat + *body.heartbeat);
}

}  // namespace turboci::engine
