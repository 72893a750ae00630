// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "engine/apply.hpp"

namespace turboci::engine {

namespace {

/// Searches along dependency edges from the owners of new edges only. A cycle must use a new edge; new
/// edges of new nodes can be reached from stored nodes only through a stored node whose dependencies this
/// write replaced, so without one of those the search never leaves the new nodes.
class CycleFinder {
public:
    explicit CycleFinder(WorkingSet& nodes) : nodes_(nodes), new_colors_(nodes.new_node_count()) {
        for (const NewEdge& edge : nodes.new_edges()) {
            if (edge.role != PredicateRole::dependencies) continue;
            if (owners_.empty() || owners_.back() != edge.owner) owners_.push_back(edge.owner);
        }
        rewrites_stored_ = std::ranges::any_of(owners_, [&](NodeKey k) { return k < nodes_.first_new(); });
    }

    /// A cycle as a list of nodes, each needing the next, the last needing the first; empty if none.
    std::vector<NodeKey> find() {
        for (const NodeKey owner : owners_) {
            auto cycle = search(owner);
            if (!cycle.empty()) return shortest(cycle);
        }
        return {};
    }

private:
    enum class Color : std::uint8_t { white, grey, black };
    struct Frame {
        NodeKey node;
        std::uint32_t first;  ///< of its targets in `ahead`
        std::uint32_t next;
    };

    /// Appends the targets of a node to `targets`.
    void add_targets(NodeKey key, std::vector<NodeKey>& targets) {
        const bool is_new = key >= nodes_.first_new();
        if (!is_new && !rewrites_stored_) return;
        Node& node = nodes_.get(key);
        if (!is_new) {
            for (const EdgeRow& e : nodes_.edges_of(node, PredicateRole::dependencies))
                targets.push_back(e.target);
            return;
        }
        for (std::uint32_t i = 0; i < node.edge_count; ++i)
            if (const NewEdge& e = nodes_.new_edges()[node.first_edge + i];
                e.role == PredicateRole::dependencies)
                targets.push_back(e.target);
    }

    Color& color(NodeKey key) {
        if (key < nodes_.first_new()) return old_colors_[static_cast<std::int64_t>(key)];
        return new_colors_[static_cast<std::size_t>(static_cast<std::int64_t>(key) -
                                                    static_cast<std::int64_t>(nodes_.first_new()))];
    }

    /// Depth first with a stack of its own: plans may be a hundred thousand nodes deep.
    std::vector<NodeKey> search(NodeKey start) {
        if (color(start) != Color::white) return {};
        std::vector<NodeKey> ahead;  // the targets of all frames, one after the other
        std::vector<Frame> stack;
        const auto enter = [&](NodeKey node) {
            color(node) = Color::grey;
            const auto first = static_cast<std::uint32_t>(ahead.size());
            add_targets(node, ahead);
            stack.push_back({node, first, first});
        };
        enter(start);
        while (!stack.empty()) {
            Frame& top = stack.back();
            if (top.next == ahead.size()) {
                color(top.node) = Color::black;
                ahead.resize(top.first);
                stack.pop_back();
                continue;
            }
            const NodeKey target = ahead[top.next++];
            const Color seen = color(target);
            if (seen == Color::grey) {
                std::vector<NodeKey> cycle;
                auto it = std::ranges::find(stack, target, &Frame::node);
                for (; it != stack.end(); ++it) cycle.push_back(it->node);
                return cycle;
            }
            if (seen == Color::white) enter(target);
        }
        return {};
    }

    /// The shortest cycle through any of the members of `cycle`, as far as it is cheap.
    std::vector<NodeKey> shortest(const std::vector<NodeKey>& cycle) {
        constexpr std::size_t kMaxVisits = 1'000'000;
        std::vector<NodeKey> best = cycle;
        for (std::size_t i = 0; i < cycle.size() && visits_ < kMaxVisits; ++i) {
            auto found = shortest_through(cycle[i], best.size());
            if (!found.empty() && found.size() < best.size()) best = std::move(found);
        }
        return best;
    }

    /// Breadth first from `start` back to itself, shorter than `limit`.
    std::vector<NodeKey> shortest_through(NodeKey start, std::size_t limit) {
        std::unordered_map<std::int64_t, NodeKey> came_from;
        std::deque<std::pair<NodeKey, std::size_t>> queue{{start, 1}};
        std::vector<NodeKey> targets;
        while (!queue.empty()) {
            const auto [key, length] = queue.front();
            queue.pop_front();
            if (length >= limit) return {};
            targets.clear();
            add_targets(key, targets);
            visits_ += 1 + targets.size();
            for (const NodeKey target : targets) {
                if (target == start) {
                    std::vector<NodeKey> path{key};
                    while (path.back() != start)
                        path.push_back(came_from.at(static_cast<std::int64_t>(path.back())));
                    std::ranges::reverse(path);
                    return path;
                }
                if (came_from.emplace(static_cast<std::int64_t>(target), key).second)
                    queue.emplace_back(target, length + 1);
            }
        }
        return {};
    }

    WorkingSet& nodes_;
    std::vector<NodeKey> owners_;
    std::vector<Color> new_colors_;
    std::unordered_map<std::int64_t, Color> old_colors_;
    bool rewrites_stored_ = false;
    std::size_t visits_ = 0;  ///< of nodes and edges, in the search for a shorter cycle
};

}  // namespace

void refuse_cycles(Session& session) {
    if (session.nodes.new_edges().empty()) return;
    constexpr std::size_t kMaxShown = 20;
    const auto cycle = CycleFinder(session.nodes).find();
    if (cycle.empty()) return;
    std::string text;
    for (std::size_t i = 0; i < cycle.size() && i < kMaxShown; ++i)
        text += name_of(session.nodes.get(cycle[i])) + " -> ";
    if (cycle.size() > kMaxShown) text += fmt::format("… {} more … -> ", cycle.size() - kMaxShown);
    const Node& first = session.nodes.get(cycle.front());
    Position at;
    const auto find = [&](const auto& writes) {
        for (std::size_t i = 0; i < writes.size(); ++i)
            if (writes.id(i) == first.row.id) at = writes[i].at;
    };
    if (first.row.type == NodeType::check)
        find(session.request.checks);
    else
        find(session.request.stages);
    session.problems.add(ErrorCode::cyclic_dependency, at,
                         fmt::format("dependencies form a cycle: {}{}", text, name_of(first)));
}

}  // namespace turboci::engine
