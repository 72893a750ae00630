// SPDX-License-Identifier: Apache-2.0
// Answers the questions of a Lookup, one after another.
#include <iterator>
#include <unordered_set>
#include <utility>

#include "store/memory/memory_transaction.hpp"

namespace turboci::memory {

namespace {

// Looking ahead is given up when so many nodes have been met.
constexpr std::size_t kMostAhead = 4096;
constexpr int kLastState = 40;

template <class Row>
void append(std::vector<Row>& to, std::vector<Row>&& more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}
template <class Row>
void append(std::vector<Row>& to, std::optional<Row>&& row) {
    if (row) to.push_back(std::move(*row));
}

/// One load().
class Loading {
public:
    Loading(const Data& data, PlanKey plan, const Lookup& lookup)
        : data_(data), plan_(plan), lookup_(lookup) {}

    Facts run() {
        if (lookup_.counts) facts_.counts = data_.counts(plan_);
        if (lookup_.operation) facts_.operation = data_.find_operation(plan_, *lookup_.operation);
        if (lookup_.operations) facts_.operations = data_.operations(plan_);
        load_nodes();
        load_waiting();
        load_assignments();
        load_results();
        load_attempts();
        load_queues();
        for (const std::string& holder : lookup_.beats) append(facts_.beats, data_.last_beat(holder));
        if (lookup_.workers) append(facts_.beats, data_.workers());
        for (const AttemptName& name : lookup_.log_parts) append(facts_.log_parts, data_.log_parts(name));
        for (const LogPartName& name : lookup_.log_bytes) append(facts_.log_bytes, data_.log_part(name));
        return std::move(facts_);
    }

private:
    void add_node(NodeKey key) { facts_.nodes.push_back(data_.node(key)); }
    void add_body(NodeKey key) { facts_.bodies.push_back({key, data_.body(key)}); }

    void load_nodes() {
        for (const NodeRef& name : lookup_.names)
            if (const NodeRow* const row = data_.find_node(plan_, name)) facts_.nodes.push_back(*row);
        for (const NodeKey key : lookup_.nodes) add_node(key);
        if (lookup_.open_nodes)
            for (const NodeKey key : data_.nodes_of(plan_))
                if (data_.node(key).state != State::final) {
                    add_node(key);
                    add_body(key);
                }
        for (const NodeKey key : lookup_.bodies) add_body(key);
        for (const NodeKey owner : lookup_.groups) append(facts_.groups, data_.groups(owner));
        for (const auto& name : lookup_.single_groups)
            append(facts_.groups, data_.group(name.owner, name.role, name.group));
        for (const PredicateName& name : lookup_.edges)
            append(facts_.edges, data_.edges_of(name.owner, name.role));
        if (!lookup_.targets) return;
        for (const EdgeRow& edge : facts_.edges) add_node(edge.target);
    }

    void load_waiting() {
        for (const auto& w : lookup_.waiting)
            append(facts_.waiting, data_.edges_to(w.target, w.after, w.up_to));
        if (!lookup_.owners) return;
        std::unordered_set<NodeKey> met;
        for (const auto& w : lookup_.waiting) met.insert(w.target);
        std::size_t begin = 0;
        for (int level = 1; begin < facts_.waiting.size(); ++level) {
            const std::size_t end = facts_.waiting.size();
            std::vector<NodeKey> owners;
            for (; begin < end; ++begin) {
                const EdgeRow edge = facts_.waiting[begin];
                load_groups_above(edge);
                if (met.insert(edge.owner).second) owners.push_back(edge.owner);
            }
            if (level < lookup_.levels && met.size() < kMostAhead)
                for (const NodeKey owner : owners) look_ahead(data_.node(owner));
            for (const NodeKey owner : owners) {
                add_node(owner);
                if (data_.node(owner).state == State::planned) add_body(owner);
            }
        }
    }

    /// The group of an edge and those around it; the root of dependencies is in the node's row.
    void load_groups_above(const EdgeRow& edge) {
        std::int32_t number = edge.group;
        while (number > 0 || (number == 0 && edge.role == PredicateRole::continuation)) {
            const auto found = data_.group(edge.owner, edge.role, number);
            if (!found || found->parent >= number) return;
            number = found->parent;
            facts_.groups.push_back(*found);
        }
    }

