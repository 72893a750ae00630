// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/store.hpp"

#include <utility>

#include "store/openers.hpp"
#include "store/poll.hpp"
#include "store/postgresql/schema.hpp"
#include "store/postgresql/transaction.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

constexpr const char* kLookAtPlan = "SELECT version, identity FROM turboci.plans WHERE id = $1";
// Which transactions have changed a plan's row, in which order so ever: another one, another text.
constexpr const char* kLookAtAll =
    "SELECT count(*) || ' ' || coalesce(sum(version), 0) || ' ' || coalesce(max(plan_key), 0) || ' '"
    " || coalesce(max(xmin::text::bigint), 0) FROM turboci.plans";

}  // namespace

PostgresqlStore::PostgresqlStore(const std::string& url, StoreOptions options)
    : connection_(url, options.command),
      options_(std::move(options)),
      statistics_(options_.statistics != nullptr ? *options_.statistics : own_statistics_) {
    connection_.count_in(&statistics_);
    connection_.send(kReadMeta, {}, true);
    static_cast<void>(read_meta(connection_.sync().at(0), !options_.read_only, url));
}

void PostgresqlStore::prepare() {
    if (in_use_) throw Error(ErrorCode::internal, "a transaction is open already");
    connection_.revive();
}

std::unique_ptr<Snapshot> PostgresqlStore::read(const Wait& wait) {
    prepare();
    statistics_ = {};
    in_use_ = true;
    return std::make_unique<PostgresqlTransaction>(connection_, options_.clock, false, wait,
                                                   [this] { in_use_ = false; });
}

std::unique_ptr<Transaction> PostgresqlStore::write(std::string_view plan, const Wait& wait) {
    prepare();
    if (options_.read_only) throw Error(ErrorCode::internal, "the store was opened for reading");
    statistics_ = {};
    in_use_ = true;
    auto transaction = std::make_unique<PostgresqlTransaction>(connection_, options_.clock, true, wait,
                                                               [this] { in_use_ = false; });
    if (!plan.empty()) transaction->lock(plan);
    return transaction;
}

bool PostgresqlStore::has_changed(std::string_view plan, std::int64_t seen,
                                  std::optional<std::string>& identity) {
    if (plan.empty()) {
        connection_.send(kLookAtAll, {}, true);
        std::string now = connection_.sync().at(0).row(0).string(0);
        return std::exchange(told_, now) != now;
    }
    connection_.send(kLookAtPlan, Parameters(plan), true);
    const auto found = connection_.sync();
    if (found.at(0).empty()) return true;
    const Row row = found[0].row(0);
    if (row.integer(0) != seen || row.string(1) != identity.value_or(row.string(1))) return true;
    identity = row.string(1);
    return false;
}

bool PostgresqlStore::wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) {
    std::optional<std::string> identity;
    return poll(patience, kChangePauses, [&] {
        prepare();
        return has_changed(plan, seen, identity);
    });
}

void PostgresqlStore::flush() {
    prepare();
    connection_.run(kFlushForReader);
    static_cast<void>(connection_.sync());
}

std::vector<StoreProblem> PostgresqlStore::check(const Wait&) {
    prepare();
    return check_schema(connection_);
}

void PostgresqlStore::backup(const std::string&, const Wait&) {
    throw Error(ErrorCode::invalid_argument, "a store in PostgreSQL is not copied to a file",
                "back the database up with pg_dump, or a plan with 'turboci plan export'");
}

}  // namespace turboci::postgresql

namespace turboci {

std::unique_ptr<Store> open_postgresql_store(const std::string& url, StoreOptions options) {
    return std::make_unique<postgresql::PostgresqlStore>(url, std::move(options));
}

std::vector<std::string> init_postgresql_store(const std::string& url) {
    postgresql::Connection connection(url, "store init");
    postgresql::create_schema(connection);
    return {"GRANT USAGE ON SCHEMA turboci TO ROLE;",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA turboci TO ROLE;",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA turboci TO ROLE;"};
}

void use_postgresql_stores() {
    set_server_stores({{"postgresql://", "postgres://"}, open_postgresql_store, init_postgresql_store});
}

}  // namespace turboci
