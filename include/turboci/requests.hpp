// SPDX-License-Identifier: Apache-2.0
// What one may ask of the orchestrator and what it answers. Plain values, no behaviour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "turboci/check.hpp"
#include "turboci/dependency.hpp"
#include "turboci/error.hpp"
#include "turboci/runner.hpp"
#include "turboci/stage.hpp"
#include "turboci/verdict.hpp"
#include "turboci/work_plan.hpp"

namespace turboci {

// ------------------------------------------------------------------------------------ writing

inline constexpr std::size_t kMaxNameBytes = 1024;         ///< of kinds, actors, op_ids and the like
inline constexpr std::size_t kMaxMessageBytes = 1u << 20;  ///< of reasons, failures and progress

/// An attempt that speaks: the owner of results written from inside it.
struct AttemptRef {
    std::string stage_id;  ///< "PLAN:" may stand before it
    std::int32_t idx = 0;  ///< from 1
    bool operator==(const AttemptRef&) const = default;
};

/// Adds to, or ends, one owner's result of a check.
struct ResultWrite {
    std::optional<JsonText> data;        ///< merged into the result's data (RFC 7396)
    std::optional<std::string> failure;  ///< sets the failure's message
    bool clear_failure = false;          ///< `failure: null`: takes an earlier failure back
    bool finalize = false;               ///< no more changes after this write
    std::optional<AttemptRef> owner;     ///< absent: `by`, else the write's `inside`, else its actor
    std::optional<std::string> by;       ///< an actor that owns it, whoever writes
    Position at;
};

/// A condition as written in a request.
struct ConditionSpec {
    Condition condition;
    Position at;
};

/// Creates or changes one check. Absent members are left as they are.
struct CheckWrite {
    std::string id;
    std::optional<std::string> kind;
    std::optional<JsonText> options;            ///< the value at creation; merged (RFC 7396) afterwards
    std::optional<State> state;                 ///< PLANNING, PLANNED, WAITING or FINAL
    std::optional<bool> required;               ///< absent at creation: true
    std::optional<PredicateSpec> dependencies;  ///< replaces the whole; empty removes all
    std::optional<std::vector<ConditionSpec>> condition;  ///< likewise
    std::vector<ResultWrite> results;                     ///< usually none or one
    bool skip = false;                                    ///< ends it as skipped, for the write's reason
    Position at;
    Position id_at;  ///< of the id itself
};

/// What only the holder of an attempt can say of it: how its process came to its end, or that it is being
/// told to end.
struct HolderWord {
    std::string identity;        ///< Claim::holder, or what the token of the claim holds
    std::optional<Cause> cause;  ///< with INCOMPLETE, or to mark the attempt as stopping
    bool stopping = false;       ///< marks the attempt: the process is being told to end
    bool signalled = false;      ///< with an end: the process had been told to end before it ended
    std::optional<std::int32_t> exit_code;
    std::optional<std::int32_t> signal;
    std::optional<LogPlace> log;
    /// With an end: how long the process ran. Tells when an attempt began that never was RUNNING in the
    /// store.
    std::optional<Duration> ran_for;
    bool operator==(const HolderWord&) const = default;
};

/// Moves the current attempt of a stage, or adds to it.
struct AttemptWrite {
    std::optional<std::int32_t> idx;  ///< must be the current one if given
    std::optional<AttemptState> state;
    std::optional<std::string> process_uid;                  ///< needed to enter RUNNING
    std::optional<JsonText> details;                         ///< merged (RFC 7396)
    std::vector<std::pair<std::string, JsonText>> progress;  ///< message, details
    std::optional<std::string> failure;                      ///< message; with INCOMPLETE
    bool heartbeat = false;  ///< "still alive"; any attempt write counts as one
    bool no_retry = false;   ///< with INCOMPLETE: block further attempts
    std::optional<RunnerIdentity> runner;
    std::optional<HolderWord> holder;  ///< set where the holder itself writes
    Position at;
};

/// Creates, moves or cancels one stage. Absent members are left as they are; those that are fixed at
/// creation (args, dependencies, assignments, policy) must not differ afterwards.
struct StageWrite {
    std::string id;
    std::optional<JsonText> args;
    std::optional<PredicateSpec> dependencies;
    struct AssignmentSpec {
        std::string target_check_id;  ///< a bare check id or "check:ID", stored without prefix
        State goal_state = State::final;
        Position at;
    };
    std::optional<std::vector<AssignmentSpec>> assignments;
    std::optional<Retry> retry;
    std::optional<Duration> timeout;
    std::optional<Duration> heartbeat;
    std::optional<Duration> silence;
    std::optional<std::string> runner;
    std::optional<std::vector<Use>> uses;  ///< each name once
    std::optional<std::vector<ConditionSpec>> condition;
    std::optional<PredicateSpec> continuation_group;  ///< may be set until the attempts are over
    std::optional<AttemptWrite> attempt;
    /// Where the writer says that the stage is. FINAL ends the live attempt: INCOMPLETE without a retry if
    /// `attempt` says so or has a failure, else COMPLETE. PLANNED says nothing; the others must be so.
    std::optional<State> state;
    bool cancel = false;
    bool skip = false;  ///< ends it as skipped, for the write's reason
    Position at;
    Position id_at;  ///< of the id itself
};

/// The checks or the stages of a request, in their order. There may be a million of them, so they are kept
/// small: what is read is a copy.
template <class Write>
class WriteList {
public:
    WriteList();
    WriteList(const WriteList& other);
    WriteList(WriteList&& other) noexcept;
    WriteList& operator=(WriteList other) noexcept;
    ~WriteList();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    void push_back(const Write& write);
    /// Puts another value in the place of one.
    void set(std::size_t index, const Write& write);
    /// Appends all of `other`, which is empty afterwards.
    void append(WriteList&& other);
    [[nodiscard]] Write operator[](std::size_t index) const;
    /// std::out_of_range if there is none.
    [[nodiscard]] Write at(std::size_t index) const;
    /// Into a value that is used again and keeps its memory; the second without dependencies, results,
    /// assignments, continuation group, attempt and state of a stage.
    void read(std::size_t index, Write& write) const;
    void read_head(std::size_t index, Write& write) const;
    /// Stays where it is for as long as the list, or one that it was moved or appended to, lives.
    [[nodiscard]] std::string_view id(std::size_t index) const;

