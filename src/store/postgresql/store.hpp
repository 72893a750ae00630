// SPDX-License-Identifier: Apache-2.0
// A store in a PostgreSQL database.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/postgresql/connection.hpp"
#include "turboci/store.hpp"

namespace turboci::postgresql {

class PostgresqlStore final : public Store {
public:
    /// NOT_FOUND if the database holds no store, else as Connection.
    PostgresqlStore(const std::string& url, StoreOptions options);

    [[nodiscard]] std::unique_ptr<Snapshot> read(const Wait& wait) override;
    [[nodiscard]] std::unique_ptr<Transaction> write(std::string_view plan, const Wait& wait) override;
    bool wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) override;
    void flush() override;
    [[nodiscard]] std::vector<StoreProblem> check(const Wait& wait) override;
    void backup(const std::string& path, const Wait& wait) override;
    /// The server gives space back by itself.
    std::int64_t compact(bool, const Wait&) override { return 0; }

private:
    /// Before each use: the connection is there, and nobody else uses it.
    void prepare();
    /// One look at a plan, or at all of them.
    [[nodiscard]] bool has_changed(std::string_view plan, std::int64_t seen,
                                   std::optional<std::string>& identity);

    Connection connection_;
    StoreOptions options_;
    StoreStatistics own_statistics_;
    StoreStatistics& statistics_;
    bool in_use_ = false;
    std::optional<std::string> told_;  ///< see wait_for_change()
};

}  // namespace turboci::postgresql
