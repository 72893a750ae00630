// SPDX-License-Identifier: Apache-2.0
// A write within a transaction that is open already.
#pragma once

#include <string>

#include "engine/carry.hpp"
#include "turboci/service.hpp"
#include "turboci/store.hpp"

namespace turboci::service {

struct Written {
    WriteResult answer;
    bool keep = false;  ///< there is something to commit
};
/// What a write is beyond its request.
struct WriteKind {
    bool is_new = false;                            ///< the plan is not in the store yet
    const engine::CarriedNodes* carried = nullptr;  ///< what a new plan takes over
    std::string superseded_by = {};  ///< not empty: ends all that is open, for the plan of that id
};
/// Decides and applies a write, without committing it.
Written write_in(Transaction& transaction, const PlanRow& plan, const WriteNodes& request,
                 const ClockReading& now, const WriteKind& kind, const ServiceOptions& options);

}  // namespace turboci::service
