// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/connection.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

/// The server's or the library's words, without its prefix and what follows the first line.
std::string one_line(const char* text) {
    std::string_view line(text == nullptr ? "" : text);
    line = line.substr(0, line.find('\n'));
    for (const std::string_view prefix : {"FATAL:  ", "ERROR:  "})
        if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    return std::string(line);
}

Options parse_url(const std::string& url) {
    char* problem = nullptr;
    Options options(PQconninfoParse(url.c_str(), &problem));
    const std::string text = one_line(problem);
    PQfreemem(problem);
    if (!options) throw Error(ErrorCode::usage, "the URL of the store is malformed: " + text);
    return options;
}

std::string value_of(const Options& options, std::string_view name) {
    for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o)
        if (o->keyword == name && o->val != nullptr) return o->val;
    return {};
}

std::string problem_of(PGconn* connection) { return one_line(PQerrorMessage(connection)); }

/// Names and values for libpq, the later ones of which count.
class Settings {
public:
    void add(const char* name, std::string value) {
        names_.push_back(name);
        values_.push_back(std::move(value));
    }
    [[nodiscard]] PGconn* connect() const {
        std::vector<const char*> names(names_), values;
        for (const std::string& value : values_) values.push_back(value.c_str());
        names.push_back(nullptr);
        values.push_back(nullptr);
        return PQconnectdbParams(names.data(), values.data(), 1);
    }

private:
    std::vector<const char*> names_;
    std::vector<std::string> values_;
};

Settings settings_of(const std::string& url, const std::string& command) {
    struct Default {
        const char* name;
        const char* variable;  ///< that libpq looks at, if there is one
        const char* value;
    };
    // A dead network is noticed in seconds: keepalives alone do not help where sent data is not acknowledged.
    constexpr Default kDefaults[] = {
        {"connect_timeout", "PGCONNECT_TIMEOUT", "5"},
        {"tcp_user_timeout", nullptr, "10000"},
        {"keepalives_idle", nullptr, "5"},
        {"keepalives_interval", nullptr, "3"},
        {"keepalives_count", nullptr, "3"},
    };
    const Options options = parse_url(url);
    Settings settings;
    settings.add("dbname", url);
    for (const Default& d : kDefaults)
        if (value_of(options, d.name).empty() &&
            (d.variable == nullptr || std::getenv(d.variable) == nullptr))
            settings.add(d.name, d.value);
    // Of several servers the one that can be written to.
    if (value_of(options, "host").find(',') != std::string::npos &&
        value_of(options, "target_session_attrs").empty())
        settings.add("target_session_attrs", "read-write");
    if (value_of(options, "application_name").empty())
        settings.add("application_name", command.empty() ? "turboci" : "turboci " + command);
    settings.add("gssencmode", "disable");
    settings.add("client_encoding", "UTF8");
    return settings;
}

}  // namespace

void require_plain_url(const std::string& url) {
    const Options options = parse_url(url);
    for (const char* const secret : {"password", "sslpassword"})
        if (!value_of(options, secret).empty())
            throw Error(ErrorCode::usage, "the URL of a store must not hold a password",
                        "put it into a file that PGPASSFILE names, or into PGPASSWORD");
}

Connection::Connection(const std::string& url, const std::string& command) : url_(url), command_(command) {
    require_plain_url(url_);
    connect();
}

void Connection::connect() {
    connection_.reset(settings_of(url_, command_).connect());
    if (!connection_) throw std::bad_alloc();
    if (is_lost())
        throw Error(ErrorCode::store,
                    fmt::format("cannot connect to '{}': {}", url_, problem_of(connection_.get())),
                    "see whether the server runs, and whether it lets you in")
            .because(kReasonConnectionLost);
    check_server();
    if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1)
        throw Error(ErrorCode::internal, "the connection takes no pipelines");
}

void Connection::check_server() const {
    constexpr int kOldest = 130000;
    if (PQserverVersion(connection_.get()) < kOldest)
        throw Error(ErrorCode::store, fmt::format("the server at '{}' is older than PostgreSQL 13", url_),
                    "use a newer one");
    const char* const encoding = PQparameterStatus(connection_.get(), "server_encoding");
    if (encoding != nullptr && std::string_view(encoding) != "UTF8")
        throw Error(ErrorCode::store, fmt::format("the database at '{}' is not in UTF8", url_),
                    "create one with: createdb --encoding UTF8 --template template0 NAME");
}

