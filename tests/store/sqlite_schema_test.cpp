// SPDX-License-Identifier: Apache-2.0
// The schema, its upgrades, and values that turboci never wrote.
#include <array>

#include "store/older.hpp"
#include "store/raw.hpp"
#include "store/samples.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/schema.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;
using sqlite::Database;
using sqlite::Migration;
using sqlite::Query;

namespace {

std::string pragma(Database& db, const char* sql) {
    Query row(db, sql);
    return row.step() ? std::to_string(row.integer(0)) : "nothing";
}

void add_table(Database& db) { db.exec("CREATE TABLE second(x INTEGER) STRICT"); }
void add_column(Database& db) { db.exec("ALTER TABLE second ADD COLUMN y INTEGER"); }
void half_fail(Database& db) {
    db.exec("CREATE TABLE half(x INTEGER) STRICT");
    throw Error(ErrorCode::store, "cut short");
}

}  // namespace

TEST_CASE("a schema with anything more, less or other than turboci's is refused") {
    const std::array<std::pair<const char*, const char*>, 8> cases{{
        {"CREATE TRIGGER t AFTER INSERT ON plans BEGIN DELETE FROM plans; END",
         "a trigger 't' that is not turboci's"},
        {"CREATE VIEW v AS SELECT * FROM plans", "a view 'v' that is not turboci's"},
        {"CREATE TABLE extra(x)", "a table 'extra' that is not turboci's"},
        {"CREATE INDEX extra ON plans(version)", "a index 'extra' that is not turboci's"},
        {"DROP INDEX edges_by_target", "its index 'edges_by_target' is missing"},
        {"DROP TABLE node_bodies", "its table 'node_bodies' is missing"},
        {"ALTER TABLE plans ADD COLUMN x INTEGER", "its table 'plans' is not as turboci made it"},
        {"DROP TABLE node_bodies; CREATE VIEW node_bodies AS SELECT 1 AS node_key",
         "its table 'node_bodies' is not as turboci made it"},
    }};
    for (const auto& [sql, expected] : cases) {
        Fixture f;
        f.close();
        raw(f.path(), sql);
        CHECK(code_of([&] { f.reopen(); }) == ErrorCode::store);
        CHECK_THAT(message_of([&] { f.reopen(); }), Contains(expected));
    }
}

TEST_CASE("a schema that is changed while the store is open is noticed by the next transaction") {
    Fixture f;
    CHECK_NOTHROW(f.read());
    raw(f.path(), "CREATE VIEW v AS SELECT 1");
    CHECK(code_of([&] { static_cast<void>(f.read()); }) == ErrorCode::store);
    CHECK(code_of([&] { static_cast<void>(f.write()); }) == ErrorCode::store);
    raw(f.path(), "DROP VIEW v");
    CHECK_NOTHROW(f.write());
    raw(f.path(), "PRAGMA user_version=5; CREATE TABLE newer(x)");
    CHECK_THAT(message_of([&] { static_cast<void>(f.write()); }), Contains("newer turboci"));
}

TEST_CASE("statistics of the query planner and a vacuum do no harm") {
    Fixture f;
    raw(f.path(), "ANALYZE; VACUUM");
    CHECK_NOTHROW(f.write());
    CHECK(f.store().check({}).empty());
}

TEST_CASE("every connection is durable and hardened") {
    Fixture f;
    f.close();
    Database db(f.path(), Database::Mode::read_write);
    db.use_durably();
    CHECK(pragma(db, "PRAGMA synchronous") == "2");
    CHECK(pragma(db, "PRAGMA foreign_keys") == "1");
    CHECK(pragma(db, "PRAGMA trusted_schema") == "0");
    CHECK(pragma(db, "PRAGMA cell_size_check") == "1");
    CHECK(pragma(db, "PRAGMA temp_store") == "2");
    Query journal(db, "PRAGMA journal_mode");
    REQUIRE(journal.step());
    CHECK(journal.text(0) == "truncate");
    Query mapped(db, "PRAGMA mmap_size");
    if (mapped.step()) CHECK(mapped.integer(0) == 0);
    CHECK(code_of([&] { db.exec("ATTACH 'other.db' AS other"); }) == ErrorCode::internal);
    CHECK(code_of([&] { db.exec("SELECT load_extension('x')"); }) == ErrorCode::internal);
    CHECK(code_of([&] { db.exec("UPDATE sqlite_schema SET sql = ''"); }) == ErrorCode::internal);
}

