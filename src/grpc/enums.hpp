// SPDX-License-Identifier: Apache-2.0
// The enums of the wire and ours, pair by pair: their numbers are not the same, and are never cast.
#pragma once

#include <array>
#include <optional>

#include "turboci/check.hpp"
#include "turboci/dependency.hpp"
#include "turboci/node.hpp"
#include "turboci/stage.hpp"
#include "turboci/v1/common.pb.h"
#include "turboci/v1/model.pb.h"
#include "turboci/verdict.hpp"

namespace turboci::rpc {

template <class Ours, class Wire>
struct EnumPair {
    Ours ours;
    Wire wire;
};
template <class Ours, class Wire>
EnumPair(Ours, Wire) -> EnumPair<Ours, Wire>;

inline constexpr std::array kNodeTypes{EnumPair{NodeType::check, v1::NODE_TYPE_CHECK},
                                       EnumPair{NodeType::stage, v1::NODE_TYPE_STAGE}};
inline constexpr std::array kOutcomes{
    EnumPair{Outcome::passed, v1::OUTCOME_PASSED}, EnumPair{Outcome::failed, v1::OUTCOME_FAILED},
    EnumPair{Outcome::skipped, v1::OUTCOME_SKIPPED}, EnumPair{Outcome::cancelled, v1::OUTCOME_CANCELLED}};
inline constexpr std::array kSkipCauses{EnumPair{SkipCause::upstream, v1::SKIP_CAUSE_UPSTREAM},
                                        EnumPair{SkipCause::not_needed, v1::SKIP_CAUSE_NOT_NEEDED}};
inline constexpr std::array kVerdicts{EnumPair{Verdict::passed, v1::VERDICT_PASSED},
                                      EnumPair{Verdict::failed, v1::VERDICT_FAILED},
                                      EnumPair{Verdict::pending, v1::VERDICT_PENDING}};
inline constexpr std::array kGroupKinds{EnumPair{GroupKind::all, v1::PREDICATE_TYPE_AND},
                                        EnumPair{GroupKind::any, v1::PREDICATE_TYPE_OR},
                                        EnumPair{GroupKind::at_least, v1::PREDICATE_TYPE_THRESHOLD}};
inline constexpr std::array kWhens{
    EnumPair{When::success, v1::WHEN_SUCCESS}, EnumPair{When::failure, v1::WHEN_FAILURE},
    EnumPair{When::always, v1::WHEN_ALWAYS}, EnumPair{When::not_failed, v1::WHEN_NOT_FAILED},
    EnumPair{When::unsuccessful, v1::WHEN_UNSUCCESSFUL}};
inline constexpr std::array kResolutions{EnumPair{Resolution::unresolved, v1::RESOLUTION_UNRESOLVED},
                                         EnumPair{Resolution::satisfied, v1::RESOLUTION_SATISFIED},
                                         EnumPair{Resolution::unsatisfied, v1::RESOLUTION_UNSATISFIED}};
inline constexpr std::array kAttemptStates{EnumPair{AttemptState::pending, v1::ATTEMPT_STATE_PENDING},
                                           EnumPair{AttemptState::scheduled, v1::ATTEMPT_STATE_SCHEDULED},
                                           EnumPair{AttemptState::running, v1::ATTEMPT_STATE_RUNNING},
                                           EnumPair{AttemptState::complete, v1::ATTEMPT_STATE_COMPLETE},
                                           EnumPair{AttemptState::incomplete, v1::ATTEMPT_STATE_INCOMPLETE}};
inline constexpr std::array kCauses{EnumPair{Cause::failed, v1::ATTEMPT_CAUSE_FAILED},
                                    EnumPair{Cause::timeout, v1::ATTEMPT_CAUSE_TIMEOUT},
                                    EnumPair{Cause::silent, v1::ATTEMPT_CAUSE_SILENT},
                                    EnumPair{Cause::lost, v1::ATTEMPT_CAUSE_LOST},
                                    EnumPair{Cause::interrupted, v1::ATTEMPT_CAUSE_INTERRUPTED},
                                    EnumPair{Cause::cancelled, v1::ATTEMPT_CAUSE_CANCELLED}};
inline constexpr std::array kOnInterrupts{EnumPair{OnInterrupt::again, v1::ON_INTERRUPT_AGAIN},
                                          EnumPair{OnInterrupt::fail, v1::ON_INTERRUPT_FAIL}};
inline constexpr std::array kMovers{EnumPair{Mover::writer, v1::CHANGED_BY_WRITER},
                                    EnumPair{Mover::orchestrator, v1::CHANGED_BY_ORCHESTRATOR}};
inline constexpr std::array kConcludedReasons{
    EnumPair{ConcludedReason::attempt_complete, v1::CONCLUDED_REASON_ATTEMPT_COMPLETE},
    EnumPair{ConcludedReason::no_retries_left, v1::CONCLUDED_REASON_NO_RETRIES_LEFT},
    EnumPair{ConcludedReason::retry_blocked, v1::CONCLUDED_REASON_RETRY_BLOCKED},
    EnumPair{ConcludedReason::cancelled, v1::CONCLUDED_REASON_CANCELLED},
    EnumPair{ConcludedReason::dependencies_unsatisfied, v1::CONCLUDED_REASON_DEPENDENCIES_UNSATISFIED},
    EnumPair{ConcludedReason::group_unsatisfied, v1::CONCLUDED_REASON_GROUP_UNSATISFIED},
    EnumPair{ConcludedReason::attempt_failed, v1::CONCLUDED_REASON_ATTEMPT_FAILED},
    EnumPair{ConcludedReason::interrupted_too_often, v1::CONCLUDED_REASON_INTERRUPTED_TOO_OFTEN},
    EnumPair{ConcludedReason::condition_false, v1::CONCLUDED_REASON_CONDITION_FALSE},
    EnumPair{ConcludedReason::skipped, v1::CONCLUDED_REASON_SKIPPED}};
inline constexpr std::array kCheckStates{
    EnumPair{State::planning, v1::CHECK_STATE_PLANNING}, EnumPair{State::planned, v1::CHECK_STATE_PLANNED},
    EnumPair{State::waiting, v1::CHECK_STATE_WAITING}, EnumPair{State::final, v1::CHECK_STATE_FINAL}};
inline constexpr std::array kStageStates{EnumPair{State::planned, v1::STAGE_STATE_PLANNED},
                                         EnumPair{State::attempting, v1::STAGE_STATE_ATTEMPTING},
                                         EnumPair{State::awaiting_group, v1::STAGE_STATE_AWAITING_GROUP},
                                         EnumPair{State::final, v1::STAGE_STATE_FINAL}};

/// The value on the wire; 0 for one that is not in the table, and for none.
template <class Table, class Ours>
[[nodiscard]] constexpr auto to_wire(const Table& table, Ours value) noexcept {
    auto found = decltype(table.front().wire){};
    for (const auto& pair : table)
        if (pair.ours == value) found = pair.wire;
    return found;
}
template <class Table, class Ours>
[[nodiscard]] constexpr auto to_wire(const Table& table, const std::optional<Ours>& value) noexcept {
    return value ? to_wire(table, *value) : decltype(table.front().wire){};
}

/// nullopt for 0 and for what is not in the table.
template <class Table, class Wire>
[[nodiscard]] constexpr auto from_wire(const Table& table, Wire value) noexcept {
    std::optional<decltype(table.front().ours)> found;
    for (const auto& pair : table)
        if (pair.wire == value) found = pair.ours;
    return found;
}

}  // namespace turboci::rpc
