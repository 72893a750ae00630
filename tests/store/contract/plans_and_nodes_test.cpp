// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

NodeRow full_node(PlanKey plan, NodeKey key) {
    NodeRow row = node_row(plan, key, NodeType::stage, "Bäckerei \"x\"");
    row.kind = "";
    row.state = State::final;
    row.outcome = Outcome::cancelled;
    row.concluded_reason = ConcludedReason::cancelled;
    row.version = 70'000;
    row.updated_at = at(3'000'000);
    row.history = {{State::planned, 1, at(1)},
                   {State::attempting, 1, at(1)},
                   {State::awaiting_group, 69'999, at(2)},
                   {State::final, 70'000, at(3'000'000)}};
    row.dependencies = {GroupKind::at_least, 3, 4, 2, Resolution::unresolved};
    row.dependencies_since = at(77);
    row.attempt = 12;
    row.has_continuation = true;
    return row;
}

void check_equal(const NodeRow& a, const NodeRow& b) {
    CHECK(a.key == b.key);
    CHECK(a.plan == b.plan);
    CHECK(a.type == b.type);
    CHECK(a.id == b.id);
    CHECK(a.kind == b.kind);
    CHECK(a.state == b.state);
    CHECK(a.outcome == b.outcome);
    CHECK(a.concluded_reason == b.concluded_reason);
    CHECK(a.version == b.version);
    CHECK(a.updated_at == b.updated_at);
    CHECK(a.history == b.history);
    CHECK(a.dependencies == b.dependencies);
    CHECK(a.dependencies_since == b.dependencies_since);
    CHECK(a.attempt == b.attempt);
    CHECK(a.has_continuation == b.has_continuation);
}

NodeKey after(NodeKey key, int n = 1) { return NodeKey{static_cast<std::int64_t>(key) + n}; }

}  // namespace

TEST_CASE("a plan is read as it was written") {
    Fixture f;
    PlanRow row = plan_row("release-1.2");
    row.version = 42;
    row.labels.text = R"({"branch":"main"})";
    row.from = PlanOrigin{"release-1.1", "its identity"};
    row.created_at = at(5);
    row.clock = {at(6), std::chrono::microseconds(7), "boot-7"};
    auto transaction = f.write();
    row.key = insert_plan(*transaction, row);
    const auto same = [&](const PlanRow& got) {
        CHECK(got.key == row.key);
        CHECK(got.id == row.id);
        CHECK(got.version == row.version);
        CHECK(got.labels == row.labels);
        CHECK(got.from == row.from);
        CHECK(got.created_at == row.created_at);
        CHECK(got.clock.time == row.clock.time);
        CHECK(got.clock.since_boot == row.clock.since_boot);
        CHECK(got.clock.boot_id == row.clock.boot_id);
    };
    same(transaction->find_plan("release-1.2").value());
    row.version = 43;
    row.labels.text = "{}";
    row.clock = {at(60), std::chrono::microseconds(70), "boot-8"};
    update_plan(*transaction, row);
    same(transaction->find_plan("release-1.2").value());
    CHECK_FALSE(transaction->find_plan("release-1.20"));
    CHECK_FALSE(transaction->find_plan(""));
}

TEST_CASE("plans come by key, and a second one of the same id is a conflict") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey z = insert_plan(*transaction, plan_row("z"));
    const PlanKey a = insert_plan(*transaction, plan_row("a"));
    CHECK(z < a);
    const auto all = transaction->plans();
    REQUIRE(all.size() == 3);
    CHECK(all[0].id == "p");
    CHECK(all[1].id == "z");
    CHECK(all[2].id == "a");
    CHECK(code_of([&] { static_cast<void>(insert_plan(*transaction, plan_row("z"))); }) ==
          ErrorCode::conflict);
}

TEST_CASE("counts add up by type, state and outcome, and zeros do not show") {
    Fixture f;
    auto transaction = f.write();
    const std::vector<StateCount> first{{NodeType::stage, State::planned, std::nullopt, 2},
                                        {NodeType::check, State::final, Outcome::failed, 3},
                                        {NodeType::check, State::final, Outcome::passed, 1},
                                        {NodeType::check, State::planning, std::nullopt, 4}};
    add_counts(*transaction, f.plan(), first);
    const std::vector<StateCount> second{{NodeType::stage, State::planned, std::nullopt, -2},
                                         {NodeType::check, State::planning, std::nullopt, -1}};
    add_counts(*transaction, f.plan(), second);
    const std::vector<StateCount> expected{{NodeType::check, State::planning, std::nullopt, 3},
                                           {NodeType::check, State::final, Outcome::passed, 1},
                                           {NodeType::check, State::final, Outcome::failed, 3}};
    CHECK(counts(*transaction, f.plan()) == expected);
    CHECK(counts(*transaction, insert_plan(*transaction, plan_row("q"))).empty());
}

TEST_CASE("a node is read as it was written, by name and by key") {
    Fixture f;
    auto transaction = f.write();
    const NodeRow row = full_node(f.plan(), transaction->next_node(f.plan()));
    insert_node(*transaction, row, {});
    check_equal(node(*transaction, row.key), row);
    check_equal(find_node(*transaction, f.plan(), NodeType::stage, row.id).value(), row);
    CHECK_FALSE(find_node(*transaction, f.plan(), NodeType::check, row.id));
    CHECK_FALSE(find_node(*transaction, f.plan(), NodeType::stage, "other"));
    CHECK(code_of([&] { static_cast<void>(node(*transaction, after(row.key))); }) == ErrorCode::store);
}

TEST_CASE("checks and stages, and plans, are separate namespaces") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    const NodeKey check = f.add(*transaction, NodeType::check, "a");
    const NodeKey stage = f.add(*transaction, NodeType::stage, "a");
    const NodeKey other = transaction->next_node(q);
    insert_node(*transaction, node_row(q, other, NodeType::check, "a"), {});
    CHECK(find_node(*transaction, f.plan(), NodeType::check, "a")->key == check);
    CHECK(find_node(*transaction, f.plan(), NodeType::stage, "a")->key == stage);
    CHECK(find_node(*transaction, q, NodeType::check, "a")->key == other);
    CHECK_FALSE(find_node(*transaction, q, NodeType::stage, "a"));
}

