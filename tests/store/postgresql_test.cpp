// SPDX-License-Identifier: Apache-2.0
// What is particular to the store in PostgreSQL: how it is made and named, what it refuses, which locks it
// takes, and how many trips it makes.
#include <algorithm>
#include <future>
#include <thread>

#include "store/openers.hpp"
#include "store/postgresql/schema.hpp"
#include "store/postgresql_database.hpp"
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::unique_ptr<Store> open_url(const std::string& url) { return open_postgresql_store(url, {}); }
std::string refusal(const std::string& url) {
    return message_of([&] { static_cast<void>(open_url(url)); });
}

}  // namespace

TEST_CASE("a URL with a password is refused, and the message does not repeat it") {
    for (const char* const url : {"postgresql://me:secret@localhost/ci", "postgres:///ci?password=secret",
                                  "postgresql:///ci?sslpassword=secret"}) {
        const std::string message = refusal(url);
        CHECK_THAT(message, Contains("must not hold a password") && Contains("PGPASSFILE"));
        CHECK_THAT(message, !Contains("secret"));
    }
    CHECK_THAT(refusal("postgresql:///ci?no_such=1"), Contains("malformed") && Contains("no_such"));
}

TEST_CASE("a database is made a store once, and is none before that") {
    const std::string url = new_database();
    CHECK(code_of([&] { static_cast<void>(open_url(url)); }) == ErrorCode::not_found);
    CHECK_THAT(refusal(url), Contains("turboci store init"));
    CHECK(init_postgresql_store(url).size() == 3);
    CHECK_NOTHROW(open_url(url));
    CHECK(code_of([&] { static_cast<void>(init_postgresql_store(url)); }) == ErrorCode::conflict);
    CHECK(open_url(url)->check({}).empty());
}

TEST_CASE("a schema of that name that is not a store is refused") {
    const std::string url = new_database();
    sql(url, "CREATE SCHEMA turboci");
    CHECK(code_of([&] { static_cast<void>(init_postgresql_store(url)); }) == ErrorCode::conflict);
    CHECK(code_of([&] { static_cast<void>(open_url(url)); }) == ErrorCode::not_found);
}

TEST_CASE("a role that was granted what init says can write, and not change the tables") {
    const std::string url = new_database();
    const auto grants = init_postgresql_store(url);
    const std::string role = "worker" + std::to_string(std::hash<std::string>()(url));
    sql(url, "CREATE ROLE " + role + " LOGIN");
    std::string other = url;
    other.replace(other.find("user=postgres"), 13, "user=" + role);
    CHECK_THAT(refusal(other), Contains("permission denied") && Contains("turboci store init"));
    for (std::string grant : grants) sql(url, grant.replace(grant.find("ROLE"), 4, role));
    const auto store = open_url(other);
    const auto transaction = store->write("p", {});
    const PlanKey plan = insert_plan(*transaction, plan_row("p"));
    insert_node(*transaction, node_row(plan, transaction->next_node(plan), NodeType::check, "a"), {});
    CHECK_NOTHROW(transaction->commit());
}

TEST_CASE("which programs may use a store stands in it") {
    Fixture f;
    const std::string url = backend_url(f.path());
    sql(url, "UPDATE turboci.meta SET format = 3, writes_from = 2");
    CHECK_THAT(message_of([&] { static_cast<void>(f.write()); }), Contains("too old for"));
    CHECK_NOTHROW(f.read()->find_plan("p"));
    sql(url, "UPDATE turboci.meta SET reads_from = 2");
    CHECK_THAT(message_of([&] { static_cast<void>(f.read()->find_plan("p")); }), Contains("too old for"));
    sql(url, "UPDATE turboci.meta SET format = 0, writes_from = 0, reads_from = 0");
    CHECK_THAT(refusal(url), Contains("store migrate"));
    sql(url, "DELETE FROM turboci.meta");
    CHECK_THAT(refusal(url), Contains("does not say its format"));
}

