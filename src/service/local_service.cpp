// SPDX-License-Identifier: Apache-2.0
// The writing half of the service.
#include "service/local_service.hpp"
#include "service/plan_choice.hpp"

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
std::optional<WriteResult> find_replay(Snapshot& snapshot, const PlanRow& plan, const WriteNodes& request) {
    if (request.op_id.empty()) return std::nullopt;
    const auto operation = service::find_operation(snapshot, plan.key, request.op_id);
    if (!operation) return std::nullopt;
    WriteResult result;
    result.plan = view_plan(snapshot, plan);
    result.plan.version = operation->version;
    result.replayed = true;
    if (request.claim)
        for (const OperationRow::Taken& taken : operation->claimed) {
            Stage stage = view_stage(read_record(snapshot, service::node(snapshot, taken.stage)));
            // Another claimer that uses the same op_id must not take for its own what it does not hold.
            const bool holds =
                std::any_of(stage.attempts.begin(), stage.attempts.end(), [&](const Attempt& a) {
                    return a.idx == taken.idx && a.process_uid == request.claim->process_uid;
                });
            if (!holds) continue;
            const auto row = service::attempt(snapshot, taken.stage, taken.idx).value();
            std::string token = token_of(snapshot.store().identity, plan, stage.id, row);
            result.claimed.push_back({std::move(stage), taken.idx, std::move(token)});
        }
    return result;
}

}  // namespace

Written service::write_in(Transaction& transaction, const PlanRow& plan, const WriteNodes& request,
                          const ClockReading& now, const WriteKind& kind, const ServiceOptions& options) {
    const Load load = [&](const Lookup& lookup) { return transaction.load(plan.key, lookup); };
    Decision decision = decide({.request = request,
                                .plan = plan,
                                .is_new = kind.is_new,
                                .next_node = transaction.next_node(plan.key),
                                .now = now,
                                .store = transaction.store().identity,
                                .probe = options.probe,
                                .lost_after = options.lost_after,
                                .carried = kind.carried,
                                .superseded_by = kind.superseded_by},
                               load);
    const PlanKey key = transaction.apply(decision.changes);
    WriteResult& answer = decision.answer;
    if (const auto& claim = request.claim) {
        const auto wanted = static_cast<std::size_t>(std::max(claim->at_most, 0));
        if (answer.claimed.size() < wanted)
            if (const auto next = service::next_ready_at(transaction, key, decision.nodes->now()))
                answer.next_ready_in = *next - decision.nodes->now();
    }
    return {std::move(answer), decision.keep};
}

bool service::is_of_store(const Error& error) {
    return error.code() == ErrorCode::store || error.code() == ErrorCode::locked ||
           error.code() == ErrorCode::internal;
}

namespace {

/// A write to a plan that is there, without committing it.
Written write_to_plan(Transaction& transaction, const WriteNodes& request, const ServiceOptions& options) {
    const PlanRow plan = require_plan_to_write(transaction, request, options.exact_ids);
    require_identity(plan.id, plan.identity, request.plan_identity);
    if (auto done = find_replay(transaction, plan, request)) return {std::move(*done), false};
    return write_in(transaction, plan, request, transaction.now(), {}, options);
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

/// The plan of all of them, as they call it; empty if they differ.
std::string_view common_plan(std::span<const WriteNodes> requests) {
    if (requests.empty()) return {};
    const std::string& first = requests.front().plan;
    const bool all = std::ranges::all_of(requests, [&](const WriteNodes& r) { return r.plan == first; });
    return all ? std::string_view(first) : std::string_view();
}

/// The plan that the same request has made before. An op_id alone finds only one that began with it.
std::optional<WriteResult> find_created(Snapshot& snapshot, const CreatePlan& request) {
    if (request.nodes.op_id.empty()) return std::nullopt;
    if (!request.id.empty()) {
        const auto plan = snapshot.find_plan(request.id);
        return plan ? find_replay(snapshot, *plan, request.nodes) : std::nullopt;
    }
    for (const PlanRow& plan : snapshot.plans())
        if (service::began_with(snapshot, plan.key, request.nodes.op_id))
            return find_replay(snapshot, plan, request.nodes);
    return std::nullopt;
}

/// A new plan, without committing it.
Written create_in(Transaction& transaction, const CreatePlan& request, const ServiceOptions& options) {
    const ClockReading reading = transaction.now();
    PlanRow plan;
    if (auto done = find_created(transaction, request)) return {std::move(*done), false};
    plan.identity = new_identity();
    plan.id = request.id.empty() ? new_plan_id(reading.wall) : request.id;
    if (transaction.find_plan(plan.id))
        throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan.id),
                    "write to it with 'turboci nodes write', or choose another id")
            .because("ID_EXISTS");
    plan.labels = labels_of(request);
    plan.created_at = reading.wall;
    plan.clock = {reading.wall, reading.since_boot, reading.boot_id};
    return write_in(transaction, plan, request.nodes, reading, {.is_new = true}, options);
}

}  // namespace

WriteResult LocalService::create_plan(const CreatePlan& request) {
    refuse_problems(request, request.nodes.files);
    const auto transaction = store_.write(request.id, options_.wait);
    Written written = decide_in(*transaction, [&] { return create_in(*transaction, request, options_); });
    if (!request.nodes.dry_run) end(*transaction, written.keep);
    return std::move(written.answer);
}

WriteResult LocalService::write_nodes(const WriteNodes& request) {
    refuse_problems(request, request.files);
    const auto transaction = store_.write(request.plan, options_.wait);
    Written written = decide_in(*transaction, [&] { return write_to_plan(*transaction, request, options_); });
    if (!request.dry_run) end(*transaction, written.keep);
    return std::move(written.answer);
}

std::vector<BatchAnswer> LocalService::write_batch(std::span<const WriteNodes> requests) {
    std::vector<BatchAnswer> answers(requests.size());
    const auto refuse = [&](std::size_t i, const Error& error) {
        // What the store could not do leaves nothing of the whole batch.
        if (is_of_store(error)) throw Error(error);
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
    const auto transaction = store_.write(common_plan(requests), options_.wait);
    bool keep = false;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (answers[i].error) continue;
        try {
            Written written = write_to_plan(*transaction, requests[i], options_);
            keep = keep || written.keep;
            answers[i].result = std::move(written.answer);
        } catch (const Error& error) {
            refuse(i, error);
        }
    }
    end(*transaction, keep);
    return answers;
}

WorkPlan LocalService::watch(const std::string& plan, std::int64_t seen, Duration at_most) {
    WorkPlan now = get_plan(plan);
    if (now.version != seen || at_most <= Duration::zero()) return now;
    store_.wait_for_change(now.id, seen, {.at_most = at_most, .give_up = options_.wait.give_up});
    // What is chosen by a beginning or a label stays the same plan.
    WorkPlan later = get_plan(now.id);
    require_identity(now.id, later.identity, now.identity);
    return later;
}

std::unique_ptr<Service> LocalService::with(Wait wait) {
    ServiceOptions options = options_;
    options.wait = std::move(wait);
    return make_local_service(store_, std::move(options));
}

std::unique_ptr<Service> make_local_service(Store& store, ServiceOptions options) {
    return std::make_unique<LocalService>(store, std::move(options));
}

}  // namespace turboci
