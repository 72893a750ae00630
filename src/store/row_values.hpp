// SPDX-License-Identifier: Apache-2.0
// The columns of the rows that are read in more than one place, and how their values make a row: the same for
// every database. A Row has the functions of sqlite/columns.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "domain/policy_text.hpp"
#include "domain/stored_values.hpp"
#include "turboci/store.hpp"

// Each in the one order in which everybody reads them.
#define TURBOCI_PLAN_COLUMNS                                                                            \
    "plan_key, id, version, labels, created_at, clock_time, clock_since_boot, clock_boot_id, identity," \
    " older_rules_until, limits, cancelled_since, cancelled_by, cancelled_reason, from_id,"             \
    " from_identity"
#define TURBOCI_NODE_COLUMNS                                                                              \
    "node_key, plan_key, type, id, kind, state, outcome, concluded_reason, version, updated_at, history," \
    " group_kind, threshold, unresolved, satisfied, resolution, dependencies_since, attempt, "            \
    "has_continuation, required, skip_cause"
#define TURBOCI_BODY_COLUMNS                                                                               \
    "json, max_retries, backoff, timeout, heartbeat, created_by, created_by_attempt, message, condition,"  \
    " silence, runner, uses, max_backoff, retry_on, on_interrupt, carried_from_id, carried_from_identity," \
    " carried_from_version"
#define TURBOCI_GROUP_COLUMNS \
    "owner_key, role, group_no, parent, kind, threshold, unresolved, satisfied, resolution, since"
#define TURBOCI_EDGE_COLUMNS "owner_key, role, position, group_no, target_key, target_type, on_state, on_when"
#define TURBOCI_ATTEMPT_COLUMNS                                                                        \
    "stage_key, idx, plan_key, state, process_uid, details, failure, not_before, last_heartbeat, "     \
    "created_at,"                                                                                      \
    " updated_at, ready_at, started_at, deadline, no_retry, runner_host, runner_boot_id, runner_pid, " \
    "runner_start, holder, cause, exit_code, signal, log_path, stopping_since, stopping_by, "          \
    "stopping_reason,"                                                                                 \
    " stopping_cause, stopping_inside, ended_at, retries, interruptions, class, log_bytes, log_dropped"
#define TURBOCI_BEAT_COLUMNS "holder, at, name, runners, draining, started_at"
#define TURBOCI_RESULT_COLUMNS \
    "check_key, id, owner_type, owner_id, data, failure, created_at, finalized_at, stage_key, attempt"

