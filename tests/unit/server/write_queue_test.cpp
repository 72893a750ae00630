// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "server/write_queue.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "turboci/store.hpp"

using namespace turboci;
using namespace turboci::server;
using turboci::test::TempDir;

namespace {

/// A plan `p` on disk, its service, and what the queue reports.
struct World {
    World() : store(open_store(dir / "plan.db", {.create = true})), service(make_local_service(*store)) {
        CreatePlan create;
        create.id = "p";
        service->create_plan(create);
    }
    WriteQueue::Observer observer() {
        return {[this](const BatchReport& report) { batches.push_back(report.writes); },
                [this](const WorkPlan& plan) { versions.push_back(plan.version); }};
    }
    TempDir dir;
    std::unique_ptr<Store> store;
    std::unique_ptr<Service> service;
    std::vector<std::size_t> batches;    ///< written by the queue's thread; to be read after close()
    std::vector<std::int64_t> versions;  ///< likewise
};

WriteNodes check(const std::string& id, const std::string& plan = "p") {
    WriteNodes request;
    request.plan = plan;
    request.actor = "tester";
    CheckWrite write;
    write.id = id;
    request.checks.push_back(write);
    return request;
}

/// Lets the writer wait in a call until it is opened, so that others gather.
class Gate {
public:
    explicit Gate(WriteQueue& queue) {
        REQUIRE(queue.push(QueuedCall{.call = [this](Service&) { open_.get_future().wait(); },
                                      .failed = [](const Error&) {}}));
    }
    void open() { open_.set_value(); }

private:
    std::promise<void> open_;
};

QueuedWrite queued(WriteNodes request, std::vector<BatchAnswer>& answers) {
    return {.request = std::move(request),
            .bytes = 10,
            .done = [&answers](BatchAnswer answer, const WrittenNodes& /*nodes*/) {
                answers.push_back(std::move(answer));
            }};
}

}  // namespace

TEST_CASE("What waits is committed together, each with its own version") {
    World w;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, w.observer());
    Gate gate(queue);
    for (int i = 0; i < 5; ++i) REQUIRE(queue.push(queued(check(fmt::format("c{}", i)), answers)));
    gate.open();
    queue.close();
    CHECK(w.batches == std::vector<std::size_t>{5});
    CHECK(w.versions == std::vector<std::int64_t>{2, 3, 4, 5, 6});
    REQUIRE(answers.size() == 5);
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(answers[i].result.value().plan.version == static_cast<std::int64_t>(i) + 2);
}

TEST_CASE("What the writes of a batch want to see is read after the commit, each plan for itself") {
    World w;
    CreatePlan create;
    create.id = "other";
    w.service->create_plan(create);
    std::vector<std::string> kinds;
    const auto showing = [&](WriteNodes request) {
        const std::string id(request.checks.id(0));
        return QueuedWrite{
            .request = std::move(request),
            .shown = {{NodeType::check, id}, {NodeType::stage, id}},
            .done = [&kinds, id](const BatchAnswer& answer, const WrittenNodes& nodes) {
                const Check* const found = nodes.find_check(id);
                kinds.push_back(!answer.result ? "refused" : found == nullptr ? "absent" : found->kind);
                CHECK(nodes.find_stage(id) == nullptr);
            }};
    };
    const auto of_kind = [](const WriteNodes& request, const std::string& kind) {
        WriteNodes copy;
        copy.plan = request.plan;
        CheckWrite write;
        write.id = std::string(request.checks.id(0));
        write.kind = kind;
        copy.checks.push_back(write);
        return copy;
    };
    WriteQueue queue(*w.service, w.observer());
    Gate gate(queue);
    REQUIRE(queue.push(showing(of_kind(check("c"), "unit"))));
    REQUIRE(queue.push(showing(of_kind(check("c", "other"), "lint"))));
    REQUIRE(queue.push(showing(check("c", "none"))));
    std::vector<BatchAnswer> answers;
    REQUIRE(queue.push(queued(of_kind(check("d"), "docs"), answers)));
    gate.open();
    queue.close();
    CHECK(w.batches == std::vector<std::size_t>{4});
    CHECK(kinds == std::vector<std::string>{"unit", "lint", "refused"});
    CHECK(answers.size() == 1);
}

TEST_CASE("Where the nodes of an answer cannot be read, the call says so") {
    World w;
    WriteQueue::Observer observer = w.observer();
    observer.committed = [&w](const BatchReport& /*report*/) {  // between the commit and the reading
        w.service->delete_plan("p", true);
    };
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, observer);
    QueuedWrite write = queued(check("c"), answers);
    write.shown = {{NodeType::check, "c"}};
    REQUIRE(queue.push(std::move(write)));
    queue.close();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].error.value().code() == ErrorCode::not_found);
}

