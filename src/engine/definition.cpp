// SPDX-License-Identifier: Apache-2.0
#include "engine/definition.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/json_pointer.hpp"
#include "engine/predicate_form.hpp"
#include "engine/predicates.hpp"

namespace turboci::engine {

namespace {

void set_shape(const GroupCount& count, PredicateSpec& spec) {
    spec.kind = count.kind;
    if (count.kind == GroupKind::at_least) spec.at_least = count.threshold;
}

/// The groups of a node in one role, by number: shape and parent.
struct Shape {
    GroupCount count;
    std::int32_t parent = -1;
};
std::vector<Shape> shapes_of(const NodeRecord& node, PredicateRole role) {
    std::vector<Shape> shapes;
    if (role == PredicateRole::dependencies) shapes.push_back({node.row.dependencies, -1});
    for (const GroupRow& group : node.groups)
        if (group.role == role) shapes.push_back({group.count, group.parent});
    return shapes;
}

std::vector<ConditionSpec> condition_spec(const NodeBody& body) {
    std::vector<ConditionSpec> specs;
    for (const Condition& condition : body.condition) specs.push_back({condition, {}});
    return specs;
}

// ------------------------------------------------------------------------------------ comparing

using Meaning = PredicateForm<NodeRef>;

Meaning meaning_of(const NodeRecord& node, PredicateRole role) {
    std::vector<Meaning> groups;
    const std::vector<Shape> shapes = shapes_of(node, role);
    if (shapes.empty()) return {};
    groups.reserve(shapes.size());
    for (const Shape& shape : shapes)
        groups.push_back(
            {.kind = shape.count.kind, .threshold = shape.count.threshold, .edges = {}, .groups = {}});
    for (const EdgeRecord& edge : node.edges)
        if (edge.edge.role == role)
            groups.at(static_cast<std::size_t>(edge.edge.group))
                .edges.emplace(edge.target, edge.edge.on_state, edge.edge.when);
    return nest_forms(std::move(groups), [&](std::size_t i) { return shapes[i].parent; });
}

/// That of a predicate that is written; null if it names what is not there.
std::optional<Meaning> meaning_of(const PredicateSpec& spec, PredicateRole role, const FindRef& find) {
    Meaning meaning;
    meaning.kind = spec.kind;
    for (const EdgeSpec& edge : spec.edges) {
        RefText ref = edge.target;
        if (role == PredicateRole::continuation && !ref.type) ref.type = NodeType::stage;
        const auto target = find(ref);
        if (!target) return std::nullopt;
        meaning.edges.emplace(*target, edge.on_state, edge.when.value_or(When::success));
    }
    for (const PredicateSpec& group : spec.groups) {
        auto inner = meaning_of(group, role, find);
        if (!inner) return std::nullopt;
        meaning.groups.push_back(std::move(*inner));
    }
    std::ranges::sort(meaning.groups, std::less<>());
    const auto all = static_cast<std::int64_t>(meaning.edges.size() + meaning.groups.size());
    meaning.threshold = spec.kind == GroupKind::any        ? std::min<std::int64_t>(all, 1)
                        : spec.kind == GroupKind::at_least ? spec.at_least
                                                           : all;
    return meaning;
}

bool same_predicate(const NodeRecord& node, PredicateRole role, const std::optional<PredicateSpec>& spec,
                    const FindRef& find) {
    const Meaning old = meaning_of(node, role);
    if (!spec || spec->empty()) return old.empty();
    const auto written = meaning_of(*spec, role, find);
    return written && *written == old;
}

bool same_condition(const NodeBody& body, const std::optional<std::vector<ConditionSpec>>& specs) {
    const auto same = [](const Condition& a, const ConditionSpec& spec) {
        const Condition& b = spec.condition;
        if (a.check != b.check || a.path != b.path || a.test != b.test) return false;
        return a.value == b.value || same_json_value(a.value, b.value);
    };
    if (!specs) return body.condition.empty();
    return std::ranges::equal(body.condition, *specs, same);
}

bool same_assignments(const NodeRecord& stage,
                      const std::optional<std::vector<StageWrite::AssignmentSpec>>& specs) {
    std::set<std::pair<std::string, State>> old, written;
    for (const AssignmentRecord& a : stage.assignments) old.emplace(a.check_id, a.row.goal);
    if (specs)
        for (const auto& spec : *specs) written.emplace(spec.target_check_id, spec.goal_state);
    return old == written;
}

}  // namespace

PredicateSpec predicate_spec(const NodeRecord& node, PredicateRole role) {
    const std::vector<Shape> shapes = shapes_of(node, role);
    std::vector<PredicateSpec> groups(std::max<std::size_t>(shapes.size(), 1));
    for (std::size_t i = 0; i < shapes.size(); ++i) set_shape(shapes[i].count, groups[i]);
    for (const EdgeRecord& edge : node.edges) {
        if (edge.edge.role != role) continue;
        const auto number = static_cast<std::size_t>(edge.edge.group);
        if (number >= groups.size()) throw_damaged("an edge names a group that is not there");
        EdgeSpec& spec = groups[number].edges.emplace_back();
        spec.target = {edge.target.type, edge.target.id};
        spec.on_state = edge.edge.on_state;
        if (spec.on_state == State::final) spec.when = edge.edge.when;
    }
    return nest_groups(std::move(groups), [&](std::size_t i) { return shapes[i].parent; });
}

CheckWrite check_definition(const NodeRecord& check) {
    CheckWrite write;
    write.id = check.row.id;
    write.kind = check.row.kind;
    write.options = check.body.json;
    write.required = check.row.required;
    if (check.row.state != State::planning || check.row.history.size() > 1) write.state = State::planned;
    write.dependencies = predicate_spec(check, PredicateRole::dependencies);
    if (!check.body.condition.empty()) write.condition = condition_spec(check.body);
    return write;
}

StageWrite stage_definition(const NodeRecord& stage, bool with_group) {
    StageWrite write;
    write.id = stage.row.id;
    const NodeBody& body = stage.body;
    write.args = body.json;
    write.retry = body.retry;
    write.timeout = body.timeout;
    write.heartbeat = body.heartbeat;
    write.silence = body.silence;
    if (!body.runner.empty()) write.runner = body.runner;
    if (!body.uses.empty()) write.uses = body.uses;
    if (!body.condition.empty()) write.condition = condition_spec(body);
    write.dependencies = predicate_spec(stage, PredicateRole::dependencies);
    auto& assignments = write.assignments.emplace();
    for (const AssignmentRecord& a : stage.assignments) assignments.push_back({a.check_id, a.row.goal, {}});
    if (with_group && stage.row.has_continuation)
        write.continuation_group = predicate_spec(stage, PredicateRole::continuation);
    return write;
}

bool same_definition(const NodeRecord& check, const CheckWrite& write, const FindRef& find) {
    return write.kind.value_or("") == check.row.kind &&
           same_json(write.options.value_or(JsonText{}), check.body.json) &&
           write.required.value_or(true) == check.row.required &&
           same_condition(check.body, write.condition) &&
           same_predicate(check, PredicateRole::dependencies, write.dependencies, find);
}

bool same_definition(const NodeRecord& stage, const StageWrite& write, bool with_group, const FindRef& find) {
    const NodeBody& body = stage.body;
    const bool same_group =
        !with_group || same_predicate(stage, PredicateRole::continuation, write.continuation_group, find);
    return same_json(write.args.value_or(JsonText{}), body.json) &&
           write.runner.value_or("") == body.runner && write.uses.value_or(std::vector<Use>()) == body.uses &&
           same_condition(body, write.condition) && same_assignments(stage, write.assignments) &&
           same_group && same_predicate(stage, PredicateRole::dependencies, write.dependencies, find);
}

}  // namespace turboci::engine
