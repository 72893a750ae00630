// SPDX-License-Identifier: Apache-2.0
// The unit of work of the store in memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/memory/memory_data.hpp"
#include "turboci/store.hpp"

namespace turboci::memory {

class MemoryUnitOfWork final : public UnitOfWork {
public:
    /// Sees `data` as it is. `on_commit` gets what there is to be seen from then on, if anything has changed;
    /// `on_end` runs once, when the transaction is over.
    MemoryUnitOfWork(std::shared_ptr<const Data> data, Access access,
                     std::function<void(std::shared_ptr<const Data>)> on_commit,
                     std::function<void()> on_end);
    ~MemoryUnitOfWork() override;
    MemoryUnitOfWork(const MemoryUnitOfWork&) = delete;
    MemoryUnitOfWork& operator=(const MemoryUnitOfWork&) = delete;

    PlanKey apply(const ChangeSet& changes) override;
    void commit() override;
    [[nodiscard]] StoreStatistics statistics() const override { return {trips_, 0, 0}; }

    [[nodiscard]] std::string identity() override { return data().identity(); }
    void beat(std::string_view holder, Timestamp at) override;
    void forget_beats(std::string_view holder, Timestamp before) override;

    [[nodiscard]] std::optional<PlanRow> find_plan(std::string_view id) override;
    [[nodiscard]] std::vector<PlanRow> plans() override;
    void delete_plan(PlanKey plan) override;

    [[nodiscard]] NodeKey next_node_key() override { return data().next_node(); }
    [[nodiscard]] Facts load(PlanKey plan, const Lookup& lookup) override;
    void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) override;

    [[nodiscard]] std::vector<OperationRow> operations(PlanKey plan) override;
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) override;

private:
    [[nodiscard]] const Data& data() const { return own_ ? *own_ : *seen_; }
    /// The copy that is changed: INTERNAL in a unit of work for reading, or when it is over.
    [[nodiscard]] Data& changing();
    void finish() noexcept;

    std::shared_ptr<const Data> seen_;
    std::shared_ptr<Data> own_;  ///< made by the first change
    Access access_;
    std::function<void(std::shared_ptr<const Data>)> on_commit_;
    std::function<void()> on_end_;
    bool open_ = true;
    std::int64_t trips_ = 0;
};

}  // namespace turboci::memory
