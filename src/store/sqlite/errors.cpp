// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/errors.hpp"

#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <cerrno>
#include <new>
#include <string>

#include "os/files.hpp"
#include "turboci/error.hpp"

namespace turboci::sqlite {

namespace {

/// The operating system's reason `error`, if there is one.
std::string cause(int error, int rc) {
    if (error != 0 && error != ENOENT) return errno_text(error);
    return sqlite3_errstr(rc);
}

bool size_limited() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

constexpr std::string_view kBackupRemedy = "restore a copy made with 'turboci store backup'";

}  // namespace

void throw_error(sqlite3* db, int rc, std::string_view path, std::string_view doing, int error) {
    if (error == 0 && db != nullptr) error = sqlite3_system_errno(db);
    const auto fail = [&](ErrorCode code, const std::string& what, std::string_view remedy,
                          const char* reason = "") {
        throw Error(code, fmt::format("{} '{}' failed: {}", doing, path, what), std::string(remedy))
            .because(reason);
    };
    switch (rc & 0xFF) {
        case SQLITE_NOMEM:
            throw std::bad_alloc();
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            fail(ErrorCode::locked, "another program holds the database",
                 "wait until it is done, or raise --lock-timeout");
            break;
        case SQLITE_FULL:
            fail(ErrorCode::store, "disk full", "free some space and try again", "DISK_FULL");
            break;
        case SQLITE_CORRUPT:
            fail(ErrorCode::store, "the file is damaged (malformed database)", kBackupRemedy, "DAMAGED");
            break;
        case SQLITE_NOTADB:
            fail(ErrorCode::store, "the file is not a turboci store", "name another file");
            break;
        case SQLITE_READONLY:
            if (rc == SQLITE_READONLY_ROLLBACK || rc == SQLITE_READONLY_RECOVERY)
                fail(ErrorCode::store,
                     "a write that was cut short must be rolled back first, and the file is read-only",
                     "run any turboci command on it where it can be written");
            if (rc == SQLITE_READONLY_DBMOVED)
                fail(ErrorCode::store, "the file was moved or removed while in use", "run the command again");
            fail(ErrorCode::store, "the file or its directory is read-only", "check their permissions");
            break;
        case SQLITE_CANTOPEN:
            fail(ErrorCode::store, fmt::format("cannot open it or its journal: {}", cause(error, rc)),
                 "check the permissions of the file and its directory");
            break;
        case SQLITE_PERM:
        case SQLITE_AUTH:
            fail(ErrorCode::store, "permission denied", "check the file's permissions");
            break;
        case SQLITE_IOERR:
            if (error == ENOSPC || error == EDQUOT)
                fail(ErrorCode::store, "disk full", "free some space and try again", "DISK_FULL");
            // The rollback that followed may have another errno to tell of.
            if (rc == SQLITE_IOERR_WRITE && size_limited())
                fail(ErrorCode::store, "the file would grow past the limit on file sizes",
                     "raise it (ulimit -f)");
            fail(ErrorCode::store, fmt::format("I/O error ({}): {}", sqlite3_errstr(rc), cause(error, rc)),
                 "check the disk, then try again");
            break;
        case SQLITE_TOOBIG:
            fail(ErrorCode::invalid_argument, "a value is too large for the store",
                 "keep large data elsewhere");
            break;
        case SQLITE_CONSTRAINT:
            // The service looks before it inserts, and the lock keeps everybody else out: an index and its
            // table, or a counter and its keys, do not agree.
            throw_damaged(db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
        case SQLITE_ERROR:
            // A header of a future that SQLite does not know.
            if (db != nullptr && std::string_view(sqlite3_errmsg(db)).starts_with("unsupported file format"))
                throw_damaged(sqlite3_errmsg(db));
            break;
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
            fail(ErrorCode::store, sqlite3_errstr(rc), "put the store on a local filesystem");
            break;
        default:
            break;
    }
    throw Error(ErrorCode::internal,
                fmt::format("{} '{}' failed: {} ({})", doing, path,
                            db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc), rc));
}

}  // namespace turboci::sqlite
