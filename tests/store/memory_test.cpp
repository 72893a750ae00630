// SPDX-License-Identifier: Apache-2.0
// What the store in memory does beside the contract.
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("a store in memory is new and sound, and is no file") {
    const auto store = open_memory_store();
    const auto other = open_memory_store();
    auto uow = store->begin(Access::write);
    static_cast<void>(insert_plan(*uow, plan_row("p")));
    CHECK(uow->identity().size() == 32);
    uow->commit();
    uow.reset();
    CHECK(store->begin(Access::read)->plans().size() == 1);
    CHECK(other->begin(Access::read)->plans().empty());
    CHECK(store->begin(Access::read)->identity() != other->begin(Access::read)->identity());
    CHECK(store->check().empty());
    TempDir dir;
    CHECK(code_of([&] { store->backup(dir / "copy.db"); }) == ErrorCode::internal);
}

TEST_CASE("a second writer is refused at once, until the first is over") {
    Fixture f;
    const auto other = Fixture::open({.path = f.path()});
    auto uow = f.write();
    CHECK(code_of([&] { static_cast<void>(other->begin(Access::write)); }) == ErrorCode::locked);
    CHECK_NOTHROW(other->begin(Access::read));
    uow.reset();
    uow = other->begin(Access::write);
    uow->commit();
    CHECK_NOTHROW(f.write());
}

TEST_CASE("a reader sees what was there when it began, whatever is committed meanwhile") {
    Fixture f;
    const auto other = Fixture::open({.path = f.path()});
    const auto reader = other->begin(Access::read);
    auto uow = f.write();
    const NodeKey key = f.add(*uow, NodeType::check, "a");
    uow->commit();
    uow.reset();
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::check, "a"));
    CHECK(reader->next_node_key() == key);
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "a"));
}

TEST_CASE("rows that are there already, and changes of rows that are not, are refused") {
    Fixture f;
    auto uow = f.write();
    const NodeKey stage = f.add(*uow, NodeType::stage, "s");
    const NodeKey check = f.add(*uow, NodeType::check, "c");
    AttemptRow attempt;
    attempt.stage = stage;
    ResultRow result;
    result.check = check;
    const GroupRow group{stage, kDependencies, 1, 0, {}, at(1)};
    const EdgeRow edge{stage, kDependencies, 1, 0, check, State::final, When::success};
    const auto refused = [&](const auto& write) { return code_of(write) == ErrorCode::store; };
    // Changes first: there is nothing yet.
    CHECK(refused([&] { update_attempt(*uow, attempt); }));
    CHECK(refused([&] { update_result(*uow, result); }));
    CHECK(refused([&] { update_group(*uow, group); }));
    CHECK(refused([&] { update_node(*uow, node_row(f.plan(), NodeKey{99}, NodeType::check, "x")); }));
    const auto write_all = [&](const auto& each) {
        each([&] { insert_attempt(*uow, attempt); });
        each([&] { static_cast<void>(insert_result(*uow, result)); });
        each([&] { insert_group(*uow, group); });
        each([&] { insert_edge(*uow, edge, NodeType::check); });
        each([&] { insert_assignment(*uow, {stage, 0, check, State::final}); });
        each([&] { insert_operation(*uow, f.plan(), {"op", 1, {}}); });
        each([&] { append(*uow, {f.plan(), 1, at(1), "me", "", ""}, {}); });
    };
    write_all([&](const auto& write) { CHECK_NOTHROW(write()); });
    write_all([&](const auto& write) { CHECK(refused(write)); });
    const NodeKey next = uow->next_node_key();
    CHECK(refused([&] { insert_node(*uow, node_row(f.plan(), next, NodeType::stage, "s"), {}); }));
    CHECK(uow->next_node_key() == next);
}

TEST_CASE("a body that is written again keeps who wrote it first") {
    Fixture f;
    auto uow = f.write();
    const NodeKey writer = f.add(*uow, NodeType::stage, "writer");
    const NodeKey key = uow->next_node_key();
    NodeBody body;
    body.created_by = writer;
    body.created_by_attempt = 2;
    insert_node(*uow, node_row(f.plan(), key, NodeType::stage, "s"), body);
    NodeBody other;
    other.json.text = R"({"a":1})";
    other.message = "why";
    update_body(*uow, key, other);
    other.created_by = writer;
    other.created_by_attempt = 2;
    CHECK(service::body(*uow, key) == other);
}

TEST_CASE("signs of life are kept by holder, the latest one each") {
    Fixture f;
    auto uow = f.write();
    uow->beat("a", at(1));
    uow->beat("b", at(2));
    uow->beat("a", at(3));
    uow->beat("c", at(9));
    const auto beats = [&] {
        std::string text;
        for (const auto& [holder, when] : ask(*uow, {}, [](Lookup& l) {
                                              l.beats = {"b", "x", "a", "c"};
                                          }).beats)
            text += holder + std::to_string((when - at(0)).count() / 1'000'000) + " ";
        return text;
    };
    CHECK(beats() == "b2 a3 c9 ");
    uow->forget_beats("c", at(3));
    CHECK(beats() == "a3 ");
}
