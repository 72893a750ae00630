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

#include "domain/policy_text.hpp"
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
    Importer(Transaction& transaction, std::string_view text, const std::string& name)
        : transaction_(transaction), text_(text), name_(name) {}

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
                if (!known_attempts_.contains({stage, attempt}))
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
            targets_.push_back(
                {type, history.back().state, outcome_in(*it), skip_cause_in(*it), std::move(history)});
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
        if (transaction_.find_plan(plan_.id))
            throw Error(ErrorCode::conflict, fmt::format("plan '{}' exists", plan_.id),
                        "delete it first, or import into another store")
                .because("ID_EXISTS");
        ChangeSet changes;
        changes.plan_row = plan_;
        plan_.key = transaction_.apply(changes);
        first_ = next_ = transaction_.next_node(plan_.key);
    }

    /// The plan itself is still the one that it was, unless it is there already under another id.
    void read_identity(const Json& plan) {
        if (format_ == 1 && plan.contains("identity")) complain("'identity' is of format 2");
        plan_.older_rules_until = plan_.version;
        plan_.identity = new_identity();
        if (format_ == 1) return;
        read_origin(plan);
        plan_.limits = decoded(parse_limits(member(plan, "limits").dump()));
        if (const Json& c = member(plan, "cancelled"); !c.is_null()) {
            only(c, {"since", "by", "reason"});
            plan_.cancelled = PlanCancelled{time_of(c, "since"), name(c, "by"), text(c, "reason")};
        }
        plan_.older_rules_until = number(plan, "older_rules_until", 0, plan_.version);
        const std::string identity = name(plan, "identity");
        if (identity.empty()) complain("'identity' is empty");
        const auto plans = transaction_.plans();
        if (std::ranges::find(plans, identity, &PlanRow::identity) == plans.end()) plan_.identity = identity;
    }

    void read_origin(const Json& plan) {
        const Json& origin = member(plan, "from");
        if (origin.is_null()) return;
        only(origin, {"plan", "identity"});
        PlanOrigin& from = plan_.from.emplace();
        from.plan = text(origin, "plan");
        if (const auto problem = plan_id_problem(from.plan))
            complain(fmt::format("the id of 'from' {}", *problem));
        from.identity = name(origin, "identity");
        if (from.identity.empty()) complain("'identity' of 'from' is empty");
    }

    static std::optional<Outcome> outcome_in(const Json& node) {
        if (member(node, "outcome").is_null()) return std::nullopt;
        return name_of_set(node, "outcome", parse_outcome);
    }
    std::optional<SkipCause> skip_cause_in(const Json& node) const {
        if (format_ == 1) return std::nullopt;
        return optional_name_of_set(node, "skip_cause", parse_skip_cause);
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
                if (!known_attempts_.contains({stage, idx}))
                    complain("it took an attempt that does not exist");
                row.claimed.push_back({stage, idx});
            }
        apply_batch();
        ChangeSet changes;
        changes.plan = plan_.key;
        changes.operation = std::move(row);
        transaction_.apply(changes);
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
        row.skip_cause = skip_cause_in(json);
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
        batch_.nodes.push_back(std::move(row));
        batch_.bodies.push_back(std::move(body));
        if (batch_.nodes.size() >= kBatchNodes) apply_batch();
    }
    /// Gives to the store what has been read so far.
    void apply_batch() {
        ChangeSet changes = batch_.change_set();
        changes.plan = plan_.key;
        transaction_.apply(changes);
        batch_ = {};
    }
    void read_origin(const Json& json, NodeBody& body) {
        if (const Json& c = member(json, "condition"); !c.is_null())
            body.condition = decoded(parse_condition(c.dump()));
        for (const Condition& c : body.condition) static_cast<void>(key_of({NodeType::check, c.check}));
        if (const Json& from = member(json, "carried_from"); !from.is_null()) {
            only(from, {"plan", "identity", "version"});
            body.carried_from = CarriedFrom{name(from, "plan"), name(from, "identity"),
                                            number(from, "version", 1, kMostVersion)};
        }
        const Json& origin = member(json, "created_by");
        if (origin.is_null()) return;
        only(origin, {"stage", "attempt"});
        body.created_by = key_of({NodeType::stage, text(origin, "stage")});
        body.created_by_attempt = small_number(origin, "attempt", 1, kMostAttempts);
        origins_.emplace_back(body.created_by, body.created_by_attempt);
    }

    void read_stage_parts(const Json& json, NodeRow& row, NodeBody& body) {
        only_of_stage(json);
        if (format_ > 1) {
            body.message = optional_text(json, "message");
            read_policy(json, body);
        }
        if (!member(json, "concluded_reason").is_null())
            row.concluded_reason = name_of_set(json, "concluded_reason", parse_concluded_reason);
        body.json = object_text(json, "args");
        body.retry.max_retries = static_cast<std::int32_t>(number(json, "max_retries", 0, 1000));
        body.retry.backoff = Duration(number(json, "backoff_us", 0, kMostDuration.count()));
        body.timeout = optional_duration(json, "timeout_us");
        body.heartbeat = optional_duration(json, "heartbeat_us");
        row.has_continuation = !member(json, "continuation_group").is_null();
        for (const Json& attempt : list(json, "attempts")) row.attempt = idx_of(attempt, row.attempt, body);
    }

    /// As in WorkingSet::class_of().
    std::int32_t class_of(const NodeBody& body) {
        if (body.runner.empty() && body.uses.empty()) return 0;
        const auto next = static_cast<std::int32_t>(classes_.size()) + 1;
        const auto [at, is_new] = classes_.try_emplace({body.runner, to_json(body.uses)}, next);
        if (is_new) batch_.classes.push_back({next, body.runner, body.uses});
        return at->second;
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
            count(group.count, resolve_edge(target.type, edge.on_state, edge.when, t.state, t.outcome,
                                            t.skip_cause, t.history));
        }
        groups.push_back(group);
        for (const Json& child : children) add_group(owner, role, child, since, index, groups, position);
    }

    void import_results(const NodeRow& row, const Json& json) {
        std::set<std::pair<OwnerType, std::string>> owners;
        for (const Json& r : list(json, "results")) {
            ResultRow result;
            result.check = row.key;
            result.result = read_result(r);
            if (!owners.emplace(result.result.owner_type, result.result.owner_id).second)
                complain("two results of one owner");
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
        attempt.attempt.idx = 0;
        for (const Json& a : list(json, "attempts")) import_attempt(row, body, a, attempt);
    }

    /// `attempt`: the one before it; then this one.
    void import_attempt(const NodeRow& row, const NodeBody& body, const Json& json, AttemptRow& attempt) {
        const AttemptRow before = std::exchange(attempt, read_attempt(json, format_));
        attempt.attempt.idx = idx_of(json, before.attempt.idx, body);
        if (!body.carried_from && before.stage != NodeKey::none) count_retries(body, before, attempt);
        attempt.stage = row.key;
        attempt.plan = plan_.key;
        attempt.class_number = class_of(body);
        // Nobody holds it here: the next write finds that.
        if (engine::is_held(attempt)) attempt.deadline = Timestamp{};
        known_attempts_.emplace(row.key, attempt.attempt.idx);
        batch_.attempts.push_back(attempt);
        for (const Json& p : list(json, "progress"))
            batch_.progress.push_back(
                {row.key,
                 attempt.attempt.idx,
                 {text(p, "message"), time_of(p, "timestamp"), object_text(p, "details")}});
    }
    /// The number of an attempt after that of the one before it. Of a stage that was carried over some are
    /// missing.
    static std::int32_t idx_of(const Json& json, std::int32_t before, const NodeBody& body) {
        if (!body.carried_from || !json.contains("idx")) return before + 1;
        return small_number(json, "idx", before + 1, kMostAttempts);
    }
    static void count_retries(const NodeBody& body, const AttemptRow& before, AttemptRow& attempt) {
        const bool interrupted = is_interruption(before.attempt.cause.value_or(Cause::failed)) &&
                                 body.retry.on_interrupt == OnInterrupt::again;
        attempt.retries = before.retries + (interrupted ? 0 : 1);
        attempt.interruptions = interrupted ? before.interruptions + 1 : 0;
        if (attempt.retries > body.retry.max_retries || attempt.interruptions >= kMaxInterruptions)
            complain("it has more attempts than its retries allow");
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
        transaction_.apply(changes);
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
        if (format_ == 1) decide_skip_causes(transaction_, plan_.key);
        Passes passes(plan_);
        transaction_.scan(plan_.key, {}, [&](std::span<const NodeRecord> records) {
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
        for (const std::string& check : passes.broken(transaction_))
            complain(fmt::format("check:{} is not possible: {}", check, kBrokenPass));
    }

    struct Target {
        NodeType type;
        State state;
        std::optional<Outcome> outcome;
        std::optional<SkipCause> skip_cause;
        StateHistory history;
    };
    Transaction& transaction_;
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
    std::map<std::pair<std::string, std::string>, std::int32_t> classes_;  ///< by runner and uses
    ImportBatch batch_;
    std::set<std::pair<NodeKey, std::int32_t>> known_attempts_;
    std::vector<std::pair<std::size_t, std::size_t>> edges_;  ///< of dependencies: owner, target
    std::vector<std::pair<NodeKey, std::int32_t>> origins_;   ///< attempts that wrote nodes
    std::int64_t format_ = 0;
    bool ended_ = false;
};

}  // namespace

WorkPlan LocalService::import_plan(std::string_view text, const std::string& name) {
    const auto transaction = store_.write({}, options_.wait);
    const PlanRow plan = Importer(*transaction, text, name).run();
    WorkPlan result = view_plan(*transaction, plan);
    transaction->commit();
    return result;
}

}  // namespace turboci
