// SPDX-License-Identifier: Apache-2.0
// A hardened SQLite connection, and prepared statements that live as long as it does.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "store/sqlite/columns.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/value.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// The text of one statement. Declare each as a constant beside its caller: every connection prepares it
/// once, when it is first used.
class Sql {
public:
    explicit Sql(const char* statement) noexcept : text(statement), slot(next_slot_++) {}
    const char* const text;
    const std::size_t slot;

private:
    static std::size_t next_slot_;
};

class RowFeed;
class RowScan;

/// One connection. Every statement of turboci runs through it.
class Database {
public:
    /// Temporary: in memory, and what is too much for that in a file without a name; `path` is for messages,
    /// or kInMemory, and then all of it stays in memory.
    enum class Mode { read_write, temporary };
    static constexpr const char* kInMemory = ":memory:";
    /// `path` must be absolute and free of symbolic links. Sets everything that does not look into the file.
    Database(std::string path, Mode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// From now on this is what is done while others keep the file busy. At first nothing is waited for.
    void wait_as(const Wait& wait) { wait_ = wait; }
    /// Settings that make SQLite read the file: memory, journal and durability. STORE if one is refused.
    void use_durably();
    /// Sets how much memory pages may take.
    void keep_little();
    /// From now on commits end by clearing the head of the journal and not by emptying it: that spares the
    /// file system the work of giving back its blocks and finding new ones.
    void keep_journal();
    [[nodiscard]] bool keeps_journal() const noexcept { return keeps_journal_; }
    /// Empties the journal that was kept, unless others are at it. Only as the last thing that is done here.
    void empty_kept_journal() noexcept;
    /// Writes the file anew without its free pages: in one transaction of its own, through the journal.
    void vacuum();
    /// Runs statements that return nothing.
    void exec(const char* sql);
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] sqlite3* handle() const noexcept { return db_; }
    [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(db_) == 0; }
    [[nodiscard]] bool read_only() const noexcept { return sqlite3_db_readonly(db_, "main") == 1; }
    /// Reads the first bytes of the file without any lock, as they are on disk. Fewer if it is shorter.
    [[nodiscard]] std::string peek_header() const;
    /// Is `path` no longer the file that was opened?
    [[nodiscard]] bool moved() const noexcept;
    [[nodiscard]] StoreStatistics& statistics() noexcept { return *statistics_; }
    /// Counts there; null: here.
    void count_in(StoreStatistics* statistics) noexcept {
        statistics_ = statistics != nullptr ? statistics : &own_statistics_;
    }
    [[noreturn]] void fail(int rc, std::string_view doing, int error = 0) const {
        throw_error(db_, rc, path_, doing, error);
    }
    /// How often pages that had changed were written to the file before a COMMIT, for want of memory.
    [[nodiscard]] int spills() const noexcept;
    /// For rows that no Query counts.
    void count_rows(std::int64_t rows) noexcept { statistics_->rows += rows; }
    RowScan* row_scan = nullptr;  ///< the one that is in a step
    bool knows_row_scan = false;  ///< its function has been made known
    RowFeed* row_feed = nullptr;  ///< the one that is being inserted
    bool knows_row_feed = false;  ///< its table has been made known

private:
    friend class Query;
    struct Finalize {
        void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
    };
    using Handle = std::unique_ptr<sqlite3_stmt, Finalize>;
    struct Prepared {
        Handle handle;
        bool writes = false;
        bool busy = false;
    };
    void harden();
    void set_journal_mode(const char* pragma, std::string_view mode);
    [[nodiscard]] Handle prepare(const char* sql, unsigned flags);
    [[nodiscard]] Prepared& prepared(const Sql& sql);
    static int wait_when_busy(void* self, int attempt);

    std::string path_;
    sqlite3* db_ = nullptr;
    std::vector<Prepared> statements_;
    Wait wait_{.at_most = Duration::zero()};
    std::int64_t busy_since_ = 0;
    bool keeps_journal_ = false;
    StoreStatistics own_statistics_;
    StoreStatistics* statistics_ = &own_statistics_;
};

/// One execution of a statement. Text and blobs are bound in place: they must outlive it.
/// A statement that is already running (in a callback of itself) runs as a second copy.
class Query : public Columns<Query> {
public:
    template <class... Args>
    Query(Database& db, const Sql& sql, Args&&... args) : db_(db) {
        start(sql);
        int index = 0;
        (bind(++index, to_value(std::forward<Args>(args))), ...);
        claim(sql);
    }
    /// Text that is not known at compile time, such as a pragma.
    Query(Database& db, const char* sql);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    /// True: there is a row. False: done.
    bool step();
    /// What fails is a write, though SQLite takes the statement for none: a COMMIT.
    void ends_write() noexcept { doing_ = "writing"; }
    /// To the end, ignoring rows.
    void run() {
        while (step()) {
        }
    }

    /// Rows that a statement that has run to its end has inserted, changed or deleted.
    [[nodiscard]] std::int64_t changes() const noexcept { return sqlite3_changes64(db_.db_); }

    // Of the current row, for Columns; texts and blobs are valid until the next step.
    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(handle_, column); }
    [[nodiscard]] int type(int column) const { return sqlite3_column_type(handle_, column); }
    [[nodiscard]] std::string_view bytes_of_text(int column) const;
    [[nodiscard]] std::span<const std::byte> bytes_of_blob(int column) const;
    [[noreturn]] void bad_column(int column) const;

private:
    void start(const Sql& sql);
    void claim(const Sql& sql) noexcept;
    void bind(int i, const Value& value);

    Database& db_;
    Database::Handle own_;  ///< when it is not one of the connection's
    sqlite3_stmt* handle_ = nullptr;
    std::size_t busy_slot_ = 0;
    bool writes_ = false;
    const char* doing_ = "reading";  ///< for the message of a failure
};

/// While it lives, SQLite keeps few pages in memory. What has changed is driven out to the file.
class FewPages {
public:
    static constexpr const char* kSetting = "PRAGMA cache_size=-512";
    explicit FewPages(Database& db);
    ~FewPages();
    FewPages(const FewPages&) = delete;
    FewPages& operator=(const FewPages&) = delete;

private:
    Database& db_;
    std::int64_t before_ = 0;
};

inline void Query::bind(int i, const Value& value) {
    int rc = SQLITE_OK;
    switch (value.type) {
        case Value::Type::null:
            rc = sqlite3_bind_null(handle_, i);
            break;
        case Value::Type::integer:
            rc = sqlite3_bind_int64(handle_, i, value.integer);
            break;
        case Value::Type::text:
            rc = sqlite3_bind_text64(handle_, i, static_cast<const char*>(value.data), value.size,
                                     SQLITE_STATIC, SQLITE_UTF8);
            break;
        case Value::Type::blob:
            rc = sqlite3_bind_blob64(handle_, i, value.data, value.size, SQLITE_STATIC);
            break;
    }
    if (rc != SQLITE_OK) db_.fail(rc, "binding a value for");
}

}  // namespace turboci::sqlite
