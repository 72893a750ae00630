// SPDX-License-Identifier: Apache-2.0
#include "service/working_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace turboci::service {

namespace {

std::int64_t number(NodeKey key) { return static_cast<std::int64_t>(key); }

void append_member(std::string& members, std::string_view member) {
    if (!members.empty()) members += ',';
    members += member;
}

NodeBody body_of(const Node& node) {
    NodeBody body;
    if (node.check_write != nullptr) {
        if (node.check_write->options) body.json = *node.check_write->options;
    } else if (node.stage_write != nullptr) {
        const StageWrite& w = *node.stage_write;
        if (w.args) body.json = *w.args;
        body.retry = w.retry.value_or(Retry{});
        body.timeout = w.timeout;
        body.heartbeat = w.heartbeat;
    }
    return body;
}

}  // namespace

WorkingSet::WorkingSet(UnitOfWork& uow, PlanKey plan, bool plan_has_nodes, std::int64_t version,
                       Timestamp now)
    : uow_(uow),
      plan_(plan),
      plan_has_nodes_(plan_has_nodes),
      version_(version),
      now_(now),
      first_new_(uow.next_node_key()) {}

Node& WorkingSet::adopt(NodeRow row) {
    Node& node = old_nodes_.emplace_back();
    node.row = std::move(row);
    node.told = state_number(node.row.type, node.row.state);
    node.stored_state = node.row.state;
    node.stored_outcome = node.row.outcome;
    by_key_.emplace(number(node.row.key), &node);
    names(node.row.type).emplace(node.row.id, &node);
    return node;
}

Node& WorkingSet::get(NodeKey key) {
    if (key >= first_new_) return new_nodes_.at(static_cast<std::size_t>(number(key) - number(first_new_)));
    if (const auto it = by_key_.find(number(key)); it != by_key_.end()) return *it->second;
    return adopt(uow_.node(key));
}

Node* WorkingSet::find(NodeType type, std::string_view id) {
    if (const auto it = names(type).find(id); it != names(type).end()) return it->second;
    if (!plan_has_nodes_) return nullptr;
    auto row = uow_.find_node(plan_, type, id);
    if (!row) return nullptr;
    // A node that was first met by its key is in the name map too, so this one is new to us.
    return &adopt(std::move(*row));
}

Node& WorkingSet::create(NodeType type, std::string_view id, State state) {
    Node& node = new_nodes_.emplace_back();
    node.is_new = true;
    node.row.key = NodeKey{number(first_new_) + static_cast<std::int64_t>(new_nodes_.size()) - 1};
    node.row.plan = plan_;
    node.row.type = type;
    node.row.id = id;
    node.row.state = state;
    node.row.history.push_back({state, version_, now_});
    node.row.dependencies_since = now_;
    node.told = state_number(type, state);
    node.groups.emplace();
    node.goals.emplace();
    names(type).emplace(id, &node);
    Change& change = touch(node, Mover::writer);
    change.state_changed = true;
    created_nodes.push_back(&node);
    return node;
}

NodeBody WorkingSet::body(const Node& node) { return node.is_new ? body_of(node) : uow_.body(node.row.key); }

void WorkingSet::move(Node& node, State to, Mover mover) {
    NodeRow& row = node.row;
    if (!may_move(row.type, row.state, to, mover))
        throw Error(ErrorCode::internal, fmt::format("{}:{} cannot move from {} to {}", to_string(row.type),
                                                     row.id, to_string(row.state), to_string(to)));
    Change& change = touch(node, mover);
    if (!change.state_changed) {
        change.state_changed = true;
        change.from = row.state;
    }
    if (mover == Mover::orchestrator)
        advanced.push_back(
            {{row.type, row.id}, row.state, to, to == State::final ? row.outcome : std::nullopt});
    row.state = to;
    row.history.push_back({to, version_, now_});
    if (!node.moved) {
        node.moved = true;
        moved_.push_back(&node);
    }
}

