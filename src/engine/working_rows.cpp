// SPDX-License-Identifier: Apache-2.0
// Predicates, assignments, attempts and results of a working set.
#include <algorithm>
#include <numeric>

#include "engine/working_set.hpp"

namespace turboci::engine {

namespace {

std::int64_t distance(NodeKey key, NodeKey first) {
    return static_cast<std::int64_t>(key) - static_cast<std::int64_t>(first);
}

}  // namespace

// ------------------------------------------------------------------------------------ predicates

const std::vector<CachedGroup>& WorkingSet::groups(Node& node) {
    if (!node.all_groups) ask([&](Lookup& lookup) { lookup.groups = {node.row.key}; });
    if (!node.groups) node.groups = std::make_unique<std::vector<CachedGroup>>();
    return *node.groups;
}

void WorkingSet::keep_all_groups(Node& node) {
    if (!node.groups) node.groups = std::make_unique<std::vector<CachedGroup>>();
    // All are known by now, and some may have been changed.
    const auto first = some_groups_.lower_bound({node.row.key, PredicateRole{}, 0});
    auto known = first;
    for (; known != some_groups_.end() && known->second.row.owner == node.row.key; ++known)
        node.groups->push_back(known->second);
    some_groups_.erase(first, known);
    node.all_groups = true;
}

CachedGroup* WorkingSet::find_group(Node& node, PredicateRole role, std::int32_t number) {
    if (!node.all_groups) {
        const auto found = some_groups_.find({node.row.key, role, number});
        return found == some_groups_.end() ? nullptr : &found->second;
    }
    if (!node.groups) return nullptr;
    const auto place = [](const CachedGroup& g) { return std::pair(g.row.role, g.row.group); };
    const auto it = std::ranges::lower_bound(*node.groups, std::pair(role, number), {}, place);
    return it != node.groups->end() && place(*it) == std::pair(role, number) ? &*it : nullptr;
}

CachedGroup& WorkingSet::group(Node& node, PredicateRole role, std::int32_t number) {
    CachedGroup* found = find_group(node, role, number);
    if (found == nullptr && !node.all_groups) {
        ask([&](Lookup& lookup) { lookup.single_groups = {{node.row.key, role, number}}; });
        found = find_group(node, role, number);
    }
    if (found == nullptr)
        throw Error(ErrorCode::store, "the store is damaged: an edge names a group that is not there");
    return *found;
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
        if (!node.groups) node.groups = std::make_unique<std::vector<CachedGroup>>();
        const auto at =
            std::ranges::upper_bound(*node.groups, role, {}, [](const CachedGroup& g) { return g.row.role; });
        node.groups->insert(at, fresh.begin(), fresh.end());
    }
    for (const NewEdge& edge : edges) add_edge(node, edge);
}

void WorkingSet::set_group_since(Node& stage, Timestamp since) {
    if (!stage.groups) return;
    for (CachedGroup& g : *stage.groups)
        if (g.row.role == PredicateRole::continuation)
            g.row.since = std::min(since, now_ - Duration(1));  // however the clock was set
}

void WorkingSet::add_edge(Node& owner, const NewEdge& edge) {
    if (owner.edge_count == 0) owner.first_edge = static_cast<std::uint32_t>(new_edges_.size());
    ++owner.edge_count;
    new_edges_.push_back(edge);
}

std::vector<EdgeRow> WorkingSet::edges_of(Node& node, PredicateRole role) {
    std::vector<EdgeRow> edges;
    if (!node.is_new() && !node.replaced[index_of(role)]) {
        const std::pair key(node.row.key, role);
        if (!edges_.contains(key)) ask([&](Lookup& lookup) { lookup.edges = {{node.row.key, role}}; });
        edges = edges_.at(key);
    }
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
        const StoredWaiting* known = find_waiting(target.row.key, after, up_to);
        if (known == nullptr) {
            ask([&](Lookup& lookup) { lookup.waiting = {{target.row.key, after, up_to}}; });
            known = find_waiting(target.row.key, after, up_to);
        }
        for (const EdgeRow& edge : known->edges)
            if (const int n = state_number(target.row.type, edge.on_state); after < n && n <= up_to)
                edges.push_back(edge);
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
    if (!check.goals && !check.is_new()) ask([&](Lookup& lookup) { lookup.goals = {check.row.key}; });
    if (!check.goals) check.goals = std::make_unique<std::vector<GoalRow>>();
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
    if (stage < first_new_) {
        if (!assignments_.contains(stage)) ask([&](Lookup& lookup) { lookup.assignments = {stage}; });
        return assignments_.at(stage);
    }
    const Node& node = get(stage);
    const auto all = std::span(new_assignments_).subspan(node.first_assignment, node.assignment_count);
    return {all.begin(), all.end()};
}

std::vector<AssignmentRow> WorkingSet::assignments_to(NodeKey check) {
    std::vector<AssignmentRow> rows;
    if (check < first_new_) {
        if (!assigned_.contains(check)) {
            ask([&](Lookup& lookup) {
                lookup.assigned = {check};
                lookup.stages = true;
            });
        }
        rows = assigned_.at(check);
    }
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
    if (stage < first_new_ && !attempts_.contains(stage, idx))
        ask([&](Lookup& lookup) { lookup.attempts = {{stage, idx}}; });
    return attempts_.find(stage, idx);
}

std::optional<AttemptRow> WorkingSet::current_attempt(const Node& stage) {
    return stage.row.attempt > 0 ? attempt(stage.row.key, stage.row.attempt) : std::nullopt;
}

void WorkingSet::load_classes() {
    if (classes_) return;
    if (plan_has_nodes_)
        ask([&](Lookup& lookup) { lookup.classes = true; });
    else
        classes_.emplace();
}

