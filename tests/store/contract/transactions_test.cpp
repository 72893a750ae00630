// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("what is committed is there for the next transaction and after reopening") {
    Fixture f;
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "a"));
        transaction->commit();
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
        auto transaction = f.write();
        key = f.add(*transaction, NodeType::check, "a");
        CHECK(find_node(*transaction, f.plan(), NodeType::check, "a"));
    }
    auto transaction = f.write();
    CHECK_FALSE(find_node(*transaction, f.plan(), NodeType::check, "a"));
    CHECK(counts(*transaction, f.plan()).empty());
    CHECK(transaction->next_node(f.plan()) == key);
}

TEST_CASE("a reader keeps its view while a writer waits to commit, and the next reader sees the commit") {
    Fixture f;
    auto other = Fixture::open(f.path());
    auto reader = f.read();
    CHECK_FALSE(reader->find_plan("q"));
    auto writer = other->write({}, {});
    static_cast<void>(insert_plan(*writer, plan_row("q")));
    CHECK_FALSE(reader->find_plan("q"));
    reader.reset();
    writer->commit();
    CHECK(f.read()->find_plan("q"));
}

TEST_CASE("readers do not wait for a writer that has written but not committed") {
    Fixture f;
    auto other = Fixture::open(f.path());
    auto writer = f.write();
    static_cast<void>(f.add(*writer, NodeType::stage, "s"));
    auto reader = other->read(kAtOnce);
    CHECK(reader->find_plan("p"));
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::stage, "s"));
}

TEST_CASE("a commit happens at most once, and nothing is written after it") {
    Fixture f;
    auto transaction = f.write();
    static_cast<void>(insert_plan(*transaction, plan_row("q")));
    transaction->commit();
    CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::internal);
    CHECK(code_of([&] { static_cast<void>(insert_plan(*transaction, plan_row("r"))); }) ==
          ErrorCode::internal);
}

TEST_CASE("one store has one transaction at a time") {
    Fixture f;
    auto transaction = f.read();
    CHECK(code_of([&] { static_cast<void>(f.write()); }) == ErrorCode::internal);
    transaction.reset();
    CHECK_NOTHROW(f.write());
}

TEST_CASE("a store opened for reading refuses to write") {
    Fixture f;
    auto reader = Fixture::open(f.path(), {.read_only = true});
    CHECK(code_of([&] { static_cast<void>(reader->write({}, {})); }) == ErrorCode::internal);
    CHECK(reader->read({})->find_plan("p"));
}
