// SPDX-License-Identifier: Apache-2.0
// The connections of further threads, and what keeps them from being made.
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "store/sqlite/scan.hpp"
#include "support/failing_call.hpp"

using namespace turboci;
using namespace turboci::test;
using sqlite::Database;
using sqlite::FurtherConnections;
using sqlite::Query;

namespace {

std::int64_t plans_of(Database& db) {
    Query count(db, "SELECT count(*) FROM plans");
    REQUIRE(count.step());
    return count.integer(0);
}

/// A connection in a transaction for reading, as a unit of work has one.
struct Reading {
    explicit Reading(const Fixture& f) : db(f.path(), Database::Mode::read_write) {
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
    FurtherConnections further(first.db, 3);
    CHECK(further.threads() == 3);
    Database* const one = further.of(1);
    REQUIRE(one != nullptr);
    CHECK(further.of(1) == one);
    CHECK(further.of(2) != one);
    CHECK(plans_of(*one) == 1);
    CHECK_THROWS_AS(one->exec("DELETE FROM plans"), Error);
    CHECK(FurtherConnections(first.db, 0).threads() >= 1);
    CHECK(FurtherConnections(first.db, 0).threads() <= 4);
    CHECK(FurtherConnections(first.db, 1).threads() == 1);
}

TEST_CASE("a large plan is read by one thread where the others get no connection") {
    Fixture f;
    {
        auto transaction = f.write();
        for (int i = 0; i < 5000; ++i)
            static_cast<void>(f.add(*transaction, NodeType::check, std::to_string(i)));
        transaction->commit();
    }
    f.close();
    const auto store = Fixture::open(f.path(), {.read_threads = 3});
    const auto transaction = store->read({});
    const FailingCall failing("open", EMFILE, {.path = "turboci.db"});
    std::size_t nodes = 0;
    transaction->scan(f.plan(), {}, [&](std::span<NodeRecord> records) {
        nodes += records.size();
        return true;
    });
    CHECK(nodes == 5000);
    CHECK(failing.calls() > 0);
}

TEST_CASE("there is no further connection where none can be opened, or to a file that is another by now") {
    Fixture f;
    f.close();
    Reading first(f);
    FurtherConnections further(first.db, 2);
    {
        const FailingCall failing("open", EMFILE, {.path = "turboci.db"});
        CHECK(further.of(1) == nullptr);
    }
    const std::string copy = f.dir() / "copy.db";
    std::filesystem::copy_file(f.path(), copy);
    std::filesystem::rename(copy, f.path());
    CHECK(further.of(1) == nullptr);
    CHECK(FurtherConnections(first.db, 2).threads() == 1);
    std::filesystem::remove(f.path());
    CHECK(further.of(1) == nullptr);
    CHECK(FurtherConnections(first.db, 2).threads() == 1);
}
