// SPDX-License-Identifier: Apache-2.0
// What the service answers.
#include <cstddef>
#include <string>
#include <vector>

#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

using rpc::read;
using rpc::write;

template <class Wire>
std::vector<NodeRef> read_refs(Reading& reading, const char* field, const Wire& wire) {
    std::vector<NodeRef> refs;
    refs.reserve(static_cast<std::size_t>(wire.size()));
    for (int i = 0; i < wire.size(); ++i) refs.push_back(read(reading, Path{nullptr, field, i}, wire[i]));
    return refs;
}

void write(const Advance& advance, v1::Advance& wire) {
    write(advance.node, *wire.mutable_node());
    wire.set_from(state_number(advance.node.type, advance.from));
    wire.set_to(state_number(advance.node.type, advance.to));
    wire.set_outcome(to_wire(kOutcomes, advance.outcome));
}

Advance read(Reading& reading, const Path& path, const v1::Advance& wire) {
    Advance advance;
    advance.node = read(reading, path("node"), wire.node());
    advance.from = reading.state(path("from"), advance.node.type, wire.from()).value_or(advance.from);
    advance.to = reading.state(path("to"), advance.node.type, wire.to()).value_or(advance.to);
    advance.outcome = reading.value(path("outcome"), kOutcomes, wire.outcome());
    return advance;
}

/// A node of an explanation is a node of which the rest is left out.
void write(const ExplainedNode& node, v1::ExplainedNode& wire) {
    const auto fill = [&](auto& to) {
        to.set_id(node.ref.id);
        to.set_outcome(to_wire(kOutcomes, node.outcome));
        if (!is_none(node.dependencies)) write(node.dependencies, *to.mutable_dependencies());
    };
    if (node.ref.type == NodeType::check) {
        fill(*wire.mutable_check());
        wire.mutable_check()->set_state(to_wire(kCheckStates, node.state));
    } else {
        auto& stage = *wire.mutable_stage();
        fill(stage);
        stage.set_state(to_wire(kStageStates, node.state));
        stage.set_concluded_reason(to_wire(kConcludedReasons, node.concluded_reason));
        if (!is_none(node.continuation_group))
            write(node.continuation_group, *stage.mutable_continuation_group());
    }
    write_texts(node.notes, wire.mutable_notes());
}

ExplainedNode read(Reading& reading, const Path& path, const v1::ExplainedNode& wire) {
    ExplainedNode node;
    if (wire.has_check()) {
        const Check check = read(reading, path("check"), wire.check());
        node.ref = {NodeType::check, check.id};
        node.state = check.state;
        node.outcome = check.outcome;
        node.dependencies = check.dependencies;
    } else if (wire.has_stage()) {
        const Stage stage = read(reading, path("stage"), wire.stage());
        node.ref = {NodeType::stage, stage.id};
        node.state = stage.state;
        node.outcome = stage.outcome;
        node.concluded_reason = stage.concluded_reason;
        node.dependencies = stage.dependencies;
        node.continuation_group = stage.continuation_group;
    } else {
        reading.problem(path, "is no node that is known here");
    }
    node.notes = texts(wire.notes());
    return node;
}

}  // namespace

void write(const WriteResult& result, JsonForm form, v1::WriteNodesResponse& wire) {
    write(result.plan, *wire.mutable_plan());
    write_all(result.created, wire.mutable_created());
    write_all(result.changed, wire.mutable_changed());
    for (const auto& advance : result.advanced) write(advance, *wire.add_advanced());
    write_texts(result.warnings, wire.mutable_warnings());
    for (const auto& claimed : result.claimed) write(claimed, result.plan.id, form, *wire.add_claimed());
    for (const auto& end : result.ended) write(end, *wire.add_ended());
    if (result.next_ready_in) write(*result.next_ready_in, *wire.mutable_next_ready_in());
    wire.set_moved(result.moved);
    wire.set_relabelled(result.relabelled);
    wire.set_replayed(result.replayed);
}

WriteResult read(const v1::WriteNodesResponse& wire) {
    auto reading = Reading::answer();
    WriteResult result;
    result.plan = read(reading, Path{nullptr, "plan"}, wire.plan());
    result.created = read_refs(reading, "created", wire.created());
    result.changed = read_refs(reading, "changed", wire.changed());
    for (int i = 0; i < wire.advanced_size(); ++i)
        result.advanced.push_back(read(reading, Path{nullptr, "advanced", i}, wire.advanced(i)));
    result.warnings = texts(wire.warnings());
    for (const auto& claimed : wire.claimed()) result.claimed.push_back(read(claimed));
    for (const auto& end : wire.ended()) result.ended.push_back(read(end));
    if (wire.has_next_ready_in())
        result.next_ready_in = reading.duration(Path{nullptr, "next_ready_in"}, wire.next_ready_in());
    result.moved = wire.moved();
    result.relabelled = wire.relabelled();
    result.replayed = wire.replayed();
    reading.raise_if_any();
    return result;
}

void write(const RerunResult& result, v1::RerunWorkPlanResponse& wire) {
    write(result.plan, *wire.mutable_work_plan());
    write_all(result.carried, wire.mutable_carried());
    write_all(result.begun, wire.mutable_begun());
    write_all(result.ended, wire.mutable_cancelled());
    write_texts(result.warnings, wire.mutable_warnings());
    wire.set_nothing_to_do(result.nothing_to_do);
    wire.set_replayed(result.replayed);
}

