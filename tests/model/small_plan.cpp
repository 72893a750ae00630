// SPDX-License-Identifier: Apache-2.0
#include "small_plan.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

namespace turboci::model {

namespace {

using namespace std::chrono_literals;
using Groups = std::vector<SmallGroup>;
using Nodes = std::vector<SmallNode>;

const std::vector<Policy> kPolicies{
    {0, 0s, {}, {}},
    {1, 0s, {}, {}},
    {2, 10s, {}, {}},
    {0, 0s, 30s, {}},
    {0, 0s, {}, 20s},
    {1, 10s, 30s, {}},
    {1, 0s, {}, 20s},
    {1, 10s, 20s, 20s},
    {2, 20s, {}, {}, 30s},
    {1, 0s, 30s, {}, kMaxBackoff, {true, false, false, {}}},
    {1, 0s, 30s, {}, kMaxBackoff, {false, true, true, {1}}},
    {1, 10s, {}, {}, kMaxBackoff, {}, OnInterrupt::fail},
    {1, 0s, {}, 20s, kMaxBackoff, {false, true, false, {}}, OnInterrupt::fail},
};

SmallGroup group(GroupKind kind, std::vector<SmallEdge> edges, std::int64_t at_least = 0) {
    return {kind, at_least, std::move(edges), {}};
}
SmallGroup just(const SmallEdge& edge) { return group(GroupKind::all, {edge}); }

std::vector<SmallEdge> edges_on_end(int target) {
    return {{target, State::final, When::success},
            {target, State::final, When::failure},
            {target, State::final, When::always}};
}
std::vector<SmallEdge> edges_of_each_kind(int target) {
    auto edges = edges_on_end(target);
    edges.push_back({target, State::final, When::not_failed});
    edges.push_back({target, State::final, When::unsuccessful});
    return edges;
}
std::vector<SmallEdge> edges_to(int target, NodeType type) {
    auto edges = edges_of_each_kind(target);
    const auto early = type == NodeType::check ? std::array{State::planned, State::waiting}
                                               : std::array{State::attempting, State::awaiting_group};
    for (const State state : early) edges.push_back({target, state, {}});
    return edges;
}

/// All that a node may depend on, of one other.
Groups groups_on(int target, NodeType type) {
    Groups all{{}};
    for (const auto& e : edges_to(target, type)) all.push_back(just(e));
    const auto ends = edges_on_end(target);
    all.push_back(group(GroupKind::any, {ends[0], ends[1]}));
    all.push_back(group(GroupKind::all, {ends[0], ends[1]}));
    all.push_back(group(GroupKind::at_least, {ends[0], ends[1], ends[2]}, 2));
    SmallGroup nested = group(GroupKind::any, {ends[1]});
    nested.groups.push_back(group(GroupKind::all, {ends[0], ends[2]}));
    all.push_back(nested);
    return all;
}

/// All that a node may depend on, of two others: each edge on the end, and groups of two of them.
Groups groups_on_two(int first, int second) {
    Groups all{{}};
    for (const int target : {first, second})
        for (const auto& e : edges_of_each_kind(target)) all.push_back(just(e));
    for (const auto kind : {GroupKind::all, GroupKind::any})
        for (const auto& e : edges_on_end(first))
            for (const auto& f : edges_on_end(second)) all.push_back(group(kind, {e, f}));
    return all;
}

// ---------------------------------------------------------------------------------- one and two nodes

void plans_of_one(const std::function<void(const SmallPlan&)>& found) {
    for (const bool cyclic : {false, true}) {
        SmallNode node;
        if (cyclic) node.dependencies = just({0, State::final, When::success});
        for (const State state : {State::planning, State::planned, State::waiting, State::final})
            for (const bool required : {true, false}) {
                node.state = state;
                node.required = required;
                found({node});
            }
    }
    for (const bool cyclic : {false, true}) {
        SmallNode node;
        node.type = NodeType::stage;
        if (cyclic) node.dependencies = just({0, State::attempting, {}});
        for (const auto& policy : kPolicies)
            for (const auto& g : Groups{{},
                                        just({0, State::final, When::success}),
                                        just({0, State::attempting, {}}),
                                        just({0, State::awaiting_group, {}})}) {
                node.policy = policy;
                node.group = g;
                found({node});
            }
    }
    SmallNode node;
    node.type = NodeType::stage;
    node.runner = "mac";
    found({node});
    node.runner.clear();
    for (const std::int64_t uses : {1, 2}) {
        node.uses = uses;
        found({node});
    }
}

/// Every condition on the check at 0, for a node that waits for its end, and one that does not have to.
void with_conditions(SmallPlan plan, std::size_t node, const std::function<void(const SmallPlan&)>& found) {
    using enum Condition::Test;
    for (const auto& e : {edges_on_end(0)[0], edges_on_end(0)[2]})
        for (const auto test : {equals, not_equals, exists, absent}) {
            plan[node].dependencies = just(e);
            plan[node].condition = SmallCondition{0, test};
            found(plan);
        }
    plan[node].dependencies = group(GroupKind::any, {edges_on_end(0)[0], edges_on_end(0)[1]});
    found(plan);
    plan[node].dependencies = {};
    found(plan);
}

void checks_of_two(const std::function<void(const SmallPlan&)>& found) {
    for (const State state : {State::planning, State::planned})
        for (const auto& on_first : groups_on(0, NodeType::check)) {
            SmallNode a, b;
            a.state = b.state = state;
            b.dependencies = on_first;
            b.required = state == State::planning;
            found({a, b});
        }
    SmallNode planned;
    planned.state = State::planned;
    with_conditions({planned, planned}, 1, found);
    SmallNode a, b;
    a.dependencies = just({1, State::final, When::always});
    b.dependencies = just({0, State::planned, {}});
    found({a, b});
}

void check_and_stage(const std::function<void(const SmallPlan&)>& found) {
    const std::vector<std::vector<std::pair<int, State>>> assignments{
        {},
        {{0, State::final}},
        {{0, State::waiting}},
        {{0, State::planned}},
        {{0, State::waiting}, {0, State::final}}};
    const auto each = [&](const SmallGroup& of_check, const SmallGroup& of_stage) {
        for (const auto& assigned : assignments)
            for (const State state : {State::planning, State::planned}) {
                SmallNode check, stage;
                check.state = state;
                check.dependencies = of_check;
                stage.type = NodeType::stage;
                stage.dependencies = of_stage;
                stage.assignments = assigned;
                for (const auto& policy : {kPolicies[0], kPolicies[1], kPolicies[7]}) {
                    if (policy.timeout && (assigned.size() != 1 || state == State::planning)) continue;
                    stage.policy = policy;
                    found({check, stage});
                }
            }
    };
    for (const auto& g : groups_on(1, NodeType::stage)) each(g, {});
    for (const auto& g : groups_on(0, NodeType::check))
        if (!g.edges.empty()) each({}, g);
    each(just({1, State::final, When::success}), just({0, State::final, When::success}));
    SmallNode check, stage;
    check.state = State::planned;
    stage.type = NodeType::stage;
    with_conditions({check, stage}, 1, found);
}

void stages_of_two(const std::function<void(const SmallPlan&)>& found) {
    SmallNode first, second;
    first.type = second.type = NodeType::stage;
    const auto continuations = [](int target) {
        Groups all{{}};
        for (const auto& e : edges_to(target, NodeType::stage)) all.push_back(just(e));
        return all;
    };
    const auto with_policies = [&](bool long_form) {
        for (const auto& [of_first, of_second] :
             std::vector<std::pair<int, int>>{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 5}, {7, 6}}) {
            if (!long_form && of_first + of_second > 1) continue;
            first.policy = kPolicies[static_cast<std::size_t>(of_first)];
            second.policy = kPolicies[static_cast<std::size_t>(of_second)];
            found({first, second});
        }
    };
    for (const auto& g : groups_on(0, NodeType::stage)) {
        second.dependencies = g;
        for (const auto& of_first : continuations(1))
            for (const auto& of_second : continuations(0)) {
                const bool both = !of_first.edges.empty() && !of_second.edges.empty();
                if (both && g.edges.size() + of_first.edges.size() > 1) continue;
                first.group = of_first;
                second.group = of_second;
                with_policies(of_first.edges.empty() && of_second.edges.empty());
            }
    }
    first = second = {};
    first.type = second.type = NodeType::stage;
    for (const auto& g : Groups{{}, just({0, State::final, When::unsuccessful})}) {
        second.dependencies = g;
        for (const auto& policy : {kPolicies[0], kPolicies[1], kPolicies[11]}) {
            first.policy = policy;
            first.uses = second.uses = 1;
            found({first, second});
            first.uses = 0;
            second.runner = "mac";
            found({first, second});
            second.uses = 0;
            found({first, second});
            second.runner.clear();
        }
    }
    first = second = {};
    first.type = second.type = NodeType::stage;
    first.dependencies = just({1, State::final, When::success});
    second.dependencies = just({0, State::attempting, {}});
    found({first, second});
}

// ---------------------------------------------------------------------------------- three nodes

class PlansOfThree {
public:
    explicit PlansOfThree(std::function<void(const SmallPlan&)> found) : found_(std::move(found)) {}

