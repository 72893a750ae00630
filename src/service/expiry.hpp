// SPDX-License-Identifier: Apache-2.0
// Attempts that nobody will end: past their timeout or heartbeat, or held by a runner that died.
#pragma once

#include "service/working_set.hpp"
#include "turboci/orchestrator.hpp"

namespace turboci::service {

void expire_attempts(WorkingSet& nodes);
void end_lost_attempts(WorkingSet& nodes, const Orchestrator::RunnerProbe& alive);

}  // namespace turboci::service
