// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

AttemptRow attempt_row(const Fixture& f, NodeKey stage, std::int32_t idx, Timestamp ready_at) {
    AttemptRow row;
    row.stage = stage;
    row.plan = f.plan();
    row.attempt.idx = idx;
    row.attempt.created_at = row.attempt.updated_at = at(0);
    row.ready_at = ready_at;
    return row;
}

AttemptRow full_attempt(const Fixture& f, NodeKey stage) {
    AttemptRow row = attempt_row(f, stage, 2, at(9));
    row.attempt.state = AttemptState::running;
    row.attempt.process_uid = "host:1";
    row.attempt.details.text = R"({"n":1})";
    row.attempt.failure = "lost";
    row.attempt.not_before = at(9);
    row.attempt.last_heartbeat = at(11);
    row.attempt.created_at = at(3);
    row.attempt.updated_at = at(12);
    row.attempt.started_at = at(10);
    row.deadline = at(99);
    row.no_retry = true;
    row.runner = RunnerIdentity{"host", "boot", 77, 123456};
    return row;
}

void check_equal(const AttemptRow& a, const AttemptRow& b) {
    CHECK(a.stage == b.stage);
    CHECK(a.plan == b.plan);
    CHECK(a.attempt.idx == b.attempt.idx);
    CHECK(a.attempt.state == b.attempt.state);
    CHECK(a.attempt.process_uid == b.attempt.process_uid);
    CHECK(a.attempt.details == b.attempt.details);
    CHECK(a.attempt.failure == b.attempt.failure);
    CHECK(a.attempt.not_before == b.attempt.not_before);
    CHECK(a.attempt.last_heartbeat == b.attempt.last_heartbeat);
    CHECK(a.attempt.created_at == b.attempt.created_at);
    CHECK(a.attempt.updated_at == b.attempt.updated_at);
    CHECK(a.ready_at == b.ready_at);
    CHECK(a.attempt.started_at == b.attempt.started_at);
    CHECK(a.deadline == b.deadline);
    CHECK(a.no_retry == b.no_retry);
    CHECK(a.runner == b.runner);
}

std::vector<NodeKey> stages_of(const std::vector<AttemptRow>& rows) {
    std::vector<NodeKey> keys;
    for (const AttemptRow& row : rows) keys.push_back(row.stage);
    return keys;
}

ResultRow result_row(NodeKey check, OwnerType type, std::string owner) {
    ResultRow row;
    row.check = check;
    row.result.owner_type = type;
    row.result.owner_id = std::move(owner);
    row.result.created_at = at(1);
    return row;
}

}  // namespace

TEST_CASE("an attempt is read as it was written and as it was updated") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey stage = f.add(*transaction, NodeType::stage, "s");
    const AttemptRow plain = attempt_row(f, stage, 1, at(0));
    insert_attempt(*transaction, full_attempt(f, stage));
    insert_attempt(*transaction, plain);
    check_equal(attempt(*transaction, stage, 2).value(), full_attempt(f, stage));
    check_equal(attempt(*transaction, stage, 1).value(), plain);
    CHECK_FALSE(attempt(*transaction, stage, 3));
    AttemptRow changed = full_attempt(f, stage);
    changed.attempt.idx = 1;
    update_attempt(*transaction, changed);
    check_equal(attempt(*transaction, stage, 1).value(), changed);
    AttemptRow emptied = plain;
    emptied.attempt.idx = 2;
    update_attempt(*transaction, emptied);
    check_equal(attempt(*transaction, stage, 2).value(), emptied);
    const auto all = attempts(*transaction, stage);
    REQUIRE(all.size() == 2);
    CHECK(all[0].attempt.idx == 1);
    CHECK(all[1].attempt.idx == 2);
}

TEST_CASE("ready attempts are PENDING and due, the oldest first, then by stage") {
    Fixture f;
    auto transaction = f.write();
    std::vector<NodeKey> s;
    for (int i = 0; i < 6; ++i) s.push_back(f.add(*transaction, NodeType::stage, std::to_string(i)));
    insert_attempt(*transaction, attempt_row(f, s[5], 1, at(5)));
    insert_attempt(*transaction, attempt_row(f, s[1], 1, at(7)));
    insert_attempt(*transaction, attempt_row(f, s[0], 1, at(7)));
    insert_attempt(*transaction, attempt_row(f, s[2], 1, at(20)));
    AttemptRow running = attempt_row(f, s[3], 1, at(1));
    running.attempt.state = AttemptState::running;
    insert_attempt(*transaction, running);
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    const NodeKey foreign = transaction->next_node(q);
    insert_node(*transaction, node_row(q, foreign, NodeType::stage, "x"), {});
    AttemptRow elsewhere = attempt_row(f, foreign, 1, at(1));
    elsewhere.plan = q;
    insert_attempt(*transaction, elsewhere);

    CHECK(stages_of(ready_attempts(*transaction, f.plan(), at(7), 100)) == std::vector{s[5], s[0], s[1]});
    CHECK(stages_of(ready_attempts(*transaction, f.plan(), at(7), 2)) == std::vector{s[5], s[0]});
    CHECK(ready_attempts(*transaction, f.plan(), at(4), 100).empty());
    CHECK(ready_attempts(*transaction, f.plan(), at(7), 0).empty());
    CHECK(next_ready_at(*transaction, f.plan(), at(7)) == at(20));
    CHECK(next_ready_at(*transaction, f.plan(), at(4)) == at(5));
    CHECK_FALSE(next_ready_at(*transaction, f.plan(), at(20)));

    AttemptRow claimed = attempt_row(f, s[5], 1, at(5));
    claimed.attempt.state = AttemptState::scheduled;
    update_attempt(*transaction, claimed);
    CHECK(stages_of(ready_attempts(*transaction, f.plan(), at(7), 100)) == std::vector{s[0], s[1]});
}

