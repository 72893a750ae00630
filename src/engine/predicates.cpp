// SPDX-License-Identifier: Apache-2.0
#include "engine/predicates.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <span>
#include <tuple>

#include "engine/predicate_form.hpp"

namespace turboci::engine {

namespace {

/// Walks a spec in preorder, filling a FlatPredicate. Nesting is limited by the request's validation.
class Flattener {
public:
    Flattener(WorkingSet& nodes, Problems& problems, Node& owner, PredicateRole role)
        : nodes_(nodes), problems_(problems), owner_(owner), role_(role) {}

    std::int32_t add_group(const PredicateSpec& spec, std::int32_t parent) {
        const auto number = static_cast<std::int32_t>(flat_.groups.size());
        GroupRow row{.owner = owner_.row.key,
                     .role = role_,
                     .group = number,
                     .parent = parent,
                     .count = {},
                     .since = nodes_.now()};
        row.count.kind = spec.kind;
        flat_.groups.push_back(row);
        std::int64_t members = static_cast<std::int64_t>(spec.groups.size());
        const std::size_t first = flat_.edges.size();
        grow(flat_.edges, spec.edges.size());
        std::set<std::tuple<NodeKey, State, When>> seen;
        for (const EdgeSpec& edge : spec.edges) {
            const auto row_of_edge = resolve_edge_spec(edge, number);
            if (!row_of_edge) continue;
            const auto what = what_of(*row_of_edge);
            // Most groups are so small that a glance at each is quicker than a tree.
            const bool is_new =
                spec.edges.size() > kGlance
                    ? seen.insert(what).second
                    : std::ranges::find(flat_.edges.begin() + static_cast<std::ptrdiff_t>(first),
                                        flat_.edges.end(), what, &what_of) == flat_.edges.end();
            if (!is_new) continue;
            ++members;
            flat_.edges.push_back(*row_of_edge);
        }
        set_threshold(spec, number, members);
        for (const PredicateSpec& group : spec.groups) add_group(group, number);
        return number;
    }

    FlatPredicate take() { return std::move(flat_); }

private:
    static constexpr std::size_t kGlance = 16;
    /// Room for so many more. Not exactly so many: of many small groups each would copy all before it.
    template <class T>
    static void grow(std::vector<T>& list, std::size_t more) {
        if (list.capacity() - list.size() < more)
            list.reserve(std::max(list.size() + more, 2 * list.capacity()));
    }
    static std::tuple<NodeKey, State, When> what_of(const NewEdge& edge) {
        return {edge.target, edge.on_state, edge.when};
    }
    [[nodiscard]] std::string user() const {
        return fmt::format("{}:{}", to_string(owner_.row.type), owner_.row.id);
    }

    std::optional<NewEdge> resolve_edge_spec(const EdgeSpec& edge, std::int32_t group) {
        const auto only =
            role_ == PredicateRole::continuation ? std::optional(NodeType::stage) : std::nullopt;
        Node* target = resolve_ref(nodes_, problems_, edge.target, edge.at, owner_, only);
        if (target == nullptr) return std::nullopt;
        if (only && target->row.type != *only) {
            problems_.add(
                ErrorCode::invalid_dependency, edge.at,
                fmt::format("the continuation group of {} names check:{}; only stages can be its members",
                            user(), target->row.id));
            return std::nullopt;
        }
        if (state_number(target->row.type, edge.on_state) == 0) {
            problems_.add(
                ErrorCode::invalid_argument, edge.at,
                fmt::format("a {} has no state {} ({} waits for it on {}:{})", to_string(target->row.type),
                            to_string(edge.on_state), user(), to_string(target->row.type), target->row.id));
            return std::nullopt;
        }
        return NewEdge{.owner = owner_.row.key,
                       .target = target->row.key,
                       .group = group,
                       .position = static_cast<std::int32_t>(flat_.edges.size()),
                       .role = role_,
                       .on_state = edge.on_state,
                       .when = edge.when.value_or(When::success),
                       .target_type = target->row.type};
    }

    void set_threshold(const PredicateSpec& spec, std::int32_t number, std::int64_t members) {
        GroupCount& count = flat_.groups[static_cast<std::size_t>(number)].count;
        if (spec.kind == GroupKind::at_least && (spec.at_least < 1 || spec.at_least > members))
            problems_.add(ErrorCode::invalid_dependency, spec.at,
                          fmt::format("at_least is {}, but the group has {} different member{}",
                                      spec.at_least, members, members == 1 ? "" : "s"));
        count.threshold = spec.kind == GroupKind::any        ? (members > 0 ? 1 : 0)
                          : spec.kind == GroupKind::at_least ? static_cast<std::int32_t>(spec.at_least)
                                                             : static_cast<std::int32_t>(members);
    }

