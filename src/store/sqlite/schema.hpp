// SPDX-License-Identifier: Apache-2.0
// What a store file looks like. The comments on each table are in schema.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.hpp"

namespace turboci::sqlite {

/// "TCIp" in the header's application_id: how file(1) and we know a store.
inline constexpr std::int32_t kApplicationId = 0x54434970;

/// A table or index of the newest schema; `sql` is its text exactly as SQLite keeps it.
struct SchemaObject {
    std::string_view type;  ///< "table" or "index"
    std::string_view name;
    std::string_view table;
    const char* sql;
};
/// In an order in which they can be created.
[[nodiscard]] std::span<const SchemaObject> newest_schema();
/// What stores of an older version must hold before they are upgraded.
[[nodiscard]] std::vector<SchemaObject> older_schema(int version);

/// Says how the schema of `db` differs from `expected`, as a clause; empty when it does not.
/// Tables of statistics (ANALYZE) may be there. Needs a transaction.
[[nodiscard]] std::string schema_difference(Database& db, std::span<const SchemaObject> expected);

}  // namespace turboci::sqlite
