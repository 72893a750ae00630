// SPDX-License-Identifier: Apache-2.0
// All that a query shows.
#pragma once

#include <vector>

#include "turboci/turboci.hpp"

namespace turboci::test {

class NodeList final : public NodeSink {
public:
    void plan(const WorkPlan& p) override { work_plan = p; }
    void check(const Check& c) override { checks.push_back(c); }
    void stage(const Stage& s) override { stages.push_back(s); }
    WorkPlan work_plan;
    std::vector<Check> checks;
    std::vector<Stage> stages;
};

}  // namespace turboci::test