    /// Gives copies.
    struct Iterator {
        using value_type = Write;
        using difference_type = std::ptrdiff_t;
        const WriteList* list = nullptr;
        std::size_t index = 0;
        Write operator*() const { return (*list)[index]; }
        Iterator& operator++() {
            ++index;
            return *this;
        }
        void operator++(int) { ++index; }
        bool operator==(const Iterator& other) const { return index == other.index; }
    };
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, size()}; }

private:
    struct Packed;
    std::unique_ptr<Packed> packed_;  ///< null: empty
};

/// Which ready stages a claim may take. All that is said must hold.
struct ClaimFilter {
    /// Kinds of stages that are taken: those that need such a runner. "" are those that need none, "*" all.
    std::vector<std::string> runners{""};
    std::vector<std::string> only;    ///< stage ids; empty: all
    std::vector<std::string> except;  ///< stage ids
    std::vector<std::string> match;  ///< fnmatch(3) patterns over the id, of which one must match; empty: all
    bool with_command = false;       ///< only stages with args.command
    /// Not 0: passes over stages whose args take more bytes of JSON, but for those in `judged`.
    std::size_t args_bytes = 0;
    std::vector<std::string> judged;  ///< stage ids
};

/// Takes ready attempts: oldest ready first, each at most once, in the same transaction.
struct Claim {
    /// Stage ids that somebody named: they are taken in this order, whatever the filter says, and an error
    /// says why one cannot be had. Empty: whatever the filter takes.
    std::vector<std::string> stages;
    ClaimFilter filter;
    std::int32_t at_most = 1;  ///< become RUNNING
    std::int32_t ahead = 0;    ///< so many more become SCHEDULED, for a runner that will start them soon
    std::string process_uid;
    std::string holder;  ///< the random identity of the claimer; empty: a new one for this claim
    std::optional<RunnerIdentity> runner;
};

