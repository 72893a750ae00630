// SPDX-License-Identifier: Apache-2.0
#include "engine/deadlock.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace turboci {

namespace {

// The moments of a node by number. A stage has no 1: it is PLANNED from its creation on.
constexpr int kPlanned = 1, kStarted = 2, kFinal = 3;

/// The moment with which `state` is reached; 0: with creation. AWAITING_GROUP follows ATTEMPTING by itself.
constexpr int moment_of(NodeType type, State state) noexcept {
    switch (state) {
        case State::planning:
            return 0;
        case State::planned:
            return type == NodeType::check ? kPlanned : 0;
        case State::waiting:
        case State::attempting:
        case State::awaiting_group:
            return kStarted;
        case State::final:
            break;
    }
    return kFinal;
}
/// Edges on PLANNED go to checks: that of a stage is resolved when it exists.
constexpr int awaited_moment(State on_state) noexcept { return moment_of(NodeType::check, on_state); }

constexpr bool has_moment(NodeType type, int moment) noexcept {
    return moment >= kStarted || type == NodeType::check;
}

/// One thing that has to come: a moment, or a group within what one waits for.
struct Gate {
    std::int64_t node = 0;
    std::int32_t needed = 0;  ///< members that still have to come
    bool came = false;
};

/// `owner` needs `member` (both numbers of gates).
struct Need {
    std::uint32_t owner = 0;
    std::uint32_t member = 0;
    bool step = false;  ///< leads to another node
    Deadlock::Why why = Deadlock::Why::dependency;
    State on_state = State::final;
};

/// Needs by owner or by member, as one array and where each begins.
class NeedIndex {
public:
    NeedIndex(const std::vector<Need>& needs, std::size_t gates, std::uint32_t Need::*by)
        : first_(gates + 1), order_(needs.size()) {
        for (const auto& need : needs) ++first_[need.*by + 1];
        for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
        auto next = first_;
        for (std::size_t i = 0; i < needs.size(); ++i)
            order_[next[needs[i].*by]++] = static_cast<std::uint32_t>(i);
    }
    [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t gate) const {
        return std::span(order_).subspan(first_[gate], first_[gate + 1] - first_[gate]);
    }

private:
    std::vector<std::uint32_t> first_;
    std::vector<std::uint32_t> order_;
};

/// The rules at the head of deadlock.hpp over a set of moments; what is outside is taken to have come.
class Gates {
public:
    explicit Gates(std::size_t nodes) { indexes_.reserve(nodes); }

    /// All nodes first, each with the moments to look at (bit 1 << moment).
    void add_node(std::int64_t node, unsigned moments) {
        if (!indexes_.emplace(node, static_cast<std::uint32_t>(moments_.size())).second) return;
        moments_.push_back(moments);
        for (int m = kPlanned; m <= kFinal; ++m) gates_.push_back({node, 0, true});
    }
    void add_waits(std::int64_t node, const WaitNode& wait);
    std::vector<Deadlock> find(std::size_t limit);

private:
    [[nodiscard]] static std::uint32_t number(std::uint32_t index, int moment) noexcept {
        return index * 3 + static_cast<std::uint32_t>(moment) - 1;
    }
    /// The gate of a moment, if it is one to look at.
    [[nodiscard]] std::optional<std::uint32_t> gate(std::int64_t node, int moment) const {
        const auto found = indexes_.find(node);
        if (found == indexes_.end() || moment == 0) return std::nullopt;
        if ((moments_[found->second] >> moment & 1u) == 0) return std::nullopt;
        return number(found->second, moment);
    }
    void open(std::uint32_t moment_gate) { gates_[moment_gate].came = false; }
    std::uint32_t new_group(std::int64_t node, std::int32_t needed) {
        gates_.push_back({node, needed, false});
        return static_cast<std::uint32_t>(gates_.size() - 1);
    }
    /// `owner` is a moment: it needs all that it is given.
    void need(std::uint32_t owner, std::uint32_t member) {
        ++gates_[owner].needed;
        needs_.push_back({owner, member});
    }
    void add_groups(std::int64_t node, const WaitNode& wait, std::optional<std::uint32_t> started,
                    std::optional<std::uint32_t> ended);
    void add_planners(std::uint32_t planned, const WaitNode& wait, std::int64_t node);
    void need_stages(std::uint32_t owner, const WaitNode& wait, State goal);
    void let_come(const NeedIndex& by_member);
    std::vector<std::uint32_t> shortest_circle(std::uint32_t start, const NeedIndex& by_owner,
                                               std::size_t& visits) const;
    std::vector<std::uint32_t> shortest_circle_near(std::uint32_t start, const NeedIndex& by_owner) const;
    [[nodiscard]] Deadlock to_deadlock(const std::vector<std::uint32_t>& circle) const;

