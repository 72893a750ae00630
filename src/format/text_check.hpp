// SPDX-License-Identifier: Apache-2.0
// The first look at a file's bytes: encoding and control characters.
#pragma once

#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// Without the UTF-8 byte order mark that it may begin with.
[[nodiscard]] std::string_view skip_bom(std::string_view text) noexcept;
/// Reports UTF-16 and UTF-32, invalid UTF-8 and control characters (other than tab, line feed, carriage
/// return); false if there is any. `text` is without byte order mark.
bool check_text(std::string_view text, std::uint32_t file, FileProblems& problems);
/// Line and column (in characters) of a byte.
[[nodiscard]] Position position_of(std::string_view text, std::size_t offset, std::uint32_t file) noexcept;

}  // namespace turboci
