// SPDX-License-Identifier: Apache-2.0
#include "os/file_writing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "os/unique_fd.hpp"

namespace turboci {

namespace {

constexpr mode_t kForAll = 0666;  // less what the umask takes away

int put(const std::string& path, int flags, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, kForAll));
    if (!file) return errno;
    while (!text.empty()) {
        const ssize_t n = ::write(file.get(), text.data(), text.size());
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

int replace_file(const std::string& path, std::string_view text) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode))
        return put(path, O_CREAT | O_TRUNC, text);
    const std::string made = path + "." + std::to_string(::getpid()) + ".tmp";
    int problem = put(made, O_CREAT | O_EXCL | O_NOFOLLOW, text);
    if (problem == 0 && ::rename(made.c_str(), path.c_str()) != 0) problem = errno;
    if (problem != 0 && problem != EEXIST) ::unlink(made.c_str());
    return problem;
}

int append_to_file(const std::string& path, std::string_view text) {
    return put(path, O_CREAT | O_APPEND, text);
}

std::size_t file_size(const std::string& path) noexcept {
    struct stat there {};
    return ::stat(path.c_str(), &there) == 0 ? static_cast<std::size_t>(there.st_size) : 0;
}

int writing_problem(const std::string& path) noexcept {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0) {
        if (S_ISDIR(there.st_mode)) return EISDIR;
        if (!S_ISREG(there.st_mode)) return ::access(path.c_str(), W_OK) == 0 ? 0 : errno;
    }
    return ::access(directory_of(path).c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

}  // namespace turboci
