// SPDX-License-Identifier: Apache-2.0
// The nodes that one write touches, held in memory until flush(). The one place where a state changes.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/node_index.hpp"
#include "engine/row_buffers.hpp"
#include "turboci/changes.hpp"

namespace turboci::engine {

/// Answers questions about the stored plan, all of a Lookup in one trip.
using Load = std::function<Facts(const Lookup&)>;

struct CarriedNodes;

/// A group that was looked at.
struct CachedGroup {
    GroupRow row;
    bool dirty = false;   ///< differs from the store
    bool is_new = false;  ///< of a stored node: not in the store
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
    std::unique_ptr<const NodeRow> stored;             ///< as it was before this write; null if new
    std::unique_ptr<std::vector<CachedGroup>> groups;  ///< see `all_groups`; without the root of dependencies
    std::unique_ptr<std::vector<GoalRow>> goals;       ///< loaded when first needed
    std::uint32_t write = 0;                           ///< if new: its number among the request's of its type
    std::uint32_t first_edge = 0, edge_count = 0;      ///< its edges among the new ones
    std::array<std::int32_t, 2> change{-1, -1};        ///< index into changes, by mover
    std::int32_t ended = -1;                           ///< index into WorkingSet::ended of its last end
    std::array<State, 4> entered{};                    ///< the states that it came to in this write, in order
    std::uint8_t entered_count = 0;
    std::uint8_t told = 0;          ///< number of the state up to which dependents have been told
    bool dirty = false;             ///< `row` differs from the store
    bool new_dependencies = false;  ///< written in this write
    bool queued = false;            ///< waits in the advance queue
    bool moved = false;             ///< waits in the queue of moved nodes
    bool all_groups = false;        ///< they are in `groups`, by role and number
    bool goals_dirty = false;
    /// This write began its first attempt, which is as begin_first_attempt() made it.
    bool first_try = false;
    bool has_condition = false;      ///< if new
    std::int32_t class_number = 0;   ///< of a stage: if new, or once its first attempt has begun
    std::array<bool, 2> replaced{};  ///< stored, and its predicate in that role is not the stored one
    std::uint32_t first_assignment = 0, assignment_count = 0;  ///< if new: among the new ones
    [[nodiscard]] bool is_new() const noexcept { return stored == nullptr; }
};
/// What an edge says of `target` as it is now.
[[nodiscard]] Resolution resolve_edge(const Node& target, State on_state, When when) noexcept;

/// What the body of a new node has besides what the request says of it. Few have any of it.
struct NewBodyPart {
    std::optional<std::string> message;
    std::pair<NodeKey, std::int32_t> author{NodeKey::none, 0};  ///< none: the write's
};

/// What one mover did to one node.
struct Change {
    struct Details {
        std::string fields, attempts, results;  ///< members of the JSON object
    };
    Node* node;
    Mover by;
    std::optional<State> from;
    bool state_changed = false;
    std::unique_ptr<Details> details;
    Details& add() {
        if (!details) details = std::make_unique<Details>();
        return *details;
    }
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

/// Of Node::replaced.
[[nodiscard]] constexpr std::size_t index_of(PredicateRole role) noexcept {
    return role == PredicateRole::dependencies ? 0 : 1;
}

/// Identity map and write-behind buffer: everything that a write changes is kept here, and becomes one
/// ChangeSet.
class WorkingSet {
public:
    /// Facts come through `load`, which must outlive this. New nodes are numbered from `next_node` on.
    /// `version` and `now` are those that this write gives to everything that it changes.
    WorkingSet(const Load& load, PlanKey plan, NodeKey next_node, const WriteNodes& request,
               std::int64_t version, Timestamp now);
    WorkingSet(const WorkingSet&) = delete;
    WorkingSet& operator=(const WorkingSet&) = delete;

    [[nodiscard]] PlanKey plan() const { return plan_; }
    [[nodiscard]] std::int64_t version() const { return version_; }
    [[nodiscard]] Timestamp now() const { return now_; }
    [[nodiscard]] const WriteNodes& request() const { return request_; }
    /// The attempt that writes: new nodes tell that it made them.
    void set_author(NodeKey stage, std::int32_t attempt) { author_ = {stage, attempt}; }
    /// The attempt that wrote a new node, where it is another.
    void set_author_of(const Node& node, NodeKey stage, std::int32_t attempt);
    /// Something was stored that is no change of the plan: a heartbeat.
    void note_heartbeat() { heartbeat_ = true; }
    [[nodiscard]] bool has_heartbeat() const { return heartbeat_; }

