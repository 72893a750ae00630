// SPDX-License-Identifier: Apache-2.0
// What the rules and a store say to each other: rows, questions (Lookup), what they bring (Facts), and all
// that a write changes (ChangeSet). Plain values.
//
// Rows are keyed by integers; text ids are looked up once. Lists have a fixed order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

enum class PlanKey : std::int64_t {};
enum class NodeKey : std::int64_t { none = 0 };  ///< positive; grows in the order of creation

struct PlanRow {
    PlanKey key{};
    std::string id;
    std::int64_t version = 0;
    JsonText labels;
    std::string identity;  ///< random, of the plan itself; kept by export and import
    std::optional<PlanOrigin> from;
    /// Nodes that were FINAL at this version were judged by older rules.
    std::int64_t older_rules_until = 0;
    Timestamp created_at;
    ClockAnchor clock;          ///< `clock.time` is also when the plan was last changed
    std::vector<Limit> limits;  ///< by name
    std::optional<PlanCancelled> cancelled;
};

/// The hot part of a node: what resolution reads and writes. One per check or stage.
struct NodeRow {
    NodeKey key = NodeKey::none;
    PlanKey plan{};
    NodeType type = NodeType::check;
    std::string id;
    std::string kind;  ///< checks only
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<ConcludedReason> concluded_reason;
    std::optional<SkipCause> skip_cause;
    bool required = true;  ///< checks
    std::int64_t version = 0;
    Timestamp updated_at;
    StateHistory history;           ///< history.front().at is the time of creation
    GroupCount dependencies;        ///< the root group's running count
    Timestamp dependencies_since;   ///< when the present dependencies were written
    std::int32_t attempt = 0;       ///< stages: idx of the current attempt, 0 before the first
    bool has_continuation = false;  ///< stages: has a continuation group
};

/// The cold part: written at creation, hardly ever again.
struct NodeBody {
    JsonText json;  ///< options or args
    Retry retry;
    std::optional<Duration> timeout;
    std::optional<Duration> heartbeat;
    std::optional<Duration> silence;
    std::string runner;
    std::vector<Use> uses;  ///< by name
    std::vector<Condition> condition;
    std::optional<CarriedFrom> carried_from;
    NodeKey created_by = NodeKey::none;   ///< the stage whose attempt wrote the node
    std::int32_t created_by_attempt = 0;  ///< and the attempt
    std::optional<std::string> message;   ///< why it was cancelled or skipped, as the writer said
    bool operator==(const NodeBody&) const = default;
};

enum class PredicateRole : std::uint8_t { dependencies = 1, continuation = 2 };

/// A group other than the root of the dependencies (whose count lives in NodeRow).
struct GroupRow {
    NodeKey owner = NodeKey::none;
    PredicateRole role = PredicateRole::dependencies;
    std::int32_t group = 0;    ///< preorder number within (owner, role); the root is 0
    std::int32_t parent = -1;  ///< group number; -1 for the root of a continuation group
    GroupCount count;
    Timestamp since;  ///< when it was written
};

/// Edges are stored once and never change. Resolution is derived from the target.
struct EdgeRow {
    NodeKey owner = NodeKey::none;
    PredicateRole role = PredicateRole::dependencies;
    std::int32_t group = 0;     ///< the group it is a member of
    std::int32_t position = 0;  ///< order within (owner, role), from 0
    NodeKey target = NodeKey::none;
    State on_state = State::final;  ///< in the terms of the target's type
    When when = When::success;
};

struct AssignmentRow {
    NodeKey stage = NodeKey::none;
    std::int32_t position = 0;
    NodeKey check = NodeKey::none;
    State goal = State::final;
};

/// How many stages are assigned to a check with one goal, and how many of them are not FINAL.
struct GoalRow {
    NodeKey check = NodeKey::none;
    State goal = State::final;
    std::int32_t stages = 0;
    std::int32_t open = 0;
};

/// What a claim must look at of a stage, as a number within its plan. 0 is a stage that any runner can take
/// and that uses nothing.
struct ClassRow {
    std::int32_t number = 0;
    std::string runner;
    std::vector<Use> uses;  ///< by name
};

