// SPDX-License-Identifier: Apache-2.0
// Attempts that nobody will end: past their timeout or heartbeat, or held by a runner that died.
#pragma once

#include "service/working_set.hpp"
#include "turboci/orchestrator.hpp"

namespace turboci::service {

/// Leaves alone what `request` itself speaks for as the runner that holds the attempt: it ended in time,
/// only the word of it comes late.
void expire_attempts(WorkingSet& nodes, const WriteNodes& request);
void end_lost_attempts(WorkingSet& nodes, const Orchestrator::RunnerProbe& alive);

}  // namespace turboci::service
