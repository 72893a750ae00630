// SPDX-License-Identifier: Apache-2.0
// The SQLite store: lock file, connection, opening and its refusals.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "store/sqlite/database.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

class SqliteStore final : public Store {
public:
    /// `path`: any path; made absolute.
    SqliteStore(const std::string& path, StoreOptions options, const Wait& wait);
    ~SqliteStore() override;
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    [[nodiscard]] std::unique_ptr<Snapshot> read(const Wait& wait) override;
    [[nodiscard]] std::unique_ptr<Transaction> write(std::string_view plan, const Wait& wait) override;
    bool wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) override;
    [[nodiscard]] std::vector<StoreProblem> check(const Wait& wait) override;
    void backup(const std::string& path, const Wait& wait) override;
    std::int64_t compact(bool at_once, const Wait& wait) override;

private:
    /// What every call begins with: INTERNAL if a transaction is open.
    void prepare(const Wait& wait);
    void open_file(const Wait& wait);
    [[noreturn]] void refuse_moved() const;
    /// If there was no file when last looked: opens it if there is one by now.
    void renew_draft(const Wait& wait);
    void start_draft();
    void begin(bool writes, const Wait& wait);
    [[nodiscard]] std::unique_ptr<Transaction> write_draft();
    /// Refuses what is not a turboci store of a known schema, without changing a byte of it.
    void examine_file() const;
    void upgrade(const Wait& wait);
    /// Compares the schema with ours, unless nothing has touched it since that was last done.
    void verify_schema();
    void verify_older_schema(int version) const;
    void refuse_difference(const std::string& difference) const;
    void rollback() noexcept;

    StoreOptions options_;
    const Clock& clock_;
    ResolvedPath where_;
    FileLock lock_;
    std::unique_ptr<Database> db_;
    std::optional<std::int64_t> commits_told_;  ///< of others, see wait_for_change()
    std::int64_t verified_schema_ = -1;         ///< SQLite's schema cookie of the schema that was compared
    bool in_use_ = false;                       ///< a transaction is open
    bool has_written_ = false;
    UniqueFd made_;                ///< the file that our own commit made, until it is opened
    bool is_draft_ = true;         ///< `db_` has no name, as there is no file yet
    bool draft_is_spent_ = false;  ///< it holds what did not get to the disk, or is another's file
};

/// Everything that `turboci store check` can see in the rows, one line each; needs a transaction.
void check_rows(Database& db, std::vector<StoreProblem>& problems);

/// A copy of the database in a new file.
void backup_database(Database& db, const ResolvedPath& to);

}  // namespace turboci::sqlite
