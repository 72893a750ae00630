// SPDX-License-Identifier: Apache-2.0
// `turboci run`: executes ready stages until nothing can move any more.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "runner/plan_run.hpp"

namespace turboci {

/// What a run came to.
struct RunReport {
    int exit_code = 0;  ///< 0, 1, 8 or 128+n
    RunSummary summary;
};

/// Ends what a killed run or worker of that store has left running. What to tell of it; empty: nothing.
[[nodiscard]] std::string end_leftovers(const std::string& store);

/// Waits as `wait` says, but no longer than until `stop`.
[[nodiscard]] Wait wait_unless(Wait wait, const std::atomic<bool>& stop);

/// Runs a plan once.
class Executor {
public:
    /// All must outlive the executor; nothing else may use `service`, or its store, meanwhile.
    Executor(Service& service, CommandRunner& runner, const Clock& clock, RunListener& listener,
             RunOptions options);
    /// Throws what the store threw, after all commands have been ended.
    [[nodiscard]] RunReport run();
    /// Runs one attempt that was claimed, and speaks for it until its end: the one of the token. Returns 0 if
    /// its command succeeded, 128+n when signal n stopped it, else 1. Throws as run(); CONFLICT,
    /// INVALID_STATE or NOT_FOUND if the token is not that of a current attempt of `stage`.
    [[nodiscard]] int run_attempt(const std::string& stage, const std::string& token);

private:
    [[nodiscard]] Duration now() const { return clock_.read().since_boot; }
    [[nodiscard]] ClaimedAttempt take_up(const std::string& name, const std::string& token);
    void loop();
    void wait(std::optional<Duration> until);

    std::atomic<bool> stop_waiting_{false};
    const std::unique_ptr<Service> service_;  ///< waits as the options say, until stop_waiting_
    CommandRunner& runner_;
    const Clock& clock_;
    RunListener& listener_;
    RunOptions options_;
    std::optional<PlanRun> plan_;
};

}  // namespace turboci