std::int32_t WorkingSet::class_of(const std::string& runner, const std::vector<Use>& uses) {
    if (runner.empty() && uses.empty()) return 0;
    load_classes();
    for (const auto& [number, row] : *classes_)
        if (row.runner == runner && row.uses == uses) return number;
    const std::int32_t number = classes_->empty() ? 1 : classes_->rbegin()->first + 1;
    new_classes_.push_back({number, runner, uses});
    classes_->emplace(number, new_classes_.back());
    return number;
}

const ClassRow& WorkingSet::class_row(std::int32_t number) {
    static const ClassRow kNone;
    if (number == 0) return kNone;
    load_classes();
    const auto found = classes_->find(number);
    if (found == classes_->end())
        throw Error(ErrorCode::store, "the store is damaged: an attempt is of a class that is not there");
    return found->second;
}

const std::map<std::int32_t, std::int64_t>& WorkingSet::held_by_class() {
    if (!held_by_class_) {
        held_by_class_.emplace();
        if (plan_has_nodes_) {
            Lookup lookup;
            lookup.held_by_class = true;
            for (const auto& held : load(lookup).held_by_class)
                (*held_by_class_)[held.class_number] = held.attempts;
        }
    }
    // What this write has begun and ended so far.
    for (const auto& [number, difference] : std::exchange(held_changes_, {}))
        (*held_by_class_)[number] += difference;
    return *held_by_class_;
}

void WorkingSet::count_held(const AttemptRow& row, int by) {
    const AttemptState state = row.attempt.state;
    if (row.class_number != 0 && (state == AttemptState::scheduled || state == AttemptState::running))
        held_changes_[row.class_number] += by;
}

void WorkingSet::begin_first_attempt(Node& stage) {
    if (!stage.is_new()) {
        const NodeBody body = this->body(stage);
        stage.class_number = class_of(body.runner, body.uses);
    }
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
    row.class_number = stage.class_number;
    return row;
}

void WorkingSet::put_attempt(const AttemptRow& row) {
    if (const auto before = row.class_number != 0 ? attempt(row.stage, row.attempt.idx) : std::nullopt)
        count_held(*before, -1);
    count_held(row, 1);
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
    const auto is_ready = [&](const AttemptRow& r) {
        return r.attempt.state == AttemptState::pending && r.ready_at <= now_;
    };
    // Of a class of which all have come there are no more. What was taken by this write is not to be counted.
    const auto suffices = [&] {
        if (ready_.limit == 0) return false;
        struct Seen {
            std::size_t all = 0, left = 0;
        };
        std::map<std::int32_t, Seen> of_class;
        for (const AttemptRow& r : ready_.rows) {
            const auto buffered = attempts_.find(r.stage, r.attempt.idx);
            Seen& seen = of_class[r.class_number];
            ++seen.all;
            if (!buffered || is_ready(*buffered)) ++seen.left;
        }
        return std::ranges::all_of(of_class, [&](const auto& entry) {
            return entry.second.all < ready_.limit || entry.second.left >= limit;
        });
    };
    while (plan_has_nodes_ && !suffices()) {
        ready_.limit = std::max(2 * ready_.limit, limit);
        Lookup lookup;
        lookup.ready = Lookup::Ready{now_, static_cast<std::int64_t>(ready_.limit)};
        ready_.rows = load(lookup).ready;
    }
    auto rows = attempts_.select(ready_.rows, is_ready);
    for (const Node* stage : first_tries_)
        if (stage->first_try) rows.push_back(first_attempt_of(*stage));
    std::ranges::sort(rows, {}, [](const AttemptRow& r) { return std::pair(r.ready_at, r.stage); });
    std::map<std::int32_t, std::size_t> of_class;
    std::erase_if(rows, [&](const AttemptRow& r) { return ++of_class[r.class_number] > limit; });
    return rows;
}

std::vector<AttemptRow> WorkingSet::overdue_attempts() {
    if (!overdue_) {
        Lookup lookup;
        lookup.overdue = now_;
        overdue_ = load(lookup).overdue;
    }
    return *overdue_;
}

std::vector<AttemptRow> WorkingSet::held_attempts() {
    if (!held_) {
        Lookup lookup;
        lookup.held = true;
        held_ = load(lookup).held;
    }
    auto rows = attempts_.select(*held_, [](const AttemptRow& r) {
        return r.attempt.state == AttemptState::scheduled || r.attempt.state == AttemptState::running;
    });
    std::ranges::sort(rows, {}, &AttemptRow::stage);
    return rows;
}

std::vector<ResultRow> WorkingSet::results(const Node& check) {
    if (!check.is_new() && !results_.is_complete(check.row.key)) {
        ask([&](Lookup& lookup) {
            lookup.results = {check.row.key};
            lookup.writers = true;
        });
    }
    return results_.of_check(check.row.key);
}

std::optional<ResultRow> WorkingSet::find_result(const Node& check, OwnerType type, std::string_view owner) {
    auto row = results_.find(check.row.key, type, owner);
    if (row || check.is_new() || results_.is_complete(check.row.key)) return row;
    ask([&](Lookup& lookup) { lookup.single_results = {{check.row.key, type, std::string(owner)}}; });
    return results_.find(check.row.key, type, owner);
}

std::vector<ResultRow> WorkingSet::open_results_of(const Node& stage, std::int32_t idx) {
    if (!stage.is_new() && !results_.knows_open_of(stage.row.key, idx))
        ask([&](Lookup& lookup) { lookup.open_results = {{stage.row.key, idx}}; });
    return results_.open_of(stage.row.key, idx);
}

}  // namespace turboci::engine
