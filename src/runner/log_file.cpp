// SPDX-License-Identifier: Apache-2.0
#include "runner/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/files.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

/// "STORE.logs/PLAN/NAME" in its three parts; nullopt for anything else.
std::optional<std::array<std::string, 3>> parts_of(std::string_view path) {
    std::array<std::string, 3> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t slash = path.find('/');
        const bool is_last = i + 1 == parts.size();
        if ((slash == std::string_view::npos) != is_last) return std::nullopt;
        const std::string_view part = path.substr(0, slash);
        if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos)
            return std::nullopt;
        parts[i] = part;
        if (!is_last) path.remove_prefix(slash + 1);
    }
    return parts;
}

}  // namespace

std::optional<LogFile> LogFile::open(const std::string& store_path, std::string_view log_path) {
    const auto parts = parts_of(log_path);
    const std::size_t slash = store_path.rfind('/');
    const std::string name = slash == std::string::npos ? store_path : store_path.substr(slash + 1);
    if (!parts || (*parts)[0] != name + ".logs") return std::nullopt;
    constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    // The store's own directory is as the user named it.
    const UniqueFd logs(::open((store_path + ".logs").c_str(), kDirectory));
    if (!logs) return std::nullopt;
    const UniqueFd plan(::openat(logs.get(), (*parts)[1].c_str(), kDirectory));
    if (!plan) return std::nullopt;
    UniqueFd file(::openat(plan.get(), (*parts)[2].c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    return LogFile(std::move(file));
}

std::int64_t LogFile::size() const {
    struct stat info {};
    return ::fstat(file_.get(), &info) == 0 ? info.st_size : 0;
}

std::string LogFile::read(std::int64_t offset, std::size_t limit) const {
    std::string bytes(limit, '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        const ssize_t n = ::pread(file_.get(), bytes.data() + got, bytes.size() - got,
                                  static_cast<off_t>(offset) + static_cast<off_t>(got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw Error(ErrorCode::store, "a log cannot be read: " + errno_text(errno));
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
}

std::int64_t LogFile::start_of_last(std::int64_t lines) const {
    const std::int64_t end = size();
    if (lines <= 0) return end;
    std::int64_t left = lines;
    for (std::int64_t block_end = end; block_end > 0;) {
        const std::int64_t begin = std::max<std::int64_t>(0, block_end - std::int64_t{kBlockBytes});
        const std::string block = read(begin, static_cast<std::size_t>(block_end - begin));
        for (std::size_t i = block.size(); i-- > 0;) {
            // The end of the last line begins none.
            if (block[i] != '\n' || begin + static_cast<std::int64_t>(i) + 1 == end) continue;
            if (--left == 0) return begin + static_cast<std::int64_t>(i) + 1;
        }
        block_end = begin;
    }
    return 0;
}

}  // namespace turboci
