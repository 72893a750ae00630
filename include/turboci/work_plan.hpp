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

/// How much of something that stages share there is.
struct Limit {
    std::string name;
    std::int64_t count = 1;  ///< at least 1
    bool operator==(const Limit&) const = default;
};

/// A plan that was cancelled: stages that are written later are cancelled, too, unless they clean up.
struct PlanCancelled {
    Timestamp since;
    std::string by;      ///< the actor
    std::string reason;  ///< may be empty
    bool operator==(const PlanCancelled&) const = default;
};

/// The plan that another was made from. It is that very plan, which may be gone, whatever has its id now.
struct PlanOrigin {
    std::string plan;      ///< its id
    std::string identity;  ///< of the plan itself
    bool operator==(const PlanOrigin&) const = default;
};

/// A plan as shown to readers, without its nodes.
struct WorkPlan {
    std::string id;
    std::string identity;       ///< of the plan itself: another one under the same id has another
    std::int64_t version = 0;   ///< 1 at creation; one more for each write that changed something
    JsonText labels;            ///< object of strings
    std::vector<Limit> limits;  ///< by name
    std::optional<PlanCancelled> cancelled;
    std::optional<PlanOrigin> from = {};
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

/// Means the newest plan, where a plan is chosen.
inline constexpr std::string_view kLatestPlan = "@latest";

/// Does the object of labels hold this one?
[[nodiscard]] bool has_label(const JsonText& labels, std::string_view key, std::string_view value);

/// Why a text cannot mean a plan, as "is too long"; nullopt if it can: an id or the beginning of one,
/// `@latest`, or KEY=VALUE of a label.
[[nodiscard]] std::optional<std::string> plan_choice_problem(std::string_view text);

/// 128 random bits as 32 hexadecimal digits: a name that nothing else has.
[[nodiscard]] std::string new_identity();

/// NOT_FOUND if the plan `id`, whose identity is `identity`, is another than the one that is `meant`; empty:
/// whichever has the id.
void require_identity(std::string_view id, std::string_view identity, std::string_view meant);

}  // namespace turboci