TEST_CASE("everything of a node can be updated but its names and its kind") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey key = f.add(*transaction, NodeType::stage, "s");
    NodeRow row = full_node(f.plan(), key);
    row.id = "s";
    update_node(*transaction, row);
    check_equal(node(*transaction, key), row);
    row.outcome.reset();
    row.concluded_reason.reset();
    row.state = State::attempting;
    row.history.resize(2);
    row.has_continuation = false;
    update_node(*transaction, row);
    check_equal(node(*transaction, key), row);
    NodeRow renamed = row;
    renamed.id = "t";
    renamed.kind = "k";
    update_node(*transaction, renamed);
    check_equal(node(*transaction, key), row);
}

TEST_CASE("node keys grow and are never used twice, not even after the plan is gone") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey first = f.add(*transaction, NodeType::check, "a");
    CHECK(transaction->next_node(f.plan()) == after(first));
    insert_node(*transaction, node_row(f.plan(), after(first, 4), NodeType::check, "b"), {});
    CHECK(transaction->next_node(f.plan()) == after(first, 5));
    CHECK(code_of([&] { insert_node(*transaction, node_row(f.plan(), first, NodeType::check, "c"), {}); }) ==
          ErrorCode::internal);
    delete_plan(*transaction, f.plan());
    CHECK(transaction->next_node({}) >= after(first, 5));
    transaction->commit();
    transaction.reset();
    transaction = f.write();
    CHECK(transaction->next_node({}) >= after(first, 5));
    const PlanKey again = insert_plan(*transaction, plan_row("p"));
    CHECK(transaction->next_node(again) >= after(first, 5));
}

TEST_CASE("a body is kept whole, and its default needs no keeping") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey key = transaction->next_node(f.plan());
    NodeBody body;
    body.json.text = R"({"command":["a","b"]})";
    body.retry = {5, std::chrono::seconds(3)};
    body.timeout = std::chrono::minutes(1);
    body.heartbeat = Duration(0);
    insert_node(*transaction, node_row(f.plan(), key, NodeType::stage, "s"), body);
    CHECK(service::body(*transaction, key) == body);
    body.heartbeat.reset();
    body.timeout.reset();
    update_body(*transaction, key, body);
    CHECK(service::body(*transaction, key) == body);
    update_body(*transaction, key, {});
    CHECK(service::body(*transaction, key) == NodeBody{});
    update_body(*transaction, key, body);
    CHECK(service::body(*transaction, key) == body);
    CHECK(service::body(*transaction, f.add(*transaction, NodeType::check, "c")) == NodeBody{});
}

TEST_CASE("a scan visits the nodes of one plan by key, filtered by type and state") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    std::vector<std::string> expected_all, expected_final_checks;
    for (int i = 0; i < 30; ++i) {
        const std::string id = std::to_string(99 - i);
        const NodeType type = i % 2 == 0 ? NodeType::check : NodeType::stage;
        NodeRow row =
            node_row(i % 3 == 0 ? q : f.plan(), transaction->next_node(i % 3 == 0 ? q : f.plan()), type, id);
        if (i % 4 == 0) {
            row.state = State::final;
            row.outcome = Outcome::passed;
            row.history.push_back({State::final, 1, at(1)});
        }
        insert_node(*transaction, row, {});
        if (row.plan != f.plan()) continue;
        expected_all.push_back(id);
        if (row.state == State::final && type == NodeType::check) expected_final_checks.push_back(id);
    }
    const auto scan = [&](PlanKey plan, std::optional<NodeType> type, std::vector<State> states) {
        std::vector<std::string> ids;
        scan_nodes(*transaction, plan, type, states, [&](const NodeRow& row) { ids.push_back(row.id); });
        return ids;
    };
    CHECK(scan(f.plan(), std::nullopt, {}) == expected_all);
    CHECK(scan(f.plan(), NodeType::check, {State::final}) == expected_final_checks);
    CHECK(scan(f.plan(), std::nullopt, {State::final}) == expected_final_checks);
    CHECK(scan(f.plan(), std::nullopt, {State::attempting}).empty());
    CHECK(scan(f.plan(), std::nullopt, {State::planning, State::planned, State::final}) == expected_all);
    CHECK(scan(q, std::nullopt, {}).size() == 10);
    CHECK(scan(insert_plan(*transaction, plan_row("empty")), std::nullopt, {}).empty());
}

