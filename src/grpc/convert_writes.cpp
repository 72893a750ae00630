// SPDX-License-Identifier: Apache-2.0
// What one write says of its nodes.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "domain/quotes.hpp"
#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::read;
using rpc::write;

/// "[PLAN:]STAGE:IDX". A stage's id may have colons itself, a number has none.
std::optional<AttemptRef> parse_attempt(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    AttemptRef ref{std::string(text.substr(0, colon)), 0};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, ref.idx);
    if (error != std::errc() || rest != end) return {};
    return ref;
}

void read_owner(Reading& reading, const Path& path, const v1::CheckResultWrite& wire, ResultWrite& result) {
    const std::string& type = wire.owner_type();
    const std::string& id = wire.owner_id();
    if (type == to_string(OwnerType::stage_attempt)) result.owner = parse_attempt(id);
    if (!result.owner && (!type.empty() || !id.empty()))
        result.by = type + (type.empty() || id.empty() ? "" : "/") + id;
    if (!wire.has_owner()) return;
    const AttemptRef owner{wire.owner().stage_id(), wire.owner().idx()};
    if (result.by || (result.owner && *result.owner != owner))
        reading.problem(path("owner"), "is another than 'owner_id' says");
    result.owner = owner;
    result.by.reset();
}

void write(const AttemptRef& ref, v1::AttemptRef& wire) {
    wire.set_stage_id(ref.stage_id);
    wire.set_idx(ref.idx);
}

void write(const ResultWrite& result, v1::CheckResultWrite& wire) {
    if (result.data) wire.set_data_json(result.data->text);
    if (result.failure) wire.mutable_failure()->set_message(*result.failure);
    wire.set_clear_failure(result.clear_failure);
    wire.set_finalize(result.finalize);
    if (result.owner) write(*result.owner, *wire.mutable_owner());
    // Without a type: what is said here is the whole name.
    if (result.by) wire.set_owner_id(*result.by);
}

template <class Wire>
std::optional<std::vector<ConditionSpec>> read_conditions(Reading& reading, const Path& path,
                                                          const Wire& wire) {
    if (wire.conditions().empty() && !wire.set_conditions()) return {};
    std::vector<ConditionSpec> conditions;
    for (int i = 0; i < wire.conditions_size(); ++i) {
        const Path at = path("conditions", i);
        conditions.push_back({read(reading, at, wire.conditions(i)), reading.at(at)});
    }
    return conditions;
}

template <class Wire>
void write_conditions(const std::optional<std::vector<ConditionSpec>>& conditions, Wire& wire) {
    if (!conditions) return;
    wire.set_set_conditions(true);
    for (const auto& spec : *conditions) write(spec.condition, *wire.add_conditions());
}

/// A text that may be given though it is empty.
std::optional<std::string> read_text(Reading& reading, const Path& path, const std::string& text,
                                     bool is_empty) {
    if (is_empty && !text.empty()) reading.problem(path, "is given, and yet it is said to be empty");
    if (text.empty() && !is_empty) return {};
    return text;
}

template <class Wire>
bool read_skip(Reading& reading, const Path& path, const Wire& wire, Shared& shared) {
    if (!wire.skip_reason().empty() && !wire.skip())
        reading.problem(path("skip_reason"), "is given without 'skip'");
    Shared::merge(reading, path("skip_reason"), shared.reason, wire.skip_reason());
    return wire.skip();
}

std::vector<StageWrite::AssignmentSpec> read_assignments(Reading& reading, const Path& path,
                                                         const v1::StageWrite& wire) {
    std::vector<StageWrite::AssignmentSpec> assignments;
    for (int i = 0; i < wire.assignments_size(); ++i) {
        const auto& from = wire.assignments(i);
        const Path at = path("assignments", i);
        const auto goal = reading.state(at("goal_state"), NodeType::check, from.goal_state(),
                                        at("goal_state_name"), from.goal_state_name());
        assignments.push_back({from.target_check_id(), goal.value_or(State::final), reading.at(at)});
    }
    return assignments;
}

void write_assignments(const std::vector<StageWrite::AssignmentSpec>& assignments, v1::StageWrite& wire) {
    wire.set_set_assignments(true);
    for (const auto& spec : assignments) {
        auto& to = *wire.add_assignments();
        to.set_target_check_id(spec.target_check_id);
        to.set_goal_state(to_wire(kCheckStates, spec.goal_state));
        if (to.goal_state() == v1::CHECK_STATE_UNKNOWN)
            to.set_goal_state_name(std::string(to_string(spec.goal_state)));
    }
}

void read_policy(Reading& reading, const Path& path, const v1::StageWrite& wire, StageWrite& stage) {
    if (wire.has_retry()) stage.retry = read(reading, path("retry"), wire.retry());
    if (wire.has_timeout()) stage.timeout = reading.duration(path("timeout"), wire.timeout());
    if (wire.has_heartbeat()) stage.heartbeat = reading.duration(path("heartbeat"), wire.heartbeat());
    if (wire.has_silence()) stage.silence = reading.duration(path("silence"), wire.silence());
    stage.runner = read_text(reading, path("runner_type"), wire.runner_type(), wire.empty_runner_type());
    if (!wire.uses().empty() || wire.set_uses()) stage.uses = read_amounts(wire.uses(), &Use::limit);
}

