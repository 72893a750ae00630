// SPDX-License-Identifier: Apache-2.0
// Scans: the same nodes by several threads as one after another; conditions, limits, and takers that end
// them.
#include <algorithm>
#include <stdexcept>

#include "store/samples.hpp"

namespace turboci::test {
namespace {

std::string describe(const NodeRecord& r) {
    std::string text = r.row.id + " " + r.body.json.text;
    for (const EdgeRecord& e : r.edges) text += " < " + e.target.id;
    return text;
}

/// Notes what it is given.
struct Notes {
    void scan(Snapshot& transaction, PlanKey plan, NodeScan what) {
        transaction.scan(plan, what, [&](std::span<NodeRecord> records) {
            ++taken;
            CHECK_FALSE(records.empty());
            if (fail_at == taken) throw std::runtime_error("no more");
            for (const NodeRecord& r : records) all.push_back(describe(r));
            return enough_at != taken;
        });
    }
    std::vector<std::string> all;
    int taken = 0, fail_at = 0, enough_at = 0;
};

NodeScan of_type(NodeType type, const NodeParts& parts = {}) { return {.type = type, .parts = parts}; }

/// A plan of many nodes, each with an edge and some with a body, and some of another plan between them.
struct Many : Fixture {
    static constexpr int kNodes = 6000;
    Many() {
        auto transaction = write();
        fill(*transaction);
        transaction->commit();
        close();
        store = open(path(), {.command = "test", .read_threads = 3});
    }
    void fill(Transaction& transaction) {
        other = insert_plan(transaction, plan_row("other"));
        NodeKey before{};
        for (int i = 0; i < kNodes; ++i) {
            const NodeType type = i % 3 == 0 ? NodeType::check : NodeType::stage;
            const NodeKey key = add(transaction, type, std::to_string(i));
            if (i > 0)
                insert_edge(transaction,
                            {key, PredicateRole::dependencies, 0, 0, before, State::final, When::success},
                            (i - 1) % 3 == 0 ? NodeType::check : NodeType::stage);
            if (i % 5 == 0) {
                NodeBody body;
                body.json.text = R"({"i":)" + std::to_string(i) + "}";
                update_body(transaction, key, body);
            }
            if (i % 700 == 0)
                insert_node(
                    transaction,
                    node_row(other, transaction.next_node(other), type, "foreign" + std::to_string(i)), {});
            before = key;
        }
    }
    static std::vector<std::string> one_by_one(Snapshot& transaction, PlanKey plan, NodeType type) {
        std::vector<NodeKey> keys;
        scan_nodes(transaction, plan, type, {}, [&](const NodeRow& row) { keys.push_back(row.key); });
        Notes notes;
        for (const NodeKey key : keys) {
            const std::vector<NodeKey> one{key};
            notes.scan(transaction, plan, {.keys = &one});
        }
        return notes.all;
    }
    std::unique_ptr<Store> store;
    PlanKey other{};
};

}  // namespace

TEST_CASE("a scan of many nodes brings the same in the same order as reading one after another") {
    Many f;
    auto transaction = f.store->read({});
    for (const NodeType type : {NodeType::check, NodeType::stage}) {
        Notes notes;
        notes.scan(*transaction, f.plan(), of_type(type));
        CHECK(notes.all.size() == (type == NodeType::check ? 2000 : 4000));
        CHECK(notes.taken > 2);
        CHECK(notes.all == Many::one_by_one(*transaction, f.plan(), type));
    }
    // What a reader sees does not change, by which thread so ever: a commit comes after it, or does not show.
    auto writer = Fixture::open(f.path());
    const auto refused = code_of([&] {
        auto write = writer->write({}, {.at_most = std::chrono::milliseconds(50)});
        static_cast<void>(f.add(*write, NodeType::check, "new"));
        write->commit();
    });
    CHECK(refused.value_or(ErrorCode::locked) == ErrorCode::locked);
    Notes again;
    again.scan(*transaction, f.plan(), of_type(NodeType::check));
    CHECK(again.all.size() == 2000);
}

TEST_CASE("a scan ends when its taker has enough, or at its limit") {
    Many f;
    auto transaction = f.store->read({});
    const NodeParts parts = GENERATE(NodeParts(), kBareNodes);  // by several threads, and by one
    Notes all, enough, limited;
    all.scan(*transaction, f.plan(), of_type(NodeType::stage, parts));
    enough.enough_at = 2;
    enough.scan(*transaction, f.plan(), of_type(NodeType::stage, parts));
    CHECK(enough.taken == 2);
    CHECK(enough.all.size() < all.all.size());
    CHECK(std::equal(enough.all.begin(), enough.all.end(), all.all.begin()));
    for (const std::size_t limit : {0u, 1u, 100u, 1000u, 4000u, 9000u}) {
        limited.all.clear();
        NodeScan some = of_type(NodeType::stage, parts);
        some.limit = limit;
        limited.scan(*transaction, f.plan(), some);
        CHECK(limited.all.size() == std::min<std::size_t>(limit, 4000));
        CHECK(std::equal(limited.all.begin(), limited.all.end(), all.all.begin()));
    }
}

TEST_CASE("a node that holds much is handed over without many others") {
    Fixture f;
    auto transaction = f.write();
    for (int i = 0; i < 30; ++i) {
        const NodeKey key = f.add(*transaction, NodeType::check, std::to_string(i));
        NodeBody body;
        body.json.text = R"({"x":")" + std::string(600'000, 'x') + "\"}";
        update_body(*transaction, key, body);
    }
    std::size_t most = 0, all = 0;
    transaction->scan(f.plan(), {}, [&](std::span<NodeRecord> records) {
        most = std::max(most, records.size());
        all += records.size();
        return true;
    });
    CHECK(all == 30);
    CHECK(most <= 2);
}

