// SPDX-License-Identifier: Apache-2.0
// The store in PostgreSQL: a database for each path, on the server of tests/support/with-postgresql.
#include <libpq-fe.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>

#include "store/backend.hpp"
#include "store/openers.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

namespace {

void run(const std::string& sql) {
    const char* const server = std::getenv("TURBOCI_TEST_SERVER");
    if (server == nullptr) throw std::runtime_error("run this by tests/support/with-postgresql");
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(server), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()),
                                                               &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
}

std::string url_of(const std::string& database) {
    std::string url = std::getenv("TURBOCI_TEST_SERVER");
    constexpr std::string_view kAdmin = "postgresql:///postgres?";
    return "postgresql:///" + database + "?" + url.substr(kAdmin.size());
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
        constexpr std::size_t kMost = 8;
        if (count_ == 0) make_template();
        std::string name = "store" + std::to_string(++count_);
        run("CREATE DATABASE " + name + " TEMPLATE model");
        known_.emplace_back(path, name);
        if (known_.size() > kMost) {
            run("DROP DATABASE " + known_.front().second + " WITH (FORCE)");
            known_.pop_front();
        }
        return name;
    }

private:
    static void make_template() {
        run("CREATE DATABASE model");
        static_cast<void>(init_postgresql_store(url_of("model")));
    }
    std::deque<std::pair<std::string, std::string>> known_;
    int count_ = 0;
};

}  // namespace

std::unique_ptr<Store> open_backend(const std::string& path, StoreOptions options, const Wait&) {
    static Databases databases;
    std::string name = databases.find(path);
    if (name.empty() && !options.create) throw Error(ErrorCode::not_found, "nothing was made at " + path);
    if (name.empty()) name = databases.make(path);
    return open_postgresql_store(url_of(name), std::move(options));
}

}  // namespace turboci::test
