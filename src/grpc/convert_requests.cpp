// SPDX-License-Identifier: Apache-2.0
// Whole requests to write.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "domain/ordered_json.hpp"
#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::read;
using rpc::write;

using Labels = std::vector<std::pair<std::string, std::string>>;

Claim read(const v1::Claim& wire) {
    Claim claim;
    claim.stages = texts(wire.stages());
    claim.filter = read(wire.filter());
    claim.at_most = wire.at_most();
    claim.ahead = wire.ahead();
    claim.process_uid = wire.process_uid();
    claim.holder = wire.holder();
    if (wire.has_runner()) claim.runner = read(wire.runner());
    return claim;
}

void write(const Claim& claim, v1::Claim& wire) {
    write_texts(claim.stages, wire.mutable_stages());
    write(claim.filter, *wire.mutable_filter());
    wire.set_at_most(claim.at_most);
    wire.set_ahead(claim.ahead);
    wire.set_process_uid(claim.process_uid);
    wire.set_holder(claim.holder);
    if (claim.runner) write(*claim.runner, *wire.mutable_runner());
}

/// The labels of a new plan, in their order.
Labels read_labels(Reading& reading, const v1::CreateWorkPlanRequest& wire) {
    const Path path{nullptr, "labels_json"};
    if (wire.labels_json().empty()) {
        const std::map<std::string, std::string> sorted(wire.metadata().begin(), wire.metadata().end());
        return {sorted.begin(), sorted.end()};
    }
    Labels labels;
    const auto text = reading.json(path, wire.labels_json());
    if (!text) return labels;
    const auto object = OrderedJson::parse(text->text, nullptr, false);
    for (const auto& [key, value] : object.items()) {
        if (!value.is_string()) {
            reading.problem(path, "has a value that is no text");
            break;
        }
        labels.emplace_back(key, value.get<std::string>());
    }
    return labels;
}

void write_labels(const Labels& labels, v1::CreateWorkPlanRequest& wire) {
    if (labels.empty()) return;
    std::string json = "{";
    for (const auto& [key, value] : labels) {
        if (json.size() > 1) json += ',';
        append_json_string(json, key);
        json += ':';
        append_json_string(json, value);
        (*wire.mutable_metadata())[key] = value;
    }
    wire.set_labels_json(json + '}');
}

/// What the request says beside the write that it holds.
template <class Wire>
void merge_head(Reading& reading, const Wire& wire, WriteNodes& write) {
    Shared::merge(reading, Path{nullptr, "actor"}, write.actor, wire.actor());
    Shared::merge(reading, Path{nullptr, "reason"}, write.reason, wire.reason());
    Shared::merge(reading, Path{nullptr, "op_id"}, write.op_id, wire.op_id());
}

/// Moves actor, reason and op_id from the write to the request that holds it.
template <class Wire>
void lift_head(const WriteNodes& request, v1::WriteNodesRequest& inner, Wire& wire) {
    wire.set_actor(request.actor);
    wire.set_reason(request.reason);
    wire.set_op_id(request.op_id);
    inner.clear_actor();
    inner.clear_reason();
    inner.clear_op_id();
}

}  // namespace

ClaimFilter read(const v1::ClaimFilter& wire) {
    ClaimFilter filter;
    if (!wire.runners().empty()) filter.runners = texts(wire.runners());
    filter.only = texts(wire.only());
    filter.except = texts(wire.except());
    filter.match = texts(wire.match());
    filter.with_command = wire.with_command();
    filter.args_bytes = wire.args_bytes();
    filter.judged = texts(wire.judged());
    return filter;
}

void write(const ClaimFilter& filter, v1::ClaimFilter& wire) {
    write_texts(filter.runners, wire.mutable_runners());
    write_texts(filter.only, wire.mutable_only());
    write_texts(filter.except, wire.mutable_except());
    write_texts(filter.match, wire.mutable_match());
    wire.set_with_command(filter.with_command);
    wire.set_args_bytes(filter.args_bytes);
    write_texts(filter.judged, wire.mutable_judged());
}

WriteNodes read(Reading& reading, const Path& path, const v1::WriteNodesRequest& wire) {
    WriteNodes request;
    request.files = {std::string(kRequestFile)};
    request.plan = wire.work_plan_id();
    request.plan_identity = wire.plan_identity();
    request.token = wire.attempt_token();
    request.reason = wire.reason();
    request.actor = wire.actor();
    if (wire.has_if_version()) request.if_version = wire.if_version();
    request.op_id = wire.op_id();
    request.dry_run = wire.dry_run();
    request.tick = wire.tick();
    request.labels = reading.json(path("labels_json"), wire.labels_json());
    request.limits = read_amounts(wire.limits(), &Limit::name);
    request.limits_at = reading.at(path("limits"));
    if (wire.has_cancel()) request.cancel = {texts(wire.cancel().only()), wire.cancel().clean_up_too()};
    if (wire.has_inside()) request.inside = {wire.inside().stage_id(), wire.inside().idx()};
    Shared shared{request.token, request.reason};
    for (int i = 0; i < wire.checks_size(); ++i)
        request.checks.push_back(read(reading, path("checks", i), wire.checks(i), shared));
    for (int i = 0; i < wire.stages_size(); ++i)
        request.stages.push_back(read(reading, path("stages", i), wire.stages(i), shared));
    if (wire.has_claim()) request.claim = read(wire.claim());
    return request;
}

WriteNodes read(const v1::WriteNodesRequest& wire, FieldNames& names) {
    Reading reading(&names);
    auto request = read(reading, Path{}, wire);
    reading.raise_if_any();
    return request;
}

