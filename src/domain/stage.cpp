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
constexpr Names<ConcludedReason, 6> kReasons{{
    {ConcludedReason::attempt_complete, "attempt_complete"},
    {ConcludedReason::no_retries_left, "no_retries_left"},
    {ConcludedReason::retry_blocked, "retry_blocked"},
    {ConcludedReason::cancelled, "cancelled"},
    {ConcludedReason::dependencies_unsatisfied, "dependencies_unsatisfied"},
    {ConcludedReason::group_unsatisfied, "group_unsatisfied"},
}};
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
bool may_move(AttemptState from, AttemptState to) noexcept { return !is_ended(from) && from < to; }

Duration wait_after(const Retry& retry, std::int32_t idx) noexcept {
    constexpr Duration kLongest = std::chrono::hours(24);
    Duration wait = std::min(retry.backoff, kLongest);
    for (std::int32_t i = 1; i < idx && wait < kLongest && wait > Duration::zero(); ++i)
        wait = std::min(wait * 2, kLongest);
    return wait;
}

std::string_view to_string(ConcludedReason reason) noexcept { return name_of(kReasons, reason); }
std::optional<ConcludedReason> parse_concluded_reason(std::string_view text) noexcept {
    return value_of(kReasons, text);
}

std::string_view to_string(OwnerType type) noexcept { return name_of(kOwners, type); }
std::optional<OwnerType> parse_owner_type(std::string_view text) noexcept { return value_of(kOwners, text); }

}  // namespace turboci
