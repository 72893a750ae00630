// SPDX-License-Identifier: Apache-2.0
// What `turboci store check` sees in the rows. Every look is linear in the size of the store: joins go along
// keys.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/scan.hpp"
#include "store/sqlite/store.hpp"

namespace turboci::sqlite {

namespace {

/// A statement that finds what must not be there: how many, and the key of one of them.
struct Invariant {
    const char* what;  ///< plural: "edges that …"
    const char* sql;   ///< one row: count, some key or null
};

constexpr std::array<Invariant, 49> kInvariants{{
    {"nodes of an unknown type, state, outcome or reason",
     "SELECT count(*), min(node_key) FROM nodes WHERE NOT (type IN (1, 2) AND state IN (10, 20, 30, 40)"
     " AND coalesce(outcome, 1) BETWEEN 1 AND 4 AND coalesce(concluded_reason, 1) BETWEEN 1 AND 10"
     " AND group_kind BETWEEN 1 AND 3 AND resolution BETWEEN 1 AND 3 AND has_continuation IN (0, 1)"
     " AND required IN (0, 1) AND coalesce(skip_cause, 1) IN (1, 2))"},
    {"nodes that are skipped without a cause, or have one without being skipped",
     "SELECT count(*), min(node_key) FROM nodes WHERE (coalesce(outcome, 0) = 3) <> (skip_cause IS NOT "
     "NULL)"},
    {"attempts that are INCOMPLETE without a cause, or have one without being INCOMPLETE",
     "SELECT count(*), min(stage_key) FROM attempts WHERE (state = 50) <> (cause IS NOT NULL)"
     " OR coalesce(cause, 1) NOT BETWEEN 1 AND 6"},
    {"attempts that ended without a time, or have one without having ended",
     "SELECT count(*), min(stage_key) FROM attempts WHERE (state >= 40) <> (ended_at IS NOT NULL)"},
    {"attempts that are held by nobody, or are held without being SCHEDULED or RUNNING",
     "SELECT count(*), min(stage_key) FROM attempts WHERE (state IN (20, 30) AND holder = '')"
     " OR (state = 10 AND holder <> '')"},
    {"attempts that are being stopped in a way that no write can ask for",
     "SELECT count(*), min(stage_key) FROM attempts WHERE stopping_inside NOT IN (0, 1)"
     " OR (stopping_since IS NULL) <> (stopping_by IS NULL) OR (stopping_since IS NULL) <> (stopping_reason "
     "IS NULL)"
     " OR (stopping_since IS NULL) <> (stopping_cause IS NULL) OR coalesce(stopping_cause, 1) NOT BETWEEN 1 "
     "AND 6"
     " OR (stopping_since IS NULL AND stopping_inside = 1) OR (stopping_since IS NOT NULL AND state < 20)"},
    {"attempts that follow more retries or interruptions than there were",
     "SELECT count(*), min(stage_key) FROM attempts WHERE retries < 0 OR interruptions < 0"
     " OR retries + interruptions >= idx"},
    {"plans or a store without an identity",
     "SELECT (SELECT count(*) FROM plans WHERE identity = '' OR older_rules_until < 0)"
     " + (SELECT count(*) FROM counters WHERE identity = ''), NULL"},
    {"nodes that were written by an attempt that is not there",
     "SELECT count(*), min(b.node_key) FROM node_bodies AS b LEFT JOIN attempts AS a ON a.stage_key = "
     "b.created_by"
     " AND a.idx = b.created_by_attempt WHERE (b.created_by IS NULL) <> (b.created_by_attempt IS NULL)"
     " OR (b.created_by IS NOT NULL AND a.stage_key IS NULL)"},
    {"nodes that are FINAL without an outcome, or have one without being FINAL",
     "SELECT count(*), min(node_key) FROM nodes WHERE (state = 40) <> (outcome IS NOT NULL)"},
    {"nodes with keys that are still to be given out",
     "SELECT count(*), min(node_key) FROM nodes WHERE node_key >= (SELECT next_node FROM counters) OR "
     "node_key < 1"},
    {"plans with keys that are still to be given out",
     "SELECT count(*), min(plan_key) FROM plans WHERE plan_key >= (SELECT next_plan FROM counters) OR "
     "plan_key < 1"},
    {"nodes that are later than their plan",
     "SELECT count(*), min(n.node_key) FROM nodes AS n JOIN plans AS p USING(plan_key) WHERE n.version > "
     "p.version"},
    {"options or args without their node",
     "SELECT count(*), min(b.node_key) FROM node_bodies AS b LEFT JOIN nodes AS n USING(node_key)"
     " WHERE n.node_key IS NULL"},
    {"edges without their owner",
     "SELECT count(*), min(e.owner_key) FROM edges AS e LEFT JOIN nodes AS o ON o.node_key = e.owner_key"
     " WHERE o.node_key IS NULL"},
    {"edges that lead to no node, to another plan or to another type",
     "SELECT count(*), min(e.owner_key) FROM edges AS e JOIN nodes AS o ON o.node_key = e.owner_key"
     " LEFT JOIN nodes AS t ON t.node_key = e.target_key"
     " WHERE t.node_key IS NULL OR t.plan_key <> o.plan_key OR t.type <> e.target_type"},
    {"edges of an unknown role, state or condition",
     "SELECT count(*), min(owner_key) FROM edges WHERE NOT (target_type IN (1, 2)"
     " AND on_state IN (10, 20, 30, 40) AND role IN (1, 2) AND on_when BETWEEN 1 AND 5)"},
    {"edges in a group that is not there",
     "SELECT count(*), min(e.owner_key) FROM edges AS e LEFT JOIN predicate_groups AS g ON g.owner_key = "
     "e.owner_key"
     " AND g.role = e.role AND g.group_no = e.group_no WHERE g.owner_key IS NULL AND NOT (e.role = 1 AND "
     "e.group_no = 0)"},
    {"groups without their owner",
     "SELECT count(*), min(g.owner_key) FROM predicate_groups AS g LEFT JOIN nodes AS o ON o.node_key = "
     "g.owner_key"
     " WHERE o.node_key IS NULL"},
    {"groups of an unknown kind",
     "SELECT count(*), min(owner_key) FROM predicate_groups WHERE role NOT IN (1, 2) OR kind NOT BETWEEN 1 "
     "AND 3"
     " OR resolution NOT BETWEEN 1 AND 3"},
    {"groups in a group that is not there",
     "SELECT count(*), min(g.owner_key) FROM predicate_groups AS g LEFT JOIN predicate_groups AS p"
     " ON p.owner_key = g.owner_key AND p.role = g.role AND p.group_no = g.parent"
     " WHERE (p.owner_key IS NULL AND NOT (g.role = 1 AND g.parent = 0) AND NOT (g.role = 2 AND g.parent = "
     "-1))"
     " OR g.parent >= g.group_no"},
    {"continuation groups that their stage does not know of, or that are missing",
     "SELECT count(*), min(n.node_key) FROM nodes AS n LEFT JOIN predicate_groups AS g ON g.owner_key = "
     "n.node_key"
     " AND g.role = 2 AND g.group_no = 0 WHERE (g.owner_key IS NOT NULL) <> n.has_continuation"},
    {"assignments between nodes that are not a stage and a check of one plan",
     "SELECT count(*), min(a.stage_key) FROM assignments AS a LEFT JOIN nodes AS s ON s.node_key = "
     "a.stage_key"
     " LEFT JOIN nodes AS c ON c.node_key = a.check_key WHERE s.node_key IS NULL OR c.node_key IS NULL"
     " OR s.plan_key <> c.plan_key OR s.type <> 2 OR c.type <> 1 OR a.goal NOT IN (20, 30, 40)"},
    {"checks whose goals do not agree with the assignments to them",
     "SELECT count(*), min(coalesce(a.check_key, g.check_key)) FROM (SELECT x.check_key, x.goal, count(*) AS "
     "stages,"
     " sum(s.state < 40) AS open FROM assignments AS x JOIN nodes AS s ON s.node_key = x.stage_key GROUP BY "
     "1, 2) AS a"
     " FULL JOIN goals AS g ON g.check_key = a.check_key AND g.goal = a.goal"
     " WHERE a.stages IS NOT g.stages OR a.open IS NOT g.open"},
    {"attempts without their stage, or in another plan than it",
     "SELECT count(*), min(a.stage_key) FROM attempts AS a LEFT JOIN nodes AS s ON s.node_key = a.stage_key"
     " WHERE s.node_key IS NULL OR s.type <> 2 OR s.plan_key <> a.plan_key"},
    {"attempts in an unknown state",
     "SELECT count(*), min(stage_key) FROM attempts WHERE state NOT IN (10, 20, 30, 40, 50) OR idx < 1"
     " OR no_retry NOT IN (0, 1)"},
    {"stages whose current attempt is not their last",
     "SELECT count(*), min(n.node_key) FROM nodes AS n LEFT JOIN (SELECT stage_key, max(idx) AS last FROM "
     "attempts"
     " GROUP BY stage_key) AS a ON a.stage_key = n.node_key WHERE n.attempt <> coalesce(a.last, 0)"},
    {"lines of progress without their attempt",
     "SELECT count(*), min(p.stage_key) FROM progress AS p LEFT JOIN attempts AS a ON a.stage_key = "
     "p.stage_key"
     " AND a.idx = p.idx WHERE a.stage_key IS NULL"},
    {"parts of logs without their attempt",
     "SELECT count(*), min(p.stage_key) FROM log_parts AS p LEFT JOIN attempts AS a ON a.stage_key = "
     "p.stage_key"
     " AND a.idx = p.idx WHERE a.stage_key IS NULL"},
    {"results without their check",
     "SELECT count(*), min(r.check_key) FROM results AS r LEFT JOIN nodes AS c ON c.node_key = r.check_key"
     " WHERE c.node_key IS NULL OR c.type <> 1"},
    {"results of an unknown kind of owner",
     "SELECT count(*), min(check_key) FROM results WHERE owner_type NOT BETWEEN 1 AND 3 OR id < 1"},
    {"results by an attempt that is not there",
     "SELECT count(*), min(r.check_key) FROM results AS r LEFT JOIN attempts AS a ON a.stage_key = "
     "r.stage_key"
     " AND a.idx = r.attempt WHERE (r.stage_key <> 0 AND a.stage_key IS NULL)"
     " OR (r.owner_type = 1) <> (r.stage_key <> 0)"},
    {"plans whose counts do not agree with their nodes",
     "SELECT count(*), min(coalesce(n.plan_key, c.plan_key)) FROM (SELECT plan_key, type, state,"
     " coalesce(outcome, 0) AS outcome, count(*) AS count FROM nodes GROUP BY 1, 2, 3, 4) AS n"
     " FULL JOIN (SELECT * FROM plan_counts WHERE count <> 0) AS c ON c.plan_key = n.plan_key AND c.type = "
     "n.type"
     " AND c.state = n.state AND c.outcome = n.outcome WHERE n.count IS NOT c.count"},
    {"recorded writes that are later than their plan",
     "SELECT count(*), min(w.plan_key) FROM writes AS w JOIN plans AS p USING(plan_key) WHERE w.version > "
     "p.version"},
    {"recorded writes with changes missing",
     "SELECT count(*), min(w.plan_key) FROM writes AS w WHERE w.change_count <> (SELECT count(*) FROM "
     "changes AS c"
     " WHERE c.change_key >= w.first_change AND c.change_key < w.first_change + w.change_count"
     " AND c.version = w.version)"},
    {"changes that no write recorded",
     "SELECT abs((SELECT count(*) FROM changes) - (SELECT coalesce(sum(change_count), 0) FROM writes)), "
     "NULL"},
    {"changes with keys that are still to be given out",
     "SELECT count(*), min(change_key) FROM changes WHERE change_key >= (SELECT next_change FROM counters)"},
    {"changes by an unknown hand",
     "SELECT count(*), min(change_key) FROM changes WHERE by_whom NOT IN (1, 2) OR node_key < 0"},
    {"changes of a node that is not there",
     "SELECT count(*), min(c.change_key) FROM changes AS c LEFT JOIN nodes AS n ON n.node_key = c.node_key"
     " WHERE c.node_key > 0 AND n.node_key IS NULL"},
    {"options or args that are no JSON object",
     "SELECT count(*), min(node_key) FROM node_bodies WHERE NOT (json_valid(json) AND json_type(json) = "
     "'object')"},
    {"policies that no write can set",
     "SELECT count(*), min(node_key) FROM node_bodies WHERE max_retries NOT BETWEEN 0 AND 1000 OR backoff < 0"
     " OR timeout < 1 OR heartbeat < 1 OR silence < 1 OR max_backoff < 1 OR coalesce(on_interrupt, 1) NOT IN "
     "(1, 2)"},
    {"labels that are no JSON object",
     "SELECT count(*), min(plan_key) FROM plans WHERE NOT (json_valid(labels) AND json_type(labels) = "
     "'object')"},
    {"results whose data are no JSON object",
     "SELECT count(*), min(check_key) FROM results WHERE NOT (json_valid(data) AND json_type(data) = "
     "'object')"},
    {"attempts whose details are no JSON object",
     "SELECT count(*), min(stage_key) FROM attempts WHERE NOT (json_valid(details) AND json_type(details) = "
     "'object')"},
    {"lines of progress whose details are no JSON object",
     "SELECT count(*), min(stage_key) FROM progress WHERE NOT (json_valid(details) AND json_type(details) = "
     "'object')"},
    {"changes that are no JSON object",
     "SELECT count(*), min(change_key) FROM changes WHERE NOT (json_valid(changes) AND json_type(changes) = "
     "'object')"},
    {"stages with a kind", "SELECT count(*), min(node_key) FROM nodes WHERE type = 2 AND kind <> ''"},
    {"recorded writes that are earlier than the one before",
     "SELECT count(*), min(w.plan_key) FROM writes AS w JOIN writes AS b ON b.plan_key = w.plan_key"
     " AND b.version = w.version - 1 WHERE w.time < b.time"},
    {"idempotency keys that are later than their plan",
     "SELECT count(*), min(o.plan_key) FROM operations AS o JOIN plans AS p USING(plan_key)"
     " WHERE o.version > p.version"},
}};

const Sql kPlanKeys("SELECT plan_key, id FROM plans ORDER BY plan_key");
const Sql kNextNode("SELECT next_node FROM counters");

/// Runs one look; damage that keeps it from its end is a problem of its own.
template <class Look>
void guarded(std::vector<StoreProblem>& problems, const Look& look) {
    try {
        look();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::store) throw;
        problems.push_back({e.what()});
    }
}

void check_integrity(Database& db, std::vector<StoreProblem>& problems) {
    Query integrity(db, "PRAGMA integrity_check");
    while (integrity.step())
        if (integrity.text(0) != "ok") problems.push_back({fmt::format("integrity: {}", integrity.text(0))});
}

void check_foreign_keys(Database& db, std::vector<StoreProblem>& problems) {
    Query foreign_keys(db, "PRAGMA foreign_key_check");
    while (foreign_keys.step())
        problems.push_back({fmt::format("a row of '{}' belongs to no row of '{}'", foreign_keys.text(0),
                                        foreign_keys.text(2))});
}

void check_invariant(Database& db, const Invariant& invariant, std::vector<StoreProblem>& problems) {
    Query row(db, invariant.sql);
    const std::int64_t count = row.step() ? row.integer(0) : 0;
    if (count == 0) return;
    std::string message = fmt::format("{} {}", count, invariant.what);
    if (!row.is_null(1)) message += fmt::format(", such as key {}", row.integer(1));
    problems.push_back({std::move(message)});
}

/// Counts the members of every group of a node again.
class Recount {
public:
    explicit Recount(const NodeRecord& record) {
        groups_.push_back({PredicateRole::dependencies, 0, -1, record.row.dependencies, {}});
        for (const GroupRow& g : record.groups) groups_.push_back({g.role, g.group, g.parent, g.count, {}});
        std::ranges::sort(groups_, {}, place);
        for (const EdgeRecord& e : record.edges)
            add(e.edge.role, e.edge.group,
                resolve_edge(e.target.type, e.edge.on_state, e.edge.when, e.target_state, e.target_outcome,
                             e.target_skip_cause, e.target_furthest));
        for (const Group& g : groups_)
            if (g.parent >= 0) add(g.role, g.parent, g.stored.resolution);
    }

