// SPDX-License-Identifier: Apache-2.0
// Several processes at one file.
#include "store/samples.hpp"
#include "support/child.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("writers of many processes never lose or mix a write") {
    constexpr int kProcesses = 4, kWrites = 25;
    Fixture f;
    f.close();
    const auto count_up = [&](const std::function<void()>&) {
        auto store = Fixture::open(f.path());
        for (int i = 0; i < kWrites; ++i) {
            auto transaction = store->write({}, {.at_most = std::chrono::seconds(120)});
            PlanRow plan = transaction->find_plan("p").value();
            ++plan.version;
            update_plan(*transaction, plan);
            const ChangeRow change{NodeKey::none, Mover::writer, "{}"};
            append(*transaction, {plan.key, plan.version, at(plan.version), "me", "", ""}, {&change, 1});
            transaction->commit();
        }
        return std::string("done");
    };
    {
        std::vector<std::unique_ptr<Child>> children;
        for (int i = 0; i < kProcesses; ++i) children.push_back(std::make_unique<Child>(count_up));
        for (auto& child : children) CHECK(child->wait() == "done");
    }
    f.reopen();
    auto transaction = f.read();
    CHECK(transaction->find_plan("p")->version == 1 + kProcesses * kWrites);
    std::int64_t expected = 2;
    transaction->read_log(f.plan(), std::nullopt, 0, [&](const LogEntry& e) {
        CHECK(e.version == expected++);
        return true;
    });
    CHECK(expected == 2 + kProcesses * kWrites);
}

TEST_CASE("a writer that waits too long is told who holds the lock") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open(f.path(), {.command = "turboci run"});
        auto transaction = store->write({}, {});
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    auto store = Fixture::open(f.path());
    const Wait wait{.at_most = std::chrono::milliseconds(20)};
    const auto try_it = [&] { static_cast<void>(store->write({}, wait)); };
    CHECK(code_of(try_it) == ErrorCode::locked);
    const std::string message = message_of(try_it);
    CHECK(message.find("pid " + std::to_string(holder.pid())) != std::string::npos);
    CHECK(message.find("turboci run") != std::string::npos);
    CHECK(message.find("since 20") != std::string::npos);
    CHECK(store->read({})->find_plan("p"));
}

TEST_CASE("a writer that waits for more than a second says so once") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open(f.path(), {.command = "turboci run"});
        auto transaction = store->write({}, {});
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    std::vector<std::string> told;
    const Wait wait{.at_most = std::chrono::milliseconds(1300),
                    .on_wait = [&](const std::string& who) { told.push_back(who); }};
    auto store = Fixture::open(f.path());
    CHECK(code_of([&] { static_cast<void>(store->write({}, wait)); }) == ErrorCode::locked);
    REQUIRE(told.size() == 1);
    CHECK(told[0].find("turboci run") != std::string::npos);
}

TEST_CASE("the lock of a killed writer is free at once, and its writes are gone") {
    Fixture f;
    f.close();
    Child holder([&](const std::function<void()>& ready) {
        auto store = Fixture::open(f.path());
        auto transaction = store->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("half")));
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    holder.kill();
    auto store = Fixture::open(f.path(), {}, kAtOnce);
    auto transaction = store->write({}, kAtOnce);
    CHECK_FALSE(transaction->find_plan("half"));
}
