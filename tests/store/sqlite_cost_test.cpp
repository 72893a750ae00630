// SPDX-License-Identifier: Apache-2.0
// How many statements and rows an answer takes.
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("statistics count statements and rows of this transaction alone") {
    Fixture f;
    {
        auto transaction = f.write();
        for (int i = 0; i < 10; ++i)
            static_cast<void>(f.add(*transaction, NodeType::check, "c" + std::to_string(i)));
        transaction->commit();
    }
    auto transaction = f.read();
    const StoreStatistics before = f.statistics;
    int seen = 0;
    scan_nodes(*transaction, f.plan(), std::nullopt, {}, [&](const NodeRow&) { ++seen; });
    const StoreStatistics after = f.statistics;
    CHECK(seen == 10);
    CHECK(after.rows - before.rows >= 10);
    CHECK(after.rows - before.rows < 20);
    CHECK(after.statements > before.statements);
    CHECK(before.rows < 10);
}

TEST_CASE("a scan reads few of the nodes that its conditions on states and outcomes leave out") {
    Fixture f;
    auto transaction = f.write();
    for (int i = 0; i < 1000; ++i) {
        NodeRow row =
            node_row(f.plan(), transaction->next_node(f.plan()), NodeType::check, std::to_string(i));
        row.state = State::final;
        row.history.push_back({State::final, 2, at(3)});
        row.outcome = i % 100 == 7 ? Outcome::failed : Outcome::passed;
        insert_node(*transaction, row, {});
    }
    const StateCount count{NodeType::check, State::final, std::nullopt, 1000};
    add_counts(*transaction, f.plan(), {&count, 1});
    NodeScan failed;
    failed.outcomes = {Outcome::failed};
    const auto before = f.statistics;
    std::size_t found = 0;
    transaction->scan(f.plan(), failed, [&](std::span<NodeRecord> records) {
        found += records.size();
        return true;
    });
    CHECK(found == 10);
    CHECK(f.statistics.rows - before.rows < 100);
}

TEST_CASE("the cost of finding dependents follows the dependents") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey target = f.add(*transaction, NodeType::check, "c");
    const NodeKey other = f.add(*transaction, NodeType::check, "d");
    for (int i = 0; i < 300; ++i) {
        const NodeKey owner = f.add(*transaction, NodeType::check, "o" + std::to_string(i));
        insert_edge(*transaction,
                    {owner, kDependencies, 0, 0, i % 100 == 0 ? target : other, State::final, When::success},
                    NodeType::check);
    }
    const auto before = f.statistics;
    CHECK(edges_to(*transaction, target, 30, 40).size() == 3);
    CHECK(f.statistics.rows - before.rows == 3);
    CHECK(f.statistics.statements - before.statements == 1);
}
