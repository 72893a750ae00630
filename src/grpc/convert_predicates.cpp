// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <limits>

#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::write;

/// An edge in a request. Its type may be left open, and then its state has no number: types number them
/// differently.
EdgeSpec read_edge_spec(Reading& reading, const Path& path, const v1::Dependency& wire) {
    EdgeSpec edge;
    edge.at = reading.at(path("target_id"));
    edge.target.id = wire.target_id();
    const auto type = reading.value(path("target_type"), kNodeTypes, wire.target_type());
    if (!wire.either_type())
        edge.target.type = type.value_or(NodeType::check);
    else if (wire.target_type() != v1::NODE_TYPE_UNKNOWN)
        reading.problem(path("either_type"), "is given beside 'target_type'");
    const int final_number = state_number(NodeType::check, State::final);
    if (wire.either_type() && wire.on_state() != 0 && wire.on_state() != final_number) {
        reading.problem(path("on_state"), "means nothing without 'target_type'; use 'on_state_name'");
    } else {
        edge.on_state = reading
                            .state(path("on_state"), edge.target.type.value_or(NodeType::check),
                                   wire.on_state(), path("on_state_name"), wire.on_state_name())
                            .value_or(State::final);
    }
    edge.when = reading.value(path("when"), kWhens, wire.when());
    if (wire.when() == v1::WHEN_UNKNOWN && edge.on_state == State::final) edge.when = When::always;
    return edge;
}

void write(const EdgeSpec& edge, v1::Dependency& wire) {
    wire.set_target_type(to_wire(kNodeTypes, edge.target.type));
    wire.set_either_type(!edge.target.type);
    wire.set_target_id(edge.target.id);
    const int number = edge.target.type ? state_number(*edge.target.type, edge.on_state) : 0;
    if (number != 0)
        wire.set_on_state(number);
    else
        wire.set_on_state_name(std::string(to_string(edge.on_state)));
    // Ours is success where none is written, the wire's is always.
    if (edge.when)
        wire.set_when(to_wire(kWhens, *edge.when));
    else if (edge.on_state == State::final)
        wire.set_when(v1::WHEN_SUCCESS);
}

Edge read_edge(Reading& reading, const Path& path, const v1::Dependency& wire) {
    Edge edge;
    edge.target.type =
        reading.value(path("target_type"), kNodeTypes, wire.target_type()).value_or(NodeType::check);
    edge.target.id = wire.target_id();
    edge.on_state = reading.state(path("on_state"), edge.target.type, wire.on_state()).value_or(State::final);
    edge.when = reading.value(path("when"), kWhens, wire.when())
                    .value_or(edge.on_state == State::final ? When::always : When::success);
    edge.resolution =
        reading.value(path("resolution"), kResolutions, wire.resolution()).value_or(Resolution::unresolved);
    if (wire.has_resolved_at()) edge.resolved_at = reading.time(path("resolved_at"), wire.resolved_at());
    edge.target_state = reading.state(path("target_state"), edge.target.type, wire.target_state())
                            .value_or(edge.target_state);
    edge.target_outcome = reading.value(path("target_outcome"), kOutcomes, wire.target_outcome());
    return edge;
}

void write(const Edge& edge, v1::Dependency& wire) {
    wire.set_target_type(to_wire(kNodeTypes, edge.target.type));
    wire.set_target_id(edge.target.id);
    wire.set_on_state(state_number(edge.target.type, edge.on_state));
    // Before FINAL there is no outcome to ask for.
    if (edge.on_state == State::final || edge.when != When::success)
        wire.set_when(to_wire(kWhens, edge.when));
    wire.set_resolution(to_wire(kResolutions, edge.resolution));
    if (edge.resolved_at) write(*edge.resolved_at, *wire.mutable_resolved_at());
    wire.set_target_state(state_number(edge.target.type, edge.target_state));
    wire.set_target_outcome(to_wire(kOutcomes, edge.target_outcome));
}

}  // namespace