Change& WorkingSet::touch(Node& node, Mover mover) {
    node.dirty = true;
    node.row.version = version_;
    node.row.updated_at = now_;
    std::int32_t& index = node.change[mover == Mover::writer ? 0 : 1];
    if (index < 0) {
        index = static_cast<std::int32_t>(changes_.size());
        changes_.push_back({.node = &node,
                            .by = mover,
                            .from = std::nullopt,
                            .state_changed = false,
                            .fields = {},
                            .attempts = {},
                            .results = {}});
        if (mover == Mover::writer && !node.is_new) changed_nodes.push_back(&node);
    }
    return changes_[static_cast<std::size_t>(index)];
}

void WorkingSet::record(Node& node, Mover mover, std::string_view field, std::string_view json) {
    append_member(touch(node, mover).fields, fmt::format("\"{}\":{}", field, json));
}
void WorkingSet::record_attempt(Node& node, Mover mover, std::string_view json) {
    append_member(touch(node, mover).attempts, json);
}
void WorkingSet::record_result(Node& node, Mover mover, std::string_view json) {
    append_member(touch(node, mover).results, json);
}

// ------------------------------------------------------------------------------------ predicates

std::vector<GroupRow>& WorkingSet::groups(Node& node) {
    if (!node.groups) node.groups = uow_.groups(node.row.key);
    return *node.groups;
}

namespace {
GroupRow& find_group(std::vector<GroupRow>& groups, PredicateRole role, std::int32_t group) {
    const auto it =
        std::ranges::find_if(groups, [&](const GroupRow& g) { return g.role == role && g.group == group; });
    if (it == groups.end())
        throw Error(ErrorCode::store, "the store is damaged: an edge names a group that is not there");
    return *it;
}
}  // namespace

GroupCount& WorkingSet::group_count(Node& node, PredicateRole role, std::int32_t group) {
    if (role == PredicateRole::dependencies && group == 0) {
        node.dirty = true;
        return node.row.dependencies;
    }
    node.groups_dirty = true;
    return find_group(groups(node), role, group).count;
}

std::int32_t WorkingSet::parent_of(Node& node, PredicateRole role, std::int32_t group) {
    if (group == 0) return -1;
    return find_group(groups(node), role, group).parent;
}

void WorkingSet::add_edge(Node& owner, const EdgeRow& edge, NodeType target_type) {
    if (owner.edge_count == 0) owner.first_edge = static_cast<std::uint32_t>(new_edges_.size());
    ++owner.edge_count;
    new_edges_.push_back({edge, target_type});
}

std::vector<EdgeRow> WorkingSet::edges_of(Node& node, PredicateRole role) {
    std::vector<EdgeRow> edges;
    if (!node.is_new) edges = uow_.edges_of(node.row.key, role);
    for (std::uint32_t i = 0; i < node.edge_count; ++i) {
        const EdgeRow& e = new_edges_[node.first_edge + i].row;
        if (e.role == role) edges.push_back(e);
    }
    return edges;
}

void WorkingSet::index_new_edges() {
    if (indexed_ == new_edges_.size()) return;
    by_target_.resize(new_edges_.size());
    std::iota(by_target_.begin(), by_target_.end(), 0u);
    std::ranges::stable_sort(by_target_, {}, [&](std::uint32_t i) { return new_edges_[i].row.target; });
    indexed_ = new_edges_.size();
}

std::vector<EdgeRow> WorkingSet::edges_to(Node& target, int after, int up_to) {
    std::vector<EdgeRow> edges;
    if (!target.is_new) edges = uow_.edges_to(target.row.key, after, up_to);
    index_new_edges();
    const auto target_of = [&](std::uint32_t i) { return new_edges_[i].row.target; };
    auto it = std::ranges::lower_bound(by_target_, target.row.key, {}, target_of);
    for (; it != by_target_.end() && target_of(*it) == target.row.key; ++it) {
        const EdgeRow& e = new_edges_[*it].row;
        const int n = state_number(target.row.type, e.on_state);
        if (after < n && n <= up_to) edges.push_back(e);
    }
    return edges;
}

// ------------------------------------------------------------------------------------ goals, queues

