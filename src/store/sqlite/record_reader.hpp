// SPDX-License-Identifier: Apache-2.0
// Whole nodes for readers, put together from all tables in one pass.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "store/sqlite/database.hpp"
#include "store/sqlite/node_table.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// UnitOfWork::read_records(). A few nodes are looked up one by one. For many, one ordered cursor over each
/// table that is wanted goes along with the nodes: every table is read once, in its own order. If the targets
/// of edges are wanted, the nodes of the plan are read into a compact table before. `next_key` tells a key
/// above all others. `cache` keeps that table for the next call, as long as nothing is written in between.
void read_records(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                  const NodeParts& parts, const std::function<std::int64_t()>& next_key,
                  std::unique_ptr<NodeTable>& cache, const std::function<void(NodeRecord&)>& visit);

}  // namespace turboci::sqlite
