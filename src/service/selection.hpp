// SPDX-License-Identifier: Apache-2.0
// Which nodes a query is about.
#pragma once

#include <functional>
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
    Selection(UnitOfWork& uow, const PlanRow& plan, const QueryNodes& query, Timestamp now);

    /// Null: the whole plan. Else ascending keys.
    [[nodiscard]] const std::vector<NodeKey>* select();

private:
    void load_ready();
    [[nodiscard]] bool is_ready(const NodeRow& row);
    [[nodiscard]] bool is_matched(const std::string& id) const;
    void consider(const NodeRow& row);
    [[nodiscard]] const NodeRow& row_of(NodeKey key);
    [[nodiscard]] bool follows(const EdgeRow& edge);
    [[nodiscard]] bool follows(const AssignmentRow& assignment);
    /// What a node needs: the targets of its edges, the members of its continuation group, and for a check
    /// the stages assigned to it.
    void each_need(NodeKey key, const std::function<void(NodeKey)>& visit);
    /// The other way: whose edges lead to it, and for a stage the checks that it is assigned to.
    void each_dependent(NodeKey key, const std::function<void(NodeKey)>& visit);
    void expand(const std::vector<NodeKey>& start, std::int32_t steps, bool forward);

    UnitOfWork& uow_;
    const PlanRow& plan_;
    const QueryNodes& query_;
    Timestamp now_;
    std::vector<std::string_view> kinds_, plain_matches_;  ///< ascending
    std::vector<std::string> patterns_;                    ///< of the rest of `match`
    std::vector<NodeKey> keys_;
    std::unordered_set<std::int64_t> ready_;
    std::unordered_map<std::int64_t, NodeRow> rows_;
};

}  // namespace turboci::service
