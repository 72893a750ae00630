// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kResults("SELECT " TURBOCI_RESULT_COLUMNS " FROM results WHERE check_key = ?1 ORDER BY id");
const Sql kFindResult("SELECT " TURBOCI_RESULT_COLUMNS
                      " FROM results WHERE check_key = ?1 AND owner_type = ?2 AND owner_id = ?3");
const Sql kOpenResults("SELECT " TURBOCI_RESULT_COLUMNS
                       " FROM results INDEXED BY results_open WHERE stage_key = ?1 AND attempt = ?2"
                       " AND finalized_at IS NULL AND stage_key > 0 ORDER BY check_key, id");
const Sql kNextResultId("SELECT coalesce(max(id), 0) + 1 FROM results WHERE check_key = ?1");
const Sql kInsertResult("INSERT INTO results(" TURBOCI_RESULT_COLUMNS
                        ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
const Sql kUpdateResult(
    "UPDATE results SET data = ?3, failure = ?4, finalized_at = ?5 WHERE check_key = ?1 AND id = ?2");

std::vector<ResultRow> read_results(Query&& row) {
    std::vector<ResultRow> all;
    while (row.step()) read_result(row, all.emplace_back());
    return all;
}

}  // namespace

std::vector<ResultRow> SqliteTransaction::results(NodeKey check) {
    return read_results(Query(db_, kResults, check));
}

std::optional<ResultRow> SqliteTransaction::find_result(NodeKey check, OwnerType type,
                                                        std::string_view owner_id) {
    Query row(db_, kFindResult, check, type, owner_id);
    if (!row.step()) return std::nullopt;
    ResultRow r;
    read_result(row, r);
    return r;
}

std::vector<ResultRow> SqliteTransaction::open_results_of(NodeKey stage, std::int32_t idx) {
    return read_results(Query(db_, kOpenResults, stage, idx));
}

void SqliteTransaction::insert_result(const ResultRow& row) {
    std::int64_t id = 1;
    {
        Query next(db_, kNextResultId, row.check);
        if (next.step()) id = next.integer(0);
    }
    const Result& r = row.result;
    Query(db_, kInsertResult, row.check, id, r.owner_type, r.owner_id, r.data.text, r.failure, r.created_at,
          r.finalized_at, row.stage, row.attempt)
        .run();
}

void SqliteTransaction::update_result(const ResultRow& row) {
    const Result& r = row.result;
    Query(db_, kUpdateResult, row.check, r.id, r.data.text, r.failure, r.finalized_at).run();
}

}  // namespace turboci::sqlite
