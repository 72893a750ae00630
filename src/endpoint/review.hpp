// SPDX-License-Identifier: Apache-2.0
// An offline look at a whole plan.
#pragma once

#include <string>
#include <vector>

#include "turboci/problems.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// What is found beyond single problems (`turboci validate`): warnings of plans that can never finish.
struct PlanReview {
    std::vector<std::string> warnings;
};
/// Treats `request` as a complete plan. Problems found, targets that no file defines and cycles among them,
/// go to `problems`.
[[nodiscard]] PlanReview review(const WriteNodes& request, Problems& problems);

/// Refuses what the rules refuse of a request that creates a whole plan, as Service::create_plan() does.
/// After review(), which finds more of it at once and says what is near.
void try_rules(const WriteNodes& request);

}  // namespace turboci
