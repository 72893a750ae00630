// SPDX-License-Identifier: Apache-2.0
// The columns of a node row, in the one order in which everybody reads them.
#pragma once

#include "store/sqlite/database.hpp"

#define TURBOCI_NODE_COLUMNS                                                                              \
    "node_key, plan_key, type, id, kind, state, outcome, concluded_reason, version, updated_at, history," \
    " group_kind, threshold, unresolved, satisfied, resolution, dependencies_since, attempt, "            \
    "has_continuation, required, skip_cause"
#define TURBOCI_FEW_NODE_COLUMNS                                                                 \
    "node_key, plan_key, type, id, kind, state, outcome, CASE WHEN state = 40 THEN history END," \
    " group_kind, threshold, resolution, required, skip_cause"

#define TURBOCI_BODY_COLUMNS \
    "json, max_retries, backoff, timeout, heartbeat, created_by, created_by_attempt, message"

namespace turboci::sqlite {

/// The last of the enumeration.
inline constexpr ConcludedReason kLastReason = ConcludedReason::interrupted_too_often;

/// Fills `node` from a row of TURBOCI_NODE_COLUMNS; keeps the memory that it has.
void read_node(const Query& row, NodeRow& node);
/// The same from TURBOCI_FEW_NODE_COLUMNS: all that is wanted without NodeParts::stamps. Key and plan are
/// left to the caller, who has looked at them.
void read_few_columns(const Query& row, NodeRow& node);
/// Fills `body` from TURBOCI_BODY_COLUMNS at `column` on.
void read_body(const Query& row, int column, NodeBody& body);

/// How to visit the nodes of a plan by key: a range of keys to go through, with some foreign ones in it, if
/// most of it is the plan's; else the keys one by one.
struct NodeRange {
    std::int64_t first = 1, last = 0;
    bool scan = true;
    std::vector<NodeKey> keys;  ///< unless `scan`
};
/// How many nodes the plan has.
[[nodiscard]] std::size_t count_nodes(Database& db, PlanKey plan);
[[nodiscard]] NodeRange nodes_of_plan(Database& db, PlanKey plan, std::int64_t next_key);

}  // namespace turboci::sqlite
