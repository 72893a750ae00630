// SPDX-License-Identifier: Apache-2.0
// Attempts that nobody will end: past their timeout or heartbeat, or held by a runner that is gone.
#pragma once

#include "engine/holder.hpp"

namespace turboci::engine {

/// Ends attempts of scripts that are past their time; marks those of live runners, which end them. Leaves
/// alone what `request` itself says as their holder: it ended in time, only the word of it comes late.
void expire_attempts(WorkingSet& nodes, const WriteNodes& request, const Holders& holders);
/// Looks at every held attempt.
void end_lost_attempts(WorkingSet& nodes, const Holders& holders);

}  // namespace turboci::engine
