// SPDX-License-Identifier: Apache-2.0
// Answers the questions of a Lookup, all in one trip: what depends on the answer to another question joins
// that question in the server.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/postgresql/questions.hpp"
#include "store/postgresql/transaction.hpp"
#include "store/row_values.hpp"

namespace turboci::postgresql {

namespace {

// The keys of nodes, by what they are found.
constexpr const char* kByName =
    "SELECT t.node_key AS key, q.n FROM unnest($2, $3) WITH ORDINALITY AS q(type, id, n)"
    " JOIN turboci.nodes AS t ON t.plan_key = $1 AND t.type = q.type AND t.id = q.id";
constexpr const char* kOpen =
    "SELECT node_key AS key, node_key AS n FROM turboci.nodes"
    " WHERE node_key >= $1 AND node_key < $2 AND state < 40";
#define TURBOCI_EDGES_OF                                                         \
    "unnest($1, $2) WITH ORDINALITY AS q(q_owner, q_role, n) JOIN turboci.edges" \
    " ON owner_key = q.q_owner AND role = q.q_role"
constexpr const char* kEdges =
    "SELECT " TURBOCI_EDGE_COLUMNS " FROM " TURBOCI_EDGES_OF " ORDER BY n, position";
constexpr const char* kTargets = "SELECT DISTINCT target_key AS key, 0::bigint AS n FROM " TURBOCI_EDGES_OF;
#undef TURBOCI_EDGES_OF
#define TURBOCI_WAITING                                                                   \
    "unnest($1, $2, $3) WITH ORDINALITY AS q(target, after, up_to, n) JOIN turboci.edges" \
    " ON target_key = q.target AND on_state > q.after AND on_state <= q.up_to"
constexpr const char* kWaiting =
    "SELECT " TURBOCI_EDGE_COLUMNS " FROM " TURBOCI_WAITING " ORDER BY n, owner_key, role, position";
constexpr const char* kOwners = "SELECT DISTINCT owner_key AS key, 0::bigint AS n FROM " TURBOCI_WAITING;
// The groups of the edges and those around them, up to the root.
constexpr const char* kGroupsAbove =
    "WITH RECURSIVE above AS (SELECT g.* FROM (SELECT DISTINCT owner_key, role, group_no "
    "FROM " TURBOCI_WAITING
    ") AS e JOIN turboci.predicate_groups AS g USING (owner_key, role, group_no)"
    " UNION SELECT g.* FROM above AS a JOIN turboci.predicate_groups AS g ON g.owner_key = a.owner_key"
    " AND g.role = a.role AND g.group_no = a.parent AND a.parent < a.group_no)"
    " SELECT " TURBOCI_GROUP_COLUMNS " FROM above ORDER BY owner_key, role, group_no";
// Owners, owners of edges to those, and so on: those that may end in their turn.
constexpr const char* kAhead =
    "WITH RECURSIVE o(key, depth) AS (SELECT DISTINCT owner_key, 1 FROM " TURBOCI_WAITING
    " UNION SELECT e.owner_key, o.depth + 1 FROM o JOIN turboci.nodes AS t ON t.node_key = o.key"
    " JOIN turboci.edges AS e ON e.target_key = o.key AND e.on_state > t.state"
    " WHERE t.state < 40 AND o.depth < $4 - 1)"
    " SELECT DISTINCT t.node_key, t.type, t.state FROM (SELECT key FROM o LIMIT $5) AS f"
    " JOIN turboci.nodes AS t ON t.node_key = f.key WHERE t.state < 40 ORDER BY t.node_key";
#undef TURBOCI_WAITING
constexpr const char* kChecksOf =
    "SELECT DISTINCT a.check_key AS key, 0::bigint AS n FROM unnest($1) AS q(key)"
    " JOIN turboci.assignments AS a ON a.stage_key = q.key";
constexpr const char* kStagesOf =
    "SELECT DISTINCT a.stage_key AS key, 0::bigint AS n FROM unnest($1) AS q(key)"
    " JOIN turboci.assignments AS a ON a.check_key = q.key";

// Looking ahead is given up when so many nodes have been met.
constexpr std::int64_t kMostAhead = 4096;

// What is asked of such keys, as s.
const std::string kNodes =
    "SELECT " TURBOCI_NODE_COLUMNS " FROM s JOIN turboci.nodes ON node_key = s.key ORDER BY s.n";
const std::string kBodies = "SELECT s.key, " TURBOCI_BODY_COLUMNS
                            " FROM s LEFT JOIN turboci.node_bodies AS b ON b.node_key = s.key ORDER BY s.n";
const std::string kPlannedBodies = "SELECT s.key, " TURBOCI_BODY_COLUMNS
                                   " FROM s JOIN turboci.nodes AS t ON t.node_key = s.key AND t.state = CASE "
                                   "t.type WHEN 1 THEN 20 ELSE 10 END"
                                   " LEFT JOIN turboci.node_bodies AS b ON b.node_key = s.key ORDER BY s.n";
const std::string kGroups = "SELECT " TURBOCI_GROUP_COLUMNS
                            " FROM s JOIN turboci.predicate_groups ON owner_key = s.key"
                            " ORDER BY s.n, role, group_no";
const std::string kAssignments =
    "SELECT stage_key, position, check_key, goal FROM s JOIN turboci.assignments ON stage_key = s.key"
    " ORDER BY s.n, position";
const std::string kAssigned =
    "SELECT stage_key, position, check_key, goal FROM s JOIN turboci.assignments ON check_key = s.key"
    " ORDER BY s.n, stage_key, position";
const std::string kGoals =
    "SELECT check_key, goal, stages, open FROM s JOIN turboci.goals ON check_key = s.key ORDER BY s.n, goal";
const std::string kAttempts =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS " FROM s JOIN turboci.attempts ON stage_key = s.key ORDER BY s.n, idx";
const std::string kResults =
    "SELECT " TURBOCI_RESULT_COLUMNS " FROM s JOIN turboci.results ON check_key = s.key ORDER BY s.n, id";
const std::string kWriters =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS
    " FROM turboci.attempts WHERE (stage_key, idx) IN (SELECT r.stage_key, r.attempt FROM s"
    " JOIN turboci.results AS r ON r.check_key = s.key WHERE r.stage_key > 0) ORDER BY stage_key, idx";
// The current attempt of each stage, the body of the stage, and the open results of the attempt.
#define TURBOCI_CURRENT                                                                                     \
    "(SELECT DISTINCT t.node_key AS k, t.attempt AS i FROM s JOIN turboci.nodes AS t ON t.node_key = s.key" \
    " WHERE t.type = 2 AND t.attempt > 0) AS c"
const std::string kCurrent = "SELECT " TURBOCI_ATTEMPT_COLUMNS " FROM " TURBOCI_CURRENT
                             " JOIN turboci.attempts ON stage_key = c.k AND idx = c.i";
const std::string kCurrentBodies = "SELECT c.k, " TURBOCI_BODY_COLUMNS " FROM " TURBOCI_CURRENT
                                   " LEFT JOIN turboci.node_bodies AS b ON b.node_key = c.k";
const std::string kCurrentResults = "SELECT " TURBOCI_RESULT_COLUMNS " FROM " TURBOCI_CURRENT
                                    " JOIN turboci.results ON stage_key = c.k AND attempt = c.i"
                                    " WHERE finalized_at IS NULL AND stage_key > 0 ORDER BY check_key, id";
#undef TURBOCI_CURRENT

// Single rows.
constexpr const char* kSingleGroups =
    "SELECT " TURBOCI_GROUP_COLUMNS
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS q(q_owner, q_role, q_group, n) JOIN turboci.predicate_groups"
    " ON owner_key = q.q_owner AND role = q.q_role AND group_no = q.q_group ORDER BY n";
constexpr const char* kSingleAttempts =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS
    " FROM unnest($1, $2) WITH ORDINALITY AS q(q_stage, q_idx, n) JOIN turboci.attempts"
    " ON stage_key = q.q_stage AND idx = q.q_idx ORDER BY n";
constexpr const char* kSingleResults =
    "SELECT " TURBOCI_RESULT_COLUMNS
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS q(q_check, q_type, q_owner, n) JOIN turboci.results"
    " ON check_key = q.q_check AND owner_type = q.q_type AND owner_id = q.q_owner ORDER BY n";
constexpr const char* kOpenResults =
    "SELECT " TURBOCI_RESULT_COLUMNS
    " FROM unnest($1, $2) WITH ORDINALITY AS q(q_stage, q_idx, n) JOIN turboci.results"
    " ON stage_key = q.q_stage AND attempt = q.q_idx WHERE finalized_at IS NULL AND stage_key > 0"
    " ORDER BY n, check_key, id";
constexpr const char* kBeats =
    "SELECT " TURBOCI_BEAT_COLUMNS
    " FROM unnest($1) WITH ORDINALITY AS q(q_holder, n) JOIN turboci.beats ON holder = q.q_holder ORDER BY n";
constexpr const char* kWorkers =
    "SELECT " TURBOCI_BEAT_COLUMNS " FROM turboci.beats WHERE name <> '' ORDER BY holder";
constexpr const char* kLogParts =
    "SELECT stage_key, idx, seq, begin_at, length(bytes), ''::bytea"
    " FROM unnest($1, $2) WITH ORDINALITY AS q(q_stage, q_idx, n) JOIN turboci.log_parts"
    " ON stage_key = q.q_stage AND idx = q.q_idx ORDER BY n, seq";
constexpr const char* kLogBytes =
    "SELECT stage_key, idx, seq, begin_at, length(bytes), bytes"
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS q(q_stage, q_idx, q_seq, n) JOIN turboci.log_parts"
    " ON stage_key = q.q_stage AND idx = q.q_idx AND seq = q.q_seq ORDER BY n";

// Of the plan, $1.
constexpr const char* kCounts =
    "SELECT type, state, outcome, count FROM turboci.plan_counts WHERE plan_key = $1 AND count <> 0"
    " ORDER BY type, state, outcome";
constexpr const char* kOperation =
    "SELECT op_id, version, claimed FROM turboci.operations WHERE plan_key = $1 AND op_id = $2";
constexpr const char* kOperations =
    "SELECT op_id, version, claimed FROM turboci.operations WHERE plan_key = $1 ORDER BY op_id";
constexpr const char* kClasses =
    "SELECT class, runner, uses FROM turboci.classes WHERE plan_key = $1 ORDER BY class";
constexpr const char* kHeldByClass =
    "SELECT class, count(*) FROM turboci.attempts WHERE plan_key = $1 AND state > 10 AND state < 40"
    " AND class > 0 GROUP BY class ORDER BY class";
// The conditions on state repeat those of the partial indexes word for word.
#define TURBOCI_OVERDUE \
    " FROM turboci.attempts WHERE plan_key = $1 AND state < 40 AND deadline IS NOT NULL AND deadline <= $2"
#define TURBOCI_HELD " FROM turboci.attempts WHERE plan_key = $1 AND state > 10 AND state < 40"
#define TURBOCI_ALL_CLASSES \
    "(SELECT 0 AS c UNION ALL SELECT k.class FROM turboci.classes AS k WHERE k.plan_key = $1) AS o"
#define TURBOCI_READY                                                                                        \
    " FROM " TURBOCI_ALL_CLASSES                                                                             \
    " CROSS JOIN LATERAL (SELECT * FROM turboci.attempts WHERE plan_key = $1 AND class = o.c AND state = 10" \
    " AND ready_at <= $2 ORDER BY ready_at, stage_key LIMIT $3) AS r"
constexpr const char* kOverdue =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS TURBOCI_OVERDUE " ORDER BY deadline, stage_key";
constexpr const char* kOverdueKeys = "SELECT stage_key AS key, idx AS i, 0::bigint AS n" TURBOCI_OVERDUE;
constexpr const char* kHeld = "SELECT " TURBOCI_ATTEMPT_COLUMNS TURBOCI_HELD " ORDER BY stage_key";
constexpr const char* kHeldKeys = "SELECT stage_key AS key, idx AS i, 0::bigint AS n" TURBOCI_HELD;
constexpr const char* kReady =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS TURBOCI_READY " ORDER BY ready_at, stage_key";
constexpr const char* kReadyKeys = "SELECT stage_key AS key, idx AS i, 0::bigint AS n" TURBOCI_READY;
constexpr const char* kNextReady =
    "SELECT r.ready_at FROM " TURBOCI_ALL_CLASSES
    " CROSS JOIN LATERAL (SELECT ready_at FROM turboci.attempts WHERE plan_key = $1 AND class = o.c"
    " AND state = 10 AND ready_at > $2 ORDER BY ready_at LIMIT 1) AS r ORDER BY ready_at LIMIT 1";
#undef TURBOCI_READY
#undef TURBOCI_ALL_CLASSES
#undef TURBOCI_HELD
#undef TURBOCI_OVERDUE
const std::string kResultsOfAttempts =
    "SELECT " TURBOCI_RESULT_COLUMNS
    " FROM s JOIN turboci.results ON stage_key = s.key AND attempt = s.i"
    " WHERE finalized_at IS NULL AND stage_key > 0 ORDER BY stage_key, attempt, check_key, id";

/// Adds a row of each kind that there is.
template <class Row, class Read>
auto reading(std::vector<Row>& to, const Read& read) {
    return [&to, read](const Result& result) {
        to.reserve(to.size() + static_cast<std::size_t>(result.rows()));
        result.each([&](const postgresql::Row& row) { read(row, to.emplace_back()); });
    };
}

OperationRow read_operation(const Row& row) {
    return {.op_id = row.string(0), .version = row.integer(1), .claimed = unpack_claimed(row.text(2))};
}

/// Columns of questions as parameters.
template <class Question, class Add>
Parameters columns_of(const std::vector<Question>& questions, const Add& add) {
    RowArrays arrays;
    for (const Question& question : questions) add(arrays, question);
    return arrays.take();
}

template <class Row>
void append(std::vector<Row>& to, std::vector<Row>&& more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// What `more` brings besides, which was asked by `questions`.
void add_ahead(Facts& facts, Facts&& more, Lookup&& questions) {
    append(facts.nodes, std::move(more.nodes));
    append(facts.bodies, std::move(more.bodies));
    append(facts.groups, std::move(more.groups));
    append(facts.edges, std::move(more.edges));
    append(facts.waiting, std::move(more.waiting));
    append(facts.assignments, std::move(more.assignments));
    append(facts.goals, std::move(more.goals));
    append(facts.results, std::move(more.results));
    append(facts.attempts, std::move(more.attempts));
    append(facts.open_results, std::move(more.open_results));
    facts.ahead = std::move(questions);
}

/// One load().
class Loading {
public:
    Loading(Connection& connection, PlanKey plan, const Lookup& lookup)
        : questions_(connection), plan_(plan), lookup_(lookup) {}

    void ask() {
        ask_of_plan();
        ask_nodes();
        ask_waiting();
        ask_assignments();
        ask_results();
        ask_attempts();
        ask_queues();
        ask_holders();
    }
    [[nodiscard]] bool asks() const { return !questions_.empty(); }
    Facts take(const std::vector<Result>& results) {
        questions_.take(results);
        return std::move(facts_);
    }
    /// What the nodes further along will need if they end; of no waiting if there are none.
    [[nodiscard]] Lookup& ahead() { return ahead_; }

private:
    void ask_node_rows(const Keys& keys) {
        questions_.ask(keys, kNodes,
                       reading(facts_.nodes, [](const Row& row, NodeRow& node) { read_node(row, node); }));
    }
    /// With what `current_attempts` adds.
    void add_nodes(const Keys& keys) {
        ask_node_rows(keys);
        if (!lookup_.current_attempts) return;
        questions_.ask(keys, kCurrent, attempts_to(facts_.attempts));
        add_bodies(keys, kCurrentBodies);
        add_results(keys, kCurrentResults, facts_.open_results);
    }
    void add_bodies(const Keys& keys, const std::string& rest = kBodies) {
        questions_.ask(keys, rest, reading(facts_.bodies, [](const Row& row, BodyRow& body) {
                           body.node = row.node(0);
                           if (!row.is_null(1)) read_body(row, 1, body.body);
                       }));
    }
    void add_goals(const Keys& keys) {
        questions_.ask(keys, kGoals, reading(facts_.goals, [](const Row& row, GoalRow& goal) {
                           goal = {row.node(0), decode_state(NodeType::check, row.integer(1)), row.small(2),
                                   row.small(3)};
                       }));
    }
    void add_results(const Keys& keys, const std::string& rest, std::vector<ResultRow>& to) {
        questions_.ask(keys, rest, results_to(to));
    }
    static Questions::Take attempts_to(std::vector<AttemptRow>& to) {
        return reading(to, [](const Row& row, AttemptRow& attempt) { read_attempt(row, attempt); });
    }
    static Questions::Take results_to(std::vector<ResultRow>& to) {
        return reading(to, [](const Row& row, ResultRow& result) { read_result(row, result); });
    }
    static Questions::Take edges_to(std::vector<EdgeRow>& to) {
        return reading(to, [](const Row& row, EdgeRow& edge) { read_edge(row, edge); });
    }
    static Questions::Take assignments_to(std::vector<AssignmentRow>& to) {
        return reading(to, [](const Row& row, AssignmentRow& a) {
            a = {row.node(0), row.small(1), row.node(2), decode_state(NodeType::check, row.integer(3))};
        });
    }
    Questions::Take groups() {
        return reading(facts_.groups, [](const Row& row, GroupRow& group) { read_group(row, group); });
    }

    void ask_of_plan() {
        const Parameters plan(plan_);
        if (lookup_.counts)
            questions_.ask(kCounts, plan, reading(facts_.counts, [](const Row& row, StateCount& count) {
                               count.type = row.enumeration(0, NodeType::check, NodeType::stage);
                               count.state = decode_state(count.type, row.integer(1));
                               count.outcome = decode_outcome(row.integer(2));
                               count.count = row.integer(3);
                           }));
        if (lookup_.operation)
            questions_.ask(kOperation, Parameters(plan_, *lookup_.operation), [this](const Result& found) {
                if (!found.empty()) facts_.operation = read_operation(found.row(0));
            });
        if (lookup_.operations)
            questions_.ask(kOperations, plan,
                           reading(facts_.operations, [](const Row& row, OperationRow& operation) {
                               operation = read_operation(row);
                           }));
        if (lookup_.classes || lookup_.ready)
            questions_.ask(kClasses, plan, reading(facts_.classes, [](const Row& row, ClassRow& c) {
                               c = {row.small(0), row.string(1), decoded(parse_uses(row.text(2)))};
                           }));
        if (lookup_.held_by_class)
            questions_.ask(kHeldByClass, plan,
                           reading(facts_.held_by_class, [](const Row& row, Facts::HeldOfClass& held) {
                               held = {row.small(0), row.integer(1)};
                           }));
    }

    void ask_nodes() {
        if (!lookup_.names.empty()) {
            RowArrays names;
            for (const NodeRef& name : lookup_.names) names.add(name.type, name.id);
            add_nodes({kByName, after_plan(names.take())});
        }
        if (!lookup_.nodes.empty()) {
            const Keys keys = keys_of(lookup_.nodes);
            questions_.ask(keys, kNodes, [this](const Result& found) {
                if (static_cast<std::size_t>(found.rows()) != lookup_.nodes.size())
                    throw_damaged("a row names a node that is not there");
                found.each([&](const Row& row) { read_node(row, facts_.nodes.emplace_back()); });
            });
            if (lookup_.current_attempts) add_nodes(keys);
        }
        if (lookup_.open_nodes) {
            const Keys keys{kOpen, Parameters(first_key(plan_), end_key(plan_))};
            add_nodes(keys);
            add_bodies(keys);
        }
        if (!lookup_.bodies.empty()) add_bodies(keys_of(lookup_.bodies));
        if (!lookup_.groups.empty()) questions_.ask(keys_of(lookup_.groups), kGroups, groups());
        if (!lookup_.single_groups.empty())
            questions_.ask(kSingleGroups,
                           columns_of(lookup_.single_groups,
                                      [](RowArrays& to, const Lookup::GroupName& g) {
                                          to.add(g.owner, g.role, g.group);
                                      }),
                           groups());
        if (lookup_.edges.empty()) return;
        const Parameters predicates =
            columns_of(lookup_.edges, [](RowArrays& to, const PredicateName& p) { to.add(p.owner, p.role); });
        questions_.ask(kEdges, predicates, edges_to(facts_.edges));
        if (lookup_.targets) add_nodes({kTargets, predicates});
    }

    /// $1 is the plan, the others follow.
    [[nodiscard]] Parameters after_plan(Parameters&& others) const {
        Parameters all(plan_);
        all.append(std::move(others));
        return all;
    }

    void ask_waiting() {
        if (lookup_.waiting.empty()) return;
        const Parameters waiting = columns_of(lookup_.waiting, [](RowArrays& to, const Lookup::Waiting& w) {
            to.add(w.target, w.after, w.up_to);
        });
        questions_.ask(kWaiting, waiting, edges_to(facts_.waiting));
        if (!lookup_.owners) return;
        add_nodes({kOwners, waiting});
        add_bodies({kOwners, waiting}, kPlannedBodies);
        questions_.ask(kGroupsAbove, waiting, groups());
        if (lookup_.levels > 1) ask_ahead(waiting);
    }
    void ask_ahead(Parameters waiting) {
        waiting.append(Parameters(lookup_.levels, kMostAhead));
        questions_.ask(kAhead, waiting, [this](const Result& found) {
            found.each([&](const Row& row) {
                constexpr int kLast = 40;
                const NodeKey key = row.node(0);
                const NodeType type = row.enumeration(1, NodeType::check, NodeType::stage);
                const State state = decode_state(type, row.integer(2));
                ahead_.waiting.push_back({key, state_number(type, state), kLast});
                if (state == State::planned) ahead_.edges.push_back({key, PredicateRole::dependencies});
                if (type == NodeType::stage) return ahead_.assignments.push_back(key);
                for (auto* const keys : {&ahead_.groups, &ahead_.goals, &ahead_.results})
                    keys->push_back(key);
            });
        });
    }

    void ask_assignments() {
        if (!lookup_.assignments.empty()) {
            const Keys keys = keys_of(lookup_.assignments);
            questions_.ask(keys, kAssignments, assignments_to(facts_.assignments));
            if (lookup_.checks) {
                add_nodes({kChecksOf, keys.parameters});
                add_goals({kChecksOf, keys.parameters});
            }
        }
        if (!lookup_.assigned.empty()) {
            const Keys keys = keys_of(lookup_.assigned);
            questions_.ask(keys, kAssigned, assignments_to(facts_.assigned));
            if (lookup_.stages) add_nodes({kStagesOf, keys.parameters});
        }
        if (!lookup_.goals.empty()) add_goals(keys_of(lookup_.goals));
    }

    void ask_results() {
        if (!lookup_.results.empty()) {
            const Keys keys = keys_of(lookup_.results);
            add_results(keys, kResults, facts_.results);
            if (lookup_.writers) questions_.ask(keys, kWriters, attempts_to(facts_.attempts));
        }
        if (!lookup_.single_results.empty())
            questions_.ask(kSingleResults,
                           columns_of(lookup_.single_results,
                                      [](RowArrays& to, const Lookup::ResultName& r) {
                                          to.add(r.check, r.type, r.owner);
                                      }),
                           results_to(facts_.results));
        if (!lookup_.open_results.empty())
            questions_.ask(kOpenResults, attempt_names(lookup_.open_results),
                           results_to(facts_.open_results));
    }

    static Parameters attempt_names(const std::vector<AttemptName>& names) {
        return columns_of(names, [](RowArrays& to, const AttemptName& a) { to.add(a.stage, a.idx); });
    }

    void ask_attempts() {
        if (!lookup_.attempts.empty())
            questions_.ask(kSingleAttempts, attempt_names(lookup_.attempts), attempts_to(facts_.attempts));
        if (!lookup_.all_attempts.empty())
            questions_.ask(keys_of(lookup_.all_attempts), kAttempts, attempts_to(facts_.attempts));
    }

    void ask_queues() {
        if (lookup_.overdue) {
            const Parameters parameters(plan_, *lookup_.overdue);
            questions_.ask(kOverdue, parameters, attempts_to(facts_.overdue));
            add_holders({kOverdueKeys, parameters});
        }
        if (lookup_.held) {
            questions_.ask(kHeld, Parameters(plan_), attempts_to(facts_.held));
            add_holders({kHeldKeys, Parameters(plan_)});
        }
        if (lookup_.ready) {
            const Parameters parameters(plan_, lookup_.ready->at,
                                        std::max<std::int64_t>(lookup_.ready->limit, 0));
            questions_.ask(kReady, parameters, attempts_to(facts_.ready));
            ask_node_rows({kReadyKeys, parameters});
            add_bodies({kReadyKeys, parameters});
        }
        if (lookup_.next_ready)
            questions_.ask(kNextReady, Parameters(plan_, *lookup_.next_ready), [this](const Result& found) {
                if (!found.empty()) facts_.next_ready = found.row(0).time(0);
            });
    }
    void ask_holders() {
        const auto beats =
            reading(facts_.beats, [](const Row& row, BeatRow& beat) { beat = read_beat(row); });
        if (!lookup_.beats.empty()) {
            RowArrays holders;
            for (const std::string& holder : lookup_.beats) holders.add(holder);
            questions_.ask(kBeats, holders.take(), beats);
        }
        if (lookup_.workers) questions_.ask(kWorkers, {}, beats);
        if (!lookup_.log_parts.empty())
            questions_.ask(kLogParts, attempt_names(lookup_.log_parts), log_parts_to(facts_.log_parts));
        if (lookup_.log_bytes.empty()) return;
        RowArrays names;
        for (const LogPartName& name : lookup_.log_bytes) names.add(name.stage, name.idx, name.seq);
        questions_.ask(kLogBytes, names.take(), log_parts_to(facts_.log_bytes));
    }
    static Questions::Take log_parts_to(std::vector<LogPartRow>& to) {
        return reading(to, [](const Row& row, LogPartRow& part) {
            const auto bytes = row.blob(5);
            part = {row.node(0),    row.small(1),
                    row.integer(2), row.integer(3),
                    row.integer(4), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
        });
    }
    void add_holders(const Keys& keys) {
        ask_node_rows(keys);
        add_bodies(keys);
        add_results(keys, kResultsOfAttempts, facts_.open_results);
    }

    Questions questions_;
    PlanKey plan_;
    const Lookup& lookup_;
    Lookup ahead_;
    Facts facts_;
};

}  // namespace

Facts PostgresqlTransaction::load(PlanKey plan, const Lookup& lookup) {
    Loading loading(connection_, plan, lookup);
    if (!queued_) begin(wait_.at_most);
    loading.ask();
    if (!loading.asks()) return {};
    Facts facts = loading.take(trip());
    Lookup& ahead = loading.ahead();
    if (ahead.waiting.empty()) return facts;
    ahead.owners = ahead.targets = true;
    ahead.current_attempts = lookup.current_attempts;
    Loading further(connection_, plan, ahead);
    further.ask();
    Facts more = further.take(trip());
    ahead.owners = ahead.targets = ahead.current_attempts = false;  // of those that were asked for alone
    add_ahead(facts, std::move(more), std::move(ahead));
    return facts;
}

}  // namespace turboci::postgresql
