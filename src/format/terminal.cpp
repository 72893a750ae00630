// SPDX-License-Identifier: Apache-2.0
#include "format/terminal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "format/ascii.hpp"
#include "format/terminal_unicode.hpp"

namespace turboci {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_byte_escape(std::string& out, unsigned char byte) {
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 0x0f];
}

void append_escape(std::string& out, const CodePoint& point) {
    switch (point.value) {
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    if (!point.valid || point.value < 0x80) {
        append_byte_escape(out, static_cast<unsigned char>(point.value));
        return;
    }
    std::array<char, 8> digits{};
    std::size_t count = 0;
    for (char32_t rest = point.value; rest != 0; rest >>= 4) digits[count++] = kHex[rest & 0x0fu];
    out += "\\u{";
    while (count > 0) out += digits[--count];
    out += '}';
}

void append_visible(std::string& out, std::string_view text, const CodePoint& first) {
    if (!first.valid || is_unsafe_code_point(first.value)) {
        append_escape(out, first);
    } else {
        out.append(text, 0, first.size);
    }
}

/// "##[", "##vso[" and their like: runners look for these anywhere in a line, not only at its start.
bool begins_logging_command(std::string_view text) {
    if (!text.starts_with("##")) return false;
    std::size_t i = 2;
    while (i < text.size() && is_ascii_letter(text[i])) ++i;
    return i < text.size() && text[i] == '[';
}

/// Nothing in `text` needs a second look: the common case of ids and messages.
bool is_harmless(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#' && c != ':'; });
}

/// Length of an SGR sequence at the start of `text`, 0 if there is none.
std::size_t sgr_length(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    std::size_t i = 2;
    while (i < text.size() && (is_ascii_digit(text[i]) || text[i] == ';')) ++i;
    return i < text.size() && text[i] == 'm' ? i + 1 : 0;
}

std::string_view sgr_code(Style style) {
    switch (style) {
        case Style::plain:
            return "";
        case Style::bold:
            return "1";
        case Style::dim:
            return "2";
        case Style::green:
            return "32";
        case Style::red:
            return "31";
        case Style::yellow:
            return "33";
        case Style::blue:
            return "34";
        case Style::magenta:
            return "35";
        case Style::cyan:
            return "36";
    }
    return "";
}

/// The widths that columns get in `width`: those of `cut_first` give way in turn, then the widest; none below
/// kLeast.
std::vector<std::size_t> fitted(std::vector<std::size_t> columns, std::size_t width, std::size_t gap,
                                const std::vector<std::size_t>& cut_first) {
    constexpr std::size_t kLeast = 4;
    std::size_t total = columns.empty() ? 0 : gap * (columns.size() - 1);
    for (const std::size_t column : columns) total += column;
    for (const std::size_t c : cut_first) {
        if (width == 0 || total <= width) break;
        if (c >= columns.size() || columns[c] <= kLeast) continue;
        const std::size_t cut = std::min(columns[c] - kLeast, total - width);
        columns[c] -= cut;
        total -= cut;
    }
    while (width != 0 && total > width) {
        const auto widest = std::ranges::max_element(columns);
        if (widest == columns.end() || *widest <= kLeast) break;
        std::size_t second = kLeast;
        for (auto it = columns.begin(); it != columns.end(); ++it) {
            if (it != widest) second = std::max(second, *it);
        }
        // Down to the next widest at once; where two are equally wide, one column at a time.
        const std::size_t cut = std::clamp<std::size_t>(*widest - second, 1, total - width);
        *widest -= cut;
        total -= cut;
    }
    return columns;
}

}  // namespace

std::string printable(std::string_view data) {
    if (is_harmless(data)) return std::string(data);
    std::string out;
    out.reserve(data.size() + 8);
    bool leading = true;
    for (std::size_t i = 0; i < data.size();) {
        const std::string_view rest = data.substr(i);
        const CodePoint point = decode_utf8(rest);
        i += point.size;
        if (leading && rest.starts_with("::")) {
            append_byte_escape(out, ':');
        } else if (point.value == '#' && begins_logging_command(rest)) {
            append_byte_escape(out, '#');
        } else {
            append_visible(out, rest, point);
        }
        // An escaped blank is none any more, but is taken for one: better one escape too many.
        leading = leading && point.valid && is_blank_code_point(point.value);
    }
    return out;
}

std::string visible(std::string_view data) {
    if (is_harmless(data)) return std::string(data);
    std::string out;
    out.reserve(data.size() + 8);
    for (std::size_t i = 0; i < data.size();) {
        const std::string_view rest = data.substr(i);
        const CodePoint point = decode_utf8(rest);
        i += point.size;
        append_visible(out, rest, point);
    }
    return out;
}

