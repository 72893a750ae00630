// SPDX-License-Identifier: Apache-2.0
// Nodes for the tests of output.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/node_collector.hpp"
#include "turboci/requests.hpp"

namespace turboci::samples {

/// 2026-01-02T03:04:05.000006Z and so many microseconds.
inline Timestamp at(std::int64_t micros) {
    using namespace std::chrono;
    return sys_days{2026y / January / 2} + hours{3} + minutes{4} + seconds{5} + microseconds{6 + micros};
}

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

inline WorkPlan plan() {
    WorkPlan plan;
    plan.id = "p";
    plan.version = 7;
    plan.labels.text = R"({"branch":"main"})";
    plan.created_at = at(0);
    plan.updated_at = at(999'994);
    plan.counts = {{NodeType::check, State::final, Outcome::passed, 2},
                   {NodeType::stage, State::planned, std::nullopt, 1}};
    return plan;
}

inline Edge edge(NodeType type, std::string id, State on_state = State::final, When when = When::success,
                 Resolution resolution = Resolution::unresolved) {
    Edge edge;
    edge.target = {type, std::move(id)};
    edge.on_state = on_state;
    edge.when = when;
    edge.resolution = resolution;
    return edge;
}

inline Predicate group(GroupKind kind, std::vector<Edge> edges,
                       Resolution resolution = Resolution::unresolved, std::int32_t threshold = 0) {
    Predicate group;
    group.kind = kind;
    group.threshold = threshold;
    group.edges = std::move(edges);
    group.resolution = resolution;
    return group;
}

inline Check check(std::string id, std::string kind = {}, State state = State::planned,
                   std::optional<Outcome> outcome = std::nullopt) {
    Check check;
    check.id = std::move(id);
    check.kind = std::move(kind);
    check.state = state;
    check.outcome = outcome;
    check.created_at = check.updated_at = at(0);
    return check;
}

inline Stage stage(std::string id, State state = State::planned,
                   std::optional<Outcome> outcome = std::nullopt) {
    Stage stage;
    stage.id = std::move(id);
    stage.state = state;
    stage.outcome = outcome;
    stage.created_at = stage.updated_at = at(0);
    return stage;
}

/// Attempt 1 failed, attempt 2 waits for its backoff.
inline Stage stage_with_attempts() {
    Stage stage = samples::stage("s", State::attempting);
    stage.args.text = R"({"command":"true"})";
    stage.assignments = {{"c", State::final}};
    stage.retry = {2, std::chrono::milliseconds(1500)};
    stage.timeout = std::chrono::minutes(5);
    stage.version = 3;
    Attempt first;
    first.state = AttemptState::incomplete;
    first.process_uid = "w1";
    first.details.text = R"({"k":"v"})";
    first.progress = {{"half", at(0), {}}};
    first.failure = "exit 1";
    first.cause = Cause::failed;
    first.exit_code = 1;
    first.log = LogPlace{"p.db.logs/p/s.1.log"};
    first.stopping = Stopping{at(0), "ann", "late", Cause::failed, false};
    first.started_at = first.ended_at = at(0);
    first.last_heartbeat = first.created_at = first.updated_at = at(0);
    Attempt second;
    second.idx = 2;
    second.not_before = at(1'500'000);
    second.created_at = second.updated_at = at(0);
    stage.attempts = {first, second};
    return stage;
}

}  // namespace turboci::samples
