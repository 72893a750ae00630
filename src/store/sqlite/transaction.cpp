// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kCommit("COMMIT");
const Sql kReadCounters("SELECT next_plan, next_node, next_change, identity FROM counters WHERE id = 1");
const Sql kSaveCounters("UPDATE counters SET next_plan = ?1, next_node = ?2, next_change = ?3 WHERE id = 1");

}  // namespace

SqliteTransaction::SqliteTransaction(Database& db, const Clock& clock, int read_threads,
                                     std::function<void()> on_end, std::function<void()> on_commit)
    : db_(db),
      clock_(clock),
      on_end_(std::move(on_end)),
      on_commit_(std::move(on_commit)),
      scanner_(db, read_threads) {
    db.statistics() = {};
}

SqliteTransaction::~SqliteTransaction() { finish(); }

void SqliteTransaction::commit() {
    if (!open_) throw Error(ErrorCode::internal, "the transaction is over");
    save_counters();
    // A failure leaves the transaction to be rolled back by the destructor.
    Query commit(db_, kCommit);
    commit.ends_write();
    commit.run();
    if (on_commit_) on_commit_();
    finish();
}

void SqliteTransaction::finish() noexcept {
    if (!open_) return;
    open_ = false;
    scanner_.close();
    // Some errors have made SQLite roll back already. If a rollback itself fails, SQLite does it when the
    // file is next opened: nothing was committed either way.
    if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    on_end_();
}

StoreRow SqliteTransaction::store() { return {counters().identity}; }

NodeKey SqliteTransaction::next_node(PlanKey plan) {
    static_cast<void>(plan);  // one counter serves all plans
    return NodeKey{counters().node};
}

SqliteTransaction::Counters& SqliteTransaction::counters() {
    if (!counters_) {
        Query row(db_, kReadCounters);
        if (!row.step()) throw_damaged("its counters are missing");
        counters_ = Counters{row.integer(0), row.integer(1), row.integer(2), row.string(3)};
        if (counters_->plan < 1 || counters_->node < 1 || counters_->change < 1)
            throw_damaged("its counters make no sense");
        stored_counters_ = counters_;
    }
    return *counters_;
}

void SqliteTransaction::save_counters() {
    if (!counters_ || counters_ == stored_counters_) return;
    Query(db_, kSaveCounters, counters_->plan, counters_->node, counters_->change).run();
    stored_counters_ = counters_;
}

}  // namespace turboci::sqlite
