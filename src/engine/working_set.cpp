// SPDX-License-Identifier: Apache-2.0
#include "engine/working_set.hpp"

#include <fmt/core.h>

#include <tuple>

#include <algorithm>

#include "engine/carry.hpp"
#include "engine/new_nodes.hpp"

namespace turboci::engine {

namespace {

std::int64_t number(NodeKey key) { return static_cast<std::int64_t>(key); }

void append_member(std::string& members, std::string_view member) {
    if (!members.empty()) members += ',';
    members += member;
}

}  // namespace

Resolution resolve_edge(const Node& target, State on_state, When when) noexcept {
    const HotRow& row = target.row;
    int furthest = target.stored ? furthest_before_end(row.type, target.stored->history) : 0;
    for (std::size_t i = 0; i < target.entered_count; ++i)
        if (target.entered[i] != State::final)
            furthest = std::max(furthest, state_number(row.type, target.entered[i]));
    return resolve_edge(row.type, on_state, when, row.state, row.outcome, row.skip_cause, furthest);
}

WorkingSet::WorkingSet(const Load& load, PlanKey plan, NodeKey next_node, const WriteNodes& request,
                       std::int64_t version, Timestamp now)
    : load_(load), plan_(plan), request_(request), version_(version), now_(now), first_new_(next_node) {}

Node& WorkingSet::adopt(NodeRow row) {
    Node& node = old_nodes_.emplace_back();
    node.stored = std::make_unique<NodeRow>(std::move(row));
    const NodeRow& stored = *node.stored;
    node.row = {.key = stored.key,
                .id = stored.id,
                .dependencies = stored.dependencies,
                .attempt = stored.attempt,
                .type = stored.type,
                .state = stored.state,
                .outcome = stored.outcome,
                .concluded_reason = stored.concluded_reason,
                .skip_cause = stored.skip_cause,
                .required = stored.required,
                .has_continuation = stored.has_continuation};
    node.told = static_cast<std::uint8_t>(state_number(stored.type, stored.state));
    by_key_.emplace(number(node.row.key), &node);
    names_.insert(node);
    return node;
}

Node& WorkingSet::get(NodeKey key) {
    if (key >= first_new_) {
        const auto index = static_cast<std::size_t>(number(key) - number(first_new_));
        if (index < new_nodes_.size()) return new_nodes_[index];
        throw Error(ErrorCode::store, "the store is damaged: a row belongs to a node that is not there",
                    "run 'turboci store check', and restore a copy made with 'turboci store backup'");
    }
    if (const auto it = by_key_.find(number(key)); it != by_key_.end()) return *it->second;
    ask([&](Lookup& lookup) { lookup.nodes = {key}; });
    return *by_key_.at(number(key));
}

Node* WorkingSet::find(NodeType type, std::string_view id) {
    if (Node* node = names_.find(type, id)) return node;
    return find_stored(type, id);
}

NodeIndex::Named WorkingSet::find(std::string_view id) {
    NodeIndex::Named found = names_.find(id);
    if (found.check == nullptr) found.check = find_stored(NodeType::check, id);
    if (found.stage == nullptr) found.stage = find_stored(NodeType::stage, id);
    return found;
}

Node* WorkingSet::find_stored(NodeType type, std::string_view id) {
    if (!plan_has_nodes_) return nullptr;
    NodeRef name{type, std::string(id)};
    if (absent_names_.contains(to_string(name))) return nullptr;
    ask([&](Lookup& lookup) { lookup.names = {std::move(name)}; });
    return names_.find(type, id);
}

Node& WorkingSet::create(NodeType type, std::string_view id, State state, std::size_t write) {
    Node& node = new_nodes_.emplace_back();
    node.write = static_cast<std::uint32_t>(write);
    node.row.key = NodeKey{number(first_new_) + static_cast<std::int64_t>(new_nodes_.size()) - 1};
    node.row.type = type;
    node.row.id = id;
    node.row.state = state;
    enter(node, state);
    // Of one that is carried nothing is told before it is where it was.
    if (source_of(node) == nullptr) node.told = static_cast<std::uint8_t>(state_number(type, state));
    node.all_groups = true;
    names_.insert(node);
    Change& change = touch(node, Mover::writer);
    change.state_changed = true;
    created_nodes.push_back(&node);
    return node;
}

Node* WorkingSet::met(NodeKey key) {
    if (key >= first_new_) return &get(key);
    const auto it = by_key_.find(number(key));
    return it == by_key_.end() ? nullptr : it->second;
}

NodeBody WorkingSet::body(const Node& node) {
    if (!node.is_new()) {
        const auto changed = new_bodies_.find(node.row.key);
        if (changed != new_bodies_.end()) return changed->second;
        if (!bodies_.contains(node.row.key)) ask([&](Lookup& lookup) { lookup.bodies = {node.row.key}; });
        return bodies_.at(node.row.key);
    }
    NodeBody body;
    NewNodes(request_, author_).read_body(node, body);
    add_part(node, body);
    return body;
}

/// The node of an earlier plan that a new one is carried from.
const NodeRecord* WorkingSet::source_of(const Node& node) const {
    if (carried_ == nullptr) return nullptr;
    return (node.row.type == NodeType::check ? carried_->checks : carried_->stages)[node.write].record;
}

void WorkingSet::add_part(const Node& node, NodeBody& body) const {
    if (const NodeRecord* source = source_of(node)) body.carried_from = origin_of(*carried_, *source);
    const auto found = new_parts_.find(&node);
    if (found == new_parts_.end()) return;
    const NewBodyPart& part = found->second;
    body.message = part.message;
    if (part.author.first != NodeKey::none) std::tie(body.created_by, body.created_by_attempt) = part.author;
}

void WorkingSet::set_author_of(const Node& node, NodeKey stage, std::int32_t attempt) {
    new_parts_[&node].author = {stage, attempt};
}

void WorkingSet::put_body(const Node& node, NodeBody body) { new_bodies_[node.row.key] = std::move(body); }

std::optional<std::string> WorkingSet::message(const Node& node) {
    if (!node.is_new()) return body(node).message;
    const auto found = new_parts_.find(&node);
    return found == new_parts_.end() ? std::nullopt : found->second.message;
}

void WorkingSet::set_message(Node& node, const std::string& message) {
    if (node.is_new()) {
        new_parts_[&node].message = message;
        return;
    }
    NodeBody changed = body(node);
    changed.message = message;
    put_body(node, std::move(changed));
}

NodeRow WorkingSet::row(const Node& node) const {
    NodeRow row;
    fill_row(node, row);
    if (node.is_new()) NewNodes(request_, author_).read_kind(node, row.kind);
    return row;
}

/// All but the kind of a new node.
void WorkingSet::fill_row(const Node& node, NodeRow& row) const {
    static const NodeRow kNone;
    row = node.stored ? *node.stored : kNone;
    row.key = node.row.key;
    row.plan = plan_;
    row.type = node.row.type;
    row.id = node.row.id;
    row.state = node.row.state;
    row.outcome = node.row.outcome;
    row.concluded_reason = node.row.concluded_reason;
    row.skip_cause = node.row.skip_cause;
    row.required = node.row.required;
    row.dependencies = node.row.dependencies;
    row.attempt = node.row.attempt;
    row.has_continuation = node.row.has_continuation;
    if (node.change[0] >= 0 || node.change[1] >= 0) {
        row.version = version_;
        row.updated_at = now_;
    }
    if (node.is_new() || node.new_dependencies) row.dependencies_since = now_;
    for (std::size_t i = 0; i < node.entered_count; ++i)
        row.history.push_back({node.entered[i], version_, now_});
}

void WorkingSet::enter(Node& node, State state) { node.entered.at(node.entered_count++) = state; }

void WorkingSet::move(Node& node, State to, Mover mover) {
    HotRow& row = node.row;
    if (!may_move(row.type, row.state, to, mover))
        throw Error(ErrorCode::internal, fmt::format("{}:{} cannot move from {} to {}", to_string(row.type),
                                                     row.id, to_string(row.state), to_string(to)));
    Change& change = touch(node, mover);
    if (!change.state_changed) {
        change.state_changed = true;
        change.from = row.state;
    }
    if (mover == Mover::orchestrator)
        advanced.push_back({{row.type, std::string(row.id)},
                            row.state,
                            to,
                            to == State::final ? row.outcome : std::nullopt});
    row.state = to;
    enter(node, to);
    if (!node.moved) {
        node.moved = true;
        moved_.push_back(&node);
    }
}

void WorkingSet::carry(Node& node, const NodeRow& old) {
    HotRow& row = node.row;
    row.outcome = old.outcome;
    row.concluded_reason = old.concluded_reason;
    row.skip_cause = old.skip_cause;
    row.state = State::final;
    node.entered_count = 0;
    for (const StateEntry& entry : old.history) enter(node, entry.state);
    if (node.moved) return;
    node.moved = true;
    moved_.push_back(&node);
}

Change& WorkingSet::touch(Node& node, Mover mover) {
    node.dirty = true;
    std::int32_t& index = node.change[mover == Mover::writer ? 0 : 1];
    if (index < 0) {
        index = static_cast<std::int32_t>(changes_.size());
        changes_.push_back(
            {.node = &node, .by = mover, .from = std::nullopt, .state_changed = false, .details = {}});
        if (mover == Mover::writer && !node.is_new()) changed_nodes.push_back(&node);
    }
    return changes_[static_cast<std::size_t>(index)];
}

void WorkingSet::record(Node& node, Mover mover, std::string_view field, std::string_view json) {
    append_member(touch(node, mover).add().fields, fmt::format("\"{}\":{}", field, json));
}
void WorkingSet::record_attempt(Node& node, Mover mover, std::string_view json) {
    append_member(touch(node, mover).add().attempts, json);
}
void WorkingSet::record_result(Node& node, Mover mover, std::string_view json) {
    append_member(touch(node, mover).add().results, json);
}

// ------------------------------------------------------------------------------------ queues

void WorkingSet::enqueue(Node& node) {
    if (node.queued) return;
    node.queued = true;
    queue_.push_back(&node);
}

Node* WorkingSet::next_queued() {
    if (queue_.empty()) return nullptr;
    Node* node = queue_.front();
    queue_.pop_front();
    node->queued = false;
    return node;
}

std::deque<Node*> WorkingSet::take_moved() {
    std::deque<Node*> moved;
    moved.swap(moved_);
    for (Node* node : moved) node->moved = false;
    return moved;
}

}  // namespace turboci::engine
