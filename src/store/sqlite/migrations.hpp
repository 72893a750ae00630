// SPDX-License-Identifier: Apache-2.0
// Numbered steps from one schema to the next.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "store/sqlite/database.hpp"

namespace turboci::sqlite {

/// One step: takes a store of `version` - 1 to `version`.
struct Migration {
    int version;
    std::string_view sentence;  ///< tells the user what it did
    void (*apply)(Database& db);
};
/// All of them, by version from 2 on without gaps.
[[nodiscard]] std::span<const Migration> migrations();
[[nodiscard]] inline int newest_version(std::span<const Migration> steps) { return steps.back().version; }

/// Makes the newest schema in an empty database, in the transaction that the caller holds.
void create_schema(Database& db);

/// The schema version of the file. Needs a transaction to be more than a guess.
[[nodiscard]] int schema_version(Database& db);
/// STORE if `version` is newer than `steps` know, or none at all.
void refuse_unknown_version(int version, std::span<const Migration> steps, const std::string& path);
/// Brings the store to the newest version in the transaction that the caller holds, and returns the
/// sentences of the steps taken.
std::vector<std::string> migrate(Database& db, std::span<const Migration> steps);

}  // namespace turboci::sqlite
