// SPDX-License-Identifier: Apache-2.0
#include "format/graph.hpp"

#include <algorithm>

#include "format/graph_drawing.hpp"

namespace turboci {

std::optional<GraphFormat> parse_graph_format(std::string_view text) noexcept {
    if (text == "dot") return GraphFormat::dot;
    if (text == "mermaid") return GraphFormat::mermaid;
    if (text == "json") return GraphFormat::json;
    if (text == "tree") return GraphFormat::tree;
    return std::nullopt;
}

namespace {

Drawing drawing_of(const Outline& graph, const GraphOptions& options) {
    Drawing drawing = options.collapse_by_kind ? draw_collapsed(graph) : draw(graph);
    if (options.format == GraphFormat::json) tally_nodes(drawing, graph);
    if (options.merge) merge_answers(drawing, graph);
    if (options.reduce) reduce_arrows(drawing);
    return drawing;
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

}  // namespace

GraphSize render_graph(const Outline& graph, const GraphOptions& options, const TextSink& write) {
    GraphSize size{graph.nodes.size(), graph.links.size(), 0};
    const TextSink counted = [&](std::string_view piece) {
        size.characters += characters_of(piece);
        write(piece);
    };
    const bool whole = !options.collapse_by_kind && !options.merge && !options.reduce;
    if (options.format == GraphFormat::json && whole) {
        counted(graph_json(graph));
        return size;
    }
    const Drawing drawing = drawing_of(graph, options);
    size.nodes = drawing.vertices.size();
    size.edges = drawing.arrows.size();
    switch (options.format) {
        case GraphFormat::dot:
            drawing_dot(drawing, options.rankdir, counted);
            break;
        case GraphFormat::mermaid:
            counted(drawing_mermaid(drawing, options.rankdir));
            break;
        case GraphFormat::json:
            counted(drawing_json(drawing));
            break;
        case GraphFormat::tree:
            counted(drawing_tree(drawing, options.color));
            break;
    }
    return size;
}

}  // namespace turboci
