// SPDX-License-Identifier: Apache-2.0
#include "engine/warnings.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <vector>

#include "engine/deadlock.hpp"

namespace turboci::engine {

namespace {

std::int64_t id_of(NodeKey key) { return static_cast<std::int64_t>(key); }

/// The write's nodes and their surroundings, as the deadlock rules want to see them.
class Surroundings final : public WaitGraph {
public:
    explicit Surroundings(WorkingSet& nodes) : nodes_(nodes) {}

    void load(std::int64_t id, WaitNode& out) override {
        foresee(NodeKey{id});
        Node& node = nodes_.get(NodeKey{id});
        out.type = node.row.type;
        out.state = node.row.state;
        if (node.row.state == State::final) return;
        add_predicate(node, PredicateRole::dependencies, out);
        if (node.row.type == NodeType::stage) {
            if (node.row.has_continuation) add_predicate(node, PredicateRole::continuation, out);
            return;
        }
        bool open = false;
        for (const GoalRow& g : nodes_.goals(node)) open = open || g.open > 0;
        if (!open) return;
        for (const AssignmentRow& a : nodes_.assignments_to(node.row.key))
            if (nodes_.get(a.stage).row.state != State::final) {
                mentioned_.push_back(a.stage);
                out.assigned.push_back({id_of(a.stage), a.goal});
            }
    }

    void waiters(std::int64_t id, std::vector<Waiter>& out) override {
        foresee(NodeKey{id});
        Node& node = nodes_.get(NodeKey{id});
        constexpr int kLast = 40;
        for (const EdgeRow& e : nodes_.edges_to(node, state_number(node.row.type, node.row.state), kLast))
            out.push_back({.node = id_of(e.owner),
                           .type = nodes_.get(e.owner).row.type,
                           .on_state = e.on_state,
                           .continuation = e.role == PredicateRole::continuation,
                           .assignment = false});
        if (node.row.type == NodeType::stage)
            for (const AssignmentRow& a : nodes_.assignments_of(node.row.key))
                out.push_back({.node = id_of(a.check),
                               .type = NodeType::check,
                               .on_state = a.goal,
                               .continuation = false,
                               .assignment = true});
    }

private:
    /// Asks the store for this node and all that were mentioned since: the search will come to them.
    void foresee(NodeKey key) {
        constexpr std::size_t kMost = 256;
        if (foreseen_.contains(key)) return;
        std::vector<NodeKey> keys{key};
        for (; !mentioned_.empty() && keys.size() < kMost; mentioned_.pop_back())
            if (!foreseen_.contains(mentioned_.back())) keys.push_back(mentioned_.back());
        foreseen_.insert(keys.begin(), keys.end());
        std::ranges::sort(keys);
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        nodes_.foresee_waiting(keys);
    }

    void add_predicate(Node& node, PredicateRole role, WaitNode& out) {
        const auto base = static_cast<std::int32_t>(out.groups.size());
        // Groups that are resolved stay, for their numbers, as members that have come or never will.
        std::vector<bool> open;
        const auto add_group = [&](const GroupCount& count, std::int32_t parent) {
            constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max() / 2;
            open.push_back(count.resolution == Resolution::unresolved);
            const bool satisfied = count.resolution == Resolution::satisfied;
            if (satisfied && parent >= 0)
                ++out.groups.at(static_cast<std::size_t>(base) + static_cast<std::size_t>(parent)).needed;
            out.groups.push_back({.parent = parent < 0 ? -1 : base + parent,
                                  .needed = open.back() ? count.threshold - count.satisfied
                                            : satisfied ? 0
                                                        : kNever,
                                  .continuation = role == PredicateRole::continuation && parent < 0});
        };
        if (role == PredicateRole::dependencies) add_group(node.row.dependencies, -1);
        for (const CachedGroup& g : nodes_.groups(node))
            if (g.row.role == role) add_group(g.row.count, g.row.parent);
        for (const EdgeRow& e : nodes_.edges_of(node, role)) {
            if (!open.at(static_cast<std::size_t>(e.group))) continue;
            const Node& target = nodes_.get(e.target);
            const auto r = resolve_edge(target, e.on_state, e.when);
            if (r != Resolution::unresolved) continue;
            mentioned_.push_back(e.target);
            out.edges.push_back({.group = base + e.group, .target = id_of(e.target), .on_state = e.on_state});
        }
    }

    WorkingSet& nodes_;
    std::unordered_set<NodeKey> foreseen_;
    std::vector<NodeKey> mentioned_;
};

}  // namespace

std::vector<std::string> deadlock_warnings(Session& session) {
    constexpr std::size_t kMaxWarnings = 5;
    WorkingSet& nodes = session.nodes;
    // Only assignments and continuation groups can close a circle that is not a cycle of edges.
    std::vector<std::int64_t> changed;
    for (const Node* node : nodes.created_nodes)
        if (node->assignment_count > 0 || node->row.has_continuation) changed.push_back(id_of(node->row.key));
    for (const Node* node : nodes.changed_nodes)
        if (node->edge_count > 0) changed.push_back(id_of(node->row.key));
    if (changed.empty()) return {};
    Surroundings graph(nodes);
    std::vector<std::string> warnings;
    for (const Deadlock& d : find_new_deadlocks(graph, changed, kMaxWarnings))
        warnings.push_back(describe(d, [&](std::int64_t id) { return name_of(nodes.get(NodeKey{id})); }));
    return warnings;
}

}  // namespace turboci::engine
