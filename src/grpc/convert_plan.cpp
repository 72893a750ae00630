// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

StateCount read(Reading& reading, const Path& path, const v1::Count& wire) {
    StateCount count;
    count.type = reading.value(path("type"), kNodeTypes, wire.type()).value_or(NodeType::check);
    count.state = reading.state(path("state"), count.type, wire.state()).value_or(count.state);
    count.outcome = reading.value(path("outcome"), kOutcomes, wire.outcome());
    count.count = wire.count();
    return count;
}

void write(const StateCount& count, v1::Count& wire) {
    wire.set_type(to_wire(kNodeTypes, count.type));
    wire.set_state(state_number(count.type, count.state));
    wire.set_outcome(to_wire(kOutcomes, count.outcome));
    wire.set_count(count.count);
}

void write_labels(const JsonText& labels, v1::WorkPlan& wire) {
    if (labels.empty()) return;
    wire.set_labels_json(labels.text);
    const auto object = nlohmann::json::parse(labels.text, nullptr, false);
    if (!object.is_object()) return;
    for (const auto& [key, value] : object.items())
        if (value.is_string()) (*wire.mutable_labels())[key] = value.get<std::string>();
}

JsonText read_labels(Reading& reading, const Path& path, const v1::WorkPlan& wire) {
    if (auto text = reading.json(path("labels_json"), wire.labels_json())) return std::move(*text);
    std::string json = "{";
    for (const auto& [key, value] :
         std::map<std::string, std::string>(wire.labels().begin(), wire.labels().end())) {
        if (json.size() > 1) json += ',';
        append_json_string(json, key);
        json += ':';
        append_json_string(json, value);
    }
    return {json + '}'};
}

}  // namespace

Stopping read(Reading& reading, const Path& path, const v1::Stopping& wire) {
    Stopping stopping;
    if (wire.has_since()) stopping.since = reading.time(path("since"), wire.since()).value_or(Timestamp{});
    stopping.by = wire.by();
    stopping.reason = wire.reason();
    stopping.cause = reading.value(path("then"), kCauses, wire.then()).value_or(stopping.cause);
    stopping.from_inside = wire.from_inside();
    return stopping;
}

void write(const WorkPlan& plan, v1::WorkPlan& wire) {
    wire.set_id(plan.id);
    wire.set_identity(plan.identity);
    wire.set_version(plan.version);
    write_labels(plan.labels, wire);
    write_amounts(plan.limits, &Limit::name, wire.mutable_limits());
    if (plan.cancelled) {
        auto& cancelled = *wire.mutable_cancelled();
        write(plan.cancelled->since, *cancelled.mutable_since());
        cancelled.set_by(plan.cancelled->by);
        cancelled.set_reason(plan.cancelled->reason);
    }
    if (plan.from) {
        wire.set_from(plan.from->plan);
        wire.set_from_identity(plan.from->identity);
    }
    if (plan.created_at != Timestamp{}) write(plan.created_at, *wire.mutable_created_at());
    if (plan.updated_at != Timestamp{}) write(plan.updated_at, *wire.mutable_updated_at());
    for (const auto& count : plan.counts) write(count, *wire.add_counts());
}

WorkPlan read(Reading& reading, const Path& path, const v1::WorkPlan& wire) {
    WorkPlan plan;
    plan.id = wire.id();
    plan.identity = wire.identity();
    plan.version = wire.version();
    plan.labels = read_labels(reading, path, wire);
    plan.limits = read_amounts(wire.limits(), &Limit::name);
    if (wire.has_cancelled()) {
        auto stopping = read(reading, path("cancelled"), wire.cancelled());
        plan.cancelled = {stopping.since, std::move(stopping.by), std::move(stopping.reason)};
    }
    if (!wire.from().empty() || !wire.from_identity().empty())
        plan.from = {wire.from(), wire.from_identity()};
    if (wire.has_created_at())
        plan.created_at = reading.time(path("created_at"), wire.created_at()).value_or(Timestamp{});
    if (wire.has_updated_at())
        plan.updated_at = reading.time(path("updated_at"), wire.updated_at()).value_or(Timestamp{});
    for (int i = 0; i < wire.counts_size(); ++i)
        plan.counts.push_back(read(reading, path("counts", i), wire.counts(i)));
    return plan;
}

WorkPlan read(const v1::WorkPlan& wire) {
    auto reading = Reading::answer();
    auto plan = read(reading, Path{}, wire);
    reading.raise_if_any();
    return plan;
}

}  // namespace turboci::rpc
