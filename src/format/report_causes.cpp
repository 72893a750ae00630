// SPDX-License-Identifier: Apache-2.0
#include "format/report_causes.hpp"

#include <algorithm>
#include <utility>

namespace turboci {
namespace {

void collect_broken(const Predicate& group, std::vector<std::string>& by) {
    if (group.resolution != Resolution::unsatisfied) return;
    for (const Edge& edge : group.edges)
        if (edge.resolution == Resolution::unsatisfied) by.push_back(to_string(edge.target));
    for (const Predicate& inner : group.groups) collect_broken(inner, by);
}

bool is_broken(const ReportNode& node) {
    return (node.check != nullptr ? node.check->skip_cause : node.stage->skip_cause) == SkipCause::upstream;
}

const std::vector<ReportNode> kNoNodes;

}  // namespace

ReportCauses::ReportCauses(const PlanReport& report) : report_(report) {
    std::vector<ReportNode> all;
    for (const Check& check : report.graph().checks()) all.push_back({&check, nullptr});
    for (const Stage& stage : report.graph().stages()) all.push_back({nullptr, &stage});
    for (const ReportNode& node : all) nodes_.emplace(to_string(node.ref()), node);
    for (const ReportNode& node : all)
        if (is_broken(node)) collect(node);
    for (const ReportNode& node : all) {
        const auto found = broken_.find(to_string(node.ref()));
        if (found == broken_.end()) continue;
        resolve(found->first);
        for (const ReportNode& cause : found->second.causes)
            skipped_after_[to_string(cause.ref())].push_back(node);
    }
}

void ReportCauses::collect(const ReportNode& node) {
    Broken broken;
    broken.node = node;
    collect_broken(node.check != nullptr ? node.check->dependencies : node.stage->dependencies, broken.by);
    if (node.check != nullptr) {
        for (const Stage* stage : report_.stages_of(*node.check))
            if (is_broken({nullptr, stage})) broken.by.push_back("stage:" + stage->id);
    }
    broken_.emplace(to_string(node.ref()), std::move(broken));
}

/// Chains are as long as plans are: no recursion.
void ReportCauses::resolve(const std::string& ref) {
    std::vector<std::pair<Broken*, std::size_t>> path;
    const auto enter = [&](const std::string& name) {
        const auto found = broken_.find(name);
        if (found == broken_.end() || found->second.visited) return;
        found->second.visited = true;
        path.emplace_back(&found->second, 0);
    };
    enter(ref);
    while (!path.empty()) {
        auto& [broken, next] = path.back();
        if (next < broken->by.size()) {
            enter(broken->by[next++]);
            continue;
        }
        const auto add = [&causes = broken->causes](const ReportNode& cause) {
            const auto is_it = [&](const ReportNode& n) { return n.ref() == cause.ref(); };
            if (causes.size() < kMaxCauses && std::ranges::none_of(causes, is_it)) causes.push_back(cause);
        };
        for (const std::string& name : broken->by) {
            if (const auto further = broken_.find(name); further != broken_.end()) {
                for (const ReportNode& cause : further->second.causes) add(cause);
            } else if (const auto node = nodes_.find(name); node != nodes_.end()) {
                add(node->second);
            }
        }
        path.pop_back();
    }
}

const std::vector<ReportNode>& ReportCauses::causes_of(const NodeRef& ref) const {
    const auto found = broken_.find(to_string(ref));
    return found == broken_.end() ? kNoNodes : found->second.causes;
}

const std::vector<ReportNode>& ReportCauses::skipped_after(const NodeRef& ref) const {
    const auto found = skipped_after_.find(to_string(ref));
    return found == skipped_after_.end() ? kNoNodes : found->second;
}

}  // namespace turboci
