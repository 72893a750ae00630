// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/transaction.hpp"

#include <algorithm>
#include <utility>

#include "store/poll.hpp"
#include "store/row_values.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

constexpr const char* kBeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* kBeginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED";
// A client that vanished must not hold a plan for ever; one that decides about a million nodes needs some
// seconds. Settings of the transaction alone: those of a session would leak to the next client of a pooler.
// What is asked is asked by key, and every table may have grown since the server last looked at it: plans of
// the server that do not use an index are wrong for a store, however good for the numbers that the server
// believes.
#define TURBOCI_BY_INDEX                                                                        \
    "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),"  \
    " set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)," \
    " set_config('enable_material', 'off', true), set_config('jit', 'off', true)"
constexpr const char* kReadSettings =
    "SELECT set_config('idle_in_transaction_session_timeout', '600s', true), " TURBOCI_BY_INDEX;
constexpr const char* kWriteSettings =
    "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', '300s', true),"
    " set_config('idle_in_transaction_session_timeout', '15s', true), " TURBOCI_BY_INDEX;
#undef TURBOCI_BY_INDEX
// The lock goes when the commit is in the server's memory; commit() waits for the disk behind it.
constexpr const char* kReleaseEarly =
    "SELECT set_config('synchronous_commit', 'off', true) FROM turboci.meta WHERE early_release";
constexpr const char* kPatientLocks = "SELECT set_config('lock_timeout', '10s', true)";
constexpr const char* kLockTimeout = "SELECT set_config('lock_timeout', $1, true)";
constexpr const char* kClock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
// What is written later is on the disk, and at a synchronous standby, only after what was written before.
constexpr const char* kFlush = "SELECT pg_logical_emit_message(true, 'turboci', '')";

#define TURBOCI_PLAN_AND_NEXT TURBOCI_PLAN_COLUMNS ", next_node"
constexpr const char* kFindPlan = "SELECT " TURBOCI_PLAN_AND_NEXT " FROM turboci.plans WHERE id = $1";
constexpr const char* kAllPlans = "SELECT " TURBOCI_PLAN_AND_NEXT " FROM turboci.plans ORDER BY plan_key";
constexpr const char* kLockPlan =
    "SELECT " TURBOCI_PLAN_AND_NEXT " FROM turboci.plans WHERE id = $1 FOR NO KEY UPDATE";
#undef TURBOCI_PLAN_AND_NEXT
// An id that no plan has yet: who comes second sees the plan that the first one made.
constexpr const char* kLockId =
    "SELECT pg_advisory_xact_lock(1953854050, hashtext($1)) WHERE NOT EXISTS (SELECT FROM turboci.plans"
    " WHERE id = $1)";
constexpr const char* kReserveForId =
    "SELECT nextval('turboci.plan_keys') WHERE NOT EXISTS (SELECT FROM turboci.plans WHERE id = $1)";
constexpr const char* kReserve = "SELECT nextval('turboci.plan_keys')";
constexpr const char* kPeekReserve =
    "SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM turboci.plan_keys";
constexpr const char* kNextNode = "SELECT next_node FROM turboci.plans WHERE plan_key = $1";
constexpr const char* kSaveNextNode = "UPDATE turboci.plans SET next_node = $2 WHERE plan_key = $1";
constexpr const char* kNonce = "SELECT nonce FROM turboci.writes WHERE plan_key = $1 AND version = $2";
constexpr const char* kLockKey =
    "SELECT id, version, next_node FROM turboci.plans WHERE plan_key = $1 FOR NO KEY UPDATE";

constexpr PollPauses kConnectPauses{std::chrono::milliseconds(50), std::chrono::seconds(1)};
constexpr Duration kPatience = std::chrono::seconds(1);
constexpr Duration kSlice = std::chrono::milliseconds(100);
constexpr Duration kLeastTimeout = std::chrono::milliseconds(1);

