// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

namespace {

const Sql kNode("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");

}  // namespace

bool read_node(Database& db, NodeKey key, NodeRow& node) {
    Query row(db, kNode, key);
    const bool found = row.step();
    if (found) read_node(row, node);
    return found;
}

}  // namespace turboci::sqlite
