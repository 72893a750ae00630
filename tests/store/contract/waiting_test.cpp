// SPDX-License-Identifier: Apache-2.0
// Waiting for others belongs to the call: for the lock, and for what others write.
#include <chrono>
#include <future>
#include <thread>

#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

void write_version(Store& store, const std::string& plan) {
    const auto transaction = store.write(plan, {.at_most = seconds(60)});
    PlanRow row = transaction->find_plan(plan).value();
    ++row.version;
    update_plan(*transaction, row);
    transaction->commit();
}

/// The fixture's plan makes place for another of that id and version.
void replace_plan(Store& store, PlanKey plan) {
    const auto transaction = store.write("p", {.at_most = seconds(60)});
    delete_plan(*transaction, plan);
    PlanRow other = plan_row("p");
    other.identity = "another plan";
    static_cast<void>(insert_plan(*transaction, other));
    transaction->commit();
}

/// Is a change seen that another process makes while the plan is waited for?
template <class Change>
bool sees(Store& store, const Change& change) {
    const auto made = std::async(std::launch::async, [&] {
        std::this_thread::sleep_for(milliseconds(60));
        change();
    });
    return store.wait_for_change("p", 1, {.at_most = seconds(60)});
}

}  // namespace

TEST_CASE("a second writer is LOCKED, at once if it does not wait, and readers are not") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    auto transaction = f.write();
    CHECK(code_of([&] { static_cast<void>(other->write("p", kAtOnce)); }) == ErrorCode::locked);
    CHECK_NOTHROW(other->read(kAtOnce));
    transaction.reset();
    transaction = other->write("p", kAtOnce);
    transaction->commit();
    CHECK_NOTHROW(f.store().write("p", kAtOnce));
}

TEST_CASE("each call waits as long as it says itself, whatever the one before it said") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    const auto transaction = f.write();
    const auto waited = [&](const Wait& wait) {
        const auto start = Steady::now();
        CHECK(code_of([&] { static_cast<void>(other->write("p", wait)); }) == ErrorCode::locked);
        return Steady::now() - start;
    };
    CHECK(waited({.at_most = milliseconds(300)}) >= milliseconds(300));
    CHECK(waited(kAtOnce) < milliseconds(250));
    CHECK(waited({.at_most = milliseconds(300)}) >= milliseconds(300));
}

TEST_CASE("who gives up is LOCKED, and who gets the lock at once is not asked") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    int asked = 0;
    const Wait wait{.at_most = hours(1), .give_up = [&] { return ++asked == 3; }};
    auto transaction = f.write();
    CHECK(code_of([&] { static_cast<void>(other->write("p", wait)); }) == ErrorCode::locked);
    CHECK(asked == 3);
    transaction.reset();
    CHECK_NOTHROW(other->write("p", wait));
    CHECK(asked == 3);
}

TEST_CASE("who waits for a lock for more than a second is told so once") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    const auto transaction = f.write();
    int told = 0;
    const Wait wait{.at_most = milliseconds(1200), .on_wait = [&](const std::string&) { ++told; }};
    CHECK(code_of([&] { static_cast<void>(other->write("p", wait)); }) == ErrorCode::locked);
    CHECK(told == 1);
}

TEST_CASE("a writer that waits goes on when the one before it is done, and sees what that wrote") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    auto transaction = f.write();
    static_cast<void>(insert_plan(*transaction, plan_row("q")));
    auto found = std::async(std::launch::async, [&] {
        return other->write("p", {.at_most = seconds(60)})->find_plan("q").has_value();
    });
    std::this_thread::sleep_for(milliseconds(30));
    transaction->commit();
    transaction.reset();
    CHECK(found.get());
}

TEST_CASE("a plan that is not as it was seen is no reason to wait, and one that is not there neither") {
    Fixture f;
    CHECK(f.store().wait_for_change("p", 7, {.at_most = hours(1)}));
    CHECK(f.store().wait_for_change("q", 1, {.at_most = hours(1)}));
}

TEST_CASE("who waits for a change sees it when it is committed, a deletion and another plan of that id too") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    SECTION("a write") {
        CHECK(sees(f.store(), [&] { write_version(*other, "p"); }));
    }
    SECTION("another plan") {
        CHECK(sees(f.store(), [&] { replace_plan(*other, f.plan()); }));
    }
    SECTION("a deletion") {
        CHECK(sees(f.store(), [&] {
            const auto transaction = other->write("p", {});
            delete_plan(*transaction, f.plan());
            transaction->commit();
        }));
    }
}

TEST_CASE("who waits for a change sees nothing of other plans, and of what is not committed") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    {
        const auto transaction = other->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        transaction->commit();
    }
    const auto made = std::async(std::launch::async, [&] {
        write_version(*other, "q");
        const auto transaction = other->write("p", {});
        PlanRow row = transaction->find_plan("p").value();
        ++row.version;
        update_plan(*transaction, row);
    });
    CHECK_FALSE(f.store().wait_for_change("p", 1, {.at_most = milliseconds(200)}));
}

TEST_CASE("the patience for a change is over after its time, or when it is given up, and that is no error") {
    Fixture f;
    const auto start = Steady::now();
    CHECK_FALSE(f.store().wait_for_change("p", 1, {.at_most = milliseconds(50)}));
    CHECK(Steady::now() - start >= milliseconds(50));
    int asked = 0;
    CHECK_FALSE(
        f.store().wait_for_change("p", 1, {.at_most = hours(1), .give_up = [&] { return ++asked == 3; }}));
    CHECK(asked == 3);
    CHECK_FALSE(f.store().wait_for_change("p", 1, kAtOnce));
    CHECK(code_of([&] {
              const auto open = f.read();
              f.store().wait_for_change("p", 7, kAtOnce);
          }) == ErrorCode::internal);
}

TEST_CASE("what anybody commits is seen by who waits for any plan, once") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    CHECK(f.store().wait_for_change({}, 0, kAtOnce));
    CHECK_FALSE(f.store().wait_for_change({}, 0, {.at_most = milliseconds(50)}));
    {
        const auto transaction = other->write({}, {});
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        CHECK_FALSE(f.store().wait_for_change({}, 0, kAtOnce));
        transaction->commit();
    }
    CHECK(f.store().wait_for_change({}, 0, kAtOnce));
    CHECK_FALSE(f.store().wait_for_change({}, 0, kAtOnce));
}

TEST_CASE("time is the store's, read anew whenever it is asked for") {
    Fixture f;
    const auto transaction = f.write();
    CHECK(transaction->now().wall == f.clock.reading.wall);
    f.clock.advance(seconds(5));
    CHECK(transaction->now().wall == f.clock.reading.wall);
    CHECK(transaction->now().since_boot == f.clock.reading.since_boot);
}

TEST_CASE("a plan whose deletion is not committed is still there") {
    Fixture f;
    {
        const auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "a"));
        transaction->commit();
    }
    {
        const auto transaction = f.write();
        delete_plan(*transaction, f.plan());
        CHECK_FALSE(transaction->find_plan("p"));
    }
    CHECK(f.read()->find_plan("p"));
    CHECK(find_node(*f.read(), f.plan(), NodeType::check, "a"));
}
