// SPDX-License-Identifier: Apache-2.0
// Changes of the tables, each with that of its indexes.
#include <string>

#include "store/memory/memory_data.hpp"
#include "turboci/error.hpp"

namespace turboci::memory {

namespace {

template <class Row, class Use>
void each_row(const Rows<Row>& rows, const Use& use) {
    for (std::size_t i = 0; i < rows.count; ++i) use(rows.at(i));
}

[[noreturn]] void refuse_row(const std::string& what) {
    throw Error(ErrorCode::store, "the store in memory refuses a row: " + what);
}

template <class Table, class Row>
void insert_unique(Table& table, const typename Table::key_type& key, const Row& row, const char* what) {
    if (!table.emplace(key, row).second) refuse_row(std::string(what) + " is there already");
}

template <class Table>
auto& stored_row(Table& table, const typename Table::key_type& key, const char* what) {
    const auto it = table.find(key);
    if (it == table.end()) refuse_row(std::string(what) + " is not there");
    return it->second;
}

template <class Table>
void erase_between(Table& table, const typename Table::key_type& first, const typename Table::key_type& end) {
    table.erase(table.lower_bound(first), table.lower_bound(end));
}

int outcome_number(const StateCount& count) { return count.outcome ? static_cast<int>(*count.outcome) : 0; }

}  // namespace

PlanKey Data::apply(const ChangeSet& c) {
    PlanKey plan = c.plan;
    if (c.deletes_plan) delete_plan(plan);
    if (c.plan_row && c.plan_row->key == PlanKey{})
        plan = insert_plan(*c.plan_row);
    else if (c.plan_row)
        update_plan(*c.plan_row);
    for (const PredicateName& name : c.dropped) drop_predicate(name);
    std::vector<NodeKey> keys;
    each_row(c.created, [&](const NodeRow& row) {
        insert_node(plan, row);
        keys.push_back(row.key);
    });
    for (std::size_t i = 0; i < keys.size(); ++i) put_body({keys[i], c.created_bodies.at(i)});
    each_row(c.new_groups, [&](const GroupRow& row) {
        insert_unique(groups_, {row.owner, row.role, row.group}, row, "a group");
    });
    each_row(c.edges, [&](const TypedEdge& edge) { insert_edge(edge); });
    each_row(c.nodes, [&](const NodeRow& row) { update_node(row); });
    each_row(c.bodies, [&](const BodyRow& row) { put_body(row); });
    each_row(c.groups, [&](const GroupRow& row) {
        stored_row(groups_, {row.owner, row.role, row.group}, "a group").count = row.count;
    });
    each_row(c.assignments, [&](const AssignmentRow& row) { insert_assignment(row); });
    each_row(c.goals, [&](const GoalRow& row) {
        goals_[{row.check, state_number(NodeType::check, row.goal)}] = row;
    });
    for (const ClassRow& row : c.new_classes) insert_unique(classes_, {plan, row.number}, row, "a class");
    each_row(c.new_attempts, [&](const AttemptRow& row) { insert_attempt(plan, row); });
    each_row(c.attempts, [&](const AttemptRow& row) { update_attempt(row); });
    each_row(c.progress, [&](const ProgressRow& row) {
        progress_[{row.stage, row.idx}].push_back(row.progress);
    });
    each_row(c.new_results, [&](const ResultRow& row) { insert_result(row); });
    each_row(c.results, [&](const ResultRow& row) { update_result(row); });
    add_counts(plan, c.counts);
    if (c.write) append_write(plan, *c.write, c.changes);
    if (c.operation) insert_unique(operations_, {plan, c.operation->op_id}, *c.operation, "an operation");
    change_log_parts(c);
    change_beats(c);
    return plan;
}

PlanKey Data::insert_plan(const PlanRow& row) {
    if (plan_ids_.contains(row.id))
        throw Error(ErrorCode::conflict, "plan '" + row.id + "' exists already", "choose another id")
            .because("ID_EXISTS");
    const PlanKey key{next_plan_++};
    plan_ids_[row.id] = key;
    plans_[key] = row;
    plans_[key].key = key;
    return key;
}

void Data::update_plan(const PlanRow& row) {
    PlanRow& stored = stored_row(plans_, row.key, "a plan");
    stored.version = row.version;
    stored.labels = row.labels;
    stored.clock = row.clock;
    stored.limits = row.limits;
    stored.cancelled = row.cancelled;
}

void Data::add_counts(PlanKey plan, const std::vector<StateCount>& differences) {
    for (const StateCount& d : differences)
        counts_[{plan, d.type, state_number(d.type, d.state), outcome_number(d)}] += d.count;
}

void Data::insert_node(PlanKey plan, const NodeRow& row) {
    const auto number = static_cast<std::int64_t>(row.key);
    if (number < next_node_)
        throw Error(ErrorCode::internal, "node key " + std::to_string(number) + " is used up");
    insert_unique(names_, {plan, row.type, row.id}, row.key, "a node of that name");
    next_node_ = number + 1;
    members_.emplace(plan, row.key);
    nodes_[row.key] = row;
    nodes_[row.key].plan = plan;
}

void Data::update_node(const NodeRow& row) {
    NodeRow& stored = stored_row(nodes_, row.key, "a node");
    NodeRow changed = row;
    changed.plan = stored.plan;
    changed.type = stored.type;
    changed.id = std::move(stored.id);
    changed.kind = std::move(stored.kind);
    stored = std::move(changed);
}

void Data::put_body(const BodyRow& row) {
    if (row.body == NodeBody{}) {
        bodies_.erase(row.node);
        return;
    }
    const auto [it, is_new] = bodies_.try_emplace(row.node, row.body);
    if (is_new) return;
    // Who wrote a node stays as it was.
    const NodeKey created_by = it->second.created_by;
    const std::int32_t attempt = it->second.created_by_attempt;
    it->second = row.body;
    it->second.created_by = created_by;
    it->second.created_by_attempt = attempt;
}

void Data::drop_predicate(const PredicateName& name) {
    const PartKey first{name.owner, name.role, 0};
    const PartKey end{name.owner, static_cast<PredicateRole>(static_cast<int>(name.role) + 1), 0};
    erase_between(groups_, first, end);
    each_between(edges_, first, end, [&](const auto& entry) {
        const auto& [edge, type] = entry.second;
        waiting_.erase(
            {edge.target, state_number(type, edge.on_state), edge.owner, edge.role, edge.position});
    });
    erase_between(edges_, first, end);
}

void Data::insert_edge(const TypedEdge& typed) {
    const EdgeRow& edge = typed.edge;
    insert_unique(edges_, {edge.owner, edge.role, edge.position}, typed, "an edge");
    waiting_.emplace(edge.target, state_number(typed.target_type, edge.on_state), edge.owner, edge.role,
                     edge.position);
}

void Data::insert_assignment(const AssignmentRow& row) {
    insert_unique(assignments_, {row.stage, row.position}, row, "an assignment");
    assigned_.emplace(row.check, row.stage, row.position);
}

void Data::insert_attempt(PlanKey plan, const AttemptRow& row) {
    AttemptRow stored = row;
    stored.plan = plan;
    stored.attempt.has_runner = stored.runner.has_value();
    stored.attempt.progress.clear();
    insert_unique(attempts_, {row.stage, row.attempt.idx}, stored, "an attempt");
    add_to_indexes(stored);
}

void Data::update_attempt(const AttemptRow& row) {
    AttemptRow& stored = stored_row(attempts_, {row.stage, row.attempt.idx}, "an attempt");
    take_from_indexes(stored);
    const PlanKey plan = stored.plan;
    stored = row;
    stored.plan = plan;
    stored.attempt.has_runner = stored.runner.has_value();
    stored.attempt.progress.clear();
    add_to_indexes(stored);
}

void Data::add_to_indexes(const AttemptRow& row) {
    const AttemptState state = row.attempt.state;
    if (state == AttemptState::complete || state == AttemptState::incomplete) return;
    if (row.deadline) due_.emplace(row.plan, *row.deadline, row.stage, row.attempt.idx);
    if (state == AttemptState::pending)
        ready_[{row.plan, row.class_number}].emplace(row.plan, row.ready_at, row.stage, row.attempt.idx);
    else
        held_.emplace(row.plan, row.stage, row.attempt.idx);
}

void Data::take_from_indexes(const AttemptRow& row) {
    if (const auto found = ready_.find({row.plan, row.class_number}); found != ready_.end())
        found->second.erase({row.plan, row.ready_at, row.stage, row.attempt.idx});
    held_.erase({row.plan, row.stage, row.attempt.idx});
    if (row.deadline) due_.erase({row.plan, *row.deadline, row.stage, row.attempt.idx});
}

void Data::insert_result(const ResultRow& row) {
    const auto after = results_.lower_bound({next_after(row.check), 0});
    const bool is_first = after == results_.begin() || std::prev(after)->first.first != row.check;
    ResultRow stored = row;
    stored.result.id = is_first ? 1 : std::prev(after)->first.second + 1;
    insert_unique(result_owners_, {row.check, row.result.owner_type, row.result.owner_id}, stored.result.id,
                  "a result of that owner");
    if (!row.result.finalized_at && row.stage != NodeKey::none)
        open_results_.emplace(row.stage, row.attempt, row.check, stored.result.id);
    results_.emplace(ResultKey{row.check, stored.result.id}, std::move(stored));
}

void Data::update_result(const ResultRow& row) {
    ResultRow& stored = stored_row(results_, {row.check, row.result.id}, "a result");
    stored.result.data = row.result.data;
    stored.result.failure = row.result.failure;
    stored.result.finalized_at = row.result.finalized_at;
    if (stored.stage == NodeKey::none) return;
    if (stored.result.finalized_at)
        open_results_.erase({stored.stage, stored.attempt, stored.check, stored.result.id});
    else
        open_results_.emplace(stored.stage, stored.attempt, stored.check, stored.result.id);
}

void Data::append_write(PlanKey plan, const WriteRow& row, const Rows<ChangeRow>& changes) {
    Write write{row, {}};
    write.row.plan = plan;
    each_row(changes, [&](const ChangeRow& change) { write.changes.push_back(change); });
    insert_unique(writes_, {plan, row.version}, write, "a write of that version");
    for (std::size_t i = 0; i < write.changes.size(); ++i)
        if (write.changes[i].node != NodeKey::none) changes_.emplace(write.changes[i].node, row.version, i);
}

void Data::delete_plan(PlanKey plan) {
    const auto found = plans_.find(plan);
    if (found == plans_.end()) return;
    for (const NodeKey key : nodes_of(plan)) delete_node(key);
    const PlanKey next = next_after(plan);
    erase_between(writes_, {plan, 0}, {next, 0});
    erase_between(operations_, {plan, ""}, {next, ""});
    erase_between(classes_, {plan, 0}, {next, 0});
    erase_between(ready_, {plan, 0}, {next, 0});
    erase_between(counts_, {plan, NodeType{}, 0, 0}, {next, NodeType{}, 0, 0});
    plan_ids_.erase(found->second.id);
    plans_.erase(found);
}

void Data::delete_node(NodeKey key) {
    const NodeKey next = next_after(key);
    drop_predicate({key, PredicateRole::dependencies});
    drop_predicate({key, PredicateRole::continuation});
    for (const AttemptRow& row : attempts(key)) take_from_indexes(row);
    for (const AssignmentRow& row : assignments_of(key)) assigned_.erase({row.check, key, row.position});
    for (const ResultRow& row : results(key))
        open_results_.erase({row.stage, row.attempt, key, row.result.id});
    erase_between(progress_, {key, 0}, {next, 0});
    erase_between(log_parts_, {key, 0, 0}, {next, 0, 0});
    erase_between(attempts_, {key, 0}, {next, 0});
    erase_between(results_, {key, 0}, {next, 0});
    erase_between(result_owners_, {key, OwnerType{}, ""}, {next, OwnerType{}, ""});
    erase_between(goals_, {key, 0}, {next, 0});
    erase_between(assignments_, {key, 0}, {next, 0});
    erase_between(changes_, {key, 0, 0}, {next, 0, 0});
    bodies_.erase(key);
    const NodeRow& row = node(key);
    names_.erase({row.plan, row.type, row.id});
    members_.erase({row.plan, key});
    nodes_.erase(key);
}

void Data::change_log_parts(const ChangeSet& changes) {
    for (const LogPartRow& part : changes.log_parts) {
        insert_unique(log_parts_, {part.stage, part.idx, part.seq}, part, "a part of a log");
        log_parts_.at({part.stage, part.idx, part.seq}).size = static_cast<std::int64_t>(part.bytes.size());
    }
    for (const LogPartName& name : changes.dropped_log) log_parts_.erase({name.stage, name.idx, name.seq});
}

void Data::change_beats(const ChangeSet& changes) {
    for (const BeatRow& beat : changes.beats) {
        const auto [entry, is_new] = beats_.try_emplace(beat.holder, beat);
        const Timestamp started_at = is_new ? beat.at : entry->second.started_at;
        const bool draining = beat.draining || entry->second.draining;
        entry->second = beat;
        entry->second.started_at = started_at;
        entry->second.draining = draining;
        if (beat.runners.empty()) entry->second.runners = {""};
    }
    for (const std::string& holder : changes.ended_beats) beats_.erase(holder);
    if (changes.old_beats)
        std::erase_if(beats_, [&](const auto& beat) { return beat.second.at < *changes.old_beats; });
}

}  // namespace turboci::memory
