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

/// Why an attempt is INCOMPLETE.
enum class Cause : std::uint8_t {
    failed = 1,       ///< an exit status, a signal, or somebody's word
    timeout = 2,      ///< ran longer than its stage allows
    silent = 3,       ///< its holder was silent for longer than the stage allows
    lost = 4,         ///< its runner is gone; nobody's failure, uses up no retry
    interrupted = 5,  ///< its runner was told to stop; nobody's failure, uses up no retry
    cancelled = 6,    ///< somebody cancelled the stage
};
[[nodiscard]] std::string_view to_string(Cause cause) noexcept;  ///< "failed", …
[[nodiscard]] std::optional<Cause> parse_cause(std::string_view text) noexcept;
/// Was it the end of the runner, and not of the work?
[[nodiscard]] constexpr bool is_interruption(Cause c) noexcept {
    return c == Cause::lost || c == Cause::interrupted;
}
/// So many interruptions in a row, of both kinds together, end a stage.
inline constexpr std::int32_t kMaxInterruptions = 10;

/// Why a stage is FINAL.
enum class ConcludedReason : std::uint8_t {
    attempt_complete = 1,
    no_retries_left = 2,
    retry_blocked = 3,  ///< the writer that ended the last attempt forbade a retry
    cancelled = 4,
    dependencies_unsatisfied = 5,
    group_unsatisfied = 6,
    attempt_failed = 7,         ///< no retry was allowed for such an end
    interrupted_too_often = 8,  ///< see kMaxInterruptions
    condition_false = 9,        ///< its condition did not hold
    skipped = 10,               ///< somebody skipped it
};
[[nodiscard]] std::string_view to_string(ConcludedReason reason) noexcept;
[[nodiscard]] std::optional<ConcludedReason> parse_concluded_reason(std::string_view text) noexcept;

/// Linux takes no longer argument, and no longer variable with its name: 32 pages of 4 KiB with the NUL at
/// the end (MAX_ARG_STRLEN).
inline constexpr std::size_t kMaxWordBytes = 32 * 4096 - 1;

/// Which ends of an attempt are tried again.
struct RetryOn {
    bool failed = true, timeout = true, silent = true;
    std::vector<std::int32_t> exit;  ///< of those that failed, these exit statuses; ascending, 1 to 255
    bool operator==(const RetryOn&) const = default;
};
/// What an interruption (see is_interruption()) is for a stage.
enum class OnInterrupt : std::uint8_t {
    again = 1,  ///< nobody's failure: another attempt follows at once
    fail = 2,   ///< as if it had failed: it must not start twice unasked
};
[[nodiscard]] std::string_view to_string(OnInterrupt what) noexcept;  ///< "again", "fail"
[[nodiscard]] std::optional<OnInterrupt> parse_on_interrupt(std::string_view text) noexcept;

inline constexpr Duration kMaxBackoff = std::chrono::hours(24);

/// How often and how soon an incomplete attempt is followed by another.
struct Retry {
    std::int32_t max_retries = 0;        ///< attempts after the first; 0 to 1,000
    Duration backoff{0};                 ///< before attempt 2; doubles with each further one
    Duration max_backoff = kMaxBackoff;  ///< and is never longer
    RetryOn on;
    OnInterrupt on_interrupt = OnInterrupt::again;
    bool operator==(const Retry&) const = default;
};
/// Is an attempt that ended so tried again, as far as its end goes?
[[nodiscard]] bool retries_end(const Retry& retry, Cause cause,
                               std::optional<std::int32_t> exit_code) noexcept;
/// How long after the end of an attempt its retry number `number`, from 1, may begin.
[[nodiscard]] Duration wait_before_retry(const Retry& retry, std::int32_t number) noexcept;

/// So much of one of the plan's limits a stage holds while an attempt is SCHEDULED or RUNNING.
struct Use {
    std::string limit;
    std::int64_t count = 1;  ///< at least 1
    bool operator==(const Use&) const = default;
};

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

/// A RUNNING attempt has been told to end; its holder stops the process.
struct Stopping {
    Timestamp since;
    std::string by;               ///< the actor who asked for it
    std::string reason;           ///< may be empty
    Cause cause = Cause::failed;  ///< that the end will have
    bool from_inside = false;     ///< the attempt itself asked: its process ends by itself
    bool operator==(const Stopping&) const = default;
};

/// Where the output of an attempt is.
struct LogPlace {
    std::string path = {};     ///< relative to the store's directory; empty: it lies in the store
    std::int64_t bytes = 0;    ///< of one in the store: how much was printed
    std::int64_t dropped = 0;  ///< and how much of it is not kept
    bool operator==(const LogPlace&) const = default;
};

/// One try at a stage.
struct Attempt {
    std::int32_t idx = 1;  ///< from 1
    AttemptState state = AttemptState::pending;
    std::optional<Cause> cause;  ///< set exactly when INCOMPLETE
    std::string process_uid;     ///< who holds it; empty before RUNNING
    bool has_runner =
        false;  ///< its holder is a runner: it can be asked to stop, and is lost when it is gone
    JsonText details;
    std::vector<Progress> progress;
    std::optional<std::string> failure;
    std::optional<std::int32_t> exit_code;  ///< of its process, where a runner saw it end
    std::optional<std::int32_t> signal;     ///< that ended its process, likewise
    std::optional<LogPlace> log;
    std::optional<Stopping> stopping;
    std::optional<Timestamp> not_before;
    std::optional<Timestamp> started_at;  ///< when it became RUNNING
    std::optional<Timestamp> ended_at;
    std::optional<Timestamp> last_heartbeat;
    Timestamp created_at;
    Timestamp updated_at;
};

/// A stage as shown to readers.
struct Stage {
    std::string id;
    State state = State::planned;
    std::optional<Outcome> outcome;
    std::optional<SkipCause> skip_cause;  ///< set exactly when skipped
    std::optional<ConcludedReason> concluded_reason;
    std::optional<std::string> concluded_message;  ///< the reason that was given, if it was cancelled
    JsonText args;
    Predicate dependencies;
    std::vector<Assignment> assignments;
    Retry retry;
    std::optional<Duration> timeout;
    std::optional<Duration> heartbeat;
    std::optional<Duration> silence;
    std::string runner;     ///< the kind of worker that it needs; empty: any
    std::vector<Use> uses;  ///< by name
    std::vector<Condition> condition;
    Predicate continuation_group;
    std::vector<Attempt> attempts;
    std::optional<CreatedBy> created_by;      ///< the attempt that wrote it, if one did
    std::optional<CarriedFrom> carried_from;  ///< where it ran, if it was taken over from another plan
    std::int64_t version = 0;
    Timestamp created_at;
    Timestamp updated_at;
    StateHistory state_history;
};

}  // namespace turboci
