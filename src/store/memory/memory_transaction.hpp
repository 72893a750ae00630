// SPDX-License-Identifier: Apache-2.0
// The transaction of the store in memory.
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

class MemoryTransaction final : public Transaction {
public:
    /// Sees `data` as it is. `on_commit` gets what there is to be seen from then on, if anything has changed;
    /// `on_end` runs once, when the transaction is over.
    MemoryTransaction(std::shared_ptr<const Data> data, const Clock& clock, StoreStatistics& statistics,
                      std::function<void(std::shared_ptr<const Data>)> on_commit,
                      std::function<void()> on_end);
    ~MemoryTransaction() override;
    MemoryTransaction(const MemoryTransaction&) = delete;
    MemoryTransaction& operator=(const MemoryTransaction&) = delete;

    PlanKey apply(const ChangeSet& changes) override;
    void commit() override;

    [[nodiscard]] ClockReading now() override { return clock_.read(); }
    [[nodiscard]] StoreRow store() override { return {data().identity()}; }
    [[nodiscard]] std::optional<PlanRow> find_plan(std::string_view id) override;
    [[nodiscard]] std::vector<PlanRow> plans() override;
    [[nodiscard]] NodeKey next_node(PlanKey) override { return data().next_node(); }
    [[nodiscard]] Facts load(PlanKey plan, const Lookup& lookup) override;
    void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) override;
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) override;

private:
    [[nodiscard]] const Data& data() const { return own_ ? *own_ : *seen_; }
    /// The copy that is changed.
    [[nodiscard]] Data& changing();
    void finish() noexcept;

    std::shared_ptr<const Data> seen_;
    std::shared_ptr<Data> own_;  ///< made by the first change
    const Clock& clock_;
    StoreStatistics& statistics_;
    std::function<void(std::shared_ptr<const Data>)> on_commit_;
    std::function<void()> on_end_;
    bool open_ = true;
};

}  // namespace turboci::memory
