// SPDX-License-Identifier: Apache-2.0
// Reads what export.cpp writes. The text is as untrusted as a plan file: every value is checked, what can be
// derived is derived, and the rules are asked whether they could have brought each node where it is.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "service/invariants.hpp"
#include "service/predicates.hpp"
#include "service/resolve.hpp"
#include "service/view.hpp"
#include "turboci/orchestrator.hpp"
#include "turboci/plan_file.hpp"

namespace turboci {

namespace {

using namespace service;
using Json = nlohmann::ordered_json;

constexpr Duration kMostDuration = std::chrono::hours(24 * 3653);

/// Carries a complaint to where its line is known.
struct Malformed {
    std::string message;
};
[[noreturn]] void complain(std::string message) { throw Malformed{std::move(message)}; }

// ------------------------------------------------------------------------------------ values

const Json& member(const Json& object, const char* key) {
    const auto it = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || it == object.end()) complain(fmt::format("'{}' is missing", key));
    return *it;
}
/// Refuses what an export does not write.
void only(const Json& object, std::initializer_list<std::string_view> keys) {
    if (!object.is_object()) complain("it is not an object");
    for (const auto& [key, value] : object.items())
        if (std::ranges::find(keys, key) == keys.end())
            complain(fmt::format("unknown key {}", json_string(key)));
}
std::string text(const Json& object, const char* key) {
    constexpr std::size_t kMost = 1u << 20;
    const Json& value = member(object, key);
    if (!value.is_string()) complain(fmt::format("'{}' must be a string", key));
    auto found = value.get<std::string>();
    if (found.size() > kMost) complain(fmt::format("'{}' is longer than {} bytes", key, kMost));
    if (found.find('\0') != std::string::npos) complain(fmt::format("'{}' has a null character", key));
    return found;
}
/// A text that stands in one line of what people read.
std::string name(const Json& object, const char* key) {
    constexpr std::size_t kMost = 1024;
    auto found = text(object, key);
    if (found.size() > kMost) complain(fmt::format("'{}' is longer than {} bytes", key, kMost));
    if (has_control_character(found)) complain(fmt::format("'{}' has a control character", key));
    return found;
}
std::optional<std::string> optional_text(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return text(object, key);
}
std::int64_t number(const Json& object, const char* key, std::int64_t least = 0,
                    std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const Json& value = member(object, key);
    const bool fits =
        value.is_number_integer() &&
        (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)) &&
        value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
    if (!fits) complain(fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
    return value.get<std::int64_t>();
}
bool flag(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_boolean()) complain(fmt::format("'{}' must be true or false", key));
    return value.get<bool>();
}
const Json& list(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_array()) complain(fmt::format("'{}' must be a list", key));
    return value;
}
JsonText object_text(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_object()) complain(fmt::format("'{}' must be an object", key));
    return {value.dump()};
}
Timestamp time_of(const Json& object, const char* key) {
    const auto t = parse_timestamp(text(object, key));
    if (!t) complain(fmt::format("'{}' must be a time like 2026-01-02T03:04:05.000000Z", key));
    return *t;
}
std::optional<Timestamp> optional_time(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return time_of(object, key);
}
std::optional<Duration> optional_duration(const Json& object, const char* key) {
    if (member(object, key).is_null()) return std::nullopt;
    return Duration(number(object, key, 1, kMostDuration.count()));
}
template <class Parse>
auto name_of_set(const Json& object, const char* key, Parse parse) {
    const auto value = parse(text(object, key));
    if (!value) complain(fmt::format("'{}' has an unknown value", key));
    return *value;
}
State state_of(NodeType type, const Json& object, const char* key) {
    const State state = name_of_set(object, key, parse_state);
    if (state_number(type, state) == 0)
        complain(fmt::format("a {} has no state {}", to_string(type), to_string(state)));
    return state;
}
std::optional<GroupKind> parse_group_kind(std::string_view name) {
    for (const GroupKind k : {GroupKind::all, GroupKind::any, GroupKind::at_least})
        if (to_string(k) == name) return k;
    return std::nullopt;
}
std::optional<Mover> parse_mover(std::string_view name) {
    for (const Mover m : {Mover::writer, Mover::orchestrator})
        if (to_string(m) == name) return m;
    return std::nullopt;
}