std::string milliseconds_text(Duration duration) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(duration, kLeastTimeout)).count();
    constexpr std::int64_t kMost = 1'000'000'000;
    return std::to_string(std::min<std::int64_t>(ms, kMost)) + "ms";
}

[[noreturn]] void refuse_locked(std::string_view id) {
    throw Error(ErrorCode::locked, "another transaction writes to plan '" + std::string(id) + "'",
                "wait until it is done, or raise --lock-timeout");
}

}  // namespace

PostgresqlTransaction::PostgresqlTransaction(Connection& connection, const Clock* clock, bool writes,
                                             Wait wait, std::function<void()> on_end)
    : connection_(connection),
      clock_(clock),
      writes_(writes),
      wait_(std::move(wait)),
      on_end_(std::move(on_end)) {}

PostgresqlTransaction::~PostgresqlTransaction() { finish(); }

void PostgresqlTransaction::require_open() const {
    if (!open_) throw Error(ErrorCode::internal, "the transaction is over");
}

void PostgresqlTransaction::begin(Duration lock_timeout) {
    queued_ = true;
    connection_.run(writes_ ? kBeginWrite : kBeginRead);
    if (writes_) {
        connection_.run(kWriteSettings, Parameters(milliseconds_text(lock_timeout)));
        connection_.run(kReleaseEarly);
    } else {
        connection_.run(kReadSettings);
    }
    connection_.send(kReadMeta, {}, true);
    if (clock_ == nullptr) connection_.send(kClock, {}, true);
}

void PostgresqlTransaction::take_beginning(std::vector<Result>& results) {
    begun_ = true;
    meta_ = read_meta(results.at(0), writes_, connection_.location());
    if (clock_ == nullptr) read_clock(results.at(1).row(0));
    results.erase(results.begin(), results.begin() + (clock_ == nullptr ? 2 : 1));
}

void PostgresqlTransaction::read_clock(const Row& row) {
    server_time_ = row.time(0);
    read_at_ = Monotonic::now();
}

std::vector<Result> PostgresqlTransaction::trip() {
    std::vector<Result> results = connection_.sync();
    if (!begun_) take_beginning(results);
    return results;
}

void PostgresqlTransaction::rollback() noexcept {
    if (!queued_ || connection_.is_lost()) return;
    try {
        connection_.run("ROLLBACK");
        // Who waits for our lock must find it free when this returns; a reader holds none.
        std::vector<Result> none;
        if (writes_)
            static_cast<void>(connection_.try_sync(none));
        else
            connection_.sync_later();
    } catch (const std::exception&) {
        return;  // the connection is lost, and the transaction with it
    }
}

void PostgresqlTransaction::finish() noexcept {
    if (!open_) return;
    open_ = false;
    rollback();
    on_end_();
}

void PostgresqlTransaction::lock(std::string_view id) {
    const std::string name(id);
    bool said = !wait_.on_wait;
    for (;;) {
        const auto waited = [&] { return std::chrono::duration_cast<Duration>(Monotonic::now() - started_); };
        const Duration left = std::max(wait_.at_most - waited(), Duration::zero());
        Duration slice = wait_.give_up ? std::min(left, kSlice) : left;
        if (!said) slice = std::min(slice, std::max(kPatience - waited(), kLeastTimeout));
        if (try_lock(name, slice)) return;
        if (!said && waited() >= kPatience) {
            said = true;
            wait_.on_wait({});
        }
        if (waited() >= wait_.at_most || (wait_.give_up && wait_.give_up())) refuse_locked(id);
    }
}

bool PostgresqlTransaction::try_lock(const std::string& id, Duration timeout) {
    for (;;) {
        begin(timeout);
        queue_lock(id);
        std::vector<Result> results;
        if (const auto failure = connection_.try_sync(results)) {
            rollback();
            queued_ = begun_ = false;
            if (failure->state == kLockNotAvailable) return false;
            connection_.fail(*failure);
        }
        take_beginning(results);
        if (take_lock(id, results)) return true;
        rollback();
        queued_ = begun_ = false;
    }
}