namespace turboci {

/// What a text of ours says; STORE if it is not as policy_text.hpp writes it.
template <class T>
[[nodiscard]] T decoded(std::variant<T, std::string> parsed) {
    if (const auto* why = std::get_if<std::string>(&parsed)) throw_damaged(*why);
    return std::get<T>(std::move(parsed));
}

/// The columns of a group's count, from `column` on: kind, threshold, unresolved, satisfied, resolution.
template <class Row>
[[nodiscard]] GroupCount read_count(const Row& row, int column) {
    GroupCount count;
    count.kind = row.enumeration(column, GroupKind::all, GroupKind::at_least);
    count.threshold = row.small(column + 1);
    count.unresolved = row.small(column + 2);
    count.satisfied = row.small(column + 3);
    count.resolution = row.enumeration(column + 4, Resolution::unresolved, Resolution::unsatisfied);
    return count;
}

/// The last of the enumeration.
inline constexpr ConcludedReason kLastReason = ConcludedReason::skipped;

// These fill a row from a statement that returns its columns; they keep the memory that it has. STORE if a
// value makes no sense.
/// A statement may return NULL for a history that is not wanted: then it is empty.
template <class Row>
void read_node(const Row& row, NodeRow& node) {
    node.key = row.node(0);
    node.plan = row.plan(1);
    node.type = row.enumeration(2, NodeType::check, NodeType::stage);
    node.id = row.text(3);
    node.kind = row.text(4);
    node.state = decode_state(node.type, row.integer(5));
    node.outcome = row.is_null(6) ? std::nullopt
                                  : std::optional(row.enumeration(6, Outcome::passed, Outcome::cancelled));
    node.concluded_reason =
        row.is_null(7) ? std::nullopt
                       : std::optional(row.enumeration(7, ConcludedReason::attempt_complete, kLastReason));
    node.version = row.integer(8);
    node.updated_at = row.time(9);
    node.history.clear();
    if (!row.is_null(10)) unpack_history(node.type, row.blob(10), node.history);
    node.dependencies = read_count(row, 11);
    node.dependencies_since = row.time(16);
    node.attempt = row.small(17);
    node.has_continuation = row.boolean(18);
    node.required = row.boolean(19);
    node.skip_cause = row.is_null(20)
                          ? std::nullopt
                          : std::optional(row.enumeration(20, SkipCause::upstream, SkipCause::not_needed));
}

/// TURBOCI_BODY_COLUMNS begin at `column`.
template <class Row>
void read_body(const Row& row, int column, NodeBody& body) {
    body.json.text = row.object(column);
    body.retry.max_retries = row.small(column + 1);
    body.retry.backoff = Duration(row.integer(column + 2));
    body.timeout = row.maybe_duration(column + 3);
    body.heartbeat = row.maybe_duration(column + 4);
    body.created_by = row.is_null(column + 5) ? NodeKey::none : row.node(column + 5);
    body.created_by_attempt = row.is_null(column + 6) ? 0 : row.small(column + 6);
    body.message = row.maybe_string(column + 7);
    body.condition =
        row.is_null(column + 8) ? std::vector<Condition>() : decoded(parse_condition(row.text(column + 8)));
    body.silence = row.maybe_duration(column + 9);
    body.runner = row.is_null(column + 10) ? std::string_view() : row.text(column + 10);
    body.uses = row.is_null(column + 11) ? std::vector<Use>() : decoded(parse_uses(row.text(column + 11)));
    body.retry.max_backoff = row.maybe_duration(column + 12).value_or(kMaxBackoff);
    body.retry.on = row.is_null(column + 13) ? RetryOn() : decoded(parse_retry_on(row.text(column + 13)));
    body.retry.on_interrupt = row.is_null(column + 14)
                                  ? OnInterrupt::again
                                  : row.enumeration(column + 14, OnInterrupt::again, OnInterrupt::fail);
    body.carried_from.reset();
    if (!row.is_null(column + 15))
        body.carried_from =
            CarriedFrom{row.string(column + 15), row.string(column + 16), row.integer(column + 17)};
}

template <class Row>
void read_group(const Row& row, GroupRow& group) {
    group.owner = row.node(0);
    group.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
    group.group = row.index(2);
    group.parent = row.small(3);
    group.count = read_count(row, 4);
    group.since = row.time(9);
}

template <class Row>
void read_edge(const Row& row, EdgeRow& edge) {
    edge.owner = row.node(0);
    edge.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
    edge.position = row.index(2);
    edge.group = row.index(3);
    edge.target = row.node(4);
    const NodeType target_type = row.enumeration(5, NodeType::check, NodeType::stage);
    edge.on_state = decode_state(target_type, row.integer(6));
    edge.when = row.enumeration(7, When::success, When::unsuccessful);
}

/// `progress` is left empty.
template <class Row>
void read_attempt(const Row& row, AttemptRow& a) {
    a.stage = row.node(0);
    Attempt& attempt = a.attempt;
    attempt.idx = row.small(1);
    attempt.state = row.enumeration(3, AttemptState::pending, AttemptState::incomplete, 10);
    attempt.process_uid = row.text(4);
    attempt.details.text = row.object(5);
    attempt.failure = row.maybe_string(6);
    attempt.not_before = row.maybe_time(7);
    attempt.last_heartbeat = row.maybe_time(8);
    attempt.created_at = row.time(9);
    attempt.updated_at = row.time(10);
    attempt.started_at = row.maybe_time(12);
    attempt.has_runner = !row.is_null(15);
    const auto cause = [&](int column) { return row.enumeration(column, Cause::failed, Cause::cancelled); };
    attempt.cause = row.is_null(20) ? std::nullopt : std::optional(cause(20));
    attempt.exit_code = row.is_null(21) ? std::nullopt : std::optional(row.small(21));
    attempt.signal = row.is_null(22) ? std::nullopt : std::optional(row.small(22));
    attempt.log.reset();
    if (!row.is_null(23)) attempt.log = LogPlace{row.string(23), 0, 0};
    if (!row.is_null(33)) attempt.log = LogPlace{{}, row.integer(33), row.integer(34)};
    attempt.stopping.reset();
    if (!row.is_null(24))
        attempt.stopping = Stopping{row.time(24), row.string(25), row.string(26), cause(27), row.boolean(28)};
    attempt.ended_at = row.maybe_time(29);
    a.plan = row.plan(2);
    a.ready_at = row.time(11);
    a.deadline = row.maybe_time(13);
    a.no_retry = row.boolean(14);
    a.runner.reset();
    if (attempt.has_runner)
        a.runner = RunnerIdentity{row.string(15), row.string(16), row.integer(17), row.integer(18)};
    a.holder = row.text(19);
    a.retries = row.small(30);
    a.interruptions = row.small(31);
    a.class_number = row.small(32);
}

template <class Row>
void read_result(const Row& row, ResultRow& r) {
    r.check = row.node(0);
    r.stage = row.node(8);
    r.attempt = row.small(9);
    Result& result = r.result;
    result.id = row.integer(1);
    result.owner_type = row.enumeration(2, OwnerType::stage_attempt, OwnerType::orchestrator);
    result.owner_id = row.text(3);
    result.data.text = row.object(4);
    result.failure = row.maybe_string(5);
    result.created_at = row.time(6);
    result.finalized_at = row.maybe_time(7);
}

/// No kind of runner has a line end in it.
[[nodiscard]] inline std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (&line == &lines.front() ? "" : "\n") + line;
    return text;
}

