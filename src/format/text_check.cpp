// SPDX-License-Identifier: Apache-2.0
#include "format/text_check.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace turboci {

namespace {

constexpr std::array<bool, 256> make_simple() {
    std::array<bool, 256> simple{};
    for (std::size_t c = 0x20; c < 0x7F; ++c) simple[c] = true;
    simple['\t'] = simple['\n'] = simple['\r'] = true;
    return simple;
}
constexpr std::array<bool, 256> kSimple = make_simple();

/// The length of a well-formed sequence of two bytes or more; 0 if it is not one.
std::size_t long_sequence(std::string_view s) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (s.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool beyond = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
    return overlong || beyond ? 0 : length;
}

std::string_view utf16_name(std::string_view text) noexcept {
    using namespace std::string_view_literals;
    if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
    if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) return "UTF-16";
    return {};
}

}  // namespace

std::string_view skip_bom(std::string_view text) noexcept {
    return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

bool check_text(std::string_view text, std::uint32_t file, FileProblems& problems) {
    if (const auto name = utf16_name(text); !name.empty()) {
        problems.add({file, 1, 1}, fmt::format("the file is {}; save it as UTF-8", name));
        return false;
    }
    for (std::size_t i = 0; i < text.size();) {
        if (text.size() - i >= 8 && eight_plain(&text[i])) {
            i += 8;
            continue;
        }
        const auto c = static_cast<unsigned char>(text[i]);
        if (kSimple[c]) {
            ++i;
            continue;
        }
        const std::size_t length = c < 0x80 ? 1 : long_sequence(text.substr(i, 4));
        if (length == 0) {
            problems.add(position_of(text, i, file), fmt::format("invalid UTF-8: byte 0x{:02X}", c));
            return false;
        }
        // U+0085 is a line break in YAML.
        const auto second = length == 2 ? static_cast<unsigned char>(text[i + 1]) : 0;
        const bool c1 = c == 0xC2 && second < 0xA0 && second != 0x85;
        if (length == 1 || c1) {
            problems.add(
                position_of(text, i, file),
                fmt::format("a control character (U+{:04X}) is not allowed; write it as an escape in "
                            "double quotes",
                            c1 ? second : c));
            return false;
        }
        i += length;
    }
    return true;
}

Position position_of(std::string_view text, std::size_t offset, std::uint32_t file) noexcept {
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::ranges::count(before, '\n');
    const auto start = before.rfind('\n');
    const auto line = start == std::string_view::npos ? before : before.substr(start + 1);
    const auto column =
        std::ranges::count_if(line, [](char b) { return (static_cast<unsigned char>(b) & 0xC0) != 0x80; });
    return {file, static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(column + 1)};
}

}  // namespace turboci
