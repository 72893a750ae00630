// SPDX-License-Identifier: Apache-2.0
#include "runner/log_tail.hpp"

#include "runner/attempt_log.hpp"

namespace turboci {

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

LogTail log_tail_reader(Service& service, const std::string& plan) {
    return [&service, plan](const Stage& stage, const Attempt& attempt) -> std::string {
        if (!attempt.log) return {};
        ReadOutput request;
        request.plan = plan;
        request.stage = stage.id;
        request.idx = attempt.idx;
        request.tail_bytes = std::int64_t{AttemptLog::kTailBytes} + 1;
        std::string text;
        try {
            service.read_output(request, [&](const OutputPart& part) { text += part.bytes; });
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
        }
        return last_lines(text, text.size() > AttemptLog::kTailBytes);
    };
}

}  // namespace turboci