/// An attempt without its progress lines.
struct AttemptRow {
    NodeKey stage = NodeKey::none;
    PlanKey plan{};
    Attempt attempt;
    Timestamp ready_at;                 ///< when it may be claimed: not_before, else created_at
    std::optional<Timestamp> deadline;  ///< when the rules look at it: timeout or heartbeat, at the first
    bool no_retry = false;
    std::optional<RunnerIdentity> runner;  ///< of a holder that can be asked to stop
    std::string holder;                    ///< random identity; empty before it is claimed
    std::int32_t class_number = 0;         ///< of its stage, see ClassRow
    std::int32_t retries = 0;              ///< how many of the stage's retries led to it
    std::int32_t interruptions = 0;        ///< how many interruptions in a row came just before it
};

struct ResultRow {
    NodeKey check = NodeKey::none;
    Result result;
    NodeKey stage = NodeKey::none;  ///< for stage_attempt owners
    std::int32_t attempt = 0;
};

/// One write as recorded.
struct WriteRow {
    PlanKey plan{};
    std::int64_t version = 0;
    Timestamp time;
    std::string actor, reason, op_id;
};
/// One node's part of it.
struct ChangeRow {
    NodeKey node = NodeKey::none;  ///< none: the plan itself
    Mover by = Mover::writer;
    std::string changes;  ///< JSON object
};

/// What an idempotency key stands for: the answer to the first write that brought it.
struct OperationRow {
    std::string op_id;
    std::int64_t version = 0;  ///< of the plan after that write
    struct Taken {
        NodeKey stage = NodeKey::none;
        std::int32_t idx = 0;
        bool operator==(const Taken&) const = default;
    };
    std::vector<Taken> claimed;  ///< the attempts that its Claim took, in that order
    bool operator==(const OperationRow&) const = default;
};

/// An edge with what a reader needs of its target.
struct EdgeRecord {
    EdgeRow edge;
    NodeRef target;
    State target_state = State::planning;
    std::optional<Outcome> target_outcome;
    std::optional<SkipCause> target_skip_cause;
    /// The number of its furthest state before FINAL, as in resolve_edge(). Like `reached_at`, only for a
    /// target that has come as far as the edge wants.
    int target_furthest = 0;
    std::optional<Timestamp> reached_at;  ///< when it came to on_state, or past it
};

struct AssignmentRecord {
    AssignmentRow row;
    std::string check_id;
};

/// A node with what belongs to it: the parts that were asked for. Without NodeParts::targets, edges and
/// assignments have their rows alone; without NodeParts::stamps, only FINAL nodes surely have a history.
struct NodeRecord {
    NodeRow row;
    NodeBody body;
    std::vector<GroupRow> groups;               ///< by role, group
    std::vector<EdgeRecord> edges;              ///< by role, position
    std::vector<AssignmentRecord> assignments;  ///< by position
    std::vector<AttemptRow> attempts;           ///< with progress, by idx
    std::vector<ResultRow> results;             ///< by id
    std::optional<CreatedBy> created_by;        ///< with NodeParts::body and NodeParts::targets
};

/// Rows that are handed over one after another: `at` is called once for each index from 0, in turn. What it
/// returns must live until the next call. It must not call the store; what it throws passes through.
template <class Row>
struct Rows {
    std::size_t count = 0;
    std::function<const Row&(std::size_t index)> at;

    Rows() = default;
    Rows(std::size_t size, std::function<const Row&(std::size_t)> row) : count(size), at(std::move(row)) {}
    /// `rows` must outlive this.
    explicit Rows(std::span<const Row> rows)
        : count(rows.size()), at([rows](std::size_t i) -> const Row& { return rows[i]; }) {}
    explicit Rows(const std::vector<Row>& rows) : Rows(std::span<const Row>(rows)) {}
};

/// An edge with what is stored of its target besides.
struct TypedEdge {
    EdgeRow edge;
    NodeType target_type = NodeType::check;
};

/// The groups and edges of a node in one role.
struct PredicateName {
    NodeKey owner = NodeKey::none;
    PredicateRole role = PredicateRole::dependencies;
};
struct BodyRow {
    NodeKey node = NodeKey::none;
    NodeBody body;
};
struct ProgressRow {
    NodeKey stage = NodeKey::none;
    std::int32_t idx = 0;
    Progress progress;
};

