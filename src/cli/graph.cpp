// SPDX-License-Identifier: Apache-2.0
#include "format/graph.hpp"

#include <utility>

#include "cli/app.hpp"
#include "cli/select.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct DrawingOptions {
    Selection selection;
    GraphOptions graph;
};

/// Says on stderr what could be done about a picture that is too large.
void advise(const Context& context, const GraphOptions& how, const GraphSize& size) {
    constexpr std::size_t kReadable = 300;
    const bool picture = how.format == GraphFormat::dot || how.format == GraphFormat::mermaid;
    std::string flags;
    for (const auto& [given, flag] : {std::pair(how.collapse_by_kind, "--collapse kind"),
                                      std::pair(how.merge, "--merge"), std::pair(how.reduce, "--reduce")})
        if (!given) flags += (flags.empty() ? "" : ", ") + std::string(flag);
    if (picture && size.nodes > kReadable && !flags.empty())
        context.note("a picture of " + std::to_string(size.nodes) + " nodes is hard to read; smaller with " +
                     flags);
    if (how.format == GraphFormat::mermaid &&
        (size.edges > kMaxMermaidEdges || size.characters > kMaxMermaidCharacters))
        context.warn("beyond what Mermaid draws unless its configuration says otherwise: " +
                     std::to_string(size.edges) + " edges (maxEdges " + std::to_string(kMaxMermaidEdges) +
                     "), " + std::to_string(size.characters) + " characters (maxTextSize " +
                     std::to_string(kMaxMermaidCharacters) + ")");
}

int show_graph(Context& context, const DrawingOptions& options) {
    QueryNodes request = options.selection.request(context);
    // A node alone is no graph: without a wish, show what leads to it.
    if (!request.refs.empty() && !request.deps && !request.dependents) request.deps = -1;
    const Outline graph = context.service(Context::Open::read).outline(request);
    GraphOptions how = options.graph;
    how.color = context.color();
    if (context.format() == Format::json) how.format = GraphFormat::json;
    // A tree is for people; the others are files of their own kind, whatever the locale.
    const bool utf8 = how.format != GraphFormat::tree || Context::utf8();
    const GraphSize size = render_graph(graph, how, [&](std::string_view piece) {
        if (utf8) return context.out().write(piece);
        context.out().write(in_charset(std::string(piece), utf8));
    });
    advise(context, how, size);
    return 0;
}

void declare_drawing(Parser& parser, GraphOptions& graph) {
    parser.choice(
        "--format", "FORMAT", {"dot", "mermaid", "json", "tree"},
        [&graph](const std::string& value) { graph.format = parse_graph_format(value).value(); },
        "dot (default), mermaid, json or tree");
    parser.choice(
        "--collapse", "WHAT", {"kind"}, [&graph](const std::string&) { graph.collapse_by_kind = true; },
        "kind: one box for all checks of a kind");
    parser.flag("--merge", graph.merge, "one box for a stage and the check that it alone answers");
    parser.flag("--reduce", graph.reduce, "leave out edges that follow from others");
    parser.choice(
        "--rankdir", "DIR", {"LR", "TB"},
        [&graph](const std::string& value) { graph.rankdir = value == "LR" ? RankDir::LR : RankDir::TB; },
        "LR (default, left to right) or TB (top to bottom)", true);
}

Action define_graph_show(Parser& parser) {
    auto options = std::make_shared<DrawingOptions>();
    options->selection.declare_refs(parser, "draw these and what they need; default: the whole plan");
    declare_drawing(parser, options->graph);
    options->selection.declare_walk(parser);
    return [options](Context& context) { return show_graph(context, *options); };
}

constexpr Command kGraphCommands[] = {
    {"graph show", "Draw the plan's graph",
     "[REF]... [--format FORMAT] [--collapse kind] [--merge] [--reduce]",
     "turboci graph show --merge --reduce | dot -Tsvg > plan.svg\n"
     "turboci graph show --collapse kind --rankdir TB | dot -Tpng > plan.png\n"
     "turboci graph show check:release --format tree\n"
     "turboci graph show stage:build --dependents=2 --format mermaid",
     Formats{Format::table, Format::json}, define_graph_show,
     "Arrows point from what must come first to what waits for it. Same plan, same text."},
};

}  // namespace

std::span<const Command> graph_commands() { return kGraphCommands; }

}  // namespace turboci::cli
