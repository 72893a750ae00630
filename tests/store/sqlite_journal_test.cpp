// SPDX-License-Identifier: Apache-2.0
// How the rollback journal is written: put together in memory, and open from one transaction to the next.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/journal_vfs.hpp"
#include "support/child.hpp"
#include "support/failing_call.hpp"

using namespace turboci;
using namespace turboci::test;
using sqlite::Database;
using sqlite::JournalVfs;

namespace {

void add_plan(Store& store, const std::string& id) {
    auto uow = store.begin(Access::write);
    static_cast<void>(insert_plan(*uow, plan_row(id)));
    uow->commit();
}

/// A journal as SQLite uses one, and what is in its file.
class Journal {
public:
    Journal()
        : name_(sqlite3_create_filename(path().c_str(), (path() + "-journal").c_str(), "", 0, nullptr)) {
        write_file(path(), "");  // a journal gets the permissions of its database
        open();
    }
    ~Journal() {
        close();
        sqlite3_free_filename(name_);
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    void open() { REQUIRE(try_to_open() == SQLITE_OK); }
    int try_to_open() {
        sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_.name());
        REQUIRE(vfs != nullptr);
        memory_.resize(static_cast<std::size_t>(vfs->szOsFile));
        constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
        int flags = 0;
        const int rc = vfs->xOpen(vfs, sqlite3_filename_journal(name_), file(), kFlags, &flags);
        if (rc == SQLITE_OK) CHECK((flags & SQLITE_OPEN_READWRITE) != 0);
        return rc;
    }
    void close() {
        if (file()->pMethods != nullptr) CHECK(file()->pMethods->xClose(file()) == SQLITE_OK);
        file()->pMethods = nullptr;
    }
    [[nodiscard]] int write(const std::string& text, sqlite3_int64 at) {
        return file()->pMethods->xWrite(file(), text.data(), static_cast<int>(text.size()), at);
    }
    [[nodiscard]] std::string read(int size, sqlite3_int64 at) {
        std::string text(static_cast<std::size_t>(size), '?');
        const int rc = file()->pMethods->xRead(file(), text.data(), size, at);
        return rc == SQLITE_OK ? text : "error " + std::to_string(rc);
    }
    [[nodiscard]] int truncate(sqlite3_int64 size) { return file()->pMethods->xTruncate(file(), size); }
    [[nodiscard]] int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL); }
    [[nodiscard]] sqlite3_int64 size() {
        sqlite3_int64 size = -1;
        CHECK(file()->pMethods->xFileSize(file(), &size) == SQLITE_OK);
        return size;
    }
    [[nodiscard]] std::string on_disk() const { return read_file(path() + "-journal"); }
    [[nodiscard]] std::string path() const { return dir_ / "t.db"; }
    JournalVfs& vfs() { return vfs_; }
    sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

private:
    TempDir dir_;
    JournalVfs vfs_;
    std::vector<char> memory_;
    const char* name_;
};

}  // namespace

TEST_CASE("what is written to a journal is put together, and on disk when it is synced") {
    Journal j;
    CHECK(j.write("abc", 0) == SQLITE_OK);
    CHECK(j.write("def", 3) == SQLITE_OK);
    CHECK(j.on_disk().empty());
    CHECK(j.size() == 6);
    CHECK(j.read(4, 1) == "bcde");
    CHECK(j.on_disk().empty());
    {
        const FailingCall counted("pwrite", 0);
        CHECK(j.sync() == SQLITE_OK);
        CHECK(counted.calls() == 1);
    }
    CHECK(j.on_disk() == "abcdef");
    CHECK(j.size() == 6);
    CHECK(j.read(6, 0) == "abcdef");
}

