// SPDX-License-Identifier: Apache-2.0
#include "format/graph_drawing.hpp"

#include <array>

#include "format/terminal.hpp"

namespace turboci {
namespace {

constexpr std::size_t kTitleWidth = 60;
constexpr std::size_t kKindWidth = 30;

// Light fills from blue-green over yellow to vermilion, which stay apart for colour-blind eyes; the label
// says the same in words.
constexpr std::array<TintStyle, kTints> kStyles{{
    {"planning", "#ffffff", "#9a9a9a"},
    {"planned", "#ffffff", "#4d4d4d"},
    {"waiting", "#fff3b0", "#b8860b"},
    {"attempting", "#b3d9f2", "#0072b2"},
    {"awaiting_group", "#d9d3f0", "#5b4b9a"},
    {"passed", "#b7e4d1", "#00795a"},
    {"failed", "#f7a889", "#b33c00"},
    {"skipped", "#e3e3e3", "#8a8a8a"},
    {"cancelled", "#ecc9de", "#a0437e"},
    {"none", "#f5f5f5", "#6b6b6b"},
}};

/// What nodes of one kind say below their titles.
class Details {
public:
    explicit Details(TextArena& texts) : texts_(texts) {}

    std::string_view of(const Outline::Node& node) {
        // An outline keeps a kind once: two that begin in one place are one.
        for (const Known& known : known_)
            if (known.kind.data() == node.kind.data() && known.kind.size() == node.kind.size() &&
                known.state == node.state && known.outcome == node.outcome &&
                known.required == node.required && known.needs == node.needs && !known.detail.empty())
                return known.detail;
        std::string detail = fit(visible(node.kind), kKindWidth);
        if (!detail.empty()) detail += ", ";
        detail += node.outcome ? to_string(*node.outcome) : to_string(node.state);
        if (!node.required) detail += ", not required";
        if (!node.needs.empty()) detail += "\n" + fit(visible(node.needs), kTitleWidth);
        Known& place = known_[next_++ % known_.size()];
        place = {node.kind, node.state, node.outcome, node.required, node.needs, texts_.keep(detail)};
        return place.detail;
    }

private:
    struct Known {
        std::string_view kind;
        State state;
        std::optional<Outcome> outcome;
        bool required;
        std::string_view needs;
        std::string_view detail;
    };
    TextArena& texts_;
    std::array<Known, 8> known_{};
    std::size_t next_ = 0;
};

Tint tint_of(Resolution resolution) {
    switch (resolution) {
        case Resolution::satisfied:
            return Tint::passed;
        case Resolution::unsatisfied:
            return Tint::failed;
        case Resolution::unresolved:
            break;
    }
    return Tint::none;
}

/// Where the members of each group lead: to a connector, or right through to what the group leads to.
class Plumber {
public:
    Plumber(const Outline& graph, Drawing& drawing) : graph_(graph), drawing_(drawing) {
        sinks_.reserve(graph.groups.size());
    }