void PostgresqlTransaction::queue_lock(const std::string& id) {
    connection_.send(kLockId, Parameters(id), true);
    connection_.send(kLockPlan, Parameters(id), true);
    connection_.send(kReserveForId, Parameters(id), true);
    connection_.run(kPatientLocks);
    if (clock_ == nullptr) connection_.send(kClock, {}, true);
}

bool PostgresqlTransaction::take_lock(const std::string& id, std::span<const Result> results) {
    const bool has_id = !results[0].empty();
    const bool is_there = !results[1].empty();
    // There was a plan, and when its lock was free it was gone, perhaps for another of that id.
    if (!is_there && !has_id) return false;
    if (clock_ == nullptr) read_clock(results[3].row(0));
    locked_ids_.insert(id);
    fresh_[id].reset();
    if (is_there) {
        fresh_[id] = take_plan(results[1].row(0));
        locked_plans_.insert(fresh_[id]->key);
    } else {
        absent_ids_.insert(id);
        if (!results[2].empty() && !reserved_) reserved_ = results[2].row(0).plan(0);
    }
    return true;
}

PlanRow PostgresqlTransaction::take_plan(const Row& row) {
    constexpr int kNextNodeColumn = 16;
    PlanRow plan = read_plan(row);
    // Nodes that were added here are told to the server by commit().
    std::int64_t& next = next_nodes_[plan.key];
    next = std::max(next, row.integer(kNextNodeColumn));
    return plan;
}

void PostgresqlTransaction::lock_to_change(PlanKey plan) {
    if (plan == PlanKey{} || locked_plans_.contains(plan)) return;
    if (!queued_) begin(wait_.at_most);
    const auto waited = std::chrono::duration_cast<Duration>(Monotonic::now() - started_);
    connection_.run(kLockTimeout, Parameters(milliseconds_text(wait_.at_most - waited)));
    connection_.send(kLockKey, Parameters(plan), true);
    connection_.run(kPatientLocks);
    const auto found = trip();
    const auto seen = seen_versions_.find(plan);
    const bool is_there = !found.at(0).empty();
    if (seen != seen_versions_.end() && (!is_there || found[0].row(0).integer(1) != seen->second))
        throw Error(ErrorCode::locked, "a plan was changed by another meanwhile", "run the command again");
    locked_plans_.insert(plan);
    if (!is_there) return;
    locked_ids_.insert(found[0].row(0).string(0));
    next_nodes_[plan] = found[0].row(0).integer(2);
}

void PostgresqlTransaction::commit() {
    require_open();
    if (!queued_) begin(wait_.at_most);
    for (const PlanKey plan : grown_plans_)
        connection_.run(kSaveNextNode, Parameters(plan, next_nodes_[plan]));
    connection_.run("COMMIT");
    if (dirty_ && meta_.early_release) {
        connection_.run("BEGIN");
        connection_.run(kFlush);
        connection_.run("COMMIT");
    }
    std::vector<Result> results;
    if (const auto failure = connection_.try_sync(results)) {
        if (!dirty_ || !failure->is_lost_connection()) connection_.fail(*failure);
        settle(*failure);
    } else if (!begun_) {
        take_beginning(results);
    }
    open_ = false;
    on_end_();
}

void PostgresqlTransaction::abandon() {
    require_open();
    if (queued_) connection_.run("ROLLBACK");
    connection_.run(kFlushForReader);
    std::vector<Result> results;
    if (const auto failure = connection_.try_sync(results)) connection_.fail(*failure);
    open_ = false;
    on_end_();
}

