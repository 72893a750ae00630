// SPDX-License-Identifier: Apache-2.0
#include "runner/log_tail.hpp"

#include <algorithm>

#include "runner/attempt_log.hpp"
#include "runner/log_file.hpp"

namespace turboci {

namespace {

std::string read_end(const LogFile& file) {
    const std::int64_t size = file.size();
    const std::int64_t begin = std::max<std::int64_t>(0, size - std::int64_t{AttemptLog::kTailBytes});
    return last_lines(file.read(begin, static_cast<std::size_t>(size - begin)), begin > 0);
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
    return [store_path](const Stage&, const Attempt& attempt) {
        const auto file = attempt.log_path ? LogFile::open(store_path, *attempt.log_path) : std::nullopt;
        return file ? read_end(*file) : std::string();
    };
}

}  // namespace turboci