/// Cancels every stage that is not FINAL, but those that clean up: stages that have dependencies, all of them
/// with `when` always, failure or unsuccessful, and stages that depend on such stages alone.
struct CancelStages {
    /// Stage ids, of which those that name no open stage mean nothing; empty: the whole plan, with checks
    /// that no stage is assigned to, and the plan remembers it.
    std::vector<std::string> only;
    bool clean_up_too = false;  ///< those that clean up are cancelled as well
};

/// One transaction: all of it or none of it.
struct WriteNodes {
    std::string plan;                        ///< as for reading, see Service; empty: the only one
    std::string plan_identity;               ///< not empty: NOT_FOUND unless it is that very plan
    std::string token;                       ///< of the attempt that writes, or for which a script does
    std::string reason;                      ///< free text for the log
    std::string actor;                       ///< who writes
    std::optional<std::int64_t> if_version;  ///< refuse (CONFLICT) unless the plan is at this version
    std::string op_id;                       ///< idempotency key; empty: none
    bool dry_run = false;                    ///< do everything, then roll back
    bool tick = false;                       ///< looks at every held attempt: ends those whose runner is gone
    std::optional<JsonText> labels;          ///< merged into the plan's labels
    std::vector<Limit> limits;               ///< of the plan; those that are not named stay as they are
    Position limits_at;
    std::optional<CancelStages> cancel;  ///< done after everything else has been resolved
    std::optional<AttemptRef> inside;    ///< the attempt that this write comes from
    WriteList<CheckWrite> checks;
    WriteList<StageWrite> stages;
    std::optional<Claim> claim;      ///< taken after everything else has been resolved
    std::vector<std::string> files;  ///< names that Position::file points into
};

/// A move that the orchestrator made as a consequence.
struct Advance {
    NodeRef node;
    State from = State::planning;
    State to = State::planning;
    std::optional<Outcome> outcome;  ///< set when `to` is FINAL
    bool operator==(const Advance&) const = default;
};

/// An attempt that a Claim took.
struct ClaimedAttempt {
    /// Without dependencies, assignments and earlier attempts: what executes it needs none of them.
    Stage stage;
    std::int32_t idx = 0;  ///< RUNNING, or SCHEDULED if it was claimed ahead
    std::string token;     ///< what WriteNodes::token takes, opaque
};

/// An attempt that ended in a write.
struct AttemptEnd {
    std::string stage;
    std::int32_t idx = 0;
    AttemptState state = AttemptState::complete;  ///< or INCOMPLETE
    std::optional<Cause> cause;                   ///< of INCOMPLETE
    std::optional<std::string> failure;
    std::optional<Duration> next_in;  ///< another attempt follows after so long, by the plan's clock
    bool operator==(const AttemptEnd&) const = default;
};

struct WriteResult {
    WorkPlan plan;
    std::vector<NodeRef> created;   ///< in the order of the request
    std::vector<NodeRef> changed;   ///< existing nodes that the writer changed, in the order of the request
    std::vector<Advance> advanced;  ///< in the order in which it happened
    std::vector<std::string> warnings;
    std::vector<ClaimedAttempt> claimed;
    std::vector<AttemptEnd> ended;  ///< attempts, in the order in which they ended
    /// When a claim was not filled: how long until the next PENDING attempt is ready, by the plan's clock.
    std::optional<Duration> next_ready_in;
    bool moved = false;       ///< the plan has a new version: what is not listed here are moves of attempts
    bool relabelled = false;  ///< the labels of a plan that was there before have changed
    bool replayed = false;  ///< op_id was seen before: nothing done; plan.version is that of the first write
};

