// SPDX-License-Identifier: Apache-2.0
// What may and what may not be opened as a store, and what opening leaves on disk.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "support/child.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

/// What opening `path` says, with code STORE and without having changed the file.
std::string refusal(const std::string& path, bool create = true) {
    const std::string before = read_file(path);
    const auto open = [&] { static_cast<void>(Fixture::open(path, {.create = create})); };
    CHECK(code_of(open) == ErrorCode::store);
    CHECK(read_file(path) == before);
    return message_of(open);
}

using Names = std::vector<std::string>;
Names names_in(const TempDir& dir) {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

mode_t mode_of(const std::string& path) {
    struct stat s {};
    REQUIRE(::lstat(path.c_str(), &s) == 0);
    return s.st_mode & 07777;
}

}  // namespace

TEST_CASE("a new store and its lock file are for their owner alone, whatever the umask") {
    const mode_t umask_before = ::umask(0);
    {
        Fixture f;
        CHECK(mode_of(f.path()) == 0600);
        CHECK(mode_of(f.path() + ".lock") == 0600);
    }
    ::umask(0777);
    {
        TempDir dir;
        ::chmod(dir.path().c_str(), 0700);
        auto store = Fixture::make(dir / "t.db");
        CHECK(mode_of(dir / "t.db") == 0600);
    }
    ::umask(umask_before);
}

TEST_CASE("a new store names itself and its schema in the header") {
    Fixture f;
    CHECK(raw(f.path(), "PRAGMA application_id") == std::to_string(0x54434970));
    CHECK(raw(f.path(), "PRAGMA user_version") == "4");
    CHECK(raw(f.path(), "PRAGMA integrity_check") == "ok");
}

TEST_CASE("making a store leaves nothing else in its directory") {
    TempDir dir;
    Fixture::make(dir / "t.db");
    CHECK(names_in(dir) == Names{"t.db", "t.db.lock"});
}

TEST_CASE("until its first commit a store is nowhere but in memory") {
    TempDir dir;
    auto store = Fixture::open(dir / "t.db", {.create = true});
    CHECK(names_in(dir).empty());
    CHECK(store->read({})->plans().empty());
    CHECK(store->check({}).empty());
    CHECK(names_in(dir).empty());
    {
        auto transaction = store->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("p")));
        CHECK(names_in(dir) == Names{"t.db.lock"});
    }
    CHECK(names_in(dir).empty());
    CHECK(store->read({})->plans().empty());
    for (const char* id : {"q", "r"}) {
        auto transaction = store->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row(id)));
        transaction->commit();
    }
    CHECK(store->read({})->plans().size() == 2);
    CHECK(Fixture::open(dir / "t.db")->read({})->plans().size() == 2);
}

TEST_CASE("a first commit that fails leaves nothing, and can be tried again") {
    TempDir dir;
    auto store = Fixture::open(dir / "t.db", {.create = true});
    const auto write = [&] {
        auto transaction = store->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("p")));
        transaction->commit();
    };
    ::mkdir((dir / "t.db-journal").c_str(), 0700);
    CHECK_THAT(message_of(write), Contains("-journal' is there"));
    CHECK(names_in(dir) == Names{"t.db-journal"});
    ::rmdir((dir / "t.db-journal").c_str());
    {
        auto transaction = store->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("p")));
        // By somebody who does not ask for the lock.
        write_file(dir / "t.db", "precious");
        CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::conflict);
    }
    CHECK(read_file(dir / "t.db") == "precious");
    ::unlink((dir / "t.db").c_str());
    CHECK(store->read({})->plans().empty());
    CHECK_NOTHROW(write());
    CHECK(store->read({})->plans().size() == 1);
}

