// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "endpoint/review.hpp"
#include "engine/deadlock.hpp"
#include "engine/decide.hpp"
#include "format/scalars.hpp"
#include "format/suggest.hpp"

namespace turboci {

namespace {

/// The nodes of one type by id.
class Directory {
public:
    template <class Write>
    explicit Directory(const WriteList<Write>& writes) {
        for (std::size_t i = 0; i < writes.size(); ++i) ids_.push_back(writes.id(i));
        order_.resize(ids_.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::ranges::stable_sort(order_, {}, [&](std::size_t i) { return ids_[i]; });
    }
    [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const {
        const auto at = std::ranges::lower_bound(order_, id, {}, [&](std::size_t i) { return ids_[i]; });
        if (at == order_.end() || ids_[*at] != id) return std::nullopt;
        return *at;
    }
    [[nodiscard]] const std::vector<std::string_view>& ids() const noexcept { return ids_; }

private:
    std::vector<std::string_view> ids_;
    std::vector<std::size_t> order_;  ///< by id
};

/// A whole plan as it stands in the request: checks are numbered from 0, stages after them.
class Plan final : public WaitGraph {
public:
    Plan(const WriteNodes& request, Problems& problems)
        : request_(request), problems_(problems), checks_(request.checks), stages_(request.stages) {
        resolve();
    }

    [[nodiscard]] std::size_t size() const noexcept {
        return request_.checks.size() + request_.stages.size();
    }
    [[nodiscard]] std::string name(std::int64_t node) const {
        const auto n = static_cast<std::size_t>(node);
        return (is_check(n) ? "check:" : "stage:") + std::string(id(n));
    }
    [[nodiscard]] Position at(std::int64_t node) const {
        const auto n = static_cast<std::size_t>(node);
        return is_check(n) ? request_.checks[n].at : request_.stages[stage(n)].at;
    }
    /// Whether load() tells of dependency edges alone, so that each circle is a cycle of them.
    void only_dependencies(bool only) noexcept { only_dependencies_ = only; }

    void load(std::int64_t node, WaitNode& out) override;
    void waiters(std::int64_t, std::vector<Waiter>&) override {
        throw Error(ErrorCode::internal, "a plan file is looked at as a whole");
    }

private:
    static constexpr std::int64_t kNowhere = -1;
    struct Span {
        std::size_t first = 0, last = 0;
    };

    [[nodiscard]] bool is_check(std::size_t n) const noexcept { return n < request_.checks.size(); }
    /// Its number among the stages.
    [[nodiscard]] std::size_t stage(std::size_t n) const noexcept { return n - request_.checks.size(); }
    [[nodiscard]] std::string_view id(std::size_t n) const {
        return is_check(n) ? checks_.ids()[n] : stages_.ids()[stage(n)];
    }
    void resolve();
    void judge_state(const CheckWrite& check);
    void resolve_assignments(std::size_t n, const StageWrite& stage);
    void resolve_predicate(std::size_t n, const PredicateSpec& root, bool continuation);
    [[nodiscard]] std::int64_t target(std::size_t n, const EdgeSpec& edge);
    [[nodiscard]] std::string suggestion(std::string_view id, bool among_checks, bool among_stages);

    const WriteNodes& request_;
    Problems& problems_;
    Directory checks_;
    Directory stages_;
    bool only_dependencies_ = false;
    SuggestionBudget suggestions_;

    std::vector<WaitNode::Group> groups_;  ///< of all nodes; parents relative to the node's first
    std::vector<WaitNode::Edge> edges_;    ///< of all nodes; likewise
    std::vector<Span> groups_of_, edges_of_;
    std::vector<State> states_;                              ///< that checks are to have
    std::vector<std::vector<WaitNode::Assigned>> assigned_;  ///< by check
};

void Plan::resolve() {
    assigned_.resize(request_.checks.size());
    std::size_t groups = 0, edges = 0;
    const auto end_node = [&] {
        groups_of_.push_back({std::exchange(groups, groups_.size()), groups_.size()});
        edges_of_.push_back({std::exchange(edges, edges_.size()), edges_.size()});
    };
    std::size_t n = 0;
    CheckWrite check;
    for (std::size_t i = 0; i < request_.checks.size(); ++i) {
        request_.checks.read(i, check);
        judge_state(check);
        states_.push_back(check.state.value_or(State::planning));
        if (check.dependencies) resolve_predicate(n, *check.dependencies, false);
        end_node();
        ++n;
    }
    StageWrite stage;
    for (std::size_t i = 0; i < request_.stages.size(); ++i) {
        request_.stages.read(i, stage);
        if (stage.dependencies) resolve_predicate(n, *stage.dependencies, false);
        if (stage.continuation_group) resolve_predicate(n, *stage.continuation_group, true);
        resolve_assignments(n, stage);
        end_node();
        ++n;
    }
}

/// What a first write would refuse.
void Plan::judge_state(const CheckWrite& check) {
    const State state = check.state.value_or(State::planning);
    const bool passes = state == State::waiting || state == State::final;
    if (passes && check.dependencies && !check.dependencies->empty())
        problems_.add(ErrorCode::invalid_state, check.at,
                      fmt::format("check:{} has dependencies and cannot be created {}; ask for PLANNED",
                                  check.id, to_string(state)));
    if (state == State::planning && !check.results.empty())
        problems_.add(
            ErrorCode::invalid_state, check.results.front().at,
            fmt::format("check:{} is PLANNING; results can be written while it is WAITING", check.id));
}

void Plan::resolve_assignments(std::size_t n, const StageWrite& stage) {
    if (!stage.assignments) return;
    for (const auto& a : *stage.assignments) {
        if (const auto check = checks_.find(a.target_check_id)) {
            assigned_[*check].push_back({static_cast<std::int64_t>(n), a.goal_state});
        } else {
            problems_.add(ErrorCode::invalid_dependency, a.at,
                          fmt::format("stage:{} is assigned to check:{}, which no file defines{}", stage.id,
                                      a.target_check_id, suggestion(a.target_check_id, true, false)));
        }
    }
}

void Plan::resolve_predicate(std::size_t n, const PredicateSpec& root, bool continuation) {
    struct Open {
        const PredicateSpec* spec;
        std::int32_t parent;
    };
    const std::size_t base = groups_of_.empty() ? 0 : groups_of_.back().last;
    std::vector<Open> open{{&root, -1}};
    while (!open.empty()) {
        const auto [spec, parent] = open.back();
        open.pop_back();
        const auto number = static_cast<std::int32_t>(groups_.size() - base);
        const auto written = static_cast<std::int64_t>(spec->edges.size() + spec->groups.size());
        std::int64_t members = written;
        std::int64_t missing = 0;
        std::set<std::tuple<std::int64_t, State, When>> seen;
        for (const auto& e : spec->edges) {
            const auto found = target(n, e);
            if (found == kNowhere) {
                ++missing;  // reported; as if it came
            } else if (seen.emplace(found, e.on_state, e.when.value_or(When::success)).second) {
                edges_.push_back({number, found, e.on_state});
            } else {
                --members;
            }
        }
        if (spec->kind == GroupKind::at_least && spec->at_least > members && spec->at_least <= written)
            problems_.add(ErrorCode::invalid_dependency, spec->at,
                          fmt::format("at_least is {}, but the group has {} different member{}",
                                      spec->at_least, members, members == 1 ? "" : "s"));
        const std::int64_t needed = spec->kind == GroupKind::any        ? 1
                                    : spec->kind == GroupKind::at_least ? spec->at_least
                                                                        : members;
        groups_.push_back({parent,
                           static_cast<std::int32_t>(std::min<std::int64_t>(needed - missing, INT32_MAX)),
                           continuation});
        for (auto g = spec->groups.rbegin(); g != spec->groups.rend(); ++g) open.push_back({&*g, number});
    }
}

std::int64_t Plan::target(std::size_t n, const EdgeSpec& edge) {
    const auto& [type, id] = edge.target;
    const auto check = type == NodeType::stage ? std::nullopt : checks_.find(id);
    const auto as_stage = type == NodeType::check ? std::nullopt : stages_.find(id);
    if (check && as_stage) {
        problems_.add(ErrorCode::invalid_argument, edge.at,
                      fmt::format("'{0}' is two nodes; say check:{0} or stage:{0}", id));
        return kNowhere;
    }
    if (!check && !as_stage) {
        problems_.add(ErrorCode::invalid_dependency, edge.at,
                      fmt::format("{} needs '{}', which no file defines{}",
                                  name(static_cast<std::int64_t>(n)), to_string(edge.target),
                                  suggestion(id, type != NodeType::stage, type != NodeType::check)));
        return kNowhere;
    }
    const NodeType found = check ? NodeType::check : NodeType::stage;
    if (!type && state_number(found, edge.on_state) == 0) {
        problems_.add(ErrorCode::invalid_argument, edge.at,
                      fmt::format("a {} has no state {}", to_string(found), to_string(edge.on_state)));
    }
    return static_cast<std::int64_t>(check ? *check : request_.checks.size() + *as_stage);
}

std::string Plan::suggestion(std::string_view id, bool among_checks, bool among_stages) {
    if (problems_.size() >= Problems::kMaxKept) return {};  // nobody will read it
    // A wrong prefix is likelier than a slip of the pen that hits another name.
    if (!among_stages && stages_.find(id)) return fmt::format("; there is a stage:{}", id);
    if (!among_checks && checks_.find(id)) return fmt::format("; there is a check:{}", id);
    for (const auto& [use, directory, prefix] :
         {std::tuple(among_checks, &checks_, "check:"), std::tuple(among_stages, &stages_, "stage:")}) {
        if (!use) continue;
        if (const auto near = nearest(id, directory->ids(), suggestions_); !near.empty()) {
            return fmt::format("; did you mean {}{}?", prefix, near);
        }
    }
    return {};
}

void Plan::load(std::int64_t node, WaitNode& out) {
    const auto n = static_cast<std::size_t>(node);
    const auto [first_group, last_group] = groups_of_[n];
    const auto [first_edge, last_edge] = edges_of_[n];
    if (only_dependencies_) {
        // Every node a stage that cannot start before all of its targets are final.
        out.type = NodeType::stage;
        out.state = State::planned;
        out.groups.push_back({});
        for (auto e = first_edge; e < last_edge; ++e) {
            const auto group = first_group + static_cast<std::size_t>(edges_[e].group);
            if (groups_[group].continuation) continue;
            out.edges.push_back({0, edges_[e].target, State::final});
            ++out.groups.front().needed;
        }
        return;
    }
    out.groups.assign(groups_.begin() + static_cast<std::ptrdiff_t>(first_group),
                      groups_.begin() + static_cast<std::ptrdiff_t>(last_group));
    out.edges.assign(edges_.begin() + static_cast<std::ptrdiff_t>(first_edge),
                     edges_.begin() + static_cast<std::ptrdiff_t>(last_edge));
    out.type = is_check(n) ? NodeType::check : NodeType::stage;
    out.state = is_check(n) ? states_[n] : State::planned;
    if (is_check(n)) out.assigned = assigned_[n];
}

std::string cycle_text(const Plan& plan, const Deadlock& cycle) {
    constexpr std::size_t kShown = 20;
    std::string text;
    for (std::size_t i = 0; i < cycle.steps.size() && i < kShown; ++i)
        text += plan.name(cycle.steps[i].node) + " -> ";
    if (cycle.steps.size() > kShown) text += fmt::format("… {} more … -> ", cycle.steps.size() - kShown);
    return text + plan.name(cycle.steps.front().node);
}

}  // namespace

PlanReview review(const WriteNodes& request, Problems& problems) {
    constexpr std::size_t kMaxCircles = 20;
    Plan plan(request, problems);
    std::vector<std::int64_t> nodes(plan.size());
    std::iota(nodes.begin(), nodes.end(), std::int64_t{0});

    plan.only_dependencies(true);
    const auto cycles = find_deadlocks(plan, nodes, kMaxCircles);
    for (const auto& cycle : cycles) {
        problems.add(ErrorCode::cyclic_dependency, plan.at(cycle.steps.front().node),
                     "dependencies form a cycle: " + cycle_text(plan, cycle));
    }
    PlanReview found;
    if (!cycles.empty()) return found;

    plan.only_dependencies(false);
    for (const auto& deadlock : find_deadlocks(plan, nodes, kMaxCircles)) {
        const Position at = plan.at(deadlock.steps.front().node);
        std::string text = describe(deadlock, [&](std::int64_t n) { return plan.name(n); });
        if (at.line != 0 && at.file < request.files.size()) {
            text = fmt::format("{}:{}:{}: {}", request.files[at.file], at.line, at.column, text);
        }
        found.warnings.push_back(std::move(text));
    }
    return found;
}

void try_rules(const WriteNodes& request) {
    // Of a plan that is not there yet a store knows nothing.
    const engine::Load load = [](const Lookup&) { return Facts{}; };
    const RunnerProbe probe;
    PlanRow plan;
    plan.id = "new";
    static_cast<void>(engine::decide({.request = request,
                                      .plan = std::move(plan),
                                      .is_new = true,
                                      .next_node = NodeKey{1},
                                      .now = {},
                                      .store = {},
                                      .probe = probe},
                                     load));
}

}  // namespace turboci
