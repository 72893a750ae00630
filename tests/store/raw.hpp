// SPDX-License-Identifier: Apache-2.0
// The database behind the store's back, as another program would use it.
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>

namespace turboci::test {

/// Runs SQL on the file with SQLite's defaults. Returns the first column of the last row.
inline std::string raw(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    std::string last;
    char* message = nullptr;
    int rc = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    const auto keep = [](void* to, int, char** values, char**) {
        *static_cast<std::string*>(to) = values[0] != nullptr ? values[0] : "NULL";
        return 0;
    };
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, sql.c_str(), keep, &last, &message);
    const std::string problem = message != nullptr ? message : sqlite3_errstr(rc);
    sqlite3_free(message);
    sqlite3_close(db);
    if (rc != SQLITE_OK) throw std::runtime_error(problem + ": " + sql);
    return last;
}

}  // namespace turboci::test
