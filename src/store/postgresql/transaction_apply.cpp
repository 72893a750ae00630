// SPDX-License-Identifier: Apache-2.0
// Changes: one statement for each table, with the rows as arrays.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "domain/random.hpp"
#include "store/postgresql/transaction.hpp"
#include "store/row_values.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

// Rows that are more go in several statements: the server keeps the whole of one in memory.
constexpr std::size_t kMostBytes = 4 << 20;

/// "$1, $2 … $COUNT"
std::string placeholders(std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i) text += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    return text;
}

std::string insert_statement(std::string_view table, std::string_view columns) {
    const auto count = static_cast<std::size_t>(std::ranges::count(columns, ',')) + 1;
    return fmt::format("INSERT INTO turboci.{}({}) SELECT * FROM unnest({})", table, columns,
                       placeholders(count));
}

/// The first `keys` columns name the row, the others change. Columns of `columns` as in the arrays.
std::string update_statement(std::string_view table, const std::vector<std::string_view>& columns,
                             std::size_t keys) {
    std::string names, sets, conditions;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        names += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
        if (i < keys)
            conditions += fmt::format("{}t.{} = u.c{}", i == 0 ? "" : " AND ", columns[i], i);
        else
            sets += fmt::format("{}{} = u.c{}", i == keys ? "" : ", ", columns[i], i);
    }
    return fmt::format("UPDATE turboci.{} AS t SET {} FROM unnest({}) AS u({}) WHERE {}", table, sets,
                       placeholders(columns.size()), names, conditions);
}

/// Sends rows as they come, some at a time.
class Batches {
public:
    Batches(Connection& connection, const std::string& sql) : connection_(connection), sql_(sql) {}
    template <class... Values>
    void add(const Values&... values) {
        rows_.add(values...);
        connection_.count_rows(1);
        if (rows_.bytes() >= kMostBytes) send();
    }
    void send() {
        if (!rows_.empty()) connection_.run(sql_, rows_.take());
    }

private:
    Connection& connection_;
    const std::string& sql_;
    RowArrays rows_;
};

/// One call of `add(batches, row)` for each row, and a statement for all of them.
template <class Row, class Add>
void change_rows(Connection& connection, const std::string& sql, const Rows<Row>& rows, const Add& add) {
    Batches batches(connection, sql);
    for (std::size_t i = 0; i < rows.count; ++i) add(batches, rows.at(i));
    batches.send();
}

const std::string kInsertNodes = insert_statement("nodes", TURBOCI_NODE_COLUMNS);
const std::string kInsertBodies = insert_statement("node_bodies", "node_key, " TURBOCI_BODY_COLUMNS);
const std::string kPutBodies =
    kInsertBodies +
    " ON CONFLICT (node_key) DO UPDATE SET json = excluded.json,"
    " max_retries = excluded.max_retries, backoff = excluded.backoff, timeout = excluded.timeout,"
    " heartbeat = excluded.heartbeat, message = excluded.message, condition = excluded.condition,"
    " silence = excluded.silence, runner = excluded.runner, uses = excluded.uses,"
    " max_backoff = excluded.max_backoff, retry_on = excluded.retry_on, on_interrupt = excluded.on_interrupt";
const std::string kDeleteBodies = "DELETE FROM turboci.node_bodies WHERE node_key = ANY($1)";
const std::string kUpdateNodes =
    update_statement("nodes",
                     {"node_key", "state", "outcome", "concluded_reason", "version", "updated_at", "history",
                      "group_kind", "threshold", "unresolved", "satisfied", "resolution",
                      "dependencies_since", "attempt", "has_continuation", "required", "skip_cause"},
                     1);
const std::string kInsertGroups = insert_statement("predicate_groups", TURBOCI_GROUP_COLUMNS);
const std::string kUpdateGroups = update_statement(
    "predicate_groups",
    {"owner_key", "role", "group_no", "kind", "threshold", "unresolved", "satisfied", "resolution"}, 3);
const std::string kInsertEdges = insert_statement("edges", TURBOCI_EDGE_COLUMNS);
const std::string kDropEdges =
    "DELETE FROM turboci.edges AS t USING unnest($1, $2) AS u(c0, c1) WHERE t.owner_key = u.c0 AND t.role = "
    "u.c1";
const std::string kDropGroups =
    "DELETE FROM turboci.predicate_groups AS t USING unnest($1, $2) AS u(c0, c1)"
    " WHERE t.owner_key = u.c0 AND t.role = u.c1";
const std::string kInsertAssignments =
    insert_statement("assignments", "stage_key, position, check_key, goal");
const std::string kPutGoals =
    insert_statement("goals", "check_key, goal, stages, open") +
    " ON CONFLICT (check_key, goal) DO UPDATE SET stages = excluded.stages, open = excluded.open";
