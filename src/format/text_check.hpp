// SPDX-License-Identifier: Apache-2.0
// The first look at a file's bytes: encoding and control characters.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// Are the eight bytes from `at` on ASCII without control characters, so that each is a column?
[[nodiscard]] inline bool eight_plain(const char* at) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101u;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    // The top bit of a byte that is not ASCII, is below ' ', or is DEL. A borrow or carry comes
    // only out of such a byte.
    return ((bytes | (bytes - kOnes * ' ') | (bytes + kOnes)) & kOnes * 0x80) == 0;
}

/// Without the UTF-8 byte order mark that it may begin with.
[[nodiscard]] std::string_view skip_bom(std::string_view text) noexcept;
/// Reports UTF-16 and UTF-32, invalid UTF-8 and control characters (other than tab, line feed, carriage
/// return); false if there is any. `text` is without byte order mark.
bool check_text(std::string_view text, std::uint32_t file, FileProblems& problems);
/// Line and column (in characters) of a byte.
[[nodiscard]] Position position_of(std::string_view text, std::size_t offset, std::uint32_t file) noexcept;

}  // namespace turboci