    void run() {
        for (unsigned types = 0; types < 8; ++types) {
            plan_.assign(3, {});
            for (unsigned i = 0; i < 3; ++i) {
                plan_[i].type = (types >> i & 1) != 0 ? NodeType::stage : NodeType::check;
                plan_[i].state = State::planned;
            }
            Groups on_first{{}};
            for (const auto& e : edges_of_each_kind(0)) on_first.push_back(just(e));
            for (const auto& second : on_first)
                for (const auto& third : groups_on_two(0, 1)) {
                    plan_[1].dependencies = second;
                    plan_[2].dependencies = third;
                    assign(0);
                }
        }
    }

private:
    /// Every way to assign the stages from `stage` on.
    void assign(std::size_t stage) {
        if (stage == plan_.size()) return continue_with();
        auto& mine = plan_[stage].assignments;
        std::vector<int> checks;
        for (int i = 0; i < 3; ++i)
            if (plan_[static_cast<std::size_t>(i)].type == NodeType::check) checks.push_back(i);
        if (plan_[stage].type == NodeType::check) checks.clear();
        for (unsigned which = 0; which < 1u << checks.size(); ++which) {
            mine.clear();
            for (std::size_t i = 0; i < checks.size(); ++i)
                if ((which >> i & 1) != 0) mine.emplace_back(checks[i], State::final);
            assign(stage + 1);
        }
        mine.clear();
    }