[[nodiscard]] inline std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
        lines.emplace_back(text.substr(0, end));
    lines.emplace_back(text);
    return lines;
}

template <class Row>
[[nodiscard]] BeatRow read_beat(const Row& row) {
    return {row.string(0), row.time(1), row.string(2), split_lines(row.text(3)), row.boolean(4), row.time(5)};
}

// ---- the other way round: these call `use` with the values of the columns.

/// The values of the columns from `limits` on.
template <class Use>
void use_later_plan_values(const PlanRow& row, Use&& use) {
    using Text = std::optional<std::string_view>;
    const std::string limits = to_json(row.limits);
    const PlanCancelled* cancelled = row.cancelled ? &*row.cancelled : nullptr;
    use(limits, cancelled ? std::optional(cancelled->since) : std::nullopt,
        cancelled ? Text(cancelled->by) : Text(), cancelled ? Text(cancelled->reason) : Text());
}

template <class Row>
[[nodiscard]] PlanRow read_plan(const Row& row) {
    PlanRow plan;
    plan.key = row.plan(0);
    plan.id = row.text(1);
    plan.version = row.integer(2);
    plan.labels.text = row.object(3);
    plan.created_at = row.time(4);
    plan.clock.time = row.time(5);
    plan.clock.since_boot = Duration(row.integer(6));
    plan.clock.boot_id = row.text(7);
    plan.identity = row.text(8);
    plan.older_rules_until = row.integer(9);
    plan.limits = decoded(parse_limits(row.text(10)));
    if (!row.is_null(11)) plan.cancelled = PlanCancelled{row.time(11), row.string(12), row.string(13)};
    if (!row.is_null(14)) plan.from = PlanOrigin{row.string(14), row.string(15)};
    return plan;
}

