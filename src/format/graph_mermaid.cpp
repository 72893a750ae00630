// SPDX-License-Identifier: Apache-2.0
// Source for the grammar: Mermaid's documentation of flowcharts, "Entity codes to escape characters".
#include <array>
#include <string>
#include <utility>

#include "format/graph_drawing.hpp"
#include "format/terminal_unicode.hpp"

namespace turboci {
namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// A quoted label. Labels are read as Markdown and shown as HTML, so ASCII punctuation is written as
/// entities unless it stands inside a word, where it means nothing.
void append_label(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool in_word =
            i > 0 && i + 1 < text.size() && is_alphanumeric(text[i - 1]) && is_alphanumeric(text[i + 1]);
        if (c == '\n') {
            out += "<br/>";
        } else if (c == ' ' || is_alphanumeric(c) ||
                   (in_word && std::string_view("_-.:/").find(c) != std::string_view::npos) || c == ',') {
            out += c;
        } else {
            out += '#' + std::to_string(static_cast<int>(c)) + ';';
        }
    }
    out += '"';
}

std::pair<std::string_view, std::string_view> brackets_of(Shape shape) {
    switch (shape) {
        case Shape::check:
            return {"([", "])"};
        case Shape::stage:
            return {"[", "]"};
        case Shape::connector:
            return {"{", "}"};
        case Shape::answered:
            return {"(", ")"};
    }
    return {"[", "]"};
}

std::string_view line_of(LinkKind kind) {
    switch (kind) {
        case LinkKind::dependency:
            return " -->";
        case LinkKind::assignment:
            return " -.->";
        case LinkKind::continuation:
            return " ==>";
    }
    return " -->";
}

}  // namespace

std::string drawing_mermaid(const Drawing& drawing, RankDir rankdir) {
    std::string out = "flowchart ";
    out += rankdir == RankDir::LR ? "LR\n" : "TB\n";
    std::array<bool, kTints> used{};
    std::string optional;
    for (std::size_t i = 0; i < drawing.vertices.size(); ++i) {
        const Drawing::Vertex& vertex = drawing.vertices[i];
        const auto [open, close] = brackets_of(vertex.shape);
        out += "  n" + std::to_string(i);
        out += open;
        std::string label(vertex.title);
        if (!vertex.detail.empty()) label.append("\n").append(vertex.detail);
        append_label(out, label);
        out += close;
        out += ":::";
        out += style_of(vertex.tint).name;
        out += '\n';
        used[static_cast<std::size_t>(vertex.tint)] = true;
        if (!vertex.required) optional += (optional.empty() ? "n" : ",n") + std::to_string(i);
    }
    for (const Drawing::Arrow& arrow : drawing.arrows) {
        out += "  n" + std::to_string(arrow.from);
        out += line_of(arrow.kind);
        std::string label = counted_label(arrow);
        if (arrow.kind == LinkKind::continuation) label += label.empty() ? "continuation" : ", continuation";
        if (!label.empty()) {
            out += '|';
            append_label(out, label);
            out += '|';
        }
        out += " n" + std::to_string(arrow.to);
        out += '\n';
    }
    for (std::size_t i = 0; i < kTints; ++i) {
        if (!used[i]) continue;
        const TintStyle& style = style_of(static_cast<Tint>(i));
        out += "  classDef ";
        out += style.name;
        out += " fill:";
        out += style.fill;
        out += ",stroke:";
        out += style.border;
        out += ",color:#000000";
        if (static_cast<Tint>(i) == Tint::failed) out += ",stroke-width:3px";
        if (static_cast<Tint>(i) == Tint::planning || static_cast<Tint>(i) == Tint::skipped) {
            out += ",stroke-dasharray:4 3";
        }
        out += '\n';
    }
    if (!optional.empty())
        out += "  classDef optional stroke-dasharray:4 3\n  class " + optional + " optional\n";
    return out;
}

}  // namespace turboci
