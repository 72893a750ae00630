// SPDX-License-Identifier: Apache-2.0
// The reading half of the orchestrator: select, expand, show.
#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <unordered_set>

#include "service/local_service.hpp"
#include "service/plan_choice.hpp"
#include "service/selection.hpp"
#include "service/view.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

namespace {

using namespace service;

/// Why these nodes failed, in their order.
std::vector<std::string> failures_of(Snapshot& snapshot, PlanKey plan, const std::vector<NodeRow>& rows) {
    Lookup lookup;
    for (const NodeRow& row : rows) {
        if (row.type == NodeType::check)
            lookup.results.push_back(row.key);
        else if (row.attempt > 0)
            lookup.attempts.push_back({row.key, row.attempt});
    }
    const Facts facts = snapshot.load(plan, lookup);
    std::map<NodeKey, std::string> told;
    for (const ResultRow& r : facts.results)
        if (r.result.failure) told.try_emplace(r.check, *r.result.failure);
    for (const AttemptRow& a : facts.attempts)
        if (a.attempt.failure) told.try_emplace(a.stage, *a.attempt.failure);
    std::vector<std::string> failures;
    for (const NodeRow& row : rows) {
        const auto found = told.find(row.key);
        if (found != told.end())
            failures.push_back(found->second);
        else
            failures.emplace_back(row.concluded_reason ? to_string(*row.concluded_reason)
                                                       : to_string(row.state));
    }
    return failures;
}

// So many nodes are asked about at once.
constexpr std::size_t kAskedAtOnce = 1'000;

/// Is one of the stages required: assigned to no check, or to one that is?
bool any_is_required(Snapshot& snapshot, PlanKey plan, std::span<const NodeKey> stages) {
    for (std::size_t begin = 0; begin < stages.size(); begin += kAskedAtOnce) {
        const auto batch = stages.subspan(begin, std::min(kAskedAtOnce, stages.size() - begin));
        Lookup lookup;
        lookup.assignments.assign(batch.begin(), batch.end());
        lookup.checks = true;
        const Facts facts = snapshot.load(plan, lookup);
        std::map<NodeKey, bool> required;
        for (const NodeRow& row : facts.nodes) required[row.key] = row.required;
        std::map<NodeKey, bool> assigned_to_required;
        for (const AssignmentRow& a : facts.assignments)
            assigned_to_required[a.stage] = assigned_to_required[a.stage] || required[a.check];
        const auto is_required = [&](NodeKey stage) {
            const auto found = assigned_to_required.find(stage);
            const bool assigned = found != assigned_to_required.end();
            return stage_is_required(assigned, assigned && found->second);
        };
        if (std::ranges::any_of(batch, is_required)) return true;
    }
    return false;
}

/// The verdict of the whole plan. Looks at a stage's checks only where that can change it.
Verdict verdict_of(Snapshot& snapshot, PlanKey key, const WorkPlan& plan) {
    const PlanTotals sum = totals(plan);
    // The counts alone may tell.
    if (sum.passed_checks == sum.checks && sum.passed_stages == sum.stages) return Verdict::passed;
    Verdict verdict = Verdict::passed;
    std::vector<NodeKey> bad_stages, open_stages;
    const auto look_at = [&](const NodeRow& row) {
        const Standing own = standing(row.state, row.outcome, row.skip_cause, true);
        if (own != Standing::bad && own != Standing::open) return;
        if (row.type == NodeType::stage)
            (own == Standing::bad ? bad_stages : open_stages).push_back(row.key);
        else if (row.required)
            verdict = std::max(verdict, own == Standing::bad ? Verdict::failed : Verdict::pending);
    };
    snapshot.scan(key, {.parts = kBareNodes}, [&](std::span<const NodeRecord> records) {
        for (const NodeRecord& record : records) look_at(record.row);
        return verdict != Verdict::failed;
    });
    if (verdict != Verdict::failed && any_is_required(snapshot, key, bad_stages)) return Verdict::failed;
    if (verdict == Verdict::passed && any_is_required(snapshot, key, open_stages)) return Verdict::pending;
    return verdict;
}

/// WAITING checks for which no stage works, by key, at most `limit`.
std::vector<NodeRef> ready_checks(Snapshot& snapshot, PlanKey plan, std::span<const NodeKey> waiting,
                                  std::size_t limit) {
    std::vector<NodeRef> ready;
    for (std::size_t begin = 0; begin < waiting.size() && ready.size() < limit; begin += kAskedAtOnce) {
        const auto batch = waiting.subspan(begin, std::min(kAskedAtOnce, waiting.size() - begin));
        Lookup lookup;
        lookup.nodes.assign(batch.begin(), batch.end());
        lookup.goals = lookup.nodes;
        const Facts facts = snapshot.load(plan, lookup);
        std::unordered_set<NodeKey> busy;
        for (const GoalRow& g : facts.goals)
            if (g.open > 0) busy.insert(g.check);
        for (const NodeRow& row : facts.nodes)
            if (!busy.contains(row.key) && ready.size() < limit) ready.push_back({row.type, row.id});
    }
    return ready;
}

}  // namespace

