// SPDX-License-Identifier: Apache-2.0
// What a query finds, kept.
#pragma once

#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

/// Keeps what a query finds, to be reported.
class NodeCollector : public NodeSink {
public:
    void plan(const WorkPlan& plan) override { plan_ = plan; }
    void check(const Check& check) override { checks_.push_back(check); }
    void stage(const Stage& stage) override { stages_.push_back(stage); }
    [[nodiscard]] const WorkPlan& plan() const { return plan_; }
    [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
    [[nodiscard]] const std::vector<Stage>& stages() const { return stages_; }

private:
    WorkPlan plan_;
    std::vector<Check> checks_;
    std::vector<Stage> stages_;
};

}  // namespace turboci
