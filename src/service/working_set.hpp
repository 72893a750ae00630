// SPDX-License-Identifier: Apache-2.0
// The nodes that one write touches, held in memory until flush(). The one place where a state changes.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "service/node_index.hpp"
#include "turboci/store.hpp"

namespace turboci::service {

/// A group that was looked at.
struct CachedGroup {
    GroupRow row;
    bool dirty = false;  ///< differs from the store
};

/// What of a NodeRow a write may change, and what it is found by.
struct HotRow {
    NodeKey key = NodeKey::none;
    std::string_view id;  ///< in the request, or in the stored row
    GroupCount dependencies;
    std::int32_t attempt = 0;
    NodeType type = NodeType::check;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<ConcludedReason> concluded_reason;
    std::optional<SkipCause> skip_cause;
    bool required = true;
    bool has_continuation = false;
};

/// A node as this write sees it. There may be a million: what few have is kept apart.
struct Node {
    HotRow row;
    std::unique_ptr<const NodeRow> stored;         ///< as it was before this write; null if new
    Box<std::vector<CachedGroup>> groups;          ///< see `all_groups`; without the root of dependencies
    Box<std::vector<GoalRow>> goals;               ///< loaded when first needed
    std::uint32_t write = 0;                       ///< if new: its number among the request's of its type
    std::uint32_t first_edge = 0, edge_count = 0;  ///< its edges among the new ones
    std::array<std::int32_t, 2> change{-1, -1};    ///< index into changes, by mover
    std::int32_t ended = -1;                       ///< index into WorkingSet::ended of its last end
    std::array<State, 4> entered{};                ///< the states that it came to in this write, in order
    std::uint8_t entered_count = 0;
    std::uint8_t told = 0;          ///< number of the state up to which dependents have been told
    bool dirty = false;             ///< `row` differs from the store
    bool new_dependencies = false;  ///< written in this write
    bool queued = false;            ///< waits in the advance queue
    bool moved = false;             ///< waits in the queue of moved nodes
    bool all_groups = false;        ///< they are in `groups`, by role and number
    bool goals_dirty = false;
    bool assigned = false;  ///< new, with assignments
    [[nodiscard]] bool is_new() const noexcept { return stored == nullptr; }
};
/// What an edge says of `target` as it is now.
[[nodiscard]] Resolution resolve_edge(const Node& target, State on_state, When when) noexcept;

/// What one mover did to one node.
struct Change {
    struct Details {
        std::string fields, attempts, results;  ///< members of the JSON object
    };
    Node* node;
    Mover by;
    std::optional<State> from;
    bool state_changed = false;
    Box<Details> details;
    Details& add() { return details ? *details : details.emplace(); }
};

/// A dependency edge that this write adds.
struct NewEdge {
    NodeKey owner, target;
    std::int32_t group, position;
    PredicateRole role;
    State on_state;
    When when;
    NodeType target_type;
    [[nodiscard]] EdgeRow row() const {
        return {.owner = owner,
                .role = role,
                .group = group,
                .position = position,
                .target = target,
                .on_state = on_state,
                .when = when};
    }
};

/// Identity map and write-behind buffer. Rows of nodes, groups, goals and edges are written once, by
/// flush(), in the order of their keys; attempts, results and assignments go to the store at once.
class WorkingSet {
public:
    /// `version` and `now` are those that this write gives to everything that it changes.
    WorkingSet(UnitOfWork& uow, PlanKey plan, bool plan_has_nodes, const WriteNodes& request,
               std::int64_t version, Timestamp now);
    WorkingSet(const WorkingSet&) = delete;
    WorkingSet& operator=(const WorkingSet&) = delete;

    [[nodiscard]] UnitOfWork& uow() { return uow_; }
    [[nodiscard]] PlanKey plan() const { return plan_; }
    [[nodiscard]] std::int64_t version() const { return version_; }
    [[nodiscard]] Timestamp now() const { return now_; }
    [[nodiscard]] const WriteNodes& request() const { return request_; }
    /// The attempt that writes: new nodes tell that it made them.
    void set_author(NodeKey stage, std::int32_t attempt) { author_ = {stage, attempt}; }
    /// Something was stored that is no change of the plan: a heartbeat.
    void note_heartbeat() { heartbeat_ = true; }
    [[nodiscard]] bool has_heartbeat() const { return heartbeat_; }

    // ---- nodes
    [[nodiscard]] Node& get(NodeKey key);
    /// The node of that name, in this write or in the store.
    [[nodiscard]] Node* find(NodeType type, std::string_view id);
    /// Both nodes of that name, each null where there is none.
    [[nodiscard]] NodeIndex::Named find(std::string_view id);
    /// So many nodes may follow that were not met yet.
    void expect(std::size_t count) { names_.expect(count); }
    /// A new node in `state`: that of the request's check or stage number `write`.
    Node& create(NodeType type, std::string_view id, State state, std::size_t write);