/// Values of TURBOCI_BODY_COLUMNS that are made for them. What is as by default has no value.
struct BodyTexts {
    explicit BodyTexts(const NodeBody& body) {
        if (!body.condition.empty()) condition = to_json(body.condition);
        if (!body.uses.empty()) uses = to_json(body.uses);
        if (body.retry.on != RetryOn()) retry_on = to_json(body.retry.on);
    }
    std::optional<std::string> condition, uses, retry_on;
};

/// The key and the values of TURBOCI_BODY_COLUMNS: texts of `body` and `texts`, which must live until the row
/// is written.
template <class Use>
void use_values(NodeKey key, const NodeBody& body, const BodyTexts& texts, Use&& use) {
    using Text = std::optional<std::string_view>;
    const bool by_attempt = body.created_by != NodeKey::none;
    const Retry& retry = body.retry;
    const CarriedFrom* from = body.carried_from ? &*body.carried_from : nullptr;
    use(key, body.json.text, body.retry.max_retries, body.retry.backoff, body.timeout, body.heartbeat,
        by_attempt ? std::optional(body.created_by) : std::nullopt,
        by_attempt ? std::optional(body.created_by_attempt) : std::nullopt, body.message, texts.condition,
        body.silence, body.runner.empty() ? Text() : Text(body.runner), texts.uses,
        retry.max_backoff == kMaxBackoff ? std::nullopt : std::optional(retry.max_backoff), texts.retry_on,
        retry.on_interrupt == OnInterrupt::again ? std::nullopt : std::optional(retry.on_interrupt),
        from ? Text(from->plan) : Text(), from ? Text(from->identity) : Text(),
        from ? std::optional(from->version) : std::nullopt);
}

/// The values of TURBOCI_NODE_COLUMNS.
template <class Use>
void use_values(PlanKey plan, const NodeRow& row, const PackedHistory& history, Use&& use) {
    const GroupCount& count = row.dependencies;
    use(row.key, plan, row.type, row.id, row.kind, state_number(row.type, row.state), row.outcome,
        row.concluded_reason, row.version, row.updated_at, history.bytes(), count.kind, count.threshold,
        count.unresolved, count.satisfied, count.resolution, row.dependencies_since, row.attempt,
        row.has_continuation, row.required, row.skip_cause);
}

/// The values of the columns from the runner's on.
template <class Use>
void use_attempt(const AttemptRow& row, Use&& use) {
    const Attempt& a = row.attempt;
    const Stopping* stopping = a.stopping ? &*a.stopping : nullptr;
    const auto since = stopping ? std::optional(stopping->since) : std::nullopt;
    const auto by = stopping ? std::optional<std::string_view>(stopping->by) : std::nullopt;
    const auto reason = stopping ? std::optional<std::string_view>(stopping->reason) : std::nullopt;
    const auto cause = stopping ? std::optional(stopping->cause) : std::nullopt;
    const RunnerIdentity* runner = row.runner ? &*row.runner : nullptr;
    const auto host = runner ? std::optional<std::string_view>(runner->host) : std::nullopt;
    const auto boot = runner ? std::optional<std::string_view>(runner->boot_id) : std::nullopt;
    const auto pid = runner ? std::optional(runner->pid) : std::nullopt;
    const auto start = runner ? std::optional(runner->start_time) : std::nullopt;
    const bool has_path = a.log && !a.log->path.empty(), is_stored = a.log && a.log->path.empty();
    const auto path = has_path ? std::optional<std::string_view>(a.log->path) : std::nullopt;
    const auto bytes = is_stored ? std::optional(a.log->bytes) : std::nullopt;
    const auto dropped = is_stored ? std::optional(a.log->dropped) : std::nullopt;
    use(host, boot, pid, start, row.holder, a.cause, a.exit_code, a.signal, path, since, by, reason, cause,
        stopping != nullptr && stopping->from_inside, a.ended_at, row.retries, row.interruptions,
        row.class_number, bytes, dropped);
}

}  // namespace turboci
