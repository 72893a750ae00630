// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict.hpp"

#include "cli/node_output.hpp"

namespace turboci::cli {

NodeParts StatusSink::parts() {
    NodeParts parts = parts_for_reasons();
    parts.assignments = parts.counts = true;
    return parts;
}

void StatusSink::check(const Check& check) {
    nodes_.push_back({{NodeType::check, check.id}, check.state, check.outcome, short_reason(check), false});
}

void StatusSink::stage(const Stage& stage) {
    nodes_.push_back({{NodeType::stage, stage.id},
                      stage.state,
                      stage.outcome,
                      short_reason(stage),
                      !stage.assignments.empty()});
}

std::string status_text(const NodeStatus& status) {
    std::string text = to_string(status.ref) + " is " + state_text(status.state, status.outcome);
    if (!status.why.empty()) text += ": " + status.why;
    return text;
}

}  // namespace turboci::cli
