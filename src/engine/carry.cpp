// SPDX-License-Identifier: Apache-2.0
#include "engine/carry.hpp"

#include <fmt/core.h>

#include <utility>

#include "engine/resolve.hpp"

namespace turboci::engine {

namespace {

std::string to_json(const CarriedFrom& from) {
    return fmt::format(R"({{"plan":{},"version":{}}})", json_string(from.plan), from.version);
}

/// What was reported to a check, under the names of the new plan.
void carry_results(Session& session, const Node& check, const CarriedNode& from) {
    for (const CarriedResult& old : from.results) {
        ResultRow row{.check = check.row.key, .result = old.row->result};
        row.result.id = 0;
        if (!row.result.finalized_at) row.result.finalized_at = session.nodes.now();
        if (old.stage != nullptr) {
            row.stage = session.nodes.find(NodeType::stage, *old.stage)->row.key;
            row.attempt = old.row->attempt;
            row.result.owner_id = attempt_owner_id(session.plan.id, *old.stage, row.attempt);
        }
        session.nodes.add_result(std::move(row));
    }
}

void carry_attempts(Session& session, Node& stage, const CarriedNode& from) {
    for (const AttemptRow* old : from.attempts) {
        AttemptRow row = *old;
        row.stage = stage.row.key;
        row.plan = session.nodes.plan();
        row.class_number = stage.class_number;
        row.deadline.reset();
        for (Progress& line : std::exchange(row.attempt.progress, {}))
            session.nodes.add_progress(row.stage, row.attempt.idx, std::move(line));
        session.nodes.add_attempt(row);
        stage.row.attempt = row.attempt.idx;
    }
}

void carry_nodes(Session& session, const CarriedNodes& carried, const std::vector<Node*>& nodes,
                 const std::vector<CarriedNode>& sources) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
        Node& node = *nodes[i];
        const CarriedNode& source = sources[i];
        if (node.row.type == NodeType::check) carry_results(session, node, source);
        if (source.record == nullptr) continue;
        if (node.row.type == NodeType::stage) carry_attempts(session, node, source);
        if (source.group_since) session.nodes.set_group_since(node, *source.group_since);
        const CarriedFrom from = origin_of(carried, *source.record);
        session.nodes.record(node, Mover::writer, "carried_from", to_json(from));
        session.nodes.carry(node, source.record->row);
    }
}

/// A node that an attempt wrote still tells which.
void carry_authors(Session& session, const std::vector<Node*>& nodes,
                   const std::vector<CarriedNode>& sources) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (sources[i].author == nullptr) continue;
        const CreatedBy& author = *sources[i].author;
        const Node* stage = session.nodes.find(NodeType::stage, author.stage);
        if (stage != nullptr) session.nodes.set_author_of(*nodes[i], stage->row.key, author.attempt);
    }
}

}  // namespace

CarriedFrom origin_of(const CarriedNodes& carried, const NodeRecord& record) {
    if (record.body.carried_from) return *record.body.carried_from;
    return {.plan = carried.plan, .identity = carried.identity, .version = record.row.version};
}

void carry(Session& session, const CarriedNodes& carried) {
    carry_nodes(session, carried, session.stages, carried.stages);
    carry_nodes(session, carried, session.checks, carried.checks);
    carry_authors(session, session.stages, carried.stages);
    carry_authors(session, session.checks, carried.checks);
}

void supersede(Session& session, const std::string& new_plan) {
    WorkingSet& nodes = session.nodes;
    const std::string why = "superseded by " + new_plan;
    const std::vector<Node*> open = nodes.foresee_open_nodes();
    for (Node* node : open)
        if (node->row.type == NodeType::check) skip_check(nodes, *node, why, SkipCause::not_needed);
    for (Node* node : open) {
        if (node->row.type != NodeType::stage) continue;
        nodes.record(*node, Mover::writer, "cancel", "true");
        cancel_stage(nodes, *node, why);
    }
}

}  // namespace turboci::engine
