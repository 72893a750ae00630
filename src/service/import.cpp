// SPDX-License-Identifier: Apache-2.0
// Reads what export.cpp writes. The text is as untrusted as a plan file: every value is checked, what can be
// derived is derived, and the rules are asked whether they could have brought each node where it is.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "engine/holder.hpp"
#include "engine/predicates.hpp"
#include "engine/resolve.hpp"
#include "service/import_batch.hpp"
#include "service/import_values.hpp"
#include "service/invariants.hpp"
#include "service/local_service.hpp"
#include "service/skip_causes.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace service;
using namespace service::imported;

// ------------------------------------------------------------------------------------ nodes

constexpr std::int32_t kMostAttempts = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kBatchNodes = 1'000;

class Importer {
public:
    Importer(UnitOfWork& uow, std::string_view text, const std::string& name)
        : uow_(uow), text_(text), name_(name) {}

    PlanRow run() {
        // Once for the names, so that references may point forward; once for the rest.
        each_line([&](const Json& json) { note_name(json); });
        next_ = first_;
        line_ = 0;
        each_line([&](const Json& json) { import_line(json); });
        guarded([&] {
            if (!ended_) complain("its end is missing");
            if (last_version_ != plan_.version) complain("the record of the plan's last write is missing");
            refuse_cycles();
            for (const auto& [stage, attempt] : origins_)
                if (!has_attempt(stage, attempt))
                    complain("a node was written by an attempt that does not exist");
            batch_.finish(goals_, counts_);
            apply_batch();
            check_nodes();
        });
        return plan_;
    }

private:
    template <class F>
    void guarded(F&& work) {
        try {
            work();
        } catch (const Malformed& m) {
            fail(m.message);
        } catch (const nlohmann::json::exception&) {
            fail("it is not what an export writes");
        }
    }
    [[noreturn]] void fail(const std::string& message) const {
        const std::string whole = fmt::format("{}:{}:1: {}", name_, line_, message);
        throw Error(ErrorCode::invalid_argument, whole, {}, {{name_, line_, 1, message}});
    }

