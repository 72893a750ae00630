// SPDX-License-Identifier: Apache-2.0
// Plans that go: deleted one by one, or because nobody needs them any more.
#include <fmt/core.h>

#include <algorithm>

#include "engine/holder.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"
#include "service/plan_choice.hpp"
#include "service/view.hpp"
#include "service/write.hpp"

namespace turboci {

namespace {

using namespace service;

constexpr Duration kEmptyFor = std::chrono::hours(24);

/// An attempt of the plan whose process lives, if there is one.
std::optional<AttemptRow> live_attempt(Snapshot& snapshot, const PlanRow& plan, const ServiceOptions& options,
                                       Timestamp wall) {
    const engine::Load load = [&](const Lookup& lookup) { return snapshot.load(plan.key, lookup); };
    const engine::Holders holders(options.probe, load, options.lost_after, wall);
    for (AttemptRow& row : held_attempts(snapshot, plan.key)) {
        // What is only SCHEDULED has no process yet.
        if (row.attempt.state == AttemptState::running && holders.lives(row)) return std::move(row);
    }
    return std::nullopt;
}

void delete_all_of(Transaction& transaction, PlanKey plan) {
    ChangeSet changes;
    changes.plan = plan;
    changes.deletes_plan = true;
    transaction.apply(changes);
}

/// The deletion is done, whatever becomes of the space.
void give_space_back(Store& store, const Wait& wait) {
    try {
        static_cast<void>(store.compact(false, wait));
    } catch (const Error&) {
        return;  // the next deletion tries again
    }
}

/// Has everything in the plan ended? One without nodes may be about to get some.
bool is_over(const WorkPlan& plan, Duration age) {
    const PlanTotals sum = totals(plan);
    if (sum.checks + sum.stages == 0) return age >= kEmptyFor;
    return sum.final_checks == sum.checks && sum.final_stages == sum.stages;
}

}  // namespace

void LocalService::delete_plan(const std::string& id, bool force) {
    const auto transaction = store_.write(id, options_.wait);
    const PlanRow plan = decide_in(*transaction, [&] {
        PlanRow found = require_exact_plan(*transaction, id);
        const auto live =
            force ? std::nullopt : live_attempt(*transaction, found, options_, transaction->now().wall);
        if (live)
            throw Error(ErrorCode::conflict, held_text(*transaction, *live),
                        "wait for it, or delete the plan all the same with --force")
                .because("PLAN_HELD");
        return found;
    });
    delete_all_of(*transaction, plan.key);
    transaction->commit();
    give_space_back(store_, options_.wait);
}

std::vector<WorkPlan> LocalService::prune_plans(const PrunePlans& request) {
    if (!request.keep && !request.older_than)
        throw Error(ErrorCode::invalid_argument, "what is to be kept is not said",
                    "say how many plans, or how old they may be");
    const auto transaction = request.dry_run ? nullptr : store_.write({}, options_.wait);
    const auto only_read = request.dry_run ? store_.read(options_.wait) : nullptr;
    Snapshot& snapshot = transaction ? *transaction : *only_read;
    const ClockReading now = snapshot.now();
    std::vector<PlanRow> plans = snapshot.plans();
    sort_by_age(plans);
    const auto older = superseded(plans);
    const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(request.keep.value_or(0), 0));
    const std::size_t candidates = plans.size() - std::min(keep, plans.size());
    std::vector<WorkPlan> gone;
    for (std::size_t i = 0; i < candidates; ++i) {
        const PlanRow& row = plans[i];
        const Duration age = now.wall - row.clock.time;
        if (request.older_than && age < *request.older_than) continue;
        if (request.only && std::ranges::find(*request.only, row.identity) == request.only->end()) continue;
        WorkPlan plan = view_plan(snapshot, row);
        if (!is_over(plan, age) && !older.contains(row.identity)) continue;
        // A process that still runs for a plan that is superseded writes to it yet.
        if (live_attempt(snapshot, row, options_, now.wall)) continue;
        if (transaction) delete_all_of(*transaction, row.key);
        gone.push_back(std::move(plan));
    }
    if (!transaction) return gone;
    end(*transaction, !gone.empty());
    if (gone.empty()) return gone;
    give_space_back(store_, options_.wait);
    return gone;
}

}  // namespace turboci
