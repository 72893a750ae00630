// SPDX-License-Identifier: Apache-2.0
// A work plan: the unit of atomicity, of versions and of time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/json_text.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// How many nodes of a plan are in one state with one outcome.
struct StateCount {
    NodeType type = NodeType::check;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::int64_t count = 0;
    bool operator==(const StateCount&) const = default;
};

/// A plan as shown to readers, without its nodes.
struct WorkPlan {
    std::string id;
    std::string identity;      ///< of the plan itself: another one under the same id has another
    std::int64_t version = 0;  ///< 1 at creation; one more for each write that changed something
    JsonText labels;           ///< object of strings
    Timestamp created_at;
    Timestamp updated_at;
    std::vector<StateCount> counts;  ///< by type, state, outcome; no zero rows
};

/// Plan::counts added up.
struct PlanTotals {
    std::int64_t checks = 0, stages = 0;
    std::int64_t final_checks = 0, final_stages = 0;
    std::int64_t passed_checks = 0, failed_checks = 0, skipped_checks = 0;
    std::int64_t passed_stages = 0, failed_stages = 0, skipped_stages = 0, cancelled_stages = 0;
    void add(const StateCount& count);
};
[[nodiscard]] PlanTotals totals(const WorkPlan& plan);

/// A new time-ordered unique plan id, 26 characters of Crockford base 32 in lower case.
/// Source: the ULID specification (48 bits of milliseconds, 80 random bits).
[[nodiscard]] std::string new_plan_id(Timestamp now);

/// 128 random bits as 32 hexadecimal digits: a name that nothing else has.
[[nodiscard]] std::string new_identity();

/// NOT_FOUND if the plan `id`, whose identity is `identity`, is another than the one that is `meant`; empty:
/// whichever has the id.
void require_identity(std::string_view id, std::string_view identity, std::string_view meant);

}  // namespace turboci
