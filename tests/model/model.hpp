// SPDX-License-Identifier: Apache-2.0
// The rules of plans once more, in the simplest way that could be right: whole plans are copied for each
// write, every predicate is evaluated from scratch, and nodes are moved until none moves. Shares the values
// and requests of the public headers with the product, and nothing else.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flaw.hpp"
#include "turboci/requests.hpp"
#include "turboci/service.hpp"
#include "turboci/time.hpp"
#include "turboci/verdict.hpp"

namespace turboci::model {

struct ModelEdge {
    NodeRef target;
    State on_state = State::final;
    When when = When::success;
    std::optional<Timestamp> resolved_at;
    [[nodiscard]] bool same(const ModelEdge& o) const {
        return target == o.target && on_state == o.on_state && when == o.when;
    }
};

struct ModelGroup {
    GroupKind kind = GroupKind::all;
    std::int64_t at_least = 0;
    std::vector<ModelEdge> edges;
    std::vector<ModelGroup> groups;
    [[nodiscard]] bool empty() const { return edges.empty() && groups.empty(); }
    [[nodiscard]] std::int64_t needed() const {
        const auto members = static_cast<std::int64_t>(edges.size() + groups.size());
        return kind == GroupKind::all ? members : kind == GroupKind::any ? 1 : at_least;
    }
};

struct ModelResult {
    OwnerType owner_type = OwnerType::actor;
    std::string owner_id;
    std::string stage;     ///< of a stage_attempt
    std::int32_t idx = 0;  ///< likewise
    nlohmann::json data = nlohmann::json::object();
    std::optional<std::string> failure;
    std::vector<std::string> names_all;  ///< orchestrator's failures: texts that must be there
    std::vector<std::string> names_one;  ///< likewise: one of these must be there
    bool blames = false;                 ///< likewise: what broke the dependencies must be there
    Timestamp created_at;
    std::optional<Timestamp> finalized_at;
};

struct ModelNode {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<SkipCause> skip_cause;
    std::optional<CreatedBy> created_by;
    std::optional<CarriedFrom> carried_from;
    ModelGroup dependencies;
    std::vector<Condition> condition;
    std::int64_t version = 0;
    Timestamp created_at, updated_at;
    StateHistory history;
    // Of the write that is under way.
    bool touched = false;
    bool by_writer = false;
    bool created = false;
};

struct ModelCheck : ModelNode {
    std::string kind;
    bool required = true;
    nlohmann::json options = nlohmann::json::object();
    std::vector<ModelResult> results;
    std::vector<ResultWrite> late;  ///< PLANNED: they must wait for where the write takes it
};

struct ModelAttempt {
    AttemptState state = AttemptState::pending;
    std::optional<Cause> cause;
    std::string process_uid;
    nlohmann::json details = nlohmann::json::object();
    std::vector<Progress> progress;
    std::optional<std::string> failure;
    std::optional<std::int32_t> exit_code, signal;
    std::optional<LogPlace> log;
    std::optional<Stopping> stopping;
    std::optional<Timestamp> not_before, started_at, ended_at, last_heartbeat;
    std::optional<RunnerIdentity> runner;  ///< of a holder that can be asked to stop
    std::string holder;                    ///< identity; empty: nobody
    bool no_retry = false;                 ///< a writer that ended it, or asked for that, forbade another
    bool orphan = false;                   ///< imported, while somebody held it elsewhere
    bool absent = false;                   ///< did not come along from an earlier plan; holds its place alone
    Timestamp created_at, updated_at;
};

struct ModelStage : ModelNode {
    nlohmann::json args = nlohmann::json::object();
    std::vector<Assignment> assignments;
    Retry retry;
    std::optional<Duration> timeout, heartbeat;
    std::string runner;
    std::vector<Use> uses;
    ModelGroup group;
    std::optional<Timestamp> group_since;  ///< when it was written
    bool group_is_own = false;             ///< of a stage that was carried: an attempt wrote it
    std::vector<ModelAttempt> attempts;    ///< the idx is the place, from 1
    bool over = false;                     ///< no attempt will follow
    std::optional<ConcludedReason> reason;
    std::optional<std::string> concluded_message;

