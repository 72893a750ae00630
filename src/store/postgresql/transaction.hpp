// SPDX-License-Identifier: Apache-2.0
// A snapshot or a transaction in PostgreSQL.
//
// A snapshot is one REPEATABLE READ transaction. A write is READ COMMITTED under the lock of the plan's row,
// which a statement of its own takes: what later statements read is then what the last writer of that plan
// left. Changes are queued; what is wrong with them is thrown by the next call that asks the server
// something, at the latest by commit().
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/postgresql/connection.hpp"
#include "store/postgresql/schema.hpp"
#include "turboci/store.hpp"

namespace turboci::postgresql {

class PostgresqlTransaction final : public Transaction {
public:
    /// `clock` null: the server's. `on_end` runs once, when the transaction is over.
    PostgresqlTransaction(Connection& connection, const Clock* clock, bool writes, Wait wait,
                          std::function<void()> on_end);
    ~PostgresqlTransaction() override;
    PostgresqlTransaction(const PostgresqlTransaction&) = delete;
    PostgresqlTransaction& operator=(const PostgresqlTransaction&) = delete;

    /// Waits for the lock of the plan of that id, or of the id itself if there is no plan. LOCKED.
    void lock(std::string_view id);

    PlanKey apply(const ChangeSet& changes) override;
    void commit() override;
    void abandon() override;

    [[nodiscard]] ClockReading now() override;
    [[nodiscard]] StoreRow store() override;
    [[nodiscard]] std::optional<PlanRow> find_plan(std::string_view id) override;
    [[nodiscard]] std::vector<PlanRow> plans() override;
    [[nodiscard]] NodeKey next_node(PlanKey plan) override;
    [[nodiscard]] Facts load(PlanKey plan, const Lookup& lookup) override;
    void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) override;
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) override;

private:
    using Monotonic = std::chrono::steady_clock;

    void require_open() const;
    /// Queues what every transaction begins with.
    void begin(Duration lock_timeout);
    /// Sends what is queued and waits. The results of the beginning are taken off.
    std::vector<Result> trip();
    void rollback() noexcept;
    void finish() noexcept;
    /// The connection was lost while the commit was on its way: returns if it was written, and STORE if not,
    /// or if nobody can tell.
    void settle(const Failure& failure);
    void take_beginning(std::vector<Result>& results);
    void read_clock(const Row& row);
    PlanRow take_plan(const Row& row);

    void scan_keys(PlanKey plan, std::span<const NodeKey> keys, const NodeScan& what, const TakeNodes& take);
    void scan_patterns(PlanKey plan, const NodeScan& what, const TakeNodes& take);

    /// One try to lock. False: another transaction holds it.
    bool try_lock(const std::string& id, Duration timeout);
    void queue_lock(const std::string& id);
    /// Takes what queue_lock() asked. False: the plan was replaced meanwhile.
    bool take_lock(const std::string& id, std::span<const Result> results);
    /// Locks a plan that is about to be changed. LOCKED if it is not as it was read before.
    void lock_to_change(PlanKey plan);

    [[nodiscard]] PlanKey reserve_plan();
    [[nodiscard]] PlanKey insert_plan(const PlanRow& row);
    void update_plan(const PlanRow& row);
    void delete_plan(PlanKey plan);
    void insert_nodes(PlanKey plan, const ChangeSet& changes);
    void update_nodes(const ChangeSet& changes);
    void change_predicates(const ChangeSet& changes);
    void change_attempts(PlanKey plan, const ChangeSet& changes);
    void change_results(const ChangeSet& changes);
    void change_record(PlanKey plan, const ChangeSet& changes);
    void change_log_parts(const ChangeSet& changes);
    void change_beats(const ChangeSet& changes);

    Connection& connection_;
    const Clock* clock_;
    bool writes_;
    Wait wait_;
    Monotonic::time_point started_ = Monotonic::now();
    std::function<void()> on_end_;
    bool open_ = true;
    bool queued_ = false;  ///< the beginning
    bool begun_ = false;   ///< and the server has answered it
    bool dirty_ = false;
    Meta meta_;
    Timestamp server_time_;  ///< when `read_at_`
    Monotonic::time_point read_at_;
    std::set<std::string, std::less<>> locked_ids_;
    std::set<PlanKey> locked_plans_;                 ///< locked, or made here
    std::set<std::string, std::less<>> absent_ids_;  ///< locked, and no plan has them
    /// Plans as they were when the lock was taken, as long as nothing was changed.
    std::map<std::string, std::optional<PlanRow>, std::less<>> fresh_;
    std::map<PlanKey, std::int64_t> next_nodes_;
    std::set<PlanKey> grown_plans_;  ///< their next node is another
    std::map<PlanKey, std::int64_t> seen_versions_;
    std::optional<PlanKey> reserved_;  ///< for the next new plan
    struct Nonce {
        PlanKey plan{};
        std::string id;  ///< of the plan
        std::int64_t version = 0, nonce = 0;
    };
    std::optional<Nonce> last_write_;
};

/// The node keys of a plan: from this on, up to the same of the next plan.
[[nodiscard]] constexpr std::int64_t first_key(PlanKey plan) { return static_cast<std::int64_t>(plan) << 32; }
[[nodiscard]] constexpr std::int64_t end_key(PlanKey plan) {
    return (static_cast<std::int64_t>(plan) + 1) << 32;
}

}  // namespace turboci::postgresql