TEST_CASE("a link is not followed, not even one that appears between looking and opening") {
    Fixture f;
    f.close();
    const std::string link = f.dir() / "link.db";
    REQUIRE(::symlink(f.path().c_str(), link.c_str()) == 0);
    CHECK(code_of([&] { Database db(link, Database::Mode::read_write); }) == ErrorCode::store);
}

TEST_CASE("migrations are numbered from 2 on without gaps and each tells what it does") {
    int expected = 2;
    for (const Migration& step : sqlite::migrations()) {
        CHECK(step.version == expected++);
        CHECK_FALSE(step.sentence.empty());
    }
}

TEST_CASE("an older schema is brought up step by step, and only by the steps that it lacks") {
    const std::array<Migration, 3> steps{
        {sqlite::migrations().back(), {5, "added a table", &add_table}, {6, "added a column", &add_column}}};
    Fixture f;
    f.close();
    Database db(f.path(), Database::Mode::read_write);
    db.exec("BEGIN IMMEDIATE");
    CHECK(sqlite::migrate(db, steps) == std::vector<std::string>{"added a table", "added a column"});
    CHECK(sqlite::schema_version(db) == 6);
    CHECK(sqlite::migrate(db, steps).empty());
    db.exec("COMMIT");
    db.exec("INSERT INTO second(x, y) VALUES(1, 2)");
}

TEST_CASE("an upgrade that fails changes nothing") {
    const std::array<Migration, 3> steps{
        {sqlite::migrations().back(), {5, "added a table", &add_table}, {6, "failed", &half_fail}}};
    Fixture f;
    f.close();
    const std::string before = read_file(f.path());
    {
        Database db(f.path(), Database::Mode::read_write);
        db.exec("BEGIN IMMEDIATE");
        CHECK(code_of([&] { static_cast<void>(sqlite::migrate(db, steps)); }) == ErrorCode::store);
        db.exec("ROLLBACK");
        CHECK(sqlite::schema_version(db) == 4);
        CHECK(sqlite::schema_difference(db, sqlite::newest_schema()).empty());
    }
    CHECK(read_file(f.path()) == before);
}

TEST_CASE("versions that no step leads to are refused") {
    const auto refuse = [](int version) {
        return message_of([&] { sqlite::refuse_unknown_version(version, sqlite::migrations(), "t.db"); });
    };
    CHECK_THAT(refuse(5), Contains("newer turboci"));
    CHECK_THAT(refuse(0), Contains("no schema version"));
    CHECK(refuse(1) == "nothing was thrown");
    CHECK(refuse(4) == "nothing was thrown");
}

namespace {

/// A store of version 1 with a write of operation "op" whose record says `changes` of stage 1.
void make_version_1(Fixture& f, const std::string& changes) {
    {
        auto transaction = f.write();
        const NodeKey stage = f.add(*transaction, NodeType::stage, "s");
        const std::vector<ChangeRow> rows{{stage, Mover::writer, changes},
                                          {stage, Mover::orchestrator, changes}};
        append(*transaction, {f.plan(), 1, at(1), "me", "why", "op"}, rows);
        insert_operation(*transaction, f.plan(), {"op", 1, {}});
        insert_operation(*transaction, f.plan(), {"other", 1, {}});
        transaction->commit();
    }
    f.close();
    take_back_to_1(f.path());
}

}  // namespace

