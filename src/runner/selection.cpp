// SPDX-License-Identifier: Apache-2.0
#include "runner/selection.hpp"

namespace turboci {

namespace {

void count(PlanTotals& totals, const GraphNode& node) {
    const bool check = node.ref.type == NodeType::check;
    ++(check ? totals.checks : totals.stages);
    if (node.state != State::final) return;
    ++(check ? totals.final_checks : totals.final_stages);
    switch (node.outcome.value_or(Outcome::passed)) {
        case Outcome::passed:
            ++(check ? totals.passed_checks : totals.passed_stages);
            break;
        case Outcome::failed:
            ++(check ? totals.failed_checks : totals.failed_stages);
            break;
        case Outcome::skipped:
            ++(check ? totals.skipped_checks : totals.skipped_stages);
            break;
        case Outcome::cancelled:
            ++totals.cancelled_stages;
            break;
    }
}

}  // namespace

std::shared_ptr<const Selection> select_nodes(Service& service, const std::string& plan,
                                              const std::vector<RefText>& refs, PlanGraph* graph) {
    QueryNodes needed;
    needed.plan = plan;
    needed.refs = refs;
    needed.deps = -1;
    PlanGraph own;
    PlanGraph& found = graph != nullptr ? *graph : own;
    service.query(needed, found);

    auto selection = std::make_shared<Selection>();
    for (const GraphNode& node : found.nodes()) {
        selection->ids.insert(to_string(node.ref));
        count(selection->totals, node);
    }
    return selection;
}

}  // namespace turboci
