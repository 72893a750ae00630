// SPDX-License-Identifier: Apache-2.0
// How the rollback journal of one connection is written: in few pieces, and without opening it anew each
// time.
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace turboci::sqlite {

/// A VFS for one connection. It does what SQLite's own does, except for the rollback journal:
///
/// - What is written to it is put together in memory and written when it is synced, or read back from the
/// disk.
///   SQLite writes a page in three pieces, and nothing of the database before the journal is synced.
/// - It stays open between transactions and is used again, if only to look at it, if its name still leads to
/// it. So its name, once
///   made durable, need not be made durable for each transaction. Its inode cannot be another's meanwhile,
///   and SQLite opens a journal only under the lock that keeps other writers, who might remove it, away.
class JournalVfs {
public:
    /// Registers it. std::bad_alloc if that fails.
    JournalVfs();
    /// The connection must be closed.
    ~JournalVfs();
    JournalVfs(const JournalVfs&) = delete;
    JournalVfs& operator=(const JournalVfs&) = delete;
    /// errno of the first failure to open or write the journal since this was last asked; 0: there was none.
    [[nodiscard]] int take_error() noexcept { return std::exchange(error_, 0); }
    /// For sqlite3_open_v2().
    [[nodiscard]] const char* name() const noexcept { return name_.c_str(); }

private:
    struct Trampolines;
    struct File;

    [[nodiscard]] sqlite3_file* kept() noexcept { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
    [[nodiscard]] bool is_open() noexcept { return kept()->pMethods != nullptr; }
    int open(const char* path, int flags, int* flags_out) noexcept;
    void close() noexcept;
    /// Is it a regular file with one name, or will it be one?
    [[nodiscard]] bool may_open(const char* path) noexcept;
    /// Does the name lead to the journal that is open?
    [[nodiscard]] bool still_at(const char* path) const noexcept;
    [[nodiscard]] bool has_durable_name() noexcept;

    int read(char* to, int size, sqlite3_int64 at);
    int write(const char* from, int size, sqlite3_int64 at);
    int truncate(sqlite3_int64 size);
    int flush();
    int sync(int flags);
    /// Keeps errno after a failure.
    int noted(int rc) noexcept;
    [[nodiscard]] sqlite3_int64 pending_end() const noexcept {
        return pending_at_ + static_cast<sqlite3_int64>(pending_.size());
    }

    sqlite3_vfs& base_;
    sqlite3_vfs vfs_{};
    std::string name_;
    std::vector<std::int64_t> memory_;  ///< of the base's file, zero while there is none
    const char* path_ = nullptr;        ///< of the journal that is open; as SQLite makes names of files
    struct stat file_ {};               ///< what stat() said of it
    bool has_durable_name_ = false;
    std::vector<char> pending_;  ///< not yet written
    sqlite3_int64 pending_at_ = 0;
    int error_ = 0;
};

}  // namespace turboci::sqlite
