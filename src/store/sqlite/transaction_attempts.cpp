// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "domain/policy_text.hpp"
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kAttempt("SELECT " TURBOCI_ATTEMPT_COLUMNS " FROM attempts WHERE stage_key = ?1 AND idx = ?2");
const Sql kAttempts("SELECT " TURBOCI_ATTEMPT_COLUMNS " FROM attempts WHERE stage_key = ?1 ORDER BY idx");
const Sql kInsertAttempt(
    "INSERT INTO attempts(" TURBOCI_ATTEMPT_COLUMNS
    ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
    " ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35)");
const Sql kUpdateAttempt(
    "UPDATE attempts SET state = ?3, process_uid = ?4, details = ?5, failure = ?6, not_before = ?7,"
    " last_heartbeat = ?8, created_at = ?9, updated_at = ?10, ready_at = ?11, started_at = ?12, deadline = "
    "?13,"
    " no_retry = ?14, runner_host = ?15, runner_boot_id = ?16, runner_pid = ?17, runner_start = ?18,"
    " holder = ?19, cause = ?20, exit_code = ?21, signal = ?22, log_path = ?23, stopping_since = ?24,"
    " stopping_by = ?25, stopping_reason = ?26, stopping_cause = ?27, stopping_inside = ?28, ended_at = ?29,"
    " retries = ?30, interruptions = ?31, class = ?32, log_bytes = ?33, log_dropped = ?34"
    " WHERE stage_key = ?1 AND idx = ?2");
const Sql kAddProgress(
    "INSERT INTO progress(stage_key, idx, seq, message, timestamp, details) SELECT ?1, ?2,"
    " coalesce(max(seq), 0) + 1, ?3, ?4, ?5 FROM progress WHERE stage_key = ?1 AND idx = ?2");
// The conditions on state repeat those of the partial indexes word for word.
const Sql kReady("SELECT " TURBOCI_ATTEMPT_COLUMNS
                 " FROM attempts INDEXED BY attempts_ready WHERE plan_key = ?1 AND class = ?2 AND state = 10"
                 " AND ready_at <= ?3 ORDER BY ready_at, stage_key LIMIT ?4");
const Sql kClasses("SELECT class, runner, uses FROM classes WHERE plan_key = ?1 ORDER BY class");
const Sql kInsertClass("INSERT INTO classes(plan_key, class, runner, uses) VALUES(?1, ?2, ?3, ?4)");
const Sql kNextReady(
    "SELECT ready_at FROM attempts INDEXED BY attempts_ready WHERE plan_key = ?1 AND class = ?2 AND state = "
    "10"
    " AND ready_at > ?3 ORDER BY ready_at LIMIT 1");
const Sql kOverdue("SELECT " TURBOCI_ATTEMPT_COLUMNS
                   " FROM attempts INDEXED BY attempts_due WHERE plan_key = ?1 AND state < 40"
                   " AND deadline IS NOT NULL AND deadline <= ?2 ORDER BY deadline, stage_key");
const Sql kNextDeadline(
    "SELECT deadline FROM attempts INDEXED BY attempts_due WHERE plan_key = ?1 AND state < 40"
    " AND deadline IS NOT NULL ORDER BY deadline LIMIT 1");
const Sql kHeld("SELECT " TURBOCI_ATTEMPT_COLUMNS
                " FROM attempts INDEXED BY attempts_held WHERE plan_key = ?1 AND state > 10 AND state < 40"
                " ORDER BY stage_key");
const Sql kHeldByClass(
    "SELECT class, count(*) FROM attempts INDEXED BY attempts_held WHERE plan_key = ?1 AND state > 10"
    " AND state < 40 AND class > 0 GROUP BY class ORDER BY class");

std::vector<AttemptRow> read_attempts(Query&& row) {
    std::vector<AttemptRow> all;
    while (row.step()) read_attempt(row, all.emplace_back());
    return all;
}

std::optional<Timestamp> read_time(Query&& row) {
    if (!row.step()) return std::nullopt;
    return row.time(0);
}

}  // namespace

std::optional<AttemptRow> SqliteTransaction::attempt(NodeKey stage, std::int32_t idx) {
    Query row(db_, kAttempt, stage, idx);
    if (!row.step()) return std::nullopt;
    AttemptRow a;
    read_attempt(row, a);
    return a;
}

