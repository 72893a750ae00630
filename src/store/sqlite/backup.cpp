// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/sqlite/create.hpp"
#include "store/sqlite/store.hpp"

namespace turboci::sqlite {

namespace {

[[noreturn]] void cannot_copy(const std::string& path, int error) {
    if (error == EEXIST)
        throw Error(ErrorCode::conflict, fmt::format("'{}' exists already", path), "choose another name");
    throw Error(ErrorCode::store, fmt::format("cannot write '{}': {}", path, errno_text(error)),
                "check the permissions of its directory and the space on its disk");
}

/// A file name beside the copy that only this process uses, removed at the end.
class Draft {
public:
    explicit Draft(const std::string& beside) : path(fmt::format("{}.turboci-{}", beside, ::getpid())) {
        // Made by us, so that it is never readable by others; SQLite accepts an empty file.
        const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd) cannot_copy(path, errno);
        if (::fchmod(fd.get(), S_IRUSR | S_IWUSR) == 0) return;
        const int error = errno;
        ::unlink(path.c_str());  // no destructor does it for a constructor that throws
        cannot_copy(path, error);
    }
    ~Draft() {
        if (!published_) ::unlink(path.c_str());
    }
    /// Gives it its name, which must not exist.
    void publish(const std::string& to) {
        if (const int error = rename_to_new(path, to); error != 0) cannot_copy(to, error);
        published_ = true;
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    const std::string path;

private:
    bool published_ = false;
};

/// All pages in one go, under one read lock: writers wait for the end of it, and the copy is of one moment.
void copy_pages(Database& from, Database& to) {
    // The draft is worthless unless it is finished: no journal, and one sync at the end.
    to.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
    sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
    if (backup == nullptr) to.fail(sqlite3_extended_errcode(to.handle()), "copying to");
    const int rc = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);  // tells of no error that the step did not meet
    if (rc != SQLITE_DONE) to.fail(rc, "copying to");
}

}  // namespace

void backup_database(Database& db, const ResolvedPath& to) {
    if (file_status(to.path)) cannot_copy(to.path, EEXIST);
    refuse_leftovers(to.path, false);
    Draft draft(to.path);
    {
        Database copy(draft.path, Database::Mode::read_write);
        copy_pages(db, copy);
    }
    const UniqueFd fd(::open(draft.path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) cannot_copy(to.path, errno);
    draft.publish(to.path);
    if (const int error = sync_directory(to.directory); error != 0) cannot_copy(to.path, error);
}

}  // namespace turboci::sqlite
