// SPDX-License-Identifier: Apache-2.0
// A plan as it is now, taken from one store into another.
#pragma once

#include "turboci/store.hpp"

namespace turboci::service {

/// Copies everything that the rules look at: nodes, predicates, assignments, goals, attempts with their
/// holders and the signs of life of those, results, the clock. The record, the operations and the progress of
/// attempts stay behind. Returns the key of the copy. CONFLICT if `to` has a plan of that id.
PlanKey copy_plan(Snapshot& from, const PlanRow& plan, Transaction& to);

}  // namespace turboci::service