TEST_CASE("overdue attempts are live and past their deadline, by deadline, then by stage") {
    Fixture f;
    auto transaction = f.write();
    std::vector<NodeKey> s;
    for (int i = 0; i < 5; ++i) s.push_back(f.add(*transaction, NodeType::stage, std::to_string(i)));
    const auto put = [&](NodeKey stage, AttemptState state, std::optional<Timestamp> deadline) {
        AttemptRow row = attempt_row(f, stage, 1, at(0));
        row.attempt.state = state;
        row.deadline = deadline;
        insert_attempt(*transaction, row);
    };
    put(s[4], AttemptState::running, at(10));
    put(s[3], AttemptState::scheduled, at(20));
    put(s[2], AttemptState::running, at(20));
    put(s[1], AttemptState::complete, at(5));
    put(s[0], AttemptState::running, std::nullopt);
    CHECK(stages_of(overdue_attempts(*transaction, f.plan(), at(20))) == std::vector{s[4], s[2], s[3]});
    CHECK(stages_of(overdue_attempts(*transaction, f.plan(), at(19))) == std::vector{s[4]});
    CHECK(overdue_attempts(*transaction, f.plan(), at(9)).empty());
    CHECK(overdue_attempts(*transaction, insert_plan(*transaction, plan_row("q")), at(1000)).empty());
    CHECK(stages_of(held_attempts(*transaction, f.plan())) == std::vector{s[0], s[2], s[3], s[4]});
}

TEST_CASE("the cost of looking for ready, overdue and held attempts does not grow with those that are over") {
    Fixture f;
    auto transaction = f.write();
    for (int i = 0; i < 200; ++i) {
        AttemptRow row = attempt_row(f, f.add(*transaction, NodeType::stage, std::to_string(i)), 1, at(0));
        row.attempt.state = AttemptState::complete;
        insert_attempt(*transaction, row);
    }
    const auto before = f.statistics.rows;
    CHECK(ready_attempts(*transaction, f.plan(), at(100), 10).empty());
    CHECK(overdue_attempts(*transaction, f.plan(), at(100)).empty());
    CHECK(held_attempts(*transaction, f.plan()).empty());
    CHECK_FALSE(next_ready_at(*transaction, f.plan(), at(0)));
    CHECK(overdue_attempts(*transaction, f.plan(), at(1000)).empty());
    CHECK(f.statistics.rows == before);
}

TEST_CASE("results are numbered within their check, and there is one for each owner") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey c = f.add(*transaction, NodeType::check, "c");
    const NodeKey d = f.add(*transaction, NodeType::check, "d");
    const NodeKey s = f.add(*transaction, NodeType::stage, "s");
    ResultRow mine = result_row(c, OwnerType::stage_attempt, "p:s:3");
    mine.stage = s;
    mine.attempt = 3;
    mine.result.data.text = R"({"cases":7})";
    mine.result.failure = "2 of 7 failed";
    CHECK(insert_result(*transaction, mine) == 1);
    CHECK(insert_result(*transaction, result_row(c, OwnerType::actor, "p:s:3")) == 2);
    CHECK(insert_result(*transaction, result_row(d, OwnerType::orchestrator, "orchestrator")) == 1);

    const auto found = find_result(*transaction, c, OwnerType::stage_attempt, "p:s:3");
    REQUIRE(found);
    CHECK(found->result.id == 1);
    CHECK(found->stage == s);
    CHECK(found->attempt == 3);
    CHECK(found->result.data.text == R"({"cases":7})");
    CHECK(found->result.failure == "2 of 7 failed");
    CHECK(found->result.created_at == at(1));
    CHECK_FALSE(found->result.finalized_at);
    CHECK_FALSE(find_result(*transaction, c, OwnerType::orchestrator, "p:s:3"));

    ResultRow changed = *found;
    changed.result.failure.reset();
    changed.result.data.text = "{}";
    changed.result.finalized_at = at(8);
    update_result(*transaction, changed);
    const auto all = results(*transaction, c);
    REQUIRE(all.size() == 2);
    CHECK(all[0].result.id == 1);
    CHECK_FALSE(all[0].result.failure);
    CHECK(all[0].result.data.empty());
    CHECK(all[0].result.finalized_at == at(8));
    CHECK(all[1].result.owner_type == OwnerType::actor);
}

