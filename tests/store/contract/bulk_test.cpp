// SPDX-License-Identifier: Apache-2.0
// Rows by the hundred are stored as they are one by one.
#include <stdexcept>

#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

struct Samples {
    std::vector<NodeRow> nodes;
    std::vector<NodeBody> bodies;
    std::vector<TypedEdge> edges;
    std::vector<ChangeRow> changes;
};

/// Nodes of both types with and without what a node may lack, each with edges to the one before it.
Samples make_rows(PlanKey plan, NodeKey first, int count) {
    Samples rows;
    for (int i = 0; i < count; ++i) {
        const NodeKey key{static_cast<std::int64_t>(first) + i};
        const NodeType type = i % 2 == 0 ? NodeType::check : NodeType::stage;
        NodeRow& row = rows.nodes.emplace_back(node_row(plan, key, type, "n" + std::to_string(i)));
        NodeBody& body = rows.bodies.emplace_back();
        if (i % 3 == 0) {
            row.kind = type == NodeType::check ? "build" : "";
            row.state = State::final;
            row.outcome = Outcome::failed;
            row.history.push_back({State::final, 1, at(2 + i)});
        }
        if (i % 5 == 1) {
            body.json.text = R"({"n":)" + std::to_string(i) + "}";
            body.retry = {i, std::chrono::seconds(i)};
            if (i % 2 == 0) body.timeout = std::chrono::minutes(i);
        }
        if (i > 0) {
            const NodeType before = rows.nodes[rows.nodes.size() - 2].type;
            const NodeKey target{static_cast<std::int64_t>(key) - 1};
            for (int p = 0; p < 1 + i % 2; ++p)
                rows.edges.push_back(
                    {{key, PredicateRole::dependencies, 0, p, target, State::final, When::always}, before});
        }
        if (i % 4 != 0) rows.changes.push_back({key, Mover::writer, R"({"i":)" + std::to_string(i) + "}"});
    }
    rows.changes.push_back({NodeKey::none, Mover::orchestrator, "{}"});
    return rows;
}

template <class Row>
Rows<Row> each_of(const std::vector<Row>& rows) {
    return {rows.size(), [&rows, next = std::size_t{0}](std::size_t i) mutable -> const Row& {
                CHECK(i == next++);
                return rows.at(i);
            }};
}

void insert_one_by_one(Transaction& transaction, const WriteRow& write, const Samples& rows) {
    for (std::size_t i = 0; i < rows.nodes.size(); ++i)
        insert_node(transaction, rows.nodes[i], rows.bodies[i]);
    for (const TypedEdge& e : rows.edges) insert_edge(transaction, e.edge, e.target_type);
    append(transaction, write, rows.changes);
}

void insert_together(Transaction& transaction, const WriteRow& write, const Samples& rows) {
    change(transaction, write.plan, [&](ChangeSet& c) {
        c.created = each_of(rows.nodes);
        c.created_bodies = each_of(rows.bodies);
        c.edges = each_of(rows.edges);
        c.write = write;
        c.changes = each_of(rows.changes);
    });
}

/// All that can be read of a plan, as text.
std::string everything(Snapshot& transaction, PlanKey plan) {
    std::string text;
    const auto add = [&](const auto& value) {
        text += std::to_string(static_cast<std::int64_t>(value)) + " ";
    };
    read_records(transaction, plan, std::nullopt, nullptr, {}, [&](NodeRecord& r) {
        add(r.row.key);
        add(r.row.type);
        text += r.row.id + " " + r.row.kind + " ";
        add(r.row.state);
        add(r.row.outcome.value_or(Outcome{}));
        for (const StateEntry& entry : r.row.history) add(entry.at.time_since_epoch().count());
        text += r.body.json.text + " ";
        add(r.body.retry.max_retries);
        add(r.body.retry.backoff.count());
        add(r.body.timeout.value_or(Duration(-1)).count());
        for (const EdgeRecord& e : r.edges) {
            add(e.edge.position);
            add(e.edge.target);
            text += to_string(e.target) + " ";
        }
        text += "\n";
    });
    transaction.read_log(plan, std::nullopt, 0, [&](const LogEntry& entry) {
        add(entry.version);
        text += entry.actor + " " + (entry.node ? to_string(*entry.node) : "plan") + " ";
        add(entry.by);
        text += entry.changes.text + "\n";
        return true;
    });
    return text;
}

}  // namespace

