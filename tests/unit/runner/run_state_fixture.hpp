// SPDX-License-Identifier: Apache-2.0
// A RunState with a time that tests turn, and short ways to say what happened.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runner/run_state.hpp"
#include "support/catch.hpp"

namespace turboci::test {

using namespace std::chrono_literals;

inline RunSettings two_jobs() {
    RunSettings settings;
    settings.jobs = 2;
    settings.watch_interval = 1s;
    settings.lost_after = 60s;
    settings.holder = "me";
    settings.process_uid = "run:me";
    return settings;
}

inline WorkPlan plan_at(std::int64_t version) {
    WorkPlan plan;
    plan.id = "p";
    plan.version = version;
    return plan;
}

class StateFixture {
public:
    explicit StateFixture(RunSettings settings = two_jobs())
        : state(std::move(settings), plan_at(1), nullptr, 1h) {}

    /// What is to be done now; remembers what was started.
    RunActions next() {
        RunActions actions = state.next(now);
        for (const RunActions::Start& start : actions.start)
            started.emplace_back(start.attempt.stage.id, start.id);
        for (const News& item : actions.news)
            if (const auto* note = std::get_if<std::string>(&item)) notes.push_back(*note);
        return actions;
    }
    [[nodiscard]] StoreJob job() { return next().job; }

    static ClaimedAttempt attempt(const std::string& stage, std::int32_t idx = 1) {
        ClaimedAttempt claimed;
        claimed.stage.id = stage;
        claimed.idx = idx;
        return claimed;
    }
    static ClaimedAttempt ahead(const std::string& stage) {
        ClaimedAttempt claimed = attempt(stage);
        claimed.stage.attempts.push_back(held(AttemptState::scheduled));
        return claimed;
    }
    /// The batch is in the store; it claimed these.
    void commit(std::vector<ClaimedAttempt> claimed = {}, WriteResult result = {}) {
        result.plan = plan_at(++version);
        result.claimed = std::move(claimed);
        state.batch_committed(std::move(result), now);
    }
    /// From the beginning to where these stages run.
    void run(const std::vector<std::string>& stages) {
        if (job() != StoreJob::batch) throw std::logic_error("no batch");
        std::vector<ClaimedAttempt> claimed;
        claimed.reserve(stages.size());
        for (const std::string& stage : stages) claimed.push_back(attempt(stage));
        commit(std::move(claimed));
        if (next().start.size() != stages.size()) throw std::logic_error("not started");
    }
    [[nodiscard]] StartId id(const std::string& stage) const {
        const auto found = std::find_if(started.rbegin(), started.rend(),
                                        [&](const auto& entry) { return entry.first == stage; });
        if (found == started.rend()) throw std::logic_error(stage + " was not started");
        return found->second;
    }
    void end(const std::string& stage, int exit_status = 0) {
        CommandEnd end;
        end.value = exit_status;
        state.command_ended(id(stage), end, {}, now);
    }
    void fail(ErrorCode code) {
        const Error error(code, "the store says no");
        state.job_failed(error, std::make_exception_ptr(error), now);
    }
    void lose_connection() {
        const Error error = Error(ErrorCode::store, "the server is gone").because(kReasonConnectionLost);
        state.job_failed(error, std::make_exception_ptr(error), now);
    }
    /// A look at the store finds this of the attempts, by stage.
    void inspect(std::vector<std::pair<std::string, Attempt>> attempts, Inspection found = {}) {
        found.plan = plan_at(version);
        for (auto& [stage, attempt] : attempts) found.current[stage] = attempt;
        state.inspected(std::move(found), now);
    }
    static Attempt held(AttemptState state = AttemptState::running, const std::string& by = "run:me") {
        Attempt attempt;
        attempt.idx = 1;
        attempt.state = state;
        attempt.process_uid = by;
        return attempt;
    }

    RunState state;
    Duration now = 1h;
    std::int64_t version = 1;
    std::vector<std::pair<std::string, StartId>> started;
    std::vector<std::string> notes;
};

}  // namespace turboci::test