TEST_CASE("One that is refused keeps nobody else from being written") {
    World w;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, w.observer());
    Gate gate(queue);
    WriteNodes late = check("late");
    late.if_version = 1;
    REQUIRE(queue.push(queued(check("first"), answers)));
    REQUIRE(queue.push(queued(late, answers)));
    REQUIRE(queue.push(queued(check("c", "none"), answers)));
    REQUIRE(queue.push(queued(check("last"), answers)));
    gate.open();
    queue.close();
    REQUIRE(answers.size() == 4);
    CHECK(answers[0].result.has_value());
    CHECK(answers[1].error.value().code() == ErrorCode::conflict);
    CHECK(answers[2].error.value().code() == ErrorCode::not_found);
    CHECK(answers[3].result.value().plan.version == 3);
    CHECK(w.versions == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("A trial, a large write and a call are alone, and the order stays") {
    World w;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, w.observer(), {.alone_nodes = 2});
    Gate gate(queue);
    WriteNodes trial = check("trial");
    trial.dry_run = true;
    WriteNodes large = check("l1");
    for (const char* id : {"l2", "l3"}) {
        CheckWrite write;
        write.id = id;
        large.checks.push_back(write);
    }
    std::int64_t seen = 0;
    REQUIRE(queue.push(queued(check("a"), answers)));
    REQUIRE(queue.push(queued(check("b"), answers)));
    REQUIRE(queue.push(queued(trial, answers)));
    REQUIRE(queue.push(queued(large, answers)));
    REQUIRE(queue.push(QueuedCall{.call = [&](Service& service) { seen = service.get_plan("p").version; },
                                  .failed = [](const Error&) {}}));
    REQUIRE(queue.push(queued(check("c"), answers)));
    gate.open();
    queue.close();
    CHECK(w.batches == std::vector<std::size_t>{2, 1, 1, 1});
    CHECK(seen == 4);
    CHECK(answers.size() == 5);
    CHECK(w.service->get_plan("p").version == 5);
}

TEST_CASE("A batch holds no more than its limits say") {
    World w;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, w.observer(), {.batch_requests = 3, .batch_bytes = 25});
    Gate gate(queue);
    for (int i = 0; i < 4; ++i) REQUIRE(queue.push(queued(check(fmt::format("c{}", i)), answers)));
    auto wide = queued(check("wide"), answers);
    wide.bytes = 1000;
    REQUIRE(queue.push(std::move(wide)));
    gate.open();
    queue.close();
    CHECK(w.batches == std::vector<std::size_t>{2, 2, 1});
    CHECK(answers.size() == 5);
}

TEST_CASE("A full queue says so, and so does a closed one") {
    World w;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, {}, {.requests = 2, .bytes = 100});
    {
        Gate gate(queue);
        while (queue.waiting() > 0) std::this_thread::yield();  // the gate's call has begun
        REQUIRE(queue.push(queued(check("a"), answers)));
        auto wide = queued(check("wide"), answers);
        wide.bytes = 91;
        CHECK_FALSE(queue.push(std::move(wide)));
        REQUIRE(queue.push(queued(check("b"), answers)));
        CHECK_FALSE(queue.push(queued(check("c"), answers)));
        gate.open();
        queue.close();
    }
    CHECK_FALSE(queue.push(queued(check("d"), answers)));
    CHECK(answers.size() == 2);
}

TEST_CASE("What nobody waits for is dropped before it is begun") {
    World w;
    std::vector<BatchAnswer> answers;
    std::vector<ErrorCode> failed;
    WriteQueue queue(*w.service, w.observer());
    Gate gate(queue);
    auto gone = queued(check("gone"), answers);
    gone.is_dropped = [] { return true; };
    REQUIRE(queue.push(std::move(gone)));
    REQUIRE(queue.push(QueuedCall{.is_dropped = [] { return true; },
                                  .call = [](Service&) { FAIL("it was begun"); },
                                  .failed = [&](const Error& error) { failed.push_back(error.code()); }}));
    gate.open();
    queue.close();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].error.value().code() == ErrorCode::pending);
    CHECK(failed == std::vector{ErrorCode::pending});
    CHECK(w.batches.empty());
    CHECK(w.service->get_plan("p").version == 1);
}

TEST_CASE("What a call throws is told, and the writer goes on") {
    World w;
    std::vector<std::string> failed;
    std::vector<BatchAnswer> answers;
    WriteQueue queue(*w.service, {});
    const auto throws = [&](auto what) {
        REQUIRE(queue.push(QueuedCall{.call = [what](Service&) { throw what; },
                                      .failed = [&](const Error& e) { failed.emplace_back(e.what()); }}));
    };
    throws(Error(ErrorCode::conflict, "a conflict"));
    throws(std::runtime_error("a surprise"));
    throws(7);
    REQUIRE(queue.push(queued(check("c"), answers)));
    queue.close();
    CHECK(failed ==
          std::vector<std::string>{"a conflict", "a surprise", "something that is no exception was thrown"});
    CHECK(answers.at(0).result.has_value());
}

TEST_CASE("Many threads write at once, and every version is given once") {
    World w;
    std::mutex mutex;
    std::vector<std::int64_t> versions;
    {
        WriteQueue queue(*w.service, {});
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    std::promise<std::int64_t> version;
                    QueuedWrite write{.request = check(fmt::format("c{}-{}", t, i)),
                                      .done = [&](BatchAnswer a, const WrittenNodes& /*nodes*/) {
                                          version.set_value(a.result->plan.version);
                                      }};
                    if (!queue.push(std::move(write))) throw std::logic_error("the queue is full");
                    const std::int64_t got = version.get_future().get();
                    const std::lock_guard lock(mutex);
                    versions.push_back(got);
                }
            });
        for (std::thread& thread : threads) thread.join();
    }
    std::ranges::sort(versions);
    REQUIRE(versions.size() == 160);
    for (std::size_t i = 0; i < versions.size(); ++i) CHECK(versions[i] == static_cast<std::int64_t>(i) + 2);
}
