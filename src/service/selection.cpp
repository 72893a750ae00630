// SPDX-License-Identifier: Apache-2.0
#include "service/selection.hpp"

#include <algorithm>
#include <limits>

#include "service/view.hpp"

namespace turboci::service {

namespace {

// So many nodes are asked about at once.
constexpr std::size_t kNodesAtOnce = 1'000;

}  // namespace

Selection::Selection(Snapshot& snapshot, const PlanRow& plan, const QueryNodes& query, Timestamp now)
    : snapshot_(snapshot), plan_(plan), query_(query), now_(now) {
    conditions_.states = query.states;
    conditions_.outcomes = query.outcomes;
    conditions_.kinds = query.kinds;
    conditions_.ids = query.match;
    conditions_.parts = kBareNodes;
}

const std::vector<NodeKey>* Selection::select() {
    const bool filtered = !query_.types.empty() || !query_.kinds.empty() || !query_.states.empty() ||
                          !query_.outcomes.empty() || !query_.match.empty() || query_.ready || query_.blocked;
    if (query_.refs.empty() && !filtered) return nullptr;  // expanding everything adds nothing
    if (query_.ready) load_ready();
    // Both types are no condition.
    const auto& types = query_.types;
    if (!types.empty() && std::ranges::count(types, types.front()) == std::ssize(types))
        conditions_.type = types.front();
    std::vector<NodeKey> named;
    if (!query_.refs.empty()) {
        for (const RefText& ref : query_.refs) {
            const auto row =
                query_.skip_absent ? find_named(snapshot_, plan_, ref) : require_node(snapshot_, plan_, ref);
            if (row)
                named.push_back(row->key);
            else
                absent_.push_back(ref);
        }
        std::ranges::sort(named);
        conditions_.keys = &named;
    } else if (query_.ready && conditions_.type == NodeType::stage) {
        for (const auto key : ready_) named.push_back(NodeKey{key});
        std::ranges::sort(named);
        conditions_.keys = &named;
    }
    if (filtered)
        snapshot_.scan(plan_.key, conditions_, [&](std::span<const NodeRecord> records) {
            for (const NodeRecord& record : records) consider(record.row);
            return true;
        });
    else
        keys_ = named;
    drop_busy_checks();
    const std::vector<NodeKey> start = keys_;
    if (query_.deps) expand(start, *query_.deps, true);
    if (query_.dependents) expand(start, *query_.dependents, false);
    std::ranges::sort(keys_);
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    return &keys_;
}

void Selection::load_ready() {
    Lookup lookup;
    lookup.ready = Lookup::Ready{now_, std::numeric_limits<std::int64_t>::max()};
    for (const AttemptRow& a : snapshot_.load(plan_.key, lookup).ready)
        ready_.insert(static_cast<std::int64_t>(a.stage));
}

/// Of a check that is WAITING it is not known yet whether a stage works for it: see drop_busy_checks().
bool Selection::may_be_ready(const NodeRow& row) {
    if (row.type == NodeType::stage) return ready_.contains(static_cast<std::int64_t>(row.key));
    if (row.state != State::waiting) return false;
    waiting_.push_back(row.key);
    return true;
}

void Selection::drop_busy_checks() {
    std::unordered_set<NodeKey> busy;
    for (std::size_t begin = 0; begin < waiting_.size(); begin += kNodesAtOnce) {
        const auto batch =
            std::span(waiting_).subspan(begin, std::min(kNodesAtOnce, waiting_.size() - begin));
        Lookup lookup;
        lookup.goals.assign(batch.begin(), batch.end());
        for (const GoalRow& g : snapshot_.load(plan_.key, lookup).goals)
            if (g.open > 0) busy.insert(g.check);
    }
    std::erase_if(keys_, [&](NodeKey key) { return busy.contains(key); });
}

void Selection::consider(const NodeRow& row) {
    if (query_.blocked &&
        (row.state == State::final || row.dependencies.resolution != Resolution::unresolved))
        return;
    if (!query_.ready || may_be_ready(row)) keys_.push_back(row.key);
}

// Stages alone have a continuation group and assignments, checks alone are assigned to: for a node of the
// other type these are empty, and looking is cheaper than reading the node for its type.
std::vector<NodeKey> Selection::neighbours(std::span<const NodeKey> nodes, bool forward) {
    constexpr int kAnyState = 40;
    const bool satisfied_alone = query_.edges != EdgeFilter::all;
    Lookup lookup;
    for (const NodeKey key : nodes) {
        if (forward) {
            lookup.edges.push_back({key, PredicateRole::dependencies});
            lookup.edges.push_back({key, PredicateRole::continuation});
            lookup.assigned.push_back(key);
        } else {
            lookup.waiting.push_back({key, 0, kAnyState});
            lookup.assignments.push_back(key);
            if (satisfied_alone) lookup.nodes.push_back(key);
        }
    }
    lookup.targets = lookup.stages = satisfied_alone && forward;
    const Facts facts = snapshot_.load(plan_.key, lookup);
    std::unordered_map<NodeKey, const NodeRow*> rows;
    for (const NodeRow& row : facts.nodes) rows.try_emplace(row.key, &row);
    const auto follows_edge = [&](const EdgeRow& edge) {
        if (!satisfied_alone) return true;
        const NodeRow& target = *rows.at(edge.target);
        return resolve_edge(target.type, edge.on_state, edge.when, target.state, target.outcome,
                            target.skip_cause, target.history) == Resolution::satisfied;
    };
    const auto follows_assignment = [&](const AssignmentRow& a) {
        return !satisfied_alone || rows.at(a.stage)->outcome == Outcome::passed;
    };
    std::vector<NodeKey> found;
    for (const auto* edges : {&facts.edges, &facts.waiting})
        for (const EdgeRow& edge : *edges)
            if (follows_edge(edge)) found.push_back(forward ? edge.target : edge.owner);
    for (const auto* assignments : {&facts.assigned, &facts.assignments})
        for (const AssignmentRow& a : *assignments)
            if (follows_assignment(a)) found.push_back(forward ? a.stage : a.check);
    return found;
}

void Selection::expand(const std::vector<NodeKey>& start, std::int32_t steps, bool forward) {
    std::unordered_set<NodeKey> seen(start.begin(), start.end());
    std::vector<NodeKey> frontier = start;
    for (std::int32_t step = 0; !frontier.empty() && (steps < 0 || step < steps); ++step) {
        std::vector<NodeKey> next;
        for (std::size_t begin = 0; begin < frontier.size(); begin += kNodesAtOnce) {
            const auto batch =
                std::span(frontier).subspan(begin, std::min(kNodesAtOnce, frontier.size() - begin));
            for (const NodeKey other : neighbours(batch, forward))
                if (seen.insert(other).second) next.push_back(other);
        }
        keys_.insert(keys_.end(), next.begin(), next.end());
        frontier = std::move(next);
    }
}

}  // namespace turboci::service
