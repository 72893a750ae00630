// SPDX-License-Identifier: Apache-2.0
#include "domain/quotes.hpp"

#include <fmt/format.h>

#include <iterator>

namespace turboci {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kShown = 80;
    std::string_view shown = text;
    if (shown.size() > kShown) {
        std::size_t end = kShown;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        shown = text.substr(0, end);
    }
    std::string out = "'";
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const auto c = static_cast<unsigned char>(shown[i]);
        const bool c1 = c == 0xC2 && i + 1 < shown.size() && static_cast<unsigned char>(shown[i + 1]) < 0xA0;
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c1) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(shown[++i]));
        } else if (c < 0x20 || c == 0x7F) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
        } else {
            out += shown[i];
        }
    }
    return out + (shown.size() < text.size() ? "…'" : "'");
}

}  // namespace turboci