/// A holder of attempts, when it last said that it lives.
struct BeatRow {
    std::string holder;
    Timestamp at;
    std::string name;                  ///< as in Beat, as the two that follow
    std::vector<std::string> runners;  ///< without control characters; empty is the same as one that is ""
    bool draining = false;             ///< stays so once it is
    Timestamp started_at;              ///< of its first sign of life; the store sees to it
};

/// A part of what an attempt printed, where the store keeps that.
struct LogPartRow {
    NodeKey stage = NodeKey::none;
    std::int32_t idx = 0;
    std::int64_t seq = 0;    ///< from 0; parts that are not kept leave gaps
    std::int64_t begin = 0;  ///< how much was printed before it
    std::int64_t size = 0;   ///< of `bytes`, which may be left out
    std::string bytes;
};
/// Which one it is.
struct LogPartName {
    NodeKey stage = NodeKey::none;
    std::int32_t idx = 0;
    std::int64_t seq = 0;
};

/// All that a write changes in one plan, as a value. Rows of nodes and attempts are of that plan, whatever
/// their `plan` says.
struct ChangeSet {
    PlanKey plan{};                   ///< of all that follows; ignored if `plan_row` is a new plan
    std::optional<PlanRow> plan_row;  ///< with a key: version, labels and clock change; without: a new plan
    std::vector<PredicateName> dropped;  ///< before anything is added
    Rows<NodeRow> created;               ///< by key, from Snapshot::next_node() on, without gaps
    Rows<NodeBody> created_bodies;       ///< of `created`, one for each
    Rows<NodeRow> nodes;                 ///< everything but key, plan, type, id, kind changes
    Rows<BodyRow> bodies;                ///< of stored nodes
    Rows<GroupRow> new_groups;
    Rows<GroupRow> groups;  ///< their counts change
    Rows<TypedEdge> edges;  ///< new ones: stored edges never change
    Rows<AssignmentRow> assignments;
    Rows<GoalRow> goals;  ///< insert or replace
    std::vector<ClassRow> new_classes;
    Rows<AttemptRow> new_attempts, attempts;
    Rows<ProgressRow> progress;      ///< in order
    Rows<ResultRow> new_results;     ///< the store gives them their ids, in order
    Rows<ResultRow> results;         ///< by check and id: data, failure and finalized_at change
    std::vector<StateCount> counts;  ///< differences, which may be negative
    std::optional<WriteRow> write;
    Rows<ChangeRow> changes;  ///< of `write`
    std::optional<OperationRow> operation;
    bool deletes_plan = false;             ///< with everything in it; then nothing else is said of the plan
    std::vector<LogPartRow> log_parts;     ///< new ones
    std::vector<LogPartName> dropped_log;  ///< as far as they are there
    // ---- of holders, whatever the plan
    std::vector<BeatRow> beats;            ///< the latest one of each holder is kept
    std::vector<std::string> ended_beats;  ///< of these holders none is kept any more
    std::optional<Timestamp> old_beats;    ///< nor one from before this
};

/// An attempt by its stage.
struct AttemptName {
    NodeKey stage = NodeKey::none;
    std::int32_t idx = 0;
};