TEST_CASE("a store of version 1 is upgraded by whoever opens it, and its operations learn what they took") {
    for (const bool read_only : {false, true}) {
        Fixture f;
        make_version_1(f, R"({"attempts":[{"idx":1,"state":"INCOMPLETE"},{"idx":2,"state":"RUNNING"}]})");
        std::vector<std::string> told;
        StoreOptions options{.read_only = read_only};
        options.on_upgrade = [&](const std::string& sentence) { told.push_back(sentence); };
        {
            const auto store = open_store(f.path(), options);
            const auto transaction = store->read({});
            CHECK(find_operation(*transaction, f.plan(), "op") == OperationRow{"op", 1, {{NodeKey{1}, 2}}});
            CHECK(find_operation(*transaction, f.plan(), "other") == OperationRow{"other", 1, {}});
        }
        CHECK(told.size() == 3);
        CHECK(raw(f.path(), "PRAGMA user_version") == "4");
        told.clear();
        CHECK_NOTHROW(open_store(f.path(), options));
        CHECK(told.empty());
    }
}

TEST_CASE("an older schema differs from the newest in what has changed since, and in nothing else") {
    const auto texts = [](std::span<const sqlite::SchemaObject> schema) {
        std::vector<std::string> all;
        for (const auto& object : schema) all.emplace_back(object.sql);
        return all;
    };
    CHECK(texts(sqlite::older_schema(4)) == texts(sqlite::newest_schema()));
    auto first = texts(sqlite::older_schema(1)), newest = texts(sqlite::older_schema(2));
    std::size_t different = 0;
    REQUIRE(first.size() == newest.size());
    for (std::size_t i = 0; i < first.size(); ++i) different += first[i] != newest[i] ? 1 : 0;
    CHECK(different == 1);
}

TEST_CASE("an upgrade leaves damage that is none of its business to 'store check'") {
    Fixture f;
    make_version_1(f, "{}");
    raw(f.path(), "UPDATE changes SET changes = 'nonsense'");
    f.reopen();
    CHECK(find_operation(*f.read(), f.plan(), "op") == OperationRow{"op", 1, {}});
    CHECK_FALSE(f.store().check({}).empty());
}

TEST_CASE("an older store with another schema than its own is refused and keeps its version") {
    Fixture f;
    make_version_1(f, "{}");
    raw(f.path(), "CREATE TABLE extra(x)");
    const std::string before = read_file(f.path());
    CHECK_THAT(message_of([&] { f.reopen(); }), Contains("'extra' that is not turboci's"));
    CHECK(read_file(f.path()) == before);
    CHECK(raw(f.path(), "PRAGMA user_version") == "1");
}