std::vector<AttemptRow> SqliteTransaction::attempts(NodeKey stage) {
    return read_attempts(Query(db_, kAttempts, stage));
}

void SqliteTransaction::insert_attempt(PlanKey plan, const AttemptRow& row) {
    const Attempt& a = row.attempt;
    use_attempt(row, [&](const auto&... end) {
        Query(db_, kInsertAttempt, row.stage, a.idx, plan, a.state, a.process_uid, a.details.text, a.failure,
              a.not_before, a.last_heartbeat, a.created_at, a.updated_at, row.ready_at, a.started_at,
              row.deadline, row.no_retry, end...)
            .run();
    });
}

void SqliteTransaction::update_attempt(const AttemptRow& row) {
    const Attempt& a = row.attempt;
    use_attempt(row, [&](const auto&... end) {
        Query(db_, kUpdateAttempt, row.stage, a.idx, a.state, a.process_uid, a.details.text, a.failure,
              a.not_before, a.last_heartbeat, a.created_at, a.updated_at, row.ready_at, a.started_at,
              row.deadline, row.no_retry, end...)
            .run();
    });
}

void SqliteTransaction::add_progress(const ProgressRow& row) {
    const Progress& p = row.progress;
    Query(db_, kAddProgress, row.stage, row.idx, p.message, p.timestamp, p.details.text).run();
}

std::vector<ClassRow> SqliteTransaction::classes(PlanKey plan) {
    std::vector<ClassRow> all;
    Query row(db_, kClasses, plan);
    while (row.step()) {
        auto uses = parse_uses(row.text(2));
        if (const auto* why = std::get_if<std::string>(&uses)) throw_damaged(*why);
        all.push_back({row.small(0), row.string(1), std::get<std::vector<Use>>(std::move(uses))});
    }
    return all;
}

void SqliteTransaction::insert_class(PlanKey plan, const ClassRow& row) {
    const std::string uses = to_json(row.uses);
    Query(db_, kInsertClass, plan, row.number, row.runner, uses).run();
}

std::vector<AttemptRow> SqliteTransaction::ready_attempts(PlanKey plan, const Lookup::Ready& wanted,
                                                          const std::vector<ClassRow>& classes) {
    const auto limit = std::max<std::int64_t>(wanted.limit, 0);
    auto ready = read_attempts(Query(db_, kReady, plan, 0, wanted.at, limit));
    for (const ClassRow& row : classes) {
        auto more = read_attempts(Query(db_, kReady, plan, row.number, wanted.at, limit));
        std::ranges::move(more, std::back_inserter(ready));
    }
    if (!classes.empty())
        std::ranges::sort(ready, {}, [](const AttemptRow& r) { return std::pair(r.ready_at, r.stage); });
    return ready;
}

std::optional<Timestamp> SqliteTransaction::next_ready_at(PlanKey plan, Timestamp now) {
    auto first = read_time(Query(db_, kNextReady, plan, 0, now));
    for (const ClassRow& row : classes(plan)) {
        const auto other = read_time(Query(db_, kNextReady, plan, row.number, now));
        if (other && (!first || *other < *first)) first = other;
    }
    return first;
}

std::vector<Facts::HeldOfClass> SqliteTransaction::held_by_class(PlanKey plan) {
    std::vector<Facts::HeldOfClass> all;
    Query row(db_, kHeldByClass, plan);
    while (row.step()) all.push_back({row.small(0), row.integer(1)});
    return all;
}

std::vector<AttemptRow> SqliteTransaction::overdue_attempts(PlanKey plan, Timestamp now) {
    // Every write asks, and few find any: the short statement first.
    const auto deadline = next_deadline(plan);
    if (!deadline || *deadline > now) return {};
    return read_attempts(Query(db_, kOverdue, plan, now));
}

std::optional<Timestamp> SqliteTransaction::next_deadline(PlanKey plan) {
    return read_time(Query(db_, kNextDeadline, plan));
}

std::vector<AttemptRow> SqliteTransaction::held_attempts(PlanKey plan) {
    return read_attempts(Query(db_, kHeld, plan));
}

}  // namespace turboci::sqlite
