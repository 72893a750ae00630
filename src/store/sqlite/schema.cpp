// SPDX-License-Identifier: Apache-2.0
// Version 4; migrations.cpp tells how it came to be. Rules: integer keys, text ids once; what resolution
// reads and writes (nodes) apart from what is written once (node_bodies); no index on a column that changes
// with every step, except partial ones on the few rows that are live. States are stored by number, times as
// microseconds UTC, durations as microseconds. Foreign keys only where they cost nothing; `turboci store
// check` looks at the others.
#include "store/sqlite/schema.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace turboci::sqlite {

namespace {

constexpr std::array<SchemaObject, 29> kSchema{{
    // The next key of each kind. Keys are never used twice, not even after a plan is deleted.
    {"table", "counters", "counters",
     "CREATE TABLE counters(id INTEGER PRIMARY KEY CHECK(id = 1), next_plan INTEGER NOT NULL,"
     " next_node INTEGER NOT NULL, next_change INTEGER NOT NULL, identity TEXT NOT NULL DEFAULT '') STRICT"},
    {"table", "plans", "plans",
     "CREATE TABLE plans(plan_key INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL,"
     " labels TEXT NOT NULL, created_at INTEGER NOT NULL, clock_time INTEGER NOT NULL,"
     " clock_since_boot INTEGER NOT NULL, clock_boot_id TEXT NOT NULL, identity TEXT NOT NULL DEFAULT '',"
     " older_rules_until INTEGER NOT NULL DEFAULT 0, from_id TEXT, from_identity TEXT, cancelled_since "
     "INTEGER,"
     " cancelled_by TEXT, cancelled_reason TEXT, limits TEXT NOT NULL DEFAULT '{}') STRICT"},
    {"index", "plans_by_id", "plans", "CREATE UNIQUE INDEX plans_by_id ON plans(id)"},
    // How many nodes are in a state; outcome 0 is none. Rows at zero may stay.
    {"table", "plan_counts", "plan_counts",
     "CREATE TABLE plan_counts(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
     " type INTEGER NOT NULL, state INTEGER NOT NULL, outcome INTEGER NOT NULL, count INTEGER NOT NULL,"
     " PRIMARY KEY(plan_key, type, state, outcome)) STRICT, WITHOUT ROWID"},
    // The hot row. `history` is packed, see encoding.hpp; the five columns from group_kind on are the count
    // of
    // the root group of the dependencies.
    {"table", "nodes", "nodes",
     "CREATE TABLE nodes(node_key INTEGER PRIMARY KEY,"
     " plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED, type INTEGER NOT NULL,"
     " id TEXT NOT NULL, kind TEXT NOT NULL, state INTEGER NOT NULL, outcome INTEGER, concluded_reason "
     "INTEGER,"
     " version INTEGER NOT NULL, updated_at INTEGER NOT NULL, history BLOB NOT NULL, group_kind INTEGER NOT "
     "NULL,"
     " threshold INTEGER NOT NULL, unresolved INTEGER NOT NULL, satisfied INTEGER NOT NULL,"
     " resolution INTEGER NOT NULL, dependencies_since INTEGER NOT NULL, attempt INTEGER NOT NULL,"
     " has_continuation INTEGER NOT NULL, required INTEGER NOT NULL DEFAULT 1, skip_cause INTEGER) STRICT"},
    {"index", "nodes_by_id", "nodes", "CREATE UNIQUE INDEX nodes_by_id ON nodes(plan_key, type, id)"},
    // The cold rest; no row where everything has its default.
    {"table", "node_bodies", "node_bodies",
     "CREATE TABLE node_bodies(node_key INTEGER PRIMARY KEY, json TEXT NOT NULL, max_retries INTEGER NOT "
     "NULL,"
     " backoff INTEGER NOT NULL, timeout INTEGER, heartbeat INTEGER, created_by INTEGER,"
     " created_by_attempt INTEGER, message TEXT, condition TEXT, silence INTEGER, runner TEXT, uses TEXT,"
     " max_backoff INTEGER, retry_on TEXT, on_interrupt INTEGER, carried_from_id TEXT,"
     " carried_from_identity TEXT, carried_from_version INTEGER) STRICT"},
    // All groups but the root of the dependencies.
    {"table", "predicate_groups", "predicate_groups",
     "CREATE TABLE predicate_groups(owner_key INTEGER NOT NULL, role INTEGER NOT NULL, group_no INTEGER NOT "
     "NULL,"
     " parent INTEGER NOT NULL, kind INTEGER NOT NULL, threshold INTEGER NOT NULL, unresolved INTEGER NOT "
     "NULL,"
     " satisfied INTEGER NOT NULL, resolution INTEGER NOT NULL, since INTEGER NOT NULL,"
     " PRIMARY KEY(owner_key, role, group_no)) STRICT, WITHOUT ROWID"},
    {"table", "edges", "edges",
     "CREATE TABLE edges(owner_key INTEGER NOT NULL, role INTEGER NOT NULL, position INTEGER NOT NULL,"
     " group_no INTEGER NOT NULL, target_key INTEGER NOT NULL, target_type INTEGER NOT NULL,"
     " on_state INTEGER NOT NULL, on_when INTEGER NOT NULL, PRIMARY KEY(owner_key, role, position))"
     " STRICT, WITHOUT ROWID"},
    // Covers edges_to(): what waits for a target is one range of it.
    {"index", "edges_by_target", "edges",
     "CREATE INDEX edges_by_target ON edges(target_key, on_state, owner_key, role, position, group_no,"
     " target_type, on_when)"},
    {"table", "assignments", "assignments",
     "CREATE TABLE assignments(stage_key INTEGER NOT NULL, position INTEGER NOT NULL, check_key INTEGER NOT "
     "NULL,"
     " goal INTEGER NOT NULL, PRIMARY KEY(stage_key, position)) STRICT, WITHOUT ROWID"},
    {"index", "assignments_by_check", "assignments",
     "CREATE INDEX assignments_by_check ON assignments(check_key, stage_key, position, goal)"},
    {"table", "goals", "goals",
     "CREATE TABLE goals(check_key INTEGER NOT NULL, goal INTEGER NOT NULL, stages INTEGER NOT NULL,"
     " open INTEGER NOT NULL, PRIMARY KEY(check_key, goal)) STRICT, WITHOUT ROWID"},
    {"table", "attempts", "attempts",
     "CREATE TABLE attempts(stage_key INTEGER NOT NULL, idx INTEGER NOT NULL, plan_key INTEGER NOT NULL,"
     " state INTEGER NOT NULL, process_uid TEXT NOT NULL, details TEXT NOT NULL, failure TEXT, not_before "
     "INTEGER,"
     " last_heartbeat INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, ready_at INTEGER "
     "NOT NULL,"
     " started_at INTEGER, deadline INTEGER, no_retry INTEGER NOT NULL, runner_host TEXT, runner_boot_id "
     "TEXT,"
     " runner_pid INTEGER, runner_start INTEGER, holder TEXT NOT NULL DEFAULT '', cause INTEGER,"
     " exit_code INTEGER, signal INTEGER, log_path TEXT, stopping_since INTEGER, stopping_by TEXT,"
     " stopping_reason TEXT, stopping_cause INTEGER, stopping_inside INTEGER NOT NULL DEFAULT 0,"
     " ended_at INTEGER, retries INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,"
     " class INTEGER NOT NULL DEFAULT 0, log_bytes INTEGER, log_dropped INTEGER, PRIMARY KEY(stage_key, idx))"
     " STRICT, WITHOUT ROWID"},
    {"index", "attempts_ready", "attempts",
     "CREATE INDEX attempts_ready ON attempts(plan_key, class, ready_at, stage_key) WHERE state = 10"},
    {"index", "attempts_due", "attempts",
     "CREATE INDEX attempts_due ON attempts(plan_key, deadline, stage_key) WHERE state < 40 AND deadline IS "
     "NOT NULL"},
    {"index", "attempts_held", "attempts",
     "CREATE INDEX attempts_held ON attempts(plan_key, stage_key) WHERE state > 10 AND state < 40"},
    // What a claim must look at of a ready attempt, as a number; 0 is: nothing in particular.
    {"table", "classes", "classes",
     "CREATE TABLE classes(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
     " class INTEGER NOT NULL, runner TEXT NOT NULL, uses TEXT NOT NULL, PRIMARY KEY(plan_key, class)) "
     "STRICT,"
     " WITHOUT ROWID"},
    // When holders of attempts last said that they live. Those with a name are workers.
    {"table", "beats", "beats",
     "CREATE TABLE beats(holder TEXT PRIMARY KEY, at INTEGER NOT NULL, name TEXT NOT NULL DEFAULT '',"
     " runners TEXT NOT NULL DEFAULT '', draining INTEGER NOT NULL DEFAULT 0,"
     " started_at INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID"},
    // What attempts printed elsewhere, in parts. A table with row ids: parts are large.
    {"table", "log_parts", "log_parts",
     "CREATE TABLE log_parts(part_key INTEGER PRIMARY KEY, stage_key INTEGER NOT NULL, idx INTEGER NOT NULL,"
     " seq INTEGER NOT NULL, begin_at INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT"},
    {"index", "log_parts_by_attempt", "log_parts",
     "CREATE UNIQUE INDEX log_parts_by_attempt ON log_parts(stage_key, idx, seq)"},
    {"table", "progress", "progress",
     "CREATE TABLE progress(stage_key INTEGER NOT NULL, idx INTEGER NOT NULL, seq INTEGER NOT NULL,"
     " message TEXT NOT NULL, timestamp INTEGER NOT NULL, details TEXT NOT NULL, PRIMARY KEY(stage_key, idx, "
     "seq))"
     " STRICT, WITHOUT ROWID"},
    // stage_key 0: not by an attempt.
    {"table", "results", "results",
     "CREATE TABLE results(check_key INTEGER NOT NULL, id INTEGER NOT NULL, owner_type INTEGER NOT NULL,"
     " owner_id TEXT NOT NULL, stage_key INTEGER NOT NULL, attempt INTEGER NOT NULL, data TEXT NOT NULL, "
     "failure TEXT,"
     " created_at INTEGER NOT NULL, finalized_at INTEGER, PRIMARY KEY(check_key, id)) STRICT, WITHOUT ROWID"},
    {"index", "results_by_owner", "results",
     "CREATE UNIQUE INDEX results_by_owner ON results(check_key, owner_type, owner_id)"},
    {"index", "results_open", "results",
     "CREATE INDEX results_open ON results(stage_key, attempt, check_key, id)"
     " WHERE finalized_at IS NULL AND stage_key > 0"},
    // The record. Changes are only ever appended; a write names its own by a range of keys.
    {"table", "writes", "writes",
     "CREATE TABLE writes(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
     " version INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,"
     " op_id TEXT NOT NULL, first_change INTEGER NOT NULL, change_count INTEGER NOT NULL,"
     " PRIMARY KEY(plan_key, version)) STRICT, WITHOUT ROWID"},
    {"table", "changes", "changes",
     "CREATE TABLE changes(change_key INTEGER PRIMARY KEY, node_key INTEGER NOT NULL, version INTEGER NOT "
     "NULL,"
     " by_whom INTEGER NOT NULL, changes TEXT NOT NULL) STRICT"},
    {"index", "changes_by_node", "changes",
     "CREATE INDEX changes_by_node ON changes(node_key) WHERE node_key > 0"},
    // Idempotency keys, the versions that answered them, and the attempts that they took, see encoding.hpp.
    {"table", "operations", "operations",
     "CREATE TABLE operations(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
     " op_id TEXT NOT NULL, version INTEGER NOT NULL, claimed TEXT NOT NULL, PRIMARY KEY(plan_key, op_id))"
     " STRICT, WITHOUT ROWID"},
}};

// What version 4 added columns to.
constexpr std::array<std::pair<std::string_view, const char*>, 2> kTablesOfVersion3{{
    {"attempts",
     "CREATE TABLE attempts(stage_key INTEGER NOT NULL, idx INTEGER NOT NULL, plan_key INTEGER NOT NULL,"
     " state INTEGER NOT NULL, process_uid TEXT NOT NULL, details TEXT NOT NULL, failure TEXT, not_before "
     "INTEGER,"
     " last_heartbeat INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, ready_at INTEGER "
     "NOT NULL,"
     " started_at INTEGER, deadline INTEGER, no_retry INTEGER NOT NULL, runner_host TEXT, runner_boot_id "
     "TEXT,"
     " runner_pid INTEGER, runner_start INTEGER, holder TEXT NOT NULL DEFAULT '', cause INTEGER,"
     " exit_code INTEGER, signal INTEGER, log_path TEXT, stopping_since INTEGER, stopping_by TEXT,"
     " stopping_reason TEXT, stopping_cause INTEGER, stopping_inside INTEGER NOT NULL DEFAULT 0,"
     " ended_at INTEGER, retries INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,"
     " class INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(stage_key, idx)) STRICT, WITHOUT ROWID"},
    {"beats", "CREATE TABLE beats(holder TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID"},
}};

// What version 3 added columns to.
constexpr std::array<std::pair<std::string_view, const char*>, 6> kTablesOfVersion2{{
    {"counters",
     "CREATE TABLE counters(id INTEGER PRIMARY KEY CHECK(id = 1), next_plan INTEGER NOT NULL,"
     " next_node INTEGER NOT NULL, next_change INTEGER NOT NULL) STRICT"},
    {"plans",
     "CREATE TABLE plans(plan_key INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL,"
     " labels TEXT NOT NULL, created_at INTEGER NOT NULL, clock_time INTEGER NOT NULL,"
     " clock_since_boot INTEGER NOT NULL, clock_boot_id TEXT NOT NULL) STRICT"},
    {"nodes",
     "CREATE TABLE nodes(node_key INTEGER PRIMARY KEY,"
     " plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED, type INTEGER NOT NULL,"
     " id TEXT NOT NULL, kind TEXT NOT NULL, state INTEGER NOT NULL, outcome INTEGER, concluded_reason "
     "INTEGER,"
     " version INTEGER NOT NULL, updated_at INTEGER NOT NULL, history BLOB NOT NULL, group_kind INTEGER NOT "
     "NULL,"
     " threshold INTEGER NOT NULL, unresolved INTEGER NOT NULL, satisfied INTEGER NOT NULL,"
     " resolution INTEGER NOT NULL, dependencies_since INTEGER NOT NULL, attempt INTEGER NOT NULL,"
     " has_continuation INTEGER NOT NULL) STRICT"},
    {"node_bodies",
     "CREATE TABLE node_bodies(node_key INTEGER PRIMARY KEY, json TEXT NOT NULL, max_retries INTEGER NOT "
     "NULL,"
     " backoff INTEGER NOT NULL, timeout INTEGER, heartbeat INTEGER) STRICT"},
    {"attempts",
     "CREATE TABLE attempts(stage_key INTEGER NOT NULL, idx INTEGER NOT NULL, plan_key INTEGER NOT NULL,"
     " state INTEGER NOT NULL, process_uid TEXT NOT NULL, details TEXT NOT NULL, failure TEXT, not_before "
     "INTEGER,"
     " last_heartbeat INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, ready_at INTEGER "
     "NOT NULL,"
     " started_at INTEGER, deadline INTEGER, no_retry INTEGER NOT NULL, runner_host TEXT, runner_boot_id "
     "TEXT,"
     " runner_pid INTEGER, runner_start INTEGER, PRIMARY KEY(stage_key, idx)) STRICT, WITHOUT ROWID"},
    {"attempts_ready",
     "CREATE INDEX attempts_ready ON attempts(plan_key, ready_at, stage_key) WHERE state = 10"},
}};

const Sql kReadSchema("SELECT type, name, tbl_name, sql FROM sqlite_schema");

bool is_internal(std::string_view name) {
    return name == "sqlite_stat1" || name == "sqlite_stat4" || name.starts_with("sqlite_autoindex_");
}

}  // namespace