    [[nodiscard]] std::int32_t current() const { return static_cast<std::int32_t>(attempts.size()); }
};

/// What the token of a write says.
struct ModelToken {
    bool other_store = false;
    bool other_plan_id = false;
    bool other_plan = false;  ///< the same id, but a plan that was there before
    std::string stage;
    std::int32_t idx = 0;
    std::string holder;
};

struct ModelPlan {
    std::string id;
    std::string from;   ///< id of the plan that it was made from; empty: none
    std::string asked;  ///< op_id of the request that made it so
    std::int64_t version = 0;
    nlohmann::json labels = nlohmann::json::object();
    std::map<std::string, std::int64_t> limits;
    std::optional<PlanCancelled> cancelled;
    Timestamp created_at;
    ClockAnchor clock;
    std::vector<ModelCheck> checks;  ///< in the order of creation
    std::vector<ModelStage> stages;
    std::map<std::string, std::int64_t> operations;
    std::map<std::string, std::pair<std::string, std::vector<std::string>>>
        claims;  ///< by op_id: uid, what it got

    [[nodiscard]] ModelCheck* check(const std::string& wanted);
    [[nodiscard]] ModelStage* stage(const std::string& wanted);
    [[nodiscard]] ModelNode* node(const NodeRef& ref);
};

/// What a request may be answered with. Where several rules forbid it, any of their codes will do.
struct Answer {
    std::set<ErrorCode> errors;
    bool replayed = false;
    std::int64_t version = 0;
    std::vector<NodeRef> created, changed;
    std::vector<std::string> advanced;  ///< "check:a PLANNED FINAL skipped", sorted
    std::vector<std::string> claimed;   ///< "STAGE IDX"
    std::vector<std::string> holders;   ///< of each of them
    std::vector<std::string> ended;     ///< "STAGE IDX STATE CAUSE", sorted
    std::vector<NodeRef> recorded;      ///< nodes that this version's record is about, sorted
    // Of a rerun.
    std::string plan;  ///< the new one, or the old one if there is nothing to do
    bool nothing_to_do = false;
    std::vector<NodeRef> carried, begun;  ///< nodes of the new plan, in its order
    std::vector<NodeRef> superseded;      ///< nodes of the old one that were open, sorted
};

class Model {
public:
    explicit Model(Flaw flaw = Flaw::none) : flaw_(flaw) {}

    Answer create(const CreatePlan& request, const ClockReading& now);
    /// WriteNodes::token is not looked at: `token` is what it says.
    Answer write(const WriteNodes& request, const ClockReading& now, const std::optional<ModelToken>& token);
    Answer tick(const ClockReading& now);
    /// A new plan from the one of id RerunPlan::plan; speaks of the new one from then on.
    Answer rerun(const RerunPlan& request, const ClockReading& now);
    /// Speaks of that plan from now on.
    void turn_to(const std::string& id);
    /// All plans, in the order in which they were made.
    [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }
    [[nodiscard]] const ModelPlan& plan(const std::string& id) const;
    /// A sign of life of a holder.
    void beat(const std::string& holder, const ClockReading& now);
    /// The process of a runner ends.
    void die(std::int64_t pid) { dead_.insert(pid); }
    /// What can be seen of the process of a runner.
    [[nodiscard]] Liveness look_for(const RunnerIdentity& runner) const;
    static constexpr std::int64_t kElsewhere = 3;  ///< a process that cannot be looked for
    /// How nodes were skipped in the write that comes next. Where a skip and what may have caused it follow
    /// from one write, the order decides whether the cause was there already, and either is right.
    void expect_skips(std::map<NodeRef, SkipCause> skips) { expected_skips_ = std::move(skips); }
    [[nodiscard]] const std::map<NodeRef, SkipCause>& expected_skips() const { return expected_skips_; }
    /// Likewise in the plan that the rerun that comes next makes.
    void expect_skips_in_new_plan(std::map<NodeRef, SkipCause> skips) { new_skips_ = std::move(skips); }
    /// The plan was exported and imported: nobody holds what was held.
    void import();
    /// The holder of an attempt whose identity nobody was told.
    static constexpr std::string_view kSecret = "secret";
    [[nodiscard]] const ModelPlan& plan() const { return plan_; }
    /// Holders that gave a sign of life, and the last one of each.
    [[nodiscard]] const std::map<std::string, Timestamp>& beats() const { return beats_; }
    [[nodiscard]] const std::set<std::int64_t>& dead() const { return dead_; }
    /// The same state, from here on by rules of which one is broken.
    [[nodiscard]] Model with(Flaw flaw) const {
        Model other = *this;
        other.flaw_ = flaw;
        return other;
    }
    /// What `group` of `plan` says now, from scratch.
    [[nodiscard]] Resolution evaluate(const ModelPlan& plan, const ModelEdge& edge) const;
    [[nodiscard]] Resolution evaluate(const ModelPlan& plan, const ModelGroup& group) const;

