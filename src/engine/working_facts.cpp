// SPDX-License-Identifier: Apache-2.0
// What a working set knows of the store. Questions of a wave are asked together; what was not foreseen is
// asked by itself.
#include <algorithm>
#include <functional>
#include <unordered_set>

#include "domain/attempt_token.hpp"
#include "engine/working_set.hpp"

namespace turboci::engine {

namespace {

// Of a request that names more, attempts and bodies are not asked for in advance: most will not be needed.
constexpr std::size_t kMostWithParts = 10'000;
// So many names are asked for at once.
constexpr std::size_t kMostNames = 4'096;
// Facts that are kept; they can be asked for again.
constexpr std::size_t kMostKept = 16'384;

template <class Map>
void forget_if_many(Map& facts) {
    if (facts.size() > kMostKept) facts.clear();
}

bool is_empty(const Lookup& l) {
    return l.names.empty() && l.nodes.empty() && l.bodies.empty() && l.groups.empty() && l.edges.empty() &&
           l.waiting.empty() && l.assignments.empty() && l.assigned.empty() && l.goals.empty() &&
           l.attempts.empty() && l.results.empty() && !l.classes && !l.open_nodes;
}

}  // namespace

Facts WorkingSet::load(const Lookup& lookup) {
    Facts facts = load_(lookup);
    forget_if_many(bodies_);
    forget_if_many(edges_);
    forget_if_many(waiting_);
    forget_if_many(assignments_);
    forget_if_many(assigned_);
    for (NodeRow& row : facts.nodes)
        if (!by_key_.contains(static_cast<std::int64_t>(row.key))) adopt(std::move(row));
    for (const NodeRef& name : lookup.names)
        if (names_.find(name.type, name.id) == nullptr) absent_names_.insert(to_string(name));
    for (BodyRow& row : facts.bodies) bodies_.try_emplace(row.node, std::move(row.body));
    for (const AttemptRow& row : facts.attempts) attempts_.adopt(row);
    if ((lookup.classes || lookup.ready) && !classes_) {
        classes_.emplace();
        for (ClassRow& row : facts.classes) classes_->emplace(row.number, std::move(row));
    }
    for (const Lookup* asked : {&lookup, static_cast<const Lookup*>(&facts.ahead)}) note_asked(*asked);
    std::unordered_set<NodeKey> checks(lookup.goals.begin(), lookup.goals.end());
    checks.insert(facts.ahead.goals.begin(), facts.ahead.goals.end());
    if (lookup.checks)
        for (const AssignmentRow& row : facts.assignments) checks.insert(row.check);
    keep_goals(checks, facts.goals);
    keep_groups(facts, lookup);
    for (const EdgeRow& row : facts.edges) edges_[{row.owner, row.role}].push_back(row);
    for (const EdgeRow& row : facts.waiting) waiting_.at(row.target).edges.push_back(row);
    for (const AssignmentRow& row : facts.assignments) assignments_[row.stage].push_back(row);
    for (const AssignmentRow& row : facts.assigned) assigned_[row.check].push_back(row);
    results_.adopt(lookup.results, facts.results);
    results_.adopt(facts.ahead.results, facts.open_results);
    const auto note_open = [&](const AttemptRow& row) { results_.knows_open(row.stage, row.attempt.idx); };
    std::ranges::for_each(facts.overdue, note_open);
    std::ranges::for_each(facts.held, note_open);
    if (lookup.current_attempts)
        for (const AttemptRow& row : facts.attempts)
            if (const Node* stage = met(row.stage);
                stage != nullptr && stage->stored->attempt == row.attempt.idx)
                note_open(row);
    return facts;
}

/// What is there of these is all that there is, once the rows have been added.
void WorkingSet::note_asked(const Lookup& asked) {
    for (const PredicateName& name : asked.edges) edges_[{name.owner, name.role}].clear();
    for (const auto& w : asked.waiting) waiting_[w.target] = {w.after, w.up_to, {}};
    for (const NodeKey stage : asked.assignments) assignments_[stage].clear();
    for (const NodeKey check : asked.assigned) assigned_[check].clear();
    for (const AttemptName& name : asked.open_results) results_.knows_open(name.stage, name.idx);
}

void WorkingSet::keep_groups(const Facts& facts, const Lookup& lookup) {
    for (const GroupRow& row : facts.groups) {
        const Node* owner = met(row.owner);
        if (owner == nullptr || owner->all_groups) continue;
        some_groups_.try_emplace({row.owner, row.role, row.group}, CachedGroup{row, false, false});
    }
    for (const auto* owners : {&lookup.groups, &facts.ahead.groups})
        for (const NodeKey key : *owners)
            if (Node* owner = met(key); owner != nullptr && !owner->all_groups) keep_all_groups(*owner);
}

/// Of `checks`, all goals.
void WorkingSet::keep_goals(std::unordered_set<NodeKey> checks, const std::vector<GoalRow>& rows) {
    // Those that are here already may have been changed.
    std::erase_if(checks, [&](NodeKey key) {
        const Node* check = met(key);
        return check == nullptr || check->goals;
    });
    for (const NodeKey key : checks) met(key)->goals = std::make_unique<std::vector<GoalRow>>();
    for (const GoalRow& row : rows) {
        if (!checks.contains(row.check)) continue;
        auto& goals = *met(row.check)->goals;
        if (std::ranges::find(goals, row.goal, &GoalRow::goal) == goals.end()) goals.push_back(row);
    }
}

const WorkingSet::StoredWaiting* WorkingSet::find_waiting(NodeKey target, int after, int up_to) const {
    const auto it = waiting_.find(target);
    const bool known = it != waiting_.end() && it->second.after <= after && up_to <= it->second.up_to;
    return known ? &it->second : nullptr;
}

// ------------------------------------------------------------------------------------ foreseen questions

namespace {

/// Visits the names of a request, with the type where it is known.
class RequestNames {
public:
    using Visit = std::function<void(NodeType type, std::string_view id)>;
    RequestNames(const WriteNodes& request, std::string_view plan_id, const Visit& visit)
        : request_(request), plan_id_(plan_id), visit_(visit) {}

