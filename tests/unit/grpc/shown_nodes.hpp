// SPDX-License-Identifier: Apache-2.0
// Nodes, plans and answers as text, to compare two of them. A member that is added to one is to be added
// here, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "domain/log_place.hpp"
#include "support/shown_writes.hpp"
#include "turboci/requests.hpp"

namespace turboci {

class ShownNodes {
public:
    template <class... Values>
    static std::string of(const Values&... values) {
        ShownNodes shown;
        (shown.add(values), ...);
        return shown.out_;
    }

private:
    template <class... Values>
    void all(const Values&... values) {
        out_ += '(';
        (add(values), ...);
        out_ += ')';
    }
    void add(std::string_view text) { out_ += std::to_string(text.size()) + '"' + std::string(text) + '"'; }
    void add(const std::string& text) { add(std::string_view(text)); }
    template <class Number>
    requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>) void add(Number number) {
        out_ += std::to_string(static_cast<std::int64_t>(number)) + ';';
    }
    template <class Value>
    void add(const std::optional<Value>& value) {
        out_ += value ? '+' : '-';
        if (value) add(*value);
    }
    template <class Value>
    void add(const std::vector<Value>& values) {
        out_ += '[';
        for (const auto& value : values) add(value);
        out_ += ']';
    }
    template <class First, class Second>
    void add(const std::pair<First, Second>& pair) {
        all(pair.first, pair.second);
    }
    void add(Timestamp t) { add(t.time_since_epoch()); }
    void add(Duration d) { add(d.count()); }
    void add(const JsonText& json) { add(json.text); }
    void add(const NodeRef& ref) { all(ref.type, ref.id); }
    void add(const RefText& ref) { all(ref.type, ref.id); }
    void add(const AttemptRef& ref) { all(ref.stage_id, ref.idx); }
    void add(const Condition& c) { all(c.check, c.path, c.test, c.value); }
    void add(const CreatedBy& c) { all(c.stage, c.attempt); }
    void add(const CarriedFrom& c) { all(c.plan, c.identity, c.version); }
    void add(const StateEntry& e) { all(e.state, e.version, e.at); }
    void add(const Edge& e) {
        all(e.target, e.on_state, e.when, e.resolution, e.resolved_at, e.target_state, e.target_outcome);
    }
    void add(const Predicate& p) { all(p.kind, p.threshold, p.edges, p.groups, p.resolution); }
    void add(const Result& r) {
        all(r.id, r.owner_type, r.owner_id, r.data, r.failure, r.created_at, r.finalized_at);
    }
    void add(const Limit& l) { all(l.name, l.count); }
    void add(const Use& u) { all(u.limit, u.count); }
    void add(const Retry& r) {
        all(r.max_retries, r.backoff, r.max_backoff, r.on.failed, r.on.timeout, r.on.silent, r.on.exit,
            r.on_interrupt);
    }
    void add(const Assignment& a) { all(a.target_check_id, a.goal_state); }
    void add(const Progress& p) { all(p.message, p.timestamp, p.details); }
    void add(const Stopping& s) { all(s.since, s.by, s.reason, s.cause, s.from_inside); }
    void add(const Attempt& a) {
        all(a.idx, a.state, a.cause, a.process_uid, a.has_runner, a.details, a.progress, a.failure,
            a.exit_code, a.signal, a.log ? to_json(*a.log) : std::string(), a.stopping, a.not_before,
            a.started_at, a.ended_at, a.last_heartbeat, a.created_at, a.updated_at);
    }
    template <class Node>
    void add_common(const Node& n) {
        all(n.id, n.state, n.outcome, n.skip_cause, n.dependencies, n.condition, n.created_by, n.carried_from,
            n.version, n.created_at, n.updated_at, n.state_history);
    }
    void add(const Check& c) {
        add_common(c);
        all(c.kind, c.required, c.options, c.results);
    }
    void add(const Stage& s) {
        add_common(s);
        all(s.concluded_reason, s.concluded_message, s.args, s.assignments, s.retry, s.timeout, s.heartbeat,
            s.silence, s.runner, s.uses, s.continuation_group, s.attempts);
    }
    void add(const StateCount& c) { all(c.type, c.state, c.outcome, c.count); }
    void add(const PlanCancelled& c) { all(c.since, c.by, c.reason); }
    void add(const PlanOrigin& o) { all(o.plan, o.identity); }
    void add(const WorkPlan& p) {
        all(p.id, p.identity, p.version, p.labels, p.limits, p.cancelled, p.from, p.created_at, p.updated_at,
            p.counts);
    }
    void add(const Advance& a) { all(a.node, a.from, a.to, a.outcome); }
    void add(const ClaimedAttempt& c) { all(c.stage, c.idx, c.token); }
    void add(const AttemptEnd& e) { all(e.stage, e.idx, e.state, e.cause, e.failure, e.next_in); }
    void add(const WriteResult& r) {
        all(r.plan, r.created, r.changed, r.advanced, r.warnings, r.claimed, r.ended, r.next_ready_in,
            r.moved, r.relabelled, r.replayed);
    }
    void add(const RerunResult& r) {
        all(r.plan, r.carried, r.begun, r.ended, r.warnings, r.nothing_to_do, r.replayed);
    }
    void add(const ExplainedNode& n) {
        all(n.ref, n.state, n.outcome, n.concluded_reason, n.dependencies, n.continuation_group, n.notes);
    }
    void add(const Explanation& e) { all(e.plan, e.node, e.because, e.root_causes, e.truncated); }
    void add(const PlanSummary::Failure& f) { all(f.node, f.message); }
    void add(const PlanSummary& s) { all(s.plan, s.verdict, s.ready, s.running, s.failed, s.open_checks); }
    void add(const LogEntry& e) {
        all(e.version, e.time, e.actor, e.reason, e.op_id, e.by, e.node, e.changes);
    }
    // ---- requests, but for their nodes
    void add(const RunnerIdentity& r) { all(r.host, r.boot_id, r.pid, r.start_time); }
    void add(const ClaimFilter& f) {
        all(f.runners, f.only, f.except, f.match, f.with_command, f.args_bytes, f.judged);
    }
    void add(const Claim& c) {
        all(c.stages, c.filter, c.at_most, c.ahead, c.process_uid, c.holder, c.runner);
    }
    void add(const CancelStages& c) { all(c.only, c.clean_up_too); }
    void add(const WriteNodes& r) {
        all(r.plan, r.plan_identity, r.token, r.reason, r.actor, r.if_version, r.op_id, r.dry_run, r.tick,
            r.labels, r.limits, r.cancel, r.inside, r.claim);
    }
    void add(const CreatePlan& r) { all(r.id, r.labels, r.nodes); }
    void add(const RerunPlan& r) { all(r.plan, r.id, r.again, r.fork, r.redefines, r.definitions); }
    void add(const PrunePlans& r) { all(r.keep, r.older_than, r.only, r.dry_run); }
    void add(const ReadLog& r) { all(r.plan, r.ref, r.since); }
    void add(const NodeParts& p) {
        all(p.stamps, p.body, p.predicates, p.assignments, p.targets, p.attempts, p.progress, p.results,
            p.counts);
    }
    void add(const QueryNodes& q) {
        all(q.plan, q.refs, q.types, q.kinds, q.states, q.outcomes, q.match, q.ready, q.blocked, q.deps,
            q.dependents, q.edges, q.skip_absent, q.parts);
    }

    std::string out_;
};

/// A whole request without its positions.
inline std::string shown_request(const WriteNodes& request) {
    std::string out = ShownNodes::of(request);
    for (const auto& check : request.checks) out += Shown::of(check, Shown::Positions::left_out) + '\n';
    for (const auto& stage : request.stages) out += Shown::of(stage, Shown::Positions::left_out) + '\n';
    return out;
}

}  // namespace turboci
