// SPDX-License-Identifier: Apache-2.0
// Taking ready attempts.
#pragma once

#include <vector>

#include "engine/apply.hpp"

namespace turboci::engine {

/// Stages whose current attempts were taken: first `claim.at_most` RUNNING ones, then `claim.ahead` SCHEDULED
/// ones, each oldest ready first; or those that were named, in that order.
[[nodiscard]] std::vector<Node*> take_claim(Session& session, const Claim& claim);

}  // namespace turboci::engine