TEST_CASE("who waits for a creator goes on with its store, or makes one if it is refused") {
    for (const bool refused : {true, false}) {
        TempDir dir;
        auto first = Fixture::open(dir / "t.db", {.create = true});
        auto transaction = first->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("p")));
        Child second([&](const std::function<void()>& ready) {
            bool told = false;
            const Wait wait{.at_most = std::chrono::seconds(60), .give_up = [&] {
                                if (!std::exchange(told, true)) ready();
                                return false;
                            }};
            auto store = Fixture::open(dir / "t.db", {.create = true});
            auto own = store->write({}, wait);
            static_cast<void>(insert_plan(*own, plan_row("q")));
            own->commit();
            return std::to_string(store->read({})->plans().size());
        });
        REQUIRE(second.await());
        if (!refused) transaction->commit();
        transaction.reset();
        CHECK(second.wait() == (refused ? "1" : "2"));
        CHECK(first->read({})->plans().size() == (refused ? 1 : 2));
        CHECK(names_in(dir).size() == (refused ? 2 : 3));
    }
}

TEST_CASE("what is not a regular file with one name is refused at once, by readers, writers and creators") {
    using Make = std::function<void(const std::string&, const TempDir&)>;
    const std::vector<std::pair<std::string, Make>> kinds{
        {"pipe", [](const std::string& path, const TempDir&) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }},
        {"directory",
         [](const std::string& path, const TempDir&) { REQUIRE(::mkdir(path.c_str(), 0700) == 0); }},
        {"symbolic link",
         [](const std::string& path, const TempDir& other) {
             write_file(other / "other", "precious");
             REQUIRE(::symlink((other / "other").c_str(), path.c_str()) == 0);
         }},
        {"hard link",
         [](const std::string& path, const TempDir& other) {
             write_file(other / "other", "precious");
             REQUIRE(::link((other / "other").c_str(), path.c_str()) == 0);
         }},
        {"socket", [](const std::string& path,
                      const TempDir&) { REQUIRE(::mknod(path.c_str(), S_IFSOCK | 0600, 0) == 0); }},
        {"device",
         [](const std::string& path, const TempDir&) {
             // Only root may; what everybody has is reached by a link.
             if (::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0)
                 REQUIRE(::symlink("/dev/null", path.c_str()) == 0);
         }},
    };
    for (const auto& [kind, make] : kinds) {
        for (const std::string suffix : {"", "-journal", "-wal", ".lock"}) {
            Fixture f;
            f.close();
            CAPTURE(kind, suffix);
            std::filesystem::remove(f.path() + suffix);
            make(f.path() + suffix, f.dir());
            const auto open = [&](bool create) {
                return Fixture::open(f.path(), {.create = create}, kAtOnce);
            };
            const auto read = [&] { static_cast<void>(open(false)->read(kAtOnce)); };
            // The lock is none of a reader's business.
            CHECK(code_of(read) == (suffix == ".lock" ? std::nullopt : std::optional(ErrorCode::store)));
            CHECK(code_of([&] { static_cast<void>(open(false)->write({}, kAtOnce)); }) == ErrorCode::store);
            CHECK(code_of([&] { static_cast<void>(open(true)->write({}, kAtOnce)); }) == ErrorCode::store);
            if (suffix.empty()) continue;
            std::filesystem::remove(f.path());
            CHECK(code_of([&] { Fixture::make(f.path()); }) == ErrorCode::store);
            if (std::filesystem::exists(f.dir() / "other")) CHECK(read_file(f.dir() / "other") == "precious");
        }
    }
}

TEST_CASE("a journal that becomes something else while a store is open is refused too") {
    Fixture f;
    const std::string journal = f.path() + "-journal";
    {
        auto transaction = f.write();
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        transaction->commit();
    }
    auto reader = Fixture::open(f.path(), {.read_only = true});
    std::filesystem::remove(journal);
    REQUIRE(::mkfifo(journal.c_str(), 0600) == 0);
    CHECK(code_of([&] { static_cast<void>(reader->read({})); }) == ErrorCode::store);
    CHECK(code_of([&] { static_cast<void>(f.write()); }) == ErrorCode::store);
    std::filesystem::remove(journal);
    CHECK(reader->read({})->plans().size() == 2);
    CHECK_NOTHROW(f.write()->commit());
}

