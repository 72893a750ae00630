// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrations.hpp"

#include <fmt/core.h>

#include <array>

#include "store/sqlite/schema.hpp"

namespace turboci::sqlite {

namespace {

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

constexpr std::array<Migration, 1> kMigrations{{
    {2, "operations now tell which attempts they took", &upgrade_to_2},
}};

void set_version(Database& db, int version) {
    db.exec(fmt::format("PRAGMA user_version={}", version).c_str());
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

void create_schema(Database& db) {
    for (const SchemaObject& object : newest_schema()) db.exec(object.sql);
    db.exec("INSERT INTO counters(id, next_plan, next_node, next_change) VALUES(1, 1, 1, 1)");
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
