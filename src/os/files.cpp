// SPDX-License-Identifier: Apache-2.0
#include "os/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "turboci/error.hpp"

namespace turboci {

std::string errno_text(int error) { return std::generic_category().message(error); }

ResolvedPath resolve_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..")
        throw Error(ErrorCode::invalid_argument, fmt::format("'{}' does not name a file", path));
    const std::string parent(slash == std::string_view::npos ? "."
                             : slash == 0                    ? "/"
                                                             : path.substr(0, slash));
    // The dot makes sure that it is a directory.
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath((parent + "/.").c_str(), nullptr),
                                                           &std::free);
    if (!real) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR)
            throw Error(ErrorCode::not_found, fmt::format("no directory '{}' for '{}'", parent, path),
                        "create it first");
        throw Error(ErrorCode::store, fmt::format("cannot reach '{}': {}", path, errno_text(error)),
                    "check the permissions of the directories on the way");
    }
    ResolvedPath resolved{real.get(), real.get()};
    if (resolved.path.back() != '/') resolved.path += '/';
    resolved.path += name;
    return resolved;
}

std::optional<FileStatus> file_status(const std::string& path) {
    struct stat s {};
    if (::lstat(path.c_str(), &s) != 0) {
        if (errno == ENOENT) return std::nullopt;
        throw Error(ErrorCode::store, fmt::format("cannot look at '{}': {}", path, errno_text(errno)),
                    "check the permissions of the directories on the way");
    }
    FileStatus status;
    status.kind = S_ISREG(s.st_mode)   ? FileStatus::Kind::regular
                  : S_ISDIR(s.st_mode) ? FileStatus::Kind::directory
                  : S_ISLNK(s.st_mode) ? FileStatus::Kind::symlink
                                       : FileStatus::Kind::other;
    status.links = s.st_nlink;
    status.size = s.st_size;
    return status;
}

bool is_same_file(const struct stat& a, const struct stat& b) noexcept {
    return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int write_all(int fd, std::string_view data) noexcept {
    while (!data.empty()) {
        const ssize_t n = ::write(fd, data.data(), data.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

int rename_to_new(const std::string& from, const std::string& to) noexcept {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // An old filesystem: never in place of another file, though for a moment with two names.
    if (::link(from.c_str(), to.c_str()) != 0) return errno;
    return ::unlink(from.c_str()) == 0 ? 0 : errno;
}

int sync_directory(const std::string& directory) noexcept {
    const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return errno;
    if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != EROFS) return errno;
    return 0;
}

}  // namespace turboci
