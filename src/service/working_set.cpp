// SPDX-License-Identifier: Apache-2.0
#include "service/working_set.hpp"

#include <fmt/core.h>

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

/// What new nodes were created with. One after another: the writes keep their memory.
class NewNodes {
public:
    NewNodes(const WriteNodes& request, std::pair<NodeKey, std::int32_t> author)
        : request_(request), author_(author) {}

    void read_kind(const Node& node, std::string& kind) {
        kind.clear();
        if (node.row.type != NodeType::check) return;
        request_.checks.read_head(node.write, check_);
        if (check_.kind) kind = *check_.kind;
    }
    void read_body(const Node& node, NodeBody& body) {
        body = kEmpty;
        body.created_by = author_.first;
        body.created_by_attempt = author_.second;
        if (node.row.type == NodeType::check) {
            request_.checks.read_head(node.write, check_);
            if (check_.options) body.json = *check_.options;
            return;
        }
        request_.stages.read_head(node.write, stage_);
        if (stage_.args) body.json = *stage_.args;
        if (stage_.retry) body.retry = *stage_.retry;
        body.timeout = stage_.timeout;
        body.heartbeat = stage_.heartbeat;
    }

private:
    static inline const NodeBody kEmpty;
    const WriteNodes& request_;
    std::pair<NodeKey, std::int32_t> author_;
    CheckWrite check_;
    StageWrite stage_;
};

// From here on it pays to make indexes after the rows.
constexpr std::size_t kBulkRows = 20'000;

}  // namespace

Resolution resolve_edge(const Node& target, State on_state, When when) noexcept {
    const HotRow& row = target.row;
    int furthest = target.stored ? furthest_before_end(row.type, target.stored->history) : 0;
    for (std::size_t i = 0; i < target.entered_count; ++i)
        if (target.entered[i] != State::final)
            furthest = std::max(furthest, state_number(row.type, target.entered[i]));
    return resolve_edge(row.type, on_state, when, row.state, row.outcome, furthest);
}

WorkingSet::WorkingSet(UnitOfWork& uow, PlanKey plan, bool plan_has_nodes, const WriteNodes& request,
                       std::int64_t version, Timestamp now)
    : uow_(uow),
      plan_(plan),
      plan_has_nodes_(plan_has_nodes),
      request_(request),
      version_(version),
      now_(now),
      first_new_(uow.next_node_key()) {}

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
    return adopt(uow_.node(key));
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
    auto row = uow_.find_node(plan_, type, id);
    if (!row) return nullptr;
    // A node that was first met by its key is in the index too, so this one is new to us.
    return &adopt(std::move(*row));
}

Node& WorkingSet::create(NodeType type, std::string_view id, State state, std::size_t write) {
    Node& node = new_nodes_.emplace_back();
    node.write = static_cast<std::uint32_t>(write);
    node.row.key = NodeKey{number(first_new_) + static_cast<std::int64_t>(new_nodes_.size()) - 1};
    node.row.type = type;
    node.row.id = id;
    node.row.state = state;
    enter(node, state);
    node.told = static_cast<std::uint8_t>(state_number(type, state));
    node.all_groups = true;
    names_.insert(node);
    Change& change = touch(node, Mover::writer);
    change.state_changed = true;
    created_nodes.push_back(&node);
    return node;
}

NodeBody WorkingSet::body(const Node& node) {
    if (!node.is_new()) return uow_.body(node.row.key);
    NodeBody body;
    NewNodes(request_, author_).read_body(node, body);
    return body;
}

std::optional<std::string> WorkingSet::message(const Node& node) {
    if (!node.is_new()) return uow_.body(node.row.key).message;
    const auto found = new_messages_.find(&node);
    return found == new_messages_.end() ? std::nullopt : std::optional(found->second);
}