RerunResult read(const v1::RerunWorkPlanResponse& wire) {
    auto reading = Reading::answer();
    RerunResult result;
    result.plan = read(reading, Path{nullptr, "work_plan"}, wire.work_plan());
    result.carried = read_refs(reading, "carried", wire.carried());
    result.begun = read_refs(reading, "begun", wire.begun());
    result.ended = read_refs(reading, "cancelled", wire.cancelled());
    result.warnings = texts(wire.warnings());
    result.nothing_to_do = wire.nothing_to_do();
    result.replayed = wire.replayed();
    reading.raise_if_any();
    return result;
}

void write(const Explanation& explanation, v1::ExplainNodeResponse& wire) {
    write(explanation.plan, *wire.mutable_work_plan());
    write(explanation.node, *wire.mutable_node());
    for (const auto& node : explanation.because) write(node, *wire.add_because());
    write_all(explanation.root_causes, wire.mutable_root_causes());
    wire.set_truncated(explanation.truncated);
}

Explanation read(const v1::ExplainNodeResponse& wire) {
    auto reading = Reading::answer();
    Explanation explanation;
    explanation.plan = read(reading, Path{nullptr, "work_plan"}, wire.work_plan());
    explanation.node = read(reading, Path{nullptr, "node"}, wire.node());
    for (int i = 0; i < wire.because_size(); ++i)
        explanation.because.push_back(read(reading, Path{nullptr, "because", i}, wire.because(i)));
    explanation.root_causes = read_refs(reading, "root_causes", wire.root_causes());
    explanation.truncated = wire.truncated();
    reading.raise_if_any();
    return explanation;
}

void write(const PlanSummary& summary, v1::SummarizeWorkPlanResponse& wire) {
    write(summary.plan, *wire.mutable_work_plan());
    wire.mutable_work_plan()->set_verdict(to_wire(kVerdicts, summary.verdict));
    write_all(summary.ready, wire.mutable_ready());
    write_all(summary.running, wire.mutable_running());
    for (const auto& failure : summary.failed) {
        auto& note = *wire.add_failed();
        write(failure.node, *note.mutable_node());
        note.set_text(failure.message);
    }
    write_all(summary.open_checks, wire.mutable_open());
}

PlanSummary read(const v1::SummarizeWorkPlanResponse& wire) {
    auto reading = Reading::answer();
    PlanSummary summary;
    const Path plan{nullptr, "work_plan"};
    summary.plan = read(reading, plan, wire.work_plan());
    summary.verdict =
        reading.value(plan("verdict"), kVerdicts, wire.work_plan().verdict()).value_or(summary.verdict);
    if (wire.work_plan().verdict() == v1::VERDICT_UNKNOWN) reading.problem(plan("verdict"), "is not given");
    summary.ready = read_refs(reading, "ready", wire.ready());
    summary.running = read_refs(reading, "running", wire.running());
    for (int i = 0; i < wire.failed_size(); ++i) {
        const Path at{nullptr, "failed", i};
        summary.failed.push_back({read(reading, at("node"), wire.failed(i).node()), wire.failed(i).text()});
    }
    summary.open_checks = read_refs(reading, "open", wire.open());
    reading.raise_if_any();
    return summary;
}

void write(const LogEntry& entry, v1::RecordEntry& wire) {
    wire.set_version(entry.version);
    write(entry.time, *wire.mutable_time());
    wire.set_by(to_wire(kMovers, entry.by));
    wire.set_actor(entry.actor);
    wire.set_reason(entry.reason);
    wire.set_op_id(entry.op_id);
    if (entry.node) write(*entry.node, *wire.mutable_node());
    wire.set_changes_json(entry.changes.text);
}

LogEntry read(const v1::RecordEntry& wire) {
    auto reading = Reading::answer();
    LogEntry entry;
    entry.version = wire.version();
    entry.time = reading.time(Path{nullptr, "time"}, wire.time()).value_or(Timestamp{});
    entry.by = reading.value(Path{nullptr, "by"}, kMovers, wire.by()).value_or(entry.by);
    entry.actor = wire.actor();
    entry.reason = wire.reason();
    entry.op_id = wire.op_id();
    if (wire.has_node()) entry.node = read(reading, Path{nullptr, "node"}, wire.node());
    entry.changes = reading.json(Path{nullptr, "changes_json"}, wire.changes_json()).value_or(JsonText{});
    reading.raise_if_any();
    return entry;
}

void write(const Worker& worker, v1::Worker& wire) {
    wire.set_uid(worker.identity);
    wire.set_name(worker.name);
    wire.mutable_runners()->Assign(worker.runners.begin(), worker.runners.end());
    write(worker.started_at, *wire.mutable_started_at());
    write(worker.last_seen, *wire.mutable_last_seen());
    wire.set_draining(worker.draining);
    wire.set_held(static_cast<std::int32_t>(worker.held));
}

Worker read(const v1::Worker& wire) {
    return {wire.uid(),
            wire.name(),
            {wire.runners().begin(), wire.runners().end()},
            read(wire.started_at()),
            read(wire.last_seen()),
            wire.draining(),
            wire.held()};
}

}  // namespace turboci::rpc