    /// Groups come after their parents.
    void add(const Outline::Group& group) {
        const Sink parent = group.parent == Outline::kNone ? Sink{group.owner, true}
                                                           : sinks_[static_cast<std::size_t>(group.parent)];
        const bool all_in_all = group.kind == GroupKind::all && parent.is_all;
        if (all_in_all || group.members < 2 || !group.visible) {
            sinks_.push_back(parent);
        } else {
            const auto connector = static_cast<std::uint32_t>(drawing_.vertices.size());
            Drawing::Vertex& vertex = drawing_.vertices.emplace_back();
            vertex.shape = Shape::connector;
            vertex.tint = tint_of(group.resolution);
            vertex.name = drawing_.texts.keep("group:", std::to_string(sinks_.size()));
            vertex.title = drawing_.texts.keep(group_label(group));
            drawing_.arrows.push_back({connector, parent.vertex, group.role, group.resolution, {}});
            sinks_.push_back({connector, group.kind == GroupKind::all});
        }
        const std::uint32_t sink = sinks_.back().vertex;
        for (std::uint32_t i = group.links_begin; i < group.links_end; ++i) {
            const Outline::Link& link = graph_.links[i];
            drawing_.arrows.push_back({link.from, sink, link.kind, link.resolution, link_label(link)});
        }
    }

private:
    struct Sink {
        std::uint32_t vertex;
        bool is_all;  ///< needs all that leads to it
    };
    const Outline& graph_;
    Drawing& drawing_;
    std::vector<Sink> sinks_;
};

/// An id as it is shown; `whole` is left as it is if nothing had to be escaped or cut.
void set_title(Drawing& drawing, Drawing::Vertex& vertex, std::string_view id) {
    if (id.size() <= kTitleWidth && is_visible(id)) {
        vertex.title = id;
        return;
    }
    const std::string whole = visible(id);
    vertex.title = drawing.texts.keep(fit(whole, kTitleWidth));
    if (vertex.title != whole) vertex.tooltip = id;
}

/// "to STATE" and "at STATE", by state.
constexpr std::array<std::string_view, 6> kTo{"to PLANNING",   "to PLANNED",        "to WAITING",
                                              "to ATTEMPTING", "to AWAITING_GROUP", ""};
constexpr std::array<std::string_view, 6> kAt{"at PLANNING",   "at PLANNED",        "at WAITING",
                                              "at ATTEMPTING", "at AWAITING_GROUP", ""};

}  // namespace

Tint tint_of(State state, std::optional<Outcome> outcome) noexcept {
    if (outcome) {
        switch (*outcome) {
            case Outcome::passed:
                return Tint::passed;
            case Outcome::failed:
                return Tint::failed;
            case Outcome::skipped:
                return Tint::skipped;
            case Outcome::cancelled:
                return Tint::cancelled;
        }
    }
    switch (state) {
        case State::planning:
            return Tint::planning;
        case State::planned:
            return Tint::planned;
        case State::waiting:
            return Tint::waiting;
        case State::attempting:
            return Tint::attempting;
        case State::awaiting_group:
            return Tint::awaiting_group;
        case State::final:
            break;
    }
    return Tint::none;
}

const TintStyle& style_of(Tint tint) noexcept { return kStyles[static_cast<std::size_t>(tint)]; }

std::string counted_label(const Drawing::Arrow& arrow) {
    std::string label(arrow.label);
    if (arrow.count == 1) return label;
    return label + (label.empty() ? "×" : " ×") + std::to_string(arrow.count);
}

std::string group_label(const Outline::Group& group) {
    switch (group.kind) {
        case GroupKind::all:
            return "all";
        case GroupKind::any:
            return "any";
        case GroupKind::at_least:
            break;
    }
    return std::to_string(group.needed) + " of " + std::to_string(group.members);
}

std::string_view link_label(const Outline::Link& link) noexcept {
    if (link.kind == LinkKind::assignment) return kTo[static_cast<std::size_t>(link.state)];
    if (link.state != State::final) return kAt[static_cast<std::size_t>(link.state)];
    switch (link.when) {
        case When::success:
            break;
        case When::failure:
            return "on failure";
        case When::always:
            return "always";
        case When::not_failed:
            return "not failed";
        case When::unsuccessful:
            return "unsuccessful";
    }
    return {};
}

Drawing draw(const Outline& graph) {
    Drawing drawing;
    drawing.title = graph.plan;
    drawing.vertices.reserve(graph.nodes.size());
    drawing.arrows.reserve(graph.links.size());
    Details details(drawing.texts);
    for (const Outline::Node& node : graph.nodes) {
        Drawing::Vertex& vertex = drawing.vertices.emplace_back();
        vertex.shape = node.type == NodeType::check ? Shape::check : Shape::stage;
        vertex.tint = tint_of(node.state, node.outcome);
        vertex.name = node.ref;
        set_title(drawing, vertex, node.id());
        vertex.detail = details.of(node);
        vertex.required = node.required;
    }
    Plumber plumber(graph, drawing);
    for (const Outline::Group& group : graph.groups) plumber.add(group);
    for (const Outline::Link& link : graph.links) {
        if (link.kind != LinkKind::assignment) continue;
        drawing.arrows.push_back({link.from, link.to, link.kind, link.resolution, link_label(link)});
    }
    return drawing;
}

}  // namespace turboci
