// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using ProgressLine = std::pair<std::string, JsonText>;

ProgressLine read_progress(Reading& reading, const Path& path, const v1::ProgressEntry& wire) {
    auto details = reading.json(path("details"), wire.has_details() ? &wire.details() : nullptr,
                                path("details_json"), wire.details_json());
    return {wire.message(), std::move(details).value_or(JsonText{})};
}

void write_progress(const ProgressLine& line, v1::ProgressEntry& wire) {
    wire.set_message(line.first);
    if (!line.second.empty()) wire.set_details_json(line.second.text);
}

/// Does the write say who the process is, and nothing else? So it is claimed by clients of the public
/// messages.
bool claims(const v1::AttemptWrite& wire) {
    if (wire.process_uid().empty() || wire.state() != 0 || wire.guards()) return false;
    v1::AttemptWrite rest = wire;
    rest.clear_process_uid();
    rest.clear_idx();
    return rest.ByteSizeLong() == 0;
}

/// What an executor says in the write itself: who it is tells its token.
void read_end(Reading& reading, const Path& path, const v1::AttemptWrite& wire, AttemptWrite& attempt) {
    HolderWord word;
    word.cause = reading.value(path("cause"), kCauses, wire.cause());
    if (wire.has_exit_code()) word.exit_code = wire.exit_code();
    if (wire.has_signal()) word.signal = wire.signal();
    word.log = read_log(reading, path("log_json"), wire.log_json());
    if (word == HolderWord{}) return;
    if (wire.has_holder())
        reading.problem(path("holder"), "is given beside 'cause', 'exit_code', 'signal' or 'log_json'");
    attempt.holder = std::move(word);
}

}  // namespace

AttemptWrite read(Reading& reading, const Path& path, const v1::AttemptWrite& wire, Shared& shared) {
    AttemptWrite attempt;
    attempt.at = reading.at(path);
    if (wire.idx() != 0 || wire.zero_idx()) attempt.idx = wire.idx();
    if (wire.idx() != 0 && wire.zero_idx()) reading.problem(path("zero_idx"), "is given beside 'idx'");
    attempt.state = reading.value(path("state"), kAttemptStates, wire.state());
    if (!wire.process_uid().empty() || wire.empty_process_uid()) attempt.process_uid = wire.process_uid();
    if (!wire.process_uid().empty() && wire.empty_process_uid())
        reading.problem(path("empty_process_uid"), "is given beside 'process_uid'");
    if (claims(wire)) attempt.state = AttemptState::running;
    attempt.details = reading.json(path("details"), wire.has_details() ? &wire.details() : nullptr,
                                   path("details_json"), wire.details_json());
    if (wire.has_progress())
        attempt.progress.push_back(read_progress(reading, path("progress"), wire.progress()));
    for (int i = 0; i < wire.more_progress_size(); ++i)
        attempt.progress.push_back(read_progress(reading, path("more_progress", i), wire.more_progress(i)));
    if (wire.has_failure()) attempt.failure = wire.failure().message();
    attempt.heartbeat = wire.heartbeat();
    attempt.no_retry = wire.no_retry();
    if (wire.has_not_before())
        reading.problem(path("not_before"), "is not taken: an attempt that is given back is ready at once");
    if (wire.has_runner()) attempt.runner = read(wire.runner());
    read_end(reading, path, wire, attempt);
    if (wire.has_holder()) attempt.holder = read(reading, path("holder"), wire.holder());
    Shared::merge(reading, path("attempt_token"), shared.token, wire.attempt_token());
    return attempt;
}

void write(const AttemptWrite& attempt, v1::AttemptWrite& wire) {
    if (attempt.idx) wire.set_idx(*attempt.idx);
    wire.set_zero_idx(attempt.idx && *attempt.idx == 0);
    wire.set_state(to_wire(kAttemptStates, attempt.state));
    if (attempt.process_uid) wire.set_process_uid(*attempt.process_uid);
    wire.set_empty_process_uid(attempt.process_uid && attempt.process_uid->empty());
    wire.set_guards(attempt.process_uid && !attempt.state);
    if (attempt.details) wire.set_details_json(attempt.details->text);
    for (std::size_t i = 0; i < attempt.progress.size(); ++i)
        write_progress(attempt.progress[i], i == 0 ? *wire.mutable_progress() : *wire.add_more_progress());
    if (attempt.failure) wire.mutable_failure()->set_message(*attempt.failure);
    wire.set_heartbeat(attempt.heartbeat);
    wire.set_no_retry(attempt.no_retry);
    if (attempt.runner) write(*attempt.runner, *wire.mutable_runner());
    if (attempt.holder) write(*attempt.holder, *wire.mutable_holder());
}

}  // namespace turboci::rpc
