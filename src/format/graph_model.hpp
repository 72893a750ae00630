// SPDX-License-Identifier: Apache-2.0
// What the graph formats share: a selection as indexed nodes, links and groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/graph.hpp"

namespace turboci {

enum class LinkKind : std::uint8_t { dependency, continuation, assignment };
[[nodiscard]] std::string_view to_string(LinkKind kind) noexcept;

/// Links and groups of the selected nodes, in the order of the selection. Holds views into the collector,
/// which must outlive it.
class GraphModel {
public:
    static constexpr std::int32_t kNone = -1;

    struct Node {
        NodeType type = NodeType::check;
        std::string_view id;
        std::string_view kind;  ///< checks only
        State state = State::planned;
        std::optional<Outcome> outcome;
        std::int32_t dependencies = kNone;  ///< root group; kNone if there are no dependencies
        std::int32_t continuation = kNone;  ///< likewise
    };
    /// `from` is the target of a dependency or an assigned stage, `to` is who waits.
    struct Link {
        LinkKind kind = LinkKind::dependency;
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::int32_t group = kNone;  ///< kNone for assignments
        State state = State::final;  ///< on_state, or the goal of an assignment
        When when = When::success;
        Resolution resolution = Resolution::unresolved;
    };
    struct Group {
        LinkKind role = LinkKind::dependency;
        std::uint32_t owner = 0;
        std::int32_t parent = kNone;
        std::int32_t first_child = kNone;
        std::int32_t next_sibling = kNone;
        std::uint32_t links_begin = 0;  ///< its links stand together
        std::uint32_t links_end = 0;
        GroupKind kind = GroupKind::all;
        std::int64_t needed = 0;   ///< members that must be satisfied
        std::int64_t members = 0;  ///< those outside the selection included
        Resolution resolution = Resolution::unresolved;
        bool visible = false;  ///< has a link, or a group with one
    };

    explicit GraphModel(const GraphCollector& graph);

    [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
    [[nodiscard]] const std::vector<Link>& links() const noexcept { return links_; }
    [[nodiscard]] const std::vector<Group>& groups() const noexcept { return groups_; }
    [[nodiscard]] NodeRef ref(std::uint32_t node) const {
        return {nodes_[node].type, std::string(nodes_[node].id)};
    }

private:
    class Builder;
    std::vector<Node> nodes_;
    std::vector<Link> links_;
    std::vector<Group> groups_;
};

/// "any", "all", "2 of 3".
[[nodiscard]] std::string group_label(const GraphModel::Group& group);
/// What is out of the ordinary about a link: "on failure", "always", "at PLANNED", "to WAITING"; or "".
[[nodiscard]] std::string link_label(const GraphModel::Link& link);

[[nodiscard]] std::string graph_json(const GraphModel& model, const WorkPlan& plan);

}  // namespace turboci