TEST_CASE("a missing column and an index that is not valid are found") {
    Fixture f;
    const std::string url = backend_url(f.path());
    sql(url, "ALTER TABLE turboci.attempts DROP COLUMN signal");
    sql(url, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'turboci.nodes_by_id'::regclass");
    std::vector<std::string> found;
    for (const StoreProblem& problem : f.store().check({})) found.push_back(problem.message);
    REQUIRE(found.size() == 2);
    CHECK(found[0] == "its column 'attempts.signal' is missing");
    CHECK(found[1] == "its index 'nodes_by_id' is not valid");
}

TEST_CASE("a value that turboci never wrote is damage") {
    Fixture f;
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "a"));
        transaction->commit();
    }
    for (const char* const change : {"state = 7", "history = ''", "type = 9", "group_kind = 77"}) {
        INFO(change);
        sql(backend_url(f.path()), std::string("UPDATE turboci.nodes SET ") + change);
        const auto reader = f.read();
        CHECK(code_of([&] { reader->scan(f.plan(), {}, [](std::span<NodeRecord>) { return true; }); }) ==
              ErrorCode::store);
    }
}

TEST_CASE("a text that PostgreSQL cannot keep is an invalid argument, and writes nothing") {
    Fixture f;
    const auto transaction = f.write();
    PlanRow row = plan_row("p");
    row.key = f.plan();
    row.cancelled = PlanCancelled{at(1), std::string("a\0b", 3), ""};
    update_plan(*transaction, row);
    CHECK(code_of([&] { transaction->commit(); }) == ErrorCode::invalid_argument);
}

TEST_CASE("plans are locked one by one") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    {
        const auto transaction = other->write("q", {});
        static_cast<void>(insert_plan(*transaction, plan_row("q")));
        transaction->commit();
    }
    const auto transaction = f.write();
    CHECK_NOTHROW(other->write("q", kAtOnce));
    const auto both = other->write({}, kAtOnce);
    CHECK(both->find_plan("q"));
    CHECK(code_of([&] { static_cast<void>(both->find_plan("p")); }) == ErrorCode::locked);
}

TEST_CASE("of two who make a plan of one id the second waits, and sees the plan of the first") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    auto transaction = f.store().write("new", {});
    CHECK_FALSE(transaction->find_plan("new"));
    CHECK(code_of([&] { static_cast<void>(other->write("new", kAtOnce)); }) == ErrorCode::locked);
    auto second = std::async(std::launch::async, [&] {
        return other->write("new", {.at_most = seconds(60)})->find_plan("new").has_value();
    });
    static_cast<void>(insert_plan(*transaction, plan_row("new")));
    std::this_thread::sleep_for(milliseconds(50));
    transaction->commit();
    CHECK(second.get());
}

TEST_CASE("who waits for a plan that is replaced meanwhile gets the new one") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    auto transaction = f.write();
    auto second = std::async(std::launch::async, [&] {
        return other->write("p", {.at_most = seconds(60)})->find_plan("p")->identity;
    });
    std::this_thread::sleep_for(milliseconds(100));
    delete_plan(*transaction, f.plan());
    PlanRow row = plan_row("p");
    row.identity = "another";
    static_cast<void>(insert_plan(*transaction, row));
    transaction->commit();
    CHECK(second.get() == "another");
}

TEST_CASE("a plan that others change between the list and the write is not written to") {
    Fixture f;
    const auto other = Fixture::open(f.path());
    const auto prune = other->write({}, {});
    REQUIRE(prune->plans().size() == 1);
    {
        const auto transaction = f.write();
        PlanRow row = transaction->find_plan("p").value();
        ++row.version;
        update_plan(*transaction, row);
        transaction->commit();
    }
    CHECK(code_of([&] { delete_plan(*prune, f.plan()); }) == ErrorCode::locked);
}

TEST_CASE("without a clock of their own, transactions read the server's") {
    Fixture f;
    const auto store = Fixture::open(f.path());
    const auto transaction = store->write("p", {});
    const Timestamp first = transaction->now().wall;
    CHECK(std::chrono::abs(first - system_clock().read().wall) < seconds(60));
    CHECK(transaction->now().wall >= first);
    CHECK(transaction->now().boot_id.empty());
    CHECK(store != nullptr);
}

TEST_CASE("a copy in a file is refused with what to do instead") {
    Fixture f;
    CHECK_THAT(message_of([&] { f.store().backup("x", {}); }),
               Contains("pg_dump") && Contains("plan export"));
    CHECK(f.store().compact(true, {}) == 0);
}

