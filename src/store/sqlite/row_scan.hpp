// SPDX-License-Identifier: Apache-2.0
// Very many rows of one statement.
#pragma once

#include <exception>
#include <string_view>
#include <utility>

#include "store/sqlite/columns.hpp"
#include "store/sqlite/database.hpp"

namespace turboci::sqlite {

/// The values that are handed to a RowScan.
class RowValues : public Columns<RowValues> {
public:
    /// `names`: of the columns, separated by ", ".
    RowValues(sqlite3_value** values, std::string_view names) : values_(values), names_(names) {}
    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_value_int64(values_[column]); }
    [[nodiscard]] int type(int column) const { return sqlite3_value_type(values_[column]); }
    [[nodiscard]] std::string_view bytes_of_text(int column) const;
    [[nodiscard]] std::span<const std::byte> bytes_of_blob(int column) const;
    [[noreturn]] void bad_column(int column) const;

private:
    sqlite3_value** values_;
    std::string_view names_;
};

/// A statement whose rows SQLite hands to a function of ours, turboci_take(COLUMN, ...), from inside one
/// step: that costs a third less than stepping from row to row and asking for each column. The statement has
/// the function at the end of its WHERE, and returns what it pleases.
class RowScan {
public:
    RowScan(const RowScan&) = delete;
    RowScan& operator=(const RowScan&) = delete;
    virtual ~RowScan() = default;

protected:
    /// `names`: of the columns that the function is given.
    template <class... Args>
    RowScan(Database& db, const Sql& sql, std::string_view names, Args&&... args)
        : db_(prepare(db)), names_(names), rows_(db, sql, std::forward<Args>(args)...) {}

    /// Calls take() for each row until it is true. False: there are no more.
    bool step();
    [[nodiscard]] Database& db() noexcept { return db_; }

private:
    virtual bool take(const RowValues& row) = 0;
    static void take_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept;
    /// Makes the function known to the connection, once.
    static Database& prepare(Database& db);

    Database& db_;
    std::string_view names_;
    Query rows_;
    bool over_ = false;
    std::exception_ptr failure_;  ///< of take(): no exception may pass through SQLite
};

}  // namespace turboci::sqlite
