// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/create.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "store/sqlite/database.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/store.hpp"

namespace turboci::sqlite {

namespace {

[[noreturn]] void cannot_create(const std::string& path, int error) {
    if (error == EEXIST)
        throw Error(ErrorCode::conflict, fmt::format("'{}' exists already", path), "choose another name");
    const bool full = error == ENOSPC || error == EDQUOT;
    throw Error(ErrorCode::store, fmt::format("cannot create '{}': {}", path, errno_text(error)),
                full ? "free some space and try again" : "check the permissions of its directory");
}

// What is larger is copied page by page.
constexpr std::int64_t kLargestImage = std::int64_t{4} << 20;

std::int64_t bytes_of(Database& db) {
    Query pages(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    return pages.step() ? pages.integer(0) : 0;
}

/// Writes and syncs the image. Returns 0 or errno.
int fill(int fd, std::string_view image) noexcept {
    if (::fchmod(fd, S_IRUSR | S_IWUSR) != 0) return errno;
    if (const int error = write_all(fd, image); error != 0) return error;
    return ::fsync(fd) == 0 ? 0 : errno;
}

/// Where files without names are not supported: a name of our own first. A creator that was killed leaves it
/// behind; the lock is held, so whoever comes next may take it away.
int create_by_renaming(const ResolvedPath& where, std::string_view image) {
    const std::string draft = where.path + ".turboci-new";
    if (::unlink(draft.c_str()) != 0 && errno != ENOENT) return errno;
    const UniqueFd fd(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return errno;
    int error = fill(fd.get(), image);
    if (error == 0) error = rename_to_new(draft, where.path);
    if (error != 0) ::unlink(draft.c_str());
    return error;
}

}  // namespace

int publish_file(int fd, const std::string& to) noexcept {
    const std::string from = "/proc/self/fd/" + std::to_string(fd);
    return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

void refuse_odd_journal(const std::string& path) {
    const std::string name = path + "-journal";
    const auto journal = file_status(name);
    if (!journal) return;
    const char* const remedy = "see what it is, and remove it if it is no journal of this store";
    if (journal->kind != FileStatus::Kind::regular)
        throw Error(ErrorCode::store, fmt::format("'{}' is not a regular file", name), remedy);
    if (journal->links > 1)
        throw Error(ErrorCode::store, fmt::format("'{}' has {} names (hard links)", name, journal->links),
                    remedy);
}

void refuse_leftovers(const std::string& path, bool store_exists) {
    if (file_status(path + "-wal"))
        throw Error(ErrorCode::store,
                    fmt::format("'{}-wal' is there: another program used the file in WAL mode", path),
                    fmt::format("run: sqlite3 '{}' 'PRAGMA journal_mode=DELETE'", path));
    if (store_exists) return refuse_odd_journal(path);
    const auto journal = file_status(path + "-journal");
    if (!journal) return;
    // A journal that no database needs is empty or begins with zeros. Any other would be played into the new
    // store.
    const std::string name = path + "-journal";
    const UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::array<char, 8> head{};
    const bool idle = fd && journal->kind == FileStatus::Kind::regular &&
                      ::read(fd.get(), head.data(), head.size()) >= 0 && head == std::array<char, 8>{};
    if (!idle)
        throw Error(ErrorCode::store,
                    fmt::format("'{}' is there, but not the store that it belongs to", name),
                    "put the store back beside it, or remove it");
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) cannot_create(path, errno);
}

std::unique_ptr<Database> make_draft() {
    auto draft = std::make_unique<Database>("temporary file", Database::Mode::temporary);
    draft->keep_little();
    draft->exec(fmt::format("PRAGMA application_id={}; BEGIN", kApplicationId).c_str());
    create_schema(*draft);
    draft->exec("COMMIT");
    return draft;
}

void publish_draft(Database& draft, const ResolvedPath& where) {
    if (bytes_of(draft) > kLargestImage) return backup_database(draft, where);
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
        sqlite3_serialize(draft.handle(), "main", &size, 0), &sqlite3_free);
    if (!bytes) throw std::bad_alloc();
    const std::string_view image(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size));
    int error = 0;
    const UniqueFd fd(::open(where.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) {
        error = fill(fd.get(), image);
        if (error == 0) error = publish_file(fd.get(), where.path);
    } else {
        error = errno;
    }
    // Without O_TMPFILE (EISDIR, EOPNOTSUPP, EINVAL) or without /proc (ENOENT), or across odd mounts (EXDEV).
    if (error == EISDIR || error == EOPNOTSUPP || error == EINVAL || error == ENOENT || error == EXDEV)
        error = create_by_renaming(where, image);
    if (error == 0) error = sync_directory(where.directory);
    if (error != 0) cannot_create(where.path, error);
}

}  // namespace turboci::sqlite
