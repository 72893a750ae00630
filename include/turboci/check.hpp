// SPDX-License-Identifier: Apache-2.0
// A check: a question that a CI run must answer. PLANNING → PLANNED → WAITING → FINAL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "turboci/dependency.hpp"
#include "turboci/json_text.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// Who wrote a result. One result per owner and check.
enum class OwnerType : std::uint8_t {
    stage_attempt = 1,  ///< owner_id is PLAN:STAGE:IDX
    actor = 2,          ///< owner_id is the write's actor
    orchestrator = 3,   ///< the rules; owner_id is "orchestrator"
};
[[nodiscard]] std::string_view to_string(OwnerType type) noexcept;
[[nodiscard]] std::optional<OwnerType> parse_owner_type(std::string_view text) noexcept;

/// One answer. Open until `finalized_at` is set, then immutable.
struct Result {
    std::int64_t id = 0;  ///< from 1, within its check
    OwnerType owner_type = OwnerType::actor;
    std::string owner_id;
    JsonText data;
    std::optional<std::string> failure;  ///< message; absent when the answer is yes
    Timestamp created_at;
    std::optional<Timestamp> finalized_at;
};

/// A check as shown to readers.
struct Check {
    std::string id;
    std::string kind;  ///< free text, may be empty; immutable after creation
    State state = State::planning;
    std::optional<Outcome> outcome;       ///< set exactly when FINAL
    std::optional<SkipCause> skip_cause;  ///< set exactly when skipped
    bool required = true;                 ///< false: it never makes a verdict say no
    JsonText options;
    Predicate dependencies;
    std::vector<Condition> condition;
    std::vector<Result> results;
    std::optional<CreatedBy> created_by;  ///< the attempt that wrote it, if one did
    std::optional<CarriedFrom>
        carried_from;  ///< where it was answered, if it was taken over from another plan
    std::int64_t version = 0;
    Timestamp created_at;
    Timestamp updated_at;
    StateHistory state_history;
};

}  // namespace turboci