const std::string kInsertClasses = insert_statement("classes", "plan_key, class, runner, uses");
const std::string kInsertAttempts = insert_statement("attempts", TURBOCI_ATTEMPT_COLUMNS);
const std::string kUpdateAttempts = update_statement("attempts", {"stage_key",      "idx",
                                                                  "state",          "process_uid",
                                                                  "details",        "failure",
                                                                  "not_before",     "last_heartbeat",
                                                                  "created_at",     "updated_at",
                                                                  "ready_at",       "started_at",
                                                                  "deadline",       "no_retry",
                                                                  "runner_host",    "runner_boot_id",
                                                                  "runner_pid",     "runner_start",
                                                                  "holder",         "cause",
                                                                  "exit_code",      "signal",
                                                                  "log_path",       "stopping_since",
                                                                  "stopping_by",    "stopping_reason",
                                                                  "stopping_cause", "stopping_inside",
                                                                  "ended_at",       "retries",
                                                                  "interruptions",  "class",
                                                                  "log_bytes",      "log_dropped"},
                                                     2);
const std::string kInsertProgress =
    "INSERT INTO turboci.progress(stage_key, idx, seq, message, timestamp, details)"
    " SELECT u.s, u.i, coalesce((SELECT max(p.seq) FROM turboci.progress AS p WHERE p.stage_key = u.s"
    " AND p.idx = u.i), 0) + row_number() OVER (PARTITION BY u.s, u.i ORDER BY u.n), u.m, u.t, u.d"
    " FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS u(s, i, m, t, d, n)";
const std::string kInsertResults =
    "INSERT INTO turboci.results(check_key, id, owner_type, owner_id, data, failure, created_at, "
    "finalized_at,"
    " stage_key, attempt) SELECT u.c, coalesce((SELECT max(r.id) FROM turboci.results AS r"
    " WHERE r.check_key = u.c), 0) + row_number() OVER (PARTITION BY u.c ORDER BY u.n), u.ot, u.oi, u.d, u.f,"
    " u.ca, u.fa, u.s, u.a"
    " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY AS u(c, ot, oi, d, f, ca, fa, s, a, n)";
const std::string kUpdateResults =
    update_statement("results", {"check_key", "id", "data", "failure", "finalized_at"}, 2);
const std::string kAddCounts =
    "INSERT INTO turboci.plan_counts AS t (plan_key, type, state, outcome, count)"
    " SELECT $1, u.t, u.s, u.o, sum(u.c)::bigint FROM unnest($2, $3, $4, $5) AS u(t, s, o, c) GROUP BY 2, 3, "
    "4"
    " ON CONFLICT (plan_key, type, state, outcome) DO UPDATE SET count = t.count + excluded.count";
const std::string kInsertWrite =
    "INSERT INTO turboci.writes(plan_key, version, time, actor, reason, op_id, nonce)"
    " VALUES($1, $2, $3, $4, $5, $6, $7)";
const std::string kInsertChanges =
    insert_statement("changes", "plan_key, version, seq, node_key, by_whom, changes");
const std::string kInsertOperation =
    "INSERT INTO turboci.operations(plan_key, op_id, version, claimed) VALUES($1, $2, $3, $4)";
// Of several of one holder the latest. It drains for good once it was told to.
const std::string kPutBeats =
    "INSERT INTO turboci.beats AS t (holder, at, name, runners, draining, started_at)"
    " SELECT DISTINCT ON (u.h) u.h, u.a, u.na, u.r, bool_or(u.d) OVER (PARTITION BY u.h), u.a"
    " FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS u(h, a, na, r, d, n) ORDER BY u.h, u.n DESC"
    " ON CONFLICT (holder) DO UPDATE SET at = excluded.at, name = excluded.name, runners = excluded.runners,"
    " draining = t.draining OR excluded.draining";
const std::string kInsertLogParts = insert_statement("log_parts", "stage_key, idx, seq, begin_at, bytes");
const std::string kDropLogParts =
    "DELETE FROM turboci.log_parts AS t USING unnest($1, $2, $3) AS u(c0, c1, c2)"
    " WHERE t.stage_key = u.c0 AND t.idx = u.c1 AND t.seq = u.c2";
const std::string kEndBeats = "DELETE FROM turboci.beats WHERE holder = ANY($1)";
const std::string kForgetBeats = "DELETE FROM turboci.beats WHERE at < $1";

}  // namespace

