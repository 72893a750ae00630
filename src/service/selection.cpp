// SPDX-License-Identifier: Apache-2.0
#include "service/selection.hpp"
#include "service/lookups.hpp"

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
            for (const std::int64_t key : ready_) consider(service::node(uow_, NodeKey{key}));
        else
            uow_.scan_nodes(plan_.key, type, query_.states, [&](const NodeRow& row) { consider(row); });
    } else {
        for (const RefText& ref : query_.refs) consider(require_node(uow_, plan_, ref));
    }
    const std::vector<NodeKey> start = keys_;
    if (query_.deps) expand(start, *query_.deps, true);
    if (query_.dependents) expand(start, *query_.dependents, false);
    std::ranges::sort(keys_);
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    return &keys_;
}

void Selection::load_ready() {
    for (const AttemptRow& a :
         service::ready_attempts(uow_, plan_.key, now_, std::numeric_limits<std::int64_t>::max()))
        ready_.insert(static_cast<std::int64_t>(a.stage));
}

bool Selection::is_ready(const NodeRow& row) {
    if (row.type == NodeType::stage) return ready_.contains(static_cast<std::int64_t>(row.key));
    if (row.state != State::waiting) return false;
    return std::ranges::all_of(service::goals(uow_, row.key), [](const GoalRow& g) { return g.open == 0; });
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
        (!query_.ready || is_ready(row));
    if (matches) keys_.push_back(row.key);
}

const NodeRow& Selection::row_of(NodeKey key) {
    const auto [it, fresh] = rows_.try_emplace(static_cast<std::int64_t>(key));
    if (fresh) it->second = service::node(uow_, key);
    return it->second;
}

bool Selection::follows(const EdgeRow& edge) {
    if (query_.edges == EdgeFilter::all) return true;
    const NodeRow& target = row_of(edge.target);
    return resolve_edge(target.type, edge.on_state, edge.when, target.state, target.outcome,
                        target.history) == Resolution::satisfied;
}

bool Selection::follows(const AssignmentRow& assignment) {
    if (query_.edges == EdgeFilter::all) return true;
    return row_of(assignment.stage).outcome == Outcome::passed;
}

// Stages alone have a continuation group and assignments, checks alone are assigned to: for a node of the
// other type these are empty, and looking is cheaper than reading the node for its type.
void Selection::each_need(NodeKey key, const std::function<void(NodeKey)>& visit) {
    for (const PredicateRole role : {PredicateRole::dependencies, PredicateRole::continuation})
        for (const EdgeRow& edge : service::edges_of(uow_, key, role))
            if (follows(edge)) visit(edge.target);
    for (const AssignmentRow& assignment : service::assignments_to(uow_, key))
        if (follows(assignment)) visit(assignment.stage);
}

void Selection::each_dependent(NodeKey key, const std::function<void(NodeKey)>& visit) {
    constexpr int kAnyState = 40;
    for (const EdgeRow& edge : service::edges_to(uow_, key, 0, kAnyState))
        if (follows(edge)) visit(edge.owner);
    for (const AssignmentRow& assignment : service::assignments_of(uow_, key))
        if (follows(assignment)) visit(assignment.check);
}

void Selection::expand(const std::vector<NodeKey>& start, std::int32_t steps, bool forward) {
    std::unordered_set<std::int64_t> seen;
    std::vector<NodeKey> frontier = start;
    for (const NodeKey key : start) seen.insert(static_cast<std::int64_t>(key));
    for (std::int32_t step = 0; !frontier.empty() && (steps < 0 || step < steps); ++step) {
        std::vector<NodeKey> next;
        const auto reach = [&](NodeKey other) {
            if (seen.insert(static_cast<std::int64_t>(other)).second) next.push_back(other);
        };
        for (const NodeKey key : frontier) forward ? each_need(key, reach) : each_dependent(key, reach);
        keys_.insert(keys_.end(), next.begin(), next.end());
        frontier = std::move(next);
    }
}

}  // namespace turboci::service
