// SPDX-License-Identifier: Apache-2.0
#include "format/graph.hpp"

#include "format/graph_drawing.hpp"
#include "format/graph_model.hpp"

namespace turboci {

std::string render_graph(const GraphCollector& graph, const GraphOptions& options) {
    const GraphModel model(graph);
    const bool collapsed = options.collapse_by_kind;
    if (options.format == GraphFormat::json && !collapsed) return graph_json(model, graph.plan());
    const Drawing drawing = collapsed ? draw_collapsed(model, graph) : draw(model, graph.plan());
    switch (options.format) {
        case GraphFormat::dot:
            return drawing_dot(drawing, options.rankdir);
        case GraphFormat::mermaid:
            return drawing_mermaid(drawing, options.rankdir);
        case GraphFormat::json:
            return drawing_json(drawing);
        case GraphFormat::tree:
            break;
    }
    return drawing_tree(drawing, options.color);
}

}  // namespace turboci