    // model_verdict.cpp: how a plan as a whole came out.
    [[nodiscard]] Verdict verdict(const ModelPlan& plan) const;
    [[nodiscard]] GateAnswer gate(const ModelCheck& check, bool allow_skipped) const;

private:
    [[nodiscard]] bool flawed(Flaw flaw) const { return flaw_ == flaw; }

    // model_validate.cpp: what can be seen without the plan.
    void validate(const WriteNodes& request);
    void validate(const PredicateSpec& group, bool root, bool continuation);

    // model_write.cpp: what the writer asks for.
    void apply(const WriteNodes& request);
    void add_stubs(const WriteNodes& request, const std::optional<CreatedBy>& author);
    void apply_late(const WriteNodes& request);
    std::optional<NodeRef> resolve(const RefText& ref, bool continuation);
    ModelGroup resolve(const PredicateSpec& spec, bool continuation);
    std::vector<Condition> conditions(const std::vector<ConditionSpec>& specs);
    void refuse_strange_conditions(const ModelNode& node);
    void write_check(const CheckWrite& write);
    void create_check(ModelCheck& check, const CheckWrite& write,
                      const std::optional<ModelGroup>& dependencies);
    void change_check(ModelCheck& check, const CheckWrite& write,
                      const std::optional<ModelGroup>& dependencies);
    CheckWrite from_inside(const ModelCheck& check, CheckWrite write);
    void ask_state(ModelCheck& check, State asked);
    void skip(ModelCheck& check);
    void write_result(ModelCheck& check, const ResultWrite& write, bool ends_here);
    void write_stage(const StageWrite& write);
    void create_stage(ModelStage& stage, const StageWrite& write);
    void repeat_stage(ModelStage& stage, const StageWrite& write);

    // model_plan.cpp: the plan as a whole.
    void write_limits(const WriteNodes& request);
    void refuse_strange_uses(const ModelStage& stage);
    void cancel_plan(const CancelStages& what);
    void cancel_late_stages();
    void end_unasked(ModelCheck& check);
    [[nodiscard]] std::set<std::string> clean_up();

