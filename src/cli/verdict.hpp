// SPDX-License-Identifier: Apache-2.0
// What nodes came to: for wait, watch and gate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "turboci/requests.hpp"
#include "turboci/service.hpp"

namespace turboci::cli {

struct NodeStatus {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::string why;  ///< of what is not passed; raw data
};

/// Keeps the statuses of the nodes that a query finds.
class StatusSink final : public NodeSink {
public:
    /// What it looks at.
    [[nodiscard]] static NodeParts parts();
    void plan(const WorkPlan& plan) override { plan_ = plan; }
    void check(const Check& check) override;
    void stage(const Stage& stage) override;
    [[nodiscard]] const WorkPlan& plan() const noexcept { return plan_; }
    [[nodiscard]] const std::vector<NodeStatus>& nodes() const noexcept { return nodes_; }

private:
    WorkPlan plan_;
    std::vector<NodeStatus> nodes_;
};

/// Tells when nothing that the verdict of a selection counts is open any more. Asks for one open node alone
/// as long as that stays open.
class OpenNodes {
public:
    /// Nodes may be named; everything without.
    explicit OpenNodes(QueryNodes selection);
    [[nodiscard]] bool are_gone(Service& service, const WorkPlan& plan);

private:
    QueryNodes selection_;
    std::optional<NodeRef> one_;
};

/// "check:a is FINAL failed: message"; raw data.
[[nodiscard]] std::string status_text(const NodeStatus& status);

}  // namespace turboci::cli