void Connection::revive() {
    // The end of a connection is there to be read, behind answers that nobody waited for.
    const auto has_input = [&] {
        pollfd wanted{PQsocket(connection_.get()), POLLIN, 0};
        return ::poll(&wanted, 1, 0) == 1;
    };
    while (!is_lost() && has_input())
        if (PQconsumeInput(connection_.get()) != 1) break;
    if (!is_lost()) return;
    wanted_.clear();
    syncs_ = 0;
    connect();
}

void Connection::send(const std::string& sql, const Parameters& parameters, bool is_wanted) {
    constexpr int kBinary = 1;
    const auto count = parameters.count();
    std::vector<const char*> values(count);
    std::vector<int> lengths(count), formats(count, kBinary);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& value = parameters.values()[i];
        values[i] = value ? value->data() : nullptr;
        lengths[i] = value ? static_cast<int>(value->size()) : 0;
    }
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(count), parameters.types().data(),
                          values.data(), lengths.data(), formats.data(), kBinary) != 1)
        fail(lost());
    wanted_.push_back(is_wanted);
    if (statistics_ != nullptr) ++statistics_->statements;
}

void Connection::end_pipeline() {
    if (PQpipelineSync(connection_.get()) != 1) fail(lost());
    ++syncs_;
}

void Connection::sync_later() {
    std::fill(wanted_.begin(), wanted_.end(), false);
    end_pipeline();
    PQflush(connection_.get());
}

std::vector<Result> Connection::sync() {
    std::vector<Result> results;
    if (const auto failure = try_sync(results)) fail(*failure);
    return results;
}

std::optional<Failure> Connection::try_sync(std::vector<Result>& results) {
    // What went before is nobody's business here.
    const int earlier = syncs_;
    end_pipeline();
    if (statistics_ != nullptr) ++statistics_->trips;
    std::optional<Failure> failure;
    int passed = 0;
    while (syncs_ > 0) {
        wait_for_input();
        ResultPointer result(PQgetResult(connection_.get()));
        if (!result) {
            if (is_lost()) return failure ? failure : lost();
            continue;  // the end of what one statement returns
        }
        if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
            --syncs_;
            if (++passed <= earlier) failure.reset();
            continue;
        }
        take(std::move(result), results, failure);
        if (is_lost()) return failure ? failure : lost();
    }
    return failure;
}

void Connection::take(ResultPointer result, std::vector<Result>& results, std::optional<Failure>& failure) {
    const bool is_wanted = !wanted_.empty() && wanted_.front();
    if (!wanted_.empty()) wanted_.pop_front();
    switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            count_rows(PQntuples(result.get()));
            if (is_wanted) results.emplace_back(std::move(result));
            return;
        case PGRES_PIPELINE_ABORTED:
            return;  // did not run: something before it failed
        default:
            break;
    }
    if (failure) return;
    const auto field = [&](int code) {
        const char* const text = PQresultErrorField(result.get(), code);
        return one_line(text);
    };
    failure =
        Failure{field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY), field(PG_DIAG_CONSTRAINT_NAME)};
    if (failure->state.empty()) failure = lost();  // said by the library
}

void Connection::wait_for_input() {
    PGconn* const connection = connection_.get();
    for (;;) {
        const int unsent = PQflush(connection);
        if (unsent < 0 || is_lost()) return;
        if (unsent == 0 && PQisBusy(connection) == 0) return;
        pollfd wanted{PQsocket(connection), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&wanted, 1, -1) < 0) {
            if (errno == EINTR) continue;
            fail({std::string(kConnectionLost), std::strerror(errno), {}});
        }
        if ((wanted.revents & ~POLLOUT) != 0 && PQconsumeInput(connection) != 1) return;
    }
}

Failure Connection::lost() const {
    std::string text = problem_of(connection_.get());
    return {std::string(kConnectionLost), text.empty() ? "the connection was lost" : text, {}};
}

}  // namespace turboci::postgresql
