// SPDX-License-Identifier: Apache-2.0
// Rows for tests, with every value different from its default where that matters.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/backend.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

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

/// A write with all of its changes.
inline void append(UnitOfWork& uow, const WriteRow& write, std::span<const ChangeRow> changes) {
    uow.append_write(write, changes.size());
    for (const ChangeRow& change : changes) uow.append_change(change);
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

/// A store of its own in a new directory, with one plan.
class Fixture {
public:
    Fixture() : store_(open({.path = path(), .create = true, .command = "test"})) {
        auto uow = write();
        plan_ = uow->insert_plan(plan_row("p"));
        uow->commit();
    }
    [[nodiscard]] std::string path() const { return dir_ / "turboci.db"; }
    [[nodiscard]] const TempDir& dir() const { return dir_; }
    [[nodiscard]] Store& store() { return *store_; }
    [[nodiscard]] PlanKey plan() const { return plan_; }
    [[nodiscard]] std::unique_ptr<UnitOfWork> write() { return store_->begin(Access::write); }
    [[nodiscard]] std::unique_ptr<UnitOfWork> read() { return store_->begin(Access::read); }
    /// Closes the store, so that children and other connections have it to themselves.
    void close() { store_.reset(); }
    void reopen() { store_ = open({.path = path(), .command = "test"}); }
    [[nodiscard]] static std::unique_ptr<Store> open(StoreOptions options) {
        return open_store(std::move(options));
    }
    /// A new store with nothing in it. Its first commit makes the file.
    static std::unique_ptr<Store> make(const std::string& path) {
        auto store = open({.path = path, .create = true});
        store->begin(Access::write)->commit();
        return store;
    }

    /// Adds a node in the open transaction, with a row that has nothing special.
    NodeKey add(UnitOfWork& uow, NodeType type, const std::string& id) const {
        const NodeKey key = uow.next_node_key();
        const NodeRow row = node_row(plan_, key, type, id);
        uow.insert_node(row, {});
        const StateCount one{type, row.state, std::nullopt, 1};
        uow.add_counts(plan_, {&one, 1});
        return key;
    }

private:
    TempDir dir_;
    std::unique_ptr<Store> store_;
    PlanKey plan_{};
};

}  // namespace turboci::test
