// SPDX-License-Identifier: Apache-2.0
// The reading half of the orchestrator: select, expand, show.
#include <algorithm>
#include <memory>
#include <type_traits>

#include "service/lookups.hpp"
#include "service/selection.hpp"
#include "service/view.hpp"
#include "turboci/orchestrator.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

namespace {

using namespace service;

std::string failure_of(UnitOfWork& uow, const NodeRow& row) {
    if (row.type == NodeType::check) {
        for (const ResultRow& r : service::results(uow, row.key))
            if (r.result.failure) return *r.result.failure;
    } else if (row.attempt > 0) {
        if (const auto a = service::attempt(uow, row.key, row.attempt); a && a->attempt.failure)
            return *a->attempt.failure;
    }
    return row.concluded_reason ? std::string(to_string(*row.concluded_reason))
                                : std::string(to_string(row.state));
}

/// The nodes of one type, in parts.
template <class Node>
class Parts final : public RecordRuns {
public:
    explicit Parts(NodeSink& sink) : sink_(sink) {}
    std::unique_ptr<Run> make() override { return std::make_unique<Part>(sink_.part()); }
    void take(Run& run) override { static_cast<Part&>(run).hand_over(); }

private:
    class Part final : public Run {
    public:
        explicit Part(std::unique_ptr<NodePart> part) : part_(std::move(part)) {}
        void visit(NodeRecord& record) override {
            if constexpr (std::is_same_v<Node, Check>) {
                view_check(record, node_);
                part_->check(node_);
            } else {
                view_stage(record, node_);
                part_->stage(node_);
            }
        }
        [[nodiscard]] bool full() const override { return part_->full(); }
        void hand_over() { part_->hand_over(); }

    private:
        std::unique_ptr<NodePart> part_;
        Node node_;
    };

    NodeSink& sink_;
};

/// The verdict of the whole plan. Looks at a stage's checks only where that can change it.
Verdict verdict_of(UnitOfWork& uow, PlanKey key, const WorkPlan& plan) {
    const PlanTotals sum = totals(plan);
    // The counts alone may tell.
    if (sum.passed_checks == sum.checks && sum.passed_stages == sum.stages) return Verdict::passed;
    const auto is_required = [&](const NodeRow& row) {
        if (row.type == NodeType::check) return row.required;
        const std::vector<AssignmentRow> assigned = service::assignments_of(uow, row.key);
        return stage_is_required(!assigned.empty(),
                                 std::ranges::any_of(assigned, [&](const AssignmentRow& a) {
                                     return service::node(uow, a.check).required;
                                 }));
    };
    Verdict verdict = Verdict::passed;
    uow.scan_nodes(key, std::nullopt, {}, [&](const NodeRow& row) {
        const Standing own = standing(row.state, row.outcome, row.skip_cause, true);
        const Verdict worse = own == Standing::bad    ? Verdict::failed
                              : own == Standing::open ? Verdict::pending
                                                      : Verdict::passed;
        if (worse > verdict && is_required(row)) verdict = worse;
    });
    return verdict;
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
    sink.plan(view_plan(*uow, plan, request.parts.counts));
    NodeParts parts = request.parts;
    parts.targets = parts.predicates || parts.assignments;
    if (keys == nullptr && sink.part()) {
        Parts<Check> checks(sink);
        uow->read_runs(plan.key, NodeType::check, parts, checks);
        Parts<Stage> stages(sink);
        uow->read_runs(plan.key, NodeType::stage, parts, stages);
        return;
    }
    Check check;
    uow->read_records(plan.key, NodeType::check, keys, parts, [&](NodeRecord& r) {
        view_check(r, check);
        sink.check(check);
    });
    Stage stage;
    uow->read_records(plan.key, NodeType::stage, keys, parts, [&](NodeRecord& r) {
        view_stage(r, stage);
        sink.stage(stage);
    });
}

PlanSummary Orchestrator::summarize(const std::string& plan_id, std::size_t limit) {
    const auto uow = store_.begin(Access::read);
    const PlanRow plan = require_plan(*uow, plan_id);
    const Timestamp now = plan_time(plan.clock, clock_.read());
    PlanSummary summary;
    summary.plan = view_plan(*uow, plan);
    const auto room = [&](const auto& list) { return list.size() < limit; };
    const auto ref = [](const NodeRow& row) { return NodeRef{row.type, row.id}; };

    for (const AttemptRow& a : service::ready_attempts(*uow, plan.key, now, static_cast<std::int64_t>(limit)))
        summary.ready.push_back(ref(service::node(*uow, a.stage)));
    for (const AttemptRow& a : service::held_attempts(*uow, plan.key))
        if (a.attempt.state == AttemptState::running && room(summary.running))
            summary.running.push_back(ref(service::node(*uow, a.stage)));

    summary.verdict = verdict_of(*uow, plan.key, summary.plan);
    const PlanTotals sums = totals(summary.plan);
    if (sums.final_checks < sums.checks) {
        const std::vector<State> open{State::planning, State::planned, State::waiting};
        uow->scan_nodes(plan.key, NodeType::check, open, [&](const NodeRow& row) {
            if (room(summary.open_checks)) summary.open_checks.push_back(ref(row));
            if (row.state != State::waiting || !room(summary.ready)) return;
            if (std::ranges::all_of(service::goals(*uow, row.key),
                                    [](const GoalRow& g) { return g.open == 0; }))
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