    void continue_with() {
        with_retries();
        for (std::size_t owner = 0; owner < 2; ++owner)
            for (std::size_t target = owner + 1; target < 3; ++target) {
                if (plan_[owner].type != NodeType::stage || plan_[target].type != NodeType::stage) continue;
                plan_[owner].group = just({static_cast<int>(target), State::final, When::success});
                with_retries();
                plan_[owner].group = {};
            }
    }

    void with_retries() {
        const bool stages =
            std::ranges::any_of(plan_, [](const SmallNode& n) { return n.type == NodeType::stage; });
        for (const std::int32_t retries : {0, 1}) {
            if (retries > 0 && !stages) continue;
            for (auto& node : plan_) node.policy.retries = node.type == NodeType::stage ? retries : 0;
            found_(plan_);
        }
    }

    std::function<void(const SmallPlan&)> found_;
    SmallPlan plan_;
};

// ---------------------------------------------------------------------------------- names

void rename(SmallGroup& group, const std::vector<int>& place) {
    for (auto& e : group.edges) e.target = place[static_cast<std::size_t>(e.target)];
    for (auto& g : group.groups) rename(g, place);
    std::ranges::stable_sort(group.edges, {}, &SmallEdge::target);
}

/// The node at i moves to place[i].
SmallPlan renamed(const SmallPlan& plan, const std::vector<int>& place) {
    SmallPlan other(plan.size());
    for (std::size_t i = 0; i < plan.size(); ++i) {
        SmallNode& node = other[static_cast<std::size_t>(place[i])] = plan[i];
        rename(node.dependencies, place);
        rename(node.group, place);
        if (node.condition) node.condition->check = place[static_cast<std::size_t>(node.condition->check)];
        for (auto& a : node.assignments) a.first = place[static_cast<std::size_t>(a.first)];
        std::ranges::sort(node.assignments);
    }
    return other;
}

/// The same text for plans that differ only in names.
std::string unnamed(const SmallPlan& plan) {
    std::vector<int> place(plan.size());
    std::iota(place.begin(), place.end(), 0);
    std::string least;
    do {
        std::string text = describe(creation(renamed(plan, place)));
        if (least.empty() || text < least) least = std::move(text);
    } while (std::ranges::next_permutation(place).found);
    return least;
}

std::string name(const SmallPlan& plan, int node) {
    const auto type = plan[static_cast<std::size_t>(node)].type;
    char id = type == NodeType::check ? 'a' : 's';
    for (int i = 0; i < node; ++i)
        id = static_cast<char>(id + (plan[static_cast<std::size_t>(i)].type == type));
    return {id};
}

PredicateSpec spec(const SmallPlan& plan, const SmallGroup& group) {
    PredicateSpec spec_of;
    spec_of.kind = group.kind;
    spec_of.at_least = group.at_least;
    for (const auto& e : group.edges) {
        auto& edge = spec_of.edges.emplace_back();
        edge.target = {plan[static_cast<std::size_t>(e.target)].type, name(plan, e.target)};
        edge.on_state = e.on_state;
        edge.when = e.when;
    }
    for (const auto& g : group.groups) spec_of.groups.push_back(spec(plan, g));
    return spec_of;
}

std::optional<std::vector<ConditionSpec>> spec(const SmallPlan& plan,
                                               const std::optional<SmallCondition>& condition) {
    if (!condition) return std::nullopt;
    std::vector<ConditionSpec> specs(1);
    specs[0].condition = {name(plan, condition->check), "/k", condition->test, ""};
    if (condition->test <= Condition::Test::not_equals) specs[0].condition.value = "1";
    return specs;
}

}  // namespace

