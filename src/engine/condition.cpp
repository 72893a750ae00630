// SPDX-License-Identifier: Apache-2.0
#include "engine/condition.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "domain/json_pointer.hpp"
#include "domain/policy_text.hpp"
#include "engine/answers.hpp"

namespace turboci::engine {

namespace {

/// Does the value at the pointer, if there is one, fulfil the test without its negation?
bool fulfils(const Condition& condition, const std::string& data) {
    const auto value = find_json_value(data, condition.path);
    const bool looks_for_value =
        condition.test == Condition::Test::equals || condition.test == Condition::Test::not_equals;
    return value && (!looks_for_value || same_json_value(*value, condition.value));
}

bool holds(WorkingSet& nodes, const Condition& condition) {
    const Node* check = nodes.find(NodeType::check, condition.check);
    bool found = false;
    if (check != nullptr) {
        const auto results = nodes.results(*check);
        const auto counted = counted_results(results);
        found = std::ranges::any_of(
            counted, [&](const ResultRow* row) { return fulfils(condition, row->result.data.text); });
    }
    const bool negated =
        condition.test == Condition::Test::not_equals || condition.test == Condition::Test::absent;
    return found != negated;
}

std::string describe(const Condition& condition) {
    const auto is = [&](std::string_view what) {
        return fmt::format("check:{} {} {}", condition.check, condition.path, what);
    };
    switch (condition.test) {
        case Condition::Test::equals:
            return is("is not ") + condition.value;
        case Condition::Test::not_equals:
            return is("is ") + condition.value;
        case Condition::Test::exists:
            return is("is not there");
        case Condition::Test::absent:
            return is("is there");
    }
    return {};
}

/// Numbers of the groups of which every member has to be satisfied, up to the root.
std::vector<bool> groups_that_need_all(WorkingSet& nodes, Node& node, const std::vector<EdgeRow>& edges) {
    std::vector<GroupRow> groups(1);
    groups[0].count = node.row.dependencies;
    groups[0].parent = -1;
    for (const CachedGroup& group : nodes.groups(node))
        if (group.row.role == PredicateRole::dependencies) groups.push_back(group.row);
    std::vector<std::int32_t> members(groups.size());
    for (const EdgeRow& edge : edges) ++members.at(static_cast<std::size_t>(edge.group));
    for (std::size_t i = 1; i < groups.size(); ++i) ++members.at(static_cast<std::size_t>(groups[i].parent));
    std::vector<bool> needs_all(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const bool above = i == 0 || needs_all[static_cast<std::size_t>(groups[i].parent)];
        needs_all[i] = above && groups[i].count.threshold == members[i];
    }
    return needs_all;
}

}  // namespace

std::vector<Condition> condition_of(WorkingSet& nodes, const Node& node) {
    if (node.is_new() ? !node.has_condition : node.row.dependencies.threshold == 0) return {};
    return nodes.body(node).condition;
}

std::optional<std::string> why_not_wanted(WorkingSet& nodes, const Node& node) {
    for (const Condition& condition : condition_of(nodes, node))
        if (!holds(nodes, condition)) return describe(condition);
    return std::nullopt;
}

void check_condition(Session& session, Node& node, Position at) {
    WorkingSet& nodes = session.nodes;
    const auto condition = nodes.body(node).condition;
    if (condition.empty()) return;
    const auto edges = nodes.edges_of(node, PredicateRole::dependencies);
    const auto needs_all = groups_that_need_all(nodes, node, edges);
    for (const Condition& c : condition) {
        const Node* check = nodes.find(NodeType::check, c.check);
        const bool asked =
            check != nullptr && std::ranges::any_of(edges, [&](const EdgeRow& edge) {
                return edge.target == check->row.key && needs_all[static_cast<std::size_t>(edge.group)];
            });
        if (!asked)
            session.problems.add(
                ErrorCode::invalid_dependency, at,
                fmt::format("the condition of {} asks check:{}, which {} must wait for; put it among the "
                            "dependencies, outside of 'any'",
                            name_of(node), c.check,
                            node.row.type == NodeType::check ? "the check" : "the stage"));
    }
}

void apply_condition(Session& session, Node& node, const std::vector<ConditionSpec>& specs, Position at,
                     bool open) {
    const Position place = specs.empty() ? at : specs.front().at;
    if (node.is_new()) {
        node.has_condition = !specs.empty();
        return check_condition(session, node, place);
    }
    std::vector<Condition> wanted;
    wanted.reserve(specs.size());
    for (const ConditionSpec& spec : specs) wanted.push_back(spec.condition);
    NodeBody body = session.nodes.body(node);
    const std::string text = to_json(wanted);
    if (same_json_value(to_json(body.condition), text)) return;
    if (!open) {
        session.problems.add(
            ErrorCode::invalid_state, at,
            fmt::format("{} is {}; its condition is fixed", name_of(node), to_string(node.row.state)));
        return;
    }
    session.nodes.record(node, Mover::writer, "condition", text);
    body.condition = std::move(wanted);
    session.nodes.put_body(node, std::move(body));
    check_condition(session, node, place);
}

}  // namespace turboci::engine
