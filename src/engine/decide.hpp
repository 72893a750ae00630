// SPDX-License-Identifier: Apache-2.0
// One write, decided: from a plan, a request and what is asked of the store to all changes and the answer. No
// I/O but the questions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/carry.hpp"
#include "engine/working_set.hpp"
#include "turboci/runner.hpp"

namespace turboci::engine {

/// What a write is made of.
struct WriteInput {
    const WriteNodes& request;
    PlanRow plan;              ///< as it is; a new one as it will be created
    bool is_new = false;       ///< it is not stored yet
    NodeKey next_node{};       ///< that the next new node gets
    ClockReading now;          ///< the moment of the write
    std::string store;         ///< its identity
    const RunnerProbe& probe;  ///< empty: every runner is taken for alive
    Duration lost_after{0};    ///< a runner that cannot be probed is gone when it has been silent for so long
    const CarriedNodes* carried = nullptr;  ///< what a new plan takes over from another
    std::string superseded_by = {};         ///< not empty: all that is open ends, for the plan of that id
};

/// What a write comes to. Nothing has been changed yet.
struct Decision {
    PlanRow plan;        ///< as it will be
    WriteResult answer;  ///< but for WriteResult::next_ready_in
    ChangeSet changes;   ///< refers to `nodes`
    bool keep = false;   ///< is there anything to commit?
    std::unique_ptr<WorkingSet> nodes;
};

/// Applies the request, resolves dependencies to the fixpoint, then takes what is claimed. `load` answers
/// questions about the plan as it is stored; it and `input.request` must outlive the decision. Errors as
/// Service::write_nodes().
[[nodiscard]] Decision decide(const WriteInput& input, const Load& load);

/// CONFLICT if the request expects another version of the plan.
void check_version(const WriteNodes& request, const PlanRow& plan);

/// What WriteNodes::token takes for that attempt.
[[nodiscard]] std::string token_of(const std::string& store, const PlanRow& plan, const std::string& stage,
                                   const AttemptRow& row);

}  // namespace turboci::engine
