// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/database.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>

#include "os/unique_fd.hpp"

namespace turboci::sqlite {

constinit std::size_t Sql::next_slot_ = 0;

namespace {

// Memory for pages. Enough for the inner pages of a plan of 10^5 nodes and for the ends of the trees that a
// large write appends to, which 16 MiB did not make quicker; the rest is the kernel's cache.
constexpr const char* kCacheSize = "PRAGMA cache_size=-6144";

std::int64_t monotonic_microseconds() {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Settings of the library; they must precede its first use in the process.
void configure_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Refused (harmlessly) when the host program uses SQLite already.
        sqlite3_config(SQLITE_CONFIG_URI, 0);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    });
}

}  // namespace

Database::Database(std::string path, Mode mode) : path_(std::move(path)) {
    configure_library();
    const bool temporary = mode == Mode::temporary;
    const int flags = SQLITE_OPEN_READWRITE | (temporary ? SQLITE_OPEN_CREATE : SQLITE_OPEN_NOFOLLOW);
    const int rc = sqlite3_open_v2(
        temporary && path_ != kInMemory ? "" : path_.c_str(), &db_,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, nullptr);
    try {
        if (rc != SQLITE_OK) fail(rc, "opening");
        harden();
    } catch (...) {
        sqlite3_close_v2(db_);
        throw;
    }
}

Database::~Database() {
    statements_.clear();
    sqlite3_close_v2(db_);
}

void Database::harden() {
    struct Setting {
        int option;
        int value;
    };
    static constexpr std::array<Setting, 9> kSettings{{
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    }};
    for (const Setting& s : kSettings) {
        int now = -1;
        const int rc = sqlite3_db_config(db_, s.option, s.value, &now);
        if (rc != SQLITE_OK || now != s.value)
            throw Error(ErrorCode::store,
                        fmt::format("this SQLite library lacks a safety setting ({})", s.option),
                        "use SQLite 3.37 or later");
    }
    static constexpr std::array<Setting, 11> kLimits{{
        {SQLITE_LIMIT_LENGTH, 1 << 29},
        {SQLITE_LIMIT_SQL_LENGTH, 100'000},
        {SQLITE_LIMIT_COLUMN, 100},
        {SQLITE_LIMIT_EXPR_DEPTH, 50},
        {SQLITE_LIMIT_COMPOUND_SELECT, 10},
        {SQLITE_LIMIT_VDBE_OP, 25'000},
        {SQLITE_LIMIT_FUNCTION_ARG, 8},  // the columns of an edge, in a RowScan
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 100},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    }};
    for (const Setting& s : kLimits) sqlite3_limit(db_, s.option, s.value);
    sqlite3_busy_handler(db_, &Database::wait_when_busy, this);
    exec("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;");
}

void Database::use_durably() {
    // The first read of the file may have to undo what a killed writer left, and comes before the journal
    // mode can be set. In the default mode it would delete the journal, and a power cut could bring that back
    // over later commits. Exclusive locking makes it clear and sync the journal instead; the next transaction
    // lets go of the lock.
    exec("PRAGMA locking_mode=EXCLUSIVE");
    set_journal_mode("PRAGMA journal_mode=TRUNCATE", "truncate");
    exec("PRAGMA locking_mode=NORMAL");
    keep_little();
    exec("PRAGMA synchronous=FULL");
    Query synchronous(*this, "PRAGMA synchronous");
    if (!synchronous.step() || synchronous.integer(0) != 2)
        throw Error(ErrorCode::store, "this SQLite library does not offer full durability");
}

void Database::keep_little() { exec(kCacheSize); }

void Database::keep_journal() {
    if (keeps_journal_) return;
    set_journal_mode("PRAGMA journal_mode=PERSIST", "persist");
    keeps_journal_ = true;
}

void Database::vacuum() {
    // The copy that SQLite makes on the way is attached, and lies in a file without a name: it is as large as
    // what is left of the store.
    const int before = sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 1);
    const auto restore = [&] {
        sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, before);
        exec("PRAGMA temp_store=MEMORY");
    };
    try {
        exec("PRAGMA temp_store=FILE; VACUUM");
    } catch (...) {
        restore();
        throw;
    }
    restore();
}

void Database::set_journal_mode(const char* pragma, std::string_view mode) {
    Query journal(*this, pragma);
    if (!journal.step() || journal.text(0) != mode)
        throw Error(ErrorCode::store,
                    fmt::format("'{}' does not take the journal mode that turboci needs", path_),
                    "see whether another program has it open");
}

