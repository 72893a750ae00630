// SPDX-License-Identifier: Apache-2.0
// Does what turboci does, but wrongly: the controls of the crash tests, which must catch it.
//
//   crash_reference apply STORE WANTED JOURNAL_MODE SYNCHRONOUS   one transaction: STORE gets the rows of
//   WANTED crash_reference apply-carelessly STORE WANTED                 the same, and says "done" whatever
//   happens crash_reference undo STORE                                    empties a hot journal, then plays
//   it back
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

sqlite3* open(const std::string& path) {
    sqlite3* db = nullptr;
    sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
    return db;
}

bool execute(sqlite3* db, const std::string& sql) {
    return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::vector<std::string> tables(sqlite3* db) {
    std::vector<std::string> names;
    sqlite3_stmt* rows = nullptr;
    sqlite3_prepare_v2(
        db, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", -1,
        &rows, nullptr);
    while (sqlite3_step(rows) == SQLITE_ROW)
        names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(rows, 0)));
    sqlite3_finalize(rows);
    return names;
}

bool apply(const std::string& store, const std::string& wanted, const std::string& journal,
           const std::string& synchronous) {
    sqlite3* db = open(store);
    bool ok = execute(db, "PRAGMA journal_mode=" + journal) &&
              execute(db, "PRAGMA synchronous=" + synchronous) &&
              execute(db, "PRAGMA temp_store=MEMORY; ATTACH '" + wanted + "' AS wanted");
    const std::vector<std::string> names = tables(db);
    // By way of copies: a transaction on two files would have a journal of another kind.
    for (const std::string& table : names)
        ok = ok && execute(db, "CREATE TEMP TABLE copy_" + table + " AS SELECT * FROM wanted." + table);
    ok = ok && execute(db, "DETACH wanted; BEGIN IMMEDIATE");
    for (const std::string& table : names)
        ok = ok && execute(db, "DELETE FROM main." + table) &&
             execute(db, "INSERT INTO main." + table + " SELECT * FROM copy_" + table);
    ok = ok && execute(db, "COMMIT");
    sqlite3_close(db);
    return ok;
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

/// Of a journal with one header.
bool undo(const std::string& store) {
    const int db = ::open(store.c_str(), O_RDWR | O_CLOEXEC);
    const int journal = ::open((store + "-journal").c_str(), O_RDWR | O_CLOEXEC);
    std::string bytes;
    std::array<char, 65536> buffer{};
    for (ssize_t n = 0; (n = ::read(journal, buffer.data(), buffer.size())) > 0;)
        bytes.append(buffer.data(), static_cast<std::size_t>(n));
    if (::ftruncate(journal, 0) != 0) return false;
    if (bytes.size() < 28) return true;
    const std::uint32_t records = big_endian(bytes, 8);
    const std::uint32_t page = big_endian(bytes, 24);
    std::size_t at = big_endian(bytes, 20);
    for (std::uint32_t i = 0; i < records && at + page + 8 <= bytes.size(); ++i, at += page + 8) {
        const off_t offset = (static_cast<off_t>(big_endian(bytes, at)) - 1) * page;
        if (::pwrite(db, bytes.data() + at + 4, page, offset) != page) return false;
    }
    return ::ftruncate(db, static_cast<off_t>(big_endian(bytes, 16)) * page) == 0 && ::fsync(db) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    bool ok = false;
    if (words.size() == 5 && words[0] == "apply") {
        ok = apply(words[1], words[2], words[3], words[4]);
    } else if (words.size() == 3 && words[0] == "apply-carelessly") {
        static_cast<void>(apply(words[1], words[2], "TRUNCATE", "FULL"));
        ok = true;
    } else if (words.size() == 2 && words[0] == "undo") {
        ok = undo(words[1]);
    } else {
        return 2;
    }
    if (ok) std::puts("done");
    return ok ? 0 : 1;
}