    WorkingSet& nodes_;
    Problems& problems_;
    Node& owner_;
    PredicateRole role_;
    FlatPredicate flat_;
};

/// What an edge says now, as far as the target's dependents have been told of its moves. What has not
/// been told yet arrives as a move, so that each edge is counted exactly once.
Resolution initial_resolution(const Node& target, const NewEdge& edge) {
    if (state_number(target.row.type, edge.on_state) > target.told) return Resolution::unresolved;
    return resolve_edge(target, edge.on_state, edge.when);
}

void count_members(WorkingSet& nodes, FlatPredicate& flat) {
    const auto count = [&](std::int32_t group, Resolution r) {
        GroupCount& c = flat.groups[static_cast<std::size_t>(group)].count;
        if (r == Resolution::unresolved) ++c.unresolved;
        if (r == Resolution::satisfied) ++c.satisfied;
    };
    for (const NewEdge& e : flat.edges) count(e.group, initial_resolution(nodes.get(e.target), e));
    // Preorder read backwards: children come before their parents.
    for (auto g = flat.groups.rbegin(); g != flat.groups.rend(); ++g) {
        g->count.resolution = resolve(g->count);
        if (g->parent >= 0) count(g->parent, g->count.resolution);
    }
}

std::string complaint(const Node& target, const EdgeRow& edge) {
    const std::string name = fmt::format("{}:{}", to_string(target.row.type), target.row.id);
    if (edge.on_state != State::final)
        return fmt::format("{} ended without passing {}", name, to_string(edge.on_state));
    const std::string_view outcome = target.row.outcome ? to_string(*target.row.outcome) : "not final";
    // "skipped (upstream)": only its cause tells why "not_failed" was not enough.
    const std::string cause = target.row.skip_cause && edge.when == When::not_failed
                                  ? fmt::format(" {}", to_string(*target.row.skip_cause))
                                  : "";
    return fmt::format("{} {}{} ({} was needed)", name, outcome, cause, to_string(edge.when));
}

}  // namespace

Node* resolve_ref(WorkingSet& nodes, Problems& problems, const RefText& ref, Position at, const Node& user,
                  std::optional<NodeType> only) {
    if (ref.type || only) {
        Node* node = nodes.find(ref.type.value_or(only.value_or(NodeType::check)), ref.id);
        if (node != nullptr) return node;
    } else {
        const auto [check, stage] = nodes.find(ref.id);
        if (check != nullptr && stage != nullptr) {
            problems.add(ErrorCode::invalid_argument, at,
                         fmt::format("'{0}' is two nodes; say check:{0} or stage:{0}", ref.id));
            return nullptr;
        }
        if (check != nullptr || stage != nullptr) return check != nullptr ? check : stage;
    }
    problems.add(ErrorCode::invalid_dependency, at,
                 fmt::format("{}:{} needs '{}', which is neither in the plan nor in this write",
                             to_string(user.row.type), user.row.id, to_string(ref)));
    return nullptr;
}

FlatPredicate flatten(WorkingSet& nodes, Problems& problems, Node& owner, PredicateRole role,
                      const PredicateSpec& spec) {
    Flattener flattener(nodes, problems, owner, role);
    flattener.add_group(spec, -1);
    return flattener.take();
}

std::string edges_json(WorkingSet& nodes, const FlatPredicate& flat) {
    constexpr std::size_t kMaxNamed = 1000;
    std::string names;
    for (std::size_t i = 0; i < std::min(flat.edges.size(), kMaxNamed); ++i) {
        if (i > 0) names += ',';
        const HotRow& target = nodes.get(flat.edges[i].target).row;
        append_json_string(names, to_string(NodeRef{target.type, std::string(target.id)}));
    }
    return fmt::format(R"({{"edges":{},"to":[{}]}})", flat.edges.size(), names);
}

namespace {

/// Is one what the other is, group by group?
template <class Edges>
bool same_in_order(const std::vector<GroupRow>& have, const Edges& edges, const FlatPredicate& flat) {
    const bool groups_equal = std::ranges::equal(have, flat.groups, [](const GroupRow& a, const GroupRow& b) {
        return a.parent == b.parent && a.count.kind == b.count.kind && a.count.threshold == b.count.threshold;
    });
    if (!groups_equal) return false;
    const auto sorted = [](const auto& list) {
        std::vector<std::tuple<std::int32_t, NodeKey, State, When>> keys;
        keys.reserve(list.size());
        for (const auto& e : list) keys.emplace_back(e.group, e.target, e.on_state, e.when);
        std::ranges::sort(keys);
        return keys;
    };
    return sorted(edges) == sorted(flat.edges);
}

template <class Edges>
PredicateForm<NodeKey> form_of(const std::vector<GroupRow>& rows, const Edges& edges) {
    std::vector<PredicateForm<NodeKey>> groups;
    groups.reserve(rows.size());
    for (const GroupRow& row : rows)
        groups.push_back(
            {.kind = row.count.kind, .threshold = row.count.threshold, .edges = {}, .groups = {}});
    for (const auto& e : edges)
        groups.at(static_cast<std::size_t>(e.group)).edges.emplace(e.target, e.on_state, e.when);
    return nest_forms(std::move(groups), [&](std::size_t i) { return rows[i].parent; });
}

}  // namespace

bool same_predicate(WorkingSet& nodes, Node& owner, const FlatPredicate& flat) {
    const PredicateRole role = flat.groups.front().role;
    std::vector<GroupRow> have;
    if (role == PredicateRole::dependencies) {
        GroupRow root;
        root.count = owner.row.dependencies;
        have.push_back(root);
    } else if (!owner.row.has_continuation) {
        return flat.edges.empty() && flat.groups.size() == 1;
    }
    for (const CachedGroup& g : nodes.groups(owner))
        if (g.row.role == role) have.push_back(g.row);
    const auto edges = nodes.edges_of(owner, role);
    if (same_in_order(have, edges, flat)) return true;
    // The order of members within a group means nothing, nor does that of the groups among them.
    const bool could_be = have.size() == flat.groups.size() && have.size() > 2;
    return could_be && form_of(have, edges) == form_of(flat.groups, flat.edges);
}

void set_predicate(WorkingSet& nodes, Node& owner, PredicateRole role, FlatPredicate&& flat) {
    count_members(nodes, flat);
    const bool empty = flat.edges.empty() && flat.groups.size() == 1;
    std::span<const GroupRow> groups = flat.groups;
    if (role == PredicateRole::dependencies) {
        owner.row.dependencies = groups.front().count;
        owner.new_dependencies = true;
        groups = groups.subspan(1);
    } else {
        owner.row.has_continuation = !empty;
        if (empty) groups = {};
    }
    nodes.replace_predicate(owner, role, groups, flat.edges);
    owner.dirty = true;
    nodes.enqueue(owner);
}

std::string why_unsatisfied(WorkingSet& nodes, Node& owner, PredicateRole role) {
    constexpr std::size_t kMaxNamed = 3;
    std::string text;
    std::size_t found = 0;
    for (const EdgeRow& edge : nodes.edges_of(owner, role)) {
        // Only groups that are themselves lost explain the loss of the whole.
        if (nodes.group_count(owner, role, edge.group).resolution != Resolution::unsatisfied) continue;
        Node& target = nodes.get(edge.target);
        const auto r = resolve_edge(target, edge.on_state, edge.when);
        if (r != Resolution::unsatisfied) continue;
        if (++found > kMaxNamed) continue;
        if (!text.empty()) text += ", ";
        text += complaint(target, edge);
    }
    if (found > kMaxNamed) text += fmt::format(" and {} more", found - kMaxNamed);
    return text;
}

void throw_damaged(std::string_view what) {
    throw Error(ErrorCode::store, fmt::format("the store is damaged: {}", what));
}

namespace {

void show_edge(const EdgeRecord& record, Timestamp since, Edge& edge) {
    edge.target.type = record.target.type;
    edge.target.id = record.target.id;
    edge.on_state = record.edge.on_state;
    edge.when = record.edge.when;
    edge.target_state = record.target_state;
    edge.target_outcome = record.target_outcome;
    edge.resolution = resolve_edge(edge.target.type, edge.on_state, edge.when, edge.target_state,
                                   edge.target_outcome, record.target_skip_cause, record.target_furthest);
    edge.resolved_at.reset();
    if (edge.resolution != Resolution::unresolved && record.reached_at)
        edge.resolved_at = std::max(*record.reached_at, since);
}

void show_count(const GroupCount& count, Predicate& group) {
    group.kind = count.kind;
    group.threshold = count.threshold;
    group.resolution = count.resolution;
}

/// A root without groups in it, as most are: the edges keep their memory from one node to the next.
void view_plain(const NodeRecord& record, Predicate& root) {
    show_count(record.row.dependencies, root);
    root.groups.clear();
    std::size_t used = 0;
    for (const EdgeRecord& e : record.edges) {
        if (e.edge.role != PredicateRole::dependencies) continue;
        if (e.edge.group != 0) throw_damaged("an edge names a group that is not there");
        if (used == root.edges.size()) root.edges.emplace_back();
        show_edge(e, record.row.dependencies_since, root.edges[used++]);
    }
    root.edges.resize(used);
}

}  // namespace

void view_predicate(const NodeRecord& record, PredicateRole role, Predicate& predicate) {
    struct Row {
        std::int32_t parent;
        Timestamp since;
    };
    std::vector<Row> rows;
    std::vector<Predicate> groups;
    if (role == PredicateRole::dependencies) {
        if (record.groups.empty()) return view_plain(record, predicate);
        rows.push_back({-1, record.row.dependencies_since});
        show_count(record.row.dependencies, groups.emplace_back());
    }
    for (const GroupRow& g : record.groups) {
        if (g.role != role) continue;
        rows.push_back({g.parent, g.since});
        show_count(g.count, groups.emplace_back());
    }
    if (groups.empty()) {
        predicate = {};
        return;
    }
    for (const EdgeRecord& e : record.edges) {
        if (e.edge.role != role) continue;
        const auto g = static_cast<std::size_t>(e.edge.group);
        if (g >= groups.size()) throw_damaged("an edge names a group that is not there");
        show_edge(e, rows[g].since, groups[g].edges.emplace_back());
    }
    predicate = nest_groups(std::move(groups), [&](std::size_t i) { return rows[i].parent; });
}

Predicate view_predicate(const NodeRecord& record, PredicateRole role) {
    Predicate predicate;
    view_predicate(record, role, predicate);
    return predicate;
}

}  // namespace turboci::engine
