// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

/// A stage with something in every table, and a check that it answers; a forward edge between them.
struct Rich {
    NodeKey check{}, stage{};
    Rich(const Fixture& f, Transaction& transaction, const std::string& suffix) {
        stage = transaction.next_node(f.plan());
        NodeRow row = node_row(f.plan(), stage, NodeType::stage, "s" + suffix);
        row.dependencies = {GroupKind::any, 1, 2, 0, Resolution::unresolved};
        row.attempt = 2;
        NodeBody body;
        body.json.text = R"({"command":"make"})";
        body.retry = {2, std::chrono::seconds(1)};
        insert_node(transaction, row, body);
        check = transaction.next_node(f.plan());
        row = node_row(f.plan(), check, NodeType::check, "c" + suffix);
        row.kind = "build";
        row.state = State::final;
        row.outcome = Outcome::failed;
        row.history = {{State::planning, 1, at(1)}, {State::final, 2, at(5)}};
        insert_node(transaction, row, {});
        insert_group(transaction,
                     {stage, kDependencies, 1, 0, {GroupKind::all, 1, 1, 0, Resolution::unresolved}, at(1)});
        insert_edge(transaction, {stage, kDependencies, 1, 1, check, State::final, When::always},
                    NodeType::check);
        insert_edge(transaction, {stage, kDependencies, 0, 0, check, State::planned, When::success},
                    NodeType::check);
        insert_assignment(transaction, {stage, 0, check, State::final});
        for (const int idx : {2, 1}) {
            AttemptRow attempt;
            attempt.stage = stage;
            attempt.plan = f.plan();
            attempt.attempt.idx = idx;
            attempt.attempt.state = idx == 1 ? AttemptState::incomplete : AttemptState::pending;
            insert_attempt(transaction, attempt);
        }
        add_progress(transaction, stage, 1, {"one", at(2), {}});
        add_progress(transaction, stage, 1, {"two", at(3), {R"({"n":2})"}});
        ResultRow result;
        result.check = check;
        result.result.owner_id = "me";
        static_cast<void>(insert_result(transaction, result));
        result.result.owner_id = "you";
        result.result.failure = "no";
        static_cast<void>(insert_result(transaction, result));
    }
    void check_stage(const NodeRecord& r) const {
        CHECK(r.row.key == stage);
        CHECK(r.row.dependencies == GroupCount{GroupKind::any, 1, 2, 0, Resolution::unresolved});
        CHECK(r.body.json.text == R"({"command":"make"})");
        CHECK(r.body.retry.max_retries == 2);
        REQUIRE(r.groups.size() == 1);
        CHECK(r.groups[0].parent == 0);
        REQUIRE(r.edges.size() == 2);
        CHECK(r.edges[0].edge.position == 0);
        CHECK(r.edges[0].edge.on_state == State::planned);
        CHECK(r.edges[1].edge.group == 1);
        CHECK(r.edges[1].target.type == NodeType::check);
        CHECK(r.edges[1].target.id.starts_with('c'));
        CHECK(r.edges[1].target_state == State::final);
        CHECK(r.edges[1].target_outcome == Outcome::failed);
        CHECK(r.edges[1].target_furthest == 10);
        CHECK(r.edges[1].reached_at == at(5));
        REQUIRE(r.assignments.size() == 1);
        CHECK(r.assignments[0].check_id == r.edges[0].target.id);
        REQUIRE(r.attempts.size() == 2);
        CHECK(r.attempts[0].attempt.idx == 1);
        REQUIRE(r.attempts[0].attempt.progress.size() == 2);
        CHECK(r.attempts[0].attempt.progress[0].message == "one");
        CHECK(r.attempts[0].attempt.progress[1].timestamp == at(3));
        CHECK(r.attempts[0].attempt.progress[1].details.text == R"({"n":2})");
        CHECK(r.attempts[1].attempt.progress.empty());
        CHECK(r.results.empty());
    }
    void check_check(const NodeRecord& r) const {
        CHECK(r.row.key == check);
        CHECK(r.row.kind == "build");
        CHECK(r.row.outcome == Outcome::failed);
        CHECK(r.body == NodeBody{});
        CHECK(r.groups.empty());
        CHECK(r.edges.empty());
        CHECK(r.assignments.empty());
        CHECK(r.attempts.empty());
        REQUIRE(r.results.size() == 2);
        CHECK(r.results[0].result.owner_id == "me");
        CHECK(r.results[1].result.failure == "no");
    }
};