    std::unordered_map<std::int64_t, std::uint32_t> indexes_;
    std::vector<unsigned> moments_;
    std::vector<Gate> gates_;  ///< three for each node, then the groups
    std::vector<Need> needs_;
};

void Gates::add_waits(std::int64_t node, const WaitNode& wait) {
    const int reached = moment_of(wait.type, wait.state);
    std::array<std::optional<std::uint32_t>, 4> at;
    for (int m = kPlanned; m <= kFinal; ++m) {
        auto& mine = at[static_cast<std::size_t>(m)];
        mine = gate(node, m);
        if (!mine) continue;
        if (m <= reached || !has_moment(wait.type, m)) {
            mine.reset();
        } else {
            open(*mine);
        }
    }
    if (at[kStarted] && at[kPlanned]) need(*at[kStarted], *at[kPlanned]);
    if (at[kFinal] && at[kStarted]) need(*at[kFinal], *at[kStarted]);
    add_groups(node, wait, at[kStarted], at[kFinal]);
    if (at[kPlanned]) add_planners(*at[kPlanned], wait, node);
    if (at[kFinal]) need_stages(*at[kFinal], wait, State::final);
}

void Gates::add_groups(std::int64_t node, const WaitNode& wait, std::optional<std::uint32_t> started,
                       std::optional<std::uint32_t> ended) {
    struct Place {
        std::uint32_t gate = 0;
        bool used = false;
        bool continuation = false;
    };
    std::vector<Place> places;
    for (const auto& group : wait.groups) {
        Place place;
        const bool root = group.parent < 0;
        const Place parent = root ? Place{} : places[static_cast<std::size_t>(group.parent)];
        place.continuation = root ? group.continuation : parent.continuation;
        const auto& owner = place.continuation ? ended : started;
        place.used = root ? owner.has_value() : parent.used;
        if (place.used) {
            place.gate = new_group(node, group.needed);
            if (root) {
                need(*owner, place.gate);
            } else {
                needs_.push_back({parent.gate, place.gate});
            }
        }
        places.push_back(place);
    }
    for (const auto& edge : wait.edges) {
        const auto& place = places[static_cast<std::size_t>(edge.group)];
        if (!place.used) continue;
        if (const auto target = gate(edge.target, awaited_moment(edge.on_state))) {
            const auto why = place.continuation ? Deadlock::Why::continuation : Deadlock::Why::dependency;
            needs_.push_back({place.gate, *target, true, why, edge.on_state});
        } else {
            --gates_[place.gate].needed;
        }
    }
}

/// Stages assigned to plan a check, or, where there are any, to bring it further, which plans it as well.
void Gates::add_planners(std::uint32_t planned, const WaitNode& wait, std::int64_t node) {
    const auto assigned = [&](State goal) {
        return std::ranges::any_of(wait.assigned, [&](const auto& a) { return a.goal == goal; });
    };
    if (!assigned(State::planned)) return;
    const auto either = new_group(node, 1);
    need(planned, either);
    for (const State goal : {State::planned, State::waiting, State::final}) {
        if (!assigned(goal)) continue;
        const auto all = new_group(node, 0);
        needs_.push_back({either, all});
        need_stages(all, wait, goal);
    }
}

void Gates::need_stages(std::uint32_t owner, const WaitNode& wait, State goal) {
    for (const auto& a : wait.assigned) {
        if (a.goal != goal) continue;
        const auto stage = gate(a.stage, kFinal);
        if (!stage) continue;
        ++gates_[owner].needed;
        needs_.push_back({owner, *stage, true, Deadlock::Why::assignment, State::final});
    }
}

void Gates::let_come(const NeedIndex& by_member) {
    std::vector<std::uint32_t> ready;
    for (std::uint32_t g = 0; g < gates_.size(); ++g) {
        if (gates_[g].came || gates_[g].needed <= 0) ready.push_back(g);
    }
    for (const auto g : ready) gates_[g].came = true;
    while (!ready.empty()) {
        const auto g = ready.back();
        ready.pop_back();
        for (const auto n : by_member.of(g)) {
            auto& owner = gates_[needs_[n].owner];
            if (--owner.needed > 0 || owner.came) continue;
            owner.came = true;
            ready.push_back(needs_[n].owner);
        }
    }
}

/// Follows, from each gate that cannot come, one of those for which it waits in vain: every such walk ends
/// in a circle or where an earlier walk has been.
std::vector<Deadlock> Gates::find(std::size_t limit) {
    const NeedIndex by_owner(needs_, gates_.size(), &Need::owner);
    {
        const NeedIndex by_member(needs_, gates_.size(), &Need::member);
        let_come(by_member);
    }
    std::vector<Deadlock> found;
    std::vector<std::uint32_t> walked(gates_.size());  // the number of the walk, from 1
    std::vector<bool> told(gates_.size());
    const auto stuck_member = [&](std::uint32_t g) -> std::optional<std::uint32_t> {
        for (const auto n : by_owner.of(g))
            if (!gates_[needs_[n].member].came) return needs_[n].member;
        return std::nullopt;
    };
    std::uint32_t walk = 0;
    for (std::uint32_t g = 0; g < gates_.size() && found.size() < limit; ++g) {
        if (gates_[g].came || walked[g] != 0) continue;
        ++walk;
        std::optional<std::uint32_t> at = g;
        while (at && walked[*at] == 0) {
            walked[*at] = walk;
            at = stuck_member(*at);
        }
        if (!at || walked[*at] != walk || told[*at]) continue;
        const auto circle = shortest_circle_near(*at, by_owner);
        for (const auto n : circle) told[needs_[n].owner] = true;
        found.push_back(to_deadlock(circle));
    }
    return found;
}

/// The needs along a shortest way from `start` back to it; empty when `visits` of gates and needs are used
/// up.
std::vector<std::uint32_t> Gates::shortest_circle(std::uint32_t start, const NeedIndex& by_owner,
                                                  std::size_t& visits) const {
    std::unordered_map<std::uint32_t, std::uint32_t> reached_by;  // gate → need
    std::deque<std::uint32_t> queue{start};
    while (!reached_by.contains(start)) {
        if (queue.empty() || visits == 0) return {};
        const auto g = queue.front();
        queue.pop_front();
        visits -= std::min(visits, 1 + by_owner.of(g).size());
        for (const auto n : by_owner.of(g)) {
            const auto member = needs_[n].member;
            if (!gates_[member].came && reached_by.emplace(member, n).second) queue.push_back(member);
        }
    }
    std::vector<std::uint32_t> circle;
    auto at = start;
    do {
        const auto n = reached_by.at(at);
        circle.push_back(n);
        at = needs_[n].owner;
    } while (at != start);
    std::ranges::reverse(circle);
    return circle;
}

/// The shortest circle through `start`, or a shorter one through a gate of that, as far as it is cheap.
std::vector<std::uint32_t> Gates::shortest_circle_near(std::uint32_t start, const NeedIndex& by_owner) const {
    std::size_t visits = gates_.size() + needs_.size() + 1;  // enough: `start` is in a circle
    auto best = shortest_circle(start, by_owner, visits);
    visits = 100'000;
    const auto circle = best;
    for (const auto n : circle) {
        auto other = shortest_circle(needs_[n].owner, by_owner, visits);
        if (!other.empty() && other.size() < best.size()) best = std::move(other);
    }
    return best;
}

Deadlock Gates::to_deadlock(const std::vector<std::uint32_t>& circle) const {
    Deadlock deadlock;
    for (const auto n : circle) {
        const auto& need = needs_[n];
        if (need.step) deadlock.steps.push_back({gates_[need.owner].node, need.why, need.on_state});
    }
    auto& steps = deadlock.steps;
    // std::rotate: clang 14 cannot compile what std::ranges::rotate of libstdc++ returns.
    std::rotate(steps.begin(), std::ranges::min_element(steps, {}, &Deadlock::Step::node), steps.end());
    return deadlock;
}

/// Finds the moments around changed nodes that can be part of a new circle.
class Surroundings {
public:
    using Moments = std::unordered_map<std::int64_t, unsigned>;  ///< node → bit 1 << moment

