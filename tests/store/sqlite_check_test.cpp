// SPDX-License-Identifier: Apache-2.0
// Everything that `turboci store check` can find.
#include <array>

#include "store/raw.hpp"
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

/// A sound store with rows in every table: check c is answered by stage s; stage t needs s and one of c and
/// s; s continues with t.
class Sound : public Fixture {
public:
    Sound() {
        constexpr auto kOpen = Resolution::unresolved;
        auto transaction = write();
        const NodeKey c = transaction->next_node(plan());
        NodeRow row = node_row(plan(), c, NodeType::check, "c");
        row.state = State::waiting;
        row.history.push_back({State::waiting, 1, at(1)});
        insert_node(*transaction, row, {});
        const NodeKey s = transaction->next_node(plan());
        row = node_row(plan(), s, NodeType::stage, "s");
        row.state = State::attempting;
        row.history.push_back({State::attempting, 1, at(1)});
        row.attempt = 1;
        row.has_continuation = true;
        NodeBody body;
        body.json.text = R"({"command":"make"})";
        insert_node(*transaction, row, body);
        const NodeKey t = transaction->next_node(plan());
        row = node_row(plan(), t, NodeType::stage, "t");
        row.dependencies = {GroupKind::all, 2, 2, 0, kOpen};
        insert_node(*transaction, row, {});
        insert_edge(*transaction, {t, kDependencies, 0, 0, s, State::final, When::success}, NodeType::stage);
        insert_edge(*transaction, {t, kDependencies, 1, 1, s, State::final, When::failure}, NodeType::stage);
        insert_edge(*transaction, {t, kDependencies, 1, 2, c, State::final, When::always}, NodeType::check);
        insert_group(*transaction, {t, kDependencies, 1, 0, {GroupKind::any, 1, 2, 0, kOpen}, at(1)});
        insert_edge(*transaction, {s, kContinuation, 0, 0, t, State::final, When::success}, NodeType::stage);
        insert_group(*transaction, {s, kContinuation, 0, -1, {GroupKind::all, 1, 1, 0, kOpen}, at(1)});
        insert_assignment(*transaction, {s, 0, c, State::final});
        put_goal(*transaction, {c, State::final, 1, 1});
        AttemptRow attempt;
        attempt.stage = s;
        attempt.plan = plan();
        insert_attempt(*transaction, attempt);
        add_progress(*transaction, s, 1, {"halfway", at(2), {}});
        ResultRow result;
        result.check = c;
        result.stage = s;
        result.attempt = 1;
        result.result.owner_type = OwnerType::stage_attempt;
        result.result.owner_id = "p:s:1";
        static_cast<void>(insert_result(*transaction, result));
        const std::vector<StateCount> counts{{NodeType::check, State::waiting, std::nullopt, 1},
                                             {NodeType::stage, State::attempting, std::nullopt, 1},
                                             {NodeType::stage, State::planned, std::nullopt, 1}};
        add_counts(*transaction, plan(), counts);
        const std::vector<ChangeRow> changes{{NodeKey::none, Mover::writer, "{}"},
                                             {c, Mover::orchestrator, "{}"}};
        append(*transaction, {plan(), 1, at(1), "me", "why", "op"}, changes);
        insert_operation(*transaction, plan(), {"op", 1, {}});
        transaction->commit();
    }
};

/// What the check says after `sql`, all in one text.
std::string problems_after(const std::string& sql) {
    Sound f;
    f.close();
    raw(f.path(), sql);
    f.reopen();
    std::string text;
    for (const StoreProblem& p : f.store().check({})) text += p.message + "\n";
    return text;
}

}  // namespace

TEST_CASE("a sound store has no problems") { CHECK(problems_after("SELECT 1").empty()); }

TEST_CASE("an id that earlier versions took and that is refused today is no damage") {
    CHECK(problems_after("UPDATE nodes SET id = 'a' || char(8238) || 'b' WHERE node_key = 1").empty());
}

