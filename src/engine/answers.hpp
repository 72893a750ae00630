// SPDX-License-Identifier: Apache-2.0
// What the results of a check amount to.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci::engine {

/// What counts of the results of a check. Of each stage only the result of the highest attempt that reported
/// does, every other owner's by itself; those of the orchestrator are notes.
struct Answers {
    bool failed = false;   ///< a counted result has a failure
    bool by_hand = false;  ///< somebody answered who is no attempt
    /// Stages with a counted result that is a pass of an attempt that is COMPLETE or still live, or a
    /// failure.
    std::vector<NodeKey> stages;
    /// Passes of attempts that did not run to their end: they count as failures.
    struct Broken {
        NodeKey stage = NodeKey::none;
        std::string reason;  ///< how the attempt ended
    };
    std::vector<Broken> broken;
    [[nodiscard]] bool has(NodeKey stage) const;  ///< among `stages`
    [[nodiscard]] bool is_broken(NodeKey stage) const;
};

/// The results that count: see Answers.
[[nodiscard]] std::vector<const ResultRow*> counted_results(const std::vector<ResultRow>& results);

/// `attempt_of`: the attempt that wrote a result. nullopt is taken for one that is COMPLETE.
[[nodiscard]] Answers count_answers(
    const std::vector<ResultRow>& results,
    const std::function<std::optional<AttemptRow>(NodeKey stage, std::int32_t idx)>& attempt_of);

}  // namespace turboci::engine