TEST_CASE("a small plan beside a large one is scanned by its own nodes") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    static_cast<void>(f.add(*transaction, NodeType::check, "first"));
    for (int i = 0; i < 200; ++i)
        insert_node(*transaction, node_row(q, transaction->next_node(q), NodeType::check, std::to_string(i)),
                    {});
    static_cast<void>(f.add(*transaction, NodeType::check, "last"));
    const auto before = f.statistics.rows;
    std::string seen;
    scan_nodes(*transaction, f.plan(), std::nullopt, {}, [&](const NodeRow& row) { seen += row.id + " "; });
    CHECK(seen == "first last ");
    CHECK(f.statistics.rows - before < 20);
}

TEST_CASE("deleting a plan takes everything of it and nothing of another") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    std::vector<NodeKey> mine, others;
    for (const PlanKey plan : {f.plan(), q}) {
        const NodeKey check = transaction->next_node(plan);
        insert_node(*transaction, node_row(plan, check, NodeType::check, "c"), {});
        const NodeKey stage = transaction->next_node(plan);
        NodeBody body;
        body.json.text = R"({"a":1})";
        insert_node(*transaction, node_row(plan, stage, NodeType::stage, "s"), body);
        insert_edge(*transaction,
                    {stage, PredicateRole::dependencies, 0, 0, check, State::final, When::success},
                    NodeType::check);
        insert_group(*transaction, {stage, PredicateRole::dependencies, 1, 0, {}, at(1)});
        insert_assignment(*transaction, {stage, 0, check, State::final});
        put_goal(*transaction, {check, State::final, 1, 1});
        AttemptRow attempt;
        attempt.stage = stage;
        attempt.plan = plan;
        attempt.ready_at = at(1);
        insert_attempt(*transaction, attempt);
        add_progress(*transaction, stage, 1, {"halfway", at(2), {}});
        ResultRow result;
        result.check = check;
        result.result.owner_id = "me";
        static_cast<void>(insert_result(*transaction, result));
        const std::vector<ChangeRow> changes{{NodeKey::none, Mover::writer, "{}"},
                                             {check, Mover::writer, "{}"}};
        append(*transaction, {plan, 1, at(1), "me", "why", "op"}, changes);
        insert_operation(*transaction, plan, {"op", 1, {}});
        const StateCount one{NodeType::check, State::planning, std::nullopt, 1};
        add_counts(*transaction, plan, {&one, 1});
        (plan == q ? others : mine) = {check, stage};
    }
    delete_plan(*transaction, f.plan());
    CHECK_FALSE(transaction->find_plan("p"));
    CHECK(counts(*transaction, f.plan()).empty());
    CHECK_FALSE(find_operation(*transaction, f.plan(), "op"));
    CHECK(edges_of(*transaction, mine[1], PredicateRole::dependencies).empty());
    CHECK(edges_to(*transaction, mine[0], 0, 40).empty());
    CHECK(groups(*transaction, mine[1]).empty());
    CHECK(assignments_to(*transaction, mine[0]).empty());
    CHECK(goals(*transaction, mine[0]).empty());
    CHECK(attempts(*transaction, mine[1]).empty());
    CHECK(results(*transaction, mine[0]).empty());
    CHECK(ready_attempts(*transaction, f.plan(), at(100), 10).empty());
    int entries = 0;
    transaction->read_log(f.plan(), std::nullopt, 0, [&](const LogEntry&) { return ++entries > 0; });
    CHECK(entries == 0);
    CHECK(transaction->find_plan("q"));
    CHECK(find_operation(*transaction, q, "op") == OperationRow{"op", 1, {}});
    CHECK(edges_to(*transaction, others[0], 0, 40).size() == 1);
    CHECK(service::body(*transaction, others[1]).json.text == R"({"a":1})");
    CHECK(attempts(*transaction, others[1]).size() == 1);
    CHECK(results(*transaction, others[0]).size() == 1);
    transaction->read_log(q, std::nullopt, 0, [&](const LogEntry&) { return ++entries > 0; });
    CHECK(entries == 2);
}
