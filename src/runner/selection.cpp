// SPDX-License-Identifier: Apache-2.0
#include "runner/selection.hpp"

#include <algorithm>
#include <utility>

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

/// The stages outside of a selection, each with what it depends on.
class OutsideSink final : public NodeSink {
public:
    explicit OutsideSink(const Selection& selection) : selection_(selection) {}
    void plan(const WorkPlan&) override {}
    void check(const Check&) override {}
    void stage(const Stage& stage) override {
        if (is_selected(&selection_, {NodeType::stage, stage.id})) return;
        Outside outside;
        outside.id = stage.id;
        add_edges(stage.dependencies, outside);
        if (outside.targets.empty()) return;
        stages_.push_back(std::move(outside));
    }

    std::vector<std::string> clean_up() {
        std::unordered_set<std::string> found;
        std::vector<std::string> ids;
        for (bool more = true; std::exchange(more, false);) {
            for (Outside& stage : stages_) {
                if (stage.found || !cleans_up(stage, found)) continue;
                stage.found = more = true;
                found.insert(to_string(NodeRef{NodeType::stage, stage.id}));
                ids.push_back(stage.id);
            }
        }
        return ids;
    }

private:
    struct Outside {
        std::string id;
        std::vector<std::string> targets;
        bool follows_trouble = true;  ///< each edge waits for an end, and not for a success
        bool found = false;
    };

    static void add_edges(const Predicate& group, Outside& stage) {
        for (const Edge& edge : group.edges) {
            stage.targets.push_back(to_string(edge.target));
            stage.follows_trouble = stage.follows_trouble && !wants_no_failure(edge.on_state, edge.when);
        }
        for (const Predicate& inner : group.groups) add_edges(inner, stage);
    }

    bool cleans_up(const Outside& stage, const std::unordered_set<std::string>& found) const {
        const auto of_those = [&](const std::string& target) { return found.contains(target); };
        const auto hangs_on_it = [&](const std::string& target) {
            return selection_.ids.contains(target) || of_those(target);
        };
        if (stage.follows_trouble) return std::ranges::any_of(stage.targets, hangs_on_it);
        return std::ranges::all_of(stage.targets, of_those);
    }

    const Selection& selection_;
    std::vector<Outside> stages_;
};

}  // namespace

std::vector<std::string> clean_up_of(Service& service, const std::string& plan, const Selection& selection) {
    QueryNodes all;
    all.plan = plan;
    all.types = {NodeType::stage};
    all.parts = kBareNodes;
    all.parts.predicates = true;
    OutsideSink sink(selection);
    service.query(all, sink);
    return sink.clean_up();
}

std::shared_ptr<const Selection> select_nodes(Service& service, const std::string& plan,
                                              const std::vector<RefText>& refs,
                                              const std::vector<std::string>& besides) {
    QueryNodes needed;
    needed.plan = plan;
    needed.refs = refs;
    needed.deps = -1;
    needed.parts = kBareNodes;
    auto selection = std::make_shared<Selection>();
    SelectionSink sink(*selection);
    service.query(needed, sink);
    if (besides.empty()) return selection;
    needed.refs.clear();
    needed.deps.reset();
    for (const std::string& id : besides) needed.refs.push_back({NodeType::stage, id});
    service.query(needed, sink);
    return selection;
}

}  // namespace turboci
