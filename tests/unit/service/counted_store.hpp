// SPDX-License-Identifier: Apache-2.0
// A store that counts.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::test {

/// Passes everything on, and keeps what the last transaction cost.
class CountedUnitOfWork final : public UnitOfWork {
public:
    CountedUnitOfWork(std::unique_ptr<UnitOfWork> inner, StoreStatistics& last)
        : inner_(std::move(inner)), last_(last) {}

    PlanKey apply(const ChangeSet& changes) override { return inner_->apply(changes); }
    ~CountedUnitOfWork() override { last_ = inner_->statistics(); }
    void commit() override { inner_->commit(); }
    StoreStatistics statistics() const override { return inner_->statistics(); }
    std::string identity() override { return inner_->identity(); }
    void beat(std::string_view holder, Timestamp at) override { inner_->beat(holder, at); }
    void forget_beats(std::string_view holder, Timestamp before) override {
        inner_->forget_beats(holder, before);
    }
    std::optional<PlanRow> find_plan(std::string_view id) override { return inner_->find_plan(id); }
    std::vector<PlanRow> plans() override { return inner_->plans(); }
    void delete_plan(PlanKey plan) override { inner_->delete_plan(plan); }
    NodeKey next_node_key() override { return inner_->next_node_key(); }
    Facts load(PlanKey plan, const Lookup& lookup) override { return inner_->load(plan, lookup); }
    void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) override {
        inner_->scan(plan, what, take);
    }
    std::vector<OperationRow> operations(PlanKey plan) override { return inner_->operations(plan); }
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) override {
        inner_->read_log(plan, node, since, visit);
    }

private:
    std::unique_ptr<UnitOfWork> inner_;
    StoreStatistics& last_;
};

class CountedStore final : public Store {
public:
    explicit CountedStore(Store& inner) : inner_(inner) {}
    std::unique_ptr<UnitOfWork> begin(Access access) override {
        return std::make_unique<CountedUnitOfWork>(inner_.begin(access), last);
    }
    std::vector<StoreProblem> check() override { return inner_.check(); }
    void backup(const std::string& path) override { inner_.backup(path); }
    StoreStatistics last;

private:
    Store& inner_;
};

}  // namespace turboci::test
