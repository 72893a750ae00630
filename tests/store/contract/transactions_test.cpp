// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"
#include "support/child.hpp"

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

TEST_CASE("a store that is not there is not found, unless it may be created") {
    TempDir dir;
    const std::string path = dir / "none.db";
    CHECK(code_of([&] { static_cast<void>(Fixture::open({.path = path})); }) == ErrorCode::not_found);
    CHECK(code_of([&] {
              static_cast<void>(Fixture::open({.path = path, .create = true, .read_only = true}));
          }) == ErrorCode::not_found);
    CHECK(code_of([&] {
              static_cast<void>(Fixture::open({.path = dir / "no/such/dir.db", .create = true}));
          }) == ErrorCode::not_found);
    CHECK(Fixture::open({.path = path, .create = true})->begin(Access::read)->plans().empty());
}

TEST_CASE("writers of many processes never lose or mix a write") {
    constexpr int kProcesses = 4, kWrites = 25;
    Fixture f;
    f.close();
    const auto count_up = [&](const std::function<void()>&) {
        auto store = Fixture::open({.path = f.path(), .lock_timeout = std::chrono::seconds(120)});
        for (int i = 0; i < kWrites; ++i) {
            auto uow = store->begin(Access::write);
            PlanRow plan = uow->find_plan("p").value();
            ++plan.version;
            update_plan(*uow, plan);
            const ChangeRow change{NodeKey::none, Mover::writer, "{}"};
            append(*uow, {plan.key, plan.version, at(plan.version), "me", "", ""}, {&change, 1});
            uow->commit();
        }
        return std::string("done");
    };
    {
        std::vector<std::unique_ptr<Child>> children;
        for (int i = 0; i < kProcesses; ++i) children.push_back(std::make_unique<Child>(count_up));
        for (auto& child : children) CHECK(child->wait() == "done");
    }
    f.reopen();
    auto uow = f.read();
    CHECK(uow->find_plan("p")->version == 1 + kProcesses * kWrites);
    std::int64_t expected = 2;
    uow->read_log(f.plan(), std::nullopt, 0, [&](const LogEntry& e) {
        CHECK(e.version == expected++);
        return true;
    });
    CHECK(expected == 2 + kProcesses * kWrites);
}

TEST_CASE("a writer that waits too long is told who holds the lock") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open({.path = f.path(), .command = "turboci run"});
        auto uow = store->begin(Access::write);
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    auto store = Fixture::open({.path = f.path(), .lock_timeout = std::chrono::milliseconds(20)});
    const auto try_it = [&] { static_cast<void>(store->begin(Access::write)); };
    CHECK(code_of(try_it) == ErrorCode::locked);
    const std::string message = message_of(try_it);
    CHECK(message.find("pid " + std::to_string(holder.pid())) != std::string::npos);
    CHECK(message.find("turboci run") != std::string::npos);
    CHECK(message.find("since 20") != std::string::npos);
    CHECK(store->begin(Access::read)->find_plan("p"));
}

TEST_CASE("a writer that waits for more than a second says so once") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open({.path = f.path(), .command = "turboci run"});
        auto uow = store->begin(Access::write);
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    std::vector<std::string> told;
    auto store = Fixture::open({.path = f.path(),
                                .lock_timeout = std::chrono::milliseconds(1300),
                                .on_wait = [&](const std::string& who) { told.push_back(who); }});
    CHECK(code_of([&] { static_cast<void>(store->begin(Access::write)); }) == ErrorCode::locked);
    REQUIRE(told.size() == 1);
    CHECK(told[0].find("turboci run") != std::string::npos);
}

TEST_CASE("the lock of a killed writer is free at once, and its writes are gone") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open({.path = f.path()});
        auto uow = store->begin(Access::write);
        static_cast<void>(insert_plan(*uow, plan_row("half")));
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    holder.kill();
    auto store = Fixture::open({.path = f.path(), .lock_timeout = Duration::zero()});
    auto uow = store->begin(Access::write);
    CHECK_FALSE(uow->find_plan("half"));
}

TEST_CASE("statistics count statements and rows of this transaction alone") {
    Fixture f;
    {
        auto uow = f.write();
        for (int i = 0; i < 10; ++i) static_cast<void>(f.add(*uow, NodeType::check, "c" + std::to_string(i)));
        uow->commit();
    }
    auto uow = f.read();
    const StoreStatistics before = uow->statistics();
    int seen = 0;
    uow->scan_nodes(f.plan(), std::nullopt, {}, [&](const NodeRow&) { return ++seen > 0; });
    const StoreStatistics after = uow->statistics();
    CHECK(seen == 10);
    CHECK(after.rows - before.rows >= 10);
    CHECK(after.rows - before.rows < 20);
    CHECK(after.statements > before.statements);
    CHECK(before.rows < 10);
}

TEST_CASE("a sound store passes its check, and a backup is a store of its own") {
    Fixture f;
    {
        auto uow = f.write();
        static_cast<void>(f.add(*uow, NodeType::check, "a"));
        uow->commit();
    }
    CHECK(f.store().check().empty());
    const std::string copy = f.dir() / "copy.db";
    f.store().backup(copy);
    CHECK(code_of([&] { f.store().backup(copy); }) == ErrorCode::conflict);
    {
        auto uow = f.write();
        static_cast<void>(f.add(*uow, NodeType::check, "later"));
        uow->commit();
    }
    auto store = Fixture::open({.path = copy});
    CHECK(store->check().empty());
    auto uow = store->begin(Access::write);
    CHECK(find_node(*uow, f.plan(), NodeType::check, "a"));
    CHECK_FALSE(find_node(*uow, f.plan(), NodeType::check, "later"));
}
