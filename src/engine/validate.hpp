// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request, whatever the plan.
#pragma once

#include "turboci/problems.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Adds every problem that can be seen without a store: bad ids, duplicate nodes, states that a type does
/// not have, impossible groups, `when` on an earlier state, negative durations, control characters.
void validate(const WriteNodes& request, Problems& problems);
/// The same of a plan's id and labels, and of its nodes.
void validate(const CreatePlan& request, Problems& problems);
/// The same of the new plan's id, and of its definitions.
void validate(const RerunPlan& request, Problems& problems);

}  // namespace turboci
