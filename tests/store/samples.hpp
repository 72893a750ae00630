// SPDX-License-Identifier: Apache-2.0
// Rows for tests, with every value different from its default where that matters.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "service/lookups.hpp"
#include "store/backend.hpp"
#include "support/catch.hpp"
#include "support/fake_clock.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

using namespace service;

inline constexpr auto kDependencies = PredicateRole::dependencies;
inline constexpr auto kContinuation = PredicateRole::continuation;

inline Timestamp at(std::int64_t seconds) { return Timestamp(std::chrono::seconds(1'700'000'000 + seconds)); }

inline PlanRow plan_row(std::string id) {
    PlanRow row;
    row.id = std::move(id);
    row.version = 1;
    row.identity = "identity of " + row.id;
    row.older_rules_until = 1;
    row.created_at = at(0);
    row.clock = {at(0), std::chrono::seconds(100), "boot-1"};
    return row;
}

inline NodeRow node_row(PlanKey plan, NodeKey key, NodeType type, std::string id) {
    NodeRow row;
    row.key = key;
    row.plan = plan;
    row.type = type;
    row.id = std::move(id);
    row.state = type == NodeType::check ? State::planning : State::planned;
    row.version = 1;
    row.updated_at = at(1);
    row.history = {{row.state, 1, at(1)}};
    row.dependencies_since = at(1);
    return row;
}

/// One node after another, of a type if given, and of some keys unless `keys` is null.
template <class Visit>
void read_records(Snapshot& snapshot, PlanKey plan, std::optional<NodeType> type,
                  const std::vector<NodeKey>* keys, const NodeParts& parts, const Visit& visit) {
    snapshot.scan(plan, {.keys = keys, .type = type, .parts = parts}, [&](std::span<NodeRecord> records) {
        for (NodeRecord& record : records) visit(record);
        return true;
    });
}

/// The nodes alone.
template <class Visit>
void scan_nodes(Snapshot& snapshot, PlanKey plan, std::optional<NodeType> type,
                const std::vector<State>& states, const Visit& visit) {
    NodeScan scan{.type = type, .states = states, .parts = kBareNodes};
    scan.parts.stamps = true;
    snapshot.scan(plan, scan, [&](std::span<NodeRecord> records) {
        for (NodeRecord& record : records) visit(record.row);
        return true;
    });
}

// Changes of one row each.

/// Applies what `fill` puts into an empty ChangeSet of `plan`.
template <class Fill>
PlanKey change(Transaction& transaction, PlanKey plan, const Fill& fill) {
    ChangeSet changes;
    changes.plan = plan;
    fill(changes);
    return transaction.apply(changes);
}
template <class Row>
Rows<Row> only(const Row& row) {
    return Rows<Row>(std::span<const Row>(&row, 1));
}
inline PlanKey insert_plan(Transaction& transaction, const PlanRow& row) {
    return change(transaction, {}, [&](ChangeSet& c) { c.plan_row = row; });
}
inline void update_plan(Transaction& transaction, const PlanRow& row) { insert_plan(transaction, row); }
inline void add_counts(Transaction& transaction, PlanKey plan, std::span<const StateCount> counts) {
    change(transaction, plan, [&](ChangeSet& c) { c.counts.assign(counts.begin(), counts.end()); });
}
inline void insert_node(Transaction& transaction, const NodeRow& row, const NodeBody& body) {
    change(transaction, row.plan, [&](ChangeSet& c) {
        c.created = only(row);
        c.created_bodies = only(body);
    });
}
inline void update_node(Transaction& transaction, const NodeRow& row) {
    change(transaction, row.plan, [&](ChangeSet& c) { c.nodes = only(row); });
}
inline void update_body(Transaction& transaction, NodeKey key, const NodeBody& body) {
    const BodyRow row{key, body};
    change(transaction, {}, [&](ChangeSet& c) { c.bodies = only(row); });
}
inline void insert_group(Transaction& transaction, const GroupRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.new_groups = only(row); });
}
inline void update_group(Transaction& transaction, const GroupRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.groups = only(row); });
}
inline void insert_edge(Transaction& transaction, const EdgeRow& row, NodeType target_type) {
    const TypedEdge edge{row, target_type};
    change(transaction, {}, [&](ChangeSet& c) { c.edges = only(edge); });
}
inline void delete_predicate(Transaction& transaction, NodeKey owner, PredicateRole role) {
    change(transaction, {}, [&](ChangeSet& c) { c.dropped = {{owner, role}}; });
}
inline void insert_assignment(Transaction& transaction, const AssignmentRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.assignments = only(row); });
}
inline void put_goal(Transaction& transaction, const GoalRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.goals = only(row); });
}
inline void insert_attempt(Transaction& transaction, const AttemptRow& row) {
    change(transaction, row.plan, [&](ChangeSet& c) { c.new_attempts = only(row); });
}
inline void update_attempt(Transaction& transaction, const AttemptRow& row) {
    change(transaction, row.plan, [&](ChangeSet& c) { c.attempts = only(row); });
}
inline void add_progress(Transaction& transaction, NodeKey stage, std::int32_t idx,
                         const Progress& progress) {
    const ProgressRow row{stage, idx, progress};
    change(transaction, {}, [&](ChangeSet& c) { c.progress = only(row); });
}
/// Returns the id that the store gave it.
inline std::int64_t insert_result(Transaction& transaction, const ResultRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.new_results = only(row); });
    return results(transaction, row.check).back().result.id;
}
inline void update_result(Transaction& transaction, const ResultRow& row) {
    change(transaction, {}, [&](ChangeSet& c) { c.results = only(row); });
}
inline void insert_operation(Transaction& transaction, PlanKey plan, const OperationRow& row) {
    change(transaction, plan, [&](ChangeSet& c) { c.operation = row; });
}
/// A write with all of its changes.
inline void append(Transaction& transaction, const WriteRow& write, std::span<const ChangeRow> changes) {
    change(transaction, write.plan, [&](ChangeSet& c) {
        c.write = write;
        c.changes = Rows<ChangeRow>(changes);
    });
}

