// SPDX-License-Identifier: Apache-2.0
// The SQLite transaction. One .cpp for each family of tables: transaction_*.cpp.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file_lock.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/scan.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// A transaction that is open from construction to commit() or destruction; a snapshot is one, too. The store
/// hands out one at a time.
class SqliteTransaction final : public Transaction {
public:
    /// Takes over a transaction that has begun. `on_end` runs once, when it is over: it frees the lock.
    /// `on_commit`, if any, is part of commit() and may throw.
    SqliteTransaction(Database& db, const Clock& clock, int read_threads, std::function<void()> on_end,
                      std::function<void()> on_commit = {});
    ~SqliteTransaction() override;
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;

    PlanKey apply(const ChangeSet& changes) override;
    void commit() override;

    [[nodiscard]] ClockReading now() override { return clock_.read(); }
    [[nodiscard]] StoreRow store() override;
    [[nodiscard]] std::optional<PlanRow> find_plan(std::string_view id) override;
    [[nodiscard]] std::vector<PlanRow> plans() override;
    [[nodiscard]] NodeKey next_node(PlanKey plan) override;
    [[nodiscard]] Facts load(PlanKey plan, const Lookup& lookup) override;
    void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) override;
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) override;

private:
    /// The store's own row. The next free keys are written back by commit().
    struct Counters {
        std::int64_t plan = 1, node = 1, change = 1;
        std::string identity;
        bool operator==(const Counters&) const = default;
    };
    [[nodiscard]] Counters& counters();
    void save_counters();
    /// Takes the next key for a new node: INTERNAL if it was used.
    void use_key(NodeKey key);
    // ---- parts of load()
    void load_nodes(PlanKey plan, const Lookup& lookup, Facts& facts);
    void load_waiting(const Lookup& lookup, Facts& facts);
    void load_groups_above(const EdgeRow& edge, Facts& facts);
    void look_ahead(const NodeRow& owner, Facts& facts);
    void load_assignments(const Lookup& lookup, Facts& facts);
    void load_attempts(PlanKey plan, const Lookup& lookup, Facts& facts);
    void load_results(const Lookup& lookup, Facts& facts);
    [[nodiscard]] std::optional<BeatRow> last_beat(std::string_view holder);
    [[nodiscard]] std::vector<BeatRow> workers();
    [[nodiscard]] std::vector<LogPartRow> log_parts(const AttemptName& name);
    [[nodiscard]] std::optional<LogPartRow> log_part(const LogPartName& name);
    [[nodiscard]] std::vector<StateCount> counts(PlanKey plan);
    [[nodiscard]] std::optional<NodeRow> find_node(PlanKey plan, NodeType type, std::string_view id);
    [[nodiscard]] NodeRow node(NodeKey key);
    [[nodiscard]] NodeBody body(NodeKey key);
    [[nodiscard]] std::vector<GroupRow> groups(NodeKey owner);
    [[nodiscard]] std::optional<GroupRow> group(NodeKey owner, PredicateRole role, std::int32_t group);
    [[nodiscard]] std::vector<EdgeRow> edges_of(NodeKey owner, PredicateRole role);
    [[nodiscard]] std::vector<EdgeRow> edges_to(NodeKey target, int after, int up_to);
    [[nodiscard]] std::vector<AssignmentRow> assignments_of(NodeKey stage);
    [[nodiscard]] std::vector<AssignmentRow> assignments_to(NodeKey check);
    [[nodiscard]] std::vector<GoalRow> goals(NodeKey check);
    [[nodiscard]] std::optional<AttemptRow> attempt(NodeKey stage, std::int32_t idx);
    [[nodiscard]] std::vector<AttemptRow> attempts(NodeKey stage);
    [[nodiscard]] std::vector<ClassRow> classes(PlanKey plan);
    /// `classes`: all of the plan but 0.
    [[nodiscard]] std::vector<AttemptRow> ready_attempts(PlanKey plan, const Lookup::Ready& wanted,
                                                         const std::vector<ClassRow>& classes);
    [[nodiscard]] std::vector<Facts::HeldOfClass> held_by_class(PlanKey plan);
    [[nodiscard]] std::vector<NodeKey> open_nodes(PlanKey plan);
    [[nodiscard]] std::optional<Timestamp> next_ready_at(PlanKey plan, Timestamp now);
    [[nodiscard]] std::vector<AttemptRow> overdue_attempts(PlanKey plan, Timestamp now);
    [[nodiscard]] std::optional<Timestamp> next_deadline(PlanKey plan);
    [[nodiscard]] std::vector<AttemptRow> held_attempts(PlanKey plan);
    [[nodiscard]] std::vector<ResultRow> results(NodeKey check);
    [[nodiscard]] std::optional<ResultRow> find_result(NodeKey check, OwnerType type,
                                                       std::string_view owner_id);
    [[nodiscard]] std::vector<ResultRow> open_results_of(NodeKey stage, std::int32_t idx);
    [[nodiscard]] std::optional<OperationRow> find_operation(PlanKey plan, std::string_view op_id);

    [[nodiscard]] std::vector<OperationRow> operations(PlanKey plan);

    // ---- parts of apply()
    void delete_plan(PlanKey plan);
    void change_beats(const ChangeSet& changes);
    void change_log_parts(const ChangeSet& changes);
    [[nodiscard]] PlanKey insert_plan(const PlanRow& row);
    void update_plan(const PlanRow& row);
    void add_counts(PlanKey plan, std::span<const StateCount> differences);
    void insert_nodes(PlanKey plan, const Rows<NodeRow>& nodes, const Rows<NodeBody>& bodies);
    void update_node(const NodeRow& row);
    void put_body(const BodyRow& row);
    /// Between these two, nodes, groups and edges are inserted and no node or edge is looked up: indexes are
    /// made afterwards where that is quicker.
    void begin_bulk_insert();
    void end_bulk_insert();
    void drop_predicate(const PredicateName& name);
    void insert_group(const GroupRow& row);
    void update_group(const GroupRow& row);
    void insert_edges(const Rows<TypedEdge>& edges);
    void insert_assignment(const AssignmentRow& row);
    void put_goal(const GoalRow& row);
    void insert_class(PlanKey plan, const ClassRow& row);
    void insert_attempt(PlanKey plan, const AttemptRow& row);
    void update_attempt(const AttemptRow& row);
    void add_progress(const ProgressRow& row);
    void insert_result(const ResultRow& row);
    void update_result(const ResultRow& row);
    void append_write(PlanKey plan, const WriteRow& write, const Rows<ChangeRow>& changes);
    void insert_operation(PlanKey plan, const OperationRow& row);

    void count_trip() noexcept { ++db_.statistics().trips; }
    void finish() noexcept;

    Database& db_;
    const Clock& clock_;
    std::function<void()> on_end_, on_commit_;
    bool open_ = true;
    std::optional<Counters> counters_, stored_counters_;
    NodeScanner scanner_;
    bool indexes_dropped_ = false;
    int spills_before_ = 0;  ///< of the connection, when they were
};

}  // namespace turboci::sqlite
