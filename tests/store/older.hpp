// SPDX-License-Identifier: Apache-2.0
// Stores of schemas that are no longer made.
#pragma once

#include <string>

#include "store/raw.hpp"

namespace turboci::test {

/// Makes of a closed store what version 1 would have made.
inline void take_back_to_1(const std::string& path) {
    raw(path,
        "BEGIN; ALTER TABLE operations RENAME TO operations_2;"
        "CREATE TABLE operations(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
        " op_id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY(plan_key, op_id)) STRICT, WITHOUT ROWID;"
        "INSERT INTO operations SELECT plan_key, op_id, version FROM operations_2; DROP TABLE operations_2;"
        "PRAGMA user_version=1; COMMIT");
}

}  // namespace turboci::test