    Surroundings(WaitGraph& graph, std::span<const std::int64_t> changed) : graph_(graph) {
        for (const auto node : changed) {
            const int reached = moment_of(load(node).type, load(node).state);
            for (int m = reached + 1; m <= kFinal; ++m) {
                if (has_moment(load(node).type, m)) starts_[node] |= 1u << m;
            }
        }
        for (const auto& [node, moments] : starts_) {
            for (int m = kPlanned; m <= kFinal; ++m) {
                if ((moments >> m & 1u) == 0) continue;
                ahead_.add(node, m);
                behind_.add(node, m);
            }
        }
    }

    /// Empty if no circle can go through the changed nodes.
    const Moments& search() {
        static const Moments kNone;
        while (!ahead_.done() && !behind_.done()) {
            expand_ahead();
            expand_behind();
        }
        auto& side = ahead_.done() ? ahead_ : behind_;
        return side.returned ? side.seen : kNone;
    }
    const WaitNode& load(std::int64_t node) {
        const auto [at, fresh] = loaded_.try_emplace(node);
        if (fresh) graph_.load(node, at->second);
        return at->second;
    }

private:
    struct Side {
        Moments seen;
        std::deque<std::pair<std::int64_t, int>> queue;
        bool returned = false;  ///< came to a changed node from another one
        [[nodiscard]] bool done() const { return queue.empty(); }
        void add(std::int64_t node, int moment) {
            auto& moments = seen[node];
            if ((moments >> moment & 1u) != 0) return;
            moments |= 1u << moment;
            queue.emplace_back(node, moment);
        }
    };
    void step(Side& side, std::int64_t node, int moment) {
        if (const auto start = starts_.find(node); start != starts_.end()) {
            side.returned = side.returned || (start->second >> moment & 1u) != 0;
        }
        side.add(node, moment);
    }
    void expand_ahead() {
        const auto [node, moment] = ahead_.queue.front();
        ahead_.queue.pop_front();
        const WaitNode& wait = load(node);
        if (moment <= moment_of(wait.type, wait.state)) return;
        if (has_moment(wait.type, moment - 1) && moment - 1 >= kPlanned) ahead_.add(node, moment - 1);
        // By root: dependencies hold up the start, a continuation group the end.
        std::vector<bool> continuation;
        for (const auto& group : wait.groups) {
            continuation.push_back(group.parent < 0 ? group.continuation
                                                    : continuation[static_cast<std::size_t>(group.parent)]);
        }
        for (const auto& edge : wait.edges) {
            const int owner = continuation[static_cast<std::size_t>(edge.group)] ? kFinal : kStarted;
            const int awaited = awaited_moment(edge.on_state);
            if (owner == moment && awaited != 0) step(ahead_, edge.target, awaited);
        }
        for (const auto& a : wait.assigned) {
            if (moment == kPlanned || (moment == kFinal && a.goal == State::final))
                step(ahead_, a.stage, kFinal);
        }
    }
    void expand_behind() {
        const auto [node, moment] = behind_.queue.front();
        behind_.queue.pop_front();
        if (moment < kFinal) behind_.add(node, moment + 1);
        waiters_.clear();
        graph_.waiters(node, waiters_);
        for (const auto& w : waiters_) {
            if (w.assignment) {
                if (moment != kFinal) continue;
                if (w.on_state == State::final) step(behind_, w.node, kFinal);
                step(behind_, w.node, kPlanned);
            } else if (awaited_moment(w.on_state) == moment) {
                step(behind_, w.node, w.continuation ? kFinal : kStarted);
            }
        }
    }

