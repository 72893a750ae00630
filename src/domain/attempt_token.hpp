// SPDX-License-Identifier: Apache-2.0
// What an attempt is known by, as one word that can be handed to its processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace turboci {

/// Two attempts are the same one only if all of this is the same: a plan that was deleted and made anew under
/// the same id is another plan, and what was taken from a holder and given to another is another's.
struct AttemptToken {
    std::string store;          ///< identity of the store
    std::string plan_identity;  ///< of the plan itself
    std::string plan;           ///< its id
    std::string stage;          ///< id
    std::int32_t idx = 0;       ///< from 1
    std::string holder;         ///< identity of the holder
    bool operator==(const AttemptToken&) const = default;
};

/// Letters and digits alone.
[[nodiscard]] std::string to_string(const AttemptToken& token);
/// nullopt unless `text` is what to_string() makes.
[[nodiscard]] std::optional<AttemptToken> parse_attempt_token(std::string_view text);

}  // namespace turboci
