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
    nlohmann::json options = nlohmann::json::object();
    std::vector<ModelResult> results;
    bool late = false;  ///< PLANNED: its results must wait for where the write takes it
};

struct ModelAttempt {
    AttemptState state = AttemptState::pending;
    std::string process_uid;
    nlohmann::json details = nlohmann::json::object();
    std::vector<Progress> progress;
    std::optional<std::string> failure;
    std::optional<Timestamp> not_before, started_at, last_heartbeat;
    std::optional<RunnerIdentity> runner;
    Timestamp created_at, updated_at;
};

struct ModelStage : ModelNode {
    nlohmann::json args = nlohmann::json::object();
    std::vector<Assignment> assignments;
    Retry retry;
    std::optional<Duration> timeout, heartbeat;
    ModelGroup group;
    std::vector<ModelAttempt> attempts;
    bool over = false;     ///< no attempt will follow
    bool blocked = false;  ///< the writer that ended the last attempt forbade another
    std::optional<ConcludedReason> reason;
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
        claims;  ///< by op_id: uid, what it got

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
    std::vector<NodeRef> recorded;      ///< nodes that this version's record is about, sorted
};

class Model {
public:
    explicit Model(Flaw flaw = Flaw::none) : flaw_(flaw) {}

    Answer create(const CreatePlan& request, const ClockReading& now);
    Answer write(const WriteNodes& request, const ClockReading& now);
    Answer tick(const ClockReading& now);
    /// Whether the process that runs an attempt is there; only a tick looks for it.
    [[nodiscard]] static bool is_alive(const RunnerIdentity& runner) { return runner.pid != kDead; }
    static constexpr std::int64_t kDead = 2;
    [[nodiscard]] const ModelPlan& plan() const { return plan_; }
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
    void ask_state(ModelCheck& check, State asked);
    void write_result(ModelCheck& check, const ResultWrite& write, bool ends_here);
    void write_stage(const StageWrite& write);
    void create_stage(ModelStage& stage, const StageWrite& write);
    void repeat_stage(ModelStage& stage, const StageWrite& write);
    void write_attempt(ModelStage& stage, const AttemptWrite& write);
    void cancel(ModelStage& stage);
    void take(const Claim& claim);
    void run(ModelStage& stage, ModelAttempt& attempt, const std::string& uid);
    Answer change(const WriteNodes& request, const ClockReading& now, bool is_tick);

    // model_rules.cpp: what follows.
    void refuse(ErrorCode code) { answer_.errors.insert(code); }
    [[nodiscard]] Timestamp time_of(const ClockAnchor& last, const ClockReading& now) const;
    void touch(ModelNode& node, Mover by);
    void move(ModelNode& node, State to, Mover by);
    bool expire(const WriteNodes& request);
    bool lose();
    void end_attempt(ModelStage& stage, AttemptState state, std::optional<std::string> failure, bool no_retry,
                     Mover by);
    bool follow(ModelStage& stage);
    void advance();
    bool advance(ModelCheck& check);
    bool advance(ModelStage& stage);
    [[nodiscard]] bool goal_met(const ModelCheck& check, State goal);
    void blame();
    void conclude(ModelCheck& check);
    void finish(ModelCheck& check, Outcome outcome, Mover by);
    [[nodiscard]] Outcome outcome_of(const ModelCheck& check);
    void refuse_cycles();
    Answer settle(const WriteNodes& request);

    Flaw flaw_;
    ModelPlan plan_;
    // The write under way.
    ModelPlan draft_;
    const WriteNodes* request_ = nullptr;
    Timestamp now_;
    Answer answer_;
    bool labels_changed_ = false;
};

/// State numbers in the order of passing: a table of the model's own.
[[nodiscard]] int rank(NodeType type, State state);

}  // namespace turboci::model
