// SPDX-License-Identifier: Apache-2.0
// Rows that SQLite takes from us within one statement.
#include <array>

#include "store/samples.hpp"
#include "store/sqlite/row_feed.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;
using sqlite::Database;
using sqlite::RowFeed;

namespace {

const sqlite::Sql kInsert("INSERT INTO t SELECT c1, c2, c3, c4 FROM turboci_feed");

/// Feeds so many rows: a number, a text, a blob, nothing.
void feed(Database& db, int rows) {
    static const std::string kText = "text";
    static constexpr std::array kBlob{std::byte{1}, std::byte{0}};
    int given = 0;
    RowFeed::run(db, kInsert, [&](RowFeed::Row& row) {
        sqlite::fill_row(row, given, kText, std::span<const std::byte>(kBlob), std::optional<Duration>());
        return ++given <= rows;
    });
}

std::string seen(Database& db) {
    sqlite::Query row(db,
                      "SELECT group_concat(typeof(a) || a || b || typeof(c) || hex(c) || typeof(d)) FROM t");
    return row.step() && !row.is_null(0) ? row.string(0) : "nothing";
}

}  // namespace

TEST_CASE("a feed hands over values of every type, again and again") {
    Database db("", Database::Mode::temporary);
    db.exec("CREATE TABLE t(a, b, c, d)");
    feed(db, 0);
    CHECK(seen(db) == "nothing");
    const auto before = db.statistics().rows;
    feed(db, 2);
    CHECK(db.statistics().rows == before + 2);
    CHECK(seen(db) == "integer0textblob0100null,integer1textblob0100null");
    db.exec("DELETE FROM t; CREATE INDEX t_by_a ON t(a)");
    feed(db, 1);
    CHECK(seen(db) == "integer0textblob0100null");
}

TEST_CASE("a row that the table refuses ends the feed") {
    Database db("", Database::Mode::temporary);
    db.exec("CREATE TABLE t(a, b, c BLOB UNIQUE, d)");
    CHECK(code_of([&] { feed(db, 2); }) == ErrorCode::store);
    CHECK(seen(db) == "nothing");
    feed(db, 1);
    CHECK(seen(db) == "integer0textblob0100null");
}

TEST_CASE("nothing but a feed reads its table") {
    Database db("", Database::Mode::temporary);
    db.exec("CREATE TABLE t(a, b, c, d)");
    CHECK_THAT(message_of([&] { db.exec("SELECT * FROM turboci_feed"); }), Contains("no such table"));
    feed(db, 1);
    CHECK_THAT(message_of([&] { db.exec("SELECT * FROM turboci_feed"); }), Contains("bad parameter"));
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_ENABLE_VIEW, 1, nullptr);
    db.exec("CREATE VIEW v AS SELECT c1 FROM turboci_feed");
    CHECK_THAT(message_of([&] { db.exec("SELECT * FROM v"); }), Contains("unsafe use of virtual table"));
}

TEST_CASE("a statement that is being read may be begun again") {
    static const sqlite::Sql kNumbers("SELECT 1 AS n UNION ALL SELECT 2 ORDER BY n");
    Database db("", Database::Mode::temporary);
    std::string seen_by_both;
    sqlite::Query outer(db, kNumbers);
    while (outer.step()) {
        sqlite::Query inner(db, kNumbers);
        while (inner.step())
            seen_by_both += std::to_string(outer.integer(0)) + std::to_string(inner.integer(0)) + " ";
    }
    CHECK(seen_by_both == "11 12 21 22 ");
}
