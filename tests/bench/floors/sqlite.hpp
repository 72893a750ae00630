// SPDX-License-Identifier: Apache-2.0
// The little that the floors need of SQLite: open durably, run, fail loudly.
#pragma once

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

namespace floors {

inline void require(bool good, sqlite3* db, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    std::exit(1);
}

inline void run(sqlite3* db, const char* sql) {
    require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, db, sql);
}

/// As durable as turboci's store: rollback journal, truncated, everything synced.
inline sqlite3* open_durably(const char* path) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    require(sqlite3_open_v2(path, &db, flags, nullptr) == SQLITE_OK, db, path);
    run(db, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384");
    return db;
}

inline sqlite3_stmt* prepare(sqlite3* db, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK, db,
            sql);
    return statement;
}

}  // namespace floors