    WaitGraph& graph_;
    std::unordered_map<std::int64_t, WaitNode> loaded_;
    Moments starts_;
    Side ahead_;
    Side behind_;
    std::vector<Waiter> waiters_;
};

std::string wait_text(const Deadlock::Step& step, const std::string& target) {
    switch (step.why) {
        case Deadlock::Why::assignment:
            return fmt::format("waits for {} that is assigned to it", target);
        case Deadlock::Why::continuation:
            return fmt::format("has {} in its continuation group", target);
        case Deadlock::Why::dependency:
            break;
    }
    return fmt::format("waits for {} to be {}", target, to_string(step.on_state));
}

}  // namespace

std::vector<Deadlock> find_deadlocks(WaitGraph& graph, std::span<const std::int64_t> nodes,
                                     std::size_t limit) {
    Gates gates(nodes.size());
    for (const auto node : nodes) gates.add_node(node, ~0u);
    WaitNode wait;
    for (const auto node : nodes) {
        wait.clear();
        graph.load(node, wait);
        gates.add_waits(node, wait);
    }
    return gates.find(limit);
}

std::vector<Deadlock> find_new_deadlocks(WaitGraph& graph, std::span<const std::int64_t> changed,
                                         std::size_t limit) {
    Surroundings around(graph, changed);
    const auto& moments = around.search();
    if (moments.empty()) return {};
    std::vector<std::pair<std::int64_t, unsigned>> nodes(moments.begin(), moments.end());
    std::ranges::sort(nodes);  // the order of the answer must not hang on a hash
    Gates gates(nodes.size());
    for (const auto& [node, mask] : nodes) gates.add_node(node, mask);
    for (const auto& [node, mask] : nodes) gates.add_waits(node, around.load(node));
    return gates.find(limit);
}

std::string describe(const Deadlock& deadlock, const std::function<std::string(std::int64_t)>& name) {
    constexpr std::size_t kShown = 10;
    const auto& steps = deadlock.steps;
    if (steps.empty()) return {};
    std::string out = fmt::format("{} can never finish: it ", name(steps.front().node));
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (i == kShown && steps.size() > kShown + 2) {
            fmt::format_to(std::back_inserter(out), ", and so on through {} more nodes",
                           steps.size() - i - 1);
            i = steps.size() - 1;
        }
        if (i > 0) out += ", which ";
        out += wait_text(steps[i], name(steps[(i + 1) % steps.size()].node));
    }
    return out;
}

}  // namespace turboci