void Database::empty_kept_journal() noexcept {
    // The lock of SQLite keeps away other programs too that might be about to use the journal. It is not
    // worth waiting for.
    sqlite3_busy_handler(db_, nullptr, nullptr);
    if (sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) return;
    {
        const UniqueFd fd(::open((path_ + "-journal").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        std::array<char, 8> head{};
        const bool idle =
            fd && ::read(fd.get(), head.data(), head.size()) > 0 && head == std::array<char, 8>{};
        // If not, it stays: a cleared journal is as good as an empty one.
        if (idle) {
            [[maybe_unused]] const int ignored = ::ftruncate(fd.get(), 0);
        }
    }
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

int Database::wait_when_busy(void* self, int attempt) {
    auto& db = *static_cast<Database*>(self);
    const std::int64_t now = monotonic_microseconds();
    if (attempt == 0) db.busy_since_ = now;
    const Duration left = db.wait_.at_most - Duration(now - db.busy_since_);
    if (left <= Duration::zero() || (db.wait_.give_up && db.wait_.give_up())) return 0;
    const Duration pause = std::chrono::milliseconds(std::clamp(attempt, 1, 25));
    std::this_thread::sleep_for(std::min(pause, left));
    return 1;
}

void Database::exec(const char* sql) {
    const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) fail(rc, "using");
}

std::string Database::peek_header() const {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
        file->pMethods == nullptr)
        throw Error(ErrorCode::internal, "SQLite does not tell about its file");
    std::string header(100, '\0');
    const int rc = file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0);
    // A short read fills the rest with zeros, which no header has at its start.
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) fail(rc, "reading");
    return header;
}

bool Database::moved() const noexcept {
    int moved = 0;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

Database::Handle Database::prepare(const char* sql, unsigned flags) {
    sqlite3_stmt* raw = nullptr;
    const int rc = sqlite3_prepare_v3(db_, sql, -1, flags, &raw, nullptr);
    if (rc != SQLITE_OK) fail(rc, "reading");
    return Handle(raw);
}

Database::Prepared& Database::prepared(const Sql& sql) {
    if (statements_.size() <= sql.slot) statements_.resize(sql.slot + 1);
    Prepared& p = statements_[sql.slot];
    if (!p.handle) {
        p.handle = prepare(sql.text, SQLITE_PREPARE_PERSISTENT);
        p.writes = sqlite3_stmt_readonly(p.handle.get()) == 0;
    }
    return p;
}

Query::Query(Database& db, const char* sql) : db_(db), own_(db.prepare(sql, 0)), handle_(own_.get()) {
    ++db_.statistics_->statements;
    writes_ = sqlite3_stmt_readonly(handle_) == 0;
    if (writes_) ends_write();
}

void Query::start(const Sql& sql) {
    Database::Prepared& p = db_.prepared(sql);
    if (p.busy) {
        own_ = db_.prepare(sql.text, 0);
        handle_ = own_.get();
    } else {
        handle_ = p.handle.get();
    }
    writes_ = p.writes;
    if (writes_) ends_write();
    ++db_.statistics_->statements;
}

void Query::claim(const Sql& sql) noexcept {
    if (own_) return;
    busy_slot_ = sql.slot;
    db_.statements_[busy_slot_].busy = true;
}

Query::~Query() {
    if (own_) return;
    sqlite3_reset(handle_);
    db_.statements_[busy_slot_].busy = false;
}

bool Query::step() {
    errno = 0;
    const int rc = sqlite3_step(handle_);
    const int error = errno;
    if (rc == SQLITE_ROW) {
        ++db_.statistics_->rows;
        return true;
    }
    if (rc != SQLITE_DONE) db_.fail(rc, doing_, error);
    if (writes_) db_.statistics_->rows += sqlite3_changes64(db_.db_);
    return false;
}

std::string_view Query::bytes_of_text(int column) const {
    const unsigned char* data = sqlite3_column_text(handle_, column);
    if (data == nullptr) {
        if (sqlite3_errcode(db_.db_) == SQLITE_NOMEM) throw std::bad_alloc();
        bad_column(column);
    }
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::span<const std::byte> Query::bytes_of_blob(int column) const {
    const void* data = sqlite3_column_blob(handle_, column);
    return {static_cast<const std::byte*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

void Query::bad_column(int column) const {
    const char* name = sqlite3_column_name(handle_, column);
    throw_damaged(fmt::format("a value of '{}' makes no sense", name != nullptr ? name : "?"));
}

int Database::spills() const noexcept {
    int spills = 0, highest = 0;
    sqlite3_db_status(db_, SQLITE_DBSTATUS_CACHE_SPILL, &spills, &highest, 0);
    return spills;
}

FewPages::FewPages(Database& db) : db_(db) {
    Query size(db, "PRAGMA cache_size");
    size.step();
    before_ = size.integer(0);
    db.exec(kSetting);
}

FewPages::~FewPages() {
    // If that fails, what follows is slower.
    sqlite3_exec(db_.handle(), fmt::format("PRAGMA cache_size={}", before_).c_str(), nullptr, nullptr,
                 nullptr);
}

}  // namespace turboci::sqlite
