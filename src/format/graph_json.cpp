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
    out += index == GraphModel::kNone ? "null" : std::to_string(index);
}

void append_node(std::string& out, const std::string& ref, const GraphModel::Node& node) {
    append_field(out, R"({"ref":)", ref);
    append_field(out, R"(,"type":)", to_string(node.type));
    if (node.type == NodeType::check) {
        append_field(out, R"(,"kind":)", node.kind);
    } else {
        out += R"(,"kind":null)";
    }
    append_field(out, R"(,"state":)", to_string(node.state));
    append_optional(out, R"(,"outcome":)", node.outcome);
    out += '}';
}

void append_link(std::string& out, const std::vector<std::string>& refs, const GraphModel::Link& link) {
    const bool assignment = link.kind == LinkKind::assignment;
    append_field(out, R"({"from":)", refs[link.from]);
    append_field(out, R"(,"to":)", refs[link.to]);
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

void append_group(std::string& out, std::size_t id, const std::vector<std::string>& refs,
                  const GraphModel::Group& group) {
    out += R"({"id":)" + std::to_string(id);
    append_field(out, R"(,"owner":)", refs[group.owner]);
    out += R"(,"role":)";
    out += group.role == LinkKind::continuation ? R"("continuation_group")" : R"("dependencies")";
    append_index(out, R"(,"parent":)", group.parent);
    append_field(out, R"(,"predicate":)", to_string(group.kind));
    out += R"(,"threshold":)" + std::to_string(group.needed);
    out += R"(,"members":)" + std::to_string(group.members);
    append_field(out, R"(,"resolution":)", to_string(group.resolution));
    out += '}';
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

std::string graph_json(const GraphModel& model, const WorkPlan& plan) {
    std::vector<std::string> refs;
    refs.reserve(model.nodes().size());
    for (std::uint32_t i = 0; i < model.nodes().size(); ++i) refs.push_back(to_string(model.ref(i)));
    std::string out = R"({"plan":)";
    append_json_string(out, plan.id);
    append_list(out, R"(,"nodes":[)", model.nodes(),
                [&](std::size_t i) { append_node(out, refs[i], model.nodes()[i]); });
    append_list(out, R"(,"edges":[)", model.links(),
                [&](std::size_t i) { append_link(out, refs, model.links()[i]); });
    append_list(out, R"(,"groups":[)", model.groups(),
                [&](std::size_t i) { append_group(out, i, refs, model.groups()[i]); });
    out += "}\n";
    return out;
}

std::string drawing_json(const Drawing& drawing) {
    std::string out = R"({"plan":)";
    append_json_string(out, drawing.title);
    append_list(out, R"(,"nodes":[)", drawing.vertices, [&](std::size_t i) {
        const Drawing::Vertex& box = drawing.vertices[i];
        append_field(out, R"({"ref":)", box.name);
        append_field(out, R"(,"type":)", box.shape == Shape::check ? "check" : "stage");
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