bool is_visible(std::string_view data) noexcept {
    return std::ranges::all_of(data, [](char c) { return c >= ' ' && c < 0x7f; });
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (const std::size_t sgr = sgr_length(text.substr(i)); sgr != 0) {
            i += sgr;
            continue;
        }
        const CodePoint point = decode_utf8(text.substr(i));
        i += point.size;
        width += point.valid ? static_cast<std::size_t>(code_point_width(point.value)) : 1;
    }
    return width;
}

std::string_view ellipsis(bool utf8) noexcept { return utf8 ? "…" : "..."; }

std::string in_charset(std::string text, bool utf8) {
    if (utf8 || is_visible(text)) return text;
    const auto spell = [&text](std::string_view what, std::string_view ascii) {
        for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
            text.replace(at, what.size(), ascii);
    };
    spell("…", "...");
    spell("×", "x");
    return text;
}

std::string fit(std::string_view text, std::size_t width, bool utf8) {
    // No character takes more columns than bytes.
    if (text.size() <= width || display_width(text) <= width) return std::string(text);
    const std::string_view mark = ellipsis(utf8).substr(0, utf8 ? std::string_view::npos : width);
    const std::size_t mark_width = utf8 ? 1 : mark.size();
    if (width == 0) return {};
    std::size_t used = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        const CodePoint point = decode_utf8(text.substr(i));
        const std::size_t add = point.valid ? static_cast<std::size_t>(code_point_width(point.value)) : 1;
        if (used + add > width - mark_width) break;
        used += add;
        i += point.size;
    }
    return std::string(text.substr(0, i)) + std::string(mark);
}

std::string styled(std::string_view text, Style style, bool enabled) {
    const std::string_view code = sgr_code(style);
    if (!enabled || code.empty() || text.empty()) return std::string(text);
    std::string out = "\x1b[";
    out += code;
    out += 'm';
    out += text;
    out += "\x1b[0m";
    return out;
}

Style style_of(NodeType type, State state, std::optional<Outcome> outcome) {
    if (outcome) {
        switch (*outcome) {
            case Outcome::passed:
                return Style::green;
            case Outcome::failed:
                return Style::red;
            case Outcome::skipped:
                return Style::dim;
            case Outcome::cancelled:
                return Style::magenta;
        }
    }
    switch (state) {
        case State::planning:
            return Style::dim;
        case State::planned:
            return Style::plain;
        case State::waiting:
            return type == NodeType::check ? Style::yellow : Style::plain;
        case State::attempting:
            return Style::blue;
        case State::awaiting_group:
            return Style::cyan;
        case State::final:
            break;
    }
    return Style::plain;
}

std::string Table::render(std::size_t width, bool color, bool utf8) const {
    constexpr std::size_t kGap = 2;
    std::size_t columns = header_.size();
    for (const auto& row : rows_) columns = std::max(columns, row.size());
    std::vector<std::size_t> widths(columns, 0);
    std::vector<std::vector<std::string>> lines;
    lines.reserve(rows_.size() + 1);
    const auto add_line = [&](std::size_t cells, auto text_of) {
        std::vector<std::string>& line = lines.emplace_back();
        for (std::size_t c = 0; c < cells; ++c) {
            std::string text = printable(text_of(c));
            text.erase(text.find_last_not_of(' ') + 1);
            line.push_back(std::move(text));
            widths[c] = std::max(widths[c], display_width(line[c]));
        }
    };
    add_line(header_.size(), [this](std::size_t c) -> std::string_view { return header_[c]; });
    for (const auto& row : rows_) {
        add_line(row.size(), [&row](std::size_t c) -> std::string_view { return row[c].text; });
    }
    widths = fitted(std::move(widths), width, kGap, cut_first_);

    std::string out;
    for (std::size_t r = 0; r < lines.size(); ++r) {
        if (r == 0 && header_.empty()) continue;
        std::size_t pending = 0;  // blanks that are owed to the next cell with text
        for (std::size_t c = 0; c < lines[r].size(); ++c) {
            const std::string text = fit(lines[r][c], widths[c], utf8);
            if (!text.empty()) {
                out.append(pending, ' ');
                pending = 0;
                out += styled(text, r == 0 ? Style::bold : rows_[r - 1][c].style, color);
            }
            pending += widths[c] - std::min(widths[c], display_width(text)) + kGap;
        }
        out += '\n';
    }
    return out;
}

}  // namespace turboci