TEST_CASE("a write takes one trip for the lock, one for each question, and one for the commit") {
    Fixture f;
    auto transaction = f.write();
    CHECK(f.statistics.trips == 1);
    CHECK(transaction->find_plan("p"));
    static_cast<void>(transaction->store());
    static_cast<void>(transaction->next_node(f.plan()));
    CHECK(f.statistics.trips == 1);
    Lookup lookup;
    lookup.counts = lookup.classes = lookup.held = lookup.current_attempts = true;
    lookup.names = {{NodeType::check, "a"}, {NodeType::stage, "b"}};
    lookup.ready = Lookup::Ready{at(5), 10};
    lookup.overdue = lookup.next_ready = at(5);
    static_cast<void>(transaction->load(f.plan(), lookup));
    CHECK(f.statistics.trips == 2);
    static_cast<void>(f.add(*transaction, NodeType::check, "a"));
    static_cast<void>(f.add(*transaction, NodeType::stage, "b"));
    CHECK(f.statistics.trips == 2);
    transaction->commit();
    CHECK(f.statistics.trips == 3);
}

TEST_CASE("looking ahead along a chain takes one trip more, however long it is") {
    Fixture f;
    auto transaction = f.write();
    std::vector<NodeKey> stages;
    for (int i = 0; i < 8; ++i) {
        stages.push_back(f.add(*transaction, NodeType::stage, std::to_string(i)));
        if (i > 0)
            insert_edge(*transaction,
                        {stages[stages.size() - 1], kDependencies, 0, 0, stages[stages.size() - 2],
                         State::final, When::success},
                        NodeType::stage);
    }
    Lookup lookup;
    lookup.waiting = {{stages[0], 0, 40}};
    lookup.owners = true;
    lookup.levels = 4;
    const auto before = f.statistics.trips;
    const Facts facts = transaction->load(f.plan(), lookup);
    CHECK(f.statistics.trips == before + 2);
    REQUIRE(facts.waiting.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(facts.waiting[i].owner == stages[i + 1]);
    REQUIRE(facts.ahead.waiting.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(facts.ahead.waiting[i].target == stages[i + 1]);
    CHECK(facts.ahead.assignments == std::vector(stages.begin() + 1, stages.begin() + 4));
    CHECK(facts.ahead.edges.size() == 3);
    CHECK_FALSE(facts.ahead.owners);
    const auto has = [&](NodeKey key) {
        return std::ranges::any_of(facts.nodes, [&](const NodeRow& row) { return row.key == key; });
    };
    CHECK(has(stages[4]));
    CHECK_FALSE(has(stages[5]));
}

TEST_CASE("a new plan takes two trips, a page of a scan one, and a look for changes one") {
    Fixture f;
    {
        auto transaction = f.store().write("q", {});
        CHECK_FALSE(transaction->find_plan("q"));
        const NodeKey first = transaction->next_node({});
        const PlanKey plan = insert_plan(*transaction, plan_row("q"));
        insert_node(*transaction, node_row(plan, first, NodeType::check, "a"), {});
        transaction->commit();
    }
    CHECK(f.statistics.trips == 2);
    auto reader = f.read();
    reader->scan(f.plan(), {}, [](std::span<NodeRecord>) { return true; });
    CHECK(f.statistics.trips == 1);
    CHECK(reader->find_plan("q"));
    CHECK(f.statistics.trips == 2);
    reader.reset();
    const auto before = f.statistics.trips;
    CHECK_FALSE(f.store().wait_for_change("p", 1, kAtOnce));
    CHECK(f.statistics.trips == before + 1);
}

TEST_CASE(
    "what was read is on the disk after one trip more, or with the end of a write that changes nothing") {
    Fixture f;
    const std::string url = backend_url(f.path());
    const auto is_flushed = [&](const std::string& position) {
        return sql(url, "SELECT pg_current_wal_flush_lsn() >= '" + position + "'::pg_lsn") == "t";
    };
    const auto change_without_waiting = [&] {
        return sql(url,
                   "SET synchronous_commit = off; UPDATE turboci.plans SET labels = labels;"
                   " SELECT pg_current_wal_insert_lsn()");
    };
    std::string position = change_without_waiting();
    f.store().flush();
    CHECK(is_flushed(position));

    f.read().reset();
    f.store().flush();
    CHECK(f.statistics.trips == 1);

    position = change_without_waiting();
    auto transaction = f.write();
    transaction->abandon();
    CHECK(f.statistics.trips == 2);
    CHECK(is_flushed(position));
    CHECK(code_of([&] { transaction->abandon(); }) == ErrorCode::internal);
    CHECK_NOTHROW(Fixture::open(f.path())->write("p", kAtOnce));
}
