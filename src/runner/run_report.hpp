// SPDX-License-Identifier: Apache-2.0
// What a run came to.
#pragma once

#include "runner/executor.hpp"

namespace turboci {

/// What the report takes from the run itself; all else it asks of the store.
struct RunFacts {
    PlanTotals before;  ///< of what was selected, when the run began
    Duration elapsed{0};
    std::unordered_map<std::string, Duration> durations;  ///< by stage: how long its commands ran
    std::int64_t retried = 0;
    int signal = 0;  ///< 0: none
    std::size_t survivors = 0;
};

/// `options.plan` is resolved.
[[nodiscard]] RunReport make_report(Service& service, const RunOptions& options,
                                    const StageCommands& commands, const RunFacts& facts, Timestamp now);

}  // namespace turboci
