// SPDX-License-Identifier: Apache-2.0
// Calls that fail while a store is made, written, copied or upgraded, and what SQLite's answers become.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "store/older.hpp"
#include "store/raw.hpp"
#include "store/samples.hpp"
#include "store/sqlite/create.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/store.hpp"
#include "support/child.hpp"
#include "support/failing_call.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;
using sqlite::Database;
using sqlite::Query;

namespace {

/// What making a store in a new directory says. Whatever it says, nothing is left but the lock.
std::string creation() {
    TempDir dir;
    const std::string said =
        message_of([&] { sqlite::publish_draft(*sqlite::make_draft(), resolve_path(dir / "t.db")); });
    CHECK(std::filesystem::exists(dir / "t.db") == (said == "nothing was thrown"));
    CHECK_FALSE(std::filesystem::exists(dir / "t.db.turboci-new"));
    return said;
}

std::string meaning(sqlite3* db, int rc) {
    return message_of([&] { sqlite::throw_error(db, rc, "t.db", "reading"); });
}

/// What a write says of which one call fails, or all of them.
std::string write_with(const char* function, int error) {
    Fixture f;
    const std::string said = message_of([&] {
        auto transaction = f.write();
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        const FailingCall failing(function, error);
        transaction->commit();
    });
    CHECK_FALSE(f.read()->find_plan("q"));
    return said;
}

}  // namespace

TEST_CASE("a store that cannot be made whole is not made at all") {
    for (const char* function : {"fchmod", "write", "fsync", "linkat"}) {
        INFO(function);
        const FailingCall failing(function, EIO);
        CHECK_THAT(creation(),
                   Contains("cannot create") && Contains("Input/output") && Contains("permissions"));
    }
    for (const int full : {ENOSPC, EDQUOT}) {
        const FailingCall failing("write", full);
        CHECK_THAT(creation(), Contains("cannot create") && Contains("free some space"));
    }
    const FailingCall denied("open", EACCES, {.flags = O_TMPFILE});
    CHECK_THAT(creation(), Contains("Permission denied"));
}

TEST_CASE("a store is made without files that have no name, and without /proc, all the same") {
    for (const int error : {EISDIR, EOPNOTSUPP, EINVAL, ENOENT, EXDEV}) {
        INFO(error);
        {
            const FailingCall failing("open", error, {.flags = O_TMPFILE});
            CHECK(creation() == "nothing was thrown");
        }
        const FailingCall failing("linkat", error);
        CHECK(creation() == "nothing was thrown");
    }
}

TEST_CASE("without files that have no name, a store that cannot be made whole is not made either") {
    const FailingCall failing("open", EOPNOTSUPP, {.flags = O_TMPFILE});
    for (const char* function : {"fchmod", "write", "fsync", "renameat2", "unlink"}) {
        INFO(function);
        const FailingCall broken(function, EIO);
        CHECK_THAT(creation(), Contains("cannot create") && Contains("Input/output"));
    }
    {
        const FailingCall broken("open", EACCES, {.path = ".turboci-new"});
        CHECK_THAT(creation(), Contains("Permission denied"));
    }
    const FailingCall taken("renameat2", EEXIST);
    CHECK_THAT(creation(), Contains("exists already"));
}

TEST_CASE("what a creator that was killed left behind is taken away") {
    const FailingCall failing("open", EOPNOTSUPP, {.flags = O_TMPFILE});
    TempDir dir;
    write_file(dir / "t.db.turboci-new", "half");
    CHECK_NOTHROW(Fixture::make(dir / "t.db"));
    CHECK_FALSE(std::filesystem::exists(dir / "t.db.turboci-new"));
}

TEST_CASE("a journal that is not a file, or cannot be read or removed, keeps a store from being made") {
    TempDir dir;
    const std::string journal = dir / "t.db-journal";
    const auto say = [&] {
        return message_of([&] {
            sqlite::refuse_leftovers(dir / "t.db", false);
            sqlite::publish_draft(*sqlite::make_draft(), resolve_path(dir / "t.db"));
        });
    };
    ::mkdir(journal.c_str(), 0700);
    CHECK_THAT(say(), Contains("is there, but not the store"));
    ::rmdir(journal.c_str());
    REQUIRE(::symlink("/dev/null", journal.c_str()) == 0);
    CHECK_THAT(say(), Contains("is there, but not the store"));
    std::filesystem::remove(journal);
    write_file(journal, "");
    {
        const FailingCall failing("read", EIO);
        CHECK_THAT(say(), Contains("is there, but not the store"));
    }
    {
        const FailingCall failing("unlink", EACCES, {.path = "-journal"});
        CHECK_THAT(say(), Contains("Permission denied"));
    }
    const FailingCall gone("unlink", ENOENT, {.path = "-journal"});
    CHECK(say() == "nothing was thrown");
}