    // model_rerun.cpp: which nodes of a plan stay when another is made from it.
    enum class Definition : std::uint8_t {
        same,
        other,
        none,
        of_author,  ///< an attempt wrote it: comes along if that one's stage stays
    };
    enum class Fate : std::uint8_t { carried, again, left_out };
    struct OldNode {
        Definition definition = Definition::same;
        bool named = false;   ///< somebody wants it to begin anew
        bool gained = false;  ///< a check: stages answer it that did not, or are others now
        Fate fate = Fate::carried;
    };
    using OldNodes = std::map<NodeRef, OldNode>;
    [[nodiscard]] const ModelPlan* made_before(const std::string& op_id) const;
    void look_after_holders(const RerunPlan& request, const ClockReading& now);
    [[nodiscard]] OldNodes compare(const ModelPlan& old, const RerunPlan& request);
    void compare_with_files(const ModelPlan& old, const WriteNodes& files, OldNodes& nodes);
    [[nodiscard]] bool same_definition(const ModelCheck& old, const CheckWrite& write);
    [[nodiscard]] bool same_definition(const ModelStage& old, const StageWrite& write, bool own_group);
    void name(const ModelPlan& old, const RefText& ref, const RerunPlan& request, OldNodes& nodes);
    void decide_fates(const ModelPlan& old, OldNodes& nodes);
    [[nodiscard]] Fate fate_of(const ModelPlan& old, const ModelNode& node, const OldNodes& nodes);
    [[nodiscard]] bool may_stay(const ModelPlan& old, const ModelCheck& check, const OldNodes& nodes);
    [[nodiscard]] bool may_stay(const ModelPlan& old, const ModelStage& stage, const OldNodes& nodes);
    [[nodiscard]] bool counts(const ModelCheck& check, const ModelResult& result) const;
    [[nodiscard]] static bool has_own_group(const ModelPlan& plan, const ModelStage& stage);
    [[nodiscard]] bool is_held_elsewhere(const ModelPlan& plan) const;

    // model_carry.cpp: the new plan, and the end of the old one.
    void make_plan(const ModelPlan& old, const RerunPlan& request, const OldNodes& nodes,
                   const ClockReading& now);
    [[nodiscard]] static WriteNodes without_the_past(WriteNodes files, const OldNodes& nodes);
    [[nodiscard]] static bool stays(const OldNodes& nodes, const NodeRef& ref);
    void write_new_nodes(const ModelPlan& old, const WriteNodes& files, const OldNodes& nodes);
    void take_over(const ModelCheck& old, bool carried);
    void take_over(const ModelStage& old, bool carried, bool own_group);
    void carry(const ModelPlan& old, const ModelNode& from, ModelNode& to);
    void carry_check(const ModelPlan& old, const ModelCheck& check, const OldNodes& nodes);
    void carry_stage(const ModelPlan& old, const ModelStage& stage, const OldNodes& nodes);
    void refuse_missing(ModelGroup& group);
    void supersede(const ModelPlan& old, const RerunPlan& request, const std::string& by,
                   const ClockReading& now);

    // model_attempt.cpp: attempts, their holders, claims.
    void write_attempt(ModelStage& stage, const AttemptWrite& write);
    void carry_out(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write, bool adds);
    void write_past_attempt(ModelStage& stage, const AttemptWrite& write);
    void end_by_word(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write);
    void ask_for_end(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write);
    bool mark(ModelStage& stage, ModelAttempt& attempt, const Stopping& stopping, Mover by);
    void give_back(ModelStage& stage, ModelAttempt& attempt, Mover by);
    void cancel(ModelStage& stage);
    void skip(ModelStage& stage);
    void take(const Claim& claim);
    void take(ModelStage& stage, const Claim& claim, AttemptState to);
    void take_named(const Claim& claim);
    [[nodiscard]] bool is_ready(const ModelStage& stage) const;
    [[nodiscard]] bool fits(const ModelStage& stage) const;
    ModelStage* oldest(const Claim& claim, bool ahead);
    void run(ModelStage& stage, ModelAttempt& attempt, const std::string& uid);
    [[nodiscard]] std::string new_identity(std::string_view prefix);
    [[nodiscard]] bool is_inside(const ModelStage& stage) const;
    [[nodiscard]] bool has_begun(const ModelStage& stage) const;
    void check_token(const ModelToken& token);
    Answer change(const WriteNodes& request, const ClockReading& now, bool is_tick,
                  const std::optional<ModelToken>& token);
    [[nodiscard]] bool is_heartbeat(const WriteNodes& request);

