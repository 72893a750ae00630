// SPDX-License-Identifier: Apache-2.0
// Text for people: untrusted data made safe for terminals and CI logs, widths, colours, tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "turboci/node.hpp"

namespace turboci {

/// `data` on one line, with C0, C1, DEL, bidi controls and bad UTF-8 escaped (\n, \x1b, \u{202e}), and
/// with a leading "::", "##[" or "##vso[" (also after blanks) made harmless, so that it may begin a line.
[[nodiscard]] std::string printable(std::string_view data);
/// The same escapes, but commands are left as they are: for text that is not printed to a log.
[[nodiscard]] std::string visible(std::string_view data);
/// Is `data` what visible() makes of it? False also where that takes a closer look: beyond printable ASCII.
[[nodiscard]] bool is_visible(std::string_view data) noexcept;
/// Columns that `text` takes on a terminal (wcwidth-like: combining 0, East Asian wide 2).
[[nodiscard]] std::size_t display_width(std::string_view text);
/// What stands for text that was left out: "…", or "..." where the reader's character set has no such thing.
[[nodiscard]] std::string_view ellipsis(bool utf8) noexcept;
/// At most `width` columns of `text`, with the ellipsis in place of what was cut.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width, bool utf8 = true);
/// The text with what this program writes beyond ASCII ("…", "×") spelled in ASCII, unless `utf8`.
[[nodiscard]] std::string in_charset(std::string text, bool utf8);

enum class Style { plain, bold, dim, green, red, yellow, blue, magenta, cyan };
/// Wraps `text` in SGR codes if `enabled`.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool enabled);
/// The colour of a node by state and outcome.
[[nodiscard]] Style style_of(NodeType type, State state, std::optional<Outcome> outcome);

/// A table for people: aligned columns, a bold header, cut to fit.
class Table {
public:
    struct Cell {
        std::string text;  ///< raw data; made printable() by the table
        Style style = Style::plain;
    };
    /// Where there is too little room, the columns `cut_first` give way, in this order and to a few
    /// characters; then the widest of the others. So ids, which are of no use when they are cut, come last.
    explicit Table(std::vector<std::string> header, std::vector<std::size_t> cut_first = {})
        : header_(std::move(header)), cut_first_(std::move(cut_first)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    /// `width` 0: do not cut. Lines end with "\n", no trailing blanks.
    [[nodiscard]] std::string render(std::size_t width, bool color, bool utf8 = true) const;

private:
    std::vector<std::string> header_;
    std::vector<std::size_t> cut_first_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace turboci