std::vector<GoalRow>& WorkingSet::goals(Node& check) {
    if (!check.goals) check.goals = uow_.goals(check.row.key);
    return *check.goals;
}

GoalRow& WorkingSet::goal(Node& check, State goal) {
    auto& all = goals(check);
    check.goals_dirty = true;
    for (GoalRow& g : all)
        if (g.goal == goal) return g;
    return all.emplace_back(GoalRow{check.row.key, goal, 0, 0});
}

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

Node* WorkingSet::next_moved() {
    if (moved_.empty()) return nullptr;
    Node* node = moved_.front();
    moved_.pop_front();
    node->moved = false;
    return node;
}

// ------------------------------------------------------------------------------------ flush

void WorkingSet::flush() {
    std::map<std::tuple<NodeType, State, int>, std::int64_t> deltas;
    const auto count = [&](NodeType type, State state, std::optional<Outcome> outcome, int by) {
        deltas[{type, state, outcome ? static_cast<int>(*outcome) : 0}] += by;
    };
    const auto write_parts = [&](Node& node) {
        if (node.groups_dirty && !node.is_new)
            for (const GroupRow& g : *node.groups) uow_.update_group(g);
        if (node.goals_dirty)
            for (const GoalRow& g : *node.goals) uow_.put_goal(g);
    };
    for (Node& node : new_nodes_) {
        uow_.insert_node(node.row, body_of(node));
        for (const GroupRow& g : *node.groups) uow_.insert_group(g);
        write_parts(node);
        count(node.row.type, node.row.state, node.row.outcome, 1);
    }
    for (Node& node : old_nodes_) {
        if (node.dirty) uow_.update_node(node.row);
        write_parts(node);
        if (node.stored_state != node.row.state || node.stored_outcome != node.row.outcome) {
            count(node.row.type, node.stored_state, node.stored_outcome, -1);
            count(node.row.type, node.row.state, node.row.outcome, 1);
        }
    }
    for (const NewEdge& e : new_edges_) uow_.insert_edge(e.row, e.target_type);
    std::vector<StateCount> counts;
    for (const auto& [key, delta] : deltas) {
        const auto& [type, state, outcome] = key;
        if (delta != 0)
            counts.push_back({type, state,
                              outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(outcome)),
                              delta});
    }
    uow_.add_counts(plan_, counts);
}

std::vector<ChangeRow> WorkingSet::change_rows() const {
    std::vector<ChangeRow> rows;
    rows.reserve(changes_.size() + 1);
    if (!plan_changes_.empty()) rows.push_back({NodeKey::none, Mover::writer, plan_changes_});
    for (const Change& c : changes_) {
        std::string json = "{";
        const auto add = [&](std::string_view member) {
            if (member.empty()) return;
            if (json.size() > 1) json += ',';
            json += member;
        };
        const auto name = [](std::optional<State> s) {
            return s ? fmt::format("\"{}\"", to_string(*s)) : std::string("null");
        };
        // A later mover's part begins where the earlier one's ended.
        if (c.state_changed) {
            State to = c.node->row.state;
            const std::int32_t later = c.node->change[1];
            if (c.by == Mover::writer && later >= 0 &&
                changes_[static_cast<std::size_t>(later)].state_changed &&
                changes_[static_cast<std::size_t>(later)].from)
                to = *changes_[static_cast<std::size_t>(later)].from;
            if (c.node->is_new && c.by == Mover::writer) add("\"created\":true");
            add(fmt::format("\"state\":{{\"from\":{},\"to\":\"{}\"}}", name(c.from), to_string(to)));
            if (to == State::final && c.node->row.outcome && to == c.node->row.state)
                add(fmt::format("\"outcome\":{{\"from\":null,\"to\":\"{}\"}}",
                                to_string(*c.node->row.outcome)));
        }
        add(c.fields);
        if (!c.attempts.empty()) add(fmt::format("\"attempts\":[{}]", c.attempts));
        if (!c.results.empty()) add(fmt::format("\"results\":[{}]", c.results));
        json += '}';
        rows.push_back({c.node->row.key, c.by, std::move(json)});
    }
    return rows;
}

}  // namespace turboci::service
