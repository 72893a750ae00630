// SPDX-License-Identifier: Apache-2.0
// The least that a run takes whose starts and ends are durable: runs a command TOTAL times, WORKERS at once,
// with a durable transaction before they start that holds their starts and the ends of those before:
// durable_steps DATABASE WORKERS TOTAL COMMAND [ARG...]. Prints the time of all as JSON.
#include <algorithm>
#include <chrono>
#include <string>

#include "processes.hpp"
#include "sqlite.hpp"

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: durable_steps DATABASE WORKERS TOTAL COMMAND [ARG...]\n", stderr);
        return 2;
    }
    const int workers = std::atoi(argv[2]);
    const int total = std::atoi(argv[3]);
    floors::Starter starter(argv + 4);
    sqlite3* db = floors::open_durably(argv[1]);
    sqlite3_stmt* start = floors::prepare(db, "INSERT INTO node(id, state) VALUES(?1, 20)");
    sqlite3_stmt* end = floors::prepare(db, "UPDATE node SET state = 40 WHERE id = ?1");
    const auto put = [&](sqlite3_stmt* statement, int step) {
        const std::string id = "step-" + std::to_string(step);
        sqlite3_bind_text(statement, 1, id.c_str(), -1, SQLITE_STATIC);
        floors::require(sqlite3_step(statement) == SQLITE_DONE, db, "writing");
        sqlite3_reset(statement);
    };
    const auto begin = std::chrono::steady_clock::now();
    int failed = 0;
    for (int first = 0, last = 0, ended = 0; ended < total; first = last) {
        last = std::min(first + workers, total);
        floors::run(db, "BEGIN IMMEDIATE");
        for (; ended < first; ++ended) put(end, ended);
        for (int step = first; step < last; ++step) put(start, step);
        floors::run(db, "COMMIT");
        for (int step = first; step < last; ++step)
            if (!starter.start(step)) return 1;
        for (int step = first; step < last; ++step)
            if (!floors::Starter::wait_for_one()) ++failed;
    }
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    sqlite3_finalize(start);
    sqlite3_finalize(end);
    sqlite3_close(db);
    std::printf("{\"us\": %.1f, \"failed\": %d}\n", elapsed.count(), failed);
    return failed == 0 ? 0 : 1;
}
