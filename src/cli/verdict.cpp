// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict.hpp"

#include "cli/node_output.hpp"
#include "service/judge.hpp"

namespace turboci::cli {

NodeParts StatusSink::parts() {
    NodeParts parts = parts_for_reasons();
    parts.counts = true;
    return parts;
}

void StatusSink::check(const Check& check) {
    nodes_.push_back({{NodeType::check, check.id}, check.state, check.outcome, short_reason(check)});
}

void StatusSink::stage(const Stage& stage) {
    nodes_.push_back({{NodeType::stage, stage.id}, stage.state, stage.outcome, short_reason(stage)});
}

OpenNodes::OpenNodes(QueryNodes selection) : selection_(std::move(selection)) {
    selection_.parts = kBareNodes;
}

bool OpenNodes::are_gone(Service& service, const WorkPlan& plan) {
    const PlanTotals sum = totals(plan);
    if (sum.final_checks == sum.checks && sum.final_stages == sum.stages) return true;
    if (one_) {
        QueryNodes request;
        request.plan = selection_.plan;
        request.refs = {{one_->type, one_->id}};
        if (!open_nodes(service, std::move(request)).empty()) return false;
    }
    const std::vector<NodeRef> open = open_nodes(service, selection_);
    one_ = open.empty() ? std::nullopt : std::optional(open.front());
    return open.empty();
}

std::string status_text(const NodeStatus& status) {
    std::string text = to_string(status.ref) + " is " + state_text(status.state, status.outcome);
    if (!status.why.empty()) text += ": " + status.why;
    return text;
}

}  // namespace turboci::cli
