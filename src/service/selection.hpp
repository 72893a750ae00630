// SPDX-License-Identifier: Apache-2.0
// Which nodes a query is about.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

/// Selects, filters and expands as QueryNodes says.
class Selection {
public:
    /// All must outlive the selection.
    Selection(Snapshot& snapshot, const PlanRow& plan, const QueryNodes& query, Timestamp now);

    /// Null: the whole plan. Else ascending keys.
    [[nodiscard]] const std::vector<NodeKey>* select();
    /// After select(): what is named and not there, where that is no error.
    [[nodiscard]] const std::vector<RefText>& absent() const noexcept { return absent_; }

private:
    void load_ready();
    [[nodiscard]] bool may_be_ready(const NodeRow& row);
    void drop_busy_checks();
    void consider(const NodeRow& row);
    /// What the nodes need: the targets of their edges, the members of their continuation groups, and for
    /// checks the stages assigned to them. Not `forward`: whose edges lead to them, and for stages the checks
    /// that they are assigned to. The same node may stand there several times.
    [[nodiscard]] std::vector<NodeKey> neighbours(std::span<const NodeKey> nodes, bool forward);
    void expand(const std::vector<NodeKey>& start, std::int32_t steps, bool forward);

    Snapshot& snapshot_;
    const PlanRow& plan_;
    const QueryNodes& query_;
    Timestamp now_;
    NodeScan conditions_;
    std::vector<NodeKey> keys_;
    std::vector<RefText> absent_;
    std::unordered_set<std::int64_t> ready_;
    std::vector<NodeKey> waiting_;  ///< checks among `keys_` that may have a stage that works for them
};

}  // namespace turboci::service
