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
        if (type == NodeType::stage) selection_.stages.push_back(node.id);
        selection_.totals.add({type, node.state, node.outcome, 1});
    }

    Selection& selection_;
};

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
