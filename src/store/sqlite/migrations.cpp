// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrations.hpp"

#include <fmt/format.h>

#include <array>

#include "store/sqlite/schema.hpp"

namespace turboci::sqlite {

namespace {

void create_version_1(Database& db) {
    for (const SchemaObject& object : newest_schema()) db.exec(object.sql);
    db.exec("INSERT INTO counters(id, next_plan, next_node, next_change) VALUES(1, 1, 1, 1)");
}

constexpr std::array<Migration, 1> kMigrations{{
    {1, "created the store", &create_version_1},
}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

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
    if (!sentences.empty()) db.exec(fmt::format("PRAGMA user_version={}", newest_version(steps)).c_str());
    return sentences;
}

}  // namespace turboci::sqlite
