// SPDX-License-Identifier: Apache-2.0
// Source for the grammar: the DOT language and escString types in Graphviz' documentation.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "format/graph_drawing.hpp"
#include "format/terminal_unicode.hpp"
#include "format/text_buffer.hpp"

namespace turboci {
namespace {

/// Does Graphviz take what begins with this '&' for a character entity?
bool begins_entity(std::string_view text) {
    std::size_t i = 1;
    if (i < text.size() && text[i] == '#') ++i;
    const std::size_t begin = i;
    const auto is_word = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    while (i < text.size() && is_word(text[i])) ++i;
    return i > begin && i < text.size() && text[i] == ';';
}

/// Bytes that mean nothing to DOT inside quotes.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\' && c != '&';
    return plain;
}();

/// A quoted DOT string. Backslashes are doubled, so that "\N" and the like stay what they are; "\n" is the
/// line break of labels. What XML cannot hold becomes U+FFFD.
/// With `distinct`, different texts stay different: whatever is or becomes U+FFFD tells what it was.
void append_dot_string(std::string& out, std::string_view text, bool distinct = false) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t begin = i;
        while (i < text.size() && kPlain[static_cast<unsigned char>(text[i])]) ++i;
        out.append(text, begin, i - begin);
        if (i == text.size()) break;
        const CodePoint point = decode_utf8(text.substr(i));
        if (point.value == '"' || point.value == '\\') {
            out += '\\';
            out += static_cast<char>(point.value);
        } else if (point.value == '\n') {
            out += "\\n";
        } else if (point.value == '&' && begins_entity(text.substr(i))) {
            out += "&amp;";
        } else if (!point.valid || point.value < 0x20 || (point.value >= 0x7f && point.value <= 0x9f) ||
                   (point.value & 0xfffeu) == 0xfffe) {
            out += "\xef\xbf\xbd";
            if (distinct) out += fmt::format("{:x};", static_cast<std::uint32_t>(point.value));
        } else {
            out.append(text, i, point.size);
            if (distinct && point.value == 0xfffd) out += "fffd;";
        }
        i += point.size;
    }
    out += '"';
}

std::string_view shape_of(Shape shape) {
    switch (shape) {
        case Shape::check:
            return "ellipse";
        case Shape::stage:
            return "box";
        case Shape::connector:
            return "diamond";
        case Shape::answered:
            return "box";
    }
    return "box";
}

/// `text` quoted, by itself.
std::string dot_string(std::string_view text, bool distinct = false) {
    std::string out;
    append_dot_string(out, text, distinct);
    return out;
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
}

void put_quoted(TextBuffer& out, std::string_view text) {
    if (is_plain(text))
        out << '"' << text << '"';
    else
        out << dot_string(text);
}

void put_label(TextBuffer& out, const Drawing::Vertex& vertex) {
    if (vertex.detail.empty()) {
        put_quoted(out, vertex.title);
    } else if (is_plain(vertex.title) && is_plain(vertex.detail)) {
        out << '"' << vertex.title << "\\n" << vertex.detail << '"';
    } else {
        std::string lines(vertex.title);
        lines += '\n';
        lines += vertex.detail;
        out << dot_string(lines);
    }
}

void put_vertex(TextBuffer& out, const Drawing::Vertex& vertex, std::string_view name) {
    const TintStyle& tint = style_of(vertex.tint);
    out << "  " << name << " [shape=" << shape_of(vertex.shape) << ", label=";
    put_label(out, vertex);
    out << ", fillcolor=\"" << tint.fill << "\", color=\"" << tint.border << '"';
    const bool dashed = vertex.tint == Tint::planning || vertex.tint == Tint::skipped || !vertex.required;
    const bool rounded = vertex.shape == Shape::answered;
    if (dashed || rounded)
        out << ", style=\"filled" << (rounded ? ",rounded" : "") << (dashed ? ",dashed" : "") << '"';
    if (vertex.tint == Tint::failed) out << ", penwidth=2.5";
    if (vertex.shape == Shape::connector) out << ", fontsize=9, width=0.2, height=0.2, margin=\"0.02\"";
    if (!vertex.tooltip.empty()) {
        out << ", tooltip=";
        put_quoted(out, vertex.tooltip);
    }
    out << "];\n";
}

void put_attributes(TextBuffer& out, const Drawing::Arrow& arrow, bool into_connector) {
    std::string_view separator = " [";
    const auto add = [&](std::string_view text) {
        out << separator << text;
        separator = ", ";
    };
    if (arrow.kind == LinkKind::assignment) add("style=dashed, arrowhead=empty");
    if (arrow.kind == LinkKind::continuation) add("style=dotted");
    if (arrow.resolution == Resolution::satisfied) add("color=\"#00795a\"");
    if (arrow.resolution == Resolution::unsatisfied) add("color=\"#b33c00\", penwidth=2");
    if (into_connector) add("arrowhead=none");
    if (!arrow.label.empty() || arrow.count > 1) {
        add("label=");
        put_quoted(out, counted_label(arrow));
    }
    if (separator == ", ") out << ']';
}

}  // namespace

void drawing_dot(const Drawing& drawing, RankDir rankdir, const TextSink& write) {
    TextArena quoted;
    std::vector<std::string_view> names;
    names.reserve(drawing.vertices.size());
    for (const Drawing::Vertex& vertex : drawing.vertices)
        names.push_back(is_plain(vertex.name) ? quoted.keep("\"", vertex.name, "\"")
                                              : quoted.keep(dot_string(vertex.name, true)));
    TextBuffer out(write);
    out << "digraph ";
    put_quoted(out, drawing.title);
    out << " {\n  graph [charset=\"UTF-8\", rankdir=" << (rankdir == RankDir::LR ? "LR" : "TB")
        << ", fontname=\"Helvetica,Arial,sans-serif\"];\n"
           "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, style=filled];\n"
           "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, color=\"#6b6b6b\"];\n";
    for (std::size_t i = 0; i < names.size(); ++i) put_vertex(out, drawing.vertices[i], names[i]);
    for (const Drawing::Arrow& arrow : drawing.arrows) {
        out << "  " << names[arrow.from] << " -> " << names[arrow.to];
        put_attributes(out, arrow, drawing.vertices[arrow.to].shape == Shape::connector);
        out << ";\n";
    }
    out << "}\n";
    out.flush();
}

}  // namespace turboci
