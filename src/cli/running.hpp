// SPDX-License-Identifier: Apache-2.0
// What `run` and `worker` have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "runner/plan_run.hpp"
#include "runner/progress_view.hpp"

namespace turboci::cli {

/// The flags of both.
struct RunningOptions {
    std::optional<std::int64_t> jobs;
    std::vector<std::string> runners;
    std::optional<Duration> lost_after;
    std::optional<std::string> actor;
    void declare(Parser& parser);
};

/// Of any plan: without one, and without what ends a run.
[[nodiscard]] RunOptions run_options(Context& context, const RunningOptions& options);
/// Each command takes a pipe and a log: no more of them than there are descriptors for.
void fit_jobs(const Context& context, RunOptions& run);
[[nodiscard]] ViewOptions view_options(const Context& context);

}  // namespace turboci::cli
