// SPDX-License-Identifier: Apache-2.0
// A stage: work that answers checks. PLANNED → ATTEMPTING → AWAITING_GROUP → FINAL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "turboci/dependency.hpp"
#include "turboci/json_text.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// The numbers are the published ones and only grow.
enum class AttemptState : std::uint8_t {
    pending = 10,     ///< may be claimed from `not_before` on
    scheduled = 20,   ///< some executor has it in its queue
    running = 30,     ///< a process holds it
    complete = 40,    ///< the work ran to its end (which says nothing of the answer)
    incomplete = 50,  ///< it did not; the retry policy decides what follows
};
[[nodiscard]] std::string_view to_string(AttemptState state) noexcept;
[[nodiscard]] std::optional<AttemptState> parse_attempt_state(std::string_view text) noexcept;
[[nodiscard]] bool may_move(AttemptState from, AttemptState to) noexcept;
[[nodiscard]] constexpr bool is_ended(AttemptState s) noexcept { return s >= AttemptState::complete; }

/// Why a stage is FINAL.
enum class ConcludedReason : std::uint8_t {
    attempt_complete = 1,
    no_retries_left = 2,
    retry_blocked = 3,  ///< the writer that ended the last attempt forbade a retry
    cancelled = 4,
    dependencies_unsatisfied = 5,
    group_unsatisfied = 6,
};
[[nodiscard]] std::string_view to_string(ConcludedReason reason) noexcept;
[[nodiscard]] std::optional<ConcludedReason> parse_concluded_reason(std::string_view text) noexcept;

/// How often and how soon an incomplete attempt is followed by another.
struct Retry {
    std::int32_t max_retries = 0;  ///< attempts after the first; 0 to 1,000
    Duration backoff{0};           ///< before attempt 2; doubles with each further one, at most 24 h
    bool operator==(const Retry&) const = default;
};
/// How long after the end of attempt `idx` the next one may begin.
[[nodiscard]] Duration wait_after(const Retry& retry, std::int32_t idx) noexcept;

/// "When all stages with this goal are FINAL, take the check there." PLANNED, WAITING or FINAL.
struct Assignment {
    std::string target_check_id;
    State goal_state = State::final;
    bool operator==(const Assignment&) const = default;
};

/// A line of news from a running attempt.
struct Progress {
    std::string message;
    Timestamp timestamp;
    JsonText details;
};

/// One try at a stage.
struct Attempt {
    std::int32_t idx = 1;  ///< from 1
    AttemptState state = AttemptState::pending;
    std::string process_uid;  ///< who holds it; empty before RUNNING
    JsonText details;
    std::vector<Progress> progress;
    std::optional<std::string> failure;
    std::optional<Timestamp> not_before;
    std::optional<Timestamp> last_heartbeat;
    Timestamp created_at;
    Timestamp updated_at;
};

/// A stage as shown to readers.
struct Stage {
    std::string id;
    State state = State::planned;
    std::optional<Outcome> outcome;
    std::optional<ConcludedReason> concluded_reason;
    JsonText args;
    Predicate dependencies;
    std::vector<Assignment> assignments;
    Retry retry;
    std::optional<Duration> timeout;
    std::optional<Duration> heartbeat;
    Predicate continuation_group;
    std::vector<Attempt> attempts;
    std::int64_t version = 0;
    Timestamp created_at;
    Timestamp updated_at;
    StateHistory state_history;
};

}  // namespace turboci
