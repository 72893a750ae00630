// SPDX-License-Identifier: Apache-2.0
// The reading half of the orchestrator: select, expand, show.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "service/view.hpp"
#include "turboci/orchestrator.hpp"

namespace turboci {

namespace {

using namespace service;

template <class T>
bool any_or_contains(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

class Selection {
public:
    Selection(UnitOfWork& uow, const PlanRow& plan, const QueryNodes& query, Timestamp now)
        : uow_(uow), plan_(plan), query_(query), now_(now) {}

    /// Null: the whole plan. Else ascending keys.
    [[nodiscard]] const std::vector<NodeKey>* select() {
        const bool filtered = !query_.types.empty() || !query_.kinds.empty() || !query_.states.empty() ||
                              !query_.outcomes.empty() || !query_.match.empty() || query_.ready ||
                              query_.blocked;
        if (query_.refs.empty() && !filtered) return nullptr;  // expanding everything adds nothing
        if (query_.ready) load_ready();
        if (query_.refs.empty()) {
            const auto type = query_.types.size() == 1 ? std::optional(query_.types.front()) : std::nullopt;
            if (query_.ready && type == NodeType::stage)
                for (const std::int64_t key : ready_) consider(uow_.node(NodeKey{key}));
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

private:
    void load_ready() {
        for (const AttemptRow& a :
             uow_.ready_attempts(plan_.key, now_, std::numeric_limits<std::int64_t>::max()))
            ready_.insert(static_cast<std::int64_t>(a.stage));
    }

    bool is_ready(const NodeRow& row) {
        if (row.type == NodeType::stage) return ready_.contains(static_cast<std::int64_t>(row.key));
        if (row.state != State::waiting) return false;
        return std::ranges::all_of(uow_.goals(row.key), [](const GoalRow& g) { return g.open == 0; });
    }

    void consider(const NodeRow& row) {
        const bool matches =
            any_or_contains(query_.types, row.type) && any_or_contains(query_.kinds, row.kind) &&
            any_or_contains(query_.states, row.state) &&
            (query_.outcomes.empty() || (row.outcome && any_or_contains(query_.outcomes, *row.outcome))) &&
            (query_.match.empty() || std::ranges::any_of(query_.match,
                                                         [&](const std::string& pattern) {
                                                             return fnmatch(pattern.c_str(), row.id.c_str(),
                                                                            0) == 0;
                                                         })) &&
            (!query_.blocked ||
             (row.state != State::final && row.dependencies.resolution == Resolution::unresolved)) &&
            (!query_.ready || is_ready(row));
        if (matches) keys_.push_back(row.key);
    }

    const NodeRow& row_of(NodeKey key) {
        const auto [it, fresh] = rows_.try_emplace(static_cast<std::int64_t>(key));
        if (fresh) it->second = uow_.node(key);
        return it->second;
    }

    bool follows(const EdgeRow& edge) {
        if (edge.role != PredicateRole::dependencies) return false;
        if (query_.edges == EdgeFilter::all) return true;
        const NodeRow& target = row_of(edge.target);
        return resolve_edge(target.type, edge.on_state, edge.when, target.state, target.outcome,
                            target.history) == Resolution::satisfied;
    }

    void expand(const std::vector<NodeKey>& start, std::int32_t steps, bool forward) {
        constexpr int kAnyState = 40;
        std::unordered_set<std::int64_t> seen;
        std::vector<NodeKey> frontier = start;
        for (const NodeKey key : start) seen.insert(static_cast<std::int64_t>(key));
        for (std::int32_t step = 0; !frontier.empty() && (steps < 0 || step < steps); ++step) {
            std::vector<NodeKey> next;
            for (const NodeKey key : frontier) {
                const auto edges = forward ? uow_.edges_of(key, PredicateRole::dependencies)
                                           : uow_.edges_to(key, 0, kAnyState);
                for (const EdgeRow& edge : edges) {
                    if (!follows(edge)) continue;
                    const NodeKey other = forward ? edge.target : edge.owner;
                    if (seen.insert(static_cast<std::int64_t>(other)).second) next.push_back(other);
                }
            }
            keys_.insert(keys_.end(), next.begin(), next.end());
            frontier = std::move(next);
        }
    }

    UnitOfWork& uow_;
    const PlanRow& plan_;
    const QueryNodes& query_;
    Timestamp now_;
    std::vector<NodeKey> keys_;
    std::unordered_set<std::int64_t> ready_;
    std::unordered_map<std::int64_t, NodeRow> rows_;
};

std::string failure_of(UnitOfWork& uow, const NodeRow& row) {
    if (row.type == NodeType::check) {
        for (const ResultRow& r : uow.results(row.key))
            if (r.result.failure) return *r.result.failure;
    } else if (row.attempt > 0) {
        if (const auto a = uow.attempt(row.key, row.attempt); a && a->attempt.failure)
            return *a->attempt.failure;
    }
    return row.concluded_reason ? std::string(to_string(*row.concluded_reason))
                                : std::string(to_string(row.state));
}

}  // namespace

std::vector<WorkPlan> Orchestrator::list_plans() {
    const auto uow = store_.begin(Access::read);
    std::vector<WorkPlan> plans;
    for (const PlanRow& row : uow->plans()) plans.push_back(view_plan(*uow, row));
    return plans;
}

WorkPlan Orchestrator::get_plan(const std::string& plan) {
    const auto uow = store_.begin(Access::read);
    return view_plan(*uow, require_plan(*uow, plan));
}

void Orchestrator::query(const QueryNodes& request, NodeSink& sink) {
    const auto uow = store_.begin(Access::read);
    const PlanRow plan = require_plan(*uow, request.plan);
    Selection selection(*uow, plan, request, plan_time(plan.clock, clock_.read()));
    const std::vector<NodeKey>* keys = selection.select();
    sink.plan(view_plan(*uow, plan));
    uow->read_records(plan.key, NodeType::check, keys,
                      [&](const NodeRecord& r) { sink.check(view_check(r)); });
    uow->read_records(plan.key, NodeType::stage, keys,
                      [&](const NodeRecord& r) { sink.stage(view_stage(r)); });
}

PlanSummary Orchestrator::summarize(const std::string& plan_id, std::size_t limit) {
    const auto uow = store_.begin(Access::read);
    const PlanRow plan = require_plan(*uow, plan_id);
    const Timestamp now = plan_time(plan.clock, clock_.read());
    PlanSummary summary;
    summary.plan = view_plan(*uow, plan);
    const auto room = [&](const auto& list) { return list.size() < limit; };
    const auto ref = [](const NodeRow& row) { return NodeRef{row.type, row.id}; };

    for (const AttemptRow& a : uow->ready_attempts(plan.key, now, static_cast<std::int64_t>(limit)))
        summary.ready.push_back(ref(uow->node(a.stage)));
    for (const AttemptRow& a : uow->held_attempts(plan.key))
        if (a.attempt.state == AttemptState::running && room(summary.running))
            summary.running.push_back(ref(uow->node(a.stage)));

    const PlanTotals sums = totals(summary.plan);
    if (sums.final_checks < sums.checks) {
        const std::vector<State> open{State::planning, State::planned, State::waiting};
        uow->scan_nodes(plan.key, NodeType::check, open, [&](const NodeRow& row) {
            if (room(summary.open_checks)) summary.open_checks.push_back(ref(row));
            if (row.state != State::waiting || !room(summary.ready)) return;
            if (std::ranges::all_of(uow->goals(row.key), [](const GoalRow& g) { return g.open == 0; }))
                summary.ready.push_back(ref(row));
        });
    }
    if (sums.failed_checks + sums.failed_stages + sums.cancelled_stages > 0) {
        const std::vector<State> ended{State::final};
        uow->scan_nodes(plan.key, std::nullopt, ended, [&](const NodeRow& row) {
            const bool bad = row.outcome == Outcome::failed || row.outcome == Outcome::cancelled;
            if (bad && room(summary.failed)) summary.failed.push_back({ref(row), failure_of(*uow, row)});
        });
    }
    return summary;
}

void Orchestrator::read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) {
    const auto uow = store_.begin(Access::read);
    const PlanRow plan = require_plan(*uow, request.plan);
    std::optional<NodeKey> node;
    if (request.ref) node = require_node(*uow, plan, *request.ref).key;
    uow->read_log(plan.key, node, request.since, [&](const LogEntry& entry) {
        visit(entry);
        return true;
    });
}

}  // namespace turboci
