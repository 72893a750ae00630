// SPDX-License-Identifier: Apache-2.0
// Code points as output sees them: decoding, terminal widths, and which ones are not fit to be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace turboci {

/// One step through a text that may not be UTF-8.
struct CodePoint {
    char32_t value = 0;    ///< the byte itself when it is not valid UTF-8
    std::size_t size = 1;  ///< bytes taken, at least 1
    bool valid = false;
};
/// The code point at the start of `text`, which must not be empty.
[[nodiscard]] CodePoint decode_utf8(std::string_view text) noexcept;
void append_utf8(std::string& out, char32_t value);

/// Columns on a terminal: 0 for combining marks, 2 for East Asian wide, else 1.
/// Source: Unicode 14, General_Category and East_Asian_Width.
[[nodiscard]] int code_point_width(char32_t value) noexcept;
/// Controls (C0, DEL, C1), bidi controls, line and paragraph separators, invisible format characters.
/// ZWJ and ZWNJ are not among them: scripts and emoji need them.
[[nodiscard]] bool is_unsafe_code_point(char32_t value) noexcept;
/// Blank to those who trim lines: all of Unicode's White_Space.
[[nodiscard]] bool is_blank_code_point(char32_t value) noexcept;

}  // namespace turboci
