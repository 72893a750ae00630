// SPDX-License-Identifier: Apache-2.0
// What would become of a plan if all work in it succeeded.
#pragma once

#include <string>
#include <vector>

#include "turboci/requests.hpp"
#include "turboci/store.hpp"

namespace turboci::service {

/// Claims all that is ready and that `filter` takes, completes it, and so on until nothing moves; when only
/// attempts in backoff are left, time goes on to the first of them. Attempts that are held stay as they are,
/// however late it gets. All writes are part of `transaction`, and none is committed: meant for a copy in a
/// store in memory. Returns what was claimed, in that order.
std::vector<ClaimedAttempt> rehearse(Transaction& transaction, const std::string& plan,
                                     const ClockReading& start, const ClaimFilter& filter);

}  // namespace turboci::service