/// Creates a plan, with nodes if `nodes` has any, in one transaction.
struct CreatePlan {
    std::string id;  ///< empty: new_plan_id()
    std::vector<std::pair<std::string, std::string>> labels;
    WriteNodes nodes;  ///< `plan` and `if_version` are ignored
};

/// Makes a new plan from one that is there: what passed is carried over, the rest begins anew, and what is
/// open in the old plan ends.
struct RerunPlan {
    std::string plan;            ///< the old one, chosen as for reading, see Service
    std::string id;              ///< of the new one; empty: new_plan_id()
    std::vector<RefText> again;  ///< begin anew although they passed, with all that hangs on them
    bool fork = false;           ///< also if another plan was made from the old one
    /// The definitions are those of `definitions`; else they are the old plan's.
    bool redefines = false;
    /// Reason, actor, op_id and labels are of this write in any case. `if_version` is of the old plan.
    WriteNodes definitions;
};
struct RerunResult {
    WorkPlan plan;                        ///< the new plan; the old one if there is nothing to do
    std::vector<NodeRef> carried, begun;  ///< nodes of the new plan
    std::vector<NodeRef> ended;           ///< nodes of the old plan that were open
    std::vector<std::string> warnings;
    bool nothing_to_do = false;  ///< the verdict is passed, no node is named, no definition has changed
    bool replayed = false;       ///< op_id was seen before: nothing done
};

/// Deletes plans that nobody needs any more: those with nothing open and nothing held, those from which
/// another was made, and empty ones that are a day old. INVALID_ARGUMENT unless `keep` or `older_than` is
/// given.
struct PrunePlans {
    std::optional<std::int64_t> keep;              ///< spares the newest so many of all plans
    std::optional<Duration> older_than;            ///< spares what has changed within this time
    std::optional<std::vector<std::string>> only;  ///< identities of plans; spares all others
    bool dry_run = false;                          ///< deletes nothing
};

// ------------------------------------------------------------------------------------ reading

/// Which edges a walk along dependencies or dependents follows.
enum class EdgeFilter : std::uint8_t {
    all = 1,
    satisfied = 2,  ///< only edges that are resolved and satisfied
};

/// What is read of each node. Its id, kind, state and outcome always are; what is left out is as in a node
/// that has nothing of it.
struct NodeParts {
    bool stamps = true;       ///< concluded_reason, version, times, state_history
    bool body = true;         ///< options, args, retry, timeout, heartbeat
    bool predicates = true;   ///< dependencies, continuation_group
    bool assignments = true;  ///< of stages
    bool targets = true;      ///< names and states of what edges and assignments lead to; a query always does
    bool attempts = true;
    bool progress = true;  ///< of the attempts
    bool results = true;
    bool counts = true;  ///< of the plan
};
/// Nothing but the nodes themselves.
inline constexpr NodeParts kBareNodes{false, false, false, false, false, false, false, false, false};

/// Select (everything, or `refs`; then the filters, AND between them, OR within one), expand, print.
struct QueryNodes {
    std::string plan;
    std::vector<RefText> refs;
    std::vector<NodeType> types;
    std::vector<std::string> kinds;
    std::vector<State> states;
    std::vector<Outcome> outcomes;
    std::vector<std::string> match;  ///< fnmatch(3) patterns over the id
    bool ready = false;    ///< stages that can be claimed now; WAITING checks without an unfinished stage
    bool blocked = false;  ///< not FINAL, with dependencies that are unresolved
    /// Add what the selection needs, so many steps of it; -1: all the way. A node needs the targets of its
    /// dependencies and of its continuation group, a check also the stages assigned to it.
    std::optional<std::int32_t> deps;
    std::optional<std::int32_t> dependents;  ///< likewise what needs the selection
    /// What to follow. An assignment is satisfied when its stage has passed.
    EdgeFilter edges = EdgeFilter::all;
    bool skip_absent = false;  ///< `refs` that are not there go to NodeSink::absent() and are no error
    NodeParts parts;
};

