// SPDX-License-Identifier: Apache-2.0
// Checks and stages as shown to readers.
#include <string>
#include <string_view>
#include <utility>

#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::read;
using rpc::write;

template <class Read>
auto read_answer(const Read& read) {
    auto reading = Reading::answer();
    auto value = read(reading, Path{});
    reading.raise_if_any();
    return value;
}

/// What checks and stages both have.
template <class Node, class Wire>
void write_common(const Node& node, NodeType type, std::string_view plan_id, Wire& wire) {
    wire.set_id(node.id);
    wire.set_work_plan_id(std::string(plan_id));
    wire.set_outcome(to_wire(kOutcomes, node.outcome));
    wire.set_skip_cause(to_wire(kSkipCauses, node.skip_cause));
    if (!is_none(node.dependencies)) write(node.dependencies, *wire.mutable_dependencies());
    for (const auto& condition : node.condition) write(condition, *wire.add_conditions());
    if (node.created_by) {
        wire.mutable_created_by()->set_stage_id(node.created_by->stage);
        wire.mutable_created_by()->set_idx(node.created_by->attempt);
    }
    if (node.carried_from) {
        auto& from = *wire.mutable_carried_from();
        from.set_plan(node.carried_from->plan);
        from.set_identity(node.carried_from->identity);
        from.set_version(node.carried_from->version);
    }
    wire.set_version(node.version);
    if (node.created_at != Timestamp{}) write(node.created_at, *wire.mutable_created_at());
    if (node.updated_at != Timestamp{}) write(node.updated_at, *wire.mutable_updated_at());
    for (const auto& entry : node.state_history) {
        auto& change = *wire.add_state_history();
        change.set_state(state_number(type, entry.state));
        change.set_version(entry.version);
        write(entry.at, *change.mutable_time());
    }
}

template <class Wire>
StateHistory read_history(Reading& reading, const Path& path, NodeType type, const Wire& wire) {
    StateHistory history;
    for (int i = 0; i < wire.size(); ++i) {
        const Path at = path("state_history", i);
        const auto state = reading.state(at("state"), type, wire[i].state());
        const auto time = reading.time(at("time"), wire[i].time());
        history.push_back({state.value_or(State::final), wire[i].version(), time.value_or(Timestamp{})});
    }
    return history;
}

template <class Wire, class Node>
void read_common(Reading& reading, const Path& path, NodeType type, const Wire& wire, Node& node) {
    node.id = wire.id();
    node.outcome = reading.value(path("outcome"), kOutcomes, wire.outcome());
    node.skip_cause = reading.value(path("skip_cause"), kSkipCauses, wire.skip_cause());
    if (wire.has_dependencies())
        node.dependencies = read_predicate(reading, path("dependencies"), wire.dependencies());
    for (int i = 0; i < wire.conditions_size(); ++i)
        node.condition.push_back(read(reading, path("conditions", i), wire.conditions(i)));
    if (wire.has_created_by()) node.created_by = {wire.created_by().stage_id(), wire.created_by().idx()};
    if (wire.has_carried_from()) {
        const auto& from = wire.carried_from();
        node.carried_from = {from.plan(), from.identity(), from.version()};
    }
    node.version = wire.version();
    if (wire.has_created_at())
        node.created_at = reading.time(path("created_at"), wire.created_at()).value_or(Timestamp{});
    if (wire.has_updated_at())
        node.updated_at = reading.time(path("updated_at"), wire.updated_at()).value_or(Timestamp{});
    node.state_history = read_history(reading, path, type, wire.state_history());
}

void write(const Result& result, JsonForm form, v1::CheckResult& wire) {
    wire.set_id(result.id);
    wire.set_owner_type(std::string(to_string(result.owner_type)));
    wire.set_owner_id(result.owner_id);
    if (!result.data.empty()) {
        wire.set_data_json(result.data.text);
        if (form == JsonForm::both && !write(result.data, *wire.mutable_data())) wire.clear_data();
    }
    if (result.failure) {
        wire.mutable_failure()->set_message(*result.failure);
        write(result.finalized_at.value_or(result.created_at),
              *wire.mutable_failure()->mutable_occurred_at());
    }
    write(result.created_at, *wire.mutable_created_at());
    if (result.finalized_at) write(*result.finalized_at, *wire.mutable_finalized_at());
}

Result read(Reading& reading, const Path& path, const v1::CheckResult& wire) {
    Result result;
    result.id = wire.id();
    if (const auto type = parse_owner_type(wire.owner_type()))
        result.owner_type = *type;
    else
        reading.problem(path("owner_type"), "is no type of owner that is known here");
    result.owner_id = wire.owner_id();
    result.data =
        reading
            .json(path("data"), wire.has_data() ? &wire.data() : nullptr, path("data_json"), wire.data_json())
            .value_or(JsonText{});
    if (wire.has_failure()) result.failure = wire.failure().message();
    if (wire.has_created_at())
        result.created_at = reading.time(path("created_at"), wire.created_at()).value_or(Timestamp{});
    if (wire.has_finalized_at())
        result.finalized_at = reading.time(path("finalized_at"), wire.finalized_at());
    return result;
}

