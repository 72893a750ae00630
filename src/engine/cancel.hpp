// SPDX-License-Identifier: Apache-2.0
// A plan, or a part of it, is cancelled; the stages that clean up are left to run.
#pragma once

#include "engine/apply.hpp"

namespace turboci::engine {

/// Cancels what the request says (see CancelStages). After everything else has been resolved.
void apply_plan_cancel(Session& session);
/// Cancels the new stages that do not clean up: of a plan that was cancelled before. Before anything is
/// resolved, so that none of them becomes ready.
void cancel_new_stages(Session& session);

}  // namespace turboci::engine