std::string ids(Snapshot& transaction, PlanKey plan, std::optional<NodeType> type,
                const std::vector<NodeKey>* keys) {
    std::string text;
    read_records(transaction, plan, type, keys, {}, [&](const NodeRecord& r) { text += r.row.id + " "; });
    return text;
}

}  // namespace

TEST_CASE("whole nodes hold everything that belongs to them, however they are asked for") {
    Fixture f;
    auto transaction = f.write();
    std::vector<Rich> all;
    for (const char* suffix : {"1", "2", "3"}) all.emplace_back(f, *transaction, suffix);
    const bool one_by_one = GENERATE(false, true);
    std::vector<NodeKey> keys;
    for (const Rich& r : all) keys.insert(keys.end(), {r.stage, r.check});
    std::size_t i = 0;
    read_records(*transaction, f.plan(), std::nullopt, one_by_one ? &keys : nullptr, {},
                 [&](const NodeRecord& r) {
                     REQUIRE(i < 6);
                     if (i % 2 == 0)
                         all[i / 2].check_stage(r);
                     else
                         all[i / 2].check_check(r);
                     ++i;
                 });
    CHECK(i == 6);
}

TEST_CASE("whole nodes can be limited to a type, a plan and some keys, always in the order of keys") {
    Fixture f;
    auto transaction = f.write();
    const Rich first(f, *transaction, "1");
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    insert_node(*transaction, node_row(q, transaction->next_node(q), NodeType::check, "foreign"), {});
    const Rich second(f, *transaction, "2");
    CHECK(ids(*transaction, f.plan(), std::nullopt, nullptr) == "s1 c1 s2 c2 ");
    CHECK(ids(*transaction, f.plan(), NodeType::stage, nullptr) == "s1 s2 ");
    CHECK(ids(*transaction, q, std::nullopt, nullptr) == "foreign ");
    const std::vector<NodeKey> some{first.check, second.stage};
    CHECK(ids(*transaction, f.plan(), std::nullopt, &some) == "c1 s2 ");
    CHECK(ids(*transaction, f.plan(), NodeType::check, &some) == "c1 ");
    const std::vector<NodeKey> none;
    CHECK(ids(*transaction, f.plan(), std::nullopt, &none).empty());
}

TEST_CASE("many keys of a large plan give the same nodes as asking for each") {
    Fixture f;
    auto transaction = f.write();
    std::vector<NodeKey> keys;
    NodeKey before{};
    for (int i = 0; i < 400; ++i) {
        const NodeKey key =
            f.add(*transaction, i % 2 == 0 ? NodeType::check : NodeType::stage, std::to_string(i));
        if (i > 0)
            insert_edge(*transaction, {key, kDependencies, 0, 0, before, State::final, When::success},
                        i % 2 == 1 ? NodeType::check : NodeType::stage);
        before = key;
        if (i % 3 == 0) keys.push_back(key);
    }
    std::vector<std::string> together, apart;
    const auto note = [](std::vector<std::string>& list) {
        return [&list](const NodeRecord& r) {
            list.push_back(r.row.id + (r.edges.empty() ? "" : " < " + r.edges.at(0).target.id));
        };
    };
    read_records(*transaction, f.plan(), std::nullopt, &keys, {}, note(together));
    for (const NodeKey key : keys) {
        const std::vector<NodeKey> one{key};
        read_records(*transaction, f.plan(), std::nullopt, &one, {}, note(apart));
    }
    CHECK(together == apart);
    CHECK(together.size() == keys.size());
    CHECK(together.at(1) == "3 < 2");
}

