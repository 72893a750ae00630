// SPDX-License-Identifier: Apache-2.0
#include "service/import_values.hpp"

#include "domain/log_place.hpp"
#include "domain/policy_text.hpp"
#include "engine/holder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <vector>

#include "turboci/plan_file.hpp"

namespace turboci::service::imported {

void complain(std::string message) { throw Malformed{std::move(message)}; }

const Json& member(const Json& object, const char* key) {
    const auto it = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || it == object.end()) complain(fmt::format("'{}' is missing", key));
    return *it;
}
void only(const Json& object, std::initializer_list<std::string_view> keys) {
    if (!object.is_object()) complain("it is not an object");
    for (const auto& [key, value] : object.items())
        if (std::ranges::find(keys, key) == keys.end())
            complain(fmt::format("unknown key {}", json_string(key)));
}
std::string text(const Json& object, const char* key) {
    constexpr std::size_t kMost = 1u << 20;
    const Json& value = member(object, key);
    if (!value.is_string()) complain(fmt::format("'{}' must be a string", key));
    auto found = value.get<std::string>();
    if (found.size() > kMost) complain(fmt::format("'{}' is longer than {} bytes", key, kMost));
    if (found.find('\0') != std::string::npos) complain(fmt::format("'{}' has a null character", key));
    return found;
}
std::string name(const Json& object, const char* key) {
    constexpr std::size_t kMost = 1024;
    auto found = text(object, key);
    if (found.size() > kMost) complain(fmt::format("'{}' is longer than {} bytes", key, kMost));
    if (has_control_character(found)) complain(fmt::format("'{}' has a control character", key));
    return found;
}
std::optional<std::string> optional_text(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return text(object, key);
}
std::int64_t number(const Json& object, const char* key, std::int64_t least, std::int64_t most) {
    const Json& value = member(object, key);
    const bool fits =
        value.is_number_integer() &&
        (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)) &&
        value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
    if (!fits) complain(fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
    return value.get<std::int64_t>();
}
std::int32_t small_number(const Json& object, const char* key, std::int32_t least, std::int32_t most) {
    return static_cast<std::int32_t>(number(object, key, least, most));
}
std::optional<std::int32_t> optional_small(const Json& object, const char* key, std::int32_t least,
                                           std::int32_t most) {
    if (member(object, key).is_null()) return std::nullopt;
    return small_number(object, key, least, most);
}
bool flag(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_boolean()) complain(fmt::format("'{}' must be true or false", key));
    return value.get<bool>();
}
const Json& list(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_array()) complain(fmt::format("'{}' must be a list", key));
    return value;
}
JsonText object_text(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_object()) complain(fmt::format("'{}' must be an object", key));
    return {value.dump()};
}
Timestamp time_of(const Json& object, const char* key) {
    const auto t = parse_timestamp(text(object, key));
    if (!t) complain(fmt::format("'{}' must be a time like 2026-01-02T03:04:05.000000Z", key));
    return *t;
}
std::optional<Timestamp> optional_time(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return time_of(object, key);
}
std::optional<Duration> optional_duration(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return Duration(number(object, key, 1, kMostDuration.count()));
}
State state_of(NodeType type, const Json& object, const char* key) {
    const State state = name_of_set(object, key, parse_state);
    if (state_number(type, state) == 0)
        complain(fmt::format("a {} has no state {}", to_string(type), to_string(state)));
    return state;
}
std::optional<GroupKind> parse_group_kind(std::string_view name) {
    for (const GroupKind k : {GroupKind::all, GroupKind::any, GroupKind::at_least})
        if (to_string(k) == name) return k;
    return std::nullopt;
}
std::optional<Mover> parse_mover(std::string_view name) {
    for (const Mover m : {Mover::writer, Mover::orchestrator})
        if (to_string(m) == name) return m;
    return std::nullopt;
}

namespace {

/// Looks at a line before anything is built of it: nothing may be too deep to be taken apart again. Not by a
/// callback of the parser: with one, the end of each object walks through the list that it is in.
class LineScan final : public nlohmann::json_sax<Json> {
public:
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool start_array(std::size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& text) override {
        if (!keys_.back().insert(text).second) complain(fmt::format("duplicate key {}", json_string(text)));
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
        return false;
    }

private:
    bool open() {
        if (keys_.size() >= kMaxNesting + 8) complain("it is nested too deeply");
        keys_.emplace_back();
        return true;
    }
    bool close() {
        keys_.pop_back();
        return true;
    }
    std::vector<std::set<std::string>> keys_;  ///< of each object or list that is open
};

}  // namespace

Json parse_line(std::string_view line) {
    LineScan scan;
    if (!Json::sax_parse(line, &scan)) complain("it is not a JSON object");
    Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) complain("it is not a JSON object");
    return json;
}

Cause cause_in_words(std::string_view failure, bool no_retry) {
    if (failure == "cancelled" && no_retry) return Cause::cancelled;
    if (failure == "lost: runner died") return Cause::lost;
    if (failure.starts_with("interrupted")) return Cause::interrupted;
    if (failure.starts_with("timed out after ")) return Cause::timeout;
    return failure.starts_with("no heartbeat for ") ? Cause::silent : Cause::failed;
}