    void visit() {
        CheckWrite check;
        for (std::size_t i = 0; i < request_.checks.size(); ++i) {
            request_.checks.read(i, check);
            visit_(NodeType::check, check.id);
            if (check.dependencies) add(*check.dependencies, std::nullopt);
            for (const ResultWrite& result : check.results)
                if (result.owner) add_stage(result.owner->stage_id);
        }
        StageWrite stage;
        for (std::size_t i = 0; i < request_.stages.size(); ++i) {
            request_.stages.read(i, stage);
            visit_(NodeType::stage, stage.id);
            if (stage.dependencies) add(*stage.dependencies, std::nullopt);
            if (stage.continuation_group) add(*stage.continuation_group, NodeType::stage);
            if (stage.assignments)
                for (const auto& a : *stage.assignments) visit_(NodeType::check, a.target_check_id);
        }
        if (request_.inside) add_stage(request_.inside->stage_id);
        if (const auto token = parse_attempt_token(request_.token)) visit_(NodeType::stage, token->stage);
        if (request_.claim)
            for (const std::string& id : request_.claim->stages) visit_(NodeType::stage, id);
    }

private:
    /// "PLAN:STAGE" may stand for a stage, and an id may have a colon itself.
    void add_stage(std::string_view id) {
        visit_(NodeType::stage, id);
        if (id.starts_with(plan_id_) && id.substr(plan_id_.size()).starts_with(':'))
            visit_(NodeType::stage, id.substr(plan_id_.size() + 1));
    }
    void add(const RefText& ref, std::optional<NodeType> only) {
        const auto type = ref.type ? ref.type : only;
        if (!type || *type == NodeType::check) visit_(NodeType::check, ref.id);
        if (!type || *type == NodeType::stage) visit_(NodeType::stage, ref.id);
    }
    void add(const PredicateSpec& spec, std::optional<NodeType> only) {
        for (const EdgeSpec& edge : spec.edges) add(edge.target, only);
        for (const PredicateSpec& group : spec.groups) add(group, only);
    }