TEST_CASE("a small plan beside a large one is read by its own nodes") {
    Fixture f;
    auto transaction = f.write();
    const Rich mine(f, *transaction, "1");
    const PlanKey q = insert_plan(*transaction, plan_row("q"));
    for (int i = 0; i < 300; ++i)
        insert_node(*transaction, node_row(q, transaction->next_node(q), NodeType::check, std::to_string(i)),
                    {});
    const Rich last(f, *transaction, "2");
    const auto before = f.statistics.rows;
    CHECK(ids(*transaction, f.plan(), std::nullopt, nullptr) == "s1 c1 s2 c2 ");
    CHECK(f.statistics.rows - before < 100);
}

TEST_CASE("what is not asked for is not read") {
    Fixture f;
    auto transaction = f.write();
    std::vector<Rich> all;
    // More than are looked up one by one.
    for (int i = 0; i < 20; ++i) all.emplace_back(f, *transaction, std::to_string(i));
    const std::vector<NodeKey> one{all[3].stage};
    const bool alone = GENERATE(false, true);
    const auto read = [&](const NodeParts& parts) {
        NodeRecord found;
        read_records(*transaction, f.plan(), NodeType::stage, alone ? &one : nullptr, parts,
                     [&](NodeRecord& r) {
                         if (r.row.key == all[3].stage) found = std::move(r);
                     });
        return found;
    };

    const NodeRecord bare = read(kBareNodes);
    CHECK(bare.row.id == "s3");
    CHECK(bare.row.state == State::planned);
    CHECK(bare.body == NodeBody{});
    CHECK(bare.groups.empty());
    CHECK(bare.edges.empty());
    CHECK(bare.assignments.empty());
    CHECK(bare.attempts.empty());

    NodeParts parts = kBareNodes;
    parts.predicates = parts.assignments = true;
    const NodeRecord by_key = read(parts);
    REQUIRE(by_key.edges.size() == 2);
    CHECK(by_key.edges[0].edge.position == 0);
    CHECK(by_key.edges[0].edge.on_state == State::planned);
    CHECK(by_key.edges[1].edge.position == 1);
    CHECK(by_key.edges[1].edge.group == 1);
    CHECK(by_key.edges[1].edge.target == all[3].check);
    CHECK(by_key.edges[1].target.id.empty());
    CHECK(by_key.groups.size() == 1);
    CHECK(by_key.row.dependencies.kind == GroupKind::any);
    REQUIRE(by_key.assignments.size() == 1);
    CHECK(by_key.assignments[0].row.check == all[3].check);
    CHECK(by_key.assignments[0].row.goal == State::final);
    CHECK(by_key.assignments[0].check_id.empty());

    parts = kBareNodes;
    parts.attempts = true;
    CHECK(read(parts).attempts.size() == 2);
    CHECK(read(parts).attempts[0].attempt.progress.empty());
    parts.progress = parts.stamps = true;
    CHECK(read(parts).attempts[0].attempt.progress.size() == 2);
    CHECK(read(parts).row.attempt == 2);

    parts = kBareNodes;
    parts.body = true;
    CHECK(read(parts).body.retry.max_retries == 2);

    read_records(*transaction, f.plan(), NodeType::check, nullptr, kBareNodes, [&](const NodeRecord& r) {
        CHECK(r.row.history == StateHistory{{State::planning, 1, at(1)}, {State::final, 2, at(5)}});
    });
}

TEST_CASE("parts of a few of many nodes are those of the ones asked for") {
    Fixture f;
    auto transaction = f.write();
    std::vector<Rich> all;
    std::vector<NodeKey> keys;
    for (int i = 0; i < 30; ++i) {
        all.emplace_back(f, *transaction, std::to_string(i));
        if (i % 3 != 0) keys.insert(keys.end(), {all.back().stage, all.back().check});
    }
    NodeParts parts = kBareNodes;
    parts.predicates = true;
    std::size_t edges = 0;
    std::vector<NodeKey> found;
    read_records(*transaction, f.plan(), std::nullopt, &keys, parts, [&](const NodeRecord& r) {
        found.push_back(r.row.key);
        edges += r.edges.size();
    });
    CHECK(found == keys);
    CHECK(edges == 40);
    read_records(*transaction, f.plan(), NodeType::check, nullptr, kBareNodes,
                 [&](const NodeRecord& r) { found.push_back(r.row.key); });
    CHECK(found.size() == keys.size() + 30);
}