void PostgresqlTransaction::settle(const Failure& failure) {
    queued_ = begun_ = false;
    const auto fail = [&](std::string_view what, const char* remedy) {
        throw Error(
            ErrorCode::store,
            "the connection was lost during the commit (" + failure.message + "): " + std::string(what),
            remedy)
            .because(kReasonConnectionLost);
    };
    constexpr auto kUnknown = "whether it was written is not known";
    constexpr auto kLook = "see what there is before you run the command again";
    if (!last_write_) fail(kUnknown, kLook);
    const bool is_back = poll(wait_, kConnectPauses, [&] {
        try {
            connection_.revive();
            return true;
        } catch (const Error&) {
            return false;  // not yet
        }
    });
    if (!is_back) fail(kUnknown, kLook);
    connection_.run("BEGIN");
    connection_.run(kLockTimeout, Parameters(milliseconds_text(wait_.at_most)));
    // Behind the lock, the server has ended what it was doing for the lost connection.
    queue_lock(last_write_->id);
    connection_.send(kNonce, Parameters(last_write_->plan, last_write_->version), true);
    connection_.run(kFlush);
    connection_.run("COMMIT");
    std::vector<Result> results;
    if (connection_.try_sync(results)) fail(kUnknown, kLook);
    const Result& found = results.back();
    if (found.empty() || found.row(0).integer(0) != last_write_->nonce)
        fail("nothing was written", "run the command again");
}

ClockReading PostgresqlTransaction::now() {
    if (clock_ != nullptr) return clock_->read();
    if (!begun_) {
        if (!queued_) begin(wait_.at_most);
        static_cast<void>(trip());
    }
    const auto since = std::chrono::duration_cast<Duration>(Monotonic::now() - read_at_);
    return {server_time_ + since, {}, {}};
}

StoreRow PostgresqlTransaction::store() {
    if (!begun_) {
        if (!queued_) begin(wait_.at_most);
        static_cast<void>(trip());
    }
    return {meta_.identity};
}

std::optional<PlanRow> PostgresqlTransaction::find_plan(std::string_view id) {
    const std::string name(id);
    if (const auto known = fresh_.find(id); known != fresh_.end()) return known->second;
    if (writes_ && !locked_ids_.contains(id) && open_) {
        const bool may_restart = !dirty_ && locked_ids_.empty() && locked_plans_.empty();
        if (may_restart) {
            rollback();
            queued_ = begun_ = false;
            lock(id);
            return fresh_.at(name);
        }
        const auto waited = std::chrono::duration_cast<Duration>(Monotonic::now() - started_);
        connection_.run(kLockTimeout, Parameters(milliseconds_text(wait_.at_most - waited)));
        queue_lock(name);
        if (!take_lock(name, trip())) refuse_locked(id);
        return dirty_ ? std::exchange(fresh_, {}).at(name) : fresh_.at(name);
    }
    if (!queued_) begin(wait_.at_most);
    connection_.send(kFindPlan, Parameters(id), true);
    const auto found = trip();
    if (found.at(0).empty()) return std::nullopt;
    return take_plan(found[0].row(0));
}

std::vector<PlanRow> PostgresqlTransaction::plans() {
    if (!queued_) begin(wait_.at_most);
    connection_.send(kAllPlans, {}, true);
    const auto found = trip();
    std::vector<PlanRow> all;
    found.at(0).each([&](const Row& row) {
        all.push_back(take_plan(row));
        seen_versions_[all.back().key] = all.back().version;
    });
    return all;
}

NodeKey PostgresqlTransaction::next_node(PlanKey plan) {
    if (plan == PlanKey{}) return NodeKey{first_key(reserve_plan()) + 1};
    if (const auto known = next_nodes_.find(plan); known != next_nodes_.end()) return NodeKey{known->second};
    if (!queued_) begin(wait_.at_most);
    connection_.send(kNextNode, Parameters(plan), true);
    const auto found = trip();
    if (found.at(0).empty()) throw_damaged("there is no plan of that key");
    next_nodes_[plan] = found[0].row(0).integer(0);
    return NodeKey{next_nodes_[plan]};
}

PlanKey PostgresqlTransaction::reserve_plan() {
    if (reserved_) return *reserved_;
    if (!queued_) begin(wait_.at_most);
    connection_.send(writes_ ? kReserve : kPeekReserve, {}, true);
    reserved_ = trip().at(0).row(0).plan(0);
    return *reserved_;
}

}  // namespace turboci::postgresql
