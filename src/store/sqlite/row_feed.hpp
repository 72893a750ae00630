// SPDX-License-Identifier: Apache-2.0
// Very many rows for one INSERT.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

#include "store/sqlite/database.hpp"
#include "store/sqlite/value.hpp"

namespace turboci::sqlite {

/// Rows that one "INSERT INTO … SELECT c1, c2, … FROM turboci_feed" takes, a virtual table of ours. Within
/// one statement SQLite stays at the end of the tree that it appends to; a statement for each row has to find
/// that place anew each time and costs twice as much.
class RowFeed {
public:
    static constexpr std::size_t kMostColumns = 21;
    /// A row's values, for c1 and so on. Texts and blobs must live until the next row is asked for.
    using Row = std::array<Value, kMostColumns>;
    /// Fills in the next row; false: there are no more. May throw; must not use the database.
    using Next = std::function<bool(Row&)>;

    /// Runs `insert`. What `next` throws passes through; what was inserted by then is for a rollback to undo.
    static void run(Database& db, const Sql& insert, const Next& next);

private:
    explicit RowFeed(const Next& next) : next_(next) {}
    static void make_known(Database& db);
    [[nodiscard]] int advance() noexcept;
    friend struct FeedTable;

    const Next& next_;
    Row row_;
    bool over_ = false;
    std::exception_ptr failure_;  ///< of next_: no exception may pass through SQLite
};

/// From so many rows on a feed costs less than a statement for each, which are prepared already.
inline constexpr std::size_t kFewRows = 100;

/// Fills in a row from its values in order.
template <class... Values>
void fill_row(RowFeed::Row& row, Values&&... values) {
    static_assert(sizeof...(values) <= RowFeed::kMostColumns);
    std::size_t column = 0;
    ((row[column++] = to_value(std::forward<Values>(values))), ...);
}

}  // namespace turboci::sqlite
