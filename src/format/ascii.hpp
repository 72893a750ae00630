// SPDX-License-Identifier: Apache-2.0
// Classes of ASCII characters, whatever the locale.
#pragma once

namespace turboci {

[[nodiscard]] constexpr bool is_ascii_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_ascii_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace turboci