std::vector<WorkPlan> LocalService::list_plans() {
    const auto snapshot = store_.read(options_.wait);
    std::vector<WorkPlan> plans;
    for (const PlanRow& row : snapshot->plans()) plans.push_back(view_plan(*snapshot, row));
    return plans;
}

WorkPlan LocalService::get_plan(const std::string& plan) {
    const auto snapshot = store_.read(options_.wait);
    return view_plan(*snapshot, require_plan(*snapshot, plan, options_.exact_ids));
}

void LocalService::query(const QueryNodes& request, NodeSink& sink) {
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, request.plan, options_.exact_ids);
    Selection selection(*snapshot, plan, request, plan_time(plan.clock, snapshot->now()));
    const std::vector<NodeKey>* keys = selection.select();
    sink.plan(view_plan(*snapshot, plan, request.parts.counts));
    for (const RefText& ref : selection.absent()) sink.absent(ref);
    NodeScan scan{.keys = keys, .type = NodeType::check, .parts = request.parts};
    scan.parts.targets = scan.parts.predicates || scan.parts.assignments;
    Check check;
    snapshot->scan(plan.key, scan, [&](std::span<NodeRecord> records) {
        for (NodeRecord& record : records) {
            view_check(record, check);
            sink.check(check);
        }
        return true;
    });
    scan.type = NodeType::stage;
    Stage stage;
    snapshot->scan(plan.key, scan, [&](std::span<NodeRecord> records) {
        for (NodeRecord& record : records) {
            view_stage(record, stage);
            sink.stage(stage);
        }
        return true;
    });
}

PlanSummary LocalService::summarize(const std::string& plan_id, std::size_t limit) {
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, plan_id, options_.exact_ids);
    const Timestamp now = plan_time(plan.clock, snapshot->now());
    PlanSummary summary;
    summary.plan = view_plan(*snapshot, plan);
    const auto room = [&](const auto& list) { return list.size() < limit; };
    const auto ref = [](const NodeRow& row) { return NodeRef{row.type, row.id}; };

    Lookup lookup;
    lookup.ready = Lookup::Ready{now, static_cast<std::int64_t>(limit)};
    lookup.held = true;
    const Facts facts = snapshot->load(plan.key, lookup);
    std::map<NodeKey, NodeRef> names;
    for (const NodeRow& row : facts.nodes) names.try_emplace(row.key, ref(row));
    for (const AttemptRow& a : facts.ready) summary.ready.push_back(names.at(a.stage));
    for (const AttemptRow& a : facts.held)
        if (a.attempt.state == AttemptState::running && room(summary.running))
            summary.running.push_back(names.at(a.stage));

    summary.verdict = verdict_of(*snapshot, plan.key, summary.plan);
    const PlanTotals sums = totals(summary.plan);
    if (sums.final_checks < sums.checks) {
        NodeScan open{.type = NodeType::check, .parts = kBareNodes};
        open.states = {State::planning, State::planned, State::waiting};
        std::vector<NodeKey> waiting;
        snapshot->scan(plan.key, open, [&](std::span<const NodeRecord> records) {
            for (const NodeRecord& record : records) {
                if (room(summary.open_checks)) summary.open_checks.push_back(ref(record.row));
                if (record.row.state == State::waiting && room(summary.ready))
                    waiting.push_back(record.row.key);
            }
            return room(summary.open_checks) || room(summary.ready);
        });
        std::ranges::move(ready_checks(*snapshot, plan.key, waiting, limit - summary.ready.size()),
                          std::back_inserter(summary.ready));
    }
    if (sums.failed_checks + sums.failed_stages + sums.cancelled_stages > 0) {
        NodeScan ended{.limit = limit};
        ended.outcomes = {Outcome::failed, Outcome::cancelled};
        ended.parts = kBareNodes;
        ended.parts.stamps = true;
        std::vector<NodeRow> failed;
        snapshot->scan(plan.key, ended, [&](std::span<NodeRecord> records) {
            for (NodeRecord& record : records) failed.push_back(std::move(record.row));
            return true;
        });
        const auto failures = failures_of(*snapshot, plan.key, failed);
        for (std::size_t i = 0; i < failed.size(); ++i)
            summary.failed.push_back({ref(failed[i]), failures[i]});
    }
    return summary;
}

void LocalService::read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) {
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, request.plan, options_.exact_ids);
    std::optional<NodeKey> node;
    if (request.ref) node = require_node(*snapshot, plan, *request.ref).key;
    std::size_t count = 0;
    std::int64_t last = 0;
    snapshot->read_log(plan.key, node, request.since, [&](const LogEntry& entry) {
        if (count >= request.limit && entry.version != last) return false;
        ++count;
        last = entry.version;
        visit(entry);
        return true;
    });
}

}  // namespace turboci
