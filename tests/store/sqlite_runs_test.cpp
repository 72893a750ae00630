// SPDX-License-Identifier: Apache-2.0
// The connections of further threads, and what keeps them from being made.
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "store/sqlite/record_runs.hpp"
#include "support/failing_call.hpp"

using namespace turboci;
using namespace turboci::test;
using sqlite::Beside;
using sqlite::Database;
using sqlite::Query;

namespace {

std::int64_t plans_of(Database& db) {
    Query count(db, "SELECT count(*) FROM plans");
    REQUIRE(count.step());
    return count.integer(0);
}

/// A connection in a transaction for reading, as a unit of work has one.
struct Reading {
    explicit Reading(const Fixture& f) : db(f.path(), Database::Mode::read_write, Duration::zero()) {
        db.use_durably();
        db.exec("BEGIN; SELECT 1 FROM plans");
    }
    Database db;
};

}  // namespace

TEST_CASE("further connections see what the first one sees, and are kept") {
    Fixture f;
    f.close();
    Reading first(f);
    Beside beside(first.db, 3);
    CHECK(beside.threads() == 3);
    Database* const one = beside.of(1);
    REQUIRE(one != nullptr);
    CHECK(beside.of(1) == one);
    CHECK(beside.of(2) != one);
    CHECK(plans_of(*one) == 1);
    CHECK_THROWS_AS(one->exec("DELETE FROM plans"), Error);
    CHECK(Beside(first.db, 0).threads() >= 1);
    CHECK(Beside(first.db, 0).threads() <= 4);
    CHECK(Beside(first.db, 1).threads() == 1);
}

TEST_CASE("a large plan is read by one thread where the others get no connection") {
    Fixture f;
    {
        auto uow = f.write();
        for (int i = 0; i < 5000; ++i) static_cast<void>(f.add(*uow, NodeType::check, std::to_string(i)));
        uow->commit();
    }
    f.close();
    struct Count final : RecordRuns {
        struct Nothing final : Run {
            explicit Nothing(std::atomic<int>& nodes) : count(nodes) {}
            void visit(NodeRecord&) override { ++count; }
            [[nodiscard]] bool full() const override { return false; }
            std::atomic<int>& count;
        };
        std::unique_ptr<Run> make() override { return std::make_unique<Nothing>(count); }
        void take(Run&) override {}
        std::atomic<int> count{0};
    };
    const auto store = Fixture::open({.path = f.path(), .read_threads = 3});
    const auto uow = store->begin(Access::read);
    const FailingCall failing("open", EMFILE, {.path = "turboci.db"});
    Count nodes;
    uow->read_runs(f.plan(), NodeType::check, {}, nodes);
    CHECK(nodes.count == 5000);
    CHECK(failing.calls() > 0);
}

TEST_CASE("there is no further connection where none can be opened, or to a file that is another by now") {
    Fixture f;
    f.close();
    Reading first(f);
    Beside beside(first.db, 2);
    {
        const FailingCall failing("open", EMFILE, {.path = "turboci.db"});
        CHECK(beside.of(1) == nullptr);
    }
    const std::string copy = f.dir() / "copy.db";
    std::filesystem::copy_file(f.path(), copy);
    std::filesystem::rename(copy, f.path());
    CHECK(beside.of(1) == nullptr);
    CHECK(Beside(first.db, 2).threads() == 1);
    std::filesystem::remove(f.path());
    CHECK(beside.of(1) == nullptr);
    CHECK(Beside(first.db, 2).threads() == 1);
}
