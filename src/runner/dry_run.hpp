// SPDX-License-Identifier: Apache-2.0
// `turboci run -n`: what a run would do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/executor.hpp"

namespace turboci {

/// One stage that a run would execute.
struct DryStep {
    std::string stage;
    std::vector<std::string> argv;
    std::string problem;                  ///< not empty: why its args.command cannot be executed
    std::optional<Timestamp> not_before;  ///< it is in backoff until then
};

/// What Executor::run() would execute, in order, if every command succeeded. Writes nothing.
[[nodiscard]] std::vector<DryStep> dry_run(Service& service, const RunOptions& options);

}  // namespace turboci
