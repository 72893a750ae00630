// SPDX-License-Identifier: Apache-2.0
#include "format/scalars.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "format/ascii.hpp"

#include "domain/quotes.hpp"

namespace turboci {

namespace {

bool all_digits(std::string_view s, int base) noexcept {
    if (s.empty()) return false;
    for (const char c : s) {
        const bool ok = base == 8    ? c >= '0' && c <= '7'
                        : base == 10 ? is_ascii_digit(c)
                                     : is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!ok) return false;
    }
    return true;
}

bool is_one_of(std::string_view text, std::string_view a, std::string_view b, std::string_view c) noexcept {
    return text == a || text == b || text == c;
}

/// ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view s) noexcept {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t from = i;
        while (i < s.size() && is_ascii_digit(s[i])) ++i;
        return i - from;
    };
    const std::size_t whole = digits();
    std::size_t fraction = 0;
    if (i < s.size() && s[i] == '.') {
        ++i;
        fraction = digits();
    }
    if (whole + fraction == 0) return false;
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
        ++i;
        if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
        if (digits() == 0) return false;
    }
    return i == s.size();
}

struct Number {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

std::optional<Number> parse_number(std::string_view text) noexcept {
    Number n;
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0o")) {
        base = text[1] == 'x' ? 16 : 8;
        text.remove_prefix(2);
    } else if (text.starts_with('-') || text.starts_with('+')) {
        n.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (!all_digits(text, base)) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n.magnitude, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (n.negative && n.magnitude > std::uint64_t{1} << 63) return std::nullopt;
    return n;
}

bool is_plain_decimal(std::string_view text) noexcept {
    if (text.starts_with('-')) text.remove_prefix(1);
    return text.size() <= 18 && all_digits(text, 10) && (text.front() != '0' || text.size() == 1);
}

std::string append_integer(std::string& out, std::string_view text) {
    if (is_plain_decimal(text) && text != "-0") {
        out += text;
        return {};
    }
    const auto n = parse_number(text);
    if (!n) {
        out += '0';
        return fmt::format("{} does not fit into 64 bits; put it in quotes to make it a string",
                           in_quotes(text));
    }
    if (n->negative && n->magnitude != 0) out += '-';
    fmt::format_to(std::back_inserter(out), "{}", n->magnitude);
    return {};
}

std::string append_real(std::string& out, std::string_view text) {
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) {
        // Too small is zero, as everywhere; too large cannot be told in JSON.
        const auto e = digits.find_first_of("eE");
        if (e != std::string_view::npos && digits.substr(e + 1).starts_with('-')) {
            value = digits.starts_with('-') ? -0.0 : 0.0;
        } else {
            value = std::numeric_limits<double>::infinity();
        }
    } else if (error != std::errc() || end != digits.data() + digits.size()) {
        value = std::numeric_limits<double>::quiet_NaN();  // .inf and .nan, which from_chars does not know
    }
    if (!std::isfinite(value)) {
        out += '0';
        return fmt::format("{} cannot be told in JSON; put it in quotes to make it a string",
                           in_quotes(text));
    }
    std::array<char, 40> buffer{};
    const auto done = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    const std::string_view shortest(buffer.data(), static_cast<std::size_t>(done.ptr - buffer.data()));
    out += shortest;
    if (shortest.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a floating-point number
    return {};
}

}  // namespace

ScalarKind resolve_plain(std::string_view text) noexcept {
    if (text.empty() || text == "~") return ScalarKind::null;
    std::string_view number = text;
    switch (text.front()) {
        case 'n':
        case 'N':
            return is_one_of(text, "null", "Null", "NULL") ? ScalarKind::null : ScalarKind::string;
        case 't':
        case 'T':
            return is_one_of(text, "true", "True", "TRUE") ? ScalarKind::boolean : ScalarKind::string;
        case 'f':
        case 'F':
            return is_one_of(text, "false", "False", "FALSE") ? ScalarKind::boolean : ScalarKind::string;
        case '.':
            if (is_one_of(text, ".nan", ".NaN", ".NAN")) return ScalarKind::real;
            break;
        case '-':
        case '+':
            number.remove_prefix(1);
            break;
        default:
            if (!is_ascii_digit(text.front())) return ScalarKind::string;
    }
    if (is_one_of(number, ".inf", ".Inf", ".INF")) return ScalarKind::real;
    if (text.starts_with("0x") && all_digits(text.substr(2), 16)) return ScalarKind::integer;
    if (text.starts_with("0o") && all_digits(text.substr(2), 8)) return ScalarKind::integer;
    if (all_digits(number, 10)) return ScalarKind::integer;
    return is_float(number) ? ScalarKind::real : ScalarKind::string;
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
    const auto n = parse_number(text);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!n || (!n->negative && n->magnitude > kMax)) return std::nullopt;
    if (!n->negative) return static_cast<std::int64_t>(n->magnitude);
    return static_cast<std::int64_t>(~n->magnitude + 1);
}

bool boolean_value(std::string_view text) noexcept { return text.front() == 't' || text.front() == 'T'; }

std::string append_json_scalar(std::string& out, const Scalar& scalar) {
    switch (scalar.kind) {
        case ScalarKind::null:
        case ScalarKind::invalid:
            out += "null";
            return {};
        case ScalarKind::boolean:
            out += boolean_value(scalar.text) ? "true" : "false";
            return {};
        case ScalarKind::integer:
            return append_integer(out, scalar.text);
        case ScalarKind::real:
            return append_real(out, scalar.text);
        case ScalarKind::string:
            append_json_text(out, scalar.text);
            return {};
    }
    return {};
}

void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out += text.substr(from, i - from);
        from = i + 1;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
        }
    }
    out += text.substr(from);
    out += '"';
}

std::string_view describe(ScalarKind kind) noexcept {
    switch (kind) {
        case ScalarKind::null:
            return "null";
        case ScalarKind::boolean:
            return "true or false";
        case ScalarKind::integer:
            return "an integer";
        case ScalarKind::real:
            return "a number";
        case ScalarKind::string:
            return "a string";
        case ScalarKind::invalid:
            break;
    }
    return "nothing";
}

}  // namespace turboci
