// SPDX-License-Identifier: Apache-2.0
// A plan in memory, as far as reports need it: what needs what, the critical path.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

/// One node of the graph, by index.
struct GraphNode {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<Timestamp> began;  ///< stages: when the first attempt became RUNNING
    std::optional<Timestamp> ended;  ///< stages: when the last attempt ended; checks: when it was FINAL
    Predicate dependencies;
    std::vector<NodeRef> group;           ///< stages: the members of the continuation group
    std::vector<Assignment> assignments;  ///< stages
};

/// Collects a query's nodes. Later calls look at what was collected.
class PlanGraph : public NodeSink {
public:
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override;
    void stage(const Stage& stage) override;

    [[nodiscard]] const std::vector<GraphNode>& nodes() const noexcept { return nodes_; }

    struct Chain {
        std::vector<std::string> stages;  ///< first to last
        Duration length{0};               ///< from the beginning of the first to the end of the last
        Duration waiting{0};              ///< of which none of them was at work: between two of them
    };
    /// Why a run took as long as it did, measured: from the stage that ended last back, each time to what
    /// ended last, of all that it depends on, before it began. A stage takes from its first attempt to the
    /// end of its last one, retries and backoff included. What was skipped is no cause. Only stages that
    /// `ran` admits, by id, are part of it.
    [[nodiscard]] Chain critical_path(const std::function<bool(const std::string&)>& ran) const;

private:
    void add(GraphNode node);
    [[nodiscard]] std::optional<std::size_t> find(const NodeRef& ref) const;
    /// Of what is over before node `i` begins, that which ended last, but not after `limit`.
    [[nodiscard]] std::optional<std::size_t> last_before(std::size_t i, Timestamp limit) const;
    /// Indexes of what is over before node `i` begins.
    void each_earlier(std::size_t i, const std::function<void(std::size_t)>& visit) const;

    std::vector<GraphNode> nodes_;
    std::unordered_map<std::string, std::size_t> index_;                      ///< by "type:id"
    std::unordered_map<std::string, std::vector<std::size_t>> assigned_to_;   ///< stages by check id
    std::unordered_map<std::string, std::vector<std::size_t>> continued_by_;  ///< stages by member's id
};

}  // namespace turboci
