// SPDX-License-Identifier: Apache-2.0
#include "turboci/stage.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "turboci/check.hpp"

namespace turboci {

namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

constexpr Names<AttemptState, 5> kAttemptStates{{
    {AttemptState::pending, "PENDING"},
    {AttemptState::scheduled, "SCHEDULED"},
    {AttemptState::running, "RUNNING"},
    {AttemptState::complete, "COMPLETE"},
    {AttemptState::incomplete, "INCOMPLETE"},
}};
constexpr Names<Cause, 6> kCauses{{
    {Cause::failed, "failed"},
    {Cause::timeout, "timeout"},
    {Cause::silent, "silent"},
    {Cause::lost, "lost"},
    {Cause::interrupted, "interrupted"},
    {Cause::cancelled, "cancelled"},
}};
constexpr Names<ConcludedReason, 10> kReasons{{
    {ConcludedReason::attempt_complete, "attempt_complete"},
    {ConcludedReason::no_retries_left, "no_retries_left"},
    {ConcludedReason::retry_blocked, "retry_blocked"},
    {ConcludedReason::cancelled, "cancelled"},
    {ConcludedReason::dependencies_unsatisfied, "dependencies_unsatisfied"},
    {ConcludedReason::group_unsatisfied, "group_unsatisfied"},
    {ConcludedReason::attempt_failed, "attempt_failed"},
    {ConcludedReason::interrupted_too_often, "interrupted_too_often"},
    {ConcludedReason::condition_false, "condition_false"},
    {ConcludedReason::skipped, "skipped"},
}};
constexpr Names<OnInterrupt, 2> kOnInterrupt{{{OnInterrupt::again, "again"}, {OnInterrupt::fail, "fail"}}};
constexpr Names<OwnerType, 3> kOwners{{
    {OwnerType::stage_attempt, "stage_attempt"},
    {OwnerType::actor, "actor"},
    {OwnerType::orchestrator, "orchestrator"},
}};

template <class E, std::size_t N>
std::string_view name_of(const Names<E, N>& names, E value) noexcept {
    for (const auto& [v, name] : names)
        if (v == value) return name;
    return "?";
}
template <class E, std::size_t N>
std::optional<E> value_of(const Names<E, N>& names, std::string_view text) noexcept {
    for (const auto& [v, name] : names)
        if (name == text) return v;
    return std::nullopt;
}

}  // namespace

std::string_view to_string(AttemptState state) noexcept { return name_of(kAttemptStates, state); }
std::optional<AttemptState> parse_attempt_state(std::string_view text) noexcept {
    return value_of(kAttemptStates, text);
}
bool may_move(AttemptState from, AttemptState to) noexcept {
    const bool given_back = from == AttemptState::scheduled && to == AttemptState::pending;
    return (!is_ended(from) && from < to) || given_back;
}

std::string_view to_string(Cause cause) noexcept { return name_of(kCauses, cause); }
std::optional<Cause> parse_cause(std::string_view text) noexcept { return value_of(kCauses, text); }

Duration wait_before_retry(const Retry& retry, std::int32_t number) noexcept {
    const Duration longest = std::min(retry.max_backoff, kMaxBackoff);
    Duration wait = std::min(retry.backoff, longest);
    for (std::int32_t i = 1; i < number && wait < longest && wait > Duration::zero(); ++i)
        wait = std::min(wait * 2, longest);
    return wait;
}

bool retries_end(const Retry& retry, Cause cause, std::optional<std::int32_t> exit_code) noexcept {
    const RetryOn& on = retry.on;
    switch (cause) {
        case Cause::timeout:
            return on.timeout;
        case Cause::silent:
            return on.silent;
        case Cause::cancelled:
            return false;
        case Cause::failed:
        case Cause::lost:
        case Cause::interrupted:
            return on.failed || (exit_code && std::ranges::binary_search(on.exit, *exit_code));
    }
    return false;
}

std::string_view to_string(OnInterrupt what) noexcept { return name_of(kOnInterrupt, what); }
std::optional<OnInterrupt> parse_on_interrupt(std::string_view text) noexcept {
    return value_of(kOnInterrupt, text);
}

std::string_view to_string(ConcludedReason reason) noexcept { return name_of(kReasons, reason); }
std::optional<ConcludedReason> parse_concluded_reason(std::string_view text) noexcept {
    return value_of(kReasons, text);
}

std::string_view to_string(OwnerType type) noexcept { return name_of(kOwners, type); }
std::optional<OwnerType> parse_owner_type(std::string_view text) noexcept { return value_of(kOwners, text); }

}  // namespace turboci