/// What one load() is to bring: questions, each for any number of nodes. A store answers all of them in one
/// trip, and must not answer a question that was not asked by reading a plan as a whole.
struct Lookup {
    bool counts = false;                   ///< of the plan, by type, state, outcome; no zeros
    std::optional<std::string> operation;  ///< by op_id
    bool operations = false;               ///< all of the plan
    std::vector<NodeRef> names;            ///< nodes of these names, as far as there are any
    std::vector<NodeKey> nodes;            ///< STORE (damaged) if there is none
    std::vector<NodeKey> bodies;           ///< of nodes; one that was never changed may have none
    std::vector<NodeKey> groups;           ///< all groups of these owners
    struct GroupName {
        NodeKey owner = NodeKey::none;
        PredicateRole role = PredicateRole::dependencies;
        std::int32_t group = 0;
    };
    std::vector<GroupName> single_groups;  ///< groups one by one, as far as there are any
    std::vector<PredicateName> edges;      ///< of these predicates
    /// With `edges` the nodes that they point to.
    bool targets = false;
    /// Edges that wait for `target` to enter a state with after < number <= up_to.
    struct Waiting {
        NodeKey target = NodeKey::none;
        int after = 0, up_to = 0;
    };
    std::vector<Waiting> waiting;
    /// How far to go along what waits: beyond 1, owners are taken for targets in their turn, with whatever
    /// they may need to end. Looking ahead may be given up early.
    int levels = 1;
    /// With each edge in `waiting` its owner, that one's body if it is PLANNED, and the edge's group with all
    /// around it up to the root.
    bool owners = false;
    std::vector<NodeKey> assignments;  ///< of these stages
    /// With `assignments` the checks and their goals.
    bool checks = false;
    std::vector<NodeKey> assigned;  ///< assignments to these checks
    /// With `assigned` the stages.
    bool stages = false;
    std::vector<NodeKey> goals;         ///< of these checks
    std::vector<AttemptName> attempts;  ///< as far as they are there
    /// With every stage in Facts::nodes its current attempt, that attempt's open results, and the body.
    bool current_attempts = false;
    std::vector<NodeKey> all_attempts;  ///< of these stages, without progress
    std::vector<NodeKey> results;       ///< all of these checks
    /// With `results` the attempts that wrote them.
    bool writers = false;
    struct ResultName {
        NodeKey check = NodeKey::none;
        OwnerType type = OwnerType::actor;
        std::string owner;
    };
    std::vector<ResultName> single_results;
    std::vector<AttemptName> open_results;  ///< of these attempts, not finalized
    bool classes = false;                   ///< of the plan, all but 0
    /// The oldest `limit` PENDING attempts of each class that are ready at `at`, and the classes. With these,
    /// with `overdue` and with `held` come their stages and the bodies of those; with the latter two the open
    /// results, too.
    struct Ready {
        Timestamp at;
        std::int64_t limit = 0;
    };
    std::optional<Ready> ready;
    /// The earliest ready_at of a PENDING attempt of any class after this.
    std::optional<Timestamp> next_ready;
    std::optional<Timestamp> overdue;    ///< attempts not ended whose deadline is at or before this
    bool held = false;                   ///< SCHEDULED and RUNNING attempts of the plan
    bool held_by_class = false;          ///< how many there are, of each class but 0
    bool open_nodes = false;             ///< all nodes that are not FINAL, by key, with their bodies
    std::vector<std::string> beats;      ///< of these holders
    bool workers = false;                ///< the beats of all holders that have a name, by holder
    std::vector<AttemptName> log_parts;  ///< of these attempts, without their bytes
    std::vector<LogPartName> log_bytes;  ///< these parts, as far as they are there
};

/// What load() brings: for each question what was found, in the order of the questions unless said otherwise.
/// There may be more than was asked for, and the same row twice.
struct Facts {
    std::vector<StateCount> counts;
    std::optional<OperationRow> operation;
    std::vector<OperationRow> operations;  ///< by op_id
    std::vector<NodeRow> nodes;
    std::vector<BodyRow> bodies;
    std::vector<GroupRow> groups;            ///< of each owner by role, group
    std::vector<EdgeRow> edges;              ///< of each predicate by position
    std::vector<EdgeRow> waiting;            ///< of each question by owner, role, position
    std::vector<AssignmentRow> assignments;  ///< of each stage by position
    std::vector<AssignmentRow> assigned;     ///< of each check by stage, position
    std::vector<GoalRow> goals;              ///< of each check by goal
    std::vector<AttemptRow> attempts;        ///< of each stage by idx
    std::vector<ResultRow> results;          ///< of each check by id
    std::vector<ResultRow> open_results;     ///< of each attempt by check, id
    std::vector<ClassRow> classes;           ///< by number
    std::vector<AttemptRow> ready;           ///< by ready_at, stage
    std::optional<Timestamp> next_ready;
    std::vector<AttemptRow> overdue;  ///< by deadline, stage
    std::vector<AttemptRow> held;     ///< by stage
    struct HeldOfClass {
        std::int32_t class_number = 0;
        std::int64_t attempts = 0;
    };
    std::vector<HeldOfClass> held_by_class;
    std::vector<BeatRow> beats;
    std::vector<LogPartRow> log_parts;  ///< of each attempt by seq
    std::vector<LogPartRow> log_bytes;
    /// Questions of groups, edges, waiting, assignments, goals and results that were answered by looking
    /// ahead, besides those that were asked.
    Lookup ahead;
};

}  // namespace turboci
