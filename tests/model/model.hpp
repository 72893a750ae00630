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
    Timestamp created_at;
    std::optional<Timestamp> finalized_at;
};

struct ModelNode {
    NodeRef ref;
    State state = State::planning;
    std::optional<Outcome> outcome;
    std::optional<SkipCause> skip_cause;
    std::optional<CreatedBy> created_by;
    ModelGroup dependencies;
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
    std::optional<std::string> log_path;
    std::optional<Stopping> stopping;
    std::optional<Timestamp> not_before, started_at, ended_at, last_heartbeat;
    std::optional<RunnerIdentity> runner;  ///< of a holder that can be asked to stop
    std::string holder;                    ///< identity; empty: nobody
    bool no_retry = false;                 ///< a writer that ended it, or asked for that, forbade another
    bool orphan = false;                   ///< imported, while somebody held it elsewhere
    Timestamp created_at, updated_at;
};

struct ModelStage : ModelNode {
    nlohmann::json args = nlohmann::json::object();
    std::vector<Assignment> assignments;
    Retry retry;
    std::optional<Duration> timeout, heartbeat;
    ModelGroup group;
    std::vector<ModelAttempt> attempts;
    bool over = false;  ///< no attempt will follow
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
    std::int64_t version = 0;
    nlohmann::json labels = nlohmann::json::object();
    Timestamp created_at;
    ClockAnchor clock;
    std::vector<ModelCheck> checks;  ///< in the order of creation
    std::vector<ModelStage> stages;
    std::map<std::string, std::int64_t> operations;
    std::map<std::string, std::pair<std::string, std::vector<std::string>>>
        claims;                   ///< by op_id: uid, what it got
    std::int64_t identities = 0;  ///< how many holders were given one

    [[nodiscard]] ModelCheck* check(const std::string& id);
    [[nodiscard]] ModelStage* stage(const std::string& id);
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
};

class Model {
public:
    explicit Model(Flaw flaw = Flaw::none) : flaw_(flaw) {}

    Answer create(const CreatePlan& request, const ClockReading& now);
    /// WriteNodes::token is not looked at: `token` is what it says.
    Answer write(const WriteNodes& request, const ClockReading& now, const std::optional<ModelToken>& token);
    Answer tick(const ClockReading& now);
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
    /// What `group` says now, from scratch.
    [[nodiscard]] Resolution evaluate(const ModelGroup& group) const { return evaluate(plan_, group); }
    [[nodiscard]] Resolution evaluate(const ModelEdge& edge) const { return evaluate(plan_, edge); }

private:
    [[nodiscard]] bool flawed(Flaw flaw) const { return flaw_ == flaw; }
    [[nodiscard]] Resolution evaluate(const ModelPlan& plan, const ModelEdge& edge) const;
    [[nodiscard]] Resolution evaluate(const ModelPlan& plan, const ModelGroup& group) const;

    // model_validate.cpp: what can be seen without the plan.
    void validate(const WriteNodes& request);
    void validate(const PredicateSpec& group, bool root, bool continuation);

    // model_write.cpp: what the writer asks for.
    void apply(const WriteNodes& request);
    std::optional<NodeRef> resolve(const RefText& ref, bool continuation);
    ModelGroup resolve(const PredicateSpec& spec, bool continuation);
    void write_check(const CheckWrite& write);
    CheckWrite from_inside(const ModelCheck& check, CheckWrite write);
    void ask_state(ModelCheck& check, State asked);
    void write_result(ModelCheck& check, const ResultWrite& write, bool ends_here);
    void write_stage(const StageWrite& write);
    void create_stage(ModelStage& stage, const StageWrite& write);
    void repeat_stage(ModelStage& stage, const StageWrite& write);

    // model_attempt.cpp: attempts, their holders, claims.
    void write_attempt(ModelStage& stage, const AttemptWrite& write);
    void carry_out(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write, bool adds);
    void write_past_attempt(ModelStage& stage, const AttemptWrite& write);
    void end_by_word(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write);
    void ask_for_end(ModelStage& stage, ModelAttempt& attempt, const AttemptWrite& write);
    bool mark(ModelStage& stage, ModelAttempt& attempt, const Stopping& stopping, Mover by);
    void give_back(ModelStage& stage, ModelAttempt& attempt, Mover by);
    void cancel(ModelStage& stage);
    void take(const Claim& claim);
    void take(ModelStage& stage, const Claim& claim);
    void run(ModelStage& stage, ModelAttempt& attempt, const std::string& uid);
    [[nodiscard]] std::string new_identity(std::string_view prefix);
    [[nodiscard]] bool is_inside(const ModelStage& stage) const;
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
    };
    void end_attempt(ModelStage& stage, const End& end, Mover by);
    void finalize_results(const ModelStage& stage);
    void conclude_cancelled(ModelStage& stage, const std::string& reason);
    bool follow(ModelStage& stage);
    void advance();
    bool advance(ModelCheck& check);
    bool advance(ModelStage& stage);
    [[nodiscard]] bool goal_met(const ModelCheck& check, State goal);
    void blame();
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
    void add_note(ModelCheck& check, bool failure, std::vector<std::string> names);
    void end_by_writer(ModelCheck& check);
    [[nodiscard]] SkipCause skip_cause_of(const ModelNode& node);
    [[nodiscard]] std::set<const ModelEdge*> upstream_edges(const ModelGroup& group) const;
    void judge_skips();
    void refuse_cycles();
    Answer settle(const WriteNodes& request);

    Flaw flaw_;
    ModelPlan plan_;
    // The write under way.
    ModelPlan draft_;
    const WriteNodes* request_ = nullptr;
    Timestamp now_, wall_;
    Answer answer_;
    bool labels_changed_ = false;
    bool has_heartbeat_ = false;
    std::map<NodeRef, SkipCause> expected_skips_;
    std::set<const ModelEdge*> hidden_;           ///< edges that are taken for unresolved
    std::map<NodeRef, SkipCause> doubted_skips_;  ///< what this model would have said
    // Beside all plans.
    std::map<std::string, Timestamp> beats_;
    std::set<std::int64_t> dead_;
};

/// State numbers in the order of passing: a table of the model's own.
[[nodiscard]] int rank(NodeType type, State state);

}  // namespace turboci::model