// Messages nest no deeper than their parser allows, which is less than a stack holds.
PredicateSpec read_spec(Reading& reading, const Path& path, const v1::DependencyGroup& wire) {
    PredicateSpec spec;
    spec.at = reading.at(path);
    spec.kind = reading.value(path("predicate"), kGroupKinds, wire.predicate()).value_or(GroupKind::all);
    if (spec.kind == GroupKind::at_least) spec.at_least = wire.threshold();
    for (int i = 0; i < wire.dependencies_size(); ++i)
        spec.edges.push_back(read_edge_spec(reading, path("dependencies", i), wire.dependencies(i)));
    for (int i = 0; i < wire.groups_size(); ++i)
        spec.groups.push_back(read_spec(reading, path("groups", i), wire.groups(i)));
    return spec;
}

void write(const PredicateSpec& spec, v1::DependencyGroup& wire) {
    wire.set_predicate(to_wire(kGroupKinds, spec.kind));
    if (spec.kind == GroupKind::at_least) {
        using Limits = std::numeric_limits<std::int32_t>;
        wire.set_threshold(
            static_cast<std::int32_t>(std::clamp<std::int64_t>(spec.at_least, Limits::min(), Limits::max())));
    }
    for (const auto& edge : spec.edges) write(edge, *wire.add_dependencies());
    write_all(spec.groups, wire.mutable_groups());
}

Predicate read_predicate(Reading& reading, const Path& path, const v1::DependencyGroup& wire) {
    Predicate predicate;
    predicate.kind = reading.value(path("predicate"), kGroupKinds, wire.predicate()).value_or(GroupKind::all);
    predicate.threshold = wire.threshold();
    for (int i = 0; i < wire.dependencies_size(); ++i)
        predicate.edges.push_back(read_edge(reading, path("dependencies", i), wire.dependencies(i)));
    for (int i = 0; i < wire.groups_size(); ++i)
        predicate.groups.push_back(read_predicate(reading, path("groups", i), wire.groups(i)));
    predicate.resolution =
        reading.value(path("resolution"), kResolutions, wire.resolution()).value_or(Resolution::satisfied);
    return predicate;
}

void write(const Predicate& predicate, v1::DependencyGroup& wire) {
    wire.set_predicate(to_wire(kGroupKinds, predicate.kind));
    wire.set_threshold(predicate.threshold);
    for (const auto& edge : predicate.edges) write(edge, *wire.add_dependencies());
    write_all(predicate.groups, wire.mutable_groups());
    wire.set_resolution(to_wire(kResolutions, predicate.resolution));
}

bool is_none(const Predicate& predicate) {
    return predicate.empty() && predicate.kind == GroupKind::all && predicate.threshold == 0 &&
           predicate.resolution == Resolution::satisfied;
}

Condition read(Reading& reading, const Path& path, const v1::Condition& wire) {
    Condition condition;
    condition.check = wire.check_id();
    condition.path = wire.path();
    switch (wire.test_case()) {
        case v1::Condition::kEqualsJson:
            condition.test = Condition::Test::equals;
            condition.value = reading.json_value(path("equals_json"), wire.equals_json());
            break;
        case v1::Condition::kNotEqualsJson:
            condition.test = Condition::Test::not_equals;
            condition.value = reading.json_value(path("not_equals_json"), wire.not_equals_json());
            break;
        case v1::Condition::kExists:
            condition.test = wire.exists() ? Condition::Test::exists : Condition::Test::absent;
            break;
        case v1::Condition::TEST_NOT_SET:
            reading.problem(path, "has no test: one of 'equals_json', 'not_equals_json', 'exists'");
            break;
    }
    return condition;
}

void write(const Condition& condition, v1::Condition& wire) {
    wire.set_check_id(condition.check);
    wire.set_path(condition.path);
    switch (condition.test) {
        case Condition::Test::equals:
            wire.set_equals_json(condition.value);
            break;
        case Condition::Test::not_equals:
            wire.set_not_equals_json(condition.value);
            break;
        case Condition::Test::exists:
            wire.set_exists(true);
            break;
        case Condition::Test::absent:
            wire.set_exists(false);
            break;
    }
}

}  // namespace turboci::rpc