void write(const WriteNodes& request, v1::WriteNodesRequest& wire) {
    wire.set_work_plan_id(request.plan);
    wire.set_plan_identity(request.plan_identity);
    wire.set_attempt_token(request.token);
    wire.set_reason(request.reason);
    wire.set_actor(request.actor);
    if (request.if_version) wire.set_if_version(*request.if_version);
    wire.set_op_id(request.op_id);
    wire.set_dry_run(request.dry_run);
    wire.set_tick(request.tick);
    if (request.labels) wire.set_labels_json(request.labels->text);
    write_amounts(request.limits, &Limit::name, wire.mutable_limits());
    if (request.cancel) {
        write_texts(request.cancel->only, wire.mutable_cancel()->mutable_only());
        wire.mutable_cancel()->set_clean_up_too(request.cancel->clean_up_too);
    }
    if (request.inside) {
        wire.mutable_inside()->set_stage_id(request.inside->stage_id);
        wire.mutable_inside()->set_idx(request.inside->idx);
    }
    CheckWrite check;
    for (std::size_t i = 0; i < request.checks.size(); ++i) {
        request.checks.read(i, check);
        write(check, *wire.add_checks());
    }
    StageWrite stage;
    for (std::size_t i = 0; i < request.stages.size(); ++i) {
        request.stages.read(i, stage);
        write(stage, *wire.add_stages());
    }
    if (request.claim) write(*request.claim, *wire.mutable_claim());
}

CreatePlan read(const v1::CreateWorkPlanRequest& wire, FieldNames& names) {
    Reading reading(&names);
    CreatePlan request;
    request.id = wire.id();
    request.labels = read_labels(reading, wire);
    const Path nodes{nullptr, "nodes"};
    request.nodes = read(reading, nodes, wire.nodes());
    if (!wire.nodes().work_plan_id().empty())
        reading.problem(nodes("work_plan_id"), "is given for a plan that is created");
    if (wire.nodes().has_if_version())
        reading.problem(nodes("if_version"), "is given for a plan that is created");
    merge_head(reading, wire, request.nodes);
    if (!wire.limits().empty()) {
        if (!request.nodes.limits.empty()) reading.problem(nodes("limits"), "is given beside 'limits'");
        request.nodes.limits = read_amounts(wire.limits(), &Limit::name);
        request.nodes.limits_at = reading.at(Path{nullptr, "limits"});
    }
    reading.raise_if_any();
    return request;
}

void write(const CreatePlan& request, v1::CreateWorkPlanRequest& wire) {
    wire.set_id(request.id);
    write_labels(request.labels, wire);
    auto& nodes = *wire.mutable_nodes();
    write(request.nodes, nodes);
    nodes.clear_work_plan_id();
    nodes.clear_if_version();
    lift_head(request.nodes, nodes, wire);
    wire.mutable_limits()->Swap(nodes.mutable_limits());
}

RerunPlan read(const v1::RerunWorkPlanRequest& wire, FieldNames& names) {
    Reading reading(&names);
    RerunPlan request;
    request.plan = wire.work_plan_id();
    request.id = wire.id();
    for (int i = 0; i < wire.again_size(); ++i)
        request.again.push_back(read_ref(reading, Path{nullptr, "again", i}, wire.again(i)));
    request.fork = wire.fork();
    request.redefines = wire.has_definitions();
    const Path options{nullptr, "options"};
    if (wire.has_definitions() && wire.has_options())
        reading.problem(options, "is given beside 'definitions'");
    request.definitions = request.redefines ? read(reading, Path{nullptr, "definitions"}, wire.definitions())
                                            : read(reading, options, wire.options());
    merge_head(reading, wire, request.definitions);
    reading.raise_if_any();
    return request;
}

void write(const RerunPlan& request, v1::RerunWorkPlanRequest& wire) {
    wire.set_work_plan_id(request.plan);
    wire.set_id(request.id);
    for (const auto& ref : request.again) write(ref, *wire.add_again());
    wire.set_fork(request.fork);
    auto& definitions = request.redefines ? *wire.mutable_definitions() : *wire.mutable_options();
    write(request.definitions, definitions);
    lift_head(request.definitions, definitions, wire);
}

PrunePlans read(const v1::PruneWorkPlansRequest& wire) {
    Reading reading(nullptr);
    PrunePlans request;
    if (wire.has_keep()) request.keep = wire.keep();
    if (wire.has_older_than())
        request.older_than = reading.duration(Path{nullptr, "older_than"}, wire.older_than());
    if (wire.only_listed())
        request.only = texts(wire.identities());
    else if (!wire.identities().empty())
        reading.problem(Path{nullptr, "identities"}, "is given without 'only_listed'");
    request.dry_run = wire.dry_run();
    reading.raise_if_any();
    return request;
}

void write(const PrunePlans& request, v1::PruneWorkPlansRequest& wire) {
    if (request.keep) wire.set_keep(*request.keep);
    if (request.older_than) write(*request.older_than, *wire.mutable_older_than());
    wire.set_only_listed(request.only.has_value());
    if (request.only) write_texts(*request.only, wire.mutable_identities());
    wire.set_dry_run(request.dry_run);
}

Beat read(const v1::BeatRequest& wire) {
    return {wire.worker_uid(), wire.name(), {wire.runners().begin(), wire.runners().end()}, wire.draining()};
}

void write(const Beat& beat, v1::BeatRequest& wire) {
    wire.set_worker_uid(beat.holder);
    wire.set_name(beat.name);
    wire.mutable_runners()->Assign(beat.runners.begin(), beat.runners.end());
    wire.set_draining(beat.draining);
}

}  // namespace turboci::rpc
