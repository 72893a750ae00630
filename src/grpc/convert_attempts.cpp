// SPDX-License-Identifier: Apache-2.0
// Attempts as shown to readers and as claimed.
#include <optional>
#include <string>
#include <string_view>

#include "domain/log_place.hpp"
#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::write;

void write(const Progress& progress, JsonForm form, v1::ProgressEntry& wire) {
    wire.set_message(progress.message);
    write(progress.timestamp, *wire.mutable_timestamp());
    if (progress.details.empty()) return;
    wire.set_details_json(progress.details.text);
    if (form == JsonForm::both && !write(progress.details, *wire.mutable_details())) wire.clear_details();
}

Progress read(Reading& reading, const Path& path, const v1::ProgressEntry& wire) {
    Progress progress;
    progress.message = wire.message();
    if (wire.has_timestamp())
        progress.timestamp = reading.time(path("timestamp"), wire.timestamp()).value_or(Timestamp{});
    progress.details = reading
                           .json(path("details"), wire.has_details() ? &wire.details() : nullptr,
                                 path("details_json"), wire.details_json())
                           .value_or(JsonText{});
    return progress;
}

void write(const Stopping& stopping, v1::Stopping& wire) {
    write(stopping.since, *wire.mutable_since());
    wire.set_by(stopping.by);
    wire.set_reason(stopping.reason);
    wire.set_then(to_wire(kCauses, stopping.cause));
    wire.set_from_inside(stopping.from_inside);
}

void write_times(const Attempt& attempt, v1::Attempt& wire) {
    if (attempt.not_before) write(*attempt.not_before, *wire.mutable_not_before());
    if (attempt.started_at) write(*attempt.started_at, *wire.mutable_started_at());
    if (attempt.ended_at) write(*attempt.ended_at, *wire.mutable_ended_at());
    if (attempt.last_heartbeat) write(*attempt.last_heartbeat, *wire.mutable_last_heartbeat());
    if (attempt.created_at != Timestamp{}) write(attempt.created_at, *wire.mutable_created_at());
    if (attempt.updated_at != Timestamp{}) write(attempt.updated_at, *wire.mutable_updated_at());
}

void read_times(Reading& reading, const Path& path, const v1::Attempt& wire, Attempt& attempt) {
    if (wire.has_not_before()) attempt.not_before = reading.time(path("not_before"), wire.not_before());
    if (wire.has_started_at()) attempt.started_at = reading.time(path("started_at"), wire.started_at());
    if (wire.has_ended_at()) attempt.ended_at = reading.time(path("ended_at"), wire.ended_at());
    if (wire.has_last_heartbeat())
        attempt.last_heartbeat = reading.time(path("last_heartbeat"), wire.last_heartbeat());
    if (wire.has_created_at())
        attempt.created_at = reading.time(path("created_at"), wire.created_at()).value_or(Timestamp{});
    if (wire.has_updated_at())
        attempt.updated_at = reading.time(path("updated_at"), wire.updated_at()).value_or(Timestamp{});
}

}  // namespace

void write(const Attempt& attempt, JsonForm form, v1::Attempt& wire) {
    wire.set_idx(attempt.idx);
    wire.set_state(to_wire(kAttemptStates, attempt.state));
    wire.set_cause(to_wire(kCauses, attempt.cause));
    wire.set_process_uid(attempt.process_uid);
    wire.set_has_runner(attempt.has_runner);
    if (!attempt.details.empty()) {
        wire.set_details_json(attempt.details.text);
        if (form == JsonForm::both && !write(attempt.details, *wire.mutable_details())) wire.clear_details();
    }
    for (const auto& progress : attempt.progress) write(progress, form, *wire.add_progress());
    if (attempt.failure) {
        wire.mutable_failure()->set_message(*attempt.failure);
        write(attempt.ended_at.value_or(attempt.updated_at), *wire.mutable_failure()->mutable_occurred_at());
    }
    if (attempt.exit_code) wire.set_exit_code(*attempt.exit_code);
    if (attempt.signal) wire.set_signal(*attempt.signal);
    if (attempt.log) wire.set_log_json(to_json(*attempt.log));
    if (attempt.stopping) write(*attempt.stopping, *wire.mutable_stopping());
    write_times(attempt, wire);
}

Attempt read(Reading& reading, const Path& path, const v1::Attempt& wire) {
    Attempt attempt;
    attempt.idx = wire.idx();
    attempt.state = reading.value(path("state"), kAttemptStates, wire.state()).value_or(attempt.state);
    attempt.cause = reading.value(path("cause"), kCauses, wire.cause());
    attempt.process_uid = wire.process_uid();
    attempt.has_runner = wire.has_runner();
    attempt.details = reading
                          .json(path("details"), wire.has_details() ? &wire.details() : nullptr,
                                path("details_json"), wire.details_json())
                          .value_or(JsonText{});
    for (int i = 0; i < wire.progress_size(); ++i)
        attempt.progress.push_back(read(reading, path("progress", i), wire.progress(i)));
    if (wire.has_failure()) attempt.failure = wire.failure().message();
    if (wire.has_exit_code()) attempt.exit_code = wire.exit_code();
    if (wire.has_signal()) attempt.signal = wire.signal();
    attempt.log = read_log(reading, path("log_json"), wire.log_json());
    if (wire.has_stopping()) attempt.stopping = read(reading, path("stopping"), wire.stopping());
    read_times(reading, path, wire, attempt);
    return attempt;
}

Attempt read(const v1::Attempt& wire) {
    auto reading = Reading::answer();
    auto attempt = read(reading, Path{}, wire);
    reading.raise_if_any();
    return attempt;
}

void write(const ClaimedAttempt& claimed, std::string_view plan_id, JsonForm form, v1::ClaimedAttempt& wire) {
    write(claimed.stage, plan_id, form, *wire.mutable_stage());
    auto& attempt = *wire.mutable_attempt();
    attempt.set_idx(claimed.idx);
    for (const auto& of_stage : wire.stage().attempts())
        if (of_stage.idx() == claimed.idx) attempt = of_stage;
    wire.set_attempt_token(claimed.token);
}

ClaimedAttempt read(const v1::ClaimedAttempt& wire) {
    return {read(wire.stage()), wire.attempt().idx(), wire.attempt_token()};
}

void write(const AttemptEnd& end, v1::AttemptEnd& wire) {
    wire.set_stage(end.stage);
    wire.set_idx(end.idx);
    wire.set_state(to_wire(kAttemptStates, end.state));
    wire.set_cause(to_wire(kCauses, end.cause));
    if (end.failure) wire.set_failure(*end.failure);
    if (end.next_in) write(*end.next_in, *wire.mutable_next_in());
}

AttemptEnd read(const v1::AttemptEnd& wire) {
    auto reading = Reading::answer();
    AttemptEnd end;
    end.stage = wire.stage();
    end.idx = wire.idx();
    end.state = reading.value(Path{nullptr, "state"}, kAttemptStates, wire.state()).value_or(end.state);
    end.cause = reading.value(Path{nullptr, "cause"}, kCauses, wire.cause());
    if (wire.has_failure()) end.failure = wire.failure();
    if (wire.has_next_in()) end.next_in = reading.duration(Path{nullptr, "next_in"}, wire.next_in());
    reading.raise_if_any();
    return end;
}

}  // namespace turboci::rpc