TEST_CASE("a scan brings the nodes that fulfil all conditions, and no others") {
    Fixture f;
    auto transaction = f.write();
    std::vector<NodeKey> keys;
    const auto add = [&](NodeType type, const std::string& id, const std::string& kind, State state,
                         std::optional<Outcome> outcome) {
        NodeRow row = node_row(f.plan(), transaction->next_node(f.plan()), type, id);
        row.kind = kind;
        row.state = state;
        row.outcome = outcome;
        if (outcome) row.history.push_back({state, 2, at(3)});
        insert_node(*transaction, row, {});
        keys.push_back(row.key);
    };
    add(NodeType::check, "a1", "build", State::final, Outcome::passed);
    add(NodeType::check, "a2", "test", State::final, Outcome::failed);
    add(NodeType::stage, "a3", "", State::attempting, std::nullopt);
    add(NodeType::stage, "b1", "", State::final, Outcome::failed);
    add(NodeType::check, "b2", "build", State::waiting, std::nullopt);
    add(NodeType::stage, "b3", "", State::planned, std::nullopt);
    const bool by_keys = GENERATE(false, true);
    const auto ids = [&](NodeScan what) {
        // The value comes first: of a constant before it Catch would keep references.
        what.parts = GENERATE(NodeParts(), kBareNodes);
        if (by_keys) what.keys = &keys;
        std::string text;
        transaction->scan(f.plan(), what, [&](std::span<NodeRecord> records) {
            for (const NodeRecord& r : records) text += r.row.id + " ";
            return true;
        });
        return text;
    };
    CHECK(ids({}) == "a1 a2 a3 b1 b2 b3 ");
    CHECK(ids({.type = NodeType::stage}) == "a3 b1 b3 ");
    CHECK(ids({.states = {State::final}}) == "a1 a2 b1 ");
    CHECK(ids({.states = {State::planned, State::waiting}}) == "b2 b3 ");
    CHECK(ids({.type = NodeType::check, .states = {State::attempting}}).empty());
    CHECK(ids({.outcomes = {Outcome::failed}}) == "a2 b1 ");
    CHECK(ids({.type = NodeType::stage, .outcomes = {Outcome::failed, Outcome::skipped}}) == "b1 ");
    CHECK(ids({.kinds = {"test", "build"}}) == "a1 a2 b2 ");
    CHECK(ids({.kinds = {"none"}}).empty());
    CHECK(ids({.ids = {"b2", "a*"}}) == "a1 a2 a3 b2 ");
    CHECK(ids({.states = {State::final}, .ids = {"?1"}}) == "a1 b1 ");
    CHECK(ids({.ids = {"?1"}, .limit = 1}) == "a1 ");
}

