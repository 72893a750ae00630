// SPDX-License-Identifier: Apache-2.0
// Descriptors and paths: the few file operations that more than one layer needs.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "os/unique_fd.hpp"

namespace turboci {

/// "No such file or directory": the text of an errno value.
[[nodiscard]] std::string errno_text(int error);

/// A path in which no directory is a symbolic link; its last component is left as it is, so that it
/// can still be refused for being one.
struct ResolvedPath {
    std::string directory;  ///< absolute, without links, without a trailing slash unless "/"
    std::string path;       ///< absolute
};
/// NOT_FOUND if the directory is not there, STORE if it cannot be reached, INVALID_ARGUMENT if `path`
/// names no file ("", "dir/", ".", "..").
[[nodiscard]] ResolvedPath resolve_path(std::string_view path);

/// What lstat() says that matters for a file that only turboci should own.
struct FileStatus {
    enum class Kind { regular, directory, symlink, other };
    Kind kind = Kind::regular;
    nlink_t links = 0;
    off_t size = 0;
};
/// nullopt if there is no such file. STORE on any other failure.
[[nodiscard]] std::optional<FileStatus> file_status(const std::string& path);

/// Do two answers of stat() speak of the same file? Only while it is open can its number not be another's.
[[nodiscard]] bool is_same_file(const struct stat& a, const struct stat& b) noexcept;

/// Writes all of it at the descriptor's position. Returns 0 or an errno value.
[[nodiscard]] int write_all(int fd, std::string_view data) noexcept;
/// Gives the file `from` the name `to`, which must not exist. There is no moment at which it has both, where
/// the filesystem can do that. Returns 0 or errno.
[[nodiscard]] int rename_to_new(const std::string& from, const std::string& to) noexcept;
/// Makes the names in a directory durable. Filesystems that cannot are let pass. Returns 0 or errno.
[[nodiscard]] int sync_directory(const std::string& directory) noexcept;

}  // namespace turboci
