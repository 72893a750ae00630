// SPDX-License-Identifier: Apache-2.0
// Outlines of nodes that no store has seen.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "domain/outline.hpp"
#include "format/node_collector.hpp"

namespace turboci::support {

/// What Service::outline() would make of a store with these nodes; their edges say how far they are.
class OutlineMaker {
public:
    explicit OutlineMaker(const NodeCollector& found) : found_(found) {
        outline_.plan = found.plan().id;
        outline_.checks = static_cast<std::uint32_t>(found.checks().size());
        for (const Check& c : found.checks()) add_node(NodeType::check, c.id, c.kind, c.state, c.outcome);
        for (const Stage& s : found.stages()) add_node(NodeType::stage, s.id, {}, s.state, s.outcome);
    }

    Outline make() && {
        std::uint32_t node = 0;
        for (const Check& c : found_.checks()) add_root(node++, c.dependencies, LinkKind::dependency);
        for (const Stage& s : found_.stages()) {
            add_root(node, s.dependencies, LinkKind::dependency);
            add_root(node, s.continuation_group, LinkKind::continuation);
            for (const Assignment& a : s.assignments) add_assignment(node, a);
            ++node;
        }
        return std::move(outline_);
    }

private:
    void add_node(NodeType type, const std::string& id, const std::string& kind, State state,
                  std::optional<Outcome> outcome) {
        const std::string ref = to_string(NodeRef{type, id});
        numbers_.emplace(ref, static_cast<std::uint32_t>(outline_.nodes.size()));
        outline_.nodes.push_back({outline_.texts.keep(ref), outline_.texts.keep(kind), type, state, outcome});
    }

    std::optional<std::uint32_t> find(const NodeRef& ref) const {
        const auto found = numbers_.find(to_string(ref));
        return found == numbers_.end() ? std::nullopt : std::optional(found->second);
    }

    void add_root(std::uint32_t owner, const Predicate& root, LinkKind role) {
        if (!root.empty()) add_group(owner, root, role, Outline::kNone);
    }

    bool add_group(std::uint32_t owner, const Predicate& from, LinkKind role, std::int32_t parent) {
        const std::size_t self = outline_.groups.size();
        Outline::Group group;
        group.role = role;
        group.owner = owner;
        group.parent = parent;
        group.kind = from.kind;
        group.members = static_cast<std::int64_t>(from.edges.size() + from.groups.size());
        group.needed = from.kind == GroupKind::all   ? group.members
                       : from.kind == GroupKind::any ? 1
                                                     : from.threshold;
        group.resolution = from.resolution;
        group.links_begin = static_cast<std::uint32_t>(outline_.links.size());
        for (const Edge& edge : from.edges)
            if (const auto target = find(edge.target))
                outline_.links.push_back({*target, owner, static_cast<std::int32_t>(self), role,
                                          edge.on_state, edge.when, edge.resolution});
        group.links_end = static_cast<std::uint32_t>(outline_.links.size());
        bool visible = group.links_begin != group.links_end;
        outline_.groups.push_back(group);
        for (const Predicate& child : from.groups)
            visible = add_group(owner, child, role, static_cast<std::int32_t>(self)) || visible;
        outline_.groups[self].visible = visible;
        return visible;
    }

    void add_assignment(std::uint32_t stage, const Assignment& assignment) {
        if (const auto check = find({NodeType::check, assignment.target_check_id}))
            outline_.links.push_back(
                {.from = stage, .to = *check, .kind = LinkKind::assignment, .state = assignment.goal_state});
        else
            outline_.outside.push_back({stage, outline_.texts.keep(assignment.target_check_id)});
    }

    const NodeCollector& found_;
    Outline outline_;
    std::map<std::string, std::uint32_t> numbers_;
};

inline Outline outline_of(const NodeCollector& found) { return OutlineMaker(found).make(); }

}  // namespace turboci::support
