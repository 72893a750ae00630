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

std::string detail_of(const GraphModel::Node& node) {
    std::string detail = fit(visible(node.kind), kKindWidth);
    if (!detail.empty()) detail += ", ";
    detail += node.outcome ? to_string(*node.outcome) : to_string(node.state);
    return detail;
}

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
    Plumber(const GraphModel& model, Drawing& drawing) : model_(model), drawing_(drawing) {
        sinks_.reserve(model.groups().size());
    }

    /// Groups come after their parents.
    void add(const GraphModel::Group& group) {
        const Sink parent = group.parent == GraphModel::kNone
                                ? Sink{group.owner, true}
                                : sinks_[static_cast<std::size_t>(group.parent)];
        const bool all_in_all = group.kind == GroupKind::all && parent.is_all;
        if (all_in_all || group.members < 2 || !group.visible) {
            sinks_.push_back(parent);
        } else {
            const auto connector = static_cast<std::uint32_t>(drawing_.vertices.size());
            Drawing::Vertex& vertex = drawing_.vertices.emplace_back();
            vertex.shape = Shape::connector;
            vertex.tint = tint_of(group.resolution);
            vertex.name = "group:" + std::to_string(sinks_.size());
            vertex.title = group_label(group);
            drawing_.arrows.push_back({connector, parent.vertex, group.role, group.resolution, {}});
            sinks_.push_back({connector, group.kind == GroupKind::all});
        }
        const std::uint32_t sink = sinks_.back().vertex;
        for (std::uint32_t i = group.links_begin; i < group.links_end; ++i) {
            const GraphModel::Link& link = model_.links()[i];
            drawing_.arrows.push_back({link.from, sink, link.kind, link.resolution, link_label(link)});
        }
    }

private:
    struct Sink {
        std::uint32_t vertex;
        bool is_all;  ///< needs all that leads to it
    };
    const GraphModel& model_;
    Drawing& drawing_;
    std::vector<Sink> sinks_;
};

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
    if (arrow.count == 1) return arrow.label;
    return arrow.label + (arrow.label.empty() ? "×" : " ×") + std::to_string(arrow.count);
}

Drawing draw(const GraphModel& model, const WorkPlan& plan) {
    Drawing drawing;
    drawing.title = plan.id;
    drawing.vertices.reserve(model.nodes().size());
    drawing.arrows.reserve(model.links().size());
    for (const GraphModel::Node& node : model.nodes()) {
        Drawing::Vertex& vertex = drawing.vertices.emplace_back();
        vertex.shape = node.type == NodeType::check ? Shape::check : Shape::stage;
        vertex.tint = tint_of(node.state, node.outcome);
        vertex.name = to_string(NodeRef{node.type, std::string(node.id)});
        const std::string whole = visible(node.id);
        vertex.title = fit(whole, kTitleWidth);
        if (vertex.title != whole) vertex.tooltip = node.id;
        vertex.detail = detail_of(node);
    }
    Plumber plumber(model, drawing);
    for (const GraphModel::Group& group : model.groups()) plumber.add(group);
    for (const GraphModel::Link& link : model.links()) {
        if (link.kind != LinkKind::assignment) continue;
        drawing.arrows.push_back({link.from, link.to, link.kind, link.resolution, link_label(link)});
    }
    return drawing;
}

}  // namespace turboci
