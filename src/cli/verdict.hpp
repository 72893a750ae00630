// SPDX-License-Identifier: Apache-2.0
// What nodes came to: for wait and gate.
#pragma once

#include <string>
#include <vector>

#include "turboci/requests.hpp"

namespace turboci::cli {

struct NodeStatus {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::string why;       ///< of what is not passed; raw data
    bool answers = false;  ///< a stage that is assigned to a check
    [[nodiscard]] bool is_final() const noexcept { return state == State::final; }
    [[nodiscard]] bool is_bad() const noexcept {
        return outcome == Outcome::failed || outcome == Outcome::cancelled;
    }
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

/// "check:a is FINAL failed: message"; raw data.
[[nodiscard]] std::string status_text(const NodeStatus& status);

}  // namespace turboci::cli
