// SPDX-License-Identifier: Apache-2.0
#include "format/json_output.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <utility>

#include "domain/log_place.hpp"
#include "domain/policy_text.hpp"

namespace turboci {
namespace {

using namespace std::string_view_literals;

// Plans have many nodes: text is appended to one string and no document is built in between.

void append_number(std::string& out, std::int64_t value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void put_digits(char* at, int count, std::int64_t value) {
    for (char* p = at + count; p != at; value /= 10) *--p = static_cast<char>('0' + value % 10);
}

/// As format_timestamp(), but the date is worked out once a day and the rest once a second: most times of a
/// plan are close together.
void append_time(std::string& out, Timestamp t) {
    using namespace std::chrono;
    struct Cache {
        sys_days day{};
        sys_seconds second{};
        char text[29] = "\"1970-01-01T00:00:00.000000Z";  // and a quote in place of the final NUL
    };
    thread_local Cache cache;
    const auto second = floor<seconds>(t);
    if (second != cache.second) {
        const auto day = floor<days>(t);
        if (day != cache.day) {
            const year_month_day date(day);
            if (const int year = static_cast<int>(date.year()); year < 0 || year > 9999) {
                append_json_string(out, format_timestamp(t));
                return;
            }
            put_digits(cache.text + 1, 4, static_cast<int>(date.year()));
            put_digits(cache.text + 6, 2, static_cast<unsigned>(date.month()));
            put_digits(cache.text + 9, 2, static_cast<unsigned>(date.day()));
            cache.day = day;
        }
        const std::int64_t of_day = (second - day).count();
        put_digits(cache.text + 12, 2, of_day / 3600);
        put_digits(cache.text + 15, 2, of_day / 60 % 60);
        put_digits(cache.text + 18, 2, of_day % 60);
        cache.second = second;
    }
    put_digits(cache.text + 21, 6, (t - second).count());
    cache.text[28] = '"';
    out.append(cache.text, sizeof cache.text);
}

void append_word(std::string& out, std::string_view word) {
    std::array<char, 34> quoted;  // words of ours are short: one step is quicker than three
    if (word.size() + 2 > quoted.size()) {
        append_json_string(out, word);
        return;
    }
    quoted[0] = '"';
    std::memcpy(quoted.data() + 1, word.data(), word.size());
    quoted[word.size() + 1] = '"';
    out.append(quoted.data(), word.size() + 2);
}

template <typename T>
concept Enumerator = std::is_enum_v<T>;

void append_value(std::string& out, Timestamp t) { append_time(out, t); }
void append_value(std::string& out, Duration d) { append_word(out, format_duration(d)); }
void append_value(std::string& out, std::int64_t value) { append_number(out, value); }
void append_value(std::string& out, std::int32_t value) { append_number(out, value); }
void append_value(std::string& out, bool value) { out += value ? "true"sv : "false"sv; }
void append_value(std::string& out, const std::string& text) { append_json_string(out, text); }
void append_value(std::string& out, const JsonText& json) { out += json.text; }
void append_value(std::string& out, const NodeRef& ref) { append_json_string(out, to_string(ref)); }
void append_value(std::string& out, Enumerator auto value) { append_word(out, to_string(value)); }
void append_value(std::string& out, const CreatedBy& origin) {
    out += R"({"stage":)"sv;
    append_value(out, origin.stage);
    out += R"(,"attempt":)"sv;
    append_value(out, origin.attempt);
    out += '}';
}
void append_value(std::string& out, const CarriedFrom& from) {
    out += R"({"plan":)"sv;
    append_value(out, from.plan);
    out += R"(,"version":)"sv;
    append_value(out, from.version);
    out += '}';
}
void append_value(std::string& out, const PlanCancelled& cancelled) {
    out += R"({"since":)"sv;
    append_value(out, cancelled.since);
    out += R"(,"by":)"sv;
    append_value(out, cancelled.by);
    out += R"(,"reason":)"sv;
    append_value(out, cancelled.reason);
    out += '}';
}
void append_value(std::string& out, const Stopping& stopping) {
    out += R"({"since":)"sv;
    append_value(out, stopping.since);
    out += R"(,"by":)"sv;
    append_value(out, stopping.by);
    out += R"(,"reason":)"sv;
    append_value(out, stopping.reason);
    out += R"(,"cause":)"sv;
    append_value(out, stopping.cause);
    out += '}';
}
template <typename T>
void append_value(std::string& out, const std::optional<T>& value) {
    if (value) {
        append_value(out, *value);
    } else {
        out += "null"sv;
    }
}

/// Puts `key` (with its comma, quotes and colon, as it stands in the output) and the value.
template <typename T>
void field(std::string& out, std::string_view key, const T& value) {
    out += key;
    append_value(out, value);
}

template <typename List, typename Append>
void append_list(std::string& out, const List& list, Append append) {
    out += '[';
    bool first = true;
    for (const auto& item : list) {
        if (!first) out += ',';
        first = false;
        append(item);
    }
    out += ']';
}

void append_failure(std::string& out, const std::optional<std::string>& failure) {
    if (!failure) {
        out += "null"sv;
        return;
    }
    field(out, R"({"message":)", *failure);
    out += '}';
}

void append_log(std::string& out, const std::optional<LogPlace>& log) {
    out += R"(,"log":)"sv;
    if (!log) {
        out += "null"sv;
        return;
    }
    out += to_json(*log);
}

void append_history(std::string& out, const StateHistory& history) {
    append_list(out, history, [&out](const StateEntry& entry) {
        field(out, R"({"state":)", entry.state);
        field(out, R"(,"version":)", entry.version);
        field(out, R"(,"at":)", entry.at);
        out += '}';
    });
}

void append_refs(std::string& out, const std::vector<NodeRef>& refs) {
    append_list(out, refs, [&out](const NodeRef& ref) { append_value(out, ref); });
}

/// What follows an edge's target, up to the time or the null of `resolved_at`. There are few different ones.
const std::string& edge_condition(const Edge& edge) {
    thread_local std::array<std::string, 64> known;
    const std::size_t number =
        (static_cast<std::size_t>(edge.on_state) * 3 + static_cast<std::size_t>(edge.when) - 1) * 3 +
        static_cast<std::size_t>(edge.resolution) - 1;
    std::string& text = known.at(number);
    if (text.empty()) {
        field(text, R"(,"on_state":)", edge.on_state);
        text += R"(,"when":)"sv;
        if (edge.on_state == State::final) {
            append_value(text, edge.when);
        } else {
            text += "null"sv;
        }
        field(text, R"(,"resolved":)", edge.resolution != Resolution::unresolved);
        field(text, R"(,"satisfied":)", edge.resolution == Resolution::satisfied);
        text += R"(,"resolved_at":)"sv;
    }
    return text;
}

void append_edge(std::string& out, const Edge& edge, bool with_targets) {
    out += edge.target.type == NodeType::check ? R"({"target_type":"check","target_id":)"sv
                                               : R"({"target_type":"stage","target_id":)"sv;
    append_json_string(out, edge.target.id);
    out += edge_condition(edge);
    append_value(out, edge.resolved_at);
    if (with_targets) {
        field(out, R"(,"target_state":)", edge.target_state);
        field(out, R"(,"target_outcome":)", edge.target_outcome);
    }
    out += '}';
}

std::int64_t members_needed(const Predicate& group) {
    switch (group.kind) {
        case GroupKind::all:
            return static_cast<std::int64_t>(group.edges.size() + group.groups.size());
        case GroupKind::any:
            return 1;
        case GroupKind::at_least:
            break;
    }
    return group.threshold;
}

/// Recursion is as deep as groups nest, which plan files limit to kMaxNesting.
void append_predicate(std::string& out, const Predicate& group, bool with_targets) {
    field(out, R"({"predicate":)", group.kind);
    field(out, R"(,"threshold":)", members_needed(group));
    out += R"(,"edges":)"sv;
    append_list(out, group.edges, [&](const Edge& edge) { append_edge(out, edge, with_targets); });
    out += R"(,"groups":)"sv;
    append_list(out, group.groups,
                [&](const Predicate& child) { append_predicate(out, child, with_targets); });
    field(out, R"(,"resolution":)", group.resolution);
    out += '}';
}

void append_explained(std::string& out, const ExplainedNode& node) {
    field(out, R"({"node":)", node.ref);
    field(out, R"(,"state":)", node.state);
    field(out, R"(,"outcome":)", node.outcome);
    field(out, R"(,"concluded_reason":)", node.concluded_reason);
    out += R"(,"dependencies":)"sv;
    append_predicate(out, node.dependencies, true);
    out += R"(,"continuation_group":)"sv;
    append_predicate(out, node.continuation_group, true);
    out += R"(,"notes":)"sv;
    append_list(out, node.notes, [&out](const std::string& note) { append_value(out, note); });
    out += '}';
}

void append_totals(std::string& out, const PlanTotals& sum) {
    field(out, R"({"checks":)", sum.checks);
    field(out, R"(,"stages":)", sum.stages);
    field(out, R"(,"final_checks":)", sum.final_checks);
    field(out, R"(,"final_stages":)", sum.final_stages);
    field(out, R"(,"passed_checks":)", sum.passed_checks);
    field(out, R"(,"failed_checks":)", sum.failed_checks);
    field(out, R"(,"skipped_checks":)", sum.skipped_checks);
    field(out, R"(,"passed_stages":)", sum.passed_stages);
    field(out, R"(,"failed_stages":)", sum.failed_stages);
    field(out, R"(,"skipped_stages":)", sum.skipped_stages);
    field(out, R"(,"cancelled_stages":)", sum.cancelled_stages);
    out += '}';
}

void append_position(std::string& out, std::string_view key, std::uint32_t number) {
    out += key;
    if (number == 0) {
        out += "null"sv;
    } else {
        append_number(out, number);
    }
}

void append_condition(std::string& out, const std::vector<Condition>& condition) {
    out.append(R"(,"condition":)"sv).append(condition.empty() ? "null" : to_json(condition));
}

}  // namespace

void append_json(std::string& out, const WorkPlan& plan) {
    field(out, R"({"id":)", plan.id);
    field(out, R"(,"version":)", plan.version);
    field(out, R"(,"labels":)", plan.labels);
    out += R"(,"from":)"sv;
    if (plan.from)
        append_json_string(out, plan.from->plan);
    else
        out += "null"sv;
    out.append(R"(,"limits":)"sv).append(to_json(plan.limits));
    field(out, R"(,"cancelled":)", plan.cancelled);
    field(out, R"(,"created_at":)", plan.created_at);
    field(out, R"(,"updated_at":)", plan.updated_at);
    out += R"(,"counts":)"sv;
    append_list(out, plan.counts, [&out](const StateCount& row) {
        field(out, R"({"type":)", row.type);
        field(out, R"(,"state":)", row.state);
        field(out, R"(,"outcome":)", row.outcome);
        field(out, R"(,"count":)", row.count);
        out += '}';
    });
    out += '}';
}

void append_json(std::string& out, const Predicate& predicate) { append_predicate(out, predicate, false); }

void append_json(std::string& out, const Check& check) {
    field(out, R"({"id":)", check.id);
    field(out, R"(,"kind":)", check.kind);
    field(out, R"(,"state":)", check.state);
    field(out, R"(,"outcome":)", check.outcome);
    field(out, R"(,"skip_cause":)", check.skip_cause);
    field(out, R"(,"required":)", check.required);
    append_condition(out, check.condition);
    field(out, R"(,"options":)", check.options);
    out += R"(,"dependencies":)"sv;
    append_predicate(out, check.dependencies, false);
    out += R"(,"results":)"sv;
    append_list(out, check.results, [&out](const Result& result) {
        field(out, R"({"id":)", result.id);
        field(out, R"(,"owner_type":)", result.owner_type);
        field(out, R"(,"owner_id":)", result.owner_id);
        field(out, R"(,"data":)", result.data);
        out += R"(,"failure":)"sv;
        append_failure(out, result.failure);
        field(out, R"(,"created_at":)", result.created_at);
        field(out, R"(,"finalized_at":)", result.finalized_at);
        out += '}';
    });
    field(out, R"(,"carried_from":)", check.carried_from);
    field(out, R"(,"created_by":)", check.created_by);
    field(out, R"(,"version":)", check.version);
    field(out, R"(,"created_at":)", check.created_at);
    field(out, R"(,"updated_at":)", check.updated_at);
    out += R"(,"state_history":)"sv;
    append_history(out, check.state_history);
    out += '}';
}

void append_json(std::string& out, const Attempt& attempt) {
    field(out, R"({"idx":)", std::int64_t{attempt.idx});
    field(out, R"(,"state":)", attempt.state);
    field(out, R"(,"cause":)", attempt.cause);
    out += R"(,"process_uid":)"sv;
    if (attempt.process_uid.empty()) {
        out += "null"sv;
    } else {
        append_json_string(out, attempt.process_uid);
    }
    field(out, R"(,"details":)", attempt.details);
    out += R"(,"progress":)"sv;
    append_list(out, attempt.progress, [&out](const Progress& line) {
        field(out, R"({"message":)", line.message);
        field(out, R"(,"timestamp":)", line.timestamp);
        field(out, R"(,"details":)", line.details);
        out += '}';
    });
    out += R"(,"failure":)"sv;
    append_failure(out, attempt.failure);
    field(out, R"(,"exit_code":)", attempt.exit_code);
    field(out, R"(,"signal":)", attempt.signal);
    append_log(out, attempt.log);
    field(out, R"(,"stopping":)", attempt.stopping);
    field(out, R"(,"not_before":)", attempt.not_before);
    field(out, R"(,"started_at":)", attempt.started_at);
    field(out, R"(,"ended_at":)", attempt.ended_at);
    field(out, R"(,"last_heartbeat":)", attempt.last_heartbeat);
    field(out, R"(,"created_at":)", attempt.created_at);
    field(out, R"(,"updated_at":)", attempt.updated_at);
    out += '}';
}

void append_json(std::string& out, const Stage& stage) {
    field(out, R"({"id":)", stage.id);
    field(out, R"(,"state":)", stage.state);
    field(out, R"(,"outcome":)", stage.outcome);
    field(out, R"(,"skip_cause":)", stage.skip_cause);
    field(out, R"(,"concluded_reason":)", stage.concluded_reason);
    field(out, R"(,"concluded_message":)", stage.concluded_message);
    field(out, R"(,"args":)", stage.args);
    out += R"(,"dependencies":)"sv;
    append_predicate(out, stage.dependencies, false);
    out += R"(,"assignments":)"sv;
    append_list(out, stage.assignments, [&out](const Assignment& assignment) {
        field(out, R"({"target_check_id":)", assignment.target_check_id);
        field(out, R"(,"goal_state":)", assignment.goal_state);
        out += '}';
    });
    field(out, R"(,"retry":{"max_retries":)", std::int64_t{stage.retry.max_retries});
    field(out, R"(,"backoff":)", stage.retry.backoff);
    field(out, R"(,"max_backoff":)", stage.retry.max_backoff);
    static const RetryOn kAnyEnd;
    out += R"(,"on":)"sv;
    if (stage.retry.on == kAnyEnd)
        out += R"(["failed","timeout","silent"])"sv;
    else
        out += to_json(stage.retry.on);
    field(out, R"(,"on_interrupt":)", stage.retry.on_interrupt);
    field(out, R"(},"timeout":)", stage.timeout);
    field(out, R"(,"heartbeat":)", stage.heartbeat);
    field(out, R"(,"silence":)", stage.silence);
    field(out, R"(,"runner":)", stage.runner);
    out.append(R"(,"uses":)"sv).append(to_json(stage.uses));
    append_condition(out, stage.condition);
    out += R"(,"continuation_group":)"sv;
    append_predicate(out, stage.continuation_group, false);
    out += R"(,"attempts":)"sv;
    append_list(out, stage.attempts, [&out](const Attempt& attempt) { append_json(out, attempt); });
    field(out, R"(,"carried_from":)", stage.carried_from);
    field(out, R"(,"created_by":)", stage.created_by);
    field(out, R"(,"version":)", stage.version);
    field(out, R"(,"created_at":)", stage.created_at);
    field(out, R"(,"updated_at":)", stage.updated_at);
    out += R"(,"state_history":)"sv;
    append_history(out, stage.state_history);
    out += '}';
}

void append_json(std::string& out, const WriteResult& result) {
    out += R"({"plan":)"sv;
    append_json(out, result.plan);
    out += R"(,"created":)"sv;
    append_refs(out, result.created);
    out += R"(,"changed":)"sv;
    append_refs(out, result.changed);
    out += R"(,"advanced":)"sv;
    append_list(out, result.advanced, [&out](const Advance& advance) {
        field(out, R"({"node":)", advance.node);
        field(out, R"(,"from":)", advance.from);
        field(out, R"(,"to":)", advance.to);
        out += '}';
    });
    out += R"(,"warnings":)"sv;
    append_list(out, result.warnings, [&out](const std::string& text) { append_value(out, text); });
    out += '}';
}

void append_json(std::string& out, const RerunResult& result) {
    out += R"({"plan":)"sv;
    append_json(out, result.plan);
    out += R"(,"carried":)"sv;
    append_refs(out, result.carried);
    out += R"(,"begun":)"sv;
    append_refs(out, result.begun);
    out += R"(,"ended":)"sv;
    append_refs(out, result.ended);
    field(out, R"(,"nothing_to_do":)", result.nothing_to_do);
    out += R"(,"warnings":)"sv;
    append_list(out, result.warnings, [&out](const std::string& text) { append_value(out, text); });
    out += '}';
}

void append_json(std::string& out, const ClaimedAttempt& claimed, const WorkPlan& plan) {
    out += R"({"plan":)"sv;
    append_json(out, plan);
    out += R"(,"stage":)"sv;
    append_json(out, claimed.stage);
    out += R"(,"attempt":)"sv;
    for (const Attempt& attempt : claimed.stage.attempts) {
        if (attempt.idx != claimed.idx) continue;
        append_json(out, attempt);
        field(out, R"(,"token":)", claimed.token);
        out += '}';
        return;
    }
    throw Error(ErrorCode::internal, "a claimed attempt is not among those of its stage");
}

void append_json(std::string& out, const LogEntry& entry) {
    field(out, R"({"version":)", entry.version);
    field(out, R"(,"time":)", entry.time);
    field(out, R"(,"actor":)", entry.actor);
    field(out, R"(,"reason":)", entry.reason);
    out += R"(,"op_id":)"sv;
    if (entry.op_id.empty()) {
        out += "null"sv;
    } else {
        append_json_string(out, entry.op_id);
    }
    field(out, R"(,"by":)", entry.by);
    field(out, R"(,"node":)", entry.node);
    field(out, R"(,"changes":)", entry.changes);
    out += '}';
}

void append_json(std::string& out, const Explanation& explanation) {
    out += R"({"plan":)"sv;
    append_json(out, explanation.plan);
    out += R"(,"node":)"sv;
    append_explained(out, explanation.node);
    out += R"(,"because":)"sv;
    append_list(out, explanation.because, [&out](const ExplainedNode& node) { append_explained(out, node); });
    out += R"(,"root_causes":)"sv;
    append_refs(out, explanation.root_causes);
    field(out, R"(,"truncated":)", explanation.truncated);
    out += '}';
}

void append_json(std::string& out, const PlanSummary& summary) {
    out += R"({"plan":)"sv;
    append_json(out, summary.plan);
    field(out, R"(,"verdict":)", summary.verdict);
    out += R"(,"totals":)"sv;
    append_totals(out, totals(summary.plan));
    out += R"(,"ready":)"sv;
    append_refs(out, summary.ready);
    out += R"(,"running":)"sv;
    append_refs(out, summary.running);
    out += R"(,"failed":)"sv;
    append_list(out, summary.failed, [&out](const PlanSummary::Failure& failure) {
        field(out, R"({"node":)", failure.node);
        field(out, R"(,"message":)", failure.message);
        out += '}';
    });
    out += R"(,"open_checks":)"sv;
    append_refs(out, summary.open_checks);
    out += '}';
}

void append_json(std::string& out, const Error& error) {
    out += R"({"error":{"code":)"sv;
    append_word(out, error_info(error.code()).name);
    std::string message = error.what();
    if (const std::string remedy = remedy_of(error); !remedy.empty()) message += "; " + remedy;
    field(out, R"(,"message":)", message);
    out += R"(,"details":)"sv;
    append_list(out, error.details(), [&out](const ErrorDetail& detail) {
        out += R"({"file":)"sv;
        if (detail.file.empty()) {
            out += "null"sv;
        } else {
            append_json_string(out, detail.file);
        }
        append_position(out, R"(,"line":)", detail.line);
        append_position(out, R"(,"column":)", detail.column);
        field(out, R"(,"message":)", detail.message);
        out += '}';
    });
    out += "}}"sv;
}

}  // namespace turboci
