// SPDX-License-Identifier: Apache-2.0
#include "grpc/remote_outline.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "turboci/node.hpp"

namespace turboci::rpc {

namespace {

class OutlineMaker {
public:
    explicit OutlineMaker(Outline& outline) : outline_(outline) {}

    void add_nodes(const std::vector<Check>& checks, const std::vector<Stage>& stages) {
        for (const Check& check : checks)
            add({.ref = outline_.texts.keep("check:", check.id),
                 .kind = kept_once(check.kind),
                 .type = NodeType::check,
                 .state = check.state,
                 .outcome = check.outcome,
                 .skip_cause = check.skip_cause,
                 .required = check.required,
                 .needs = {}});
        outline_.checks = static_cast<std::uint32_t>(outline_.nodes.size());
        for (const Stage& stage : stages)
            add({.ref = outline_.texts.keep("stage:", stage.id),
                 .kind = {},
                 .type = NodeType::stage,
                 .state = stage.state,
                 .outcome = stage.outcome,
                 .skip_cause = stage.skip_cause,
                 .required = true,
                 .needs = kept_once(needs_text(stage.runner, stage.uses))});
    }

    void add_links(const std::vector<Check>& checks, const std::vector<Stage>& stages) {
        std::uint32_t node = 0;
        for (const Check& check : checks) {
            add_predicate(check.dependencies, node, LinkKind::dependency);
            ++node;
        }
        for (const Stage& stage : stages) {
            add_predicate(stage.dependencies, node, LinkKind::dependency);
            add_predicate(stage.continuation_group, node, LinkKind::continuation);
            for (const Assignment& assignment : stage.assignments) add_assignment(assignment, node);
            ++node;
        }
        // Children come after their parents.
        for (std::size_t i = outline_.groups.size(); i-- > 0;) {
            const Outline::Group& group = outline_.groups[i];
            if (group.visible && group.parent != Outline::kNone)
                outline_.groups[static_cast<std::size_t>(group.parent)].visible = true;
        }
    }

private:
    void add(Outline::Node node) {
        numbers_.emplace(node.ref, static_cast<std::uint32_t>(outline_.nodes.size()));
        outline_.nodes.push_back(node);
    }
    std::string_view kept_once(const std::string& text) {
        const auto found = kept_.find(text);
        return found != kept_.end() ? *found : *kept_.insert(outline_.texts.keep(text)).first;
    }

    void add_predicate(const Predicate& root, std::uint32_t owner, LinkKind role) {
        if (!root.empty()) add_group(root, owner, role, Outline::kNone);
    }

    /// Depth first; groups are nested no deeper than kMaxNesting.
    void add_group(const Predicate& group, std::uint32_t owner, LinkKind role, std::int32_t parent) {
        const auto number = static_cast<std::int32_t>(outline_.groups.size());
        Outline::Group& added = outline_.groups.emplace_back();
        added.owner = owner;
        added.parent = parent;
        added.members = static_cast<std::int64_t>(group.edges.size() + group.groups.size());
        added.needed = group.kind == GroupKind::all   ? added.members
                       : group.kind == GroupKind::any ? 1
                                                      : group.threshold;
        added.role = role;
        added.kind = group.kind;
        added.resolution = group.resolution;
        added.links_begin = static_cast<std::uint32_t>(outline_.links.size());
        for (const Edge& edge : group.edges) {
            const auto target = numbers_.find(to_string(edge.target));
            if (target == numbers_.end()) continue;
            outline_.links.push_back({.from = target->second,
                                      .to = owner,
                                      .group = number,
                                      .kind = role,
                                      .state = edge.on_state,
                                      .when = edge.when,
                                      .resolution = edge.resolution});
        }
        added.links_end = static_cast<std::uint32_t>(outline_.links.size());
        added.visible = added.links_begin != added.links_end;
        for (const Predicate& inner : group.groups) add_group(inner, owner, role, number);
    }

    void add_assignment(const Assignment& assignment, std::uint32_t stage) {
        const auto check = numbers_.find("check:" + assignment.target_check_id);
        if (check != numbers_.end())
            outline_.links.push_back({.from = stage,
                                      .to = check->second,
                                      .kind = LinkKind::assignment,
                                      .state = assignment.goal_state});
        else
            outline_.outside.push_back({stage, outline_.texts.keep(assignment.target_check_id)});
    }

    Outline& outline_;
    std::map<std::string, std::uint32_t, std::less<>> numbers_;
    std::set<std::string_view> kept_;
};

}  // namespace

Outline outline_of(const std::string& plan, const std::vector<Check>& checks,
                   const std::vector<Stage>& stages) {
    Outline outline;
    outline.plan = plan;
    OutlineMaker maker(outline);
    maker.add_nodes(checks, stages);
    maker.add_links(checks, stages);
    return outline;
}

}  // namespace turboci::rpc
