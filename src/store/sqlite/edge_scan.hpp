// SPDX-License-Identifier: Apache-2.0
// The edges of very many nodes.
#pragma once

#include <exception>
#include <vector>

#include "store/sqlite/database.hpp"

namespace turboci::sqlite {

/// All edges from one owner on, by owner, role, position. SQLite hands the rows to a function of ours from
/// inside one step, which costs a third less than stepping from row to row and asking for each column.
class EdgeScan {
public:
    EdgeScan(Database& db, std::int64_t first_owner);
    EdgeScan(const EdgeScan&) = delete;
    EdgeScan& operator=(const EdgeScan&) = delete;

    /// Replaces `edges` by the next ones, at most `count`; none: there are no more.
    void next(std::vector<EdgeRow>& edges, std::size_t count);

private:
    static void take_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept;
    /// Makes the function known to the connection, once.
    static Database& prepare(Database& db);
    void add(sqlite3_value** columns);

    Database& db_;
    Query rows_;
    std::vector<EdgeRow>* edges_ = nullptr;  ///< where the present call of next() wants them
    std::size_t wanted_ = 0;
    bool over_ = false;
    std::exception_ptr failure_;  ///< of take_row(): no exception may pass through SQLite
    EdgeRow last_;
};

}  // namespace turboci::sqlite