    /// What a node needs if it ends, and what waits for it then.
    void look_ahead(const NodeRow& owner) {
        if (owner.state == State::final) return;
        Lookup& ahead = facts_.ahead;
        const int now = state_number(owner.type, owner.state);
        ahead.waiting.push_back({owner.key, now, kLastState});
        append(facts_.waiting, data_.edges_to(owner.key, now, kLastState));
        if (owner.state == State::planned) {
            ahead.edges.push_back({owner.key, PredicateRole::dependencies});
            auto edges = data_.edges_of(owner.key, PredicateRole::dependencies);
            for (const EdgeRow& edge : edges) add_node(edge.target);
            append(facts_.edges, std::move(edges));
        }
        if (owner.type == NodeType::stage) {
            ahead.assignments.push_back(owner.key);
            append(facts_.assignments, data_.assignments_of(owner.key));
            return;
        }
        ahead.groups.push_back(owner.key);
        append(facts_.groups, data_.groups(owner.key));
        ahead.goals.push_back(owner.key);
        append(facts_.goals, data_.goals(owner.key));
        ahead.results.push_back(owner.key);
        append(facts_.results, data_.results(owner.key));
    }

    void load_assignments() {
        for (const NodeKey stage : lookup_.assignments)
            append(facts_.assignments, data_.assignments_of(stage));
        for (const NodeKey check : lookup_.assigned) append(facts_.assigned, data_.assignments_to(check));
        for (const NodeKey check : lookup_.goals) append(facts_.goals, data_.goals(check));
        if (lookup_.checks)
            for (const AssignmentRow& row : facts_.assignments) {
                add_node(row.check);
                append(facts_.goals, data_.goals(row.check));
            }
        if (lookup_.stages)
            for (const AssignmentRow& row : facts_.assigned) add_node(row.stage);
    }

    void load_results() {
        for (const NodeKey check : lookup_.results) append(facts_.results, data_.results(check));
        for (const auto& name : lookup_.single_results) append(facts_.results, data_.find_result(name));
        if (lookup_.writers)
            for (const ResultRow& row : facts_.results)
                if (row.stage != NodeKey::none)
                    append(facts_.attempts, data_.attempt(row.stage, row.attempt));
        for (const AttemptName& name : lookup_.open_results)
            append(facts_.open_results, data_.open_results(name.stage, name.idx));
    }

    void add_parts(const AttemptRow& row) {
        add_body(row.stage);
        append(facts_.open_results, data_.open_results(row.stage, row.attempt.idx));
    }

    void load_attempts() {
        for (const AttemptName& name : lookup_.attempts)
            append(facts_.attempts, data_.attempt(name.stage, name.idx));
        for (const NodeKey stage : lookup_.all_attempts) append(facts_.attempts, data_.attempts(stage));
        if (!lookup_.current_attempts) return;
        for (const NodeRow& row : facts_.nodes) {
            if (row.type != NodeType::stage || row.attempt == 0) continue;
            auto current = data_.attempt(row.key, row.attempt);
            if (current) add_parts(*current);
            append(facts_.attempts, std::move(current));
        }
    }

    void load_queues() {
        if (lookup_.overdue) facts_.overdue = data_.overdue(plan_, *lookup_.overdue);
        if (lookup_.held) facts_.held = data_.held(plan_);
        for (const auto* rows : {&facts_.overdue, &facts_.held})
            for (const AttemptRow& row : *rows) {
                add_node(row.stage);
                add_parts(row);
            }
        if (lookup_.classes || lookup_.ready) facts_.classes = data_.classes(plan_);
        if (lookup_.held_by_class) facts_.held_by_class = data_.held_by_class(plan_);
        if (lookup_.ready) facts_.ready = data_.ready(plan_, *lookup_.ready);
        for (const AttemptRow& row : facts_.ready) {
            add_node(row.stage);
            add_body(row.stage);
        }
        if (lookup_.next_ready) facts_.next_ready = data_.next_ready(plan_, *lookup_.next_ready);
    }

    const Data& data_;
    PlanKey plan_;
    const Lookup& lookup_;
    Facts facts_;
};

}  // namespace

Facts MemoryTransaction::load(PlanKey plan, const Lookup& lookup) {
    ++statistics_.trips;
    return Loading(data(), plan, lookup).run();
}

}  // namespace turboci::memory