TEST_CASE("a backup that cannot be made whole is not made at all") {
    Fixture f;
    const auto say = [&] { return message_of([&] { f.store().backup(f.dir() / "copy.db", {}); }); };
    for (const char* function : {"fchmod", "fsync", "renameat2"}) {
        INFO(function);
        const FailingCall failing(function, EIO);
        CHECK_THAT(say(), Contains("cannot write") && Contains("Input/output"));
    }
    FailingCall opened("open", 0, {.path = "first.db.turboci"});
    f.store().backup(f.dir() / "first.db", {});
    {  // the last of its opens, that for the sync
        const FailingCall failing("open", EIO, {.skip = opened.calls() - 1, .path = "copy.db.turboci"});
        CHECK_THAT(say(), Contains("cannot write") && Contains("Input/output"));
    }
    {
        const FailingCall taken("renameat2", EEXIST);
        CHECK_THAT(say(), Contains("exists already"));
    }
    {
        const FailingCall full("pwrite", ENOSPC);
        CHECK_THAT(say(), Contains("disk full"));
    }
    for (const auto& entry : std::filesystem::directory_iterator(f.dir().path()))
        CHECK_FALSE(entry.path().filename().string().starts_with("copy.db"));
    {  // all is there, and yet nobody can promise that it stays
        const FailingCall failing("fsync", EIO, {.skip = 1});
        CHECK_THAT(say(), Contains("Input/output"));
    }
    CHECK_THAT(say(), Contains("exists already"));
}

