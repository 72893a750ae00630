// SPDX-License-Identifier: Apache-2.0
#include "format/graph_failures.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace turboci {
namespace {

/// PLAN:STAGE:IDX taken apart at its last colon: stage ids may hold colons.
struct AttemptOwner {
    std::string_view stage;
    std::int64_t idx = 0;
};

AttemptOwner attempt_owner(std::string_view owner_id) {
    const std::size_t colon = owner_id.rfind(':');
    if (colon == std::string_view::npos) return {owner_id, 0};
    AttemptOwner owner{owner_id.substr(0, colon), 0};
    std::from_chars(owner_id.data() + colon + 1, owner_id.data() + owner_id.size(), owner.idx);
    return owner;
}

}  // namespace

std::vector<std::string> failure_messages(const Check& check) {
    std::map<std::string_view, std::int64_t> highest;
    for (const Result& result : check.results) {
        if (result.owner_type != OwnerType::stage_attempt) continue;
        const AttemptOwner owner = attempt_owner(result.owner_id);
        std::int64_t& idx = highest[owner.stage];
        idx = std::max(idx, owner.idx);
    }
    std::vector<std::string> messages;
    for (const Result& result : check.results) {
        if (!result.failure) continue;
        if (result.owner_type == OwnerType::stage_attempt) {
            const AttemptOwner owner = attempt_owner(result.owner_id);
            if (owner.idx < highest[owner.stage]) continue;
        }
        messages.push_back(*result.failure);
    }
    return messages;
}

std::string failure_message(const Stage& stage) {
    if (stage.outcome == Outcome::cancelled && stage.concluded_message) return *stage.concluded_message;
    if (!stage.attempts.empty() && stage.attempts.back().failure) return *stage.attempts.back().failure;
    if (!stage.concluded_reason || stage.outcome == Outcome::passed) return {};
    if (*stage.concluded_reason == ConcludedReason::attempt_complete) return {};
    std::string words(to_string(*stage.concluded_reason));
    std::ranges::replace(words, '_', ' ');
    return words;
}

}  // namespace turboci
