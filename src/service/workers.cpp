// SPDX-License-Identifier: Apache-2.0
// Processes that hold attempts: their signs of life.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>

#include "domain/quotes.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"

namespace turboci {

namespace {

constexpr std::size_t kMaxWorkerName = 256;

void require_valid(const Beat& beat) {
    if (beat.holder.empty()) throw Error(ErrorCode::invalid_argument, "a sign of life without an identity");
    if (beat.name.size() > kMaxWorkerName || has_control_character(beat.name))
        throw Error(ErrorCode::invalid_argument, "no worker can have the name " + in_quotes(beat.name),
                    fmt::format("use at most {} bytes without control characters", kMaxWorkerName));
    if (std::ranges::any_of(beat.runners, has_control_character))
        throw Error(ErrorCode::invalid_argument, "a kind of runner has a control character");
}

std::vector<BeatRow> all_workers(Snapshot& snapshot) {
    return service::ask(snapshot, {}, [](Lookup& l) { l.workers = true; }).beats;
}

}  // namespace

bool LocalService::beat(const Beat& beat) {
    require_valid(beat);
    const auto transaction = store_.write({}, options_.wait);
    ChangeSet changes;
    BeatRow& row = changes.beats.emplace_back();
    row.holder = beat.holder;
    row.at = transaction->now().wall;
    row.name = beat.name;
    row.runners = beat.runners;
    row.draining = beat.draining;
    transaction->apply(changes);
    const auto stored = service::ask(*transaction, {}, [&](Lookup& l) { l.beats = {beat.holder}; }).beats;
    transaction->commit();
    return !stored.empty() && stored.front().draining;
}

void LocalService::end_beats(const std::string& holder) {
    const auto transaction = store_.write({}, options_.wait);
    ChangeSet changes;
    changes.ended_beats = {holder};
    // What was silent for a day holds nothing that somebody will look for.
    changes.old_beats = transaction->now().wall - std::chrono::hours(24);
    transaction->apply(changes);
    transaction->commit();
}

void LocalService::drain_worker(const std::string& name) {
    const auto transaction = store_.write({}, options_.wait);
    ChangeSet changes;
    for (BeatRow& worker : all_workers(*transaction)) {
        if (worker.name != name && worker.holder != name) continue;
        worker.draining = true;
        changes.beats.push_back(std::move(worker));
    }
    if (changes.beats.empty())
        throw Error(ErrorCode::not_found, "there is no worker " + in_quotes(name),
                    "see 'turboci worker list'");
    transaction->apply(changes);
    transaction->commit();
}

std::vector<Worker> LocalService::workers() {
    const auto snapshot = store_.read(options_.wait);
    std::map<std::string, std::int64_t> held;
    const auto rows = all_workers(*snapshot);
    if (!rows.empty())
        for (const PlanRow& plan : snapshot->plans())
            for (const AttemptRow& attempt : service::held_attempts(*snapshot, plan.key))
                ++held[attempt.holder];
    std::vector<Worker> all;
    all.reserve(rows.size());
    for (const BeatRow& row : rows)
        all.push_back(
            {row.holder, row.name, row.runners, row.started_at, row.at, row.draining, held[row.holder]});
    std::ranges::sort(all, {}, [](const Worker& w) { return std::tie(w.name, w.started_at, w.identity); });
    return all;
}

}  // namespace turboci