    [[nodiscard]] bool agrees() const {
        return std::ranges::all_of(groups_, [](const Group& g) {
            // The empty root of "no dependencies" has nothing to count.
            if (g.found.threshold == 0) return g.stored.resolution == Resolution::satisfied;
            const std::int32_t needed = g.stored.kind == GroupKind::all   ? g.found.threshold
                                        : g.stored.kind == GroupKind::any ? 1
                                                                          : g.stored.threshold;
            return g.stored.unresolved == g.found.unresolved && g.stored.satisfied == g.found.satisfied &&
                   g.stored.threshold == needed && g.stored.resolution == resolve(g.stored);
        });
    }

private:
    struct Group {
        PredicateRole role;
        std::int32_t number, parent;
        GroupCount stored;
        GroupCount found;  ///< `threshold` holds the number of members
    };
    void add(PredicateRole role, std::int32_t number, Resolution member) {
        const auto g = std::ranges::lower_bound(groups_, std::pair(role, number), {}, place);
        if (g == groups_.end() || place(*g) != std::pair(role, number)) return;
        ++g->found.threshold;
        if (member == Resolution::unresolved) ++g->found.unresolved;
        if (member == Resolution::satisfied) ++g->found.satisfied;
    }
    static std::pair<PredicateRole, std::int32_t> place(const Group& g) { return {g.role, g.number}; }
    std::vector<Group> groups_;
};

void check_predicates(Database& db, std::vector<StoreProblem>& problems) {
    std::int64_t next_node = 1;
    {
        Query row(db, kNextNode);
        if (row.step()) next_node = row.integer(0);
    }
    Query plan(db, kPlanKeys);
    while (plan.step()) {
        std::int64_t count = 0;
        std::string example;
        if (const auto problem = plan_id_problem(plan.text(1)))
            problems.push_back({fmt::format("plan {}: its id {}", plan.integer(0), *problem)});
        NodeScanner(db, 1).scan(plan.plan(0), {}, NodeKey{next_node}, [&](std::span<NodeRecord> records) {
            for (const NodeRecord& record : records) {
                if (const auto problem = kept_node_id_problem(record.row.id))
                    problems.push_back({fmt::format("node {}: its id {}",
                                                    static_cast<std::int64_t>(record.row.key), *problem)});
                if (Recount(record).agrees()) continue;
                if (count++ == 0) example = to_string(NodeRef{record.row.type, record.row.id});
            }
            return true;
        });
        if (count > 0)
            problems.push_back(
                {fmt::format("plan {}: {} nodes whose dependencies are counted wrongly, such as {}",
                             plan.text(1), count, example)});
    }
}

}  // namespace

void check_rows(Database& db, std::vector<StoreProblem>& problems) {
    guarded(problems, [&] { check_integrity(db, problems); });
    guarded(problems, [&] { check_foreign_keys(db, problems); });
    for (const Invariant& invariant : kInvariants)
        guarded(problems, [&] { check_invariant(db, invariant, problems); });
    // Reading whole nodes makes sense only where the rows do.
    if (problems.empty()) guarded(problems, [&] { check_predicates(db, problems); });
}

}  // namespace turboci::sqlite
