// SPDX-License-Identifier: Apache-2.0
// A picture without a grammar: what DOT and Mermaid both draw, whole or collapsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/graph.hpp"

namespace turboci {

enum class Shape : std::uint8_t {
    check,
    stage,
    connector,
    answered,  ///< a check and the stage that alone answers it
};

/// What a vertex looks like: the state until there is an outcome.
enum class Tint : std::uint8_t {
    planning,
    planned,
    waiting,
    attempting,
    awaiting_group,
    passed,
    failed,
    skipped,
    cancelled,
    none
};
inline constexpr std::size_t kTints = 10;
[[nodiscard]] Tint tint_of(State state, std::optional<Outcome> outcome) noexcept;

struct TintStyle {
    std::string_view name;
    std::string_view fill;    ///< "#rrggbb", light enough for black text, told apart without red and green
    std::string_view border;  ///< "#rrggbb"
};
[[nodiscard]] const TintStyle& style_of(Tint tint) noexcept;

/// Points into the outline that it was drawn from, which must outlive it.
struct Drawing {
    /// How many nodes of a collapsed box are where.
    struct Tally {
        State state;
        std::optional<Outcome> outcome;
        std::int64_t count;
    };
    struct Vertex {
        Shape shape = Shape::check;
        Tint tint = Tint::none;
        std::string_view name;       ///< unique; raw data: a reference, or the name of a box or connector
        std::string_view title;      ///< safe to be shown, on one line
        std::string_view detail;     ///< likewise; may be empty
        std::string_view tooltip;    ///< raw data: the whole of what `title` had to cut; may be empty
        std::vector<Tally> tallies;  ///< of collapsed boxes, and after tally_nodes()
        std::int64_t count = 1;      ///< nodes in the box
        bool required = true;        ///< false: a check that never makes a verdict say no
    };
    struct Arrow {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        LinkKind kind = LinkKind::dependency;
        Resolution resolution = Resolution::unresolved;
        std::string_view label;
        std::int64_t count = 1;  ///< links that it stands for
    };
    std::string_view title;  ///< raw data
    std::vector<Vertex> vertices;
    std::vector<Arrow> arrows;
    bool collapsed = false;  ///< its boxes go by their titles; else by their names
    TextArena texts;         ///< what the outline does not have
};

/// The label with the number of links, if these are several: "any ×12".
[[nodiscard]] std::string counted_label(const Drawing::Arrow& arrow);

/// "any", "all", "2 of 3".
[[nodiscard]] std::string group_label(const Outline::Group& group);
/// What is out of the ordinary about a link: "on failure", "always", "at PLANNED", "to WAITING"; or "".
[[nodiscard]] std::string_view link_label(const Outline::Link& link) noexcept;

/// Every node, and a connector for each group that is more than "all of these".
[[nodiscard]] Drawing draw(const Outline& graph);
/// Boxes as GraphOptions::collapse_by_kind says.
[[nodiscard]] Drawing draw_collapsed(const Outline& graph);

/// Tells of each node of a drawing that is not collapsed where it is, for drawing_json().
void tally_nodes(Drawing& drawing, const Outline& graph);
/// A stage and the check that it alone answers become one vertex.
void merge_answers(Drawing& drawing, const Outline& graph);
/// Drops the arrows that follow from others (a transitive reduction): dependencies on success alone, and what
/// lies on a cycle keeps all of them.
void reduce_arrows(Drawing& drawing);

[[nodiscard]] std::string graph_json(const Outline& graph);
void drawing_dot(const Drawing& drawing, RankDir rankdir, const TextSink& write);
[[nodiscard]] std::string drawing_mermaid(const Drawing& drawing, RankDir rankdir);
[[nodiscard]] std::string drawing_tree(const Drawing& drawing, bool color);
[[nodiscard]] std::string drawing_json(const Drawing& drawing);  ///< of boxes, see render_graph()

}  // namespace turboci
