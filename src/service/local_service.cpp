// SPDX-License-Identifier: Apache-2.0
// The writing half of the service.
#include "service/local_service.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/decide.hpp"
#include "engine/holder.hpp"
#include "engine/validate.hpp"
#include "service/lookups.hpp"
#include "service/view.hpp"
#include "service/write.hpp"

namespace turboci {

namespace {

using namespace engine;
using namespace service;

/// The answer to a write that was done before, if this is one: a caller that saw no answer asks again, and
/// is told what the first time told.
std::optional<WriteResult> find_replay(UnitOfWork& uow, const PlanRow& plan, const WriteNodes& request) {
    if (request.op_id.empty()) return std::nullopt;
    const auto operation = service::find_operation(uow, plan.key, request.op_id);
    if (!operation) return std::nullopt;
    WriteResult result;
    result.plan = view_plan(uow, plan);
    result.plan.version = operation->version;
    result.replayed = true;
    if (request.claim)
        for (const OperationRow::Taken& taken : operation->claimed) {
            Stage stage = view_stage(read_record(uow, service::node(uow, taken.stage)));
            // Another claimer that uses the same op_id must not take for its own what it does not hold.
            const bool holds =
                std::any_of(stage.attempts.begin(), stage.attempts.end(), [&](const Attempt& a) {
                    return a.idx == taken.idx && a.process_uid == request.claim->process_uid;
                });
            if (!holds) continue;
            const auto row = service::attempt(uow, taken.stage, taken.idx).value();
            std::string token = token_of(uow.identity(), plan, stage.id, row);
            result.claimed.push_back({std::move(stage), taken.idx, std::move(token)});
        }
    return result;
}

// How often a change of others is looked for: the pauses double from the first to the longest.
constexpr Duration kFirstPause = std::chrono::milliseconds(20);
constexpr Duration kLongestPause = std::chrono::milliseconds(250);

}  // namespace

Written service::write_in(UnitOfWork& uow, const PlanRow& plan, const WriteNodes& request,
                          const ClockReading& now, bool is_new, const ServiceOptions& options) {
    const Load load = [&](const Lookup& lookup) { return uow.load(plan.key, lookup); };
    Decision decision = decide({.request = request,
                                .plan = plan,
                                .is_new = is_new,
                                .next_node = uow.next_node_key(),
                                .now = now,
                                .store = uow.identity(),
                                .probe = options.probe,
                                .lost_after = options.lost_after},
                               load);
    const PlanKey key = uow.apply(decision.changes);
    WriteResult& answer = decision.answer;
    if (const auto& claim = request.claim) {
        const auto wanted = static_cast<std::size_t>(std::max(claim->at_most, 0));
        if (answer.claimed.size() < wanted)
            if (const auto next = service::next_ready_at(uow, key, decision.nodes->now()))
                answer.next_ready_in = *next - decision.nodes->now();
    }
    return {std::move(answer), decision.keep};
}

namespace {

/// A write to a plan that is there, without committing it.
Written write_to_plan(UnitOfWork& uow, const WriteNodes& request, const ClockReading& now,
                      const ServiceOptions& options) {
    const PlanRow plan = require_plan(uow, request.plan);
    require_identity(plan.id, plan.identity, request.plan_identity);
    if (auto done = find_replay(uow, plan, request)) return {std::move(*done), false};
    return write_in(uow, plan, request, now, false, options);
}

template <class Request>
void refuse_problems(const Request& request, const std::vector<std::string>& files) {
    Problems problems;
    validate(request, problems);
    problems.raise_if_any(files);
}

/// All labels as one patch: merged one by one, each would cost as much as those before it.
JsonText labels_of(const CreatePlan& request) {
    if (request.labels.empty()) return {};
    std::string patch;
    for (const auto& [key, value] : request.labels) {
        patch += patch.empty() ? '{' : ',';
        append_json_string(patch, key);
        patch += ':';
        append_json_string(patch, value);
    }
    return merge_patch({}, {patch + '}'});
}

/// The plan that the same request has made before. An op_id alone finds only one that began with it.
std::optional<WriteResult> find_created(UnitOfWork& uow, const CreatePlan& request) {
    if (request.nodes.op_id.empty()) return std::nullopt;
    if (!request.id.empty()) {
        const auto plan = uow.find_plan(request.id);
        return plan ? find_replay(uow, *plan, request.nodes) : std::nullopt;
    }
    for (const PlanRow& plan : uow.plans())
        if (auto done = find_replay(uow, plan, request.nodes); done && done->plan.version == 1) return done;
    return std::nullopt;
}

}  // namespace

WriteResult LocalService::create_plan(const CreatePlan& request) {
    refuse_problems(request, request.nodes.files);
    const auto uow = store_.begin(Access::write);
    const ClockReading reading = clock_.read();
    PlanRow plan;
    if (auto done = find_created(*uow, request)) return std::move(*done);
    plan.identity = new_identity();
    plan.id = request.id.empty() ? new_plan_id(reading.wall) : request.id;
    if (uow->find_plan(plan.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan.id),
                    "write to it with 'turboci nodes write', or choose another id");
    plan.labels = labels_of(request);
    plan.created_at = reading.wall;
    plan.clock = {reading.wall, reading.since_boot, reading.boot_id};
    Written written = write_in(*uow, plan, request.nodes, reading, true, options_);
    if (!request.nodes.dry_run && written.keep) uow->commit();
    return std::move(written.answer);
}

WriteResult LocalService::write_nodes(const WriteNodes& request) {
    refuse_problems(request, request.files);
    const auto uow = store_.begin(Access::write);
    Written written = write_to_plan(*uow, request, clock_.read(), options_);
    if (!request.dry_run && written.keep) uow->commit();
    return std::move(written.answer);
}

std::vector<BatchAnswer> LocalService::write_batch(std::span<const WriteNodes> requests) {
    std::vector<BatchAnswer> answers(requests.size());
    const auto refuse = [&](std::size_t i, const Error& error) {
        // What the store could not do leaves nothing of the whole batch.
        if (error.code() == ErrorCode::store || error.code() == ErrorCode::locked ||
            error.code() == ErrorCode::internal)
            throw Error(error);
        answers[i].error = error;
    };
    for (std::size_t i = 0; i < requests.size(); ++i) {
        try {
            if (requests[i].dry_run)
                throw Error(ErrorCode::invalid_argument, "a batch cannot hold a write that is only tried");
            refuse_problems(requests[i], requests[i].files);
        } catch (const Error& error) {
            refuse(i, error);
        }
    }
    const auto uow = store_.begin(Access::write);
    bool keep = false;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (answers[i].error) continue;
        try {
            Written written = write_to_plan(*uow, requests[i], clock_.read(), options_);
            keep = keep || written.keep;
            answers[i].result = std::move(written.answer);
        } catch (const Error& error) {
            refuse(i, error);
        }
    }
    if (keep) uow->commit();
    return answers;
}