TEST_CASE("a scan without targets, of a small plan, and of a type that is not there") {
    Many f;
    auto transaction = f.store->read({});
    Notes bare;
    bare.scan(*transaction, f.plan(), of_type(NodeType::stage, kBareNodes));
    CHECK(bare.all.size() == 4000);
    CHECK(bare.taken > 2);
    Notes foreign;
    foreign.scan(*transaction, f.other, of_type(NodeType::stage));
    CHECK(foreign.all == Many::one_by_one(*transaction, f.other, NodeType::stage));
    transaction.reset();
    {
        auto write = f.store->write({}, {});
        const PlanKey checks = insert_plan(*write, plan_row("checks"));
        for (int i = 0; i < 5000; ++i) {
            insert_node(*write,
                        node_row(checks, write->next_node(checks), NodeType::check, std::to_string(i)), {});
        }
        const StateCount count{NodeType::check, State::planned, std::nullopt, 5000};
        add_counts(*write, checks, {&count, 1});
        write->commit();
    }
    transaction = f.store->read({});
    Notes none, all, first;
    first.scan(*transaction, f.plan(), of_type(NodeType::stage));  // another plan than the next
    CHECK(first.all.size() == 4000);
    const PlanKey checks = transaction->find_plan("checks")->key;
    none.scan(*transaction, checks, of_type(NodeType::stage));
    CHECK(none.all.empty());
    CHECK(none.taken == 0);
    all.scan(*transaction, checks, of_type(NodeType::check));
    CHECK(all.all.size() == 5000);
}

TEST_CASE("a large plan whose nodes lie scattered between those of another is read by its own") {
    Fixture f;
    {
        auto transaction = f.write();
        const PlanKey q = insert_plan(*transaction, plan_row("q"));
        for (int i = 0; i < 4200; ++i) {
            static_cast<void>(f.add(*transaction, NodeType::check, std::to_string(i)));
            for (int j = 0; j < 9; ++j) {
                const std::string id = std::to_string(i) + "-" + std::to_string(j);
                insert_node(*transaction, node_row(q, transaction->next_node(q), NodeType::check, id), {});
            }
        }
        transaction->commit();
    }
    f.close();
    const auto store = Fixture::open(f.path(), {.read_threads = 2});
    const auto transaction = store->read({});
    Notes notes;
    notes.scan(*transaction, f.plan(), of_type(NodeType::check));
    CHECK(notes.all.size() == 4200);
    CHECK(notes.all.back() == "4199 {}");
}

TEST_CASE("within a write, a scan brings what it has written") {
    Many f;
    auto transaction = f.store->write({}, {});
    static_cast<void>(f.add(*transaction, NodeType::check, "new"));
    Notes notes;
    notes.scan(*transaction, f.plan(), of_type(NodeType::check));
    CHECK(notes.all.size() == 2001);
    CHECK(notes.all.back() == "new {}");
}

TEST_CASE("what the taker of a scan throws comes through, and the store goes on") {
    Many f;
    {
        auto transaction = f.store->read({});
        Notes full;
        full.fail_at = 2;
        CHECK_THROWS_WITH(full.scan(*transaction, f.plan(), of_type(NodeType::stage)), "no more");
        Notes after;
        after.scan(*transaction, f.plan(), of_type(NodeType::stage));
        CHECK(after.all.size() == 4000);
    }
    auto write = f.store->write({}, {});
    static_cast<void>(f.add(*write, NodeType::check, "new"));
    write->commit();
}

}  // namespace turboci::test
