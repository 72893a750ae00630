// SPDX-License-Identifier: Apache-2.0
// `turboci run`: executes ready stages until nothing can move any more.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "runner/plan_run.hpp"

namespace turboci {

/// What a run came to.
struct RunReport {
    int exit_code = 0;  ///< 0, 1, 8 or 128+n
    RunSummary summary;
};

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

private:
    [[nodiscard]] Duration now() const { return clock_.read().since_boot; }
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
