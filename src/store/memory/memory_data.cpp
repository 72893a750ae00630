// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_data.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "turboci/error.hpp"

namespace turboci::memory {

namespace {

template <class Table>
auto found_in(const Table& table, const typename Table::key_type& key) {
    const auto it = table.find(key);
    return it == table.end() ? std::nullopt : std::optional(it->second);
}

/// The rows of a node in a table whose keys begin with the node and numbers from 0.
template <class Row, class Table>
std::vector<Row> rows_of(const Table& table, NodeKey node) {
    std::vector<Row> all;
    each_between(table, {node, 0}, {next_after(node), 0},
                 [&](const auto& entry) { all.push_back(entry.second); });
    return all;
}

}  // namespace

std::optional<BeatRow> Data::last_beat(std::string_view holder) const {
    const auto it = beats_.find(holder);
    return it == beats_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<BeatRow> Data::workers() const {
    std::vector<BeatRow> all;
    for (const auto& [holder, beat] : beats_)
        if (!beat.name.empty()) all.push_back(beat);
    return all;
}

std::vector<LogPartRow> Data::log_parts(const AttemptName& name) const {
    std::vector<LogPartRow> all;
    each_between(log_parts_, {name.stage, name.idx, 0}, {name.stage, name.idx + 1, 0},
                 [&](const auto& entry) {
                     all.push_back(entry.second);
                     all.back().bytes.clear();
                 });
    return all;
}

std::optional<LogPartRow> Data::log_part(const LogPartName& name) const {
    const auto it = log_parts_.find({name.stage, name.idx, name.seq});
    return it == log_parts_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<PlanRow> Data::find_plan(std::string_view id) const {
    const auto it = plan_ids_.find(id);
    return it == plan_ids_.end() ? std::nullopt : std::optional(plans_.at(it->second));
}

std::vector<PlanRow> Data::plans() const {
    std::vector<PlanRow> all;
    for (const auto& [key, row] : plans_) all.push_back(row);
    return all;
}

std::vector<StateCount> Data::counts(PlanKey plan) const {
    std::vector<StateCount> all;
    each_between(counts_, {plan, NodeType{}, 0, 0}, {next_after(plan), NodeType{}, 0, 0},
                 [&](const auto& entry) {
                     const auto& [of, type, state, outcome] = entry.first;
                     if (entry.second == 0) return;
                     StateCount& count = all.emplace_back();
                     count.type = type;
                     count.state = state_from_number(type, state).value();
                     if (outcome != 0) count.outcome = static_cast<Outcome>(outcome);
                     count.count = entry.second;
                 });
    return all;
}

std::vector<NodeKey> Data::nodes_of(PlanKey plan) const {
    std::vector<NodeKey> keys;
    each_between(members_, {plan, NodeKey::none}, {next_after(plan), NodeKey::none},
                 [&](const auto& member) { keys.push_back(member.second); });
    return keys;
}

const NodeRow* Data::find_node(NodeKey key) const {
    const auto it = nodes_.find(key);
    return it == nodes_.end() ? nullptr : &it->second;
}

const NodeRow* Data::find_node(PlanKey plan, const NodeRef& name) const {
    const auto key = found_in(names_, {plan, name.type, name.id});
    return key ? find_node(*key) : nullptr;
}

const NodeRow& Data::node(NodeKey key) const {
    const NodeRow* const row = find_node(key);
    if (row == nullptr)
        throw Error(ErrorCode::store, "the store is damaged: there is no node " +
                                          std::to_string(static_cast<std::int64_t>(key)));
    return *row;
}

NodeBody Data::body(NodeKey key) const { return found_in(bodies_, key).value_or(NodeBody{}); }

std::vector<GroupRow> Data::groups(NodeKey owner) const {
    std::vector<GroupRow> all;
    each_between(groups_, {owner, PredicateRole{}, 0}, {next_after(owner), PredicateRole{}, 0},
                 [&](const auto& entry) { all.push_back(entry.second); });
    return all;
}

std::optional<GroupRow> Data::group(NodeKey owner, PredicateRole role, std::int32_t group) const {
    return found_in(groups_, {owner, role, group});
}

std::vector<EdgeRow> Data::edges_of(NodeKey owner, PredicateRole role) const {
    std::vector<EdgeRow> all;
    const auto end = static_cast<PredicateRole>(static_cast<int>(role) + 1);
    each_between(edges_, {owner, role, 0}, {owner, end, 0},
                 [&](const auto& entry) { all.push_back(entry.second.edge); });
    return all;
}

std::vector<EdgeRow> Data::edges_to(NodeKey target, int after, int up_to) const {
    std::vector<PartKey> keys;
    each_between(waiting_, {target, after + 1, NodeKey::none, PredicateRole{}, 0},
                 {target, up_to + 1, NodeKey::none, PredicateRole{}, 0}, [&](const auto& key) {
                     keys.emplace_back(std::get<2>(key), std::get<3>(key), std::get<4>(key));
                 });
    std::ranges::sort(keys);
    std::vector<EdgeRow> all;
    all.reserve(keys.size());
    for (const PartKey& key : keys) all.push_back(edges_.at(key).edge);
    return all;
}

std::vector<AssignmentRow> Data::assignments_of(NodeKey stage) const {
    return rows_of<AssignmentRow>(assignments_, stage);
}

std::vector<AssignmentRow> Data::assignments_to(NodeKey check) const {
    std::vector<AssignmentRow> all;
    each_between(assigned_, {check, NodeKey::none, 0}, {next_after(check), NodeKey::none, 0},
                 [&](const auto& key) {
                     all.push_back(assignments_.at({std::get<1>(key), std::get<2>(key)}));
                 });
    return all;
}

std::vector<GoalRow> Data::goals(NodeKey check) const { return rows_of<GoalRow>(goals_, check); }

std::optional<AttemptRow> Data::attempt(NodeKey stage, std::int32_t idx) const {
    return found_in(attempts_, {stage, idx});
}

std::vector<AttemptRow> Data::attempts(NodeKey stage) const { return rows_of<AttemptRow>(attempts_, stage); }

std::vector<Progress> Data::progress(NodeKey stage, std::int32_t idx) const {
    return found_in(progress_, {stage, idx}).value_or(std::vector<Progress>{});
}

std::vector<AttemptRow> Data::timed(const std::set<TimeKey>& index, PlanKey plan, Timestamp up_to,
                                    std::size_t limit) const {
    std::vector<AttemptRow> all;
    auto it = index.lower_bound({plan, Timestamp::min(), NodeKey::none, 0});
    for (; it != index.end() && all.size() < limit; ++it) {
        const auto& [of, time, stage, idx] = *it;
        if (of != plan || time > up_to) break;
        all.push_back(attempts_.at({stage, idx}));
    }
    return all;
}

std::vector<AttemptRow> Data::ready(PlanKey plan, const Lookup::Ready& wanted) const {
    std::vector<AttemptRow> all;
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(wanted.limit, 0));
    each_between(ready_, {plan, 0}, {next_after(plan), 0}, [&](const auto& of_class) {
        std::ranges::move(timed(of_class.second, plan, wanted.at, limit), std::back_inserter(all));
    });
    std::ranges::sort(all, {}, [](const AttemptRow& r) { return std::pair(r.ready_at, r.stage); });
    return all;
}

std::vector<ClassRow> Data::classes(PlanKey plan) const {
    std::vector<ClassRow> all;
    each_between(classes_, {plan, 0}, {next_after(plan), 0},
                 [&](const auto& entry) { all.push_back(entry.second); });
    return all;
}

std::vector<Facts::HeldOfClass> Data::held_by_class(PlanKey plan) const {
    std::map<std::int32_t, std::int64_t> counts;
    for (const AttemptRow& row : held(plan))
        if (row.class_number > 0) ++counts[row.class_number];
    std::vector<Facts::HeldOfClass> all;
    all.reserve(counts.size());
    for (const auto& [number, attempts] : counts) all.push_back({number, attempts});
    return all;
}

std::optional<Timestamp> Data::next_ready(PlanKey plan, Timestamp after) const {
    std::optional<Timestamp> first;
    each_between(ready_, {plan, 0}, {next_after(plan), 0}, [&](const auto& of_class) {
        const auto it = of_class.second.lower_bound({plan, after + Duration(1), NodeKey::none, 0});
        if (it == of_class.second.end()) return;
        first = first ? std::min(*first, std::get<1>(*it)) : std::get<1>(*it);
    });
    return first;
}

std::vector<AttemptRow> Data::overdue(PlanKey plan, Timestamp now) const {
    return timed(due_, plan, now, std::numeric_limits<std::size_t>::max());
}

std::vector<AttemptRow> Data::held(PlanKey plan) const {
    std::vector<AttemptRow> all;
    each_between(held_, {plan, NodeKey::none, 0}, {next_after(plan), NodeKey::none, 0}, [&](const auto& key) {
        all.push_back(attempts_.at({std::get<1>(key), std::get<2>(key)}));
    });
    return all;
}

std::vector<ResultRow> Data::results(NodeKey check) const { return rows_of<ResultRow>(results_, check); }

std::optional<ResultRow> Data::find_result(const Lookup::ResultName& name) const {
    const auto id = found_in(result_owners_, {name.check, name.type, name.owner});
    return id ? found_in(results_, {name.check, *id}) : std::nullopt;
}

std::vector<ResultRow> Data::open_results(NodeKey stage, std::int32_t idx) const {
    std::vector<ResultRow> all;
    each_between(open_results_, {stage, idx, NodeKey::none, 0}, {stage, idx + 1, NodeKey::none, 0},
                 [&](const auto& key) {
                     all.push_back(results_.at({std::get<2>(key), std::get<3>(key)}));
                 });
    return all;
}

std::optional<OperationRow> Data::find_operation(PlanKey plan, const std::string& op_id) const {
    return found_in(operations_, {plan, op_id});
}

std::vector<OperationRow> Data::operations(PlanKey plan) const {
    std::vector<OperationRow> all;
    each_between(operations_, {plan, ""}, {next_after(plan), ""},
                 [&](const auto& entry) { all.push_back(entry.second); });
    return all;
}

bool Data::read_change(const Write& write, std::size_t change,
                       const std::function<bool(const LogEntry&)>& visit) const {
    const ChangeRow& row = write.changes[change];
    LogEntry entry;
    entry.version = write.row.version;
    entry.time = write.row.time;
    entry.actor = write.row.actor;
    entry.reason = write.row.reason;
    entry.op_id = write.row.op_id;
    entry.by = row.by;
    if (const NodeRow* const node = find_node(row.node)) entry.node = NodeRef{node->type, node->id};
    entry.changes.text = row.changes;
    return visit(entry);
}

void Data::read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                    const std::function<bool(const LogEntry&)>& visit) const {
    if (node) {
        auto it = changes_.lower_bound({*node, since + 1, 0});
        for (; it != changes_.end() && std::get<0>(*it) == *node; ++it) {
            const auto write = writes_.find({plan, std::get<1>(*it)});
            if (write != writes_.end() && !read_change(write->second, std::get<2>(*it), visit)) return;
        }
        return;
    }
    auto it = writes_.lower_bound({plan, since + 1});
    for (; it != writes_.end() && it->first.first == plan; ++it)
        for (std::size_t change = 0; change < it->second.changes.size(); ++change)
            if (!read_change(it->second, change, visit)) return;
}

}  // namespace turboci::memory
