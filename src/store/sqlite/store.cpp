// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include "store/openers.hpp"
#include "store/poll.hpp"
#include "store/sqlite/create.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/transaction.hpp"

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

std::int64_t number_of(Database& db, const char* pragma) {
    Query row(db, pragma);
    return row.step() ? row.integer(0) : 0;
}

}  // namespace

SqliteStore::SqliteStore(const std::string& path, StoreOptions options, const Wait& wait)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      where_(resolve_path(path)),
      lock_(where_.path + ".lock", options_.command) {
    if (file_status(where_.path)) {
        open_file(wait);
        return;
    }
    if (!options_.create || options_.read_only)
        throw Error(ErrorCode::not_found, fmt::format("there is no store '{}'", path),
                    "create one with 'turboci plan create', or name it with --store");
    start_draft();
}

SqliteStore::~SqliteStore() {
    if (!db_->keeps_journal()) return;
    try {
        lock_.acquire({.at_most = Duration::zero()});
        db_->empty_kept_journal();
    } catch (const std::exception&) {
        // Somebody writes, or there is no memory; the journal may stay as it is.
    }
}

void SqliteStore::open_file(const Wait& wait) {
    const auto status = file_status(where_.path);
    struct stat made {
    }, named{};
    const bool is_ours = !made_ || (::fstat(made_.get(), &made) == 0 &&
                                    ::lstat(where_.path.c_str(), &named) == 0 && is_same_file(made, named));
    if (!status || !is_ours) refuse_moved();
    refuse_unless_plain_file(*status, where_.path);
    refuse_leftovers(where_.path, true);
    draft_is_spent_ = true;
    commits_told_.reset();
    db_ = std::make_unique<Database>(where_.path, Database::Mode::read_write);
    db_->count_in(options_.statistics);
    db_->wait_as(wait);
    verified_schema_ = -1;
    examine_file();
    db_->use_durably();
    upgrade(wait);
    is_draft_ = false;
    made_.reset();
}

void SqliteStore::refuse_moved() const {
    refuse(where_.path, "was removed or replaced while in use", "run the command again");
}

void SqliteStore::start_draft() {
    db_ = make_draft();
    db_->count_in(options_.statistics);
}

