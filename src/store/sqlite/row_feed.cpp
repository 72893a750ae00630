// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/row_feed.hpp"

#include <new>
#include <utility>

namespace turboci::sqlite {

/// What SQLite calls. One statement at a time reads the table, from its beginning to its end, once.
struct FeedTable : sqlite3_vtab {
    Database* db = nullptr;

    struct Cursor : sqlite3_vtab_cursor {
        RowFeed* feed = nullptr;
    };
    static RowFeed& feed_of(sqlite3_vtab_cursor* cursor) { return *static_cast<Cursor*>(cursor)->feed; }

    static int connect(sqlite3* handle, void* db, int, const char* const*, sqlite3_vtab** table, char**) {
        int rc = sqlite3_declare_vtab(
            handle,
            "CREATE TABLE x(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17,"
            " c18, c19, c20, c21)");
        // Nothing in a store's schema may use it.
        if (rc == SQLITE_OK) rc = sqlite3_vtab_config(handle, SQLITE_VTAB_DIRECTONLY);
        if (rc != SQLITE_OK) return rc;
        auto* made = new (std::nothrow) FeedTable{};
        if (made == nullptr) return SQLITE_NOMEM;
        made->db = static_cast<Database*>(db);
        *table = made;
        return SQLITE_OK;
    }
    static int disconnect(sqlite3_vtab* table) {
        delete static_cast<FeedTable*>(table);
        return SQLITE_OK;
    }
    static int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
    static int open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
        RowFeed* const feed = static_cast<FeedTable*>(table)->db->row_feed;
        if (feed == nullptr) return SQLITE_MISUSE;  // a statement of others
        auto* made = new (std::nothrow) Cursor{};
        if (made == nullptr) return SQLITE_NOMEM;
        made->feed = feed;
        *cursor = made;
        return SQLITE_OK;
    }
    static int close(sqlite3_vtab_cursor* cursor) {
        delete static_cast<Cursor*>(cursor);
        return SQLITE_OK;
    }
    static int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
        return feed_of(cursor).advance();
    }
    static int next(sqlite3_vtab_cursor* cursor) { return feed_of(cursor).advance(); }
    static int eof(sqlite3_vtab_cursor* cursor) { return feed_of(cursor).over_ ? 1 : 0; }
    static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
        const Value& value = feed_of(cursor).row_[static_cast<std::size_t>(column)];
        switch (value.type) {
            case Value::Type::null:
                sqlite3_result_null(context);
                break;
            case Value::Type::integer:
                sqlite3_result_int64(context, value.integer);
                break;
            case Value::Type::text:
                sqlite3_result_text64(context, static_cast<const char*>(value.data), value.size,
                                      SQLITE_STATIC, SQLITE_UTF8);
                break;
            case Value::Type::blob:
                sqlite3_result_blob64(context, value.data, value.size, SQLITE_STATIC);
                break;
        }
        return SQLITE_OK;
    }
    static int rowid(sqlite3_vtab_cursor*, sqlite3_int64* rowid) {
        *rowid = 0;  // nobody asks for it
        return SQLITE_OK;
    }
    static const sqlite3_module kModule;
};

// No xCreate: the table is there by its name alone.
const sqlite3_module FeedTable::kModule = [] {
    sqlite3_module module{};
    module.xConnect = &FeedTable::connect;
    module.xBestIndex = &FeedTable::best_index;
    module.xDisconnect = &FeedTable::disconnect;
    module.xDestroy = &FeedTable::disconnect;
    module.xOpen = &FeedTable::open;
    module.xClose = &FeedTable::close;
    module.xFilter = &FeedTable::filter;
    module.xNext = &FeedTable::next;
    module.xEof = &FeedTable::eof;
    module.xColumn = &FeedTable::column;
    module.xRowid = &FeedTable::rowid;
    return module;
}();

void RowFeed::make_known(Database& db) {
    if (db.knows_row_feed) return;
    const int rc = sqlite3_create_module_v2(db.handle(), "turboci_feed", &FeedTable::kModule, &db, nullptr);
    if (rc != SQLITE_OK) db.fail(rc, "writing");
    db.knows_row_feed = true;
}

void RowFeed::run(Database& db, const Sql& insert, const Next& next) {
    make_known(db);
    RowFeed feed(next);
    struct InUse {
        Database& db;
        ~InUse() { db.row_feed = nullptr; }
    } in_use{db};
    db.row_feed = &feed;
    try {
        Query(db, insert).run();
    } catch (...) {
        if (feed.failure_) std::rethrow_exception(std::exchange(feed.failure_, nullptr));
        throw;
    }
}

int RowFeed::advance() noexcept {
    try {
        over_ = !next_(row_);
        return SQLITE_OK;
    } catch (...) {
        failure_ = std::current_exception();
        return SQLITE_ABORT;
    }
}

}  // namespace turboci::sqlite