TEST_CASE("the open results of an attempt come by check and number") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey c = f.add(*transaction, NodeType::check, "c");
    const NodeKey d = f.add(*transaction, NodeType::check, "d");
    const NodeKey s = f.add(*transaction, NodeType::stage, "s");
    const auto put = [&](NodeKey check, const std::string& owner, std::int32_t attempt, bool open) {
        ResultRow row = result_row(check, OwnerType::stage_attempt, owner);
        row.stage = s;
        row.attempt = attempt;
        if (!open) row.result.finalized_at = at(2);
        static_cast<void>(insert_result(*transaction, row));
    };
    put(d, "p:s:1", 1, true);
    put(c, "p:s:2", 2, true);
    put(c, "p:s:1", 1, true);
    put(d, "closed", 1, false);
    static_cast<void>(insert_result(*transaction, result_row(c, OwnerType::actor, "me")));
    const auto open = open_results_of(*transaction, s, 1);
    REQUIRE(open.size() == 2);
    CHECK(open[0].check == c);
    CHECK(open[1].check == d);
    CHECK(open_results_of(*transaction, s, 2).size() == 1);
    CHECK(open_results_of(*transaction, s, 3).empty());
    CHECK(open_results_of(*transaction, NodeKey::none, 0).empty());
}

TEST_CASE("the log holds every change in the order in which it was recorded") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey c = f.add(*transaction, NodeType::check, "c");
    const NodeKey s = f.add(*transaction, NodeType::stage, "s");
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    const std::vector<ChangeRow> first{{NodeKey::none, Mover::writer, R"({"labels":{}})"},
                                       {s, Mover::writer, R"({"created":true})"},
                                       {c, Mover::orchestrator, R"({"x":1})"}};
    const std::vector<ChangeRow> other{{NodeKey::none, Mover::writer, "{}"}};
    const std::vector<ChangeRow> second{{c, Mover::writer, R"({"x":2})"}};
    append(*transaction, {f.plan(), 2, at(2), "ann", "first", "op-1"}, first);
    append(*transaction, {q, 2, at(2), "bob", "", ""}, other);
    append(*transaction, {f.plan(), 3, at(3), "bob", "second", ""}, second);

    std::vector<LogEntry> log;
    const auto read = [&](std::optional<NodeKey> node, std::int64_t since) {
        log.clear();
        transaction->read_log(f.plan(), node, since, [&](const LogEntry& e) {
            log.push_back(e);
            return true;
        });
        return log.size();
    };
    REQUIRE(read(std::nullopt, 0) == 4);
    CHECK_FALSE(log[0].node);
    CHECK(log[0].changes.text == R"({"labels":{}})");
    CHECK(log[1].node == NodeRef{NodeType::stage, "s"});
    CHECK(log[1].by == Mover::writer);
    CHECK(log[1].version == 2);
    CHECK(log[1].time == at(2));
    CHECK(log[1].actor == "ann");
    CHECK(log[1].reason == "first");
    CHECK(log[1].op_id == "op-1");
    CHECK(log[2].by == Mover::orchestrator);
    CHECK(log[3].version == 3);
    CHECK(log[3].actor == "bob");
    REQUIRE(read(c, 0) == 2);
    CHECK(log[0].changes.text == R"({"x":1})");
    CHECK(log[1].changes.text == R"({"x":2})");
    REQUIRE(read(std::nullopt, 2) == 1);
    CHECK(log[0].version == 3);
    REQUIRE(read(c, 2) == 1);
    CHECK(read(s, 2) == 0);
    CHECK(read(std::nullopt, 3) == 0);
}

TEST_CASE("an operation is found again within its plan") {
    Fixture f;
    auto transaction = f.write();
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    const OperationRow one{"op-1", 5, {}};
    const OperationRow two{"op-2", 7, {{NodeKey{3}, 1}, {NodeKey{1}, 12}}};
    insert_operation(*transaction, f.plan(), two);
    insert_operation(*transaction, f.plan(), one);
    CHECK(find_operation(*transaction, f.plan(), "op-2") == two);
    CHECK_FALSE(find_operation(*transaction, f.plan(), "op-3"));
    CHECK_FALSE(find_operation(*transaction, q, "op-2"));
    CHECK(operations(*transaction, f.plan()) == std::vector{one, two});
    CHECK(operations(*transaction, q).empty());
}
