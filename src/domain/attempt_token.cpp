// SPDX-License-Identifier: Apache-2.0
// The fields in the order of the struct, line ends between them (no id has one), in hexadecimal digits.
#include "domain/attempt_token.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>

namespace turboci {

namespace {

constexpr std::string_view kPrefix = "a1x";  // the version of the form
constexpr std::string_view kDigits = "0123456789abcdef";

std::optional<std::string> decode_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::size_t high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

}  // namespace

std::string to_string(const AttemptToken& token) {
    const std::string fields = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", token.store, token.plan_identity,
                                           token.plan, token.stage, token.idx, token.holder);
    std::string text(kPrefix);
    for (const char c : fields) {
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte / 16];
        text += kDigits[byte % 16];
    }
    return text;
}

std::optional<AttemptToken> parse_attempt_token(std::string_view text) {
    if (!text.starts_with(kPrefix)) return std::nullopt;
    const auto fields = decode_hex(text.substr(kPrefix.size()));
    if (!fields) return std::nullopt;
    std::array<std::string, 6> parts;
    std::size_t part = 0;
    for (const char c : *fields) {
        if (c != '\n')
            parts[part] += c;
        else if (++part == parts.size())
            return std::nullopt;
    }
    std::int32_t idx = 0;
    const char* const end = parts[4].data() + parts[4].size();
    const bool whole = std::from_chars(parts[4].data(), end, idx).ptr == end;
    if (part + 1 != parts.size() || !whole || idx < 1) return std::nullopt;
    return AttemptToken{parts[0], parts[1], parts[2], parts[3], idx, parts[5]};
}

}  // namespace turboci
