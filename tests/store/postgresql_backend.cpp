// SPDX-License-Identifier: Apache-2.0
// The store in PostgreSQL: a database for each path, on the server of tests/support/with-postgresql.
#include <libpq-fe.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>
#include <utility>

#include "store/backend.hpp"
#include "store/openers.hpp"
#include "store/postgresql_database.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

namespace {

std::string server() {
    const char* const url = std::getenv("TURBOCI_TEST_SERVER");
    if (url == nullptr) throw std::runtime_error("run this by tests/support/with-postgresql");
    return url;
}

void run(const std::string& statement) { static_cast<void>(sql(server(), statement)); }

/// Not through a pooler.
std::string url_of(const std::string& database) {
    constexpr std::string_view kAdmin = "postgresql:///postgres?";
    return "postgresql:///" + database + "?" + server().substr(kAdmin.size());
}

/// Databases as they are needed; those of tests that are over go, since each takes some megabytes.
class Databases {
public:
    /// Empty: nothing was made at that path.
    [[nodiscard]] std::string find(const std::string& path) const {
        for (const auto& [at, name] : known_)
            if (at == path) return name;
        return {};
    }
    std::string make(const std::string& path) {
        if (!std::exchange(has_template_, true)) make_template();
        return make_of("model", path);
    }
    std::string make_empty() { return make_of("template1", {}); }

private:
    std::string make_of(const std::string& model, const std::string& path) {
        constexpr std::size_t kMost = 8;
        std::string name = "store" + std::to_string(++count_);
        run("CREATE DATABASE " + name + " TEMPLATE " + model);
        known_.emplace_back(path, name);
        if (known_.size() > kMost) {
            run("DROP DATABASE " + known_.front().second + " WITH (FORCE)");
            known_.pop_front();
        }
        return name;
    }
    static void make_template() {
        run("CREATE DATABASE model");
        static_cast<void>(init_postgresql_store(url_of("model")));
    }
    std::deque<std::pair<std::string, std::string>> known_;
    int count_ = 0;
    bool has_template_ = false;
};

Databases& databases() {
    static Databases all;
    return all;
}

}  // namespace

std::string sql(const std::string& url, const std::string& statement) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), statement.c_str()),
                                                               &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string backend_url(const std::string& path) { return url_of(databases().find(path)); }

std::string new_database() { return url_of(databases().make_empty()); }

std::unique_ptr<Store> open_backend(const std::string& path, StoreOptions options, const Wait&) {
    std::string name = databases().find(path);
    if (name.empty() && !options.create) throw Error(ErrorCode::not_found, "nothing was made at " + path);
    if (name.empty()) name = databases().make(path);
    const char* const pool = std::getenv("TURBOCI_TEST_POOL");
    const std::string port = pool == nullptr ? std::string() : "&port=" + std::string(pool);
    return open_postgresql_store(url_of(name) + port, std::move(options));
}

}  // namespace turboci::test
