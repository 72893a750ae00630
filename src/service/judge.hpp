// SPDX-License-Identifier: Apache-2.0
// The verdict of what a query selects.
#pragma once

#include "turboci/service.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

/// Queries and judges. Checks that a selected stage is assigned to are looked up where they are not selected
/// themselves. `also` hears what the query finds, too; without it only what the verdict needs is read.
[[nodiscard]] Judgement judge(Service& service, QueryNodes request, NodeSink* also = nullptr);

/// The same by the stricter rule of a gate: PASSED if every required check is FINAL and passed, and there is
/// one; else FAILED, and Judgement::bad are the checks that say no.
[[nodiscard]] Judgement judge_gate(Service& service, QueryNodes request, bool allow_skipped);

/// Is something that counts still open? Reads open nodes alone. `request` may name nodes, but not filter by
/// state.
[[nodiscard]] std::vector<NodeRef> open_nodes(Service& service, QueryNodes request);

}  // namespace turboci
