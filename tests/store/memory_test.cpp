// SPDX-License-Identifier: Apache-2.0
// What the store in memory does beside the contract.
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("a store in memory is new and sound, and is no file") {
    const auto store = open_store("memory:");
    const auto other = open_store("memory:");
    auto transaction = store->write({}, {});
    static_cast<void>(insert_plan(*transaction, plan_row("p")));
    CHECK(transaction->store().identity.size() == 32);
    transaction->commit();
    transaction.reset();
    CHECK(store->read({})->plans().size() == 1);
    CHECK(other->read({})->plans().empty());
    CHECK(store->read({})->store().identity != other->read({})->store().identity);
    CHECK(store->check({}).empty());
    TempDir dir;
    CHECK(code_of([&] { store->backup(dir / "copy.db", {}); }) == ErrorCode::internal);
}

TEST_CASE("a reader sees what was there when it began, whatever is committed meanwhile") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    const auto reader = other->read({});
    auto transaction = f.write();
    const NodeKey key = f.add(*transaction, NodeType::check, "a");
    transaction->commit();
    transaction.reset();
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::check, "a"));
    CHECK(reader->next_node(f.plan()) == key);
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "a"));
}

TEST_CASE("rows that are there already, and changes of rows that are not, are refused") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey stage = f.add(*transaction, NodeType::stage, "s");
    const NodeKey check = f.add(*transaction, NodeType::check, "c");
    AttemptRow attempt;
    attempt.stage = stage;
    ResultRow result;
    result.check = check;
    const GroupRow group{stage, kDependencies, 1, 0, {}, at(1)};
    const EdgeRow edge{stage, kDependencies, 1, 0, check, State::final, When::success};
    const auto refused = [&](const auto& write) { return code_of(write) == ErrorCode::store; };
    // Changes first: there is nothing yet.
    CHECK(refused([&] { update_attempt(*transaction, attempt); }));
    CHECK(refused([&] { update_result(*transaction, result); }));
    CHECK(refused([&] { update_group(*transaction, group); }));
    CHECK(refused([&] { update_node(*transaction, node_row(f.plan(), NodeKey{99}, NodeType::check, "x")); }));
    const auto write_all = [&](const auto& each) {
        each([&] { insert_attempt(*transaction, attempt); });
        each([&] { static_cast<void>(insert_result(*transaction, result)); });
        each([&] { insert_group(*transaction, group); });
        each([&] { insert_edge(*transaction, edge, NodeType::check); });
        each([&] { insert_assignment(*transaction, {stage, 0, check, State::final}); });
        each([&] { insert_operation(*transaction, f.plan(), {"op", 1, {}}); });
        each([&] { append(*transaction, {f.plan(), 1, at(1), "me", "", ""}, {}); });
    };
    write_all([&](const auto& write) { CHECK_NOTHROW(write()); });
    write_all([&](const auto& write) { CHECK(refused(write)); });
    const NodeKey next = transaction->next_node(f.plan());
    CHECK(refused([&] { insert_node(*transaction, node_row(f.plan(), next, NodeType::stage, "s"), {}); }));
    CHECK(transaction->next_node(f.plan()) == next);
}

TEST_CASE("a body that is written again keeps who wrote it first") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey writer = f.add(*transaction, NodeType::stage, "writer");
    const NodeKey key = transaction->next_node(f.plan());
    NodeBody body;
    body.created_by = writer;
    body.created_by_attempt = 2;
    insert_node(*transaction, node_row(f.plan(), key, NodeType::stage, "s"), body);
    NodeBody other;
    other.json.text = R"({"a":1})";
    other.message = "why";
    update_body(*transaction, key, other);
    other.created_by = writer;
    other.created_by_attempt = 2;
    CHECK(service::body(*transaction, key) == other);
}
