// SPDX-License-Identifier: Apache-2.0
#include "runner/log_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "os/unique_fd.hpp"
#include "runner/attempt_log.hpp"

namespace turboci {

namespace {

/// The part of a path behind its last slash.
std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// A path comes from the store, which may have been imported: it must not lead anywhere else.
bool is_own_log(std::string_view path, std::string_view store) {
    const std::string logs = std::string(base_name(store)) + ".logs/";
    return path.starts_with(logs) && path.find("/../") == std::string_view::npos &&
           path.find('\0') == std::string_view::npos;
}

std::string read_end(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    const auto size = static_cast<std::size_t>(info.st_size);
    std::string text(std::min(size, AttemptLog::kTailBytes), '\0');
    const auto offset = static_cast<off_t>(size - text.size());
    std::size_t got = 0;
    while (got < text.size()) {
        const ssize_t n =
            ::pread(file.get(), text.data() + got, text.size() - got, offset + static_cast<off_t>(got));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return last_lines(text, offset > 0);
}

}  // namespace

std::string last_lines(std::string_view text, bool cut) {
    if (text.size() > AttemptLog::kTailBytes) {
        text.remove_prefix(text.size() - AttemptLog::kTailBytes);
        cut = true;
    }
    if (cut) {
        // Begin with a whole line, unless there is none.
        const std::size_t line = text.find('\n');
        if (line != std::string_view::npos && line + 1 < text.size()) text.remove_prefix(line + 1);
    }
    std::size_t lines = 0;
    std::size_t at = text.size();
    if (at > 0 && text[at - 1] == '\n') --at;
    while (at > 0) {
        const std::size_t newline = text.rfind('\n', at - 1);
        if (++lines == AttemptLog::kTailLines || newline == std::string_view::npos) {
            if (newline != std::string_view::npos) text.remove_prefix(newline + 1);
            break;
        }
        at = newline;
    }
    return std::string(text);
}

LogTail log_tail_reader(const std::string& store_path) {
    const std::string directory(store_path, 0, store_path.size() - base_name(store_path).size());
    return [directory, store = store_path](const Stage&, const Attempt& attempt) {
        if (!attempt.log_path || !is_own_log(*attempt.log_path, store)) return std::string();
        return read_end(directory + *attempt.log_path);
    };
}

}  // namespace turboci
