// SPDX-License-Identifier: Apache-2.0
// A plan as lines of JSON. Only what cannot be derived is written; names stand for keys.
//   {"turboci_export":2,"plan":{…}}
//   {"check":{…}} or {"stage":{…}}, in the order of creation
//   {"write":{…,"changes":[…]}}, by version
//   {"operation":{"op_id","version","claimed":[{"stage","idx"}]}}, by op_id; claimed only where there is any
//   {"end":{"lines":N}}, N counting all lines before it: what is cut off is not taken for whole
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "domain/log_place.hpp"
#include "domain/ordered_json.hpp"
#include "domain/policy_text.hpp"
#include "engine/predicates.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"
#include "service/plan_choice.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace service;
using Json = OrderedJson;

Json json_of(const JsonText& text) { return Json::parse(text.text, nullptr, false); }
Json json_of(Timestamp t) { return format_timestamp(t); }
template <class T>
Json json_of(const std::optional<T>& value) {
    if constexpr (std::is_same_v<T, std::string>)
        return value ? Json(*value) : Json();
    else
        return value ? json_of(*value) : Json();
}
Json microseconds(const std::optional<Duration>& d) { return d ? Json(d->count()) : Json(); }

Json json_of(const StateHistory& history) {
    Json list = Json::array();
    for (const StateEntry& e : history)
        list.push_back({{"state", to_string(e.state)}, {"version", e.version}, {"at", json_of(e.at)}});
    return list;
}

Json json_of(const Predicate& predicate) {
    Json edges = Json::array(), groups = Json::array();
    for (const Edge& e : predicate.edges)
        edges.push_back({{"node", to_string(e.target)},
                         {"on_state", to_string(e.on_state)},
                         {"when", to_string(e.when)}});
    // Moved: a copy at each level would make what lies deep cost as often as it is deep.
    for (const Predicate& g : predicate.groups) groups.push_back(json_of(g));
    return {{"predicate", to_string(predicate.kind)},
            {"threshold", predicate.threshold},
            {"edges", std::move(edges)},
            {"groups", std::move(groups)}};
}

Json common(const NodeRecord& record) {
    const NodeRow& row = record.row;
    Json origin;
    if (record.created_by)
        origin = {{"stage", record.created_by->stage}, {"attempt", record.created_by->attempt}};
    const NodeBody& body = record.body;
    Json carried;
    if (body.carried_from)
        carried = {{"plan", body.carried_from->plan},
                   {"identity", body.carried_from->identity},
                   {"version", body.carried_from->version}};
    return {{"id", row.id},
            {"state", to_string(row.state)},
            {"outcome", row.outcome ? Json(to_string(*row.outcome)) : Json()},
            {"skip_cause", row.skip_cause ? Json(to_string(*row.skip_cause)) : Json()},
            {"condition", body.condition.empty() ? Json() : Json::parse(to_json(body.condition))},
            {"created_by", origin},
            {"carried_from", carried},
            {"version", row.version},
            {"updated_at", json_of(row.updated_at)},
            {"state_history", json_of(row.history)},
            {"dependencies_since", json_of(row.dependencies_since)}};
}

Json json_of(const Result& r) {
    return {{"owner_type", to_string(r.owner_type)},
            {"owner_id", r.owner_id},
            {"data", json_of(r.data)},
            {"failure", json_of(r.failure)},
            {"created_at", json_of(r.created_at)},
            {"finalized_at", json_of(r.finalized_at)}};
}

Json json_of(const AttemptRow& row) {
    const Attempt& a = row.attempt;
    Json lines = Json::array();
    for (const Progress& p : a.progress)
        lines.push_back(
            {{"message", p.message}, {"timestamp", json_of(p.timestamp)}, {"details", json_of(p.details)}});
    Json stopping;
    if (a.stopping)
        stopping = {{"since", json_of(a.stopping->since)},
                    {"by", a.stopping->by},
                    {"reason", a.stopping->reason},
                    {"cause", to_string(a.stopping->cause)},
                    {"inside", a.stopping->from_inside}};
    Json runner;
    if (row.runner)
        runner = {{"host", row.runner->host},
                  {"boot_id", row.runner->boot_id},
                  {"pid", row.runner->pid},
                  {"start_time", row.runner->start_time}};
    return {{"state", to_string(a.state)},
            {"cause", a.cause ? Json(to_string(*a.cause)) : Json()},
            {"process_uid", a.process_uid},
            {"holder", row.holder},
            {"details", json_of(a.details)},
            {"progress", std::move(lines)},
            {"failure", json_of(a.failure)},
            {"exit_code", a.exit_code ? Json(*a.exit_code) : Json()},
            {"signal", a.signal ? Json(*a.signal) : Json()},
            {"log", a.log ? json_of(JsonText{to_json(*a.log)}) : Json()},
            {"stopping", stopping},
            {"not_before", json_of(a.not_before)},
            {"last_heartbeat", json_of(a.last_heartbeat)},
            {"started_at", json_of(a.started_at)},
            {"ended_at", json_of(a.ended_at)},
            {"no_retry", row.no_retry},
            {"runner", runner},
            {"created_at", json_of(a.created_at)},
            {"updated_at", json_of(a.updated_at)}};
}

Json json_of(const std::optional<PlanCancelled>& cancelled) {
    if (!cancelled) return {};
    return {{"since", json_of(cancelled->since)}, {"by", cancelled->by}, {"reason", cancelled->reason}};
}

