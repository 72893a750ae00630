// SPDX-License-Identifier: Apache-2.0
// Why nodes were skipped, for plans whose export does not say it.
#pragma once

#include "turboci/store.hpp"

namespace turboci::service {

/// Gives each skipped node of the plan its cause: `upstream` to what needed, along edges and assignments,
/// something that failed or was cancelled; `not_needed` to all others.
void decide_skip_causes(Transaction& transaction, PlanKey plan);

}  // namespace turboci::service
