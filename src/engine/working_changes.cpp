// SPDX-License-Identifier: Apache-2.0
// What a working set has changed, as a value.
#include <fmt/core.h>

#include <map>
#include <tuple>

#include "engine/new_nodes.hpp"
#include "engine/working_set.hpp"

namespace turboci::engine {

namespace {

/// The rows that are pointed to.
template <class Row>
Rows<Row> rows_at(std::vector<const Row*> rows) {
    const std::size_t count = rows.size();
    return {count, [rows = std::move(rows)](std::size_t i) -> const Row& { return *rows[i]; }};
}

}  // namespace

// ------------------------------------------------------------------------------------ the outcome

ChangeSet WorkingSet::change_set() {
    // Not needed any more, and the store has use for the memory.
    names_ = {};
    first_to_new_ = {};
    to_new_ = {};
    ChangeSet changes;
    changes.plan = plan_;
    changes.dropped = dropped_;
    changes.counts = count_differences();
    add_new_nodes(changes);
    std::vector<const Node*> dirty;
    for (const Node& node : old_nodes_)
        if (node.dirty) dirty.push_back(&node);
    const std::size_t count = dirty.size();
    changes.nodes = {
        count, [this, dirty = std::move(dirty), row = NodeRow{}](std::size_t i) mutable -> const NodeRow& {
            fill_row(*dirty[i], row);
            return row;
        }};
    changes.bodies = {new_bodies_.size(),
                      [next = new_bodies_.begin(), row = BodyRow{}](std::size_t) mutable -> const BodyRow& {
                          row = {next->first, next->second};
                          ++next;
                          return row;
                      }};
    add_groups_and_goals(changes);
    changes.edges = {new_edges_.size(),
                     [this, edge = TypedEdge{}](std::size_t i) mutable -> const TypedEdge& {
                         edge = {new_edges_[i].row(), new_edges_[i].target_type};
                         return edge;
                     }};
    changes.assignments = Rows(new_assignments_);
    add_attempts_and_results(changes);
    return changes;
}

void WorkingSet::add_new_nodes(ChangeSet& changes) {
    NewNodes created(request_, author_);
    changes.created = {new_nodes_.size(),
                       [this, created, row = NodeRow{}](std::size_t i) mutable -> const NodeRow& {
                           fill_row(new_nodes_[i], row);
                           created.read_kind(new_nodes_[i], row.kind);
                           return row;
                       }};
    changes.created_bodies = {new_nodes_.size(),
                              [this, created, body = NodeBody{}](std::size_t i) mutable -> const NodeBody& {
                                  created.read_body(new_nodes_[i], body);
                                  add_part(new_nodes_[i], body);
                                  return body;
                              }};
}

void WorkingSet::add_groups_and_goals(ChangeSet& changes) {
    std::vector<const GroupRow*> new_groups, groups;
    std::vector<const GoalRow*> goals;
    const auto add = [&](const Node& node) {
        if (node.groups) {
            for (const CachedGroup& g : *node.groups) {
                if (g.is_new)
                    new_groups.push_back(&g.row);
                else if (g.dirty)
                    groups.push_back(&g.row);
            }
        }
        if (node.goals_dirty)
            for (const GoalRow& g : *node.goals) goals.push_back(&g);
    };
    for (const Node& node : new_nodes_) add(node);
    for (const Node& node : old_nodes_) add(node);
    for (const auto& [key, group] : some_groups_)
        if (group.dirty) groups.push_back(&group.row);
    changes.new_groups = rows_at(std::move(new_groups));
    changes.groups = rows_at(std::move(groups));
    changes.goals = rows_at(std::move(goals));
}

void WorkingSet::add_attempts_and_results(ChangeSet& changes) {
    std::erase_if(first_tries_, [](const Node* stage) { return !stage->first_try; });
    auto added = attempts_.changed(true);
    const std::size_t firsts = first_tries_.size(), count = firsts + added.size();
    changes.new_attempts = {count,
                            [this, firsts, added = std::move(added),
                             row = AttemptRow{}](std::size_t i) mutable -> const AttemptRow& {
                                if (i >= firsts) return *added[i - firsts];
                                row = first_attempt_of(*first_tries_[i]);
                                return row;
                            }};
    changes.attempts = rows_at(attempts_.changed(false));
    changes.new_classes = new_classes_;
    changes.progress = Rows(progress_);
    changes.new_results = rows_at(results_.changed(true));
    changes.results = rows_at(results_.changed(false));
}

std::vector<StateCount> WorkingSet::count_differences() const {
    std::map<std::tuple<NodeType, State, int>, std::int64_t> differences;
    const auto count = [&](NodeType type, State state, std::optional<Outcome> outcome, int by) {
        differences[{type, state, outcome ? static_cast<int>(*outcome) : 0}] += by;
    };
    for (const Node& node : new_nodes_) count(node.row.type, node.row.state, node.row.outcome, 1);
    for (const Node& node : old_nodes_) {
        if (node.stored->state == node.row.state && node.stored->outcome == node.row.outcome) continue;
        count(node.row.type, node.stored->state, node.stored->outcome, -1);
        count(node.row.type, node.row.state, node.row.outcome, 1);
    }
    std::vector<StateCount> counts;
    for (const auto& [key, difference] : differences) {
        const auto& [type, state, outcome] = key;
        if (difference != 0)
            counts.push_back({type, state,
                              outcome == 0 ? std::nullopt : std::optional(static_cast<Outcome>(outcome)),
                              difference});
    }
    return counts;
}

std::string WorkingSet::change_json(const Change& c) const {
    std::string json = "{";
    const auto add = [&](std::string_view name, std::string_view open, std::string_view members,
                         std::string_view close) {
        if (members.empty()) return;
        if (json.size() > 1) json += ',';
        for (const std::string_view part : {name, open, members, close}) json += part;
    };
    // A later mover's part begins where the earlier one's ended.
    if (c.state_changed) {
        State to = c.node->row.state;
        const std::int32_t later = c.node->change[1];
        if (c.by == Mover::writer && later >= 0) {
            const Change& next = changes_[static_cast<std::size_t>(later)];
            if (next.state_changed && next.from) to = *next.from;
        }
        if (c.node->is_new() && c.by == Mover::writer) add(R"("created":)", {}, "true", {});
        const std::string from = c.from ? fmt::format("\"{}\"", to_string(*c.from)) : "null";
        add(R"("state":)", R"({"from":)", from, fmt::format(R"(,"to":"{}"}})", to_string(to)));
        if (to == State::final && c.node->row.outcome && to == c.node->row.state)
            add(R"("outcome":)", R"({"from":null,"to":")", to_string(*c.node->row.outcome), R"("})");
    }
    if (c.details) {
        add({}, {}, c.details->fields, {});
        add(R"("attempts":)", "[", c.details->attempts, "]");
        add(R"("results":)", "[", c.details->results, "]");
    }
    json += '}';
    return json;
}

Rows<ChangeRow> WorkingSet::change_rows() const {
    const std::size_t of_plan = plan_changes_.empty() ? 0 : 1;
    return {changes_.size() + of_plan,
            [this, of_plan, row = ChangeRow{}](std::size_t i) mutable -> const ChangeRow& {
                if (i < of_plan)
                    row = {NodeKey::none, Mover::writer, plan_changes_};
                else {
                    const Change& c = changes_[i - of_plan];
                    row = {c.node->row.key, c.by, change_json(c)};
                }
                return row;
            }};
}

}  // namespace turboci::engine