Operation creation(const SmallPlan& plan) {
    Operation operation;
    operation.pause = 1us;
    operation.request.actor = "ann";
    for (int i = 0; i < static_cast<int>(plan.size()); ++i) {
        const SmallNode& node = plan[static_cast<std::size_t>(i)];
        if (node.type == NodeType::check) {
            CheckWrite w;
            w.id = name(plan, i);
            w.state = node.state;
            w.required = node.required;
            if (!node.dependencies.edges.empty()) w.dependencies = spec(plan, node.dependencies);
            w.condition = spec(plan, node.condition);
            operation.request.checks.push_back(w);
            continue;
        }
        StageWrite w;
        w.id = name(plan, i);
        if (!node.dependencies.edges.empty()) w.dependencies = spec(plan, node.dependencies);
        w.condition = spec(plan, node.condition);
        if (!node.group.edges.empty()) w.continuation_group = spec(plan, node.group);
        if (!node.assignments.empty()) w.assignments.emplace();
        for (const auto& [check, goal] : node.assignments)
            w.assignments->push_back({name(plan, check), goal, {}});
        w.retry = Retry{node.policy.retries, node.policy.backoff, node.policy.max_backoff, node.policy.on,
                        node.policy.on_interrupt};
        if (node.uses > 0) w.uses = {{"gpu", node.uses}};
        if (node.uses > 0) operation.request.limits = {{"gpu", 1}};
        if (!node.runner.empty()) w.runner = node.runner;
        w.timeout = node.policy.timeout;
        w.heartbeat = node.policy.heartbeat;
        operation.request.stages.push_back(w);
    }
    return operation;
}

void each_small_plan(int nodes, const std::function<void(std::size_t number, const SmallPlan&)>& found) {
    std::set<std::string> seen;
    std::size_t number = 0;
    const auto take = [&](const SmallPlan& plan) {
        if (seen.insert(unnamed(plan)).second) found(number++, plan);
    };
    if (nodes == 1) plans_of_one(take);
    if (nodes == 2) checks_of_two(take);
    if (nodes == 2) check_and_stage(take);
    if (nodes == 2) stages_of_two(take);
    if (nodes == 3) PlansOfThree(take).run();
}

}  // namespace turboci::model
