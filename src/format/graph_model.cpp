// SPDX-License-Identifier: Apache-2.0
#include "format/graph_model.hpp"

#include <array>
#include <unordered_map>

namespace turboci {

std::string_view to_string(LinkKind kind) noexcept {
    switch (kind) {
        case LinkKind::dependency:
            return "dependency";
        case LinkKind::continuation:
            return "continuation";
        case LinkKind::assignment:
            return "assignment";
    }
    return "";
}

class GraphModel::Builder {
public:
    Builder(GraphModel& model, const GraphCollector& graph) : model_(model) {
        index_[slot(NodeType::check)].reserve(graph.checks().size());
        index_[slot(NodeType::stage)].reserve(graph.stages().size());
    }

    void add_node(const Node& node) {
        index_[slot(node.type)].emplace(node.id, static_cast<std::uint32_t>(model_.nodes_.size()));
        model_.nodes_.push_back(node);
    }

    std::int32_t add_predicate(std::uint32_t owner, const Predicate& root, LinkKind role) {
        return root.empty() ? kNone : add_group(owner, root, role, kNone);
    }

    void add_assignment(std::uint32_t stage, const Assignment& assignment) {
        const auto check = find(NodeType::check, assignment.target_check_id);
        if (!check) return;
        Link link;
        link.kind = LinkKind::assignment;
        link.from = stage;
        link.to = *check;
        link.state = assignment.goal_state;
        model_.links_.push_back(link);
    }

private:
    static std::size_t slot(NodeType type) { return type == NodeType::check ? 0 : 1; }

    [[nodiscard]] std::optional<std::uint32_t> find(NodeType type, std::string_view id) const {
        const auto found = index_[slot(type)].find(id);
        if (found == index_[slot(type)].end()) return std::nullopt;
        return found->second;
    }

    /// Recursion is as deep as groups nest, which plan files limit to kMaxNesting.
    std::int32_t add_group(std::uint32_t owner, const Predicate& predicate, LinkKind role,
                           std::int32_t parent) {
        const auto self = static_cast<std::int32_t>(model_.groups_.size());
        Group group;
        group.role = role;
        group.owner = owner;
        group.parent = parent;
        group.kind = predicate.kind;
        group.members = static_cast<std::int64_t>(predicate.edges.size() + predicate.groups.size());
        group.needed = predicate.kind == GroupKind::all   ? group.members
                       : predicate.kind == GroupKind::any ? 1
                                                          : predicate.threshold;
        group.resolution = predicate.resolution;
        group.links_begin = static_cast<std::uint32_t>(model_.links_.size());
        for (const Edge& edge : predicate.edges) {
            const auto target = find(edge.target.type, edge.target.id);
            if (!target) continue;
            model_.links_.push_back({role, *target, owner, self, edge.on_state, edge.when, edge.resolution});
        }
        group.links_end = static_cast<std::uint32_t>(model_.links_.size());
        group.visible = group.links_begin != group.links_end;
        model_.groups_.push_back(group);
        std::int32_t previous = kNone;
        for (const Predicate& child_predicate : predicate.groups) {
            const std::int32_t child = add_group(owner, child_predicate, role, self);
            (previous == kNone ? at(self).first_child : at(previous).next_sibling) = child;
            if (at(child).visible) at(self).visible = true;
            previous = child;
        }
        return self;
    }

    Group& at(std::int32_t group) { return model_.groups_[static_cast<std::size_t>(group)]; }

    GraphModel& model_;
    std::array<std::unordered_map<std::string_view, std::uint32_t>, 2> index_;
};

GraphModel::GraphModel(const GraphCollector& graph) {
    Builder builder(*this, graph);
    nodes_.reserve(graph.checks().size() + graph.stages().size());
    for (const Check& check : graph.checks()) {
        builder.add_node({NodeType::check, check.id, check.kind, check.state, check.outcome});
    }
    for (const Stage& stage : graph.stages()) {
        builder.add_node({NodeType::stage, stage.id, {}, stage.state, stage.outcome});
    }
    std::uint32_t node = 0;
    for (const Check& check : graph.checks()) {
        nodes_[node].dependencies = builder.add_predicate(node, check.dependencies, LinkKind::dependency);
        ++node;
    }
    for (const Stage& stage : graph.stages()) {
        nodes_[node].dependencies = builder.add_predicate(node, stage.dependencies, LinkKind::dependency);
        nodes_[node].continuation =
            builder.add_predicate(node, stage.continuation_group, LinkKind::continuation);
        for (const Assignment& assignment : stage.assignments) builder.add_assignment(node, assignment);
        ++node;
    }
}

std::string group_label(const GraphModel::Group& group) {
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

std::string link_label(const GraphModel::Link& link) {
    const std::string state(to_string(link.state));
    if (link.kind == LinkKind::assignment) return link.state == State::final ? "" : "to " + state;
    if (link.state != State::final) return "at " + state;
    switch (link.when) {
        case When::success:
            break;
        case When::failure:
            return "on failure";
        case When::always:
            return "always";
    }
    return {};
}

}  // namespace turboci
