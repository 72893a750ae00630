// SPDX-License-Identifier: Apache-2.0
// Applies what a writer asked for, node by node. Consequences are resolve.hpp's.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/working_set.hpp"
#include "turboci/problems.hpp"

namespace turboci::engine {

/// One write in progress. Refusals are collected in `problems`; the caller raises them and rolls back.
struct Session {
    const WriteNodes& request;
    const PlanRow& plan;
    /// The identity of the store.
    const std::string& store;
    WorkingSet& nodes;
    Problems problems;

    /// The nodes of the request, in its order.
    std::vector<Node*> checks, stages;
    /// Parts that need a first fixpoint before they can be judged.
    std::vector<std::pair<Node*, CheckWrite>> late_results;
    std::vector<std::pair<Node*, StageWrite>> late_stages;
    std::vector<std::pair<Node*, Position>> skipped_checks;
    std::vector<Limit> limits;               ///< of the plan, as this write leaves them
    std::optional<PlanCancelled> cancelled;  ///< likewise
    /// The checks that the stage whose attempt writes is assigned to finish, sorted; none until somebody
    /// asks.
    std::optional<std::vector<NodeKey>> finished_by_writer;
};

/// Creates what the request names for the first time, so that all names are known afterwards.
void create_nodes(Session& session);
/// Everything of the request but what comes late. Call resolve_to_fixpoint() afterwards.
void apply_writes(Session& session);
/// The rest. Call resolve_to_fixpoint() again.
void apply_late(Session& session);

// ---- parts, one per file
void apply_check(Session& session, Node& check, const CheckWrite& write);
void apply_check_predicate(Session& session, Node& check, const CheckWrite& write, bool open);
void apply_results(Session& session, Node& check, const CheckWrite& write, bool finishing);
void apply_stage(Session& session, Node& stage, const StageWrite& write);
void apply_attempt(Session& session, Node& stage, const AttemptWrite& write);
/// What a write says of the attempt and the state of a stage, that is there.
void apply_moves(Session& session, Node& stage, const StageWrite& write);
void apply_cancel(Session& session, Node& stage, Position at);
void apply_skip(Session& session, Node& node, Position at);
/// The plan's limits, before anything that uses them.
void apply_limits(Session& session);

/// A sign of life and nothing else: it is no change.
[[nodiscard]] bool is_heartbeat_alone(const AttemptWrite& write);

/// Refuses the write if new dependency edges close a cycle; the message shows the shortest through them.
void refuse_cycles(Session& session);

/// Does the write speak of what NodeBody holds?
[[nodiscard]] bool sets_body(const StageWrite& write);

/// "check:ID".
[[nodiscard]] std::string name_of(const Node& node);

}  // namespace turboci::engine