TEST_CASE("many processes may create the same store at once") {
    TempDir dir;
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < 6; ++i)
        children.push_back(std::make_unique<Child>([&, i](const std::function<void()>&) {
            const Wait wait{.at_most = std::chrono::seconds(60)};
            auto store = Fixture::open(dir / "t.db", {.create = true}, wait);
            auto transaction = store->write({}, wait);
            static_cast<void>(insert_plan(*transaction, plan_row("p" + std::to_string(i))));
            transaction->commit();
            return std::string("done");
        }));
    for (auto& child : children) CHECK(child->wait() == "done");
    CHECK(Fixture::open(dir / "t.db")->read({})->plans().size() == 6);
}

TEST_CASE("a file that is no database, or another program's, is refused untouched") {
    TempDir dir;
    const std::string path = dir / "t.db";
    write_file(path, "checks: []\n");
    CHECK_THAT(refusal(path), Contains("is not a turboci store"));
    write_file(path, std::string(5000, 'x'));
    CHECK_THAT(refusal(path), Contains("is not a turboci store"));
    ::unlink(path.c_str());
    raw(path, "CREATE TABLE plans(x); PRAGMA user_version=1");
    CHECK_THAT(refusal(path), Contains("is not a turboci store"));
    CHECK(raw(path, "SELECT count(*) FROM plans") == "0");
}

TEST_CASE("another program's unfinished business is left alone") {
    TempDir dir;
    const std::string path = dir / "t.db";
    raw(path, "CREATE TABLE t(x)");
    const std::string journal = std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8) + std::string(504, '\0');
    write_file(path + "-journal", journal);
    CHECK_THAT(refusal(path), Contains("is not a turboci store"));
    CHECK(read_file(path + "-journal") == journal);
}

TEST_CASE("an empty file is refused") {
    TempDir dir;
    write_file(dir / "t.db", "");
    CHECK_THAT(refusal(dir / "t.db"), Contains("is empty"));
}

TEST_CASE("directories, pipes and symbolic links are refused") {
    TempDir dir;
    ::mkdir((dir / "d").c_str(), 0700);
    CHECK_THAT(message_of([&] { static_cast<void>(Fixture::open(dir / "d")); }), Contains("is a directory"));
    REQUIRE(::mkfifo((dir / "f").c_str(), 0600) == 0);
    CHECK_THAT(message_of([&] { static_cast<void>(Fixture::open(dir / "f")); }),
               Contains("is not a regular file"));
    Fixture f;
    REQUIRE(::symlink(f.path().c_str(), (dir / "l").c_str()) == 0);
    CHECK_THAT(refusal(dir / "l"), Contains("is a symbolic link"));
    REQUIRE(::symlink("/nowhere", (dir / "dangling").c_str()) == 0);
    CHECK_THAT(message_of([&] { static_cast<void>(Fixture::open(dir / "dangling", {.create = true})); }),
               Contains("is a symbolic link"));
}

TEST_CASE("a store with two names is refused under both") {
    Fixture f;
    f.close();
    const std::string second = f.dir() / "second.db";
    REQUIRE(::link(f.path().c_str(), second.c_str()) == 0);
    CHECK_THAT(refusal(second), Contains("has 2 names"));
    CHECK_THAT(refusal(f.path()), Contains("has 2 names"));
    ::unlink(second.c_str());
    CHECK_NOTHROW(f.reopen());
}

TEST_CASE("a directory behind a symbolic link is the directory itself, lock and all") {
    Fixture f;
    const std::string link = f.dir() / "link";
    REQUIRE(::symlink(f.dir().path().c_str(), link.c_str()) == 0);
    auto other = Fixture::open(link + "/turboci.db");
    auto transaction = f.write();
    CHECK(code_of([&] { static_cast<void>(other->write({}, kAtOnce)); }) == ErrorCode::locked);
    CHECK(other->read(kAtOnce)->find_plan("p"));
}

TEST_CASE("a path that names no file is an invalid argument") {
    for (const char* path : {"", ".", "..", "/", "a/", "a/.."})
        CHECK(code_of([&] { static_cast<void>(Fixture::open(path)); }) == ErrorCode::invalid_argument);
}

