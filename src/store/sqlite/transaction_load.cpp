// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

// Looking ahead is given up when so many nodes have been met.
constexpr std::size_t kMostAhead = 4096;

template <class Row>
void append(std::vector<Row>& to, std::vector<Row>&& more) {
    if (to.empty())
        to = std::move(more);
    else
        to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}
template <class Row>
void append(std::vector<Row>& to, std::optional<Row>&& row) {
    if (row) to.push_back(std::move(*row));
}

}  // namespace

Facts SqliteTransaction::load(PlanKey plan, const Lookup& lookup) {
    count_trip();
    Facts facts;
    if (lookup.counts) facts.counts = counts(plan);
    if (lookup.operation) facts.operation = find_operation(plan, *lookup.operation);
    if (lookup.operations) facts.operations = operations(plan);
    load_nodes(plan, lookup, facts);
    load_waiting(lookup, facts);
    load_assignments(lookup, facts);
    load_results(lookup, facts);
    load_attempts(plan, lookup, facts);
    for (const std::string& holder : lookup.beats) append(facts.beats, last_beat(holder));
    if (lookup.workers) append(facts.beats, workers());
    for (const AttemptName& name : lookup.log_parts) append(facts.log_parts, log_parts(name));
    for (const LogPartName& name : lookup.log_bytes) append(facts.log_bytes, log_part(name));
    return facts;
}

void SqliteTransaction::load_nodes(PlanKey plan, const Lookup& lookup, Facts& facts) {
    for (const NodeRef& name : lookup.names) append(facts.nodes, find_node(plan, name.type, name.id));
    for (const NodeKey key : lookup.nodes) facts.nodes.push_back(node(key));
    if (lookup.open_nodes)
        for (const NodeKey key : open_nodes(plan)) {
            facts.nodes.push_back(node(key));
            facts.bodies.push_back({key, body(key)});
        }
    for (const NodeKey key : lookup.bodies) facts.bodies.push_back({key, body(key)});
    for (const NodeKey owner : lookup.groups) append(facts.groups, groups(owner));
    for (const auto& name : lookup.single_groups)
        append(facts.groups, group(name.owner, name.role, name.group));
    for (const PredicateName& name : lookup.edges) append(facts.edges, edges_of(name.owner, name.role));
    if (lookup.targets)
        for (const EdgeRow& edge : facts.edges) facts.nodes.push_back(node(edge.target));
}

void SqliteTransaction::load_waiting(const Lookup& lookup, Facts& facts) {
    for (const auto& w : lookup.waiting) append(facts.waiting, edges_to(w.target, w.after, w.up_to));
    if (!lookup.owners) return;
    std::unordered_set<NodeKey> met;
    for (const auto& w : lookup.waiting) met.insert(w.target);
    std::size_t begin = 0;
    for (int level = 1;; ++level) {
        const std::size_t end = facts.waiting.size();
        std::vector<NodeRow> owners;
        for (; begin < end; ++begin) {
            const EdgeRow edge = facts.waiting[begin];
            load_groups_above(edge, facts);
            if (!met.insert(edge.owner).second) continue;
            const NodeRow& owner = owners.emplace_back(node(edge.owner));
            if (owner.state == State::planned) facts.bodies.push_back({owner.key, body(owner.key)});
        }
        if (level < lookup.levels && met.size() < kMostAhead)
            for (const NodeRow& owner : owners) look_ahead(owner, facts);
        append(facts.nodes, std::move(owners));
        if (facts.waiting.size() == end) return;
    }
}

/// The group of an edge and those around it; the root of dependencies is in the node's row.
void SqliteTransaction::load_groups_above(const EdgeRow& edge, Facts& facts) {
    std::int32_t number = edge.group;
    while (number > 0 || (number == 0 && edge.role == PredicateRole::continuation)) {
        auto found = group(edge.owner, edge.role, number);
        if (!found || found->parent >= number) return;
        number = found->parent;
        facts.groups.push_back(*found);
    }
}