/// Receives what a query finds: the plan, what is absent, then checks, then stages, each in the order of
/// creation. What it is handed lives until it returns.
class NodeSink {
public:
    virtual ~NodeSink() = default;
    virtual void plan(const WorkPlan& plan) = 0;
    virtual void absent(const RefText& /*ref*/) {}
    virtual void check(const Check& check) = 0;
    virtual void stage(const Stage& stage) = 0;
};

/// One node of an explanation.
struct ExplainedNode {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<ConcludedReason> concluded_reason;
    Predicate dependencies;
    Predicate continuation_group;
    std::vector<std::string> notes;  ///< what else holds or decided it, one line each
};

/// Why a node is where it is.
struct Explanation {
    WorkPlan plan;
    ExplainedNode node;
    std::vector<ExplainedNode> because;  ///< what it hangs on, breadth first, at most kMaxExplained
    std::vector<NodeRef> root_causes;    ///< where the chain of reasons ends
    bool truncated = false;
};
inline constexpr std::size_t kMaxExplained = 1000;

/// What `plan show` tells beyond the counts.
struct PlanSummary {
    WorkPlan plan;
    Verdict verdict = Verdict::passed;  ///< of the whole plan
    std::vector<NodeRef> ready;  ///< claimable stages, oldest first, then WAITING checks that nobody works on
    std::vector<NodeRef> running;  ///< stages whose attempt is RUNNING
    struct Failure {
        NodeRef node;
        std::string message;
    };
    std::vector<Failure> failed;       ///< failed and cancelled nodes, oldest first
    std::vector<NodeRef> open_checks;  ///< checks that are not FINAL, at most `limit`
};

/// One recorded change.
struct LogEntry {
    std::int64_t version = 0;
    Timestamp time;
    std::string actor;
    std::string reason;
    std::string op_id;
    Mover by = Mover::writer;
    std::optional<NodeRef> node;  ///< absent: the plan itself
    JsonText changes;  ///< field → {"from","to"} for states and outcomes, else field → new value
};

/// More of what an attempt prints, for a store that keeps that.
struct AppendOutput {
    std::string token;     ///< of the attempt
    std::int64_t seq = 0;  ///< number of this part, from 0
    std::string data;      ///< at most kMaxOutputPart bytes
};
inline constexpr std::size_t kMaxOutputPart = std::size_t{1} << 20;

/// What an attempt has printed so far.
struct ReadOutput {
    std::string plan;
    std::string stage;                                   ///< id
    std::int32_t idx = 0;                                ///< of the attempt
    std::int64_t offset = 0;                             ///< from here on
    std::optional<std::int64_t> tail_lines, tail_bytes;  ///< at most so much of its end
};
/// What is no longer kept is replaced by a line that says so.
struct OutputPart {
    std::int64_t offset = 0;
    std::string_view bytes;
    std::int64_t next = 0;  ///< where the next part begins
};

/// A sign of life of a process that holds attempts, or would.
struct Beat {
    std::string holder = {};                ///< its random identity
    std::string name = {};                  ///< of a worker, for people; empty: another process
    std::vector<std::string> runners = {};  ///< of a worker: the kinds that it takes, as in ClaimFilter
    bool draining = false;                  ///< it takes no new work
};
/// A worker as it last said that it lives.
struct Worker {
    std::string identity;
    std::string name;
    std::vector<std::string> runners;
    Timestamp started_at;
    Timestamp last_seen;
    bool draining = false;
    std::int64_t held = 0;  ///< attempts
};

struct ReadLog {
    std::string plan;
    std::optional<RefText> ref;
    std::int64_t since = 0;  ///< only versions greater than this
    /// Ends with the version in which so many entries have been read: versions are whole.
    std::size_t limit = static_cast<std::size_t>(-1);
};

}  // namespace turboci
