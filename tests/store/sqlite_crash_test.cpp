// SPDX-License-Identifier: Apache-2.0
// Writers that die or are cut short in the middle.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "support/child.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

/// Enough for SQLite to write pages to the file before the commit.
void write_more_than_the_cache(const Fixture& f, Transaction& transaction) {
    NodeBody body;
    body.json.text = R"({"x":")" + std::string(1 << 20, 'x') + "\"}";
    for (int i = 0; i < 40; ++i) {
        const NodeKey key = transaction.next_node(f.plan());
        insert_node(transaction, node_row(f.plan(), key, NodeType::stage, "big-" + std::to_string(i)), body);
    }
    PlanRow plan = transaction.find_plan("p").value();
    plan.version = 99;
    update_plan(transaction, plan);
}

/// Kills a writer that has already changed the file. The store is closed in this process.
void leave_hot_journal(Fixture& f) {
    f.close();
    const auto size = std::filesystem::file_size(f.path());
    Child writer([&](const std::function<void()>& ready) {
        auto store = Fixture::open(f.path());
        auto transaction = store->write({}, {});
        write_more_than_the_cache(f, *transaction);
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(writer.await());
    writer.kill();
    REQUIRE(std::filesystem::file_size(f.path()) > size);
    REQUIRE(std::filesystem::file_size(f.path() + "-journal") > 512);
}

void add_plan(Fixture& f, const std::string& id) {
    auto transaction = f.write();
    static_cast<void>(insert_plan(*transaction, plan_row(id)));
    transaction->commit();
}

}  // namespace

TEST_CASE("the next reader undoes what a killed writer left half done") {
    Fixture f;
    const std::string before = read_file(f.path());
    leave_hot_journal(f);
    {
        auto reader = Fixture::open(f.path(), {.read_only = true});
        auto transaction = reader->read({});
        CHECK(transaction->find_plan("p")->version == 1);
        CHECK_FALSE(find_node(*transaction, f.plan(), NodeType::stage, "big-0"));
    }
    CHECK(read_file(f.path()) == before);
    // Cleared and not deleted: a deletion could be undone by a power cut, long after later commits.
    CHECK_FALSE(read_file(f.path() + "-journal").starts_with('\xd9'));
    CHECK(std::filesystem::exists(f.path() + "-journal"));
    f.reopen();
    CHECK(f.store().check({}).empty());
}

TEST_CASE("the next writer undoes what a killed writer left half done") {
    Fixture f;
    leave_hot_journal(f);
    f.reopen();
    {
        auto transaction = f.write();
        CHECK(transaction->find_plan("p")->version == 1);
        static_cast<void>(f.add(*transaction, NodeType::check, "new"));
        transaction->commit();
    }
    CHECK(f.store().check({}).empty());
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "new"));
}

TEST_CASE("who cannot write cannot undo either, and is told what to do") {
    Fixture f;
    leave_hot_journal(f);
    ::chmod(f.dir().path().c_str(), 0555);
    ::chmod(f.path().c_str(), 0444);
    ::chmod((f.path() + "-journal").c_str(), 0444);
    const std::string answer = as_nobody(
        [&] { return message_of([&] { static_cast<void>(Fixture::open(f.path(), {.read_only = true})); }); });
    CHECK_THAT(answer, Contains("must be rolled back first") && Contains("where it can be written"));
}

TEST_CASE("a write that meets the limit on file sizes fails whole and leaves the store as it was") {
    Fixture f;
    f.close();
    const std::string before = read_file(f.path());
    Child writer([&](const std::function<void()>&) -> std::string {
        ::signal(SIGXFSZ, SIG_IGN);
        auto store = Fixture::open(f.path());
        const rlimit limit{2 << 20, 2 << 20};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return "cannot limit";
        return message_of([&] {
            auto transaction = store->write({}, {});
            write_more_than_the_cache(f, *transaction);
            transaction->commit();
        });
    });
    CHECK_THAT(writer.wait(), Contains("limit on file sizes"));
    f.reopen();
    CHECK(f.read()->find_plan("p")->version == 1);
    CHECK(f.store().check({}).empty());
    f.close();
    CHECK(read_file(f.path()) == before);
}