TEST_CASE("a store of a newer or impossible schema is refused untouched") {
    Fixture f;
    f.close();
    raw(f.path(), "PRAGMA user_version=5");
    CHECK_THAT(refusal(f.path()),
               Contains("newer turboci (schema 5, this one knows 4)") && Contains("upgrade"));
    raw(f.path(), "PRAGMA user_version=0");
    CHECK_THAT(refusal(f.path()), Contains("no schema version"));
    raw(f.path(), "PRAGMA user_version=-5");
    CHECK_THAT(refusal(f.path()), Contains("no schema version"));
}

TEST_CASE("a store in WAL mode is refused untouched and can be led back") {
    Fixture f;
    f.close();
    raw(f.path(), "PRAGMA journal_mode=WAL");
    CHECK_THAT(refusal(f.path()), Contains("WAL mode") && Contains("journal_mode=DELETE"));
    raw(f.path(), "PRAGMA journal_mode=DELETE");
    CHECK_NOTHROW(f.reopen());
    f.close();
    write_file(f.path() + "-wal", "");
    CHECK_THAT(refusal(f.path()), Contains("WAL mode"));
}

TEST_CASE("a journal left behind by a deleted store is not played into a new one") {
    TempDir dir;
    const std::string path = dir / "t.db";
    const std::string hot = std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8) + std::string(504, '\1');
    write_file(path + "-journal", hot);
    CHECK_THAT(message_of([&] { Fixture::make(path); }), Contains("-journal' is there, but not the store"));
    CHECK(read_file(path + "-journal") == hot);
    CHECK_FALSE(std::filesystem::exists(path));
    write_file(path + "-journal", "");
    CHECK_NOTHROW(Fixture::make(path));
    ::unlink(path.c_str());
    write_file(path + "-journal", std::string(512, '\0'));
    CHECK_NOTHROW(Fixture::make(path));
}

TEST_CASE("a store that is deleted or replaced while in use takes no more writes") {
    Fixture f;
    REQUIRE(::rename(f.path().c_str(), (f.dir() / "old.db").c_str()) == 0);
    const auto write = [&] { static_cast<void>(f.write()); };
    CHECK(code_of(write) == ErrorCode::store);
    auto other = Fixture::make(f.path());
    CHECK_THAT(message_of(write), Contains("removed or replaced"));
    CHECK_NOTHROW(other->write({}, {}));
    CHECK(other->read({})->plans().empty());
}

TEST_CASE("a lock file that is a link or a directory is refused") {
    Fixture f;
    const std::string lock = f.path() + ".lock";
    f.close();
    ::unlink(lock.c_str());
    REQUIRE(::symlink((f.dir() / "elsewhere").c_str(), lock.c_str()) == 0);
    f.reopen();
    CHECK_THAT(message_of([&] { static_cast<void>(f.write()); }),
               Contains("lock file") && Contains("symbolic link"));
    CHECK_FALSE(std::filesystem::exists(f.dir() / "elsewhere"));
    ::unlink(lock.c_str());
    ::mkdir(lock.c_str(), 0700);
    CHECK(code_of([&] { static_cast<void>(f.write()); }) == ErrorCode::store);
}

TEST_CASE("a store in a directory that cannot be written can be read") {
    Fixture f;
    f.close();
    ::chmod(f.dir().path().c_str(), 0555);
    ::chmod(f.path().c_str(), 0444);
    const auto answer = as_nobody([&] {
        auto store = Fixture::open(f.path());
        const bool found = store->read({})->find_plan("p").has_value();
        return std::string(found ? "found; " : "lost; ") +
               message_of([&] { static_cast<void>(store->write({}, {})); });
    });
    CHECK_THAT(answer, Contains("found; ") && Contains("cannot be written; check its permissions"));
}

