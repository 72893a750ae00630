// SPDX-License-Identifier: Apache-2.0
// The columns of the rows that are read in more than one place, and how their values stand in the tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/row_values.hpp"
#include "store/sqlite/database.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

using turboci::read_node;
/// The node of a key; false: there is none.
[[nodiscard]] bool read_node(Database& db, NodeKey key, NodeRow& node);

}  // namespace turboci::sqlite