PlanKey PostgresqlTransaction::apply(const ChangeSet& c) {
    require_open();
    if (!writes_) throw Error(ErrorCode::internal, "a snapshot cannot be changed");
    PlanKey plan = c.plan;
    const bool is_new = c.plan_row && c.plan_row->key == PlanKey{};
    if (c.plan_row && !is_new) plan = c.plan_row->key;
    if (!is_new || c.deletes_plan) lock_to_change(plan);
    if (!queued_) begin(wait_.at_most);
    dirty_ = true;
    fresh_.clear();
    if (c.deletes_plan) delete_plan(plan);
    if (is_new)
        plan = insert_plan(*c.plan_row);
    else if (c.plan_row)
        update_plan(*c.plan_row);
    change_predicates(c);
    insert_nodes(plan, c);
    update_nodes(c);
    change_attempts(plan, c);
    change_results(c);
    change_record(plan, c);
    change_log_parts(c);
    change_beats(c);
    return plan;
}

void PostgresqlTransaction::insert_nodes(PlanKey plan, const ChangeSet& c) {
    if (c.created.count == 0) return;
    std::int64_t next = static_cast<std::int64_t>(next_node(plan));
    std::vector<NodeKey> keys;
    keys.reserve(c.created.count);
    change_rows(connection_, kInsertNodes, c.created, [&](Batches& to, const NodeRow& row) {
        const auto number = static_cast<std::int64_t>(row.key);
        if (number < next || number >= end_key(plan))
            throw Error(ErrorCode::internal, fmt::format("node key {} is used up", number));
        next = number + 1;
        keys.push_back(row.key);
        const PackedHistory history(row.type, row.history);
        use_values(plan, row, history, [&](const auto&... values) { to.add(values...); });
    });
    std::size_t at = 0;
    change_rows(connection_, kInsertBodies, c.created_bodies, [&](Batches& to, const NodeBody& body) {
        const NodeKey key = keys.at(at++);
        if (body == NodeBody{}) return;
        use_values(key, body, BodyTexts(body), [&](const auto&... values) { to.add(values...); });
    });
    next_nodes_[plan] = next;
    grown_plans_.insert(plan);
}

void PostgresqlTransaction::update_nodes(const ChangeSet& c) {
    change_rows(connection_, kUpdateNodes, c.nodes, [](Batches& to, const NodeRow& row) {
        const GroupCount& count = row.dependencies;
        const PackedHistory history(row.type, row.history);
        to.add(row.key, state_number(row.type, row.state), row.outcome, row.concluded_reason, row.version,
               row.updated_at, history.bytes(), count.kind, count.threshold, count.unresolved,
               count.satisfied, count.resolution, row.dependencies_since, row.attempt, row.has_continuation,
               row.required, row.skip_cause);
    });
    Array without;
    change_rows(connection_, kPutBodies, c.bodies, [&](Batches& to, const BodyRow& row) {
        if (row.body == NodeBody{})
            without.add(row.node);
        else
            use_values(row.node, row.body, BodyTexts(row.body),
                       [&](const auto&... values) { to.add(values...); });
    });
    if (without.count() == 0) return;
    Parameters keys;
    keys.add_array(std::move(without));
    connection_.run(kDeleteBodies, keys);
}

void PostgresqlTransaction::change_predicates(const ChangeSet& c) {
    for (const std::string* const sql : {&kDropEdges, &kDropGroups})
        change_rows(connection_, *sql, Rows<PredicateName>(c.dropped),
                    [](Batches& to, const PredicateName& name) { to.add(name.owner, name.role); });
    change_rows(connection_, kInsertGroups, c.new_groups, [](Batches& to, const GroupRow& row) {
        const GroupCount& n = row.count;
        to.add(row.owner, row.role, row.group, row.parent, n.kind, n.threshold, n.unresolved, n.satisfied,
               n.resolution, row.since);
    });
    change_rows(connection_, kInsertEdges, c.edges, [](Batches& to, const TypedEdge& typed) {
        const EdgeRow& row = typed.edge;
        to.add(row.owner, row.role, row.position, row.group, row.target, typed.target_type,
               state_number(typed.target_type, row.on_state), row.when);
    });
    change_rows(connection_, kUpdateGroups, c.groups, [](Batches& to, const GroupRow& row) {
        const GroupCount& n = row.count;
        to.add(row.owner, row.role, row.group, n.kind, n.threshold, n.unresolved, n.satisfied, n.resolution);
    });
    change_rows(connection_, kInsertAssignments, c.assignments, [](Batches& to, const AssignmentRow& row) {
        to.add(row.stage, row.position, row.check, state_number(NodeType::check, row.goal));
    });
    change_rows(connection_, kPutGoals, c.goals, [](Batches& to, const GoalRow& row) {
        to.add(row.check, state_number(NodeType::check, row.goal), row.stages, row.open);
    });
}