TEST_CASE("a write that does not follow, or a read that is partly on disk, finds everything in its place") {
    Journal j;
    CHECK(j.write("abcdef", 0) == SQLITE_OK);
    CHECK(j.write("XY", 2) == SQLITE_OK);
    CHECK(j.on_disk() == "abcdef");
    CHECK(j.size() == 6);
    CHECK(j.read(2, 4) == "ef");
    CHECK(j.on_disk() == "abcdef");
    CHECK(j.read(2, 2) == "XY");
    CHECK(j.on_disk() == "abcdef");
    CHECK(j.read(4, 1) == "bXYe");
    CHECK(j.on_disk() == "abXYef");
    CHECK(j.write("gh", 6) == SQLITE_OK);
    CHECK(j.read(3, 5) == "fgh");
    CHECK(j.write("ij", 8) == SQLITE_OK);
    CHECK(j.read(2, 0) == "ab");
    CHECK(j.read(2, 10) == "error " + std::to_string(SQLITE_IOERR_SHORT_READ));
    CHECK(j.read(3, 8) == "error " + std::to_string(SQLITE_IOERR_SHORT_READ));
    CHECK(j.on_disk() == "abXYefghij");
}

TEST_CASE("truncating a journal forgets what was not written behind its new end, and nothing else") {
    Journal j;
    CHECK(j.write("abcdef", 0) == SQLITE_OK);
    CHECK(j.truncate(4) == SQLITE_OK);
    CHECK(j.on_disk() == "abcd");
    CHECK(j.write("ef", 4) == SQLITE_OK);
    CHECK(j.truncate(4) == SQLITE_OK);
    CHECK(j.size() == 4);
    CHECK(j.write("xy", 0) == SQLITE_OK);
    CHECK(j.truncate(0) == SQLITE_OK);
    CHECK(j.size() == 0);
    CHECK(j.on_disk().empty());
}

TEST_CASE(
    "more than a journal holds back is written as it comes; what is left when it is closed is nobody's") {
    Journal j;
    std::string all;
    for (int i = 0; i < 100; ++i) {
        const std::string page(4096, static_cast<char>('a' + i % 26));
        REQUIRE(j.write(page, static_cast<sqlite3_int64>(all.size())) == SQLITE_OK);
        all += page;
    }
    CHECK(j.on_disk().size() > all.size() / 2);
    CHECK(j.on_disk().size() < all.size());
    const std::string before = j.on_disk();
    j.close();
    CHECK(j.on_disk() == before);
    j.open();
    CHECK(j.read(4096, 4096) == std::string(4096, 'b'));
}

TEST_CASE("a journal that cannot be written says so, and can be read for the way back") {
    Journal j;
    CHECK(j.write("abc", 0) == SQLITE_OK);
    {
        const FailingCall failing("pwrite", EIO);
        CHECK(j.sync() == SQLITE_IOERR_WRITE);
        CHECK(j.write("z", 100) == SQLITE_IOERR_WRITE);
        CHECK(j.read(3, 0) == "abc");
        CHECK(j.read(3, 1) == "error " + std::to_string(SQLITE_IOERR_WRITE));
        CHECK(j.truncate(2) == SQLITE_IOERR_WRITE);
        CHECK(j.truncate(0) == SQLITE_OK);
    }
    CHECK(j.size() == 0);
    CHECK(j.write("def", 0) == SQLITE_OK);
    {
        const FailingCall failing("fsync", ENOSPC);
        CHECK(j.sync() == SQLITE_IOERR_FSYNC);
    }
    CHECK(j.vfs().take_error() == EIO);  // the first tells more than what followed from it
    CHECK(j.vfs().take_error() == 0);
}

TEST_CASE("a journal is made void even if what waits to be written has no place") {
    Journal j;
    CHECK(j.write("a journal's head, and what follows it", 0) == SQLITE_OK);
    CHECK(j.sync() == SQLITE_OK);
    CHECK(j.write("more", 1000) == SQLITE_OK);
    {
        const FailingCall failing("pwrite", ENOSPC, {.count = 1});
        CHECK(j.sync() == SQLITE_FULL);
        CHECK(j.write(std::string(28, '\0'), 0) == SQLITE_OK);
    }
    CHECK(j.sync() == SQLITE_OK);
    CHECK(j.size() == 37);
    CHECK(j.on_disk().starts_with(std::string(28, '\0')));
    // As many bytes that say something make nothing void.
    CHECK(j.write("more", 1000) == SQLITE_OK);
    CHECK(j.write(std::string(28, 'x'), 0) == SQLITE_OK);
    CHECK(j.read(4, 1000) == "more");
}

