// SPDX-License-Identifier: Apache-2.0
// A connection to the server that only talks in pipelines: statements are queued, and one trip brings the
// answers to all of them. It leaves no state in the session, so that a pooler may give the session to others
// in between.
#pragma once

#include <libpq-fe.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/postgresql/errors.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"

namespace turboci::postgresql {

class Connection {
public:
    /// `command`: for the server's list of who is connected. USAGE if the URL is malformed or holds a
    /// password, STORE if the server cannot be reached.
    Connection(const std::string& url, const std::string& command);

    /// Queues a statement. `is_wanted`: sync() returns its result.
    void send(const std::string& sql, const Parameters& parameters, bool is_wanted);
    /// Queues one whose result nobody wants.
    void run(const std::string& sql, const Parameters& parameters = {}) { send(sql, parameters, false); }
    /// One trip. The results of the queued statements that are wanted, in order. After a failure the
    /// statements behind it have not run, nor have those queued meanwhile.
    [[nodiscard]] std::vector<Result> sync();
    /// The same without throwing for what the server says.
    [[nodiscard]] std::optional<Failure> try_sync(std::vector<Result>& results);
    /// Sends what is queued, whose results nobody wants, without waiting for the answers. A failure of it is
    /// not told.
    void sync_later();
    /// Connects again if the server has ended the connection while nobody used it.
    void revive();
    [[nodiscard]] bool is_lost() const { return PQstatus(connection_.get()) == CONNECTION_BAD; }

    /// The URL, which holds no password, as users know it.
    [[nodiscard]] const std::string& location() const { return url_; }
    [[noreturn]] void fail(const Failure& failure) const { throw_failure(failure, url_); }

    /// null: nobody counts.
    void count_in(StoreStatistics* statistics) { statistics_ = statistics; }
    /// Rows that are written; those that are read count themselves.
    void count_rows(std::int64_t rows) {
        if (statistics_ != nullptr) statistics_->rows += rows;
    }

private:
    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    void connect();
    void check_server() const;
    void end_pipeline();
    /// Waits until the next result is there or the connection is lost.
    void wait_for_input();
    [[nodiscard]] Failure lost() const;
    void take(ResultPointer result, std::vector<Result>& results, std::optional<Failure>& failure);

    std::string url_, command_;
    std::unique_ptr<PGconn, Finish> connection_;
    std::deque<bool> wanted_;  ///< of each statement that was not answered yet
    int syncs_ = 0;            ///< that were not answered yet
    StoreStatistics* statistics_ = nullptr;
};

/// Refuses a URL that is malformed or holds a password.
void require_plain_url(const std::string& url);

}  // namespace turboci::postgresql