void LocalService::delete_plan(const std::string& id, bool force) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = require_plan(*uow, id);
    const Load load = [&](const Lookup& lookup) { return uow->load(plan.key, lookup); };
    const Holders holders(options_.probe, load, options_.lost_after, clock_.read().wall);
    if (!force)
        for (const AttemptRow& row : service::held_attempts(*uow, plan.key)) {
            // What is only SCHEDULED has no process yet.
            if (row.attempt.state != AttemptState::running || !holders.lives(row)) continue;
            throw Error(ErrorCode::conflict,
                        fmt::format("attempt {} of stage:{} is held by {}", row.attempt.idx,
                                    service::node(*uow, row.stage).id, row.attempt.process_uid),
                        "wait for it, or delete the plan all the same with --force");
        }
    uow->delete_plan(plan.key);
    uow->commit();
}

void LocalService::beat(const std::string& holder) {
    const auto uow = store_.begin(Access::write);
    uow->beat(holder, clock_.read().wall);
    uow->commit();
}

void LocalService::end_beats(const std::string& holder) {
    // What was silent for a day holds nothing that somebody will look for.
    const auto uow = store_.begin(Access::write);
    uow->forget_beats(holder, clock_.read().wall - std::chrono::hours(24));
    uow->commit();
}

WorkPlan LocalService::watch(const std::string& plan, std::int64_t seen, Duration at_most) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    for (Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
        WorkPlan now = get_plan(plan);
        const auto left = std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now());
        if (now.version != seen || left <= Duration::zero()) return now;
        std::this_thread::sleep_for(std::min(pause, left));
    }
}

std::unique_ptr<Service> make_local_service(Store& store, const Clock& clock, ServiceOptions options) {
    return std::make_unique<LocalService>(store, clock, std::move(options));
}

}  // namespace turboci