void write_policy(const StageWrite& stage, v1::StageWrite& wire) {
    if (stage.retry) write(*stage.retry, *wire.mutable_retry());
    if (stage.timeout) write(*stage.timeout, *wire.mutable_timeout());
    if (stage.heartbeat) write(*stage.heartbeat, *wire.mutable_heartbeat());
    if (stage.silence) write(*stage.silence, *wire.mutable_silence());
    if (stage.runner) wire.set_runner_type(*stage.runner);
    wire.set_empty_runner_type(stage.runner && stage.runner->empty());
    wire.set_set_uses(stage.uses.has_value());
    if (stage.uses) write_amounts(*stage.uses, &Use::limit, wire.mutable_uses());
}

}  // namespace

void Shared::merge(Reading& reading, const Path& path, std::string& value, const std::string& text) {
    if (text.empty() || text == value) return;
    if (!value.empty()) reading.problem(path, "is another than that of the write or of another node");
    value = text;
}

ResultWrite read(Reading& reading, const Path& path, const v1::CheckResultWrite& wire, Shared& shared) {
    ResultWrite result;
    result.at = reading.at(path);
    result.data = reading.json(path("data"), wire.has_data() ? &wire.data() : nullptr, path("data_json"),
                               wire.data_json());
    if (wire.has_failure()) result.failure = wire.failure().message();
    result.clear_failure = wire.clear_failure();
    result.finalize = wire.finalize();
    read_owner(reading, path, wire, result);
    Shared::merge(reading, path("attempt_token"), shared.token, wire.attempt_token());
    return result;
}

CheckWrite read(Reading& reading, const Path& path, const v1::CheckWrite& wire, Shared& shared) {
    CheckWrite check;
    check.at = reading.at(path);
    check.id_at = reading.at(path("id"));
    check.id = wire.id();
    check.kind = read_text(reading, path("kind"), wire.kind(), wire.empty_kind());
    check.options = reading.json(path("options"), wire.has_options() ? &wire.options() : nullptr,
                                 path("options_json"), wire.options_json());
    check.state =
        reading.state(path("state"), NodeType::check, wire.state(), path("state_name"), wire.state_name());
    if (wire.has_required()) check.required = wire.required();
    if (wire.has_dependencies())
        check.dependencies = read_spec(reading, path("dependencies"), wire.dependencies());
    check.condition = read_conditions(reading, path, wire);
    if (wire.has_result()) check.results.push_back(read(reading, path("result"), wire.result(), shared));
    for (int i = 0; i < wire.results_size(); ++i)
        check.results.push_back(read(reading, path("results", i), wire.results(i), shared));
    check.skip = read_skip(reading, path, wire, shared);
    return check;
}

void write(const CheckWrite& check, v1::CheckWrite& wire) {
    wire.set_id(check.id);
    if (check.kind) wire.set_kind(*check.kind);
    wire.set_empty_kind(check.kind && check.kind->empty());
    if (check.options) wire.set_options_json(check.options->text);
    wire.set_state(to_wire(kCheckStates, check.state));
    if (check.state && wire.state() == v1::CHECK_STATE_UNKNOWN)
        wire.set_state_name(std::string(to_string(*check.state)));
    if (check.required) wire.set_required(*check.required);
    if (check.dependencies) write(*check.dependencies, *wire.mutable_dependencies());
    write_conditions(check.condition, wire);
    for (const auto& result : check.results) write(result, *wire.add_results());
    wire.set_skip(check.skip);
}

StageWrite read(Reading& reading, const Path& path, const v1::StageWrite& wire, Shared& shared) {
    StageWrite stage;
    stage.at = reading.at(path);
    stage.id_at = reading.at(path("id"));
    stage.id = wire.id();
    stage.args = reading.json(path("args"), wire.has_args() ? &wire.args() : nullptr, path("args_json"),
                              wire.args_json());
    stage.state =
        reading.state(path("state"), NodeType::stage, wire.state(), path("state_name"), wire.state_name());
    if (wire.has_dependencies())
        stage.dependencies = read_spec(reading, path("dependencies"), wire.dependencies());
    if (!wire.assignments().empty() || wire.set_assignments())
        stage.assignments = read_assignments(reading, path, wire);
    read_policy(reading, path, wire, stage);
    if (!v1::ExecutionMode_IsValid(wire.execution_mode()))
        reading.problem(path("execution_mode"),
                        fmt::format("{} is no value of ExecutionMode that is known here",
                                    static_cast<int>(wire.execution_mode())));
    stage.condition = read_conditions(reading, path, wire);
    if (wire.has_continuation_group())
        stage.continuation_group = read_spec(reading, path("continuation_group"), wire.continuation_group());
    if (wire.has_current_attempt())
        stage.attempt = read(reading, path("current_attempt"), wire.current_attempt(), shared);
    stage.cancel = wire.cancel();
    stage.skip = read_skip(reading, path, wire, shared);
    return stage;
}

void write(const StageWrite& stage, v1::StageWrite& wire) {
    wire.set_id(stage.id);
    if (stage.args) wire.set_args_json(stage.args->text);
    wire.set_state(to_wire(kStageStates, stage.state));
    if (stage.state && wire.state() == v1::STAGE_STATE_UNKNOWN)
        wire.set_state_name(std::string(to_string(*stage.state)));
    if (stage.dependencies) write(*stage.dependencies, *wire.mutable_dependencies());
    if (stage.assignments) write_assignments(*stage.assignments, wire);
    write_policy(stage, wire);
    write_conditions(stage.condition, wire);
    if (stage.continuation_group) write(*stage.continuation_group, *wire.mutable_continuation_group());
    if (stage.attempt) write(*stage.attempt, *wire.mutable_current_attempt());
    wire.set_cancel(stage.cancel);
    wire.set_skip(stage.skip);
}

}  // namespace turboci::rpc