    template <class F>
    void each_line(F&& work) {
        std::string_view rest = text_;
        while (!rest.empty()) {
            ++line_;
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            guarded([&] { work(parse_line(rest.substr(0, end))); });
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        if (line_ == 0) {
            line_ = 1;
            fail("it is empty");
        }
    }

    void note_name(const Json& json) {
        if (line_ == 1) return read_header(json);
        if (ended_) complain("there is something after its end");
        if (const auto end = json.find("end"); end != json.end()) {
            if (number(*end, "lines") != line_ - 1) complain("lines are missing or too many");
            ended_ = true;
        }
        for (const NodeType type : {NodeType::check, NodeType::stage}) {
            const auto it = json.find(std::string(to_string(type)));
            if (it == json.end()) continue;
            const std::string id = text(*it, "id");
            if (const auto problem = node_id_problem(id)) complain(fmt::format("the id {}", *problem));
            if (!keys_.emplace(NodeRef{type, id}, next_).second)
                complain(fmt::format("{} stands there twice", to_string(NodeRef{type, id})));
            StateHistory history = history_of(type, *it);
            targets_.push_back({type, history.back().state, outcome_in(*it), std::move(history)});
            next_ = NodeKey{static_cast<std::int64_t>(next_) + 1};
        }
    }

    void read_header(const Json& json) {
        format_ = number(json, "turboci_export");
        if (format_ != 1 && format_ != 2) complain("it is of a version that this turboci does not read");
        only(json, {"turboci_export", "plan"});
        const Json& plan = member(json, "plan");
        only(plan, {"id", "version", "labels", "created_at", "updated_at", "identity", "older_rules_until",
                    "from", "cancelled", "limits"});
        plan_.id = text(plan, "id");
        if (const auto problem = plan_id_problem(plan_.id))
            complain(fmt::format("the plan's id {}", *problem));
        plan_.version = number(plan, "version", 1, kMostVersion);
        read_identity(plan);
        plan_.labels = object_text(plan, "labels");
        for (const auto& [key, value] : member(plan, "labels").items())
            if (key.empty() || has_control_character(key) || !value.is_string() ||
                has_control_character(value.get_ref<const std::string&>()))
                complain("a label must be a name and a string without control characters");
        plan_.created_at = time_of(plan, "created_at");
        plan_.clock.time = time_of(plan, "updated_at");
        if (plan_.created_at > plan_.clock.time) complain("the plan was changed before it was created");
        if (uow_.find_plan(plan_.id))
            throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan_.id),
                        "delete it first, or import into another store");
        ChangeSet changes;
        changes.plan_row = plan_;
        plan_.key = uow_.apply(changes);
        first_ = next_ = uow_.next_node_key();
    }

    /// The plan itself is still the one that it was, unless it is there already under another id.
    void read_identity(const Json& plan) {
        if (format_ == 1 && plan.contains("identity")) complain("'identity' is of format 2");
        plan_.older_rules_until = plan_.version;
        plan_.identity = new_identity();
        if (format_ == 1) return;
        nothing_yet(plan, {"from", "cancelled", "limits"});
        plan_.older_rules_until = number(plan, "older_rules_until", 0, plan_.version);
        const std::string identity = name(plan, "identity");
        if (identity.empty()) complain("'identity' is empty");
        const auto plans = uow_.plans();
        if (std::ranges::find(plans, identity, &PlanRow::identity) == plans.end()) plan_.identity = identity;
    }

    static std::optional<Outcome> outcome_in(const Json& node) {
        if (member(node, "outcome").is_null()) return std::nullopt;
        return name_of_set(node, "outcome", parse_outcome);
    }
    StateHistory history_of(NodeType type, const Json& node) const {
        StateHistory history;
        StateEntry before{};
        for (const Json& e : list(node, "state_history")) {
            const StateEntry entry{state_of(type, e, "state"), number(e, "version", 1, plan_.version),
                                   time_of(e, "at")};
            if (entry.version < before.version || entry.at < before.at)
                complain("its history goes backwards");
            history.push_back(before = entry);
            if (history.size() > 4) complain("its history has too many states");
        }
        if (history.empty()) complain("its history is empty");
        return history;
    }

    void import_line(const Json& json) {
        if (line_ == 1) return;
        if (const auto it = json.find("check"); it != json.end()) return import_node(NodeType::check, *it);
        if (const auto it = json.find("stage"); it != json.end()) return import_node(NodeType::stage, *it);
        if (const auto it = json.find("write"); it != json.end()) return import_write(*it);
        if (const auto it = json.find("operation"); it != json.end()) return import_operation(*it);
        if (json.contains("end")) return;
        complain("it is neither a check, a stage, a write, an operation nor the end");
    }

    void import_operation(const Json& json) {
        only(json, {"op_id", "version", "claimed"});
        OperationRow row{name(json, "op_id"), number(json, "version", 1, plan_.version), {}};
        if (row.op_id.empty()) complain("'op_id' is empty");
        if (!operations_.insert(row.op_id).second) complain("the operation stands there twice");
        if (json.contains("claimed"))
            for (const Json& taken : list(json, "claimed")) {
                only(taken, {"stage", "idx"});
                const NodeKey stage = key_of({NodeType::stage, text(taken, "stage")});
                const auto idx = static_cast<std::int32_t>(number(taken, "idx", 1, kMostAttempts));
                if (!has_attempt(stage, idx)) complain("it took an attempt that does not exist");
                row.claimed.push_back({stage, idx});
            }
        apply_batch();
        ChangeSet changes;
        changes.plan = plan_.key;
        changes.operation = std::move(row);
        uow_.apply(changes);
    }

    void import_node(NodeType type, const Json& json) {
        NodeRow row;
        row.key = next_;
        next_ = NodeKey{static_cast<std::int64_t>(next_) + 1};
        row.plan = plan_.key;
        row.type = type;
        row.id = text(json, "id");
        row.state = state_of(type, json, "state");
        row.outcome = outcome_in(json);
        row.version = number(json, "version", 1, plan_.version);
        row.updated_at = time_of(json, "updated_at");
        row.history = history_of(type, json);
        if (format_ > 1) row.skip_cause = optional_name_of_set(json, "skip_cause", parse_skip_cause);
        row.dependencies_since = time_of(json, "dependencies_since");
        NodeBody body;
        if (format_ > 1) read_origin(json, body);
        if (type == NodeType::check) {
            only(json, {"id", "state", "outcome", "version", "updated_at", "state_history",
                        "dependencies_since", "kind", "options", "dependencies", "results", "required",
                        "skip_cause", "condition", "created_by", "carried_from"});
            if (format_ > 1) row.required = flag(json, "required");
            row.kind = name(json, "kind");
            body.json = object_text(json, "options");
        } else {
            read_stage_parts(json, row, body);
        }
        std::vector<GroupRow> groups = import_predicate(row, PredicateRole::dependencies,
                                                        member(json, "dependencies"), row.dependencies_since);
        row.dependencies = groups.front().count;
        groups.erase(groups.begin());
        if (row.has_continuation) {
            auto more = import_predicate(row, PredicateRole::continuation, member(json, "continuation_group"),
                                         time_of(json, "continuation_since"));
            groups.insert(groups.end(), more.begin(), more.end());
        }
        batch_.groups.insert(batch_.groups.end(), groups.begin(), groups.end());
        if (type == NodeType::check)
            import_results(row, json);
        else
            import_attempts(row, body, json);
        ++counts_[{type, row.state, row.outcome ? static_cast<int>(*row.outcome) : 0}];
        attempts_.push_back(row.attempt);
        batch_.nodes.push_back(std::move(row));
        batch_.bodies.push_back(std::move(body));
        if (batch_.nodes.size() >= kBatchNodes) apply_batch();
    }
    /// Gives to the store what has been read so far.
    void apply_batch() {
        ChangeSet changes = batch_.change_set();
        changes.plan = plan_.key;
        uow_.apply(changes);
        batch_ = {};
    }
    [[nodiscard]] bool has_attempt(NodeKey stage, std::int32_t idx) const {
        const std::size_t i = index_of(stage);
        return i < attempts_.size() && idx <= attempts_[i];
    }

    void read_origin(const Json& json, NodeBody& body) {
        nothing_yet(json, {"condition", "carried_from"});
        const Json& origin = member(json, "created_by");
        if (origin.is_null()) return;
        only(origin, {"stage", "attempt"});
        body.created_by = key_of({NodeType::stage, text(origin, "stage")});
        body.created_by_attempt = small_number(origin, "attempt", 1, kMostAttempts);
        origins_.emplace_back(body.created_by, body.created_by_attempt);
    }

    void read_stage_parts(const Json& json, NodeRow& row, NodeBody& body) {
        only(json, {"id",
                    "state",
                    "outcome",
                    "version",
                    "updated_at",
                    "state_history",
                    "dependencies_since",
                    "concluded_reason",
                    "args",
                    "max_retries",
                    "backoff_us",
                    "timeout_us",
                    "heartbeat_us",
                    "dependencies",
                    "assignments",
                    "continuation_group",
                    "continuation_since",
                    "attempts",
                    "skip_cause",
                    "condition",
                    "created_by",
                    "carried_from",
                    "message",
                    "max_backoff_us",
                    "retry_on",
                    "on_interrupt",
                    "silence_us",
                    "runner",
                    "uses"});
        if (format_ > 1) {
            nothing_yet(json, {"max_backoff_us", "retry_on", "on_interrupt", "silence_us", "runner", "uses"});
            body.message = optional_text(json, "message");
        }
        if (!member(json, "concluded_reason").is_null())
            row.concluded_reason = name_of_set(json, "concluded_reason", parse_concluded_reason);
        body.json = object_text(json, "args");
        body.retry.max_retries = static_cast<std::int32_t>(number(json, "max_retries", 0, 1000));
        body.retry.backoff = Duration(number(json, "backoff_us", 0, kMostDuration.count()));
        body.timeout = optional_duration(json, "timeout_us");
        body.heartbeat = optional_duration(json, "heartbeat_us");
        row.has_continuation = !member(json, "continuation_group").is_null();
        row.attempt = static_cast<std::int32_t>(list(json, "attempts").size());
    }

    std::size_t index_of(NodeKey key) const {
        return static_cast<std::size_t>(static_cast<std::int64_t>(key) - static_cast<std::int64_t>(first_));
    }
    NodeKey key_of(const NodeRef& ref) const {
        const auto it = keys_.find(ref);
        if (it == keys_.end()) complain(fmt::format("{} is not in this export", to_string(ref)));
        return it->second;
    }
    NodeRef ref_of(const Json& object, const char* key) const {
        const RefText ref = parse_ref(text(object, key));
        if (!ref.type) complain(fmt::format("'{}' must be check:ID or stage:ID", key));
        return {*ref.type, ref.id};
    }

    /// Inserts the edges; returns the groups, counted, with the root first.
    std::vector<GroupRow> import_predicate(const NodeRow& owner, PredicateRole role, const Json& json,
                                           Timestamp since) {
        std::vector<GroupRow> groups;
        std::int32_t position = 0;
        add_group(owner, role, json, since, -1, groups, position);
        for (auto g = groups.rbegin(); g != groups.rend(); ++g) {
            g->count.resolution = resolve(g->count);
            if (g->parent >= 0) count(groups[static_cast<std::size_t>(g->parent)].count, g->count.resolution);
        }
        return groups;
    }
    static void count(GroupCount& group, Resolution member) {
        if (member == Resolution::unresolved) ++group.unresolved;
        if (member == Resolution::satisfied) ++group.satisfied;
    }
    void add_group(const NodeRow& owner, PredicateRole role, const Json& json, Timestamp since,
                   std::int32_t parent, std::vector<GroupRow>& groups, std::int32_t& position) {
        const auto index = static_cast<std::int32_t>(groups.size());
        only(json, {"predicate", "threshold", "edges", "groups"});
        GroupRow group{
            .owner = owner.key, .role = role, .group = index, .parent = parent, .count = {}, .since = since};
        group.count.kind = name_of_set(json, "predicate", parse_group_kind);
        const Json &edges = list(json, "edges"), &children = list(json, "groups");
        const auto members = static_cast<std::int64_t>(edges.size() + children.size());
        const bool root = parent < 0 && role == PredicateRole::dependencies;
        if (members == 0 && !root) complain("a group is empty");
        group.count.threshold =
            static_cast<std::int32_t>(number(json, "threshold", members == 0 ? 0 : 1, members));
        if (group.count.kind != GroupKind::at_least &&
            group.count.threshold !=
                (group.count.kind == GroupKind::any ? std::min<std::int64_t>(members, 1) : members))
            complain("a group's threshold does not fit its kind");
        std::set<std::tuple<NodeKey, State, When>> seen;
        for (const Json& e : edges) {
            only(e, {"node", "on_state", "when"});
            const NodeRef target = ref_of(e, "node");
            EdgeRow edge{.owner = owner.key,
                         .role = role,
                         .group = index,
                         .position = position++,
                         .target = key_of(target),
                         .on_state = state_of(target.type, e, "on_state"),
                         .when = name_of_set(e, "when", parse_when)};
            if (edge.on_state != State::final && edge.when != When::success)
                complain("'when' goes with the state FINAL");
            if (!seen.emplace(edge.target, edge.on_state, edge.when).second)
                complain("an edge stands twice in its group");
            if (role == PredicateRole::continuation && target.type != NodeType::stage)
                complain("only stages can be members of a continuation group");
            if (role == PredicateRole::dependencies)
                edges_.emplace_back(index_of(owner.key), index_of(edge.target));
            batch_.edges.push_back({edge, target.type});
            const Target& t = targets_[index_of(edge.target)];
            count(group.count,
                  resolve_edge(target.type, edge.on_state, edge.when, t.state, t.outcome, t.history));
        }
        groups.push_back(group);
        for (const Json& child : children) add_group(owner, role, child, since, index, groups, position);
    }

    void import_results(const NodeRow& row, const Json& json) {
        std::set<std::pair<OwnerType, std::string>> owners;
        for (const Json& r : list(json, "results")) {
            only(r, {"owner_type", "owner_id", "data", "failure", "created_at", "finalized_at"});
            ResultRow result;
            result.check = row.key;
            result.result.owner_type = name_of_set(r, "owner_type", parse_owner_type);
            result.result.owner_id = name(r, "owner_id");
            if (!owners.emplace(result.result.owner_type, result.result.owner_id).second)
                complain("two results of one owner");
            result.result.data = object_text(r, "data");
            result.result.failure = optional_text(r, "failure");
            result.result.created_at = time_of(r, "created_at");
            result.result.finalized_at = optional_time(r, "finalized_at");
            if (result.result.owner_type == OwnerType::stage_attempt) find_owner(result);
            batch_.results.push_back(result);
        }
    }
    /// PLAN:STAGE:IDX
    void find_owner(ResultRow& result) {
        const std::string& owner = result.result.owner_id;
        const std::size_t from = plan_.id.size() + 1, last = owner.rfind(':');
        std::int32_t idx = 0;
        if (last == std::string::npos || last < from || !owner.starts_with(plan_.id + ":") ||
            std::from_chars(owner.data() + last + 1, owner.data() + owner.size(), idx).ptr !=
                owner.data() + owner.size() ||
            idx < 1)
            complain("'owner_id' of a stage_attempt must be PLAN:STAGE:IDX");
        result.stage = key_of({NodeType::stage, owner.substr(from, last - from)});
        result.attempt = idx;
    }

    void import_attempts(const NodeRow& row, const NodeBody& body, const Json& json) {
        std::int32_t position = 0;
        std::set<std::pair<NodeKey, State>> seen;
        for (const Json& a : list(json, "assignments")) {
            only(a, {"check", "goal_state"});
            const NodeKey check = key_of({NodeType::check, text(a, "check")});
            const State goal = state_of(NodeType::check, a, "goal_state");
            if (goal == State::planning) complain("PLANNING cannot be the goal of an assignment");
            if (!seen.emplace(check, goal).second) complain("an assignment stands there twice");
            batch_.assignments.push_back({row.key, position++, check, goal});
            GoalRow& g = goals_[{check, goal}];
            g.check = check;
            g.goal = goal;
            ++g.stages;
            if (row.state != State::final) ++g.open;
        }
        AttemptRow attempt;
        for (const Json& a : list(json, "attempts")) import_attempt(row, body, a, attempt);
    }

    /// `attempt`: the one before it; then this one.
    void import_attempt(const NodeRow& row, const NodeBody& body, const Json& json, AttemptRow& attempt) {
        only(json, {"state", "process_uid", "details", "progress", "failure", "not_before", "last_heartbeat",
                    "started_at", "no_retry", "runner", "created_at", "updated_at", "cause", "holder",
                    "exit_code", "signal", "log", "stopping", "ended_at"});
        const AttemptRow before = std::exchange(attempt, {});
        const std::int32_t idx = attempt.attempt.idx =
            before.stage == NodeKey::none ? 1 : before.attempt.idx + 1;
        if (idx > 1) {
            const bool interrupted = is_interruption(before.attempt.cause.value_or(Cause::failed));
            attempt.retries = before.retries + (interrupted ? 0 : 1);
            attempt.interruptions = interrupted ? before.interruptions + 1 : 0;
            if (attempt.retries > body.retry.max_retries || attempt.interruptions >= kMaxInterruptions)
                complain("it has more attempts than its retries allow");
        }
        attempt.stage = row.key;
        attempt.plan = plan_.key;
        Attempt& a = attempt.attempt;
        a.state = name_of_set(json, "state", parse_attempt_state);
        a.process_uid = name(json, "process_uid");
        a.details = object_text(json, "details");
        a.failure = optional_text(json, "failure");
        a.not_before = optional_time(json, "not_before");
        a.last_heartbeat = optional_time(json, "last_heartbeat");
        a.created_at = time_of(json, "created_at");
        a.updated_at = time_of(json, "updated_at");
        a.started_at = optional_time(json, "started_at");
        attempt.no_retry = flag(json, "no_retry");
        attempt.ready_at = a.not_before.value_or(a.created_at);
        if (const Json& r = member(json, "runner"); !r.is_null()) {
            only(r, {"host", "boot_id", "pid", "start_time"});
            attempt.runner = RunnerIdentity{name(r, "host"), name(r, "boot_id"), number(r, "pid"),
                                            number(r, "start_time")};
        }
        if (format_ > 1)
            read_end(json, attempt);
        else
            guess_end(attempt);
        // Nobody holds it here: the next write finds that.
        if (engine::is_held(attempt)) attempt.deadline = Timestamp{};
        batch_.attempts.push_back(attempt);
        for (const Json& p : list(json, "progress"))
            batch_.progress.push_back(
                {row.key, idx, {text(p, "message"), time_of(p, "timestamp"), object_text(p, "details")}});
    }

    void import_write(const Json& json) {
        only(json, {"version", "time", "actor", "reason", "op_id", "changes"});
        const WriteRow write{plan_.key,
                             number(json, "version", last_version_ + 1, last_version_ + 1),
                             time_of(json, "time"),
                             name(json, "actor"),
                             text(json, "reason"),
                             name(json, "op_id")};
        last_version_ = write.version;
        if (write.time < last_time_ || write.time > plan_.clock.time)
            complain("its time is before that of an earlier write, or after the plan's last change");
        last_time_ = write.time;
        std::vector<ChangeRow> rows;
        for (const Json& c : list(json, "changes")) {
            only(c, {"node", "by", "changes"});
            rows.push_back({member(c, "node").is_null() ? NodeKey::none : key_of(ref_of(c, "node")),
                            name_of_set(c, "by", parse_mover), object_text(c, "changes").text});
        }
        apply_batch();
        ChangeSet changes;
        changes.plan = plan_.key;
        changes.write = write;
        changes.changes = Rows(rows);
        uow_.apply(changes);
    }

    /// Kahn: what is never free of unmet needs is on a cycle or behind one.
    void refuse_cycles() {
        std::vector<std::int32_t> needs(targets_.size());
        const auto target_of = [](const auto& edge) { return edge.second; };
        std::ranges::sort(edges_, {}, target_of);
        for (const auto& [owner, target] : edges_) ++needs[owner];
        std::vector<std::size_t> free;
        for (std::size_t i = 0; i < needs.size(); ++i)
            if (needs[i] == 0) free.push_back(i);
        std::size_t met = 0;
        while (!free.empty()) {
            const std::size_t target = free.back();
            free.pop_back();
            ++met;
            // std::ranges::equal_range: clang 14 cannot compile what that of libstdc++ returns.
            auto e = std::ranges::lower_bound(edges_, target, {}, target_of);
            for (; e != edges_.end() && e->second == target; ++e)
                if (--needs[e->first] == 0) free.push_back(e->first);
        }
        if (met != needs.size()) complain("its dependencies form a cycle");
    }

    /// The rules' own word on the whole.
    void check_nodes() {
        if (format_ == 1) decide_skip_causes(uow_, plan_.key);
        Passes passes(plan_);
        uow_.scan(plan_.key, {}, [&](std::span<const NodeRecord> records) {
            for (const NodeRecord& record : records) {
                for (const std::string& rule : broken_rules(record, plan_))
                    complain(fmt::format("{}:{} is not possible: {}", to_string(record.row.type),
                                         record.row.id, rule));
                const auto goal = goals_.find({record.row.key, State::final});
                if (goal != goals_.end() && goal->second.open == 0 && record.row.state == State::waiting)
                    complain(
                        fmt::format("check:{} is not possible: it is WAITING though all its stages are FINAL",
                                    record.row.id));
                passes.note(record);
            }
            return true;
        });
        for (const std::string& check : passes.broken(uow_))
            complain(fmt::format("check:{} is not possible: {}", check, kBrokenPass));
    }

    struct Target {
        NodeType type;
        State state;
        std::optional<Outcome> outcome;
        StateHistory history;
    };
    UnitOfWork& uow_;
    std::string_view text_;
    const std::string& name_;
    std::uint32_t line_ = 0;
    PlanRow plan_;
    NodeKey first_{}, next_{};
    std::map<NodeRef, NodeKey> keys_;
    std::vector<Target> targets_;
    std::map<std::pair<NodeKey, State>, GoalRow> goals_;
    std::map<std::tuple<NodeType, State, int>, std::int64_t> counts_;
    std::int64_t last_version_ = 0;
    Timestamp last_time_{};
    std::set<std::string> operations_;
    ImportBatch batch_;
    std::vector<std::int32_t> attempts_;  ///< how many each node has, in the order of the nodes
    std::vector<std::pair<std::size_t, std::size_t>> edges_;  ///< of dependencies: owner, target
    std::vector<std::pair<NodeKey, std::int32_t>> origins_;   ///< attempts that wrote nodes
    std::int64_t format_ = 0;
    bool ended_ = false;
};

}  // namespace

WorkPlan LocalService::import_plan(std::string_view text, const std::string& name) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = Importer(*uow, text, name).run();
    WorkPlan result = view_plan(*uow, plan);
    uow->commit();
    return result;
}

}  // namespace turboci
