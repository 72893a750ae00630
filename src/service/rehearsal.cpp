// SPDX-License-Identifier: Apache-2.0
#include "service/rehearsal.hpp"
#include "service/plan_choice.hpp"

#include <iterator>
#include <limits>
#include <utility>

#include "engine/claim_filter.hpp"
#include "service/copy_plan.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"
#include "service/view.hpp"
#include "service/write.hpp"
#include "turboci/time.hpp"

namespace turboci {

namespace service {

namespace {

/// Attempts without a deadline never expire.
void keep_forever(Transaction& transaction, PlanKey plan, std::vector<AttemptRow> held) {
    if (held.empty()) return;
    for (AttemptRow& row : held) row.deadline.reset();
    ChangeSet changes;
    changes.plan = plan;
    changes.attempts = Rows(held);
    transaction.apply(changes);
}

std::vector<AttemptRow> current_attempts(Transaction& transaction, PlanKey plan,
                                         std::vector<NodeRef> stages) {
    return ask(transaction, plan,
               [&](Lookup& l) {
                   l.names = std::move(stages);
                   l.current_attempts = true;
               })
        .attempts;
}

StageWrite completed(std::string stage) {
    StageWrite write;
    write.id = std::move(stage);
    write.attempt.emplace().state = AttemptState::complete;
    return write;
}

}  // namespace

std::vector<ClaimedAttempt> rehearse(Transaction& transaction, const std::string& plan,
                                     const ClockReading& start, const ClaimFilter& filter) {
    const PlanRow row = require_exact_plan(transaction, plan);
    keep_forever(transaction, row.key, held_attempts(transaction, row.key));
    ClockReading clock = start;
    clock.wall = plan_time(row.clock, start);
    const engine::PreparedFilter prepared(filter);

    // All that is ready is claimed, or each wave would look again at all that the filter does not take.
    WriteNodes request;
    Claim& claim = request.claim.emplace();
    claim.at_most = std::numeric_limits<std::int32_t>::max();
    claim.process_uid = claim.holder = "rehearsal";
    claim.filter.runners = filter.runners;
    std::vector<ClaimedAttempt> all;
    for (bool moves = true; moves;) {
        // A wave: what was claimed is complete, and what is ready then is claimed.
        WriteResult wave =
            write_in(transaction, require_exact_plan(transaction, plan), request, clock, {}, {}).answer;
        request.stages = {};
        std::vector<NodeRef> left;
        for (ClaimedAttempt& claimed : wave.claimed) {
            const Stage& stage = claimed.stage;
            if (prepared.takes(stage.id, [&] { return stage.args; })) {
                request.stages.push_back(completed(stage.id));
                all.push_back(std::move(claimed));
            } else {
                left.push_back({NodeType::stage, stage.id});
            }
        }
        if (!left.empty())
            keep_forever(transaction, row.key, current_attempts(transaction, row.key, std::move(left)));
        moves = !request.stages.empty() || wave.next_ready_in;
        if (request.stages.empty() && wave.next_ready_in) {
            clock.wall += *wave.next_ready_in;
            clock.since_boot += *wave.next_ready_in;
        }
    }
    return all;
}

}  // namespace service

std::vector<ClaimedAttempt> LocalService::rehearse(const std::string& plan_id, const ClaimFilter& filter) {
    const auto trial = open_store("memory:");
    const auto copy = trial->write({}, {});
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = service::require_plan(*snapshot, plan_id, options_.exact_ids);
    service::copy_plan(*snapshot, plan, *copy);
    return service::rehearse(*copy, plan.id, snapshot->now(), filter);
}

}  // namespace turboci
