// SPDX-License-Identifier: Apache-2.0
// What a new plan takes over from the plan that it is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/apply.hpp"

namespace turboci::engine {

/// A result that comes along, finalized.
struct CarriedResult {
    const ResultRow* row = nullptr;
    const std::string* stage = nullptr;  ///< id of the stage whose attempt wrote it; null: nobody's attempt
};

/// What comes along with one node of the new plan.
struct CarriedNode {
    const NodeRecord* record = nullptr;       ///< of the old plan, FINAL; null: the node begins anew
    std::vector<CarriedResult> results;       ///< of a check, in either case
    std::vector<const AttemptRow*> attempts;  ///< of a stage that is carried, by idx
    const CreatedBy* author = nullptr;        ///< of a node that an attempt wrote, one of those carried
    /// Of a stage that is carried: when its attempt wrote its continuation group, if it did.
    std::optional<Timestamp> group_since = {};
};

/// One entry for each check and each stage of the request that creates the new plan, in its order. What is
/// pointed to must live until the decision does not any more.
struct CarriedNodes {
    std::string plan, identity;  ///< of the old plan
    std::vector<CarriedNode> checks, stages;
};

/// Where a node of the old plan ran for the first time.
[[nodiscard]] CarriedFrom origin_of(const CarriedNodes& carried, const NodeRecord& record);

/// Brings the nodes that were created for it where they were in the old plan. After apply_writes(), before
/// anything is resolved.
void carry(Session& session, const CarriedNodes& carried);

/// Ends everything that is open in a plan from which another was made: checks are skipped, then stages are
/// cancelled, and nothing becomes ready in between. No attempt of it may be RUNNING.
void supersede(Session& session, const std::string& new_plan);

}  // namespace turboci::engine
