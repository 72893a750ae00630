// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "domain/log_place.hpp"
#include "grpc/json_struct.hpp"
#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int32_t kNanosInMicro = 1'000;

template <class Wire>
void write_micros(std::chrono::microseconds micros, Wire& wire) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
    wire.set_seconds(seconds.count());
    wire.set_nanos(static_cast<std::int32_t>((micros - seconds).count()) * kNanosInMicro);
}

/// Reads what is no part of a greater message.
template <class Read>
auto read_alone(const Read& read) {
    Reading reading(nullptr);
    auto value = read(reading, Path{});
    reading.raise_if_any();
    return value;
}

RetryOn read(Reading& reading, const Path& path, const v1::RetryOn& wire) {
    RetryOn on{false, false, false, {}};
    for (int i = 0; i < wire.causes_size(); ++i) {
        const auto cause = reading.value(path("causes", i), kCauses, wire.causes(i));
        if (cause == Cause::failed)
            on.failed = true;
        else if (cause == Cause::timeout)
            on.timeout = true;
        else if (cause == Cause::silent)
            on.silent = true;
        else if (cause || wire.causes(i) == v1::ATTEMPT_CAUSE_UNKNOWN)
            reading.problem(path("causes", i), "must be FAILED, TIMEOUT or SILENT");
    }
    constexpr std::int32_t kMostExit = 255;
    for (int i = 0; i < wire.exit_codes_size(); ++i) {
        if (wire.exit_codes(i) < 1 || wire.exit_codes(i) > kMostExit)
            reading.problem(path("exit_codes", i), "must be from 1 to 255");
        on.exit.push_back(wire.exit_codes(i));
    }
    std::ranges::sort(on.exit);
    on.exit.erase(std::unique(on.exit.begin(), on.exit.end()), on.exit.end());
    return on;
}

void write(const RetryOn& on, v1::RetryOn& wire) {
    if (on.failed) wire.add_causes(v1::ATTEMPT_CAUSE_FAILED);
    if (on.timeout) wire.add_causes(v1::ATTEMPT_CAUSE_TIMEOUT);
    if (on.silent) wire.add_causes(v1::ATTEMPT_CAUSE_SILENT);
    for (const std::int32_t code : on.exit) wire.add_exit_codes(code);
}

}  // namespace

void write(Timestamp time, google::protobuf::Timestamp& wire) { write_micros(time.time_since_epoch(), wire); }

void write(Duration duration, google::protobuf::Duration& wire) {
    // Both parts of a Duration have the same sign.
    wire.set_seconds(duration.count() / kMicrosPerSecond);
    wire.set_nanos(static_cast<std::int32_t>(duration.count() % kMicrosPerSecond) * kNanosInMicro);
}

Timestamp read(const google::protobuf::Timestamp& wire) {
    return read_alone([&](Reading& r, const Path& p) { return r.time(p, wire); }).value();
}
Duration read(const google::protobuf::Duration& wire) {
    return read_alone([&](Reading& r, const Path& p) { return r.duration(p, wire); }).value();
}
bool write(const JsonText& json, google::protobuf::Struct& wire) { return to_struct(json, wire); }
JsonText read(const google::protobuf::Struct& wire) {
    return read_alone([&](Reading& r, const Path& p) { return r.json(p, &wire, p, {}); }).value();
}

void write(const NodeRef& ref, v1::NodeRef& wire) {
    wire.set_type(to_wire(kNodeTypes, ref.type));
    wire.set_id(ref.id);
}
void write(const RefText& ref, v1::NodeRef& wire) {
    wire.set_type(to_wire(kNodeTypes, ref.type));
    wire.set_id(ref.id);
}
NodeRef read(Reading& reading, const Path& path, const v1::NodeRef& wire) {
    const auto type = reading.value(path("type"), kNodeTypes, wire.type());
    if (wire.type() == v1::NODE_TYPE_UNKNOWN) reading.problem(path("type"), "is not given");
    return {type.value_or(NodeType::check), wire.id()};
}
RefText read_ref(Reading& reading, const Path& path, const v1::NodeRef& wire) {
    return {reading.value(path("type"), kNodeTypes, wire.type()), wire.id()};
}
NodeRef read(const v1::NodeRef& wire) {
    return read_alone([&](Reading& r, const Path& p) { return read(r, p, wire); });
}
RefText read_ref(const v1::NodeRef& wire) {
    return read_alone([&](Reading& r, const Path& p) { return read_ref(r, p, wire); });
}

Retry read(Reading& reading, const Path& path, const v1::Retry& wire) {
    Retry retry;
    retry.max_retries = wire.max_retries();
    if (wire.has_backoff())
        retry.backoff = reading.duration(path("backoff"), wire.backoff()).value_or(retry.backoff);
    if (wire.has_max_backoff())
        retry.max_backoff =
            reading.duration(path("max_backoff"), wire.max_backoff()).value_or(retry.max_backoff);
    if (wire.has_on()) retry.on = read(reading, path("on"), wire.on());
    retry.on_interrupt =
        reading.value(path("on_interrupt"), kOnInterrupts, wire.on_interrupt()).value_or(retry.on_interrupt);
    return retry;
}

void write(const Retry& retry, v1::Retry& wire) {
    wire.set_max_retries(retry.max_retries);
    if (retry.backoff != Duration{0}) write(retry.backoff, *wire.mutable_backoff());
    if (retry.max_backoff != kMaxBackoff) write(retry.max_backoff, *wire.mutable_max_backoff());
    if (retry.on != RetryOn{}) write(retry.on, *wire.mutable_on());
    wire.set_on_interrupt(to_wire(kOnInterrupts, retry.on_interrupt));
}

RunnerIdentity read(const v1::RunnerIdentity& wire) {
    return {wire.host(), wire.boot_id(), wire.pid(), wire.start_time()};
}
void write(const RunnerIdentity& runner, v1::RunnerIdentity& wire) {
    wire.set_host(runner.host);
    wire.set_boot_id(runner.boot_id);
    wire.set_pid(runner.pid);
    wire.set_start_time(runner.start_time);
}

HolderWord read(Reading& reading, const Path& path, const v1::HolderWord& wire) {
    HolderWord word;
    word.identity = wire.identity();
    word.cause = reading.value(path("cause"), kCauses, wire.cause());
    word.stopping = wire.stopping();
    word.signalled = wire.signalled();
    if (wire.has_exit_code()) word.exit_code = wire.exit_code();
    if (wire.has_signal()) word.signal = wire.signal();
    word.log = read_log(reading, path("log_json"), wire.log_json());
    if (wire.has_ran_for()) word.ran_for = reading.duration(path("ran_for"), wire.ran_for());
    return word;
}

void write(const HolderWord& word, v1::HolderWord& wire) {
    wire.set_identity(word.identity);
    wire.set_cause(to_wire(kCauses, word.cause));
    wire.set_stopping(word.stopping);
    wire.set_signalled(word.signalled);
    if (word.exit_code) wire.set_exit_code(*word.exit_code);
    if (word.signal) wire.set_signal(*word.signal);
    if (word.log) wire.set_log_json(to_json(*word.log));
    if (word.ran_for) write(*word.ran_for, *wire.mutable_ran_for());
}

std::optional<LogPlace> read_log(Reading& reading, const Path& path, const std::string& json) {
    const auto text = reading.json(path, json);
    if (!text) return {};
    auto log = parse_log_place(text->text);
    if (auto* place = std::get_if<LogPlace>(&log)) return std::move(*place);
    reading.problem(path, std::get<std::string>(log));
    return {};
}

}  // namespace turboci::rpc
