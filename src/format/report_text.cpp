// SPDX-License-Identifier: Apache-2.0
#include "format/report_text.hpp"

#include <fmt/core.h>

namespace turboci {

std::string human_duration(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (ms < 1000) return fmt::format("{}ms", ms);
    if (ms < 60'000) return fmt::format("{}.{}s", ms / 1000, ms % 1000 / 100);
    const auto seconds = ms / 1000;
    if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
    return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
}

std::string plain_line(std::string_view line) {
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (const std::size_t back = line.rfind('\r'); back != std::string_view::npos)
        line.remove_prefix(back + 1);
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\t') {
            text.append(8 - text.size() % 8, ' ');
        } else if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
            i += 2;
            while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
        } else {
            text += line[i];
        }
    }
    return text;
}

std::vector<std::string> plain_lines(std::string_view output) {
    std::vector<std::string> lines;
    while (!output.empty()) {
        const std::size_t newline = output.find('\n');
        lines.push_back(plain_line(output.substr(0, newline)));
        output.remove_prefix(newline == std::string_view::npos ? output.size() : newline + 1);
    }
    return lines;
}

std::string amount_of(std::int64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace turboci