    // model_rules.cpp: what follows.
    void refuse(ErrorCode code) { answer_.errors.insert(code); }
    [[nodiscard]] Timestamp time_of(const ClockAnchor& last, const ClockReading& now) const;
    void touch(ModelNode& node, Mover by);
    void move(ModelNode& node, State to, Mover by);
    bool expire(const WriteNodes& request);
    bool expire(ModelStage& stage, bool spoken_for);
    bool lose(const WriteNodes& request, bool all);
    void lose(ModelStage& stage);
    [[nodiscard]] bool lives(const ModelAttempt& attempt) const;
    struct End {
        AttemptState state = AttemptState::incomplete;
        std::optional<Cause> cause;
        std::optional<std::string> failure;
        std::optional<Duration> ran_for;
    };
    void end_attempt(ModelStage& stage, const End& end, Mover by);
    void finalize_results(const ModelStage& stage);
    void conclude_cancelled(ModelStage& stage, const std::string& reason);
    void conclude_by_hand(ModelStage& stage, const std::string& reason);
    bool follow(ModelStage& stage);
    [[nodiscard]] bool is_retried(const Retry& retry, const ModelAttempt& attempt) const;
    void advance();
    bool advance(ModelCheck& check);
    bool advance(ModelStage& stage);
    [[nodiscard]] bool goal_met(const ModelCheck& check, State goal);
    void blame();
    [[nodiscard]] bool is_wanted(const ModelNode& node);
    [[nodiscard]] bool holds(const Condition& condition);
    void conclude(ModelCheck& check);
    void finish(ModelCheck& check, Outcome outcome, Mover by);
    /// What the results of a check amount to.
    struct Answers {
        bool failed = false;           ///< a counted result has a failure
        bool by_hand = false;          ///< a result is no attempt's
        std::set<std::string> spoken;  ///< stages with a counted result
        std::set<std::string> broken;  ///< stages whose pass ended INCOMPLETE
    };
    [[nodiscard]] Answers answers(const ModelCheck& check);
    [[nodiscard]] bool is_superseded(const ModelCheck& check, const ModelResult& result) const;
    [[nodiscard]] bool is_broken(const ModelResult& result);
    void add_note(ModelCheck& check, bool failure, std::vector<std::string> names);
    void end_by_writer(ModelCheck& check);
    [[nodiscard]] SkipCause skip_cause_of(const ModelNode& node);
    [[nodiscard]] std::set<const ModelEdge*> upstream_edges(const ModelGroup& group) const;
    void judge_skips();
    void refuse_cycles();
    Answer settle(const WriteNodes& request);

    Flaw flaw_;
    ModelPlan plan_;                ///< the one that is spoken of
    std::vector<ModelPlan> aside_;  ///< the others
    std::vector<std::string> ids_;
    // The write under way.
    ModelPlan draft_;
    const WriteNodes* request_ = nullptr;
    Timestamp now_, wall_;
    Answer answer_;
    bool labels_changed_ = false;
    bool has_heartbeat_ = false;
    std::map<NodeRef, SkipCause> expected_skips_, new_skips_;
    std::set<const ModelEdge*> hidden_;           ///< edges that are taken for unresolved
    std::map<NodeRef, SkipCause> doubted_skips_;  ///< what this model would have said
    // Beside all plans.
    std::map<std::string, Timestamp> beats_;
    std::set<std::int64_t> dead_;
    std::int64_t identities_ = 0;  ///< how many holders were given one
};

/// The same members, in whatever order.
[[nodiscard]] bool same(const ModelGroup& a, const ModelGroup& b);
/// Values are compared as JSON.
[[nodiscard]] bool same(const std::vector<Condition>& a, const std::vector<Condition>& b);
[[nodiscard]] std::vector<Use> by_name(std::vector<Use> uses);

/// State numbers in the order of passing: a table of the model's own.
[[nodiscard]] int rank(NodeType type, State state);

}  // namespace turboci::model
