// SPDX-License-Identifier: Apache-2.0
#include "format/graph.hpp"

#include "format/graph_drawing.hpp"

namespace turboci {

std::optional<GraphFormat> parse_graph_format(std::string_view text) noexcept {
    if (text == "dot") return GraphFormat::dot;
    if (text == "mermaid") return GraphFormat::mermaid;
    if (text == "json") return GraphFormat::json;
    if (text == "tree") return GraphFormat::tree;
    return std::nullopt;
}

void render_graph(const Outline& graph, const GraphOptions& options, const TextSink& write) {
    const bool collapsed = options.collapse_by_kind;
    if (options.format == GraphFormat::json && !collapsed) return write(graph_json(graph));
    const Drawing drawing = collapsed ? draw_collapsed(graph) : draw(graph);
    switch (options.format) {
        case GraphFormat::dot:
            return drawing_dot(drawing, options.rankdir, write);
        case GraphFormat::mermaid:
            return write(drawing_mermaid(drawing, options.rankdir));
        case GraphFormat::json:
            return write(drawing_json(drawing));
        case GraphFormat::tree:
            return write(drawing_tree(drawing, options.color));
    }
}

}  // namespace turboci