    /// What it was created with, or as the store has it.
    [[nodiscard]] NodeBody body(const Node& node);
    /// NodeBody::message of it.
    [[nodiscard]] std::optional<std::string> message(const Node& node);
    void set_message(Node& node, const std::string& message);
    /// The whole row as this write leaves it.
    [[nodiscard]] NodeRow row(const Node& node) const;

    // ---- changes
    /// The only assignment to a state. `mover` must be allowed to by the transition table.
    void move(Node& node, State to, Mover mover);
    /// Marks the node as changed at this version and returns where to record what changed.
    Change& touch(Node& node, Mover mover);
    void record(Node& node, Mover mover, std::string_view field, std::string_view json);
    void record_attempt(Node& node, Mover mover, std::string_view json);
    void record_result(Node& node, Mover mover, std::string_view json);
    /// A change of the plan itself.
    void record_plan(std::string json) { plan_changes_ = std::move(json); }
    [[nodiscard]] bool changed() const { return !changes_.empty() || !plan_changes_.empty(); }

    // ---- predicates
    [[nodiscard]] const GroupCount& group_count(Node& node, PredicateRole role, std::int32_t group);
    /// The same, to be changed.
    [[nodiscard]] GroupCount& change_group_count(Node& node, PredicateRole role, std::int32_t group);
    [[nodiscard]] std::int32_t parent_of(Node& node, PredicateRole role, std::int32_t group);
    /// All groups of a node that do not live in its row, by role and number.
    [[nodiscard]] const std::vector<CachedGroup>& groups(Node& node);
    /// Puts `groups` (by number) and `edges` (by position) in place of what the node has in that role.
    void replace_predicate(Node& node, PredicateRole role, std::span<const GroupRow> groups,
                           std::span<const NewEdge> edges);
    /// All edges of a node in one role, new ones included, by position.
    [[nodiscard]] std::vector<EdgeRow> edges_of(Node& node, PredicateRole role);
    /// Edges towards `target` that wait for a state in (after, up_to], new ones included.
    [[nodiscard]] std::vector<EdgeRow> edges_to(Node& target, int after, int up_to);
    [[nodiscard]] const std::deque<NewEdge>& new_edges() const { return new_edges_; }
    /// Keys from here on belong to new nodes, without gaps.
    [[nodiscard]] NodeKey first_new() const { return first_new_; }
    [[nodiscard]] std::size_t new_node_count() const { return new_nodes_.size(); }

    // ---- goals
    [[nodiscard]] std::vector<GoalRow>& goals(Node& check);
    [[nodiscard]] GoalRow& goal(Node& check, State goal);

    // ---- the queues of the fixpoint
    void enqueue(Node& node);
    [[nodiscard]] Node* next_moved();
    [[nodiscard]] Node* next_queued();

    // ---- the outcome
    /// Writes everything buffered. The plan row is the caller's. Nothing may be asked of names
    /// and predicates afterwards.
    void flush();
    /// Appends the record of all changes.
    void record_write(const WriteRow& write);
    std::vector<Advance> advanced;
    std::vector<AttemptEnd> ended;
    std::vector<Node*> created_nodes, changed_nodes;

private:
    Node& adopt(NodeRow row);
    void enter(Node& node, State state);
    void fill_row(const Node& node, NodeRow& row) const;
    [[nodiscard]] Node* find_stored(NodeType type, std::string_view id);
    [[nodiscard]] CachedGroup& group(Node& node, PredicateRole role, std::int32_t number);
    [[nodiscard]] static CachedGroup* find_group(Node& node, PredicateRole role, std::int32_t number);
    void add_edge(Node& owner, const NewEdge& edge);
    void index_new_edges();
    void flush_goals(Node& node);
    [[nodiscard]] std::string change_json(const Change& change) const;

    UnitOfWork& uow_;
    PlanKey plan_;
    bool plan_has_nodes_;
    const WriteNodes& request_;
    std::int64_t version_;
    Timestamp now_;
    std::pair<NodeKey, std::int32_t> author_{NodeKey::none, 0};
    bool heartbeat_ = false;
    NodeKey first_new_;
    std::deque<Node> new_nodes_, old_nodes_;
    std::unordered_map<std::int64_t, Node*> by_key_;  ///< old nodes; new ones are found by arithmetic
    /// Groups that were looked at of stored nodes whose others were not: one write may end many of them.
    std::map<std::tuple<NodeKey, PredicateRole, std::int32_t>, CachedGroup> some_groups_;
    NodeIndex names_;
    std::unordered_map<const Node*, std::string> new_messages_;  ///< of new nodes
    std::deque<NewEdge> new_edges_;
    std::vector<std::uint32_t> first_to_new_, to_new_;  ///< edges by new target: where each begins; which
    std::vector<std::uint32_t> to_old_;                 ///< the others, by target
    std::size_t indexed_ = 0;
    std::deque<Change> changes_;
    std::string plan_changes_;
    std::deque<Node*> queue_, moved_;
};

}  // namespace turboci::service
