// SPDX-License-Identifier: Apache-2.0
#include "format/graph_drawing.hpp"
#include "turboci/json_text.hpp"

namespace turboci {
namespace {

void append_field(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
}

template <typename T>
void append_optional(std::string& out, std::string_view key, const std::optional<T>& value) {
    out += key;
    if (value) {
        append_json_string(out, to_string(*value));
    } else {
        out += "null";
    }
}

void append_index(std::string& out, std::string_view key, std::int32_t index) {
    out += key;
    out += index == Outline::kNone ? "null" : std::to_string(index);
}

void append_node(std::string& out, const Outline::Node& node) {
    append_field(out, R"({"ref":)", node.ref);
    append_field(out, R"(,"type":)", to_string(node.type));
    if (node.type == NodeType::check) {
        append_field(out, R"(,"kind":)", node.kind);
    } else {
        out += R"(,"kind":null)";
    }
    if (node.type == NodeType::check)
        out += node.required ? R"(,"required":true)" : R"(,"required":false)";
    else
        out += R"(,"required":null)";
    append_field(out, R"(,"state":)", to_string(node.state));
    append_optional(out, R"(,"outcome":)", node.outcome);
    out += '}';
}

void append_link(std::string& out, const Outline& graph, const Outline::Link& link) {
    const bool assignment = link.kind == LinkKind::assignment;
    append_field(out, R"({"from":)", graph.nodes[link.from].ref);
    append_field(out, R"(,"to":)", graph.nodes[link.to].ref);
    append_field(out, R"(,"kind":)", to_string(link.kind));
    const auto state = std::optional(link.state);
    append_optional(out, R"(,"on_state":)", assignment ? std::nullopt : state);
    append_optional(out, R"(,"when":)",
                    assignment || link.state != State::final ? std::nullopt : std::optional(link.when));
    append_optional(out, R"(,"goal_state":)", assignment ? state : std::nullopt);
    append_index(out, R"(,"group":)", link.group);
    if (assignment) {
        out += R"(,"resolved":null,"satisfied":null})";
    } else {
        out += R"(,"resolved":)";
        out += link.resolution == Resolution::unresolved ? "false" : "true";
        out += R"(,"satisfied":)";
        out += link.resolution == Resolution::satisfied ? "true}" : "false}";
    }
}

void append_group(std::string& out, const Outline& graph, std::size_t id) {
    const Outline::Group& group = graph.groups[id];
    out += R"({"id":)" + std::to_string(id);
    append_field(out, R"(,"owner":)", graph.nodes[group.owner].ref);
    out += R"(,"role":)";
    out += group.role == LinkKind::continuation ? R"("continuation_group")" : R"("dependencies")";
    append_index(out, R"(,"parent":)", group.parent);
    append_field(out, R"(,"predicate":)", to_string(group.kind));
    out += R"(,"threshold":)" + std::to_string(group.needed);
    out += R"(,"members":)" + std::to_string(group.members);
    append_field(out, R"(,"resolution":)", to_string(group.resolution));
    out += '}';
}

std::string_view type_of(Shape shape) {
    switch (shape) {
        case Shape::check:
        case Shape::answered:
            return "check";
        case Shape::stage:
            return "stage";
        case Shape::connector:
            break;
    }
    return "group";
}

template <typename List, typename Append>
void append_list(std::string& out, std::string_view key, const List& list, Append append) {
    out += key;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out += ',';
        append(i);
    }
    out += ']';
}

}  // namespace

std::string graph_json(const Outline& graph) {
    std::string out = R"({"plan":)";
    append_json_string(out, graph.plan);
    append_list(out, R"(,"nodes":[)", graph.nodes, [&](std::size_t i) { append_node(out, graph.nodes[i]); });
    append_list(out, R"(,"edges":[)", graph.links,
                [&](std::size_t i) { append_link(out, graph, graph.links[i]); });
    append_list(out, R"(,"groups":[)", graph.groups, [&](std::size_t i) { append_group(out, graph, i); });
    out += "}\n";
    return out;
}

std::string drawing_json(const Drawing& drawing) {
    std::string out = R"({"plan":)";
    append_json_string(out, drawing.title);
    append_list(out, R"(,"nodes":[)", drawing.vertices, [&](std::size_t i) {
        const Drawing::Vertex& box = drawing.vertices[i];
        append_field(out, R"({"ref":)", box.name);
        append_field(out, R"(,"type":)", type_of(box.shape));
        append_field(out, R"(,"label":)", box.title);
        out += R"(,"count":)" + std::to_string(box.count);
        append_list(out, R"(,"states":[)", box.tallies, [&](std::size_t t) {
            append_field(out, R"({"state":)", to_string(box.tallies[t].state));
            append_optional(out, R"(,"outcome":)", box.tallies[t].outcome);
            out += R"(,"count":)" + std::to_string(box.tallies[t].count) + "}";
        });
        out += '}';
    });
    append_list(out, R"(,"edges":[)", drawing.arrows, [&](std::size_t i) {
        const Drawing::Arrow& arrow = drawing.arrows[i];
        append_field(out, R"({"from":)", drawing.vertices[arrow.from].name);
        append_field(out, R"(,"to":)", drawing.vertices[arrow.to].name);
        append_field(out, R"(,"kind":)", to_string(arrow.kind));
        append_field(out, R"(,"label":)", arrow.label);
        out += R"(,"count":)" + std::to_string(arrow.count) + "}";
    });
    out += ",\"groups\":[]}\n";
    return out;
}

}  // namespace turboci