TEST_CASE("a store that may not be read says so") {
    Fixture f;
    f.close();
    ::chmod(f.dir().path().c_str(), 0755);
    ::chmod(f.path().c_str(), 0000);
    const auto answer =
        as_nobody([&] { return message_of([&] { static_cast<void>(Fixture::open(f.path())); }); });
    CHECK_THAT(answer,
               Contains("cannot open") && Contains("Permission denied") && Contains("check the permissions"));
}

TEST_CASE("a store cannot be made where one may not write") {
    TempDir dir;
    ::chmod(dir.path().c_str(), 0555);
    const auto answer = as_nobody([&] { return message_of([&] { Fixture::make(dir / "t.db"); }); });
    CHECK_THAT(answer, Contains("cannot open the lock file") && Contains("Permission denied"));
}

TEST_CASE("a damaged file is a STORE error wherever the damage is met") {
    Fixture f;
    {
        auto transaction = f.write();
        for (int i = 0; i < 2000; ++i)
            static_cast<void>(f.add(*transaction, NodeType::check, "node-" + std::to_string(i)));
        transaction->commit();
    }
    f.close();
    std::string bytes = read_file(f.path());
    const std::string good = bytes;
    const auto scan = [&] {
        f.reopen();
        scan_nodes(*f.read(), f.plan(), std::nullopt, {}, [](const NodeRow&) {});
    };
    for (std::size_t i = 30 * 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_file(f.path(), bytes);
    CHECK(code_of(scan) == ErrorCode::store);
    f.close();
    f.reopen();
    CHECK_FALSE(f.store().check({}).empty());
    f.close();
    write_file(f.path(), good.substr(0, good.size() / 2));
    CHECK(code_of(scan) == ErrorCode::store);
    f.close();
    write_file(f.path(), good.substr(0, 50));
    CHECK(code_of([&] { f.reopen(); }) == ErrorCode::store);
}

TEST_CASE("a backup is private, and a failed one leaves nothing") {
    Fixture f;
    f.store().backup(f.dir() / "copy.db", {});
    CHECK(mode_of(f.dir() / "copy.db") == 0600);
    CHECK(code_of([&] { f.store().backup(f.dir() / "no/copy.db", {}); }) == ErrorCode::not_found);
    CHECK(code_of([&] { f.store().backup(f.path(), {}); }) == ErrorCode::conflict);
    REQUIRE(::symlink("/nowhere", (f.dir() / "l").c_str()) == 0);
    CHECK(code_of([&] { f.store().backup(f.dir() / "l", {}); }) == ErrorCode::conflict);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(f.dir().path())) ++files;
    CHECK(files == 4);  // store, lock, copy, link
}

TEST_CASE(
    "a store that is written to repeatedly keeps its journal until it is closed, without a word in it") {
    Fixture f;
    const std::string journal = f.path() + "-journal";
    CHECK(read_file(journal).empty());
    for (int i = 0; i < 2; ++i) {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "c" + std::to_string(i)));
        transaction->commit();
        CHECK(read_file(journal).size() > 512);
        CHECK(read_file(journal).starts_with(std::string(28, '\0')));
    }
    {
        // Another process does not mind, and may empty it.
        auto other = Fixture::open(f.path());
        auto transaction = other->write({}, {});
        static_cast<void>(f.add(*transaction, NodeType::check, "other"));
        transaction->commit();
    }
    CHECK(read_file(journal).empty());
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "last"));
        transaction->commit();
    }
    CHECK(read_file(journal).size() > 512);
    f.close();
    CHECK(read_file(journal).empty());
    f.reopen();
    CHECK(f.store().check({}).empty());
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "last"));
}

TEST_CASE("a store that is closed while another process writes leaves its journal as it is") {
    Fixture f;
    for (int i = 0; i < 2; ++i) {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "c" + std::to_string(i)));
        transaction->commit();
    }
    auto other = Fixture::open(f.path());
    auto transaction = other->write({}, {});
    static_cast<void>(f.add(*transaction, NodeType::check, "other"));
    f.close();
    transaction->commit();
    CHECK(other->check({}).empty());
}

