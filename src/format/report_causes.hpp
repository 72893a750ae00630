// SPDX-License-Identifier: Apache-2.0
// What kept nodes from running, and what each failure kept from running.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/plan_report.hpp"
#include "format/report_sections.hpp"

namespace turboci {

/// For every node that was skipped after a failure the nodes where that began: found along the edges that
/// were broken, and from a check to its stages that were skipped. The report must outlive it.
class ReportCauses {
public:
    explicit ReportCauses(const PlanReport& report);

    /// Root causes, at most kMaxCauses; empty for what was not skipped after a failure.
    [[nodiscard]] const std::vector<ReportNode>& causes_of(const NodeRef& ref) const;
    /// What was skipped because of this node: checks, then stages.
    [[nodiscard]] const std::vector<ReportNode>& skipped_after(const NodeRef& ref) const;
    static constexpr std::size_t kMaxCauses = 8;

private:
    struct Broken {
        ReportNode node;
        std::vector<std::string> by;  ///< references of what broke it directly
        std::vector<ReportNode> causes;
        bool visited = false;
    };
    void collect(const ReportNode& node);
    void resolve(const std::string& ref);

    const PlanReport& report_;
    std::unordered_map<std::string, ReportNode> nodes_;
    std::unordered_map<std::string, Broken> broken_;
    std::unordered_map<std::string, std::vector<ReportNode>> skipped_after_;
};

}  // namespace turboci
