// SPDX-License-Identifier: Apache-2.0
#include "service/selection.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <limits>

#include "service/view.hpp"

namespace turboci::service {

namespace {

/// The list, ascending: a request may name as many kinds as a plan has nodes.
std::vector<std::string_view> in_order(const std::vector<std::string>& texts) {
    std::vector<std::string_view> sorted(texts.begin(), texts.end());
    std::ranges::sort(sorted);
    return sorted;
}

// So many nodes are asked about at once.
constexpr std::size_t kNodesAtOnce = 1'000;

bool is_pattern(const std::string& text) { return text.find_first_of("*?[\\") != std::string::npos; }

template <class T>
bool any_or_contains(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

}  // namespace

Selection::Selection(UnitOfWork& uow, const PlanRow& plan, const QueryNodes& query, Timestamp now)
    : uow_(uow), plan_(plan), query_(query), now_(now), kinds_(in_order(query.kinds)) {
    for (const std::string& match : query.match) {
        if (is_pattern(match))
            patterns_.push_back(match);
        else
            plain_matches_.emplace_back(match);
    }
    std::ranges::sort(plain_matches_);
}

const std::vector<NodeKey>* Selection::select() {
    const bool filtered = !query_.types.empty() || !query_.kinds.empty() || !query_.states.empty() ||
                          !query_.outcomes.empty() || !query_.match.empty() || query_.ready || query_.blocked;
    if (query_.refs.empty() && !filtered) return nullptr;  // expanding everything adds nothing
    if (query_.ready) load_ready();
    if (query_.refs.empty()) {
        const auto type = query_.types.size() == 1 ? std::optional(query_.types.front()) : std::nullopt;
        if (query_.ready && type == NodeType::stage)
            for (const NodeRow& row : ready_stages_) consider(row);
        else
            uow_.scan_nodes(plan_.key, type, query_.states, [&](const NodeRow& row) {
                consider(row);
                return true;
            });
    } else {
        for (const RefText& ref : query_.refs) consider(require_node(uow_, plan_, ref));
    }
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
    Facts facts = uow_.load(plan_.key, lookup);
    for (const AttemptRow& a : facts.ready) ready_.insert(static_cast<std::int64_t>(a.stage));
    ready_stages_ = std::move(facts.nodes);
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
        for (const GoalRow& g : uow_.load(plan_.key, lookup).goals)
            if (g.open > 0) busy.insert(g.check);
    }
    std::erase_if(keys_, [&](NodeKey key) { return busy.contains(key); });
}

bool Selection::is_matched(const std::string& id) const {
    return std::ranges::binary_search(plain_matches_, std::string_view(id)) ||
           std::ranges::any_of(patterns_, [&](const std::string& pattern) {
               return fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
           });
}

void Selection::consider(const NodeRow& row) {
    const bool matches =
        any_or_contains(query_.types, row.type) &&
        (kinds_.empty() || std::ranges::binary_search(kinds_, std::string_view(row.kind))) &&
        any_or_contains(query_.states, row.state) &&
        (query_.outcomes.empty() || (row.outcome && any_or_contains(query_.outcomes, *row.outcome))) &&
        (query_.match.empty() || is_matched(row.id)) &&
        (!query_.blocked ||
         (row.state != State::final && row.dependencies.resolution == Resolution::unresolved)) &&
        (!query_.ready || may_be_ready(row));
    if (matches) keys_.push_back(row.key);
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
    const Facts facts = uow_.load(plan_.key, lookup);
    std::unordered_map<NodeKey, const NodeRow*> rows;
    for (const NodeRow& row : facts.nodes) rows.try_emplace(row.key, &row);
    const auto follows_edge = [&](const EdgeRow& edge) {
        if (!satisfied_alone) return true;
        const NodeRow& target = *rows.at(edge.target);
        return resolve_edge(target.type, edge.on_state, edge.when, target.state, target.outcome,
                            target.history) == Resolution::satisfied;
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