TEST_CASE("a backup needs a place to write, and a moment when nobody else holds the store") {
    Fixture f;
    const std::string elsewhere = f.dir() / "closed";
    ::mkdir(elsewhere.c_str(), 0555);
    for (const std::string& path : {f.dir().path(), f.path()}) ::chmod(path.c_str(), 0755);
    f.close();
    CHECK_THAT(as_nobody([&] {
                   auto store = Fixture::open(f.path());
                   return message_of([&] { store->backup(elsewhere + "/copy.db", {}); });
               }),
               Contains("cannot write") && Contains("Permission denied"));
    auto store = Fixture::open(f.path());
    {
        auto transaction = store->read({});
        CHECK(code_of([&] { store->backup(f.dir() / "copy.db", {}); }) == ErrorCode::internal);
    }
    Child other([&](const std::function<void()>& ready) {
        sqlite3* db = nullptr;
        if (sqlite3_open(f.path().c_str(), &db) != SQLITE_OK) return std::string("cannot open");
        if (sqlite3_exec(db, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) != SQLITE_OK)
            return std::string("cannot lock");
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(other.await());
    CHECK(code_of([&] { store->backup(f.dir() / "copy.db", kAtOnce); }) == ErrorCode::locked);
    CHECK_FALSE(std::filesystem::exists(f.dir() / "copy.db"));
}

TEST_CASE("a commit that the disk does not take is an error that names the cause, and no commit") {
    CHECK_THAT(write_with("pwrite", EDQUOT), Contains("disk full"));
    CHECK_THAT(write_with("pwrite", ENOSPC), Contains("disk full"));
    CHECK_THAT(write_with("fsync", EIO),
               Contains("writing '") && Contains("I/O error") && Contains("Input/output error"));
    CHECK_THAT(write_with("pwrite", EFBIG), Contains("I/O error"));
    const FailingCall unknown("getrlimit", EPERM);
    CHECK_THAT(write_with("pwrite", EFBIG), Contains("I/O error"));
}

TEST_CASE("every answer of SQLite has a meaning, with a connection and without") {
    using Case = std::tuple<int, ErrorCode, const char*>;
    const std::array<Case, 20> cases{{
        {SQLITE_BUSY, ErrorCode::locked, "another program holds"},
        {SQLITE_LOCKED, ErrorCode::locked, "another program holds"},
        {SQLITE_FULL, ErrorCode::store, "disk full"},
        {SQLITE_CORRUPT, ErrorCode::store, "is damaged"},
        {SQLITE_NOTADB, ErrorCode::store, "not a turboci store"},
        {SQLITE_READONLY, ErrorCode::store, "is read-only"},
        {SQLITE_READONLY_ROLLBACK, ErrorCode::store, "must be rolled back first"},
        {SQLITE_READONLY_RECOVERY, ErrorCode::store, "must be rolled back first"},
        {SQLITE_READONLY_DBMOVED, ErrorCode::store, "was moved or removed"},
        {SQLITE_CANTOPEN, ErrorCode::store, "cannot open it or its journal: unable to open"},
        {SQLITE_PERM, ErrorCode::store, "permission denied"},
        {SQLITE_AUTH, ErrorCode::store, "permission denied"},
        {SQLITE_IOERR_WRITE, ErrorCode::store, "I/O error (disk I/O error): disk I/O error"},
        {SQLITE_TOOBIG, ErrorCode::invalid_argument, "too large"},
        {SQLITE_CONSTRAINT, ErrorCode::store, "the store is damaged"},
        {SQLITE_PROTOCOL, ErrorCode::store, "local filesystem"},
        {SQLITE_NOLFS, ErrorCode::store, "local filesystem"},
        {SQLITE_ERROR, ErrorCode::internal, "(1)"},
        {SQLITE_MISUSE, ErrorCode::internal, "(21)"},
        {SQLITE_INTERRUPT, ErrorCode::internal, "(9)"},
    }};
    Database db("", Database::Mode::temporary);
    for (const auto& [rc, code, part] : cases) {
        INFO(rc);
        for (sqlite3* connection : {static_cast<sqlite3*>(nullptr), db.handle()}) {
            CHECK(code_of([&, rc = rc] { sqlite::throw_error(connection, rc, "t.db", "reading"); }) == code);
            CHECK_THAT(meaning(connection, rc), Contains(part));
        }
    }
    CHECK_THROWS_AS(sqlite::throw_error(nullptr, SQLITE_NOMEM, "t.db", "reading"), std::bad_alloc);
}

TEST_CASE("an I/O error for which there is no space is a full disk") {
    Fixture f;
    f.close();
    Database db(f.path(), Database::Mode::read_write);
    for (const int full : {ENOSPC, EDQUOT}) {
        const FailingCall failing("open", full, {.path = "-journal"});
        CHECK_THAT(message_of([&] { db.exec("UPDATE plans SET version = 2"); }),
                   Contains("cannot open it or its journal"));
        CHECK_THAT(meaning(db.handle(), SQLITE_IOERR_FSYNC), Contains("disk full"));
    }
}

TEST_CASE("a file format of SQLite's future is damage") {
    Fixture f;
    f.close();
    std::string bytes = read_file(f.path());
    bytes[47] = 9;  // the schema format
    write_file(f.path(), bytes);
    CHECK_THAT(message_of([&] { f.reopen(); }), Contains("damaged: unsupported file format"));
}

TEST_CASE("a header that half says WAL, or says UTF-16, is refused") {
    Fixture f;
    f.close();
    const std::string good = read_file(f.path());
    const auto with = [&](std::size_t at, char value) {
        std::string bytes = good;
        bytes[at] = value;
        write_file(f.path(), bytes);
        return message_of([&] { f.reopen(); });
    };
    CHECK_THAT(with(18, 2), Contains("WAL mode"));
    CHECK_THAT(with(19, 2), Contains("WAL mode"));
    CHECK_THAT(with(59, 2), Contains("not in UTF-8"));
}

TEST_CASE("a header that cannot be read is an I/O error, and a database in memory has none") {
    Fixture f;
    f.close();
    {
        Database db(f.path(), Database::Mode::read_write);
        const FailingCall failing("pread", EIO);
        CHECK_THAT(message_of([&] { static_cast<void>(db.peek_header()); }), Contains("I/O error"));
    }
    Database memory(Database::kInMemory, Database::Mode::temporary);
    CHECK(code_of([&] { static_cast<void>(memory.peek_header()); }) == ErrorCode::internal);
    CHECK_THAT(message_of([&] { memory.use_durably(); }), Contains("does not take the journal mode"));
}

TEST_CASE("a commit of nothing is one, and counters that make no sense are damage") {
    Fixture f;
    CHECK_NOTHROW(f.write()->commit());
    const auto insert = [&] { static_cast<void>(insert_plan(*f.write(), plan_row("q"))); };
    for (const char* column : {"next_plan", "next_node", "next_change"}) {
        raw(f.path(),
            std::string("UPDATE counters SET next_plan=7, next_node=7, next_change=7; UPDATE counters SET ") +
                column + "=0");
        CHECK_THAT(message_of(insert), Contains("its counters make no sense"));
    }
    raw(f.path(), "DELETE FROM counters");
    CHECK_THAT(message_of(insert), Contains("its counters are missing"));
}

TEST_CASE("an older store is upgraded by whoever may write to it, and needs nobody to be told") {
    Fixture f;
    f.close();
    take_back_to_1(f.path());
    const StoreOptions options{.read_only = true};
    const auto open = [&] { static_cast<void>(open_store(f.path(), options)); };
    ::chmod(f.path().c_str(), 0444);
    ::chmod(f.dir().path().c_str(), 0755);
    CHECK_THAT(as_nobody([&] { return message_of(open); }),
               Contains("has the older schema 1 and cannot be written"));
    ::chmod(f.path().c_str(), 0600);
    CHECK(raw(f.path(), "PRAGMA user_version") == "1");
    open();
    CHECK(raw(f.path(), "PRAGMA user_version") == "4");
}

TEST_CASE("who finds an older store and is overtaken has nothing left to do") {
    Fixture f;
    f.close();
    take_back_to_1(f.path());
    StoreOptions options;
    std::vector<std::string> told;
    options.on_upgrade = [&](const std::string& sentence) { told.push_back(sentence); };
    const auto overtake = [&] {
        Database db(f.path(), Database::Mode::read_write);
        db.exec("BEGIN IMMEDIATE");
        CHECK(sqlite::migrate(db, sqlite::migrations()).size() == 3);
        db.exec("COMMIT");
    };
    {
        const FailingCall meanwhile("flock", 0, {.count = 1, .before = overtake});
        static_cast<void>(open_store(f.path(), options));
    }
    CHECK(told.empty());
    CHECK(raw(f.path(), "PRAGMA user_version") == "4");
}

TEST_CASE("schemas are compared by type, name, table and text; SQLite's own tables do not count") {
    TempDir dir;
    raw(dir / "t.db", "CREATE TABLE t(x UNIQUE); CREATE TABLE u(x); CREATE INDEX i ON u(x)");
    Database db(dir / "t.db", Database::Mode::read_write);
    const sqlite::SchemaObject t{"table", "t", "t", "CREATE TABLE t(x UNIQUE)"};
    const sqlite::SchemaObject u{"table", "u", "u", "CREATE TABLE u(x)"};
    const auto differ = [&](const sqlite::SchemaObject& index) {
        return sqlite::schema_difference(db, std::array{t, u, index});
    };
    CHECK(differ({"index", "i", "u", "CREATE INDEX i ON u(x)"}).empty());
    CHECK_THAT(differ({"index", "i", "t", "CREATE INDEX i ON u(x)"}),
               Contains("'i' is not as turboci made it"));
    CHECK_THAT(differ({"index", "sqlite_autoindex_t_1", "t", ""}),
               Contains("'sqlite_autoindex_t_1' is not as"));
    raw(dir / "t.db",
        "ANALYZE; PRAGMA writable_schema=ON; UPDATE sqlite_schema SET name='sqlite_stat4', "
        "tbl_name='sqlite_stat4',"
        " sql='CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)' WHERE name='sqlite_stat1'");
    CHECK(differ({"index", "i", "u", "CREATE INDEX i ON u(x)"}).empty());
}

TEST_CASE("values that turboci never wrote are damage, whatever was asked for") {
    Database db("", Database::Mode::temporary);
    enum class Tens { first = 10, last = 40 };
    Query row(db, "SELECT NULL, 'text', 4294967296, -4294967296, '[]', 15, x'', '{}'");
    REQUIRE(row.step());
    const std::array<std::function<void()>, 9> wrong{{
        [&] { static_cast<void>(row.text(0)); },
        [&] { static_cast<void>(row.integer(1)); },
        [&] { static_cast<void>(row.small(2)); },
        [&] { static_cast<void>(row.small(3)); },
        [&] { static_cast<void>(row.object(4)); },
        [&] { static_cast<void>(row.enumeration(5, Tens::first, Tens::last, 10)); },
        [&] { static_cast<void>(row.blob(1)); },
        [&] { static_cast<void>(row.boolean(5)); },
        [&] { row.bad_column(99); },
    }};
    for (const auto& read : wrong) CHECK_THAT(message_of(read), Contains("the store is damaged: a value of"));
    CHECK(row.blob(6).empty());
    CHECK(row.object(7) == "{}");
}

TEST_CASE("what has no bytes is bound as empty and not as NULL, and too many values are a bug") {
    Database db("", Database::Mode::temporary);
    static const sqlite::Sql types("SELECT typeof(?1), typeof(?2)");
    Query row(db, types, std::string_view(), std::span<const std::byte>());
    REQUIRE(row.step());
    CHECK(row.text(0) == "text");
    CHECK(row.text(1) == "blob");
    static const sqlite::Sql one("SELECT ?1");
    CHECK(code_of([&] { Query(db, one, 1, 2); }) == ErrorCode::internal);
    CHECK_NOTHROW(Query(db, "SELECT 1 UNION SELECT 2").run());
}

TEST_CASE("a journal that cannot be read when a store is closed stays, and does no harm") {
    Fixture f;
    for (const char* id : {"a", "b"}) {  // who writes more than once keeps the journal
        const auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, id));
        transaction->commit();
    }
    {
        const FailingCall broken("read", EIO);
        f.close();
        CHECK(broken.calls() > 0);
    }
    f.reopen();
    CHECK(f.read()->plans().size() == 1);
    CHECK_NOTHROW(f.write()->commit());
}
