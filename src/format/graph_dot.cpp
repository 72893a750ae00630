// SPDX-License-Identifier: Apache-2.0
// Source for the grammar: the DOT language and escString types in Graphviz' documentation.
#include <algorithm>

#include "format/graph_drawing.hpp"
#include "format/terminal.hpp"
#include "format/terminal_unicode.hpp"

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

/// A quoted DOT string. Backslashes are doubled, so that "\N" and the like stay what they are; "\n" is the
/// line break of labels. What XML cannot hold becomes U+FFFD.
void append_dot_string(std::string& out, std::string_view text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/, +=()";
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t plain = std::min(text.find_first_not_of(kPlain, i), text.size());
        out.append(text, i, plain - i);
        i = plain;
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
        } else {
            out.append(text, i, point.size);
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
    }
    return "box";
}

void append_vertex(std::string& out, const Drawing::Vertex& vertex) {
    const TintStyle& tint = style_of(vertex.tint);
    out += "  ";
    append_dot_string(out, vertex.name);
    out += " [shape=";
    out += shape_of(vertex.shape);
    out += ", label=";
    append_dot_string(out, vertex.detail.empty() ? vertex.title : vertex.title + "\n" + vertex.detail);
    out += ", fillcolor=\"";
    out += tint.fill;
    out += "\", color=\"";
    out += tint.border;
    out += '"';
    if (vertex.tint == Tint::planning || vertex.tint == Tint::skipped) out += ", style=\"filled,dashed\"";
    if (vertex.tint == Tint::failed) out += ", penwidth=2.5";
    if (vertex.shape == Shape::connector) out += ", fontsize=9, width=0.2, height=0.2, margin=\"0.02\"";
    if (!vertex.tooltip.empty()) {
        out += ", tooltip=";
        append_dot_string(out, vertex.tooltip);
    }
    out += "];\n";
}

void append_arrow(std::string& out, const Drawing& drawing, const Drawing::Arrow& arrow) {
    out += "  ";
    append_dot_string(out, drawing.vertices[arrow.from].name);
    out += " -> ";
    append_dot_string(out, drawing.vertices[arrow.to].name);
    std::string attributes;
    const auto add = [&attributes](std::string_view text) {
        attributes += attributes.empty() ? "" : ", ";
        attributes += text;
    };
    if (arrow.kind == LinkKind::assignment) add("style=dashed, arrowhead=empty");
    if (arrow.kind == LinkKind::continuation) add("style=dotted");
    if (arrow.resolution == Resolution::satisfied) add("color=\"#00795a\"");
    if (arrow.resolution == Resolution::unsatisfied) add("color=\"#b33c00\", penwidth=2");
    if (drawing.vertices[arrow.to].shape == Shape::connector) add("arrowhead=none");
    std::string label = arrow.label;
    if (arrow.count > 1) label += (label.empty() ? "×" : " ×") + std::to_string(arrow.count);
    if (!label.empty()) {
        add("label=");
        append_dot_string(attributes, label);
    }
    if (!attributes.empty()) out += " [" + attributes + "]";
    out += ";\n";
}

}  // namespace

std::string drawing_dot(const Drawing& drawing, RankDir rankdir) {
    std::string out;
    out.reserve(256 + drawing.vertices.size() * 160 + drawing.arrows.size() * 64);
    out += "digraph ";
    append_dot_string(out, drawing.title);
    out += " {\n  graph [charset=\"UTF-8\", rankdir=";
    out += rankdir == RankDir::LR ? "LR" : "TB";
    out +=
        ", fontname=\"Helvetica,Arial,sans-serif\"];\n"
        "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, style=filled];\n"
        "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, color=\"#6b6b6b\"];\n";
    for (const Drawing::Vertex& vertex : drawing.vertices) append_vertex(out, vertex);
    for (const Drawing::Arrow& arrow : drawing.arrows) append_arrow(out, drawing, arrow);
    out += "}\n";
    return out;
}

}  // namespace turboci