Json parse_line(std::string_view line) {
    // Nothing may be built that is too deep to be taken apart again.
    std::vector<std::set<std::string>> keys;
    const auto sound = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > kMaxNesting + 8) complain("it is nested too deeply");
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            complain(fmt::format("duplicate key {}", value.dump()));
        return true;
    };
    Json json = Json::parse(line, sound, false);
    if (!json.is_object()) complain("it is not a JSON object");
    return json;
}

// ------------------------------------------------------------------------------------ nodes

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
            check_nodes();
        });
        std::vector<StateCount> counts;
        for (const auto& [key, count] : counts_) {
            const auto& [type, state, outcome] = key;
            counts.push_back({type, state,
                              outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(outcome)),
                              count});
        }
        uow_.add_counts(plan_.key, counts);
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
        if (number(json, "turboci_export") != 1)
            complain("it is of a version that this turboci does not read");
        only(json, {"turboci_export", "plan"});
        const Json& plan = member(json, "plan");
        only(plan, {"id", "version", "labels", "created_at", "updated_at"});
        plan_.id = text(plan, "id");
        if (const auto problem = plan_id_problem(plan_.id))
            complain(fmt::format("the plan's id {}", *problem));
        plan_.version = number(plan, "version", 1);
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
        plan_.key = uow_.insert_plan(plan_);
        first_ = next_ = uow_.next_node_key();
    }

    static std::optional<Outcome> outcome_in(const Json& node) {
        if (member(node, "outcome").is_null()) return std::nullopt;
        return name_of_set(node, "outcome", parse_outcome);
    }
    static StateHistory history_of(NodeType type, const Json& node) {
        StateHistory history;
        for (const Json& e : list(node, "state_history")) {
            history.push_back({state_of(type, e, "state"), number(e, "version", 1), time_of(e, "at")});
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
                const auto idx = static_cast<std::int32_t>(
                    number(taken, "idx", 1, std::numeric_limits<std::int32_t>::max()));
                if (!uow_.attempt(stage, idx)) complain("it took an attempt that does not exist");
                row.claimed.push_back({stage, idx});
            }
        uow_.insert_operation(plan_.key, row);
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
        row.dependencies_since = time_of(json, "dependencies_since");
        NodeBody body;
        if (type == NodeType::check) {
            only(json, {"id", "state", "outcome", "version", "updated_at", "state_history",
                        "dependencies_since", "kind", "options", "dependencies", "results"});
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
        uow_.insert_node(row, body);
        for (const GroupRow& g : groups) uow_.insert_group(g);
        if (type == NodeType::check)
            import_results(row, json);
        else
            import_attempts(row, body, json);
        ++counts_[{type, row.state, row.outcome ? static_cast<int>(*row.outcome) : 0}];
    }

    void read_stage_parts(const Json& json, NodeRow& row, NodeBody& body) {
        only(json, {"id", "state", "outcome", "version", "updated_at", "state_history", "dependencies_since",
                    "concluded_reason", "args", "max_retries", "backoff_us", "timeout_us", "heartbeat_us",
                    "dependencies", "assignments", "continuation_group", "continuation_since", "attempts"});
        if (!member(json, "concluded_reason").is_null())
            row.concluded_reason = name_of_set(json, "concluded_reason", parse_concluded_reason);
        body.json = object_text(json, "args");
        body.retry.max_retries = static_cast<std::int32_t>(number(json, "max_retries", 0, 1000));
        body.retry.backoff = Duration(number(json, "backoff_us", 0, kMostDuration.count()));
        body.timeout = optional_duration(json, "timeout_us");
        body.heartbeat = optional_duration(json, "heartbeat_us");
        row.has_continuation = !member(json, "continuation_group").is_null();
        row.attempt = static_cast<std::int32_t>(list(json, "attempts").size());
        if (row.attempt > body.retry.max_retries + 1) complain("it has more attempts than its retries allow");
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
            uow_.insert_edge(edge, target.type);
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
            uow_.insert_result(result);
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
            uow_.insert_assignment({row.key, position++, check, goal});
            GoalRow& g = goals_[{check, goal}];
            g.check = check;
            g.goal = goal;
            ++g.stages;
            if (row.state != State::final) ++g.open;
        }
        std::int32_t idx = 0;
        for (const Json& a : list(json, "attempts")) import_attempt(row, body, a, ++idx);
    }

    void import_attempt(const NodeRow& row, const NodeBody& body, const Json& json, std::int32_t idx) {
        only(json, {"state", "process_uid", "details", "progress", "failure", "not_before", "last_heartbeat",
                    "started_at", "no_retry", "runner", "created_at", "updated_at"});
        AttemptRow attempt;
        attempt.stage = row.key;
        attempt.plan = plan_.key;
        Attempt& a = attempt.attempt;
        a.idx = idx;
        a.state = name_of_set(json, "state", parse_attempt_state);
        a.process_uid = name(json, "process_uid");
        a.details = object_text(json, "details");
        a.failure = optional_text(json, "failure");
        a.not_before = optional_time(json, "not_before");
        a.last_heartbeat = optional_time(json, "last_heartbeat");
        a.created_at = time_of(json, "created_at");
        a.updated_at = time_of(json, "updated_at");
        attempt.started_at = optional_time(json, "started_at");
        attempt.no_retry = flag(json, "no_retry");
        attempt.ready_at = a.not_before.value_or(a.created_at);
        if (const Json& r = member(json, "runner"); !r.is_null()) {
            only(r, {"host", "boot_id", "pid", "start_time"});
            attempt.runner = RunnerIdentity{name(r, "host"), name(r, "boot_id"), number(r, "pid"),
                                            number(r, "start_time")};
        }
        if (!is_ended(a.state)) set_deadline(attempt, body);
        uow_.insert_attempt(attempt);
        for (const Json& p : list(json, "progress"))
            uow_.add_progress(row.key, idx,
                              {text(p, "message"), time_of(p, "timestamp"), object_text(p, "details")});
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
        const auto& changes = list(json, "changes");
        uow_.append_write(write, changes.size());
        for (const Json& c : changes) {
            only(c, {"node", "by", "changes"});
            uow_.append_change({member(c, "node").is_null() ? NodeKey::none : key_of(ref_of(c, "node")),
                                name_of_set(c, "by", parse_mover), object_text(c, "changes").text});
        }
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
        for (const auto& [key, goal] : goals_) uow_.put_goal(goal);
        uow_.read_records(plan_.key, std::nullopt, nullptr, {}, [&](const NodeRecord& record) {
            auto broken = broken_rules(record, plan_);
            const auto goal = goals_.find({record.row.key, State::final});
            if (goal != goals_.end() && goal->second.open == 0 && record.row.state == State::waiting)
                broken.emplace_back("it is WAITING though all its stages are FINAL");
            for (const std::string& rule : broken)
                complain(fmt::format("{}:{} is not possible: {}", to_string(record.row.type), record.row.id,
                                     rule));
        });
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
    std::vector<std::pair<std::size_t, std::size_t>> edges_;  ///< of dependencies: owner, target
    bool ended_ = false;
};

}  // namespace

WorkPlan Orchestrator::import_plan(std::string_view text, const std::string& name) {
    const auto uow = store_.begin(Access::write);
    const PlanRow plan = Importer(*uow, text, name).run();
    WorkPlan result = view_plan(*uow, plan);
    uow->commit();
    return result;
}

}  // namespace turboci