std::span<const SchemaObject> newest_schema() { return kSchema; }

std::vector<SchemaObject> older_schema(int version) {
    std::vector<SchemaObject> schema(kSchema.begin(), kSchema.end());
    const auto replace = [&](std::string_view name, const char* sql) {
        std::ranges::find(schema, name, &SchemaObject::name)->sql = sql;
    };
    if (version < 4) {
        std::erase_if(schema, [](const SchemaObject& o) { return o.table == "log_parts"; });
        for (const auto& [name, sql] : kTablesOfVersion3) replace(name, sql);
    }
    if (version < 3) {
        std::erase_if(schema,
                      [](const SchemaObject& o) { return o.table == "classes" || o.table == "beats"; });
        for (const auto& [name, sql] : kTablesOfVersion2) replace(name, sql);
    }
    if (version < 2)
        replace(
            "operations",
            "CREATE TABLE operations(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY"
            " DEFERRED, op_id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY(plan_key, op_id)) STRICT,"
            " WITHOUT ROWID");
    return schema;
}

std::string schema_difference(Database& db, std::span<const SchemaObject> expected) {
    std::vector<bool> seen(expected.size());
    Query rows(db, kReadSchema);
    while (rows.step()) {
        const std::string_view name = rows.text(1);
        const auto it = std::ranges::find(expected, name, &SchemaObject::name);
        if (it == expected.end()) {
            if (is_internal(name)) continue;
            return fmt::format("it has a {} '{}' that is not turboci's", rows.text(0), name);
        }
        if (rows.is_null(3) || rows.text(0) != it->type || rows.text(2) != it->table ||
            rows.text(3) != it->sql)
            return fmt::format("its {} '{}' is not as turboci made it", it->type, name);
        seen[static_cast<std::size_t>(it - expected.begin())] = true;
    }
    const auto missing = std::ranges::find(seen, false);
    if (missing == seen.end()) return {};
    const SchemaObject& object = expected[static_cast<std::size_t>(missing - seen.begin())];
    return fmt::format("its {} '{}' is missing", object.type, object.name);
}

}  // namespace turboci::sqlite
