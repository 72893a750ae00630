// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrations.hpp"

#include <fmt/core.h>

#include <array>

#include "store/sqlite/schema.hpp"

namespace turboci::sqlite {

namespace {

/// Every skipped node was skipped for something that failed or was cancelled (upstream, 1), or for nothing of
/// that kind (2). From what failed on along the edges, and from stages to the checks that they were assigned
/// to.
void decide_skip_causes(Database& db) {
    db.exec(
        "WITH RECURSIVE upstream(node_key) AS ("
        "SELECT node_key FROM nodes WHERE outcome IN (2, 4)"
        " UNION SELECT n.node_key FROM upstream AS u CROSS JOIN edges AS e INDEXED BY edges_by_target"
        " ON e.target_key = u.node_key AND e.role = 1 AND (e.on_state < 40 OR e.on_when = 1)"
        " CROSS JOIN nodes AS n ON n.node_key = e.owner_key AND n.outcome = 3"
        " UNION SELECT n.node_key FROM upstream AS u CROSS JOIN nodes AS s ON s.node_key = u.node_key AND "
        "s.outcome = 3"
        " CROSS JOIN assignments AS a ON a.stage_key = s.node_key AND a.goal = 40"
        " CROSS JOIN nodes AS n ON n.node_key = a.check_key AND n.outcome = 3)"
        " UPDATE nodes SET skip_cause = 1 WHERE outcome = 3 AND node_key IN (SELECT node_key FROM upstream)");
    db.exec("UPDATE nodes SET skip_cause = 2 WHERE outcome = 3 AND skip_cause IS NULL");
}

/// Operations tell which attempts they took. Until then the record of their write had to be searched for it.
/// The statements are those of version 2 for ever, whatever newest_schema() comes to be.
void upgrade_to_2(Database& db) {
    db.exec("ALTER TABLE operations RENAME TO operations_1");
    // To the letter as in schema.cpp: the text of a schema is compared.
    db.exec(
        "CREATE TABLE operations(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
        " op_id TEXT NOT NULL, version INTEGER NOT NULL, claimed TEXT NOT NULL, PRIMARY KEY(plan_key, op_id))"
        " STRICT, WITHOUT ROWID");
    db.exec(
        "INSERT INTO operations(plan_key, op_id, version, claimed)"
        " SELECT plan_key, op_id, version, coalesce((SELECT group_concat(taken, ' ') FROM"
        " (SELECT c.node_key || ':' || json_extract(a.value, '$.idx') AS taken FROM writes AS w"
        " CROSS JOIN changes AS c"
        " CROSS JOIN json_each(iif(json_valid(c.changes), c.changes, '{}'), '$.attempts') AS a"
        " WHERE w.plan_key = o.plan_key AND w.version = o.version AND w.op_id = o.op_id"
        " AND c.change_key >= w.first_change AND c.change_key < w.first_change + w.change_count"
        " AND c.by_whom = 1 AND json_extract(a.value, '$.state') = 'RUNNING' ORDER BY c.change_key)), '')"
        " FROM operations_1 AS o");
    db.exec("DROP TABLE operations_1");
}

/// Attempts tell why they ended, plans and holders who they are. The columns are added in the order in which
/// schema.cpp names them: SQLite writes their text into that of the table.
void upgrade_to_3(Database& db) {
    for (const char* column : {"counters ADD COLUMN identity TEXT NOT NULL DEFAULT ''",
                               "plans ADD COLUMN identity TEXT NOT NULL DEFAULT ''",
                               "plans ADD COLUMN older_rules_until INTEGER NOT NULL DEFAULT 0",
                               "plans ADD COLUMN from_id TEXT",
                               "plans ADD COLUMN from_identity TEXT",
                               "plans ADD COLUMN cancelled_since INTEGER",
                               "plans ADD COLUMN cancelled_by TEXT",
                               "plans ADD COLUMN cancelled_reason TEXT",
                               "plans ADD COLUMN limits TEXT NOT NULL DEFAULT '{}'",
                               "nodes ADD COLUMN required INTEGER NOT NULL DEFAULT 1",
                               "nodes ADD COLUMN skip_cause INTEGER",
                               "node_bodies ADD COLUMN created_by INTEGER",
                               "node_bodies ADD COLUMN created_by_attempt INTEGER",
                               "node_bodies ADD COLUMN message TEXT",
                               "node_bodies ADD COLUMN condition TEXT",
                               "node_bodies ADD COLUMN silence INTEGER",
                               "node_bodies ADD COLUMN runner TEXT",
                               "node_bodies ADD COLUMN uses TEXT",
                               "node_bodies ADD COLUMN max_backoff INTEGER",
                               "node_bodies ADD COLUMN retry_on TEXT",
                               "node_bodies ADD COLUMN on_interrupt INTEGER",
                               "node_bodies ADD COLUMN carried_from_id TEXT",
                               "node_bodies ADD COLUMN carried_from_identity TEXT",
                               "node_bodies ADD COLUMN carried_from_version INTEGER",
                               "attempts ADD COLUMN holder TEXT NOT NULL DEFAULT ''",
                               "attempts ADD COLUMN cause INTEGER",
                               "attempts ADD COLUMN exit_code INTEGER",
                               "attempts ADD COLUMN signal INTEGER",
                               "attempts ADD COLUMN log_path TEXT",
                               "attempts ADD COLUMN stopping_since INTEGER",
                               "attempts ADD COLUMN stopping_by TEXT",
                               "attempts ADD COLUMN stopping_reason TEXT",
                               "attempts ADD COLUMN stopping_cause INTEGER",
                               "attempts ADD COLUMN stopping_inside INTEGER NOT NULL DEFAULT 0",
                               "attempts ADD COLUMN ended_at INTEGER",
                               "attempts ADD COLUMN retries INTEGER NOT NULL DEFAULT 0",
                               "attempts ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0",
                               "attempts ADD COLUMN class INTEGER NOT NULL DEFAULT 0"})
        db.exec(fmt::format("ALTER TABLE {}", column).c_str());
    db.exec("DROP INDEX attempts_ready");
    db.exec("CREATE INDEX attempts_ready ON attempts(plan_key, class, ready_at, stage_key) WHERE state = 10");
    db.exec(
        "CREATE TABLE classes(plan_key INTEGER NOT NULL REFERENCES plans DEFERRABLE INITIALLY DEFERRED,"
        " class INTEGER NOT NULL, runner TEXT NOT NULL, uses TEXT NOT NULL, PRIMARY KEY(plan_key, class)) "
        "STRICT,"
        " WITHOUT ROWID");
    db.exec("CREATE TABLE beats(holder TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID");
    db.exec("UPDATE counters SET identity = lower(hex(randomblob(16)))");
    db.exec("UPDATE plans SET identity = lower(hex(randomblob(16))), older_rules_until = version");
    // The end of an attempt was its last change. Of its cause there is nothing but the words of its failure.
    db.exec(
        "UPDATE attempts SET ended_at = updated_at, cause = CASE WHEN state = 40 THEN NULL"
        " WHEN failure = 'cancelled' AND no_retry = 1 THEN 6 WHEN failure = 'lost: runner died' THEN 4"
        " WHEN failure LIKE 'interrupted%' THEN 5 WHEN failure LIKE 'timed out after %' THEN 2"
        " WHEN failure LIKE 'no heartbeat for %' THEN 3 ELSE 1 END WHERE state >= 40");
    db.exec("UPDATE attempts SET holder = lower(hex(randomblob(16))) WHERE state > 10 AND state < 40");
    db.exec(
        "UPDATE attempts SET retries = (SELECT count(*) FROM attempts AS b WHERE b.stage_key = "
        "attempts.stage_key"
        " AND b.idx < attempts.idx AND b.cause NOT IN (4, 5)), interruptions = idx - 1 - coalesce((SELECT "
        "max(b.idx)"
        " FROM attempts AS b WHERE b.stage_key = attempts.stage_key AND b.idx < attempts.idx"
        " AND b.cause NOT IN (4, 5)), 0) WHERE idx > 1");
    decide_skip_causes(db);
}

/// What attempts print may lie in the store, and workers have names.
void upgrade_to_4(Database& db) {
    for (const char* column :
         {"attempts ADD COLUMN log_bytes INTEGER", "attempts ADD COLUMN log_dropped INTEGER",
          "beats ADD COLUMN name TEXT NOT NULL DEFAULT ''",
          "beats ADD COLUMN runners TEXT NOT NULL DEFAULT ''",
          "beats ADD COLUMN draining INTEGER NOT NULL DEFAULT 0",
          "beats ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0"})
        db.exec(fmt::format("ALTER TABLE {}", column).c_str());
    db.exec(
        "CREATE TABLE log_parts(part_key INTEGER PRIMARY KEY, stage_key INTEGER NOT NULL, idx INTEGER NOT "
        "NULL,"
        " seq INTEGER NOT NULL, begin_at INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT");
    db.exec("CREATE UNIQUE INDEX log_parts_by_attempt ON log_parts(stage_key, idx, seq)");
}

constexpr std::array<Migration, 3> kMigrations{{
    {2, "operations now tell which attempts they took", &upgrade_to_2},
    {3, "attempts now tell why they ended, and skipped nodes why they were skipped", &upgrade_to_3},
    {4, "what attempts print can now lie in the store", &upgrade_to_4},
}};

void set_version(Database& db, int version) {
    db.exec(fmt::format("PRAGMA user_version={}", version).c_str());
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

void create_schema(Database& db) {
    for (const SchemaObject& object : newest_schema()) db.exec(object.sql);
    db.exec(
        "INSERT INTO counters(id, next_plan, next_node, next_change, identity)"
        " VALUES(1, 1, 1, 1, lower(hex(randomblob(16))))");
    set_version(db, newest_version(migrations()));
}

int schema_version(Database& db) {
    Query version(db, "PRAGMA user_version");
    if (!version.step()) throw_damaged("it has no schema version");
    return version.small(0);
}

void refuse_unknown_version(int version, std::span<const Migration> steps, const std::string& path) {
    if (version < 1) throw_damaged("it has no schema version");
    if (version > newest_version(steps))
        throw Error(ErrorCode::store,
                    fmt::format("'{}' was written by a newer turboci (schema {}, this one knows {})", path,
                                version, newest_version(steps)),
                    "upgrade turboci");
}

std::vector<std::string> migrate(Database& db, std::span<const Migration> steps) {
    const int from = schema_version(db);
    std::vector<std::string> sentences;
    for (const Migration& step : steps) {
        if (step.version <= from) continue;
        step.apply(db);
        sentences.emplace_back(step.sentence);
    }
    if (!sentences.empty()) set_version(db, newest_version(steps));
    return sentences;
}

}  // namespace turboci::sqlite