TEST_CASE("a journal that may only be read is not one to write to") {
    Journal j;
    j.close();
    std::filesystem::remove(j.path() + "-journal");
    write_file(j.path() + "-journal", "");
    const FailingCall failing("open", EACCES, {.path = "-journal", .flags = O_RDWR});
    CHECK(j.try_to_open() == SQLITE_CANTOPEN);
}

TEST_CASE("a process that writes again does not open its journal again, nor sync its name") {
    Fixture f;
    add_plan(f.store(), "first");
    const FailingCall opened("open", 0, {.path = "-journal"});
    add_plan(f.store(), "second");
    const FailingCall synced("fsync", 0);
    add_plan(f.store(), "third");
    CHECK(opened.calls() == 0);
    CHECK(synced.calls() == 4);  // the journal, its head, the database, the head again
    CHECK(f.read()->plans().size() == 4);
}

TEST_CASE("a journal whose name may not be durable is opened again, which is another try") {
    Fixture f;
    f.reopen();
    add_plan(f.store(), "first");
    const FailingCall opened("open", 0, {.path = "-journal", .flags = O_CREAT});
    {
        // SQLite's own try, after opening, comes later than ours.
        const FailingCall failing("open", EMFILE, {.count = 1, .flags = O_DIRECTORY});
        add_plan(f.store(), "second");
    }
    CHECK(opened.calls() == 1);
    add_plan(f.store(), "third");
    add_plan(f.store(), "fourth");
    CHECK(opened.calls() == 1);
    CHECK(f.read()->plans().size() == 5);
}

TEST_CASE("a journal that is not there any more, or another, is not written to") {
    Fixture f;
    const std::string journal = f.path() + "-journal";
    add_plan(f.store(), "first");
    SECTION("another program has removed it") { raw(f.path(), "UPDATE plans SET version = 2"); }
    SECTION("there is another") {
        std::filesystem::rename(journal, journal + ".old");
        write_file(journal, "");
    }
    {
        auto uow = f.write();
        static_cast<void>(insert_plan(*uow, plan_row("second")));
        const FailingCall opened("open", 0, {.path = "-journal", .flags = O_CREAT});
        const FailingCall synced("fsync", 0);
        uow->commit();
        CHECK(synced.calls() >= 4);
    }
    CHECK(std::filesystem::file_size(journal) > 512);
    add_plan(f.store(), "third");
    CHECK(f.read()->plans().size() == 4);
    f.reopen();
    CHECK(f.store().check().empty());
}

TEST_CASE("a journal that is open here is played back if another who wrote to it was killed") {
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
    add_plan(f.store(), "first");
    add_plan(f.store(), "second");
    const auto size = std::filesystem::file_size(f.path());
    write_file(go, "");
    REQUIRE(writer.await());
    CHECK(std::filesystem::file_size(f.path()) > size);
    writer.kill();
    CHECK(read_file(f.path() + "-journal").starts_with("\xd9\xd5\x05\xf9"));
    const bool reads_first = GENERATE(true, false);
    if (reads_first) CHECK(f.read()->find_plan("second"));
    add_plan(f.store(), "third");
    CHECK(f.read()->plans().size() == 4);
    CHECK(std::filesystem::file_size(f.path()) <= size);
    CHECK(f.store().check().empty());
}

TEST_CASE("large changes that are taken back leave the store as it was") {
    Fixture f;
    {
        auto uow = f.write();
        for (int i = 0; i < 3000; ++i)
            static_cast<void>(f.add(*uow, NodeType::check, "c" + std::to_string(i)));
        uow->commit();
    }
    const std::string before = read_file(f.path());
    for (int i = 0; i < 2; ++i) {
        auto uow = f.write();
        uow->delete_plan(f.plan());
        uow.reset();
        CHECK(read_file(f.path()) == before);
    }
    CHECK(f.store().check().empty());
}
