// SPDX-License-Identifier: Apache-2.0
// The tables, format 1, in a schema of their own that is always named: search_path is never relied upon.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/postgresql/connection.hpp"
#include "turboci/store.hpp"

namespace turboci::postgresql {

/// The format that this program writes, and reads.
inline constexpr int kFormat = 1;

/// For the first statements of a transaction: which programs may use the store, and what it is.
inline constexpr const char* kReadMeta =
    "SELECT format, writes_from, reads_from, early_release, identity FROM turboci.meta";
struct Meta {
    int format = 0;
    int writes_from = 0, reads_from = 0;  ///< the oldest format of a program that may still do so
    bool early_release = true;
    std::string identity;
};
/// STORE if this program may not use the store, for writing if `writes`.
[[nodiscard]] Meta read_meta(const Result& result, bool writes, const std::string& location);

/// Makes the tables in a database that has none, in one transaction. CONFLICT if there is a schema of that
/// name.
void create_schema(Connection& connection);
/// Whether there are the tables and columns that there should be.
[[nodiscard]] std::vector<StoreProblem> check_schema(Connection& connection);

/// Waits for the disk, and for a synchronous standby: what is written later is there only after what was
/// written before. Nothing where writers keep their locks until then.
inline constexpr const char* kFlushForReader =
    "SELECT pg_logical_emit_message(true, 'turboci', '') FROM turboci.meta WHERE early_release";

}  // namespace turboci::postgresql
