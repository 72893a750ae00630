// SPDX-License-Identifier: Apache-2.0
// Predicates, assignments, attempts and results of a working set.
#include <algorithm>
#include <numeric>

#include "service/lookups.hpp"
#include "service/working_set.hpp"

namespace turboci::service {

namespace {

std::int64_t distance(NodeKey key, NodeKey first) {
    return static_cast<std::int64_t>(key) - static_cast<std::int64_t>(first);
}

}  // namespace

// ------------------------------------------------------------------------------------ predicates

const std::vector<CachedGroup>& WorkingSet::groups(Node& node) {
    if (!node.groups) node.groups.emplace();
    if (!node.all_groups) {
        // Those that are here already may have been changed.
        std::vector<CachedGroup> known;
        known.swap(*node.groups);
        for (GroupRow& row : service::groups(uow_, node.row.key)) node.groups->push_back({row, false, false});
        for (CachedGroup& g : known) group(node, g.row.role, g.row.group) = g;
        node.all_groups = true;
    }
    return *node.groups;
}

CachedGroup& WorkingSet::group(Node& node, PredicateRole role, std::int32_t number) {
    const auto place = [](const CachedGroup& g) { return std::pair(g.row.role, g.row.group); };
    if (!node.groups) node.groups.emplace();
    auto it = std::ranges::lower_bound(*node.groups, std::pair(role, number), {}, place);
    if (it != node.groups->end() && place(*it) == std::pair(role, number)) return *it;
    auto row = node.all_groups ? std::nullopt : service::group(uow_, node.row.key, role, number);
    if (!row) throw Error(ErrorCode::store, "the store is damaged: an edge names a group that is not there");
    return *node.groups->insert(it, {*row, false, false});
}

const GroupCount& WorkingSet::group_count(Node& node, PredicateRole role, std::int32_t number) {
    if (role == PredicateRole::dependencies && number == 0) return node.row.dependencies;
    return group(node, role, number).row.count;
}

GroupCount& WorkingSet::change_group_count(Node& node, PredicateRole role, std::int32_t number) {
    if (role == PredicateRole::dependencies && number == 0) {
        node.dirty = true;
        return node.row.dependencies;
    }
    CachedGroup& cached = group(node, role, number);
    cached.dirty = true;
    return cached.row.count;
}

std::int32_t WorkingSet::parent_of(Node& node, PredicateRole role, std::int32_t number) {
    if (number == 0) return -1;
    return group(node, role, number).row.parent;
}

void WorkingSet::replace_predicate(Node& node, PredicateRole role, std::span<const GroupRow> groups,
                                   std::span<const NewEdge> edges) {
    if (!node.is_new()) {
        dropped_.push_back({node.row.key, role});
        node.replaced[index_of(role)] = true;
        // Together with those of the other role, which stay.
        static_cast<void>(this->groups(node));
        std::erase_if(*node.groups, [&](const CachedGroup& g) { return g.row.role == role; });
    }
    std::vector<CachedGroup> fresh;
    for (const GroupRow& g : groups) fresh.push_back({g, false, true});
    if (!fresh.empty()) {
        if (!node.groups) node.groups.emplace();
        const auto at =
            std::ranges::upper_bound(*node.groups, role, {}, [](const CachedGroup& g) { return g.row.role; });
        node.groups->insert(at, fresh.begin(), fresh.end());
    }
    for (const NewEdge& edge : edges) add_edge(node, edge);
}

void WorkingSet::add_edge(Node& owner, const NewEdge& edge) {
    if (owner.edge_count == 0) owner.first_edge = static_cast<std::uint32_t>(new_edges_.size());
    ++owner.edge_count;
    new_edges_.push_back(edge);
}

std::vector<EdgeRow> WorkingSet::edges_of(Node& node, PredicateRole role) {
    std::vector<EdgeRow> edges;
    if (!node.is_new() && !node.replaced[index_of(role)]) edges = service::edges_of(uow_, node.row.key, role);
    for (std::uint32_t i = 0; i < node.edge_count; ++i) {
        const NewEdge& e = new_edges_[node.first_edge + i];
        if (e.role == role) edges.push_back(e.row());
    }
    return edges;
}

void WorkingSet::index_new_edges() {
    if (indexed_ == new_edges_.size()) return;
    indexed_ = new_edges_.size();
    // Keys of new nodes have no gaps, so counting sorts their edges.
    const auto slot = [&](const NewEdge& e) {
        return static_cast<std::size_t>(distance(e.target, first_new_));
    };
    first_to_new_.assign(new_nodes_.size() + 1, 0);
    to_old_.clear();
    for (std::uint32_t i = 0; i < indexed_; ++i) {
        const NewEdge& e = new_edges_[i];
        if (e.target >= first_new_)
            ++first_to_new_[slot(e) + 1];
        else
            to_old_.push_back(i);
    }
    std::partial_sum(first_to_new_.begin(), first_to_new_.end(), first_to_new_.begin());
    to_new_.resize(first_to_new_.back());
    std::vector<std::uint32_t> next(first_to_new_.begin(), first_to_new_.end() - 1);
    for (std::uint32_t i = 0; i < indexed_; ++i)
        if (const NewEdge& e = new_edges_[i]; e.target >= first_new_) to_new_[next[slot(e)]++] = i;
    std::ranges::stable_sort(to_old_, {}, [&](std::uint32_t i) { return new_edges_[i].target; });
}

std::vector<EdgeRow> WorkingSet::edges_to(Node& target, int after, int up_to) {
    std::vector<EdgeRow> edges;
    index_new_edges();
    const auto add = [&](std::span<const std::uint32_t> candidates) {
        for (const std::uint32_t i : candidates) {
            const NewEdge& e = new_edges_[i];
            const int n = state_number(target.row.type, e.on_state);
            if (after < n && n <= up_to) edges.push_back(e.row());
        }
    };
    if (target.is_new()) {
        if (indexed_ == 0) return edges;
        const auto at = static_cast<std::size_t>(distance(target.row.key, first_new_));
        add(std::span(to_new_).subspan(first_to_new_[at], first_to_new_[at + 1] - first_to_new_[at]));
    } else {
        edges = service::edges_to(uow_, target.row.key, after, up_to);
        if (!dropped_.empty())
            std::erase_if(edges, [&](const EdgeRow& e) {
                const Node* owner = met(e.owner);
                return owner != nullptr && owner->replaced[index_of(e.role)];
            });
        const auto target_of = [&](std::uint32_t i) { return new_edges_[i].target; };
        const auto first = std::ranges::lower_bound(to_old_, target.row.key, {}, target_of);
        const auto last = std::ranges::upper_bound(to_old_, target.row.key, {}, target_of);
        add({first, last});
    }
    return edges;
}

// ------------------------------------------------------------------------------------ goals

std::vector<GoalRow>& WorkingSet::goals(Node& check) {
    if (!check.goals) {
        check.goals.emplace();
        if (!check.is_new()) *check.goals = service::goals(uow_, check.row.key);
    }
    return *check.goals;
}

GoalRow& WorkingSet::goal(Node& check, State goal) {
    auto& all = goals(check);
    check.goals_dirty = true;
    for (GoalRow& g : all)
        if (g.goal == goal) return g;
    return all.emplace_back(GoalRow{check.row.key, goal, 0, 0});
}

// ------------------------------------------------------------------------------------ assignments

std::vector<AssignmentRow> WorkingSet::assignments_of(NodeKey stage) {
    if (stage < first_new_) return service::assignments_of(uow_, stage);
    const Node& node = get(stage);
    const auto all = std::span(new_assignments_).subspan(node.first_assignment, node.assignment_count);
    return {all.begin(), all.end()};
}

std::vector<AssignmentRow> WorkingSet::assignments_to(NodeKey check) {
    std::vector<AssignmentRow> rows;
    if (check < first_new_) rows = service::assignments_to(uow_, check);
    const auto check_of = [&](std::uint32_t i) { return new_assignments_[i].check; };
    if (assigned_to_.size() != new_assignments_.size()) {
        assigned_to_.resize(new_assignments_.size());
        std::iota(assigned_to_.begin(), assigned_to_.end(), 0U);
        std::ranges::stable_sort(assigned_to_, {}, check_of);
    }
    auto it = std::ranges::lower_bound(assigned_to_, check, {}, check_of);
    for (; it != assigned_to_.end() && check_of(*it) == check; ++it) rows.push_back(new_assignments_[*it]);
    return rows;
}

void WorkingSet::set_assignments(Node& stage, std::span<const AssignmentRow> rows) {
    stage.first_assignment = static_cast<std::uint32_t>(new_assignments_.size());
    stage.assignment_count = static_cast<std::uint32_t>(rows.size());
    new_assignments_.insert(new_assignments_.end(), rows.begin(), rows.end());
}

// ------------------------------------------------------------------------------------ attempts, results

std::optional<AttemptRow> WorkingSet::attempt(NodeKey stage, std::int32_t idx) {
    if (const Node* node = met(stage); node != nullptr && node->first_try && idx == 1)
        return first_attempt_of(*node);
    return attempts_.find(stage, idx, stage < first_new_);
}

std::optional<AttemptRow> WorkingSet::current_attempt(const Node& stage) {
    return stage.row.attempt > 0 ? attempt(stage.row.key, stage.row.attempt) : std::nullopt;
}

void WorkingSet::begin_first_attempt(Node& stage) {
    stage.row.attempt = 1;
    stage.first_try = true;
    first_tries_.push_back(&stage);
}

AttemptRow WorkingSet::first_attempt_of(const Node& stage) const {
    AttemptRow row;
    row.stage = stage.row.key;
    row.plan = plan_;
    row.attempt.idx = 1;
    row.attempt.created_at = row.attempt.updated_at = row.ready_at = now_;
    return row;
}

void WorkingSet::put_attempt(const AttemptRow& row) {
    Node* stage = met(row.stage);
    if (stage != nullptr && stage->first_try && row.attempt.idx == 1) {
        stage->first_try = false;
        attempts_.add(row);
    } else {
        attempts_.put(row);
    }
}

void WorkingSet::add_progress(NodeKey stage, std::int32_t idx, Progress progress) {
    progress_.push_back({stage, idx, std::move(progress)});
}

std::vector<AttemptRow> WorkingSet::ready_attempts(std::size_t limit) {
    std::vector<AttemptRow> rows;
    // What is buffered may hide as many stored rows.
    if (plan_has_nodes_)
        rows =
            service::ready_attempts(uow_, plan_, now_, static_cast<std::int64_t>(limit + attempts_.size()));
    rows = attempts_.select(std::move(rows), [&](const AttemptRow& r) {
        return r.attempt.state == AttemptState::pending && r.ready_at <= now_;
    });
    for (const Node* stage : first_tries_)
        if (stage->first_try) rows.push_back(first_attempt_of(*stage));
    std::ranges::sort(rows, {}, [](const AttemptRow& r) { return std::pair(r.ready_at, r.stage); });
    if (rows.size() > limit) rows.resize(limit);
    return rows;
}

std::vector<AttemptRow> WorkingSet::overdue_attempts() {
    return service::overdue_attempts(uow_, plan_, now_);
}

std::vector<AttemptRow> WorkingSet::held_attempts() {
    auto rows = attempts_.select(service::held_attempts(uow_, plan_), [](const AttemptRow& r) {
        return r.attempt.state == AttemptState::scheduled || r.attempt.state == AttemptState::running;
    });
    std::ranges::sort(rows, {}, &AttemptRow::stage);
    return rows;
}

std::vector<ResultRow> WorkingSet::results(const Node& check) {
    return results_.of_check(check.row.key, !check.is_new());
}

std::optional<ResultRow> WorkingSet::find_result(const Node& check, OwnerType type, std::string_view owner) {
    return results_.find(check.row.key, !check.is_new(), type, owner);
}

std::vector<ResultRow> WorkingSet::open_results_of(const Node& stage, std::int32_t idx) {
    return results_.open_of(stage.row.key, idx, !stage.is_new());
}

}  // namespace turboci::service
