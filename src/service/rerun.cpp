// SPDX-License-Identifier: Apache-2.0
// A new plan from one that is there: a transaction over both.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "engine/decide.hpp"
#include "engine/validate.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"
#include "service/new_definitions.hpp"
#include "service/plan_choice.hpp"
#include "service/view.hpp"
#include "service/write.hpp"

namespace turboci {

namespace {

using namespace service;

/// The plan that was made from another last of all, if one was.
const PlanRow* newest_from(const std::vector<PlanRow>& plans, const PlanRow& plan) {
    const PlanRow* newest = nullptr;
    for (const PlanRow& other : plans)
        if (other.from && other.from->identity == plan.identity) newest = &other;
    return newest;
}

/// The last plan of the line that goes on from this one.
const PlanRow& end_of_line(const std::vector<PlanRow>& plans, const PlanRow& plan) {
    const PlanRow* end = &plan;
    // Imported plans may name each other.
    std::unordered_set<std::string_view> seen{plan.identity};
    while (const PlanRow* next = newest_from(plans, *end)) {
        if (!seen.insert(next->identity).second) break;
        end = next;
    }
    return *end;
}

/// The plan that the same request has made before: from this one, or this one itself, when the request is
/// made again without saying from which plan.
std::optional<RerunResult> find_replay(Snapshot& snapshot, const std::vector<PlanRow>& plans,
                                       const PlanRow& plan, const std::string& op_id) {
    if (op_id.empty()) return std::nullopt;
    std::vector<const PlanRow*> candidates;
    for (const PlanRow& other : plans)
        if (other.from && other.from->identity == plan.identity) candidates.push_back(&other);
    std::unordered_set<std::string_view> seen;
    const PlanRow* ancestor = &plan;
    while (ancestor != nullptr && ancestor->from && seen.insert(ancestor->identity).second) {
        candidates.push_back(ancestor);
        const auto older = std::ranges::find(plans, ancestor->from->identity, &PlanRow::identity);
        ancestor = older == plans.end() ? nullptr : &*older;
    }
    for (const PlanRow* candidate : candidates) {
        if (!began_with(snapshot, candidate->key, op_id)) continue;
        RerunResult result;
        result.plan = view_plan(snapshot, *candidate);
        result.replayed = true;
        return result;
    }
    return std::nullopt;
}

/// An attempt whose process may be there: what it says must still find its plan.
void refuse_held(Snapshot& snapshot, const PlanRow& plan, const ServiceOptions& options) {
    for (const AttemptRow& row : held_attempts(snapshot, plan.key)) {
        if (row.attempt.state == AttemptState::scheduled) {
            // No process has begun. A runner that is here sees that it is taken back; one elsewhere may not
            // in time.
            const bool elsewhere =
                row.runner && options.probe && options.probe(*row.runner) == Liveness::unknown;
            if (!elsewhere) continue;
        }
        throw Error(ErrorCode::conflict, held_text(snapshot, row), "wait for it, or cancel the plan first")
            .because("PLAN_HELD");
    }
}

std::vector<NodeRecord> read_nodes(Snapshot& snapshot, const PlanRow& plan) {
    std::vector<NodeRecord> nodes;
    NodeParts parts;
    parts.counts = false;
    snapshot.scan(plan.key, {.parts = parts}, [&](std::span<NodeRecord> records) {
        nodes.insert(nodes.end(), std::make_move_iterator(records.begin()),
                     std::make_move_iterator(records.end()));
        return true;
    });
    return nodes;
}

PlanRow new_plan(Snapshot& snapshot, const PlanRow& old, const RerunPlan& request, const ClockReading& now) {
    PlanRow plan;
    plan.id = request.id.empty() ? new_plan_id(now.wall) : request.id;
    if (snapshot.find_plan(plan.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan.id), "choose another id")
            .because("ID_EXISTS");
    plan.identity = new_identity();
    plan.labels = old.labels;
    plan.limits = old.limits;
    plan.from = PlanOrigin{old.id, old.identity};
    plan.created_at = now.wall;
    plan.clock = {now.wall, now.since_boot, now.boot_id};
    return plan;
}

/// Refuses what is not to be started again, and what the caller did not expect.
void refuse_plan(const PlanRow& plan, const std::vector<PlanRow>& plans, const RerunPlan& request) {
    const PlanRow& newest = end_of_line(plans, plan);
    if (newest.identity != plan.identity && !request.fork)
        throw Error(ErrorCode::conflict,
                    fmt::format("plan {} was started again already; the newest of its line is {}", plan.id,
                                newest.id),
                    "start that one again, or make another from this one with --fork")
            .because("STARTED_AGAIN");
    engine::check_version(request.definitions, plan);
}

/// Ends what is open in the old plan; what that is goes to the result.
void end_old_plan(Transaction& transaction, const PlanRow& old, std::span<const NodeRecord> nodes,
                  const ClockReading& now, const ServiceOptions& options, const std::string& actor,
                  RerunResult& result) {
    for (const NodeRecord& node : nodes)
        if (node.row.state != State::final) result.ended.push_back({node.row.type, node.row.id});
    WriteNodes end;
    end.actor = actor;
    end.reason = "superseded by " + result.plan.id;
    static_cast<void>(write_in(transaction, old, end, now, {.superseded_by = result.plan.id}, options));
}

struct Rerun {
    RerunResult answer;
    bool keep = false;  ///< there is something to commit
};

/// Makes the new plan and ends the old one, without committing it.
Rerun rerun_in(Transaction& transaction, const RerunPlan& request, const ServiceOptions& options) {
    const ClockReading now = transaction.now();
    PlanRow old = require_plan(transaction, request.plan, options.exact_ids);
    require_identity(old.id, old.identity, request.definitions.plan_identity);
    auto plans = transaction.plans();
    sort_by_age(plans);
    if (auto done = find_replay(transaction, plans, old, request.definitions.op_id))
        return {std::move(*done), false};
    refuse_plan(old, plans, request);

    // What has lost its runner is held by nobody.
    WriteNodes tick;
    tick.actor = request.definitions.actor;
    tick.tick = true;
    static_cast<void>(write_in(transaction, old, tick, now, {}, options));
    old = require_exact_plan(transaction, old.id);

    const std::vector<NodeRecord> nodes = read_nodes(transaction, old);
    NewDefinitions definitions(old, nodes, request);
    RerunResult result;
    if (definitions.says_nothing_new()) {
        result.plan = view_plan(transaction, old);
        result.nothing_to_do = true;
        return {std::move(result), false};
    }
    refuse_held(transaction, old, options);

    const PlanRow plan = new_plan(transaction, old, request, now);
    WriteNodes create = definitions.take_request();
    create.plan = plan.id;
    Written written = write_in(transaction, plan, create, now,
                               {.is_new = true, .carried = &definitions.carried()}, options);
    result.plan = std::move(written.answer.plan);
    result.warnings = std::move(written.answer.warnings);

    result.carried = std::move(definitions.carried_refs());
    result.begun = std::move(definitions.begun_refs());
    end_old_plan(transaction, old, nodes, now, options, request.definitions.actor, result);
    return {std::move(result), true};
}

}  // namespace

RerunResult LocalService::rerun_plan(const RerunPlan& request) {
    Problems problems;
    validate(request, problems);
    problems.raise_if_any(request.definitions.files);
    const auto transaction = store_.write({}, options_.wait);
    Rerun rerun = decide_in(*transaction, [&] { return rerun_in(*transaction, request, options_); });
    end(*transaction, rerun.keep);
    return std::move(rerun.answer);
}

}  // namespace turboci