TEST_CASE("every kind of damage in the rows is found and named") {
    // c is node 1, s is node 2, t is node 3.
    const std::array<std::pair<const char*, const char*>, 49> cases{{
        {"UPDATE nodes SET state = 50 WHERE node_key = 1", "unknown type, state"},
        {"UPDATE nodes SET outcome = 1 WHERE node_key = 1", "FINAL without an outcome, or have one"},
        {"UPDATE counters SET next_node = 3",
         "nodes with keys that are still to be given out, such as key 3"},
        {"UPDATE counters SET next_plan = 1", "plans with keys that are still"},
        {"UPDATE counters SET next_change = 2", "changes with keys that are still"},
        {"UPDATE nodes SET version = 2 WHERE node_key = 3", "nodes that are later than their plan"},
        {"INSERT INTO node_bodies(node_key, json, max_retries, backoff) VALUES(77, '{}', 0, 0)",
         "options or args without their node"},
        {"UPDATE edges SET owner_key = 77 WHERE owner_key = 3 AND position = 0", "edges without their owner"},
        {"UPDATE edges SET target_key = 77 WHERE position = 0", "edges that lead to no node"},
        {"UPDATE edges SET target_type = 1 WHERE position = 0",
         "edges that lead to no node, to another plan"},
        {"UPDATE edges SET on_when = 6 WHERE position = 2", "edges of an unknown role"},
        {"UPDATE edges SET group_no = 5 WHERE position = 2", "edges in a group that is not there"},
        {"UPDATE predicate_groups SET owner_key = 77 WHERE role = 1", "groups without their owner"},
        {"UPDATE predicate_groups SET kind = 9", "groups of an unknown kind"},
        {"UPDATE predicate_groups SET parent = 7 WHERE role = 1", "groups in a group that is not there"},
        {"UPDATE nodes SET has_continuation = 0", "continuation groups that their stage does not know"},
        {"DELETE FROM predicate_groups WHERE role = 2", "continuation groups that their stage does not know"},
        {"UPDATE assignments SET check_key = 3", "assignments between nodes that are not"},
        {"DELETE FROM goals", "goals do not agree"},
        {"UPDATE goals SET open = 0", "goals do not agree"},
        {"INSERT INTO goals VALUES(1, 20, 1, 1)", "goals do not agree"},
        {"UPDATE attempts SET plan_key = 9", "attempts without their stage, or in another plan"},
        {"UPDATE attempts SET state = 60", "attempts in an unknown state"},
        {"UPDATE nodes SET attempt = 2 WHERE node_key = 2", "current attempt is not their last"},
        {"UPDATE progress SET idx = 2", "progress without their attempt"},
        {"UPDATE results SET check_key = 77", "results without their check"},
        {"UPDATE results SET owner_type = 4", "results of an unknown kind of owner"},
        {"UPDATE results SET attempt = 3", "results by an attempt that is not there"},
        {"UPDATE plan_counts SET count = 2 WHERE type = 1", "counts do not agree with their nodes"},
        {"DELETE FROM plan_counts WHERE type = 1", "counts do not agree with their nodes"},
        {"UPDATE writes SET version = 2", "recorded writes that are later than their plan"},
        {"DELETE FROM changes WHERE change_key = 2", "recorded writes with changes missing"},
        {"UPDATE writes SET change_count = 1", "changes that no write recorded"},
        {"UPDATE changes SET by_whom = 3", "changes by an unknown hand"},
        {"UPDATE changes SET node_key = 77 WHERE node_key > 0", "changes of a node that is not there"},
        {"UPDATE operations SET version = 2", "idempotency keys that are later"},
        {"UPDATE nodes SET unresolved = 1 WHERE node_key = 3",
         "plan p: 1 nodes whose dependencies are counted wrongly, such as stage:t"},
        {"UPDATE predicate_groups SET resolution = 2, satisfied = 1, unresolved = 1 WHERE role = 1",
         "counted wrongly"},
        {"UPDATE nodes SET skip_cause = 1 WHERE node_key = 2", "skipped without a cause, or have one"},
        {"UPDATE nodes SET required = 2", "unknown type, state"},
        {"UPDATE attempts SET cause = 1", "INCOMPLETE without a cause, or have one"},
        {"UPDATE attempts SET ended_at = 5", "ended without a time, or have one"},
        {"UPDATE attempts SET holder = 'x'", "held by nobody"},
        {"UPDATE attempts SET stopping_since = 1", "stopped in a way that no write"},
        {"UPDATE attempts SET stopping_inside = 2", "stopped in a way that no write"},
        {"UPDATE attempts SET retries = 7", "more retries or interruptions than there were"},
        {"UPDATE plans SET identity = ''", "without an identity"},
        {"UPDATE counters SET identity = ''", "without an identity"},
        {"INSERT INTO node_bodies(node_key, json, max_retries, backoff, created_by, created_by_attempt)"
         " VALUES(77, '{}', 0, 0, 2, 9)",
         "written by an attempt that is not there"},
    }};
    for (const auto& [sql, expected] : cases) {
        INFO(sql);
        CHECK_THAT(problems_after(sql), Contains(expected));
    }
}

TEST_CASE("rows that belong to no plan are found through the foreign keys") {
    const std::string found = problems_after("PRAGMA foreign_keys=OFF; DELETE FROM plans");
    CHECK_THAT(found, Contains("a row of 'nodes' belongs to no row of 'plans'"));
    CHECK_THAT(found, Contains("a row of 'writes' belongs to no row of 'plans'"));
}
