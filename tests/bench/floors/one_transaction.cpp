// SPDX-License-Identifier: Apache-2.0
// One durable transaction of one row as a whole process: one_transaction DATABASE ID [TIMES]. With TIMES, so
// many transactions one after another in this process, as `run` makes them.
#include <chrono>
#include <string>

#include "sqlite.hpp"

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: one_transaction DATABASE ID [TIMES]\n", stderr);
        return 2;
    }
    const int times = argc > 3 ? std::atoi(argv[3]) : 1;
    const auto begin = std::chrono::steady_clock::now();
    sqlite3* db = floors::open_durably(argv[1]);
    sqlite3_stmt* insert = floors::prepare(db, "INSERT INTO node(id, state) VALUES(?1, 20)");
    for (int i = 0; i < times; ++i) {
        const std::string id = argv[2] + ('-' + std::to_string(i));
        sqlite3_bind_text(insert, 1, id.c_str(), -1, SQLITE_STATIC);
        floors::require(sqlite3_step(insert) == SQLITE_DONE, db, "inserting");
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    if (times == 1) return 0;
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    std::printf("{\"us\": %.1f}\n", elapsed.count());
}
