// SPDX-License-Identifier: Apache-2.0
// PlanReader: what single scalars mean.
#include <fmt/core.h>

#include <limits>

#include "domain/policy_text.hpp"
#include "domain/quotes.hpp"
#include "format/plan_reader.hpp"
#include "format/scalars.hpp"

namespace turboci {

namespace {

constexpr std::string_view kCheckStates = "PLANNING, PLANNED, WAITING or FINAL";
constexpr std::string_view kGoalStates = "PLANNED, WAITING or FINAL";
constexpr std::string_view kAnyStates =
    "PLANNING, PLANNED, WAITING or FINAL (checks), PLANNED, ATTEMPTING, "
    "AWAITING_GROUP or FINAL (stages)";
constexpr std::string_view kAttemptStates = "PENDING, SCHEDULED, RUNNING, COMPLETE or INCOMPLETE";

}  // namespace

void PlanReader::put_scalar(const KeyRule& rule, const Scalar& scalar, Position at) {
    if (scalar.kind == ScalarKind::null) {
        put_null(rule, at);
        return;
    }
    const bool text = scalar.kind == ScalarKind::string;
    switch (rule.form) {
        case Form::text:
        case Form::text_or_map:
        case Form::failure:
            if (!text) break;
            if (rule.required && scalar.text.empty())
                return problem(at, fmt::format("'{}' is empty", rule.name));
            return put_text(rule, scalar.text, at);
        case Form::boolean:
            if (scalar.kind == ScalarKind::boolean) return put_boolean(rule, boolean_value(scalar.text));
            break;
        case Form::integer:
            if (scalar.kind != ScalarKind::integer) break;
            if (const auto value = parse_integer(scalar.text)) return put_integer(rule, *value, at);
            problem(at, fmt::format("{} does not fit into 64 bits", in_quotes(scalar.text)));
            return;
        case Form::value:
            value_rule_ = &rule;
            value_at_ = at;
            value_problems_ = problems_.size();
            json_.clear();
            if (const auto why = append_json_scalar(json_, scalar); !why.empty()) problem(at, why);
            put_value();
            return;
        case Form::duration:
            if (scalar.kind != ScalarKind::string) break;
            if (const auto value = parse_duration(scalar.text)) return put_duration(rule, *value, at);
            problem(at, fmt::format("'{}' must be {}, not {}", rule.name, describe(rule.form),
                                    in_quotes(scalar.text)));
            return;
        default:
            break;
    }
    const bool wants_text =
        rule.form == Form::text || rule.form == Form::text_or_map || rule.form == Form::failure;
    std::string found(describe(scalar.kind));
    if (wants_text) found += "; put it in quotes";
    wrong_form(rule, found, at);
}

void PlanReader::put_null(const KeyRule& rule, Position at) {
    switch (rule.form) {
        case Form::document:
            return;
        case Form::list:
            if (rule.inside == Place::members) break;
            if (rule.inside == Place::assignments) stage_.assignments.emplace();
            return;
        case Form::predicate:
            predicate_of(rule.slot, at);
            return;
        case Form::failure:
            if (!in_attempt_) check_.results.back().clear_failure = true;
            return;
        default:
            break;
    }
    wrong_form(rule, "null", at);
}

void PlanReader::put_header(std::string& field, std::string_view text, std::string_view name, Position at) {
    // What is wrong with it is said here, where its place is known.
    if (has_control_character(text)) {
        problem(at, fmt::format("'{}' has a control character: {}", name, in_quotes(text)));
    } else if (text.size() > kMaxNameBytes) {
        problem(at, fmt::format("'{}' is {} bytes long, {} at most", name, text.size(), kMaxNameBytes));
    } else if (!field.empty() && field != text) {
        problem(at, fmt::format("'{}' was given before with another value: {}", name, in_quotes(field)));
    } else {
        field = text;
    }
}

void PlanReader::put_state(std::optional<State>& field, std::string_view text, std::string_view known,
                           Position at) {
    field = parse_state(text);
    if (!field) problem(at, fmt::format("{} is not a state; use {}", in_quotes(text), known));
}

void PlanReader::put_assignment(std::string_view text, Position at) {
    auto& assignment = stage_.assignments->back();
    auto ref = parse_ref(written_.empty() ? text : written_);
    if (ref.type == NodeType::stage) {
        problem(at, fmt::format("a stage is assigned to checks, not to {}", in_quotes(text)));
    }
    assignment.target_check_id = std::move(ref.id);
}

void PlanReader::put_text(const KeyRule& rule, std::string_view text, Position at) {
    const auto result = [&]() -> ResultWrite& { return check_.results.back(); };
    const auto attempt = [&]() -> AttemptWrite& { return *stage_.attempt; };
    switch (rule.slot) {
        case Slot::reason:
            if (text.find('\0') != std::string_view::npos)
                return problem(at, fmt::format("'{}' has a null character", rule.name));
            if (!request_.reason.empty() && request_.reason != text) request_.reason += "; ";
            if (request_.reason != text) request_.reason += text;
            if (request_.reason.size() > kMaxMessageBytes) {
                // Not kept: it would be a second problem, and one without a position.
                problem(at, fmt::format("'{}' is {} bytes long, {} at most", rule.name,
                                        request_.reason.size(), kMaxMessageBytes));
                request_.reason.clear();
            }
            return;
        case Slot::actor:
            put_header(request_.actor, text, rule.name, at);
            return;
        case Slot::op_id:
            put_header(request_.op_id, text, rule.name, at);
            return;
        case Slot::check_id:
            check_.id = text;
            check_.id_at = at;
            return;
        case Slot::check_kind:
            check_.kind = text;
            return;
        case Slot::check_state:
            put_state(check_.state, text, kCheckStates, at);
            return;
        case Slot::result_owner_type:
            owner_.type = text;
            owner_.type_at = at;
            return;
        case Slot::result_owner_id:
            owner_.id = text;
            owner_.id_at = at;
            return;
        case Slot::result_stage:
            owner_.stage = text;
            owner_.stage_at = at;
            return;
        case Slot::result_failure:
            result().failure = text;
            return;
        case Slot::attempt_failure:
            attempt().failure = text;
            return;
        case Slot::failure_message:
            (in_attempt_ ? attempt().failure : result().failure) = text;
            return;
        case Slot::stage_id:
            stage_.id = text;
            stage_.id_at = at;
            return;
        case Slot::stage_runner:
            stage_.runner = text;
            return;
        case Slot::retry_on_interrupt:
            if (const auto what = parse_on_interrupt(text))
                stage_.retry->on_interrupt = *what;
            else
                problem(at, fmt::format("{} is not an 'on_interrupt'; use again or fail", in_quotes(text)));
            return;
        case Slot::attempt_state:
            attempt().state = parse_attempt_state(text);
            if (!attempt().state)
                problem(at, fmt::format("{} is not a state; use {}", in_quotes(text), kAttemptStates));
            return;
        case Slot::attempt_uid:
            attempt().process_uid = text;
            return;
        case Slot::progress_item:
            attempt().progress.emplace_back(text, JsonText{});
            return;
        case Slot::progress_message:
            attempt().progress.back().first = text;
            return;
        case Slot::assignment_item:
            stage_.assignments->emplace_back().at = at;
            put_assignment(text, at);
            return;
        case Slot::assignment_check:
            put_assignment(text, at);
            return;
        case Slot::assignment_goal: {
            std::optional<State> goal;
            put_state(goal, text, kGoalStates, at);
            stage_.assignments->back().goal_state = goal.value_or(State::final);
            return;
        }
        case Slot::member_item: {
            auto& edge = top().into->edges.emplace_back();
            edge.target = reference(text);
            edge.at = at;
            return;
        }
        case Slot::member_node:
            members_.back().edge.target = reference(text);
            members_.back().edge.at = at;
            return;
        case Slot::member_state: {
            std::optional<State> state;
            put_state(state, text, kAnyStates, at);
            members_.back().edge.on_state = state.value_or(State::final);
            return;
        }
        case Slot::member_when:
            members_.back().edge.when = parse_when(text);
            if (!members_.back().edge.when) {
                problem(at, fmt::format("{} is not a 'when'; use success, failure, always, not_failed or "
                                        "unsuccessful",
                                        in_quotes(text)));
            }
            return;
        default:
            throw Error(ErrorCode::internal, fmt::format("no place for the text of '{}'", rule.name));
    }
}

void PlanReader::put_integer(const KeyRule& rule, std::int64_t value, Position at) {
    const auto narrow = [&](std::int64_t least, std::int64_t most) {
        if (value >= least && value <= most) return static_cast<std::int32_t>(value);
        problem(at, fmt::format("'{}' must be between {} and {}, not {}", rule.name, least, most, value));
        return static_cast<std::int32_t>(least);
    };
    constexpr std::int64_t kMaxIdx = std::numeric_limits<std::int32_t>::max();
    switch (rule.slot) {
        case Slot::if_version:
            if (value < 0)
                return problem(at, fmt::format("'if_version' must not be negative, but is {}", value));
            if (request_.if_version && *request_.if_version != value) {
                problem(at, fmt::format("'if_version' was given before with another value: {}",
                                        *request_.if_version));
            }
            request_.if_version = value;
            return;
        case Slot::result_attempt:
            owner_.attempt = narrow(1, kMaxIdx);
            owner_.attempt_at = at;
            return;
        case Slot::retry_max:
            stage_.retry->max_retries = narrow(0, 1000);
            return;
        case Slot::attempt_idx:
            stage_.attempt->idx = narrow(1, kMaxIdx);
            return;
        case Slot::member_at_least:
            members_.back().group.at_least = value;
            return;
        default:
            throw Error(ErrorCode::internal, fmt::format("no place for the number of '{}'", rule.name));
    }
}

void PlanReader::put_boolean(const KeyRule& rule, bool value) {
    switch (rule.slot) {
        case Slot::check_required:
            check_.required = value;
            return;
        case Slot::result_finalize:
            check_.results.back().finalize = value;
            return;
        case Slot::stage_cancel:
            stage_.cancel = value;
            return;
        case Slot::stage_skip:
            stage_.skip = value;
            return;
        case Slot::check_skip:
            check_.skip = value;
            return;
        case Slot::attempt_no_retry:
            stage_.attempt->no_retry = value;
            return;
        case Slot::attempt_heartbeat:
            stage_.attempt->heartbeat = value;
            return;
        default:
            throw Error(ErrorCode::internal, fmt::format("no place for the value of '{}'", rule.name));
    }
}

void PlanReader::put_duration(const KeyRule& rule, Duration value, Position at) {
    if (rule.slot == Slot::retry_backoff) {
        stage_.retry->backoff = value;
    } else if (value <= Duration::zero()) {
        problem(at, fmt::format("'{}' must be more than nothing", rule.name));
    } else if (rule.slot == Slot::retry_max_backoff) {
        stage_.retry->max_backoff = value;
    } else {
        auto& field = rule.slot == Slot::stage_timeout   ? stage_.timeout
                      : rule.slot == Slot::stage_silence ? stage_.silence
                                                         : stage_.heartbeat;
        field = value;
    }
}

template <class T, class Put>
void PlanReader::take_value(std::variant<T, std::string> parsed, const Put& put) {
    if (auto* why = std::get_if<std::string>(&parsed))
        problem(value_at_, std::move(*why));
    else
        put(std::get<T>(std::move(parsed)));
}

template <class Write>
void PlanReader::put_condition(Write& write) {
    take_value(parse_condition(json_), [&](std::vector<Condition> all) {
        if (write.condition)
            return problem(value_at_,
                           "'condition' and 'if' are the same: give one of them, a list for several");
        write.condition.emplace();
        for (Condition& condition : all) write.condition->push_back({std::move(condition), value_at_});
    });
}

void PlanReader::put_value() {
    const Slot slot = std::exchange(value_rule_, nullptr)->slot;
    if (problems_.size() != value_problems_) return;  // something in it was reported
    switch (slot) {
        case Slot::limits:
            take_value(parse_limits(json_), [&](std::vector<Limit> limits) {
                request_.limits.insert(request_.limits.end(), limits.begin(), limits.end());
                request_.limits_at = value_at_;
            });
            return;
        case Slot::stage_uses:
            take_value(parse_uses(json_), [&](std::vector<Use> uses) { stage_.uses = std::move(uses); });
            return;
        case Slot::retry_on:
            take_value(parse_retry_on(json_), [&](RetryOn on) { stage_.retry->on = std::move(on); });
            return;
        case Slot::stage_condition:
            put_condition(stage_);
            return;
        default:
            put_condition(check_);
            return;
    }
}

}  // namespace turboci