void WorkingSet::set_message(Node& node, const std::string& message) {
    if (node.is_new()) {
        new_messages_[&node] = message;
        return;
    }
    NodeBody body = uow_.body(node.row.key);
    body.message = message;
    uow_.update_body(node.row.key, body);
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

// ------------------------------------------------------------------------------------ predicates

const std::vector<CachedGroup>& WorkingSet::groups(Node& node) {
    if (!node.groups) node.groups.emplace();
    if (!node.all_groups) {
        for (GroupRow& row : uow_.groups(node.row.key)) node.groups->push_back({row, false});
        node.all_groups = true;
        // Those that were looked at already may have been changed. Of a predicate that is gone none is left.
        const auto first = some_groups_.lower_bound({node.row.key, PredicateRole{}, 0});
        auto known = first;
        for (; known != some_groups_.end() && known->second.row.owner == node.row.key; ++known)
            if (CachedGroup* group = find_group(node, known->second.row.role, known->second.row.group))
                *group = known->second;
        some_groups_.erase(first, known);
    }
    return *node.groups;
}

CachedGroup* WorkingSet::find_group(Node& node, PredicateRole role, std::int32_t number) {
    if (!node.groups) return nullptr;
    const auto place = [](const CachedGroup& g) { return std::pair(g.row.role, g.row.group); };
    const auto it = std::ranges::lower_bound(*node.groups, std::pair(role, number), {}, place);
    return it != node.groups->end() && place(*it) == std::pair(role, number) ? &*it : nullptr;
}

CachedGroup& WorkingSet::group(Node& node, PredicateRole role, std::int32_t number) {
    const auto damaged = [] {
        return Error(ErrorCode::store, "the store is damaged: an edge names a group that is not there");
    };
    if (node.all_groups) {
        if (CachedGroup* found = find_group(node, role, number)) return *found;
        throw damaged();
    }
    const std::tuple key(node.row.key, role, number);
    if (const auto found = some_groups_.find(key); found != some_groups_.end()) return found->second;
    const auto row = uow_.group(node.row.key, role, number);
    if (!row) throw damaged();
    return some_groups_.emplace(key, CachedGroup{*row, false}).first->second;
}

const GroupCount& WorkingSet::group_count(Node& node, PredicateRole role, std::int32_t number) {
    if (role == PredicateRole::dependencies && number == 0) return node.row.dependencies;
    return group(node, role, number).row.count;
}

GroupCount& WorkingSet::change_group_count(Node& node, PredicateRole role, std::int32_t number) {
    if (role == PredicateRole::dependencies && number == 0) {
        node.dirty = true;
        return node.row.dependencies;
    }
    CachedGroup& cached = group(node, role, number);
    cached.dirty = true;
    return cached.row.count;
}

std::int32_t WorkingSet::parent_of(Node& node, PredicateRole role, std::int32_t number) {
    if (number == 0) return -1;
    return group(node, role, number).row.parent;
}

void WorkingSet::replace_predicate(Node& node, PredicateRole role, std::span<const GroupRow> groups,
                                   std::span<const NewEdge> edges) {
    if (!node.is_new()) {
        uow_.delete_predicate(node.row.key, role);
        // Together with those of the other role, which stay.
        static_cast<void>(this->groups(node));
        std::erase_if(*node.groups, [&](const CachedGroup& g) { return g.row.role == role; });
    }
    std::vector<CachedGroup> fresh;
    for (const GroupRow& g : groups) {
        if (!node.is_new()) uow_.insert_group(g);
        fresh.push_back({g, false});
    }
    if (!fresh.empty()) {
        if (!node.groups) node.groups.emplace();
        const auto at =
            std::ranges::upper_bound(*node.groups, role, {}, [](const CachedGroup& g) { return g.row.role; });
        node.groups->insert(at, fresh.begin(), fresh.end());
    }
    for (const NewEdge& edge : edges) add_edge(node, edge);
}

void WorkingSet::add_edge(Node& owner, const NewEdge& edge) {
    if (owner.edge_count == 0) owner.first_edge = static_cast<std::uint32_t>(new_edges_.size());
    ++owner.edge_count;
    new_edges_.push_back(edge);
}

std::vector<EdgeRow> WorkingSet::edges_of(Node& node, PredicateRole role) {
    std::vector<EdgeRow> edges;
    if (!node.is_new()) edges = uow_.edges_of(node.row.key, role);
    for (std::uint32_t i = 0; i < node.edge_count; ++i) {
        const NewEdge& e = new_edges_[node.first_edge + i];
        if (e.role == role) edges.push_back(e.row());
    }
    return edges;
}

void WorkingSet::index_new_edges() {
    if (indexed_ == new_edges_.size()) return;
    indexed_ = new_edges_.size();
    // Keys of new nodes have no gaps, so counting sorts their edges.
    const auto slot = [&](const NewEdge& e) {
        return static_cast<std::size_t>(number(e.target) - number(first_new_));
    };
    first_to_new_.assign(new_nodes_.size() + 1, 0);
    to_old_.clear();
    for (std::uint32_t i = 0; i < indexed_; ++i) {
        const NewEdge& e = new_edges_[i];
        if (e.target >= first_new_)
            ++first_to_new_[slot(e) + 1];
        else
            to_old_.push_back(i);
    }
    std::partial_sum(first_to_new_.begin(), first_to_new_.end(), first_to_new_.begin());
    to_new_.resize(first_to_new_.back());
    std::vector<std::uint32_t> next(first_to_new_.begin(), first_to_new_.end() - 1);
    for (std::uint32_t i = 0; i < indexed_; ++i)
        if (const NewEdge& e = new_edges_[i]; e.target >= first_new_) to_new_[next[slot(e)]++] = i;
    std::ranges::stable_sort(to_old_, {}, [&](std::uint32_t i) { return new_edges_[i].target; });
}

std::vector<EdgeRow> WorkingSet::edges_to(Node& target, int after, int up_to) {
    std::vector<EdgeRow> edges;
    index_new_edges();
    const auto add = [&](std::span<const std::uint32_t> candidates) {
        for (const std::uint32_t i : candidates) {
            const NewEdge& e = new_edges_[i];
            const int n = state_number(target.row.type, e.on_state);
            if (after < n && n <= up_to) edges.push_back(e.row());
        }
    };
    if (target.is_new()) {
        if (indexed_ == 0) return edges;
        const auto at = static_cast<std::size_t>(number(target.row.key) - number(first_new_));
        add(std::span(to_new_).subspan(first_to_new_[at], first_to_new_[at + 1] - first_to_new_[at]));
    } else {
        edges = uow_.edges_to(target.row.key, after, up_to);
        const auto target_of = [&](std::uint32_t i) { return new_edges_[i].target; };
        const auto first = std::ranges::lower_bound(to_old_, target.row.key, {}, target_of);
        const auto last = std::ranges::upper_bound(to_old_, target.row.key, {}, target_of);
        add({first, last});
    }
    return edges;
}

// ------------------------------------------------------------------------------------ goals, queues

std::vector<GoalRow>& WorkingSet::goals(Node& check) {
    if (!check.goals) {
        check.goals.emplace();
        if (!check.is_new()) *check.goals = uow_.goals(check.row.key);
    }
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
    const bool bulk = new_nodes_.size() + new_edges_.size() >= kBulkRows;
    if (bulk) uow_.begin_bulk_insert();
    // Not needed any more, and the store has use for the memory.
    names_ = {};
    first_to_new_ = {};
    to_new_ = {};
    NewNodes created(request_, author_);
    NodeRow row;
    NodeBody body;
    uow_.insert_nodes(
        new_nodes_.size(),
        [&](std::size_t i) -> const NodeRow& {
            fill_row(new_nodes_[i], row);
            created.read_kind(new_nodes_[i], row.kind);
            return row;
        },
        [&](std::size_t i) -> const NodeBody& {
            created.read_body(new_nodes_[i], body);
            if (const auto found = new_messages_.find(&new_nodes_[i]); found != new_messages_.end())
                body.message = found->second;
            return body;
        });
    for (Node& node : new_nodes_) {
        if (node.groups)
            for (const CachedGroup& g : *node.groups) uow_.insert_group(g.row);
        flush_goals(node);
        count(node.row.type, node.row.state, node.row.outcome, 1);
    }
    for (Node& node : old_nodes_) {
        if (node.dirty) {
            fill_row(node, row);
            uow_.update_node(row);
        }
        if (node.groups)
            for (const CachedGroup& g : *node.groups)
                if (g.dirty) uow_.update_group(g.row);
        flush_goals(node);
        if (node.stored->state != node.row.state || node.stored->outcome != node.row.outcome) {
            count(node.row.type, node.stored->state, node.stored->outcome, -1);
            count(node.row.type, node.row.state, node.row.outcome, 1);
        }
    }
    for (const auto& [key, group] : some_groups_)
        if (group.dirty) uow_.update_group(group.row);
    TypedEdge edge;
    uow_.insert_edges(new_edges_.size(), [&](std::size_t i) -> const TypedEdge& {
        edge = {new_edges_[i].row(), new_edges_[i].target_type};
        return edge;
    });
    new_edges_ = {};
    if (bulk) uow_.end_bulk_insert();
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

void WorkingSet::flush_goals(Node& node) {
    if (!node.goals_dirty) return;
    for (const GoalRow& g : *node.goals) uow_.put_goal(g);
}

std::string WorkingSet::change_json(const Change& c) const {
    std::string json = "{";
    const auto add = [&](std::string_view name, std::string_view open, std::string_view members,
                         std::string_view close) {
        if (members.empty()) return;
        if (json.size() > 1) json += ',';
        for (const std::string_view part : {name, open, members, close}) json += part;
    };
    // A later mover's part begins where the earlier one's ended.
    if (c.state_changed) {
        State to = c.node->row.state;
        const std::int32_t later = c.node->change[1];
        if (c.by == Mover::writer && later >= 0) {
            const Change& next = changes_[static_cast<std::size_t>(later)];
            if (next.state_changed && next.from) to = *next.from;
        }
        if (c.node->is_new() && c.by == Mover::writer) add(R"("created":)", {}, "true", {});
        const std::string from = c.from ? fmt::format("\"{}\"", to_string(*c.from)) : "null";
        add(R"("state":)", R"({"from":)", from, fmt::format(R"(,"to":"{}"}})", to_string(to)));
        if (to == State::final && c.node->row.outcome && to == c.node->row.state)
            add(R"("outcome":)", R"({"from":null,"to":")", to_string(*c.node->row.outcome), R"("})");
    }
    if (c.details) {
        add({}, {}, c.details->fields, {});
        add(R"("attempts":)", "[", c.details->attempts, "]");
        add(R"("results":)", "[", c.details->results, "]");
    }
    json += '}';
    return json;
}

void WorkingSet::record_write(const WriteRow& write) {
    uow_.append_write(write, changes_.size() + (plan_changes_.empty() ? 0 : 1));
    if (!plan_changes_.empty()) uow_.append_change({NodeKey::none, Mover::writer, plan_changes_});
    ChangeRow row;
    uow_.append_changes(changes_.size(), [&](std::size_t i) -> const ChangeRow& {
        const Change& c = changes_[i];
        row = {c.node->row.key, c.by, change_json(c)};
        return row;
    });
}

}  // namespace turboci::service