TEST_CASE("many rows together are stored as they are one by one") {
    for (const int count : {0, 3, 400}) {
        CAPTURE(count);
        std::vector<std::string> seen;
        for (const bool together : {false, true}) {
            Fixture f;
            auto transaction = f.write();
            const NodeKey first = transaction->next_node(f.plan());
            const Samples rows = make_rows(f.plan(), first, count);
            const WriteRow write{
                .plan = f.plan(), .version = 1, .time = at(1), .actor = "me", .reason = "", .op_id = ""};
            (together ? insert_together : insert_one_by_one)(*transaction, write, rows);
            CHECK(transaction->next_node(f.plan()) == NodeKey{static_cast<std::int64_t>(first) + count});
            transaction->commit();
            transaction.reset();
            auto reader = f.read();
            if (count > 0) {
                const std::size_t middle = rows.nodes.size() / 2;
                CHECK(find_node(*reader, f.plan(), rows.nodes.back().type, rows.nodes.back().id));
                CHECK(edges_to(*reader, rows.nodes[middle].key, 0, 40).size() == 1 + (middle + 1) % 2);
                std::size_t changes = 0;
                reader->read_log(f.plan(), rows.changes.front().node, 0,
                                 [&](const LogEntry&) { return ++changes > 0; });
                CHECK(changes == 1);
            }
            seen.push_back(everything(*reader, f.plan()));
            reader.reset();
            // The rows have their faults, and the same ones either way.
            for (const StoreProblem& problem : f.store().check({})) seen.back() += problem.message + "\n";
        }
        CHECK(seen[0] == seen[1]);
    }
}

TEST_CASE("what the giver of many rows throws comes through, and a rollback undoes the rest") {
    Fixture f;
    {
        auto transaction = f.write();
        const Samples rows = make_rows(f.plan(), transaction->next_node(f.plan()), 300);
        const Rows<NodeRow> nodes(300, [&](std::size_t i) -> const NodeRow& {
            if (i == 250) throw std::runtime_error("no more");
            return rows.nodes.at(i);
        });
        CHECK_THROWS_WITH(change(*transaction, f.plan(),
                                 [&](ChangeSet& c) {
                                     c.created = nodes;
                                     c.created_bodies = each_of(rows.bodies);
                                 }),
                          "no more");
    }
    {
        auto transaction = f.write();
        CHECK(everything(*transaction, f.plan()).empty());
        // A key that was used, in the middle.
        Samples rows = make_rows(f.plan(), transaction->next_node(f.plan()), 300);
        rows.nodes[200].key = rows.nodes[100].key;
        CHECK(code_of([&] {
                  change(*transaction, f.plan(), [&](ChangeSet& c) {
                      c.created = each_of(rows.nodes);
                      c.created_bodies = each_of(rows.bodies);
                  });
              }) == ErrorCode::internal);
    }
    auto transaction = f.write();
    const Samples rows = make_rows(f.plan(), transaction->next_node(f.plan()), 300);
    insert_together(*transaction,
                    {.plan = f.plan(), .version = 1, .time = at(1), .actor = "", .reason = "", .op_id = ""},
                    rows);
    CHECK(edges_to(*transaction, rows.nodes[1].key, 0, 40).size() == 1);
    CHECK(code_of([&] {
              change(*transaction, f.plan(), [&](ChangeSet& c) { c.edges = each_of(rows.edges); });
              static_cast<void>(counts(*transaction, f.plan()));
          }) == ErrorCode::store);
}

TEST_CASE("who writes many rows that fit into memory keeps nobody from reading what was there") {
    Fixture f;
    auto transaction = f.write();
    const Samples rows = make_rows(f.plan(), transaction->next_node(f.plan()), 10000);
    insert_together(*transaction,
                    {.plan = f.plan(), .version = 1, .time = at(1), .actor = "", .reason = "", .op_id = ""},
                    rows);
    const auto other = Fixture::open(f.path(), {.command = "test"});
    CHECK(everything(*other->read({}), f.plan()).empty());
    transaction->commit();
    CHECK_FALSE(everything(*other->read({}), f.plan()).empty());
}
