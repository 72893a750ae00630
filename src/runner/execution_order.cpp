// SPDX-License-Identifier: Apache-2.0
// What would run, and in what order: the orchestrator's rules played through in memory, with every command
// a success.
#include <deque>

#include "runner/plan_graph.hpp"

namespace turboci {

namespace {

class Simulation {
public:
    Simulation(const std::vector<GraphNode>& nodes,
               const std::function<std::optional<std::size_t>(const NodeRef&)>& find,
               const std::function<bool(const GraphNode&)>& accept)
        : nodes_(nodes), find_(find), accept_(accept), simulated_(nodes.size()) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            Simulated& node = simulated_[i];
            node.state = nodes[i].state;
            node.outcome = nodes[i].outcome;
            node.history = nodes[i].history;
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            for (const Assignment& a : nodes[i].assignments) assign(i, a);
            add_group(i, nodes[i].dependencies, -1);
        }
    }

    std::vector<std::size_t> run() {
        for (std::size_t i = 0; i < nodes_.size(); ++i) touch(i);
        while (!work_.empty() || !ready_.empty()) {
            if (!work_.empty()) {
                const std::size_t i = work_.front();
                work_.pop_front();
                simulated_[i].queued = false;
                advance(i);
            } else {
                const std::size_t i = ready_.front();
                ready_.pop_front();
                order_.push_back(i);
                finish(i, Outcome::passed);
            }
        }
        return order_;
    }

private:
    struct Group {
        std::size_t owner;
        std::int32_t parent;  ///< index of a group; -1: this is the root
        GroupCount count;
    };
    struct Waiter {
        std::size_t group;
        State on_state;
        When when;
    };
    struct Goal {
        State state;
        int open = 0;  ///< stages that are not FINAL
        int ran = 0;   ///< stages that were not skipped
    };
    struct Simulated {
        State state = State::planning;
        std::optional<Outcome> outcome;
        StateHistory history;
        std::size_t root = 0;  ///< group
        std::vector<Waiter> waiters;
        std::vector<Goal> goals;
        bool queued = false;
        bool started = false;
    };

    void assign(std::size_t stage, const Assignment& a) {
        const auto check = find_({NodeType::check, a.target_check_id});
        if (!check) return;
        std::vector<Goal>& goals = simulated_[*check].goals;
        std::size_t g = 0;
        while (g < goals.size() && goals[g].state != a.goal_state) ++g;
        if (g == goals.size()) goals.push_back({a.goal_state});
        if (simulated_[stage].state != State::final) ++goals[g].open;
        if (nodes_[stage].outcome && *nodes_[stage].outcome != Outcome::skipped) ++goals[g].ran;
    }

    std::size_t add_group(std::size_t owner, const Predicate& predicate, std::int32_t parent) {
        const std::size_t index = groups_.size();
        groups_.push_back({owner, parent, {}});
        if (parent < 0) simulated_[owner].root = index;
        GroupCount count;
        count.kind = predicate.kind;
        const std::size_t members = predicate.edges.size() + predicate.groups.size();
        count.threshold = predicate.kind == GroupKind::all   ? static_cast<std::int32_t>(members)
                          : predicate.kind == GroupKind::any ? 1
                                                             : predicate.threshold;
        const auto tell = [&](Resolution r) {
            if (r == Resolution::unresolved) ++count.unresolved;
            if (r == Resolution::satisfied) ++count.satisfied;
        };
        for (const Edge& edge : predicate.edges) {
            tell(edge.resolution);
            if (edge.resolution != Resolution::unresolved) continue;
            if (const auto target = find_(edge.target)) {
                simulated_[*target].waiters.push_back({index, edge.on_state, edge.when});
            }
        }
        for (const Predicate& group : predicate.groups) {
            tell(groups_[add_group(owner, group, static_cast<std::int32_t>(index))].count.resolution);
        }
        count.resolution = resolve(count);
        groups_[index].count = count;
        return index;
    }

    void touch(std::size_t i) {
        if (simulated_[i].queued) return;
        simulated_[i].queued = true;
        work_.push_back(i);
    }