namespace {

BeatRow beat_of(const std::string& holder, int second) {
    BeatRow row;
    row.holder = holder;
    row.at = at(second);
    return row;
}

}  // namespace

TEST_CASE("workers are holders with a name, and drain once they were told to") {
    Fixture f;
    auto transaction = f.write();
    const auto tell = [&](BeatRow row) {
        change(*transaction, {}, [&](ChangeSet& c) { c.beats = {std::move(row)}; });
    };
    BeatRow worker = beat_of("w", 1);
    worker.name = "one";
    worker.runners = {"", "gpu"};
    tell(worker);
    tell(beat_of("run", 2));
    worker.at = at(3);
    worker.draining = true;
    tell(worker);
    worker.at = at(4);
    worker.draining = false;
    worker.runners = {};
    tell(worker);
    const auto workers = ask(*transaction, {}, [](Lookup& l) { l.workers = true; }).beats;
    REQUIRE(workers.size() == 1);
    CHECK(workers[0].name == "one");
    CHECK(workers[0].at == at(4));
    CHECK(workers[0].started_at == at(1));
    CHECK(workers[0].draining);
    CHECK(workers[0].runners == std::vector<std::string>{""});
}

TEST_CASE("parts of an output are kept by number, dropped one by one, and go with their plan") {
    Fixture f;
    auto transaction = f.write();
    const Rich rich(f, *transaction, "1");
    const std::string odd("a\0b\xff", 4);
    change(*transaction, f.plan(), [&](ChangeSet& c) {
        c.log_parts = {
            {rich.stage, 1, 0, 0, 4, odd}, {rich.stage, 1, 1, 4, 2, "cd"}, {rich.stage, 2, 0, 0, 1, "x"}};
    });
    change(*transaction, f.plan(), [&](ChangeSet& c) { c.log_parts = {{rich.stage, 1, 2, 6, 3, "efg"}}; });
    const auto shown = [&] {
        const Facts facts = ask(*transaction, f.plan(), [&](Lookup& l) {
            l.log_parts = {{rich.stage, 1}, {rich.stage, 3}};
            l.log_bytes = {{rich.stage, 1, 0}, {rich.stage, 1, 1}, {rich.stage, 1, 7}};
        });
        std::string text;
        for (const LogPartRow& part : facts.log_parts)
            text += fmt::format("{}:{}+{}{} ", part.seq, part.begin, part.size, part.bytes);
        for (const LogPartRow& part : facts.log_bytes)
            text += fmt::format("{}={} ", part.seq, part.bytes.size());
        if (!facts.log_bytes.empty())
            CHECK(facts.log_bytes.front().bytes == (facts.log_bytes.front().seq == 0 ? odd : "cd"));
        return text;
    };
    CHECK(shown() == "0:0+4 1:4+2 2:6+3 0=4 1=2 ");
    change(*transaction, f.plan(), [&](ChangeSet& c) {
        c.dropped_log = {{rich.stage, 1, 0}, {rich.stage, 1, 9}};
    });
    CHECK(shown() == "1:4+2 2:6+3 1=2 ");
    change(*transaction, f.plan(), [](ChangeSet& c) { c.deletes_plan = true; });
    CHECK(shown().empty());
}

TEST_CASE("signs of life are kept by holder, the latest one each") {
    Fixture f;
    auto transaction = f.write();
    change(*transaction, {}, [](ChangeSet& c) {
        c.beats = {beat_of("a", 1), beat_of("b", 2), beat_of("a", 3)};
    });
    change(*transaction, {}, [](ChangeSet& c) { c.beats = {beat_of("c", 9)}; });
    const auto beats = [&] {
        std::string text;
        for (const BeatRow& beat : ask(*transaction, {}, [](Lookup& l) {
                                       l.beats = {"b", "x", "a", "c"};
                                   }).beats)
            text += beat.holder + std::to_string((beat.at - at(0)).count() / 1'000'000) + " ";
        return text;
    };
    CHECK(beats() == "b2 a3 c9 ");
    change(*transaction, {}, [](ChangeSet& c) {
        c.ended_beats = {"c"};
        c.old_beats = at(3);
    });
    CHECK(beats() == "a3 ");
}
