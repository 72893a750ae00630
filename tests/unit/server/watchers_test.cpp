// SPDX-License-Identifier: Apache-2.0
#include "server/watchers.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/reader_pool.hpp"
#include "server/ticker.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "turboci/service.hpp"

using namespace turboci;
using namespace turboci::server;
using namespace std::chrono_literals;
using turboci::test::TempDir;

namespace {

/// Counts, and can be waited for.
class Counter {
public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    bool reaches(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return count_ >= count; });
    }
    int count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

}  // namespace

TEST_CASE("Who is woken may end its own watch, and is not woken again") {
    Watchers watchers;
    Counter woken, other;
    std::unique_ptr<Watchers::Watch> watch = watchers.add("a", [&] {
        watch.reset();
        woken.add();  // what the call has is there to its end
    });
    const auto beside = watchers.add("a", [&] { other.add(); });
    watchers.moved("a", 2);
    watchers.moved("a", 3);
    CHECK(woken.count() == 1);
    CHECK(other.count() == 2);
    CHECK(watchers.size() == 1);
}

TEST_CASE("A plan that moves wakes its own watchers, once for each version") {
    Watchers watchers;
    Counter a, b;
    const auto first = watchers.add("a", [&] { a.add(); });
    auto second = watchers.add("a", [&] { a.add(); });
    const auto other = watchers.add("b", [&] { b.add(); });
    CHECK(watchers.size() == 3);
    watchers.moved("a", 2);
    CHECK(a.count() == 2);
    CHECK(b.count() == 0);
    watchers.moved("a", 2);
    CHECK(a.count() == 2);
    second.reset();
    watchers.moved("a", 3);
    CHECK(a.count() == 3);
    watchers.moved("a", std::nullopt);
    watchers.moved("none", 1);
    CHECK(a.count() == 4);
    CHECK(watchers.plans().size() == 2);
}

TEST_CASE("After a watch has ended nobody is woken, whatever runs beside") {
    Watchers watchers;
    std::atomic<bool> stop = false;
    std::thread mover([&] {
        for (std::int64_t version = 1; !stop; ++version) watchers.moved("p", version);
    });
    for (int i = 0; i < 500; ++i) {
        auto alive = std::make_unique<int>(0);
        const auto watch = watchers.add("p", [&] { ++*alive; });
        watchers.moved("p", -i);
    }
    stop = true;
    mover.join();
    CHECK(watchers.size() == 0);
}

TEST_CASE("What other processes commit wakes the watchers of what has moved") {
    TempDir dir;
    const auto store = open_store(dir / "plan.db", {.create = true});
    const auto service = make_local_service(*store);
    for (const char* id : {"p", "q"}) {
        CreatePlan create;
        create.id = id;
        service->create_plan(create);
    }
    Watchers watchers;
    Counter p, q;
    const auto watch_p = watchers.add("p", [&] { p.add(); });
    const auto watch_q = watchers.add("q", [&] { q.add(); });
    const ForeignCommits foreign(open_store(dir / "plan.db", {.read_only = true}), watchers);
    REQUIRE(p.reaches(1));
    REQUIRE(q.reaches(1));
    WriteNodes write;
    write.plan = "p";
    write.labels = JsonText{R"({"k":"v"})"};
    service->write_nodes(write);
    CHECK(p.reaches(2));
    CHECK(q.count() == 1);
}

TEST_CASE("Readers work side by side and end what waits before they close") {
    TempDir dir;
    const auto store = open_store(dir / "plan.db", {.create = true});
    const auto service = make_local_service(*store);
    service->create_plan({});
    Counter done;
    ReaderPool pool(2, 100, [&] {
        Reader reader;
        reader.store = open_store(dir / "plan.db", {.read_only = true});
        reader.service = make_local_service(*reader.store);
        return reader;
    });
    for (int i = 0; i < 50; ++i)
        REQUIRE(pool.push(
            [&](Reader& reader) {
                if (reader.service->list_plans().size() == 1) done.add();
            },
            [](const Error&) {}));
    pool.close();
    CHECK(done.count() == 50);
    CHECK_FALSE(pool.push([](Reader&) {}, [](const Error&) {}));
}

TEST_CASE("Where no reader can be opened each job is told so") {
    ReaderPool pool(1, 10, []() -> Reader { throw Error(ErrorCode::not_found, "no store"); });
    Counter failed;
    for (int i = 0; i < 3; ++i)
        REQUIRE(pool.push([](Reader&) { FAIL("there is no reader"); },
                          [&](const Error& error) {
                              if (error.code() == ErrorCode::not_found) failed.add();
                          }));
    CHECK(failed.reaches(3));
}

TEST_CASE("Plans with something overdue are ticked, others are not") {
    TempDir dir;
    const auto store = open_store(dir / "plan.db", {.create = true});
    const auto service = make_local_service(*store);
    for (const char* id : {"idle", "overdue"}) {
        CreatePlan create;
        create.id = id;
        StageWrite stage;
        stage.id = "s";
        stage.timeout = 1ms;
        create.nodes.stages.push_back(stage);
        service->create_plan(create);
    }
    WriteNodes claim;
    claim.plan = "overdue";
    claim.claim = Claim{.at_most = 1, .process_uid = "w"};
    service->write_nodes(claim);
    Counter ticks;
    std::mutex mutex;
    std::string ticked;
    const Ticker ticker(open_store(dir / "plan.db", {.read_only = true}),
                        [&](const std::string& plan) {
                            const std::lock_guard lock(mutex);
                            ticked = plan;
                            ticks.add();
                        },
                        {.deadlines_every = 10ms, .runners_every = 10ms, .first_runners_after = 1h});
    REQUIRE(ticks.reaches(2));
    const std::lock_guard lock(mutex);
    CHECK(ticked == "overdue");
}
