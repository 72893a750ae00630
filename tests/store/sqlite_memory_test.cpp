// SPDX-License-Identifier: Apache-2.0
// SQLite without memory: at every allocation, once and for good. The program's own is in
// tests/crash/alloc.py.
#include <sqlite3.h>

#include <limits>

#include "store/samples.hpp"
#include "store/sqlite/database.hpp"
#include "support/child.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

/// Takes the place of SQLite's allocator, in a process of its own, in which no connection is open.
class ScarceMemory {
public:
    ScarceMemory() {
        sqlite3_shutdown();
        sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
        sqlite3_mem_methods scarce = real;
        scarce.xMalloc = [](int size) { return size >= too_large || fails() ? nullptr : real.xMalloc(size); };
        scarce.xRealloc = [](void* old, int size) { return fails() ? nullptr : real.xRealloc(old, size); };
        sqlite3_config(SQLITE_CONFIG_MALLOC, &scarce);
        sqlite3_initialize();
    }
    /// Lets allocation `n` from now fail, or all from there on; 0 for none.
    static void fail(long n, bool once) {
        next = n;
        only_once = once;
        met = false;
    }
    /// Lets allocations from this size on fail.
    static void fail_from(int size) { too_large = size; }
    /// Has an allocation failed?
    static bool has_failed() { return met; }

private:
    static bool fails() {
        if (next == 0 || (next > 1 && --next > 1)) return false;
        met = true;
        if (only_once) next = 0;
        return true;
    }
    static inline sqlite3_mem_methods real{};
    static inline int too_large = std::numeric_limits<int>::max();
    static inline long next = 0;
    static inline bool only_once = false;
    static inline bool met = false;
};

/// Does `work` until no allocation is left to fail, and looks at what is left with `judge` after each time,
/// which gets whether it was done and tells what is wrong. `thinning`: at fewer and fewer allocations, for
/// work that has thousands of them.
std::string at_every_allocation(const std::function<void()>& work,
                                const std::function<std::string(bool)>& judge, bool thinning = false) {
    ScarceMemory memory;
    for (const bool once : {true, false}) {
        for (long n = 1;; n += thinning ? 1 + n / 40 : 1) {
            bool done = true;
            ScarceMemory::fail(n, once);
            try {
                work();
            } catch (const std::bad_alloc&) {
                done = false;
            } catch (const Error&) {
                done = false;
            }
            const bool more = ScarceMemory::has_failed();
            ScarceMemory::fail(0, false);
            if (!more && !done) return "failed with all the memory that it wants";
            if (const std::string wrong = judge(done); !wrong.empty())
                return "allocation " + std::to_string(n) + (once ? ": " : " and all later: ") + wrong;
            if (!more) break;
        }
    }
    return "sound";
}

}  // namespace

TEST_CASE("a store that is made without enough memory is whole or not there") {
    TempDir dir;
    const std::string path = dir / "t.db";
    Child child([&](const std::function<void()>&) {
        return at_every_allocation([&] { Fixture::make(path); },
                                   [&](bool) -> std::string {
                                       auto store = Fixture::make(path);
                                       if (!store->check({}).empty()) return "damaged";
                                       store.reset();
                                       std::filesystem::remove(path);
                                       return {};
                                   },
                                   true);
    });
    CHECK(child.wait() == "sound");
}

TEST_CASE("a store whose first bytes there is no memory for is not made") {
    TempDir dir;
    Child child([&](const std::function<void()>&) -> std::string {
        ScarceMemory memory;
        ScarceMemory::fail_from(100'000);  // all of them together, and nothing else
        try {
            Fixture::make(dir / "t.db");
        } catch (const std::bad_alloc&) {
            return "out of memory";
        }
        return "made";
    });
    CHECK(child.wait() == "out of memory");
    CHECK_FALSE(std::filesystem::exists(dir / "t.db"));
}

TEST_CASE("a write without enough memory is done whole or not at all, and the same store goes on") {
    Fixture f;
    f.close();
    Child child([&](const std::function<void()>&) {
        std::unique_ptr<Store> store;
        int plans = 0;
        const auto name = [&] { return "plan-" + std::to_string(plans); };
        return at_every_allocation(
            [&] {
                if (!store) store = Fixture::open(f.path());
                auto transaction = store->write({}, {});
                static_cast<void>(insert_plan(*transaction, plan_row(name())));
                transaction->commit();
            },
            [&](bool done) -> std::string {
                if (!store) return {};
                const bool there = store->read({})->find_plan(name()).has_value();
                if (done && !there) return "it was lost";
                if (!done && there) return "it was done all the same";
                ++plans;
                if (plans % 3 == 0) store.reset();
                return {};
            });
    });
    CHECK(child.wait() == "sound");
    f.reopen();
    CHECK(f.store().check({}).empty());
}

TEST_CASE("a copy without enough memory is made whole or not at all") {
    Fixture f;
    const std::string copy = f.dir() / "copy.db";
    f.close();
    Child child([&](const std::function<void()>&) {
        return at_every_allocation([&] { Fixture::open(f.path())->backup(copy, {}); },
                                   [&](bool done) -> std::string {
                                       if (std::filesystem::exists(copy) != done)
                                           return done ? "it is not there" : "it is there";
                                       std::filesystem::remove(copy);
                                       return {};
                                   });
    });
    CHECK(child.wait() == "sound");
}

TEST_CASE("a text that there is no memory for is not taken for damage") {
    Child child([&](const std::function<void()>&) -> std::string {
        ScarceMemory memory;
        sqlite::Database db("", sqlite::Database::Mode::temporary);
        sqlite::Query row(db, "SELECT zeroblob(1000000)");  // is made when it is looked at
        if (!row.step()) return "no row";
        ScarceMemory::fail(1, false);
        try {
            static_cast<void>(row.text(0));
        } catch (const std::bad_alloc&) {
            return "out of memory";
        }
        return "read";
    });
    CHECK(child.wait() == "out of memory");
}
