// SPDX-License-Identifier: Apache-2.0
#include "turboci/dependency.hpp"

#include <algorithm>

namespace turboci {

std::string_view to_string(GroupKind kind) noexcept {
    switch (kind) {
        case GroupKind::all:
            return "AND";
        case GroupKind::any:
            return "OR";
        case GroupKind::at_least:
            return "THRESHOLD";
    }
    return "?";
}

std::string_view to_string(When when) noexcept {
    switch (when) {
        case When::success:
            return "success";
        case When::failure:
            return "failure";
        case When::always:
            return "always";
        case When::not_failed:
            return "not_failed";
        case When::unsuccessful:
            return "unsuccessful";
    }
    return "?";
}

std::string_view to_string(Resolution resolution) noexcept {
    switch (resolution) {
        case Resolution::unresolved:
            return "UNRESOLVED";
        case Resolution::satisfied:
            return "SATISFIED";
        case Resolution::unsatisfied:
            return "UNSATISFIED";
    }
    return "?";
}

std::optional<When> parse_when(std::string_view text) noexcept {
    for (const When w : {When::success, When::failure, When::always, When::not_failed, When::unsuccessful})
        if (to_string(w) == text) return w;
    return std::nullopt;
}

Resolution resolve(const GroupCount& count) noexcept {
    if (count.satisfied >= count.threshold) return Resolution::satisfied;
    if (count.satisfied + count.unresolved < count.threshold) return Resolution::unsatisfied;
    return Resolution::unresolved;
}

int furthest_before_end(NodeType type, const StateHistory& history) noexcept {
    int furthest = 0;
    for (const StateEntry& e : history)
        if (e.state != State::final) furthest = std::max(furthest, state_number(type, e.state));
    return furthest;
}

namespace {

/// Does the end of a target satisfy an edge that waits for it?
bool is_satisfied(When when, std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause) noexcept {
    switch (when) {
        case When::success:
            return outcome == Outcome::passed;
        case When::failure:
            return outcome == Outcome::failed;
        case When::always:
            return true;
        case When::not_failed:
            return outcome == Outcome::passed ||
                   (outcome == Outcome::skipped && skip_cause == SkipCause::not_needed);
        case When::unsuccessful:
            return outcome != Outcome::passed;
    }
    return false;
}

}  // namespace

Resolution resolve_edge(NodeType target_type, State on_state, When when, State target_state,
                        std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause,
                        int furthest) noexcept {
    const int wanted = state_number(target_type, on_state);
    if (state_number(target_type, target_state) < wanted) return Resolution::unresolved;
    // A target that was in a later state has reached this one; one that only ended has not.
    const bool satisfied =
        on_state != State::final ? furthest >= wanted : is_satisfied(when, outcome, skip_cause);
    return satisfied ? Resolution::satisfied : Resolution::unsatisfied;
}

Resolution resolve_edge(NodeType target_type, State on_state, When when, State target_state,
                        std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause,
                        const StateHistory& history) noexcept {
    return resolve_edge(target_type, on_state, when, target_state, outcome, skip_cause,
                        furthest_before_end(target_type, history));
}

}  // namespace turboci