/// The error code of what `call` throws; none if it throws nothing.
template <class Call>
std::optional<ErrorCode> code_of(const Call& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.code();
    }
    return std::nullopt;
}
/// "WHAT; WHAT TO DO" of the Error that `call` throws.
template <class Call>
std::string message_of(const Call& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.remedy().empty() ? std::string(e.what()) : std::string(e.what()) + "; " + e.remedy();
    }
    return "nothing was thrown";
}

/// One try.
inline const Wait kAtOnce{.at_most = Duration::zero()};

inline std::vector<OperationRow> operations(Snapshot& snapshot, PlanKey plan) {
    return ask(snapshot, plan, [](Lookup& l) { l.operations = true; }).operations;
}
inline void delete_plan(Transaction& transaction, PlanKey plan) {
    change(transaction, plan, [](ChangeSet& c) { c.deletes_plan = true; });
}

/// A store of its own in a new directory, with one plan.
class Fixture {
public:
    Fixture()
        : store_(
              open(path(), {.create = true, .command = "test", .clock = &clock, .statistics = &statistics})) {
        auto transaction = write();
        plan_ = insert_plan(*transaction, plan_row("p"));
        transaction->commit();
    }
    [[nodiscard]] std::string path() const { return dir_ / "turboci.db"; }
    [[nodiscard]] const TempDir& dir() const { return dir_; }
    [[nodiscard]] Store& store() { return *store_; }
    [[nodiscard]] PlanKey plan() const { return plan_; }
    [[nodiscard]] std::unique_ptr<Transaction> write() { return store_->write("p", {}); }
    [[nodiscard]] std::unique_ptr<Snapshot> read() { return store_->read({}); }
    /// Closes the store, so that children and other connections have it to themselves.
    void close() { store_.reset(); }
    void reopen() { store_ = open(path(), {.command = "test"}); }
    [[nodiscard]] static std::unique_ptr<Store> open(const std::string& path, StoreOptions options = {},
                                                     const Wait& wait = {}) {
        return open_backend(path, std::move(options), wait);
    }
    /// A new store with nothing in it. Its first commit makes the file.
    static std::unique_ptr<Store> make(const std::string& path) {
        auto store = open(path, {.create = true});
        store->write({}, {})->commit();
        return store;
    }

    /// Adds a node in the open transaction, with a row that has nothing special.
    NodeKey add(Transaction& transaction, NodeType type, const std::string& id) const {
        const NodeKey key = transaction.next_node(plan_);
        const NodeRow row = node_row(plan_, key, type, id);
        insert_node(transaction, row, {});
        const StateCount one{type, row.state, std::nullopt, 1};
        add_counts(transaction, plan_, {&one, 1});
        return key;
    }

    FakeClock clock;
    StoreStatistics statistics;  ///< of the fixture's own store

private:
    TempDir dir_;
    std::unique_ptr<Store> store_;
    PlanKey plan_{};
};

}  // namespace turboci::test
