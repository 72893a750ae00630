// SPDX-License-Identifier: Apache-2.0
// A write within a transaction that is open already.
#pragma once

#include "turboci/service.hpp"
#include "turboci/store.hpp"

namespace turboci::service {

struct Written {
    WriteResult answer;
    bool keep = false;  ///< there is something to commit
};
/// Decides and applies a write, without committing it. `is_new`: the plan is not in the store yet.
Written write_in(UnitOfWork& uow, const PlanRow& plan, const WriteNodes& request, const ClockReading& now,
                 bool is_new, const ServiceOptions& options);

}  // namespace turboci::service
