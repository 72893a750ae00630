// SPDX-License-Identifier: Apache-2.0
// A plan's graph as DOT, Mermaid, JSON or an indented tree. Deterministic; escaped by each grammar.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "domain/outline.hpp"

namespace turboci {

enum class GraphFormat { dot, mermaid, json, tree };
[[nodiscard]] std::optional<GraphFormat> parse_graph_format(std::string_view text) noexcept;
enum class RankDir { LR, TB };

struct GraphOptions {
    GraphFormat format = GraphFormat::dot;
    /// One box per kind of check, and per set of stages with the same targets (with targets of the same
    /// kinds, where that would still be more than kMaxTargetBoxes); edges between boxes are counted.
    bool collapse_by_kind = false;
    bool merge = false;   ///< a stage and the check that it alone answers are one box
    bool reduce = false;  ///< without arrows that follow from others
    RankDir rankdir = RankDir::LR;
    bool color = false;  ///< tree only
};
inline constexpr std::size_t kMaxTargetBoxes = 24;

/// Takes a text piece by piece.
using TextSink = std::function<void(std::string_view piece)>;

/// How large a picture is.
struct GraphSize {
    std::size_t nodes = 0, edges = 0;
    std::size_t characters = 0;  ///< of the text
};
/// Beyond these Mermaid draws nothing, unless its settings say otherwise. Source: maxEdges and maxTextSize in
/// the documentation of its configuration.
inline constexpr std::size_t kMaxMermaidEdges = 500;
inline constexpr std::size_t kMaxMermaidCharacters = 50'000;

/// Writes the text, with a newline at the end unless it is empty.
///
/// Arrows point the way that work flows: from a dependency to what waits for it, from a stage to the check
/// that it answers. DOT names nodes by their references. JSON, on one line:
/// {"plan":ID,"nodes":[{"ref","type","kind","state","outcome"}…],
///  "edges":[{"from":REF,"to":REF,"kind":"dependency|continuation|assignment","on_state","when","goal_state",
///            "group","resolved","satisfied"}…],
///  "groups":[{"id","owner":REF,"role":"dependencies|continuation_group","parent":ID|null,"predicate",
///             "threshold","members","resolution"}…]}
/// with null for what does not apply; `kind` of a stage is null. Collapsed, merged or reduced:
/// {"plan":ID,"nodes":[{"ref":BOX,"type":"check|stage|group","label","count","states":[{"state","outcome","count"}…]}…],
///  "edges":[{"from":BOX,"to":BOX,"kind","label","count"}…],"groups":[]}
GraphSize render_graph(const Outline& graph, const GraphOptions& options, const TextSink& write);

}  // namespace turboci
