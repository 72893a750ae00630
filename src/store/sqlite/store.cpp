// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include "store/sqlite/create.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/unit_of_work.hpp"

namespace turboci::sqlite {

namespace {

const Sql kBeginWrite("BEGIN IMMEDIATE");
const Sql kBeginRead("BEGIN");
const Sql kSchemaCookie("PRAGMA schema_version");

[[noreturn]] void refuse(const std::string& path, std::string_view what,
                         std::string remedy = "name another file") {
    throw Error(ErrorCode::store, fmt::format("'{}' {}", path, what), std::move(remedy));
}

void refuse_unless_plain_file(const FileStatus& status, const std::string& path) {
    switch (status.kind) {
        case FileStatus::Kind::directory:
            refuse(path, "is a directory, not a store");
        case FileStatus::Kind::symlink:
            refuse(path, "is a symbolic link", "name the store itself");
        case FileStatus::Kind::other:
            refuse(path, "is not a regular file");
        case FileStatus::Kind::regular:
            break;
    }
    if (status.links > 1)
        refuse(path, fmt::format("has {} names (hard links)", status.links),
               "a store must have one, or its journal can be missed; copy it with 'turboci store backup'");
    if (status.size == 0) refuse(path, "is empty, not a store", "remove it, or name another file");
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

}  // namespace

SqliteStore::SqliteStore(StoreOptions options)
    : options_(std::move(options)),
      where_(resolve_path(options_.path)),
      lock_(where_.path + ".lock", options_.command) {
    if (file_status(where_.path)) {
        open_file();
        return;
    }
    if (!options_.create || options_.read_only)
        throw Error(ErrorCode::not_found, fmt::format("there is no store '{}'", options_.path),
                    "create one with 'turboci plan create', or name it with --store");
    db_ = make_draft();
}

SqliteStore::~SqliteStore() {
    if (!db_->keeps_journal()) return;
    try {
        lock_.acquire(Duration::zero(), {});
        db_->empty_kept_journal();
    } catch (const std::exception&) {
        // Somebody writes, or there is no memory; the journal may stay as it is.
    }
}

void SqliteStore::open_file() {
    const auto status = file_status(where_.path);
    struct stat made {
    }, named{};
    const bool is_ours = !made_ || (::fstat(made_.get(), &made) == 0 &&
                                    ::lstat(where_.path.c_str(), &named) == 0 && is_same_file(made, named));
    if (!status || !is_ours) refuse_moved();
    refuse_unless_plain_file(*status, where_.path);
    refuse_leftovers(where_.path, true);
    draft_is_spent_ = true;
    db_ = std::make_unique<Database>(where_.path, Database::Mode::read_write, options_.lock_timeout,
                                     options_.give_up);
    verified_schema_ = -1;
    examine_file();
    db_->use_durably();
    upgrade();
    is_draft_ = false;
    made_.reset();
}

void SqliteStore::refuse_moved() const {
    refuse(where_.path, "was removed or replaced while in use", "run the command again");
}

void SqliteStore::renew_draft() {
    if (!is_draft_) return;
    // Made by our own first commit, or by another process.
    if (has_written_ || file_status(where_.path)) return open_file();
    if (!draft_is_spent_) return;
    db_ = make_draft();
    verified_schema_ = -1;
    draft_is_spent_ = false;
}

void SqliteStore::examine_file() const {
    // Before SQLite looks: reading a foreign database could already roll back its journal.
    const std::string header = db_->peek_header();
    if (!header.starts_with(std::string_view("SQLite format 3\0", 16)) ||
        big_endian(header, 68) != kApplicationId)
        refuse(where_.path, "is not a turboci store");
    if (header[18] != 1 || header[19] != 1)
        refuse(where_.path, "is in WAL mode, which turboci does not use",
               fmt::format("run: sqlite3 '{}' 'PRAGMA journal_mode=DELETE'", where_.path));
    if (big_endian(header, 56) != 1) refuse(where_.path, "is not in UTF-8, as turboci makes it");
}

void SqliteStore::rollback() noexcept {
    if (db_->in_transaction()) sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    lock_.release();
}

void SqliteStore::upgrade() {
    try {
        Query(*db_, kBeginRead).run();
        const int version = schema_version(*db_);
        refuse_unknown_version(version, migrations(), where_.path);
        if (version == newest_version(migrations())) {
            verify_schema();
            return rollback();
        }
        verify_older_schema(version);
        rollback();
        if (db_->read_only())
            refuse(where_.path, fmt::format("has the older schema {} and cannot be written", version),
                   "let somebody who may write to it run a command on it first");
        lock_.acquire(options_.lock_timeout, options_.on_wait, options_.give_up);
        Query(*db_, kBeginWrite).run();
        // Somebody may have been faster.
        const int found = schema_version(*db_);
        refuse_unknown_version(found, migrations(), where_.path);
        if (found < newest_version(migrations())) verify_older_schema(found);
        const std::vector<std::string> sentences = migrate(*db_, migrations());
        verify_schema();
        db_->exec("COMMIT");
        rollback();
        if (options_.on_upgrade)
            for (const std::string& sentence : sentences) options_.on_upgrade(sentence);
    } catch (...) {
        rollback();
        throw;
    }
}

void SqliteStore::refuse_difference(const std::string& difference) const {
    if (!difference.empty())
        refuse(where_.path, "has not the schema of a store: " + difference,
               "restore a copy made with 'turboci store backup'");
}

void SqliteStore::verify_older_schema(int version) const {
    refuse_difference(schema_difference(*db_, older_schema(version)));
}

void SqliteStore::verify_schema() {
    std::int64_t cookie = 0;
    {
        Query row(*db_, kSchemaCookie);
        if (row.step()) cookie = row.integer(0);
    }
    if (cookie == verified_schema_) return;
    refuse_unknown_version(schema_version(*db_), migrations(), where_.path);
    refuse_difference(schema_difference(*db_, newest_schema()));
    verified_schema_ = cookie;
}

std::unique_ptr<UnitOfWork> SqliteStore::begin(Access access) {
    if (in_use_) throw Error(ErrorCode::internal, "a unit of work is open already");
    renew_draft();
    // A rollback that failed, for want of memory say, is tried again before anything else is done.
    if (db_->in_transaction()) db_->exec("ROLLBACK");
    if (access == Access::write && options_.read_only)
        throw Error(ErrorCode::internal, "the store was opened for reading");
    try {
        if (access == Access::write) {
            if (db_->read_only())
                refuse(where_.path, "cannot be written",
                       "check its permissions, and whether it is mounted read-only");
            lock_.acquire(options_.lock_timeout, options_.on_wait, options_.give_up);
            if (is_draft_ && file_status(where_.path)) {
                // Another process made the store while we waited.
                lock_.release();
                return begin(access);
            }
            if (is_draft_) refuse_leftovers(where_.path, false);
        }
        // Who writes a second time, will do so often.
        if (access == Access::write && has_written_) db_->keep_journal();
        if (!is_draft_) {
            if (db_->moved()) refuse_moved();
            refuse_odd_journal(where_.path);
        }
        Query(*db_, access == Access::write ? kBeginWrite : kBeginRead).run();
        // Reads something, so that a reader's view begins here too.
        verify_schema();
    } catch (...) {
        if (is_draft_ && lock_.held()) lock_.release_and_remove();
        rollback();
        throw;
    }
    in_use_ = true;
    if (is_draft_ && access == Access::write) return begin_draft();
    return std::make_unique<SqliteUnitOfWork>(*db_, access, options_.read_threads, [this, access] {
        in_use_ = false;
        has_written_ = has_written_ || access == Access::write;
        lock_.release();
    });
}

std::unique_ptr<UnitOfWork> SqliteStore::begin_draft() {
    const auto on_end = [this] {
        in_use_ = false;
        has_written_ ? lock_.release() : lock_.release_and_remove();
    };
    return std::make_unique<SqliteUnitOfWork>(*db_, Access::write, 1, on_end, [this] {
        // What is committed in the draft counts when it has its name.
        draft_is_spent_ = true;
        publish_draft(*db_, where_);
        has_written_ = true;
        // Open as a path alone: to close any other descriptor of it would end SQLite's locks.
        made_.reset(::open(where_.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    });
}

std::vector<StoreProblem> SqliteStore::check() {
    std::vector<StoreProblem> problems;
    const auto reading = begin(Access::read);
    check_rows(*db_, problems);
    return problems;
}

void SqliteStore::backup(const std::string& path) {
    if (in_use_) throw Error(ErrorCode::internal, "a unit of work is open already");
    renew_draft();
    backup_database(*db_, resolve_path(path));
}

}  // namespace turboci::sqlite

namespace turboci {

std::unique_ptr<Store> open_sqlite_store(StoreOptions options) {
    return std::make_unique<sqlite::SqliteStore>(std::move(options));
}

}  // namespace turboci