    void enter(std::size_t i, State state, std::optional<Outcome> outcome = std::nullopt) {
        Simulated& node = simulated_[i];
        node.state = state;
        node.outcome = outcome;
        node.history.push_back({state, 0, {}});
        std::vector<Waiter> waiters = std::move(node.waiters);
        node.waiters.clear();
        for (const Waiter& w : waiters) {
            const Resolution r =
                resolve_edge(nodes_[i].ref.type, w.on_state, w.when, state, outcome, node.history);
            if (r == Resolution::unresolved) {
                simulated_[i].waiters.push_back(w);
            } else {
                settle(w.group, r);
            }
        }
        touch(i);
    }

    void settle(std::size_t group, Resolution member) {
        for (auto at = static_cast<std::int32_t>(group); at >= 0;) {
            Group& g = groups_[static_cast<std::size_t>(at)];
            if (g.count.resolution != Resolution::unresolved) return;
            --g.count.unresolved;
            if (member == Resolution::satisfied) ++g.count.satisfied;
            g.count.resolution = resolve(g.count);
            if (g.count.resolution == Resolution::unresolved) return;
            member = g.count.resolution;
            if (g.parent < 0) touch(g.owner);
            at = g.parent;
        }
    }

    void finish(std::size_t i, Outcome outcome) {
        for (const Assignment& a : nodes_[i].assignments) {
            const auto check = find_({NodeType::check, a.target_check_id});
            if (!check) continue;
            for (Goal& goal : simulated_[*check].goals) {
                if (goal.state != a.goal_state) continue;
                --goal.open;
                if (outcome != Outcome::skipped) ++goal.ran;
            }
            touch(*check);
        }
        enter(i, State::final, outcome);
    }

    void advance(std::size_t i) {
        if (simulated_[i].state == State::final) return;
        if (nodes_[i].ref.type == NodeType::stage) {
            advance_stage(i);
        } else {
            advance_check(i);
        }
    }

    void advance_stage(std::size_t i) {
        Simulated& node = simulated_[i];
        if (node.started || node.state == State::awaiting_group) return;
        const Resolution r = groups_[node.root].count.resolution;
        if (node.state == State::planned) {
            if (r == Resolution::unresolved) return;
            if (r == Resolution::unsatisfied) {
                node.started = true;
                finish(i, Outcome::skipped);
                return;
            }
            enter(i, State::attempting);
        }
        if (simulated_[i].state != State::attempting || simulated_[i].started) return;
        if (!nodes_[i].claimable || !accept_(nodes_[i])) return;
        simulated_[i].started = true;
        ready_.push_back(i);
    }

    void advance_check(std::size_t i) {
        Simulated& node = simulated_[i];
        State wanted = node.state;
        bool all_skipped = false;
        for (const Goal& goal : node.goals) {
            if (goal.open > 0) continue;
            if (state_number(NodeType::check, goal.state) > state_number(NodeType::check, wanted)) {
                wanted = goal.state;
                all_skipped = goal.state == State::final && goal.ran == 0;
            }
        }
        if (node.state == State::planning) {
            if (wanted == State::planning) return;
            enter(i, State::planned);
            return;
        }
        const Resolution r = groups_[node.root].count.resolution;
        if (node.state == State::planned) {
            if (r == Resolution::unsatisfied) enter(i, State::final, Outcome::skipped);
            if (r == Resolution::satisfied) enter(i, State::waiting);
            return;
        }
        if (wanted == State::final) enter(i, State::final, all_skipped ? Outcome::skipped : Outcome::passed);
    }

    const std::vector<GraphNode>& nodes_;
    const std::function<std::optional<std::size_t>(const NodeRef&)>& find_;
    const std::function<bool(const GraphNode&)>& accept_;
    std::vector<Simulated> simulated_;
    std::vector<Group> groups_;
    std::deque<std::size_t> work_;   // nodes to look at
    std::deque<std::size_t> ready_;  // stages that could be executed
    std::vector<std::size_t> order_;
};

}  // namespace

std::vector<std::size_t> PlanGraph::execution_order(
    const std::function<bool(const GraphNode&)>& accept) const {
    const std::function<std::optional<std::size_t>(const NodeRef&)> lookup = [this](const NodeRef& ref) {
        return find(ref);
    };
    return Simulation(nodes_, lookup, accept).run();
}

}  // namespace turboci