TEST_CASE("attempts that an operation took are told exactly, or the store is damaged") {
    const std::vector<OperationRow::Taken> taken{{NodeKey{1}, 1}, {NodeKey{123'456'789'012}, 2'000'000'000}};
    CHECK(pack_claimed(taken) == "1:1 123456789012:2000000000");
    CHECK(unpack_claimed(pack_claimed(taken)) == taken);
    CHECK(unpack_claimed("").empty());
    for (const char* text :
         {"1", "1:", ":1", "1:1 ", "1:1  2:1", "0:1", "1:0", "-1:1", "1:3000000000", "x:1", "1:1x", "1 1"}) {
        INFO(text);
        CHECK(code_of([&] { static_cast<void>(unpack_claimed(text)); }) == ErrorCode::store);
    }
}

TEST_CASE("a value that turboci never wrote is damage, not a guess") {
    const std::array<const char*, 17> cases{{
        "UPDATE nodes SET skip_cause = 3",
        "UPDATE nodes SET required = 2",
        "UPDATE nodes SET state = 41",
        "UPDATE nodes SET state = 0",
        "UPDATE nodes SET type = 3, state = 40",
        "UPDATE nodes SET outcome = 5",
        "UPDATE nodes SET concluded_reason = 11",
        "UPDATE nodes SET group_kind = 4",
        "UPDATE nodes SET resolution = 0",
        "UPDATE nodes SET has_continuation = 2",
        "UPDATE nodes SET attempt = 4294967296",
        "UPDATE nodes SET attempt = -4294967296",
        "UPDATE nodes SET history = x''",
        "UPDATE nodes SET history = x'0a'",
        "UPDATE nodes SET history = x'0bff01'",
        "UPDATE nodes SET history = x'0affffffffffffffffffffff01'",
        "UPDATE nodes SET history = x'0a00000a00000a00000a00000a0000'",
    }};
    for (const char* sql : cases) {
        INFO(sql);
        Fixture f;
        {
            auto transaction = f.write();
            static_cast<void>(f.add(*transaction, NodeType::check, "a"));
            transaction->commit();
        }
        f.close();
        raw(f.path(), sql);
        f.reopen();
        const auto scan = [&] { scan_nodes(*f.read(), f.plan(), std::nullopt, {}, [](const NodeRow&) {}); };
        CHECK(code_of(scan) == ErrorCode::store);
        CHECK_THAT(message_of(scan), Contains("the store is damaged"));
        const auto records = [&] {
            read_records(*f.read(), f.plan(), std::nullopt, nullptr, {}, [](const NodeRecord&) {});
        };
        CHECK(code_of(records) == ErrorCode::store);
        CHECK_FALSE(f.store().check({}).empty());
    }
}

TEST_CASE("an edge that turboci never wrote is damage, in whichever way it is read") {
    const std::array<std::pair<const char*, const char*>, 8> cases{{
        {"UPDATE edges SET role = 3", "a value of 'role' makes no sense"},
        {"UPDATE edges SET group_no = 1 << 40", "a value of 'group_no' makes no sense"},
        {"UPDATE edges SET group_no = -1", "a value of 'group_no' makes no sense"},
        {"UPDATE edges SET target_key = 77", "a node that is not there"},
        {"UPDATE edges SET target_type = 0", "a value of 'target_type' makes no sense"},
        {"UPDATE edges SET on_state = 15", "a state that does not exist"},
        {"UPDATE edges SET on_when = 6", "a value of 'on_when' makes no sense"},
        {"UPDATE edges SET on_when = 0", "a value of 'on_when' makes no sense"},
    }};
    for (const auto& [sql, message] : cases) {
        INFO(sql);
        Fixture f;
        NodeKey b{};
        {
            auto transaction = f.write();
            const NodeKey a = f.add(*transaction, NodeType::check, "a");
            b = f.add(*transaction, NodeType::check, "b");
            insert_edge(*transaction, {b, PredicateRole::dependencies, 0, 0, a, State::final, When::success},
                        NodeType::check);
            transaction->commit();
        }
        f.close();
        raw(f.path(), sql);
        f.reopen();
        const std::vector<NodeKey> one{b};
        for (const auto* keys : {static_cast<const std::vector<NodeKey>*>(nullptr), &one}) {
            const auto read = [&] {
                read_records(*f.read(), f.plan(), std::nullopt, keys, {}, [](const NodeRecord&) {});
            };
            CHECK(code_of(read) == ErrorCode::store);
            CHECK_THAT(message_of(read), Contains(message));
        }
    }
}

TEST_CASE("histories survive packing, whatever their numbers") {
    const std::vector<StateHistory> histories{
        {{State::planning, 0, Timestamp()}},
        {{State::planning, 1, at(0)},
         {State::planned, 1, at(0)},
         {State::waiting, 2, at(1)},
         {State::final, 9, at(9)}},
        {{State::planned, 127, Timestamp(Duration(127))}, {State::final, 255, Timestamp(Duration(16'511))}},
        {{State::planning, 1LL << 40, Timestamp(Duration(1LL << 61))},
         {State::final, 1LL << 61, Timestamp(Duration(1LL << 61))}},
    };
    for (const StateHistory& history : histories) {
        const PackedHistory packed(NodeType::check, history);
        StateHistory back{{State::final, 5, at(5)}};
        unpack_history(NodeType::check, packed.bytes(), back);
        CHECK(back == history);
    }
    CHECK(code_of([] { PackedHistory(NodeType::check, {}); }) == ErrorCode::internal);
    CHECK(code_of([] {
              PackedHistory(NodeType::check, {{State::planning, 2, at(2)}, {State::final, 1, at(2)}});
          }) == ErrorCode::internal);
}