/// What a node needs if it ends, and what waits for it then.
void SqliteTransaction::look_ahead(const NodeRow& owner, Facts& facts) {
    if (owner.state == State::final) return;
    const int now = state_number(owner.type, owner.state);
    constexpr int kLast = 40;
    facts.ahead.waiting.push_back({owner.key, now, kLast});
    append(facts.waiting, edges_to(owner.key, now, kLast));
    if (owner.state == State::planned) {
        facts.ahead.edges.push_back({owner.key, PredicateRole::dependencies});
        auto edges = edges_of(owner.key, PredicateRole::dependencies);
        for (const EdgeRow& edge : edges) facts.nodes.push_back(node(edge.target));
        append(facts.edges, std::move(edges));
    }
    if (owner.type == NodeType::check) {
        facts.ahead.groups.push_back(owner.key);
        append(facts.groups, groups(owner.key));
        facts.ahead.goals.push_back(owner.key);
        append(facts.goals, goals(owner.key));
        facts.ahead.results.push_back(owner.key);
        append(facts.results, results(owner.key));
    } else {
        facts.ahead.assignments.push_back(owner.key);
        append(facts.assignments, assignments_of(owner.key));
    }
}

void SqliteTransaction::load_assignments(const Lookup& lookup, Facts& facts) {
    for (const NodeKey stage : lookup.assignments) append(facts.assignments, assignments_of(stage));
    for (const NodeKey check : lookup.assigned) append(facts.assigned, assignments_to(check));
    for (const NodeKey check : lookup.goals) append(facts.goals, goals(check));
    if (lookup.checks)
        for (const AssignmentRow& row : facts.assignments) {
            facts.nodes.push_back(node(row.check));
            append(facts.goals, goals(row.check));
        }
    if (lookup.stages)
        for (const AssignmentRow& row : facts.assigned) facts.nodes.push_back(node(row.stage));
}

void SqliteTransaction::load_results(const Lookup& lookup, Facts& facts) {
    for (const NodeKey check : lookup.results) append(facts.results, results(check));
    for (const auto& name : lookup.single_results)
        append(facts.results, find_result(name.check, name.type, name.owner));
    if (lookup.writers)
        for (const ResultRow& row : facts.results)
            if (row.stage != NodeKey::none) append(facts.attempts, attempt(row.stage, row.attempt));
    for (const AttemptName& name : lookup.open_results)
        append(facts.open_results, open_results_of(name.stage, name.idx));
}

void SqliteTransaction::load_attempts(PlanKey plan, const Lookup& lookup, Facts& facts) {
    for (const AttemptName& name : lookup.attempts) append(facts.attempts, attempt(name.stage, name.idx));
    for (const NodeKey stage : lookup.all_attempts) append(facts.attempts, attempts(stage));
    const auto add_parts = [&](const AttemptRow& row) {
        facts.bodies.push_back({row.stage, body(row.stage)});
        append(facts.open_results, open_results_of(row.stage, row.attempt.idx));
    };
    if (lookup.current_attempts)
        for (const NodeRow& row : facts.nodes) {
            if (row.type != NodeType::stage || row.attempt == 0) continue;
            auto current = attempt(row.key, row.attempt);
            if (current) add_parts(*current);
            append(facts.attempts, std::move(current));
        }
    if (lookup.overdue) facts.overdue = overdue_attempts(plan, *lookup.overdue);
    if (lookup.held) facts.held = held_attempts(plan);
    for (const auto* rows : {&facts.overdue, &facts.held})
        for (const AttemptRow& row : *rows) {
            facts.nodes.push_back(node(row.stage));
            add_parts(row);
        }
    if (lookup.held_by_class) facts.held_by_class = held_by_class(plan);
    if (lookup.classes || lookup.ready) facts.classes = classes(plan);
    if (lookup.ready) facts.ready = ready_attempts(plan, *lookup.ready, facts.classes);
    for (const AttemptRow& row : facts.ready) {
        facts.nodes.push_back(node(row.stage));
        facts.bodies.push_back({row.stage, body(row.stage)});
    }
    if (lookup.next_ready) facts.next_ready = next_ready_at(plan, *lookup.next_ready);
}

}  // namespace turboci::sqlite
