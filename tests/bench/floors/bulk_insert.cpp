// SPDX-License-Identifier: Apache-2.0
// The least that a bulk write can cost: bulk_insert TEMPLATE NEW [TABLE...] reads the rows of a database into
// memory and then, timed, inserts them into a new file: the same tables, one durable transaction, prepared
// statements, rows in the order of their keys, indexes after the rows. Without TABLE: every table.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite.hpp"

namespace {

struct Table {
    std::string name;
    std::string create;
    int columns = 0;
    std::int64_t rows = 0;
    std::string values;  ///< row after row: a type, then eight bytes, or a size and so many bytes
};

void put(std::string& bytes, std::int64_t value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::int64_t take(const char*& at) {
    std::int64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
}

void pack(sqlite3_stmt* row, int column, std::string& bytes) {
    const int type = sqlite3_column_type(row, column);
    bytes.push_back(static_cast<char>(type));
    if (type == SQLITE_INTEGER) put(bytes, sqlite3_column_int64(row, column));
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) return;
    const auto* data = static_cast<const char*>(sqlite3_column_blob(row, column));
    const int size = sqlite3_column_bytes(row, column);
    put(bytes, size);
    bytes.append(data, static_cast<std::size_t>(size));
}

void bind(sqlite3_stmt* insert, int parameter, const char*& at) {
    const int type = *at++;
    if (type == SQLITE_NULL) {
        sqlite3_bind_null(insert, parameter);
    } else if (type == SQLITE_INTEGER) {
        sqlite3_bind_int64(insert, parameter, take(at));
    } else {
        const int size = static_cast<int>(take(at));
        if (type == SQLITE_TEXT)
            sqlite3_bind_text(insert, parameter, at, size, SQLITE_STATIC);
        else
            sqlite3_bind_blob(insert, parameter, at, size, SQLITE_STATIC);
        at += size;
    }
}

std::vector<std::string> texts(sqlite3* db, const std::string& sql) {
    std::vector<std::string> all;
    sqlite3_stmt* row = floors::prepare(db, sql.c_str());
    while (sqlite3_step(row) == SQLITE_ROW)
        all.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
    sqlite3_finalize(row);
    return all;
}

Table load(sqlite3* db, const std::string& name) {
    Table table;
    table.name = name;
    table.create =
        texts(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = '" + name + "'").at(0);
    sqlite3_stmt* row = floors::prepare(db, ("SELECT * FROM " + name).c_str());
    table.columns = sqlite3_column_count(row);
    for (; sqlite3_step(row) == SQLITE_ROW; ++table.rows)
        for (int c = 0; c < table.columns; ++c) pack(row, c, table.values);
    sqlite3_finalize(row);
    return table;
}

void fill(sqlite3* db, const Table& table) {
    std::string sql = "INSERT INTO " + table.name + " VALUES(?";
    for (int c = 1; c < table.columns; ++c) sql += ", ?";
    sqlite3_stmt* insert = floors::prepare(db, (sql + ")").c_str());
    const char* at = table.values.data();
    for (std::int64_t r = 0; r < table.rows; ++r) {
        for (int c = 1; c <= table.columns; ++c) bind(insert, c, at);
        floors::require(sqlite3_step(insert) == SQLITE_DONE, db, table.name.c_str());
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: bulk_insert TEMPLATE NEW [TABLE...]\n", stderr);
        return 2;
    }
    std::vector<Table> tables;
    std::vector<std::string> indexes;
    {
        sqlite3* source = floors::open_durably(argv[1]);
        std::vector<std::string> names(argv + 3, argv + argc);
        if (names.empty())
            names = texts(source, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid");
        for (const std::string& name : names) {
            tables.push_back(load(source, name));
            for (std::string& sql : texts(source,
                                          "SELECT sql FROM sqlite_schema WHERE type = 'index'"
                                          " AND sql IS NOT NULL AND tbl_name = '" +
                                              name + "'"))
                indexes.push_back(std::move(sql));
        }
        sqlite3_close(source);
    }
    const auto begin = std::chrono::steady_clock::now();
    sqlite3* db = floors::open_durably(argv[2]);
    floors::run(db, "BEGIN IMMEDIATE");
    std::int64_t rows = 0;
    for (const Table& table : tables) {
        floors::run(db, table.create.c_str());
        fill(db, table);
        rows += table.rows;
    }
    for (const std::string& index : indexes) floors::run(db, index.c_str());
    floors::run(db, "COMMIT");
    sqlite3_close(db);
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    std::printf("{\"us\": %.1f, \"rows\": %lld}\n", elapsed.count(), static_cast<long long>(rows));
}
