// SPDX-License-Identifier: Apache-2.0
// Rules: node_key is plan_key << 32 | number in the plan, so that what belongs to a plan is a range of every
// table; text ids once, in the order of their bytes whatever the database's locale; JSON as text, byte for
// byte; what resolution reads and writes (nodes) apart from what is written once (node_bodies); no index on a
// column that changes with every step, except partial ones on the few rows that are live, so that most
// updates stay within their page. States are stored by number, times as microseconds UTC, durations as
// microseconds.
#include "store/postgresql/schema.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "domain/random.hpp"
#include "turboci/error.hpp"
#include "turboci/work_plan.hpp"

namespace turboci::postgresql {

namespace {

constexpr std::array kStatements{
    "CREATE SCHEMA turboci",
    "CREATE TABLE turboci.meta(only_one bool PRIMARY KEY DEFAULT true CHECK(only_one), format int NOT NULL,"
    " writes_from int NOT NULL, reads_from int NOT NULL, early_release bool NOT NULL DEFAULT true,"
    " identity text NOT NULL)",
    // Keys of plans are never used twice; one that a rollback wasted does no harm.
    "CREATE SEQUENCE turboci.plan_keys AS int",
    "CREATE TABLE turboci.plans(plan_key int PRIMARY KEY, id text COLLATE \"C\" NOT NULL, version bigint NOT "
    "NULL,"
    " labels text NOT NULL, created_at bigint NOT NULL, clock_time bigint NOT NULL, clock_since_boot bigint "
    "NOT"
    " NULL, clock_boot_id text NOT NULL, identity text NOT NULL, older_rules_until bigint NOT NULL,"
    " limits text NOT NULL, cancelled_since bigint, cancelled_by text, cancelled_reason text, from_id text,"
    " from_identity text, next_node bigint NOT NULL) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = "
    "0,"
    " autovacuum_vacuum_threshold = 500)",
    "CREATE UNIQUE INDEX plans_by_id ON turboci.plans(id)",
    "CREATE TABLE turboci.plan_counts(plan_key int, type smallint, state smallint, outcome smallint,"
    " count bigint NOT NULL, PRIMARY KEY(plan_key, type, state, outcome)) WITH (fillfactor = 50)",
    "CREATE TABLE turboci.nodes(node_key bigint PRIMARY KEY, plan_key int NOT NULL, type smallint NOT NULL,"
    " id text COLLATE \"C\" NOT NULL, kind text COLLATE \"C\" NOT NULL, state smallint NOT NULL, outcome "
    "smallint,"
    " concluded_reason smallint, version bigint NOT NULL, updated_at bigint NOT NULL, history bytea NOT NULL,"
    " group_kind smallint NOT NULL, threshold int NOT NULL, unresolved int NOT NULL, satisfied int NOT NULL,"
    " resolution smallint NOT NULL, dependencies_since bigint NOT NULL, attempt int NOT NULL,"
    " has_continuation bool NOT NULL, required bool NOT NULL, skip_cause smallint) WITH (fillfactor = 70)",
    "CREATE UNIQUE INDEX nodes_by_id ON turboci.nodes(plan_key, type, id)",
    "CREATE TABLE turboci.node_bodies(node_key bigint PRIMARY KEY, json text NOT NULL, max_retries int NOT "
    "NULL,"
    " backoff bigint NOT NULL, timeout bigint, heartbeat bigint, created_by bigint, created_by_attempt int,"
    " message text, condition text, silence bigint, runner text, uses text, max_backoff bigint, retry_on "
    "text,"
    " on_interrupt smallint, carried_from_id text, carried_from_identity text, carried_from_version bigint)",
    "CREATE TABLE turboci.predicate_groups(owner_key bigint, role smallint, group_no int, parent int NOT "
    "NULL,"
    " kind smallint NOT NULL, threshold int NOT NULL, unresolved int NOT NULL, satisfied int NOT NULL,"
    " resolution smallint NOT NULL, since bigint NOT NULL, PRIMARY KEY(owner_key, role, group_no))"
    " WITH (fillfactor = 70)",
    "CREATE TABLE turboci.edges(owner_key bigint, role smallint, position int, group_no int NOT NULL,"
    " target_key bigint NOT NULL, target_type smallint NOT NULL, on_state smallint NOT NULL,"
    " on_when smallint NOT NULL, PRIMARY KEY(owner_key, role, position))",
    "CREATE INDEX edges_by_target ON turboci.edges(target_key, on_state)",
    "CREATE TABLE turboci.assignments(stage_key bigint, position int, check_key bigint NOT NULL,"
    " goal smallint NOT NULL, PRIMARY KEY(stage_key, position))",
    "CREATE INDEX assignments_by_check ON turboci.assignments(check_key, stage_key)",
    "CREATE TABLE turboci.goals(check_key bigint, goal smallint, stages int NOT NULL, open int NOT NULL,"
    " PRIMARY KEY(check_key, goal)) WITH (fillfactor = 70)",
    "CREATE TABLE turboci.attempts(stage_key bigint, idx int, plan_key int NOT NULL, state smallint NOT NULL,"
    " process_uid text NOT NULL, details text NOT NULL, failure text, not_before bigint, last_heartbeat "
    "bigint,"
    " created_at bigint NOT NULL, updated_at bigint NOT NULL, ready_at bigint NOT NULL, started_at bigint,"
    " deadline bigint, no_retry bool NOT NULL, runner_host text, runner_boot_id text, runner_pid bigint,"
    " runner_start bigint, holder text NOT NULL, cause smallint, exit_code int, signal int, log_path text,"
    " stopping_since bigint, stopping_by text, stopping_reason text, stopping_cause smallint,"
    " stopping_inside bool NOT NULL, ended_at bigint, retries int NOT NULL, interruptions int NOT NULL,"
    " class int NOT NULL, log_bytes bigint, log_dropped bigint, PRIMARY KEY(stage_key, idx))"
    " WITH (fillfactor = 70)",
    "CREATE INDEX attempts_ready ON turboci.attempts(plan_key, class, ready_at, stage_key) WHERE state = 10",
    "CREATE INDEX attempts_due ON turboci.attempts(plan_key, deadline, stage_key) WHERE state < 40 AND "
    "deadline IS"
    " NOT NULL",
    "CREATE INDEX attempts_held ON turboci.attempts(plan_key, stage_key) WHERE state > 10 AND state < 40",
    "CREATE TABLE turboci.classes(plan_key int, class int, runner text NOT NULL, uses text NOT NULL,"
    " PRIMARY KEY(plan_key, class))",
    "CREATE TABLE turboci.beats(holder text COLLATE \"C\" PRIMARY KEY, at bigint NOT NULL, name text NOT "
    "NULL,"
    " runners text NOT NULL, draining bool NOT NULL, started_at bigint NOT NULL) WITH (fillfactor = 20)",
    "CREATE TABLE turboci.log_parts(stage_key bigint, idx int, seq bigint, begin_at bigint NOT NULL,"
    " bytes bytea NOT NULL, PRIMARY KEY(stage_key, idx, seq))",
    // A part is read whole, and may be compressed by who printed it: no time is spent on that here.
    "ALTER TABLE turboci.log_parts ALTER bytes SET STORAGE EXTERNAL",
    "CREATE TABLE turboci.progress(stage_key bigint, idx int, seq int, message text NOT NULL,"
    " timestamp bigint NOT NULL, details text NOT NULL, PRIMARY KEY(stage_key, idx, seq))",
    "CREATE TABLE turboci.results(check_key bigint, id bigint, owner_type smallint NOT NULL,"
    " owner_id text COLLATE \"C\" NOT NULL, stage_key bigint NOT NULL, attempt int NOT NULL, data text NOT "
    "NULL,"
    " failure text, created_at bigint NOT NULL, finalized_at bigint, PRIMARY KEY(check_key, id))",
    "CREATE UNIQUE INDEX results_by_owner ON turboci.results(check_key, owner_type, owner_id)",
    "CREATE INDEX results_of_attempt ON turboci.results(stage_key, attempt) WHERE finalized_at IS NULL AND"
    " stage_key > 0",
    // `nonce` tells one write from another of the same version that was made in its place.
    "CREATE TABLE turboci.writes(plan_key int, version bigint, time bigint NOT NULL, actor text NOT NULL,"
    " reason text NOT NULL, op_id text NOT NULL, nonce bigint NOT NULL, PRIMARY KEY(plan_key, version))",
    "CREATE TABLE turboci.changes(plan_key int, version bigint, seq int, node_key bigint NOT NULL,"
    " by_whom smallint NOT NULL, changes text NOT NULL, PRIMARY KEY(plan_key, version, seq))",
    "CREATE INDEX changes_by_node ON turboci.changes(node_key, version, seq) WHERE node_key > 0",
    "CREATE TABLE turboci.operations(plan_key int, op_id text COLLATE \"C\", version bigint NOT NULL,"
    " claimed text NOT NULL, PRIMARY KEY(plan_key, op_id))",
};

constexpr const char* kInsertMeta =
    "INSERT INTO turboci.meta(format, writes_from, reads_from, identity) VALUES($1, $1, $1, $2)";
constexpr const char* kColumns =
    "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class AS c"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE n.nspname = 'turboci' AND c.relkind = 'r'";
constexpr const char* kBadIndexes =
    "SELECT c.relname::text FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = "
    "i.indexrelid"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'turboci' AND NOT i.indisvalid ORDER BY 1";

/// "TABLE.COLUMN" of all that a CREATE TABLE statement of ours makes.
void add_columns(std::string_view statement, std::vector<std::string>& to) {
    constexpr std::string_view kBegin = "CREATE TABLE turboci.";
    if (!statement.starts_with(kBegin)) return;
    statement.remove_prefix(kBegin.size());
    const std::size_t open = statement.find('(');
    const std::string table(statement.substr(0, open));
    int depth = 0;
    bool begins = true;
    for (std::size_t i = open; i < statement.size(); ++i) {
        const char c = statement[i];
        if (c == ' ') continue;
        if (begins) {
            const std::string word(statement.substr(i, statement.find_first_of(" (", i) - i));
            if (word != "PRIMARY" && c != '(') to.push_back(table + '.' + word);
        }
        begins = (c == '(' && ++depth == 1) || (c == ',' && depth == 1);
        if (c == ')' && --depth == 0) return;
    }
}

}  // namespace

Meta read_meta(const Result& result, bool writes, const std::string& location) {
    if (result.empty())
        throw Error(ErrorCode::store,
                    fmt::format("'{}': the store is damaged: it does not say its format", location),
                    "restore a backup")
            .because("DAMAGED");
    const Row row = result.row(0);
    const Meta meta{row.small(0), row.small(1), row.small(2), row.boolean(3), row.string(4)};
    if (kFormat < (writes ? meta.writes_from : meta.reads_from))
        throw Error(
            ErrorCode::store,
            fmt::format("'{}' has format {}, which this turboci is too old for", location, meta.format),
            "use a newer turboci");
    if (meta.format < kFormat)
        throw Error(
            ErrorCode::store,
            fmt::format("'{}' has format {}, which is older than this turboci's", location, meta.format),
            "let its owner run 'turboci store migrate'");
    return meta;
}

void create_schema(Connection& connection) {
    connection.run("BEGIN");
    // Others who make it at the same time wait, and then find it.
    connection.run("SELECT pg_advisory_xact_lock(1953854050)");
    connection.send("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'turboci'", {}, true);
    const bool is_there = !connection.sync().at(0).empty();
    if (is_there) {
        connection.run("ROLLBACK");
        static_cast<void>(connection.sync());
        throw Error(ErrorCode::conflict,
                    fmt::format("the database at '{}' has a schema turboci already", connection.location()),
                    "use it, or name another database");
    }
    for (const char* const statement : kStatements) connection.run(statement);
    connection.run(kInsertMeta, Parameters(kFormat, new_identity()));
    connection.run("COMMIT");
    static_cast<void>(connection.sync());
}

std::vector<StoreProblem> check_schema(Connection& connection) {
    connection.send(kColumns, {}, true);
    connection.send(kBadIndexes, {}, true);
    const auto results = connection.sync();
    std::vector<std::string> there, wanted;
    results.at(0).each([&](const Row& row) { there.push_back(row.string(0) + '.' + row.string(1)); });
    std::ranges::sort(there);
    for (const char* const statement : kStatements) add_columns(statement, wanted);
    std::vector<StoreProblem> problems;
    for (const std::string& column : wanted)
        if (!std::ranges::binary_search(there, column))
            problems.push_back({fmt::format("its column '{}' is missing", column)});
    results.at(1).each([&](const Row& row) {
        problems.push_back({fmt::format("its index '{}' is not valid", row.text(0))});
    });
    return problems;
}

}  // namespace turboci::postgresql