    const WriteNodes& request_;
    std::string_view plan_id_;
    const Visit& visit_;
};

}  // namespace

std::vector<StateCount> WorkingSet::foresee_request(std::string_view plan_id, bool looks) {
    const bool is_large = request_.checks.size() + request_.stages.size() > kMostWithParts;
    Lookup lookup;
    lookup.counts = true;
    std::vector<StateCount> counts;
    if (is_large) {
        // Most large writes fill an empty plan: then there is nothing to ask for.
        counts = load(lookup).counts;
        if (counts.empty()) return counts;
        lookup.counts = false;
        plan_has_nodes_ = true;
    }
    lookup.current_attempts = !is_large;
    lookup.overdue = now_;
    lookup.held = looks;
    lookup.held_by_class = request_.claim.has_value();
    if (const auto& claim = request_.claim; claim && claim->stages.empty())
        lookup.ready = Lookup::Ready{now_, std::max(claim->at_most, 0) + std::max(claim->ahead, 0)};
    std::unordered_set<std::string> asked;
    const auto ask = [&] {
        Facts facts = load(lookup);
        if (lookup.overdue) overdue_ = std::move(facts.overdue);
        if (lookup.held) held_ = std::move(facts.held);
        if (lookup.held_by_class) {
            held_by_class_.emplace();
            for (const auto& held : facts.held_by_class) (*held_by_class_)[held.class_number] = held.attempts;
        }
        if (lookup.ready) ready_ = {static_cast<std::size_t>(lookup.ready->limit), std::move(facts.ready)};
        if (lookup.counts) counts = std::move(facts.counts);
        lookup = {};
        asked.clear();
    };
    RequestNames(request_, plan_id, [&](NodeType type, std::string_view id) {
        if (names_.find(type, id) != nullptr) return;
        NodeRef name{type, std::string(id)};
        std::string text = to_string(name);
        if (absent_names_.contains(text) || !asked.insert(std::move(text)).second) return;
        lookup.names.push_back(std::move(name));
        if (is_large && lookup.names.size() == kMostNames) ask();
    }).visit();
    if (!lookup.names.empty() || lookup.overdue) ask();
    plan_has_nodes_ = !counts.empty();
    return counts;
}

void WorkingSet::foresee_comparisons(std::span<const Comparison> nodes) {
    Lookup lookup;
    lookup.targets = true;
    const auto add_predicate = [&](const Node& node, PredicateRole role) {
        if (!node.replaced[index_of(role)] && !edges_.contains({node.row.key, role}))
            lookup.edges.push_back({node.row.key, role});
    };
    for (const Comparison& c : nodes) {
        const Node& node = *c.node;
        const NodeKey key = node.row.key;
        if (node.is_new()) continue;
        if (c.body && !bodies_.contains(key) && !new_bodies_.contains(key)) lookup.bodies.push_back(key);
        if (c.dependencies) add_predicate(node, PredicateRole::dependencies);
        if (c.continuation && node.row.has_continuation) add_predicate(node, PredicateRole::continuation);
        if ((c.dependencies || c.continuation) && !node.all_groups) lookup.groups.push_back(key);
        if (c.assignments && !assignments_.contains(key)) lookup.assignments.push_back(key);
    }
    if (!is_empty(lookup)) static_cast<void>(load(lookup));
}

void WorkingSet::foresee_announcements(int levels) {
    Lookup lookup;
    lookup.owners = lookup.checks = lookup.current_attempts = true;
    lookup.levels = levels;
    for (const Node* node : moved_) {
        if (node->is_new()) continue;
        const HotRow& row = node->row;
        const int reached = state_number(row.type, row.state);
        if (reached > node->told && find_waiting(row.key, node->told, reached) == nullptr)
            lookup.waiting.push_back({row.key, node->told, reached});
        if (row.type == NodeType::stage && row.state == State::final && !assignments_.contains(row.key))
            lookup.assignments.push_back(row.key);
    }
    if (!is_empty(lookup)) static_cast<void>(load(lookup));
}

void WorkingSet::foresee_advances() {
    Lookup lookup;
    lookup.targets = lookup.stages = lookup.writers = lookup.current_attempts = true;
    for (Node* node : queue_) {
        const HotRow& row = node->row;
        if (node->is_new() || row.state == State::final) continue;
        if (needs_body(*node)) {
            if (!bodies_.contains(row.key) && !new_bodies_.contains(row.key))
                lookup.bodies.push_back(row.key);
        }
        const bool lost =
            row.state == State::planned && row.dependencies.resolution == Resolution::unsatisfied;
        if (lost && !node->replaced[0] && !edges_.contains({row.key, PredicateRole::dependencies}))
            lookup.edges.push_back({row.key, PredicateRole::dependencies});
        if (lost && row.type == NodeType::check && !node->all_groups) lookup.groups.push_back(row.key);
        if (row.type == NodeType::stage) {
            if (row.attempt > 0 && !node->first_try && !attempts_.contains(row.key, row.attempt))
                lookup.attempts.push_back({row.key, row.attempt});
            continue;
        }
        if (!node->goals) lookup.goals.push_back(row.key);
        const bool ends = node->goals && std::ranges::any_of(*node->goals, [](const GoalRow& g) {
                              return g.goal == State::final && g.stages > 0 && g.open == 0;
                          });
        if ((ends || lost) && !results_.is_complete(row.key)) lookup.results.push_back(row.key);
        if (ends && !assigned_.contains(row.key)) lookup.assigned.push_back(row.key);
    }
    if (!is_empty(lookup)) static_cast<void>(load(lookup));
}

bool WorkingSet::needs_body(const Node& node) {
    const HotRow& row = node.row;
    const bool early = row.state == State::planned || row.state == State::planning;
    return !node.is_new() && early && row.dependencies.threshold > 0 &&
           row.dependencies.resolution == Resolution::satisfied;
}

std::vector<Node*> WorkingSet::foresee_open_nodes() {
    std::vector<Node*> nodes;
    if (plan_has_nodes_) {
        Lookup lookup;
        lookup.open_nodes = true;
        for (const NodeRow& row : load(lookup).nodes) nodes.push_back(&get(row.key));
        std::ranges::sort(nodes, {}, [](const Node* n) { return n->row.key; });
    }
    for (Node& node : new_nodes_) nodes.push_back(&node);
    std::erase_if(nodes, [](const Node* node) { return node->row.state == State::final; });
    foresee_dependencies(nodes);
    return nodes;
}

void WorkingSet::foresee_dependencies(std::span<Node* const> nodes) {
    Lookup lookup;
    lookup.targets = true;
    const auto ask = [&] {
        if (!is_empty(lookup)) static_cast<void>(load(lookup));
        lookup.edges.clear();
        lookup.goals.clear();
    };
    for (const Node* node : nodes) {
        if (node->is_new()) continue;
        const NodeKey key = node->row.key;
        if (node->row.type == NodeType::check && !node->goals) lookup.goals.push_back(key);
        if (node->row.type == NodeType::stage && !node->replaced[0] &&
            !edges_.contains({key, PredicateRole::dependencies}))
            lookup.edges.push_back({key, PredicateRole::dependencies});
        if (lookup.edges.size() + lookup.goals.size() == kMostNames) ask();
    }
    ask();
}

void WorkingSet::foresee_waiting(std::span<const NodeKey> keys) {
    Lookup lookup;
    lookup.targets = lookup.owners = lookup.checks = lookup.stages = true;
    constexpr int kLast = 40;
    for (const NodeKey key : keys) {
        if (key >= first_new_) continue;
        const Node& node = get(key);
        if (node.row.state == State::final) continue;
        for (const auto role : {PredicateRole::dependencies, PredicateRole::continuation}) {
            const bool has = role == PredicateRole::dependencies || node.row.has_continuation;
            if (has && !node.replaced[index_of(role)] && !edges_.contains({key, role}))
                lookup.edges.push_back({key, role});
        }
        if (!node.all_groups) lookup.groups.push_back(key);
        const int now = state_number(node.row.type, node.row.state);
        if (find_waiting(key, now, kLast) == nullptr) lookup.waiting.push_back({key, now, kLast});
        if (node.row.type == NodeType::stage) {
            if (!assignments_.contains(key)) lookup.assignments.push_back(key);
            continue;
        }
        if (!node.goals) lookup.goals.push_back(key);
        if (!assigned_.contains(key)) lookup.assigned.push_back(key);
    }
    if (!is_empty(lookup)) static_cast<void>(load(lookup));
}

}  // namespace turboci::engine
