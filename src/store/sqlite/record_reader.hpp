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

// ---- what read_runs() is made of as well

/// Must the nodes of the plan be in a table for these parts?
[[nodiscard]] bool needs_table(const NodeParts& parts);

/// While it lives, SQLite keeps few pages: who reads large tables once, from end to end, does not come back
/// to a page, and fresh memory for each costs more than reading it. Within a write it does nothing: what has
/// changed must not be driven out to the file.
class PassingThrough {
public:
    static constexpr std::size_t kMany = 4096;  ///< so many nodes are worth it
    PassingThrough(Database& db, std::size_t nodes);

private:
    std::optional<FewPages> few_pages_;
};

/// Some nodes of a table that follow one another.
struct TablePart {
    std::size_t first = 0, last = 0;  ///< places in it; both are among them
};
/// From the first node of a type to the last: often all checks come before all stages. nullopt if there is
/// none.
[[nodiscard]] std::optional<TablePart> part_of_type(const NodeTable& table, NodeType type);
/// Visits the nodes of a part, those of `type` and `keys` if given. `scan`: NodeRange::scan of the plan.
void read_from_table(Database& db, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                     const NodeParts& parts, bool scan, const NodeTable& table, TablePart part,
                     const std::function<void(NodeRecord&)>& visit);

}  // namespace turboci::sqlite