void write_policy(const Stage& stage, v1::Stage& wire) {
    if (stage.retry != Retry{}) write(stage.retry, *wire.mutable_retry());
    if (stage.timeout) write(*stage.timeout, *wire.mutable_timeout());
    if (stage.heartbeat) write(*stage.heartbeat, *wire.mutable_heartbeat());
    if (stage.silence) write(*stage.silence, *wire.mutable_silence());
    wire.set_runner_type(stage.runner);
    write_amounts(stage.uses, &Use::limit, wire.mutable_uses());
}

void read_policy(Reading& reading, const Path& path, const v1::Stage& wire, Stage& stage) {
    if (wire.has_retry()) stage.retry = read(reading, path("retry"), wire.retry());
    if (wire.has_timeout()) stage.timeout = reading.duration(path("timeout"), wire.timeout());
    if (wire.has_heartbeat()) stage.heartbeat = reading.duration(path("heartbeat"), wire.heartbeat());
    if (wire.has_silence()) stage.silence = reading.duration(path("silence"), wire.silence());
    stage.runner = wire.runner_type();
    stage.uses = read_amounts(wire.uses(), &Use::limit);
}

}  // namespace

void write(const Check& check, std::string_view plan_id, JsonForm form, v1::Check& wire) {
    write_common(check, NodeType::check, plan_id, wire);
    wire.set_kind(check.kind);
    wire.set_state(to_wire(kCheckStates, check.state));
    wire.set_required(check.required);
    if (!check.options.empty()) {
        wire.set_options_json(check.options.text);
        if (form == JsonForm::both && !write(check.options, *wire.mutable_options())) wire.clear_options();
    }
    for (const auto& result : check.results) write(result, form, *wire.add_results());
}

Check read(Reading& reading, const Path& path, const v1::Check& wire) {
    Check check;
    read_common(reading, path, NodeType::check, wire, check);
    check.kind = wire.kind();
    check.state = reading.value(path("state"), kCheckStates, wire.state()).value_or(check.state);
    check.required = !wire.has_required() || wire.required();
    check.options = reading
                        .json(path("options"), wire.has_options() ? &wire.options() : nullptr,
                              path("options_json"), wire.options_json())
                        .value_or(JsonText{});
    for (int i = 0; i < wire.results_size(); ++i)
        check.results.push_back(read(reading, path("results", i), wire.results(i)));
    return check;
}

Check read(const v1::Check& wire) {
    return read_answer([&](Reading& r, const Path& p) { return read(r, p, wire); });
}

void write(const Stage& stage, std::string_view plan_id, JsonForm form, v1::Stage& wire) {
    write_common(stage, NodeType::stage, plan_id, wire);
    wire.set_state(to_wire(kStageStates, stage.state));
    wire.set_concluded_reason(to_wire(kConcludedReasons, stage.concluded_reason));
    if (stage.concluded_message) wire.set_concluded_message(*stage.concluded_message);
    if (!stage.args.empty()) {
        wire.set_args_json(stage.args.text);
        if (form == JsonForm::both && !write(stage.args, *wire.mutable_args())) wire.clear_args();
    }
    for (const auto& assignment : stage.assignments) {
        auto& to = *wire.add_assignments();
        to.set_target_check_id(assignment.target_check_id);
        to.set_goal_state(to_wire(kCheckStates, assignment.goal_state));
    }
    write_policy(stage, wire);
    if (!is_none(stage.continuation_group))
        write(stage.continuation_group, *wire.mutable_continuation_group());
    for (const auto& attempt : stage.attempts) write(attempt, form, *wire.add_attempts());
}

Stage read(Reading& reading, const Path& path, const v1::Stage& wire) {
    Stage stage;
    read_common(reading, path, NodeType::stage, wire, stage);
    stage.state = reading.value(path("state"), kStageStates, wire.state()).value_or(stage.state);
    stage.concluded_reason =
        reading.value(path("concluded_reason"), kConcludedReasons, wire.concluded_reason());
    if (wire.has_concluded_message()) stage.concluded_message = wire.concluded_message();
    stage.args =
        reading
            .json(path("args"), wire.has_args() ? &wire.args() : nullptr, path("args_json"), wire.args_json())
            .value_or(JsonText{});
    for (int i = 0; i < wire.assignments_size(); ++i) {
        const auto& from = wire.assignments(i);
        const auto goal =
            reading.value(path("assignments", i)("goal_state"), kCheckStates, from.goal_state());
        stage.assignments.push_back({from.target_check_id(), goal.value_or(State::final)});
    }
    read_policy(reading, path, wire, stage);
    if (wire.has_continuation_group())
        stage.continuation_group =
            read_predicate(reading, path("continuation_group"), wire.continuation_group());
    for (int i = 0; i < wire.attempts_size(); ++i)
        stage.attempts.push_back(read(reading, path("attempts", i), wire.attempts(i)));
    return stage;
}

Stage read(const v1::Stage& wire) {
    return read_answer([&](Reading& r, const Path& p) { return read(r, p, wire); });
}

}  // namespace turboci::rpc