    // ---- foreseen questions: what is coming is asked of the store at once
    /// How many nodes the stored plan has, and all that the request names. To be called first; for a plan
    /// that is not stored yet, not at all. `looks`: held attempts will be looked at.
    [[nodiscard]] std::vector<StateCount> foresee_request(std::string_view plan_id, bool looks);
    /// What a node has of that which a write speaks of, to be compared with it.
    struct Comparison {
        const Node* node;
        bool body, dependencies, continuation, assignments;
    };
    void foresee_comparisons(std::span<const Comparison> nodes);
    /// What waits for the nodes that moved, and so many levels of what waits for that.
    void foresee_announcements(int levels);
    /// What the queued nodes need to advance.
    void foresee_advances();
    /// What is needed to see whether these wait for ever: what they wait for, and what waits for them.
    void foresee_waiting(std::span<const NodeKey> keys);
    /// All nodes that are not FINAL, by key; with the dependencies of stages and the goals of checks.
    [[nodiscard]] std::vector<Node*> foresee_open_nodes();
    /// The dependencies of these.
    void foresee_dependencies(std::span<Node* const> nodes);

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
    /// Of a stored node.
    void put_body(const Node& node, NodeBody body);
    /// NodeBody::message of it.
    [[nodiscard]] std::optional<std::string> message(const Node& node);
    void set_message(Node& node, const std::string& message);
    /// The whole row as this write leaves it.
    [[nodiscard]] NodeRow row(const Node& node) const;

    // ---- changes
    /// The only assignment to a state. `mover` must be allowed to by the transition table.
    void move(Node& node, State to, Mover mover);
    /// Takes a new node to where it was, FINAL, in the plan from which it is taken over. It has passed the
    /// same states, all of them now.
    void carry(Node& node, const NodeRow& old);
    /// What new nodes are taken over from: must outlive this.
    void set_carried(const CarriedNodes& carried) { carried_ = &carried; }
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

    // ---- assignments
    [[nodiscard]] std::vector<AssignmentRow> assignments_of(NodeKey stage);  ///< by position
    [[nodiscard]] std::vector<AssignmentRow> assignments_to(NodeKey check);  ///< by stage, position
    /// Of a new stage, all that it has.
    void set_assignments(Node& stage, std::span<const AssignmentRow> rows);

    // ---- classes
    /// The number of the class of such stages: one of the plan, or a new one.
    [[nodiscard]] std::int32_t class_of(const std::string& runner, const std::vector<Use>& uses);
    [[nodiscard]] const ClassRow& class_row(std::int32_t number);
    /// How many attempts of each class are SCHEDULED or RUNNING.
    [[nodiscard]] const std::map<std::int32_t, std::int64_t>& held_by_class();

    // ---- attempts: what is found is a copy, to be put back after a change
    [[nodiscard]] std::optional<AttemptRow> attempt(NodeKey stage, std::int32_t idx);
    [[nodiscard]] std::optional<AttemptRow> current_attempt(const Node& stage);
    /// The first attempt of a stage: PENDING, ready now.
    void begin_first_attempt(Node& stage);
    void add_attempt(const AttemptRow& row) { attempts_.add(row); }
    void put_attempt(const AttemptRow& row);
    /// A new stage: its continuation group was written before it, in an earlier plan.
    void set_group_since(Node& stage, Timestamp since);
    void add_progress(NodeKey stage, std::int32_t idx, Progress progress);
    /// PENDING and ready, oldest ready first, then by stage; at most `limit` of each class.
    [[nodiscard]] std::vector<AttemptRow> ready_attempts(std::size_t limit);
    /// Those whose deadline has come, by deadline, stage. Only before anything has changed.
    [[nodiscard]] std::vector<AttemptRow> overdue_attempts();
    /// SCHEDULED and RUNNING ones, by stage.
    [[nodiscard]] std::vector<AttemptRow> held_attempts();

    // ---- results: copies likewise
    [[nodiscard]] std::vector<ResultRow> results(const Node& check);  ///< by id
    [[nodiscard]] std::optional<ResultRow> find_result(const Node& check, OwnerType type,
                                                       std::string_view owner);
    /// Results of an attempt that are not finalized, by check and id.
    [[nodiscard]] std::vector<ResultRow> open_results_of(const Node& stage, std::int32_t idx);
    void add_result(ResultRow row) { results_.add(std::move(row)); }
    void put_result(const ResultRow& row) { results_.put(row); }

    // ---- the queues of the fixpoint
    void enqueue(Node& node);
    [[nodiscard]] bool has_moved() const { return !moved_.empty(); }
    [[nodiscard]] bool has_queued() const { return !queue_.empty(); }
    /// All that have moved.
    [[nodiscard]] std::deque<Node*> take_moved();
    [[nodiscard]] Node* next_queued();

