// SPDX-License-Identifier: Apache-2.0
#include "runner/selection.hpp"

namespace turboci {

namespace {

class SelectionSink final : public NodeSink {
public:
    explicit SelectionSink(Selection& selection) : selection_(selection) {}
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { add(NodeType::check, check); }
    void stage(const Stage& stage) override { add(NodeType::stage, stage); }

private:
    template <class Node>
    void add(NodeType type, const Node& node) {
        selection_.ids.insert(to_string(NodeRef{type, node.id}));
        count(type, node.state, node.outcome);
    }
    void count(NodeType type, State state, std::optional<Outcome> outcome);

    Selection& selection_;
};

void SelectionSink::count(NodeType type, State state, std::optional<Outcome> outcome) {
    PlanTotals& totals = selection_.totals;
    const bool check = type == NodeType::check;
    ++(check ? totals.checks : totals.stages);
    if (state != State::final) return;
    ++(check ? totals.final_checks : totals.final_stages);
    switch (outcome.value_or(Outcome::passed)) {
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
                                              const std::vector<RefText>& refs) {
    QueryNodes needed;
    needed.plan = plan;
    needed.refs = refs;
    needed.deps = -1;
    needed.parts = kBareNodes;
    auto selection = std::make_shared<Selection>();
    SelectionSink sink(*selection);
    service.query(needed, sink);
    return selection;
}

}  // namespace turboci
