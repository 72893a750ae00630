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

std::shared_ptr<const Selection> select_nodes(Endpoint& endpoint, const std::string& plan,
                                              const std::vector<RefText>& refs, PlanGraph* graph) {
    QueryNodes named;
    named.plan = plan;
    named.refs = refs;
    PlanGraph roots;
    endpoint.query(named, roots);
    std::vector<NodeRef> root_refs;
    for (const GraphNode& node : roots.nodes()) root_refs.push_back(node.ref);

    PlanGraph own;
    PlanGraph& whole = graph != nullptr ? *graph : own;
    QueryNodes everything;
    everything.plan = plan;
    endpoint.query(everything, whole);

    auto selection = std::make_shared<Selection>();
    selection->ids = whole.closure(root_refs);
    for (const GraphNode& node : whole.nodes()) {
        if (is_selected(selection.get(), node.ref)) count(selection->totals, node);
    }
    return selection;
}

}  // namespace turboci