void SqliteStore::renew_draft(const Wait& wait) {
    if (!is_draft_) return;
    // Made by our own first commit, or by another process.
    if (has_written_ || file_status(where_.path)) return open_file(wait);
    if (!draft_is_spent_) return;
    start_draft();
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

void SqliteStore::upgrade(const Wait& wait) {
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
        lock_.acquire(wait);
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

void SqliteStore::prepare(const Wait& wait) {
    if (in_use_) throw Error(ErrorCode::internal, "a transaction is open already");
    renew_draft(wait);
    db_->wait_as(wait);
    // A rollback that failed, for want of memory say, is tried again before anything else is done.
    if (db_->in_transaction()) db_->exec("ROLLBACK");
}

void SqliteStore::begin(bool writes, const Wait& wait) {
    prepare(wait);
    if (writes && options_.read_only) throw Error(ErrorCode::internal, "the store was opened for reading");
    try {
        if (writes) {
            if (db_->read_only())
                refuse(where_.path, "cannot be written",
                       "check its permissions, and whether it is mounted read-only");
            lock_.acquire(wait);
            if (is_draft_ && file_status(where_.path)) {
                // Another process made the store while we waited.
                lock_.release();
                return begin(writes, wait);
            }
            if (is_draft_) refuse_leftovers(where_.path, false);
        }
        // Who writes a second time, will do so often.
        if (writes && has_written_) db_->keep_journal();
        if (!is_draft_) {
            if (db_->moved()) refuse_moved();
            refuse_odd_journal(where_.path);
        }
        Query(*db_, writes ? kBeginWrite : kBeginRead).run();
        // Reads something, so that a reader's view begins here too.
        verify_schema();
    } catch (...) {
        if (is_draft_ && lock_.held()) lock_.release_and_remove();
        rollback();
        throw;
    }
    in_use_ = true;
}

std::unique_ptr<Snapshot> SqliteStore::read(const Wait& wait) {
    begin(false, wait);
    return std::make_unique<SqliteTransaction>(*db_, clock_, options_.read_threads,
                                               [this] { in_use_ = false; });
}

std::unique_ptr<Transaction> SqliteStore::write(std::string_view plan, const Wait& wait) {
    static_cast<void>(plan);  // the lock is of the whole file
    begin(true, wait);
    if (is_draft_) return write_draft();
    return std::make_unique<SqliteTransaction>(*db_, clock_, 1, [this] {
        in_use_ = false;
        has_written_ = true;
        lock_.release();
    });
}

std::unique_ptr<Transaction> SqliteStore::write_draft() {
    const auto on_end = [this] {
        in_use_ = false;
        has_written_ ? lock_.release() : lock_.release_and_remove();
    };
    return std::make_unique<SqliteTransaction>(*db_, clock_, 1, on_end, [this] {
        // What is committed in the draft counts when it has its name.
        draft_is_spent_ = true;
        publish_draft(*db_, where_);
        has_written_ = true;
        // Open as a path alone: to close any other descriptor of it would end SQLite's locks.
        made_.reset(::open(where_.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    });
}

bool SqliteStore::wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) {
    const Wait at_once{.at_most = Duration::zero()};
    std::optional<std::int64_t> commits;  // of others, as SQLite numbers them, when the plan was last read
    std::optional<std::string> identity;
    const auto look = [&] {
        prepare(at_once);
        const std::int64_t now = number_of(*db_, "PRAGMA data_version");
        const bool moved = !is_draft_ && db_->moved();
        if (plan.empty() && !moved) return std::exchange(commits_told_, now) != now;
        if (commits == now && !moved) return false;
        const auto snapshot = read(at_once);  // refuses a file that is not the store any more
        const auto row = snapshot->find_plan(plan);
        if (!row || row->version != seen || row->identity != identity.value_or(row->identity)) return true;
        identity = row->identity;
        commits = now;
        return false;
    };
    return poll(patience, kChangePauses, [&] {
        try {
            return look();
        } catch (const Error& error) {
            // Somebody is committing: what that brings is seen the next time.
            if (error.code() != ErrorCode::locked) throw;
            return false;
        }
    });
}

std::vector<StoreProblem> SqliteStore::check(const Wait& wait) {
    std::vector<StoreProblem> problems;
    const auto reading = read(wait);
    check_rows(*db_, problems);
    return problems;
}

void SqliteStore::backup(const std::string& path, const Wait& wait) {
    prepare(wait);
    backup_database(*db_, resolve_path(path));
}

std::int64_t SqliteStore::compact(bool at_once, const Wait& wait) {
    // Writing the rest anew costs as much as the rest is large, and pays where it is not much more than what
    // is given back.
    constexpr std::int64_t kLeastBytes = 64 << 10;
    constexpr std::int64_t kLeastPart = 4;
    prepare(wait);
    if (is_draft_) return 0;
    if (options_.read_only) throw Error(ErrorCode::internal, "the store was opened for reading");
    std::int64_t freed = 0;
    lock_.acquire(at_once ? wait : Wait{.at_most = Duration::zero()});
    try {
        if (db_->moved()) refuse_moved();
        if (db_->read_only()) refuse(where_.path, "cannot be written", "check its permissions");
        refuse_odd_journal(where_.path);
        Query(*db_, kBeginRead).run();
        verify_schema();
        const std::int64_t pages = number_of(*db_, "PRAGMA page_count");
        const std::int64_t free = number_of(*db_, "PRAGMA freelist_count");
        const std::int64_t bytes = free * number_of(*db_, "PRAGMA page_size");
        db_->exec("COMMIT");
        if (at_once ? free > 0 : bytes >= kLeastBytes && free * kLeastPart >= pages) {
            db_->vacuum();
            freed = bytes;
        }
    } catch (...) {
        rollback();
        throw;
    }
    lock_.release();
    return freed;
}

}  // namespace turboci::sqlite

namespace turboci {

std::unique_ptr<Store> open_sqlite_store(const std::string& path, StoreOptions options, const Wait& wait) {
    return std::make_unique<sqlite::SqliteStore>(path, std::move(options), wait);
}

}  // namespace turboci