void only_of_stage(const Json& stage) {
    only(stage, {"id",
                 "state",
                 "outcome",
                 "version",
                 "updated_at",
                 "state_history",
                 "dependencies_since",
                 "concluded_reason",
                 "args",
                 "max_retries",
                 "backoff_us",
                 "timeout_us",
                 "heartbeat_us",
                 "dependencies",
                 "assignments",
                 "continuation_group",
                 "continuation_since",
                 "attempts",
                 "skip_cause",
                 "condition",
                 "created_by",
                 "carried_from",
                 "message",
                 "max_backoff_us",
                 "retry_on",
                 "on_interrupt",
                 "silence_us",
                 "runner",
                 "uses"});
}

void read_policy(const Json& json, NodeBody& body) {
    body.retry.max_backoff = optional_duration(json, "max_backoff_us").value_or(kMaxBackoff);
    if (const Json& on = member(json, "retry_on"); !on.is_null())
        body.retry.on = decoded(parse_retry_on(on.dump()));
    if (!member(json, "on_interrupt").is_null())
        body.retry.on_interrupt = name_of_set(json, "on_interrupt", parse_on_interrupt);
    body.silence = optional_duration(json, "silence_us");
    if (!member(json, "runner").is_null()) body.runner = name(json, "runner");
    if (const Json& uses = member(json, "uses"); !uses.is_null())
        body.uses = decoded(parse_uses(uses.dump()));
}

namespace {

/// How an attempt ended, or how it is held, as format 2 has it.
void read_end(const Json& json, AttemptRow& attempt) {
    Attempt& a = attempt.attempt;
    a.cause = optional_name_of_set(json, "cause", parse_cause);
    a.ended_at = optional_time(json, "ended_at");
    a.exit_code = optional_small(json, "exit_code", 0, 255);
    a.signal = optional_small(json, "signal", 1, 128);
    attempt.holder = name(json, "holder");
    if (const Json& log = member(json, "log"); !log.is_null()) {
        auto place = parse_log_place(log.dump());
        if (const auto* why = std::get_if<std::string>(&place)) complain("'log' " + *why);
        a.log = std::get<LogPlace>(std::move(place));
    }
    if (const Json& s = member(json, "stopping"); !s.is_null()) {
        only(s, {"since", "by", "reason", "cause", "inside"});
        a.stopping = Stopping{time_of(s, "since"), name(s, "by"), text(s, "reason"),
                              name_of_set(s, "cause", parse_cause), flag(s, "inside")};
        // One that was claimed ahead may have asked for its end before its start was told.
        if (a.state == AttemptState::pending) complain("what nobody holds cannot be stopped");
    }
    if (is_ended(a.state) != a.ended_at.has_value()) complain("'ended_at' goes with an end");
    if ((a.state == AttemptState::incomplete) != a.cause.has_value())
        complain("'cause' goes with INCOMPLETE");
    if (engine::is_held(attempt) == attempt.holder.empty() && !is_ended(a.state))
        complain("'holder' goes with an attempt that is held");
}

/// Format 1 has nothing but the words of the failure.
void guess_end(AttemptRow& attempt) {
    Attempt& a = attempt.attempt;
    if (engine::is_held(attempt)) attempt.holder = new_identity();
    if (!is_ended(a.state)) return;
    a.ended_at = a.updated_at;
    if (a.state == AttemptState::complete) return;
    a.cause = cause_in_words(a.failure.value_or(""), attempt.no_retry);
}

}  // namespace

AttemptRow read_attempt(const Json& json, std::int64_t format) {
    only(json, {"idx",        "state",          "process_uid", "details",   "progress", "failure",
                "not_before", "last_heartbeat", "started_at",  "no_retry",  "runner",   "created_at",
                "updated_at", "cause",          "holder",      "exit_code", "signal",   "log",
                "stopping",   "ended_at"});
    AttemptRow attempt;
    Attempt& a = attempt.attempt;
    a.state = name_of_set(json, "state", parse_attempt_state);
    a.process_uid = name(json, "process_uid");
    a.details = object_text(json, "details");
    a.failure = optional_text(json, "failure");
    a.not_before = optional_time(json, "not_before");
    a.last_heartbeat = optional_time(json, "last_heartbeat");
    a.created_at = time_of(json, "created_at");
    a.updated_at = time_of(json, "updated_at");
    a.started_at = optional_time(json, "started_at");
    attempt.no_retry = flag(json, "no_retry");
    attempt.ready_at = a.not_before.value_or(a.created_at);
    if (const Json& r = member(json, "runner"); !r.is_null()) {
        only(r, {"host", "boot_id", "pid", "start_time"});
        attempt.runner =
            RunnerIdentity{name(r, "host"), name(r, "boot_id"), number(r, "pid"), number(r, "start_time")};
    }
    if (format > 1)
        read_end(json, attempt);
    else
        guess_end(attempt);
    return attempt;
}

Result read_result(const Json& json) {
    only(json, {"owner_type", "owner_id", "data", "failure", "created_at", "finalized_at"});
    Result result;
    result.owner_type = name_of_set(json, "owner_type", parse_owner_type);
    result.owner_id = name(json, "owner_id");
    result.data = object_text(json, "data");
    result.failure = optional_text(json, "failure");
    result.created_at = time_of(json, "created_at");
    result.finalized_at = optional_time(json, "finalized_at");
    return result;
}

}  // namespace turboci::service::imported
