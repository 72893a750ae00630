// SPDX-License-Identifier: Apache-2.0
// Plans that can never finish although their dependency edges form no cycle: a stage that waits for the
// FINAL of a check that it is itself assigned to finish, a continuation group that waits for its parent.
//
// The graph is abstract, so that the same rules look at a plan file and at a store. Its vertices are
// moments in the life of a node: a check is PLANNED, WAITING, FINAL; a stage is started (ATTEMPTING), FINAL.
//   check PLANNED  waits for the stages assigned to plan it (if there are any; else somebody may)
//   check WAITING  waits for PLANNED and for its dependencies
//   check FINAL    waits for WAITING and for every stage assigned to finish it
//   stage started  waits for its dependencies
//   stage FINAL    waits for its start and for its continuation group
// A deadlock is a moment that cannot come even if every group gets the members that it can get.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "turboci/node.hpp"

namespace turboci {

/// What one node still waits for. Leave out what is resolved; a FINAL node waits for nothing.
struct WaitNode {
    /// `needed` of its members (edges and child groups); a resolved member counts as one less.
    struct Group {
        std::int32_t parent = -1;  ///< index into `groups`; -1: a root
        std::int32_t needed = 0;
        bool continuation = false;  ///< roots only: the stage's FINAL waits for it, not its start
    };
    struct Edge {
        std::int32_t group = 0;  ///< index into `groups`
        std::int64_t target = 0;
        State on_state = State::final;
    };
    struct Assigned {
        std::int64_t stage = 0;  ///< not FINAL
        State goal = State::final;
    };
    NodeType type = NodeType::check;
    State state = State::planning;
    std::vector<Group> groups;  ///< parents before their children
    std::vector<Edge> edges;
    std::vector<Assigned> assigned;  ///< checks only
    void clear() {
        groups.clear();
        edges.clear();
        assigned.clear();
    }
};

/// Who waits for a node: one unresolved edge to it, or a check that it (a stage) is assigned to.
struct Waiter {
    std::int64_t node = 0;
    NodeType type = NodeType::check;
    State on_state = State::final;  ///< edges: awaited state of the target; assignments: the goal
    bool continuation = false;      ///< the edge belongs to a continuation group
    bool assignment = false;        ///< `node` is a check to which the stage is assigned
};

/// Where the rules look. Keys are the caller's; they are not negative.
class WaitGraph {
public:
    virtual ~WaitGraph() = default;
    /// Fills `out`, which was clear()ed.
    virtual void load(std::int64_t node, WaitNode& out) = 0;
    /// Appends to `out`. Needed by find_new_deadlocks() alone.
    virtual void waiters(std::int64_t node, std::vector<Waiter>& out) = 0;
};

/// One circle of waiting. Each step waits for the next one, the last for the first.
struct Deadlock {
    enum class Why : std::uint8_t { dependency, assignment, continuation };
    struct Step {
        std::int64_t node = 0;
        Why why = Why::dependency;      ///< why it waits for the next step's node
        State on_state = State::final;  ///< which state of that it waits for
    };
    std::vector<Step> steps;
};

/// All circles among `nodes`, at most `limit`, each moment in one of them at most; what is awaited outside
/// of `nodes` is taken to come. Linear in nodes and edges; no recursion.
[[nodiscard]] std::vector<Deadlock> find_deadlocks(WaitGraph& graph, std::span<const std::int64_t> nodes,
                                                   std::size_t limit);

/// The circles that pass through one of `changed` (nodes that a write created or gave something to wait
/// for). Searches from them in both directions at once and stops when either has nothing left, so that it
/// costs no more than twice the smaller of what they wait for and what waits for them.
[[nodiscard]] std::vector<Deadlock> find_new_deadlocks(WaitGraph& graph,
                                                       std::span<const std::int64_t> changed,
                                                       std::size_t limit);

/// "stage:s can never finish: it waits for check:c to be FINAL, which waits for stage:s that is assigned to
/// it".
[[nodiscard]] std::string describe(const Deadlock& deadlock,
                                   const std::function<std::string(std::int64_t)>& name);

}  // namespace turboci