TEST_CASE("a database that another program holds is LOCKED after the timeout, and a commit too") {
    Fixture f;
    f.close();
    const auto hold = [&](const char* sql) {
        return [&f, sql](const std::function<void()>& ready) {
            sqlite3* db = nullptr;
            if (sqlite3_open(f.path().c_str(), &db) != SQLITE_OK) return std::string("cannot open");
            if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
                return std::string("cannot lock");
            ready();
            ::pause();
            return std::string();
        };
    };
    const Wait wait{.at_most = std::chrono::milliseconds(30)};
    {
        auto store = Fixture::open(f.path());
        Child other(hold("BEGIN IMMEDIATE"));
        REQUIRE(other.await());
        const auto write = [&] { static_cast<void>(store->write({}, wait)); };
        CHECK(code_of(write) == ErrorCode::locked);
        CHECK_THAT(message_of(write), Contains("another program holds the database"));
        CHECK_NOTHROW(store->read(wait));
    }
    {
        auto store = Fixture::open(f.path());
        Child other(hold("BEGIN EXCLUSIVE"));
        REQUIRE(other.await());
        CHECK(code_of([&] { static_cast<void>(store->read(wait)); }) == ErrorCode::locked);
    }
    {
        auto store = Fixture::open(f.path());
        Child other(hold("BEGIN; SELECT * FROM plans"));
        REQUIRE(other.await());
        auto transaction = store->write({}, wait);
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::locked);
        transaction.reset();
        CHECK_FALSE(store->read({})->find_plan("q"));
    }
}

TEST_CASE("a store that is closed while another program holds it leaves its journal as it is") {
    Fixture f;
    for (const char* name : {"a", "b"}) {
        auto transaction = f.write();
        static_cast<void>(insert_plan(*transaction, plan_row(name)));
        transaction->commit();
    }
    const std::string journal = f.path() + "-journal";
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(f.path().c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
    f.close();
    CHECK(read_file(journal).size() > 512);
    sqlite3_close(other);
    f.reopen();
    CHECK(f.read()->find_plan("b"));
    CHECK(f.store().check({}).empty());
}

TEST_CASE("who need not wait any longer is LOCKED, and can write afterwards") {
    Fixture f;
    f.close();
    bool patient = false;
    int asked = 0;
    const Wait wait{.at_most = std::chrono::hours(1), .give_up = [&] { return !patient && ++asked > 2; }};
    auto store = Fixture::open(f.path());
    auto reader = Fixture::open(f.path(), {.read_only = true});
    {
        const auto reading = reader->read({});
        static_cast<void>(reading->find_plan("q"));
        auto transaction = store->write({}, wait);
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::locked);
        CHECK(asked == 3);
    }
    patient = true;
    auto transaction = store->write({}, wait);
    static_cast<void>(insert_plan(*transaction, plan_row("q")));
    transaction->commit();
    CHECK(reader->read({})->find_plan("q"));
}

TEST_CASE("a store that is open undoes what another program left that was killed") {
    Fixture f;
    f.close();  // SQLite does not bear a fork with a file that is open
    const std::string go = f.dir() / "go";
    Child writer([&](const std::function<void()>& ready) {
        while (!std::filesystem::exists(go)) ::usleep(1000);
        sqlite3* db = nullptr;
        if (sqlite3_open(f.path().c_str(), &db) != SQLITE_OK) return std::string("cannot open");
        // What does not fit into the cache goes to the database before the transaction ends.
        if (sqlite3_exec(
                db,
                "PRAGMA journal_mode=PERSIST; PRAGMA cache_size=2; BEGIN IMMEDIATE;"
                " UPDATE plans SET id = id || 'x'; UPDATE counters SET next_plan = 9;"
                " INSERT INTO plans(plan_key, id, version, labels, created_at, clock_time, clock_since_boot,"
                " clock_boot_id) SELECT plan_key + 100, hex(zeroblob(100000)), version, labels,"
                " created_at, clock_time, clock_since_boot, clock_boot_id FROM plans LIMIT 1",
                nullptr, nullptr, nullptr) != SQLITE_OK)
            return std::string(sqlite3_errmsg(db));
        ready();
        ::pause();
        return std::string();
    });
    f.reopen();
    add_plan(f, "first");
    add_plan(f, "second");
    const auto size = std::filesystem::file_size(f.path());
    write_file(go, "");
    REQUIRE(writer.await());
    CHECK(std::filesystem::file_size(f.path()) > size);
    writer.kill();
    CHECK(read_file(f.path() + "-journal").starts_with("\xd9\xd5\x05\xf9"));
    const bool reads_first = GENERATE(true, false);
    if (reads_first) CHECK(f.read()->find_plan("second"));
    add_plan(f, "third");
    CHECK(f.read()->plans().size() == 4);
    CHECK(std::filesystem::file_size(f.path()) <= size);
    CHECK(f.store().check({}).empty());
}

TEST_CASE("large changes that are taken back leave the store as it was") {
    Fixture f;
    {
        auto transaction = f.write();
        for (int i = 0; i < 3000; ++i)
            static_cast<void>(f.add(*transaction, NodeType::check, "c" + std::to_string(i)));
        transaction->commit();
    }
    const std::string before = read_file(f.path());
    for (int i = 0; i < 2; ++i) {
        auto transaction = f.write();
        delete_plan(*transaction, f.plan());
        transaction.reset();
        CHECK(read_file(f.path()) == before);
    }
    CHECK(f.store().check({}).empty());
}
