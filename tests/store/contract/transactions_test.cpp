// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("what is committed is there for the next transaction and after reopening") {
    Fixture f;
    {
        auto uow = f.write();
        static_cast<void>(f.add(*uow, NodeType::check, "a"));
        uow->commit();
    }
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "a"));
    f.close();
    f.reopen();
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "a"));
}

TEST_CASE("a transaction that ends without commit leaves nothing behind") {
    Fixture f;
    NodeKey key{};
    {
        auto uow = f.write();
        key = f.add(*uow, NodeType::check, "a");
        CHECK(find_node(*uow, f.plan(), NodeType::check, "a"));
    }
    auto uow = f.write();
    CHECK_FALSE(find_node(*uow, f.plan(), NodeType::check, "a"));
    CHECK(counts(*uow, f.plan()).empty());
    CHECK(uow->next_node_key() == key);
}

TEST_CASE("a reader keeps its view while a writer waits to commit, and the next reader sees the commit") {
    Fixture f;
    auto other = Fixture::open({.path = f.path()});
    auto reader = f.read();
    CHECK_FALSE(reader->find_plan("q"));
    auto writer = other->begin(Access::write);
    static_cast<void>(insert_plan(*writer, plan_row("q")));
    CHECK_FALSE(reader->find_plan("q"));
    reader.reset();
    writer->commit();
    CHECK(f.read()->find_plan("q"));
}

TEST_CASE("readers do not wait for a writer that has written but not committed") {
    Fixture f;
    auto other = Fixture::open({.path = f.path(), .lock_timeout = Duration::zero()});
    auto writer = f.write();
    static_cast<void>(f.add(*writer, NodeType::stage, "s"));
    auto reader = other->begin(Access::read);
    CHECK(reader->find_plan("p"));
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::stage, "s"));
}

TEST_CASE("writing in a transaction for reading is a bug") {
    Fixture f;
    auto uow = f.read();
    CHECK(code_of([&] { static_cast<void>(insert_plan(*uow, plan_row("q"))); }) == ErrorCode::internal);
    CHECK(code_of([&] { update_plan(*uow, plan_row("p")); }) == ErrorCode::internal);
    CHECK(code_of([&] { uow->delete_plan(f.plan()); }) == ErrorCode::internal);
    CHECK(code_of([&] { insert_edge(*uow, {}, NodeType::check); }) == ErrorCode::internal);
}

TEST_CASE("a commit happens at most once, and nothing is written after it") {
    Fixture f;
    auto uow = f.write();
    static_cast<void>(insert_plan(*uow, plan_row("q")));
    uow->commit();
    CHECK(code_of([&] { uow->commit(); }) == ErrorCode::internal);
    CHECK(code_of([&] { static_cast<void>(insert_plan(*uow, plan_row("r"))); }) == ErrorCode::internal);
}

TEST_CASE("one store has one transaction at a time") {
    Fixture f;
    auto uow = f.read();
    CHECK(code_of([&] { static_cast<void>(f.write()); }) == ErrorCode::internal);
    uow.reset();
    CHECK_NOTHROW(f.write());
}

TEST_CASE("a store opened for reading refuses to write") {
    Fixture f;
    auto reader = Fixture::open({.path = f.path(), .read_only = true});
    CHECK(code_of([&] { static_cast<void>(reader->begin(Access::write)); }) == ErrorCode::internal);
    CHECK(reader->begin(Access::read)->find_plan("p"));
}
