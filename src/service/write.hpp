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

/// Is it an error of the store, and says nothing of plans?
[[nodiscard]] bool is_of_store(const Error& error);

/// Decides within a transaction: an error that says something of plans must stay true.
template <class Work>
auto decide_in(Transaction& transaction, const Work& work) {
    try {
        return work();
    } catch (const Error& error) {
        if (!is_of_store(error)) transaction.abandon();
        throw;
    }
}

/// Ends what was decided.
inline void end(Transaction& transaction, bool keep) {
    if (keep)
        transaction.commit();
    else
        transaction.abandon();
}

}  // namespace turboci::service
