// SPDX-License-Identifier: Apache-2.0
// What belongs to a node, from all tables that are wanted: the one way in which whole nodes are read.
#pragma once

#include <cstdint>
#include <memory>

#include "store/sqlite/database.hpp"
#include "store/sqlite/target_table.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// Adds to nodes what belongs to them. Nodes must come in the order of their keys.
class RecordReader {
public:
    /// For a few nodes: each table is asked for the rows of each.
    RecordReader(Database& db, const NodeParts& parts);
    /// For nodes that follow one another, from a key on: an ordered cursor over each table goes along with
    /// them. `targets` has the nodes of the plan; null if no part leads to other nodes.
    RecordReader(Database& db, const NodeParts& parts, std::int64_t first, const TargetTable* targets);
    ~RecordReader();
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;

    /// Replaces all parts of a record, whose row is there. The memory that it has is used again.
    void complete(NodeRecord& record);

private:
    class Tables;
    std::unique_ptr<Tables> tables_;
};

}  // namespace turboci::sqlite
