// SPDX-License-Identifier: Apache-2.0
// The columns of groups and edges, in the one order in which everybody reads them.
#pragma once

#include "store/sqlite/database.hpp"

#define TURBOCI_GROUP_COLUMNS \
    "owner_key, role, group_no, parent, kind, threshold, unresolved, satisfied, resolution, since"
#define TURBOCI_EDGE_COLUMNS "owner_key, role, position, group_no, target_key, target_type, on_state, on_when"

namespace turboci::sqlite {

void read_group(const Query& row, GroupRow& group);
/// Returns the type of the target.
NodeType read_edge(const Query& row, EdgeRow& edge);

}  // namespace turboci::sqlite
