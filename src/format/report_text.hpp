// SPDX-License-Identifier: Apache-2.0
// Pieces of text that reports and the views of a run share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/time.hpp"

namespace turboci {

/// "1.2s", "3m04s", "2h05m": for people, not for parsing.
[[nodiscard]] std::string human_duration(Duration duration);

/// A line of a command's output without what only a terminal of its own would understand: colours, tabs,
/// what was overwritten after a carriage return. Raw data all the same.
[[nodiscard]] std::string plain_line(std::string_view line);
/// The lines of `output`, each as plain_line(); the last one need not end with a newline.
[[nodiscard]] std::vector<std::string> plain_lines(std::string_view output);

/// "1 check", "2 checks"
[[nodiscard]] std::string amount_of(std::int64_t count, std::string_view what);

}  // namespace turboci