Json check_json(const NodeRecord& record) {
    Json json = common(record);
    json["required"] = record.row.required;
    json["kind"] = record.row.kind;
    json["options"] = json_of(record.body.json);
    json["dependencies"] = json_of(engine::view_predicate(record, PredicateRole::dependencies));
    json["results"] = Json::array();
    for (const ResultRow& r : record.results) json["results"].push_back(json_of(r.result));
    return {{"check", std::move(json)}};
}

Json stage_json(const NodeRecord& record) {
    Json json = common(record);
    const NodeBody& body = record.body;
    json["concluded_reason"] =
        record.row.concluded_reason ? Json(to_string(*record.row.concluded_reason)) : Json();
    json["message"] = json_of(body.message);
    json["args"] = json_of(body.json);
    json["max_retries"] = body.retry.max_retries;
    json["backoff_us"] = body.retry.backoff.count();
    const Retry& retry = body.retry;
    json["max_backoff_us"] = retry.max_backoff == kMaxBackoff ? Json() : Json(retry.max_backoff.count());
    json["retry_on"] = retry.on == RetryOn() ? Json() : Json::parse(to_json(retry.on));
    json["on_interrupt"] =
        retry.on_interrupt == OnInterrupt::again ? Json() : Json(to_string(retry.on_interrupt));
    json["silence_us"] = microseconds(body.silence);
    json["runner"] = body.runner.empty() ? Json() : Json(body.runner);
    json["uses"] = body.uses.empty() ? Json() : Json::parse(to_json(body.uses));
    json["timeout_us"] = microseconds(body.timeout);
    json["heartbeat_us"] = microseconds(body.heartbeat);
    json["dependencies"] = json_of(engine::view_predicate(record, PredicateRole::dependencies));
    json["assignments"] = Json::array();
    for (const AssignmentRecord& a : record.assignments)
        json["assignments"].push_back({{"check", a.check_id}, {"goal_state", to_string(a.row.goal)}});
    json["continuation_group"] = nullptr;
    if (record.row.has_continuation) {
        json["continuation_group"] = json_of(engine::view_predicate(record, PredicateRole::continuation));
        for (const GroupRow& g : record.groups)
            if (g.role == PredicateRole::continuation && g.parent < 0)
                json["continuation_since"] = json_of(g.since);
    }
    json["attempts"] = Json::array();
    std::int32_t next = 1;
    for (const AttemptRow& a : record.attempts) {
        Json& attempt = json["attempts"].emplace_back(json_of(a));
        // Of a stage that was carried over only some came along.
        if (a.attempt.idx != next) attempt["idx"] = a.attempt.idx;
        next = a.attempt.idx + 1;
    }
    return {{"stage", std::move(json)}};
}

}  // namespace

void LocalService::export_plan(const std::string& plan_id,
                               const std::function<void(std::string_view)>& write) {
    auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, plan_id, options_.exact_ids);
    std::int64_t lines = 0;
    const auto put = [&](const Json& json) {
        ++lines;
        write(json.dump(-1, ' ', false, Json::error_handler_t::replace));
    };
    put({{"turboci_export", 2},
         {"plan",
          {{"id", plan.id},
           {"identity", plan.identity},
           {"older_rules_until", plan.older_rules_until},
           {"from", plan.from ? Json{{"plan", plan.from->plan}, {"identity", plan.from->identity}} : Json()},
           {"cancelled", json_of(plan.cancelled)},
           {"limits", Json::parse(to_json(plan.limits))},
           {"version", plan.version},
           {"labels", json_of(plan.labels)},
           {"created_at", json_of(plan.created_at)},
           {"updated_at", json_of(plan.clock.time)}}}});
    snapshot->scan(plan.key, {}, [&](std::span<const NodeRecord> records) {
        for (const NodeRecord& record : records)
            put(record.row.type == NodeType::check ? check_json(record) : stage_json(record));
        return true;
    });

    Json current;
    const auto finish = [&] {
        if (!current.is_null()) put({{"write", std::exchange(current, {})}});
    };
    snapshot->read_log(plan.key, std::nullopt, 0, [&](const LogEntry& e) {
        if (current.is_null() || current["version"] != e.version) {
            finish();
            current = {{"version", e.version}, {"time", json_of(e.time)}, {"actor", e.actor},
                       {"reason", e.reason},   {"op_id", e.op_id},        {"changes", Json::array()}};
        }
        current["changes"].push_back({{"node", e.node ? Json(to_string(*e.node)) : Json()},
                                      {"by", to_string(e.by)},
                                      {"changes", json_of(e.changes)}});
        return true;
    });
    finish();
    Lookup operations;
    operations.operations = true;
    for (const OperationRow& operation : snapshot->load(plan.key, operations).operations) {
        Json json{{"op_id", operation.op_id}, {"version", operation.version}};
        for (const auto& [stage, idx] : operation.claimed)
            json["claimed"].push_back({{"stage", service::node(*snapshot, stage).id}, {"idx", idx}});
        put({{"operation", std::move(json)}});
    }
    snapshot.reset();
    // The line without which the text is not taken for whole comes once nothing of it can be lost.
    store_.flush();
    put({{"end", {{"lines", lines}}}});
}

}  // namespace turboci