void PostgresqlTransaction::change_attempts(PlanKey plan, const ChangeSet& c) {
    change_rows(
        connection_, kInsertClasses, Rows<ClassRow>(c.new_classes),
        [&](Batches& to, const ClassRow& row) { to.add(plan, row.number, row.runner, to_json(row.uses)); });
    change_rows(connection_, kInsertAttempts, c.new_attempts, [&](Batches& to, const AttemptRow& row) {
        const Attempt& a = row.attempt;
        use_attempt(row, [&](const auto&... end) {
            to.add(row.stage, a.idx, plan, a.state, a.process_uid, a.details.text, a.failure, a.not_before,
                   a.last_heartbeat, a.created_at, a.updated_at, row.ready_at, a.started_at, row.deadline,
                   row.no_retry, end...);
        });
    });
    change_rows(connection_, kUpdateAttempts, c.attempts, [](Batches& to, const AttemptRow& row) {
        const Attempt& a = row.attempt;
        use_attempt(row, [&](const auto&... end) {
            to.add(row.stage, a.idx, a.state, a.process_uid, a.details.text, a.failure, a.not_before,
                   a.last_heartbeat, a.created_at, a.updated_at, row.ready_at, a.started_at, row.deadline,
                   row.no_retry, end...);
        });
    });
    change_rows(connection_, kInsertProgress, c.progress, [](Batches& to, const ProgressRow& row) {
        const Progress& p = row.progress;
        to.add(row.stage, row.idx, p.message, p.timestamp, p.details.text);
    });
}

void PostgresqlTransaction::change_results(const ChangeSet& c) {
    change_rows(connection_, kInsertResults, c.new_results, [](Batches& to, const ResultRow& row) {
        const turboci::Result& r = row.result;
        to.add(row.check, r.owner_type, r.owner_id, r.data.text, r.failure, r.created_at, r.finalized_at,
               row.stage, row.attempt);
    });
    change_rows(connection_, kUpdateResults, c.results, [](Batches& to, const ResultRow& row) {
        const turboci::Result& r = row.result;
        to.add(row.check, r.id, r.data.text, r.failure, r.finalized_at);
    });
}

void PostgresqlTransaction::change_record(PlanKey plan, const ChangeSet& c) {
    if (!c.counts.empty()) {
        std::array<Array, 4> columns;
        for (const StateCount& d : c.counts) {
            columns[0].add(d.type);
            columns[1].add(state_number(d.type, d.state));
            columns[2].add(d.outcome ? static_cast<int>(*d.outcome) : 0);
            columns[3].add(d.count);
        }
        Parameters parameters(plan);
        for (Array& column : columns) parameters.add_array(std::move(column));
        connection_.run(kAddCounts, parameters);
    }
    if (c.write) {
        const WriteRow& w = *c.write;
        const auto nonce = static_cast<std::int64_t>(random_bits());
        if (c.plan_row) last_write_ = {plan, c.plan_row->id, w.version, nonce};
        connection_.run(kInsertWrite, Parameters(plan, w.version, w.time, w.actor, w.reason, w.op_id, nonce));
        std::int64_t seq = 0;
        change_rows(connection_, kInsertChanges, c.changes, [&](Batches& to, const ChangeRow& row) {
            to.add(plan, w.version, ++seq, row.node, row.by, row.changes);
        });
    }
    if (c.operation)
        connection_.run(kInsertOperation, Parameters(plan, c.operation->op_id, c.operation->version,
                                                     pack_claimed(c.operation->claimed)));
}

void PostgresqlTransaction::change_log_parts(const ChangeSet& c) {
    change_rows(connection_, kInsertLogParts, Rows<LogPartRow>(c.log_parts),
                [](Batches& to, const LogPartRow& part) {
                    to.add(part.stage, part.idx, part.seq, part.begin,
                           std::as_bytes(std::span<const char>(part.bytes)));
                });
    change_rows(connection_, kDropLogParts, Rows<LogPartName>(c.dropped_log),
                [](Batches& to, const LogPartName& name) { to.add(name.stage, name.idx, name.seq); });
}

void PostgresqlTransaction::change_beats(const ChangeSet& c) {
    // In one order everywhere, so that two who write the same beats do not wait for each other in a circle.
    change_rows(connection_, kPutBeats, Rows<BeatRow>(c.beats), [](Batches& to, const BeatRow& beat) {
        to.add(beat.holder, beat.at, beat.name, join_lines(beat.runners), beat.draining);
    });
    change_rows(connection_, kEndBeats, Rows<std::string>(c.ended_beats),
                [](Batches& to, const std::string& holder) { to.add(holder); });
    if (c.old_beats) connection_.run(kForgetBeats, Parameters(*c.old_beats));
}

}  // namespace turboci::postgresql