TEST_CASE("a store that was there before is missed, too, when another stands in its place") {
    Fixture f;
    f.reopen();
    REQUIRE(::rename(f.path().c_str(), (f.dir() / "old.db").c_str()) == 0);
    CHECK_THAT(message_of([&] { static_cast<void>(f.write()); }), Contains("removed or replaced"));
}

TEST_CASE("a first write that is large is put in its place as it is") {
    TempDir dir;
    const auto store = Fixture::open(dir / "t.db", {.create = true});
    auto transaction = store->write({}, {});
    PlanRow row = plan_row("large");
    row.labels.text = R"({"a":")" + std::string(std::size_t{6} << 20, 'x') + R"("})";
    static_cast<void>(insert_plan(*transaction, row));
    transaction->commit();
    transaction.reset();
    CHECK(store->read({})->find_plan("large")->labels.text.size() > (std::size_t{6} << 20));
    CHECK(store->check({}).empty());
}

TEST_CASE("a store that is not there is not found, unless it may be created") {
    TempDir dir;
    const std::string path = dir / "none.db";
    CHECK(code_of([&] { static_cast<void>(Fixture::open(path)); }) == ErrorCode::not_found);
    CHECK(code_of([&] { static_cast<void>(Fixture::open(path, {.create = true, .read_only = true})); }) ==
          ErrorCode::not_found);
    CHECK(code_of([&] { static_cast<void>(Fixture::open(dir / "no/such/dir.db", {.create = true})); }) ==
          ErrorCode::not_found);
    CHECK(Fixture::open(path, {.create = true})->read({})->plans().empty());
}

TEST_CASE("a sound store passes its check, and a backup is a store of its own") {
    Fixture f;
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "a"));
        transaction->commit();
    }
    CHECK(f.store().check({}).empty());
    const std::string copy = f.dir() / "copy.db";
    f.store().backup(copy, {});
    CHECK(code_of([&] { f.store().backup(copy, {}); }) == ErrorCode::conflict);
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "later"));
        transaction->commit();
    }
    auto store = Fixture::open(copy);
    CHECK(store->check({}).empty());
    auto transaction = store->write({}, {});
    CHECK(find_node(*transaction, f.plan(), NodeType::check, "a"));
    CHECK_FALSE(find_node(*transaction, f.plan(), NodeType::check, "later"));
}

TEST_CASE("who commits waits for a reader, and no longer than for the lock") {
    Fixture f;
    const auto reader = f.read();
    auto writer = Fixture::open(f.path());
    auto transaction = writer->write({}, kAtOnce);
    static_cast<void>(f.add(*transaction, NodeType::check, "new"));
    CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::locked);
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::check, "new"));
}

TEST_CASE("a store that is replaced while a change is waited for is missed") {
    Fixture f;
    const std::string_view plan = GENERATE("p", "");
    if (plan.empty()) REQUIRE(f.store().wait_for_change(plan, 0, kAtOnce));  // of what was before
    bool replaced = false;
    Wait patience{.at_most = std::chrono::milliseconds(300)};
    patience.give_up = [&] {
        if (replaced) return false;
        replaced = true;
        REQUIRE(::rename(f.path().c_str(), (f.dir() / "old.db").c_str()) == 0);
        Fixture::make(f.path());
        return false;
    };
    CHECK_THAT(message_of([&] { static_cast<void>(f.store().wait_for_change(plan, 1, patience)); }),
               Contains("removed or replaced"));
    CHECK(replaced);
}

TEST_CASE("who waits for a store that nobody has made yet is told when it is made, once") {
    TempDir dir;
    const std::string path = dir / "later.db";
    const auto store = Fixture::open(path, {.create = true});
    CHECK(store->wait_for_change("", 0, kAtOnce));
    CHECK_FALSE(store->wait_for_change("", 0, {.at_most = std::chrono::milliseconds(50)}));
    Fixture::make(path);
    CHECK(store->wait_for_change("", 0, kAtOnce));
    CHECK_FALSE(store->wait_for_change("", 0, kAtOnce));
}
