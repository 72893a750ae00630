// SPDX-License-Identifier: Apache-2.0
// Stores of schemas that are no longer made.
#pragma once

#include <string>

#include "store/raw.hpp"

namespace turboci::test {

/// Makes of a closed store what version 3 would have made.
inline void take_back_to_3(const std::string& path) {
    raw(path,
        "BEGIN; DROP TABLE log_parts;"
        "ALTER TABLE attempts DROP COLUMN log_bytes;"
        "ALTER TABLE attempts DROP COLUMN log_dropped;"
        "ALTER TABLE beats DROP COLUMN name;"
        "ALTER TABLE beats DROP COLUMN runners;"
        "ALTER TABLE beats DROP COLUMN draining;"
        "ALTER TABLE beats DROP COLUMN started_at;"
        "PRAGMA user_version=3; COMMIT");
}

/// Makes of a closed store what version 2 would have made.
inline void take_back_to_2(const std::string& path) {
    take_back_to_3(path);
    raw(path,
        "BEGIN; DROP TABLE classes; DROP TABLE beats; DROP INDEX attempts_ready;"
        "ALTER TABLE counters DROP COLUMN identity;"
        "ALTER TABLE plans DROP COLUMN identity;"
        "ALTER TABLE plans DROP COLUMN older_rules_until;"
        "ALTER TABLE plans DROP COLUMN from_id;"
        "ALTER TABLE plans DROP COLUMN from_identity;"
        "ALTER TABLE plans DROP COLUMN cancelled_since;"
        "ALTER TABLE plans DROP COLUMN cancelled_by;"
        "ALTER TABLE plans DROP COLUMN cancelled_reason;"
        "ALTER TABLE plans DROP COLUMN limits;"
        "ALTER TABLE nodes DROP COLUMN required;"
        "ALTER TABLE nodes DROP COLUMN skip_cause;"
        "ALTER TABLE node_bodies DROP COLUMN created_by;"
        "ALTER TABLE node_bodies DROP COLUMN created_by_attempt;"
        "ALTER TABLE node_bodies DROP COLUMN message;"
        "ALTER TABLE node_bodies DROP COLUMN condition;"
        "ALTER TABLE node_bodies DROP COLUMN silence;"
        "ALTER TABLE node_bodies DROP COLUMN runner;"
        "ALTER TABLE node_bodies DROP COLUMN uses;"
        "ALTER TABLE node_bodies DROP COLUMN max_backoff;"
        "ALTER TABLE node_bodies DROP COLUMN retry_on;"
        "ALTER TABLE node_bodies DROP COLUMN on_interrupt;"
        "ALTER TABLE node_bodies DROP COLUMN carried_from_id;"
        "ALTER TABLE node_bodies DROP COLUMN carried_from_identity;"
        "ALTER TABLE node_bodies DROP COLUMN carried_from_version;"
        "ALTER TABLE attempts DROP COLUMN holder;"
        "ALTER TABLE attempts DROP COLUMN cause;"
        "ALTER TABLE attempts DROP COLUMN exit_code;"
        "ALTER TABLE attempts DROP COLUMN signal;"
        "ALTER TABLE attempts DROP COLUMN log_path;"
        "ALTER TABLE attempts DROP COLUMN stopping_since;"
        "ALTER TABLE attempts DROP COLUMN stopping_by;"
        "ALTER TABLE attempts DROP COLUMN stopping_reason;"
        "ALTER TABLE attempts DROP COLUMN stopping_cause;"
        "ALTER TABLE attempts DROP COLUMN stopping_inside;"
        "ALTER TABLE attempts DROP COLUMN ended_at;"
        "ALTER TABLE attempts DROP COLUMN retries;"
        "ALTER TABLE attempts DROP COLUMN interruptions;"
        "ALTER TABLE attempts DROP COLUMN class;"
        "CREATE INDEX attempts_ready ON attempts(plan_key, ready_at, stage_key) WHERE state = 10;"
        "PRAGMA user_version=2; COMMIT");
}

/// Makes of a closed store what version 1 would have made.
inline void take_back_to_1(const std::string& path) {
    take_back_to_2(path);
    raw(path,
        "BEGIN; ALTER TABLE operations RENAME TO operations_2;"
        "CREATE TABLE operations(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
        " op_id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY(plan_key, op_id)) STRICT, WITHOUT ROWID;"
        "INSERT INTO operations SELECT plan_key, op_id, version FROM operations_2; DROP TABLE operations_2;"
        "PRAGMA user_version=1; COMMIT");
}

}  // namespace turboci::test