    // ---- the outcome
    /// Everything that this write changes, but for the rows of the plan and the write and the operation,
    /// which are the caller's. It refers to this object, of which nothing may be asked any more about names
    /// and edges.
    [[nodiscard]] ChangeSet change_set();
    /// The record of all changes; refers to this object.
    [[nodiscard]] Rows<ChangeRow> change_rows() const;
    std::vector<Advance> advanced;
    std::vector<AttemptEnd> ended;
    std::vector<Node*> created_nodes, changed_nodes;

private:
    Node& adopt(NodeRow row);
    /// Asks the store, and keeps what it brings.
    Facts load(const Lookup& lookup);
    /// What nobody foresaw. `fill` puts the question into an empty Lookup.
    template <class Fill>
    void ask(const Fill& fill) {
        Lookup lookup;
        fill(lookup);
        static_cast<void>(load(lookup));
    }
    void note_asked(const Lookup& asked);
    void keep_groups(const Facts& facts, const Lookup& lookup);
    void keep_goals(std::unordered_set<NodeKey> checks, const std::vector<GoalRow>& rows);
    /// Edges of the store that are known to wait, if all in (after, up_to] are known.
    struct StoredWaiting {
        int after = 0, up_to = 0;
        std::vector<EdgeRow> edges;
    };
    [[nodiscard]] const StoredWaiting* find_waiting(NodeKey target, int after, int up_to) const;
    void enter(Node& node, State state);
    void fill_row(const Node& node, NodeRow& row) const;
    void add_part(const Node& node, NodeBody& body) const;
    [[nodiscard]] const NodeRecord* source_of(const Node& node) const;
    [[nodiscard]] Node* find_stored(NodeType type, std::string_view id);
    [[nodiscard]] CachedGroup& group(Node& node, PredicateRole role, std::int32_t number);
    /// Null if it is not known.
    [[nodiscard]] CachedGroup* find_group(Node& node, PredicateRole role, std::int32_t number);
    /// Moves them from `some_groups_` to the node.
    void keep_all_groups(Node& node);
    void add_edge(Node& owner, const NewEdge& edge);
    void index_new_edges();
    [[nodiscard]] AttemptRow first_attempt_of(const Node& stage) const;
    void load_classes();
    void count_held(const AttemptRow& row, int by);
    /// Must the body of a stored node be known before it advances?
    [[nodiscard]] static bool needs_body(const Node& node);
    [[nodiscard]] Node* met(NodeKey key);
    [[nodiscard]] std::vector<StateCount> count_differences() const;
    void add_new_nodes(ChangeSet& changes);
    void add_groups_and_goals(ChangeSet& changes);
    void add_attempts_and_results(ChangeSet& changes);
    [[nodiscard]] std::string change_json(const Change& change) const;

    const Load& load_;
    PlanKey plan_;
    bool plan_has_nodes_ = false;  ///< before this write
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
    std::unordered_map<const Node*, NewBodyPart> new_parts_;
    const CarriedNodes* carried_ = nullptr;
    std::map<NodeKey, NodeBody> new_bodies_;  ///< of stored nodes
    std::vector<PredicateName> dropped_;
    std::vector<AssignmentRow> new_assignments_;  ///< by stage, position
    std::vector<std::uint32_t> assigned_to_;      ///< the same by check, as far as they are indexed
    AttemptBuffer attempts_;
    std::vector<Node*> first_tries_;  ///< stages whose first attempt was begun
    std::vector<ProgressRow> progress_;
    ResultBuffer results_;
    std::deque<NewEdge> new_edges_;
    std::vector<std::uint32_t> first_to_new_, to_new_;  ///< edges by new target: where each begins; which
    std::vector<std::uint32_t> to_old_;                 ///< the others, by target
    std::size_t indexed_ = 0;
    std::deque<Change> changes_;
    std::string plan_changes_;
    std::deque<Node*> queue_, moved_;

    // ---- what is known of the store; nodes, groups, goals, attempts and results are above
    std::unordered_set<std::string> absent_names_;  ///< "check:ID": not in the store
    std::unordered_map<NodeKey, NodeBody> bodies_;
    std::map<std::pair<NodeKey, PredicateRole>, std::vector<EdgeRow>> edges_;
    std::unordered_map<NodeKey, StoredWaiting> waiting_;
    std::unordered_map<NodeKey, std::vector<AssignmentRow>> assignments_, assigned_;
    std::optional<std::vector<AttemptRow>> overdue_, held_;
    std::optional<std::map<std::int32_t, ClassRow>> classes_;  ///< of the store and new ones
    std::vector<ClassRow> new_classes_;
    std::optional<std::map<std::int32_t, std::int64_t>> held_by_class_;  ///< as of now
    std::map<std::int32_t, std::int64_t> held_changes_;                  ///< by this write
    struct StoredReady {
        std::size_t limit = 0;
        std::vector<AttemptRow> rows;
    };
    StoredReady ready_;
};

}  // namespace turboci::engine
