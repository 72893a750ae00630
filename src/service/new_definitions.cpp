// SPDX-License-Identifier: Apache-2.0
#include "service/new_definitions.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "domain/quotes.hpp"
#include "engine/definition.hpp"
#include "turboci/verdict.hpp"

namespace turboci::service {

using engine::CarriedNode;
using engine::Fate;
using Definition = engine::NodePlans::Definition;

NewDefinitions::NewDefinitions(const PlanRow& old, std::span<const NodeRecord> nodes,
                               const RerunPlan& request)
    : request_(request), old_(nodes), plans_(nodes.size()), attempts_(nodes.size()) {
    carried_.plan = old.id;
    carried_.identity = old.identity;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        (nodes[i].row.type == NodeType::check ? old_checks_ : old_stages_).emplace(nodes[i].row.id, i);
    if (request.redefines) read_files();
    for (std::size_t i = 0; i < nodes.size(); ++i) plans_[i].definition = definition_of(i);
    if (request.redefines) note_gains();
    for (const RefText& ref : request.again) name(ref);
    fates_ = engine::decide_fates(old_, plans_);
}

void NewDefinitions::read_files() {
    const WriteNodes& files = request_.definitions;
    for (std::size_t i = 0; i < files.checks.size(); ++i) written_checks_.emplace(files.checks.id(i), i);
    for (std::size_t i = 0; i < files.stages.size(); ++i) written_stages_.emplace(files.stages.id(i), i);
}

bool NewDefinitions::has(NodeType type, std::string_view id) const {
    return known(type).contains(id) || written(type).contains(id);
}

/// A check that more stages answer now has no answer yet.
void NewDefinitions::note_gains() {
    const auto& stages = request_.definitions.stages;
    StageWrite write;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const auto old = old_stages_.find(stages.id(i));
        if (old != old_stages_.end() && plans_[old->second].definition == Definition::same) continue;
        stages.read(i, write);
        if (!write.assignments) continue;
        for (const auto& assignment : *write.assignments)
            if (const auto check = old_checks_.find(assignment.target_check_id); check != old_checks_.end())
                plans_[check->second].gained = true;
    }
}

/// A bare name means whichever there is.
std::optional<NodeRef> NewDefinitions::find(const RefText& ref) const {
    if (ref.type) return NodeRef{*ref.type, ref.id};
    const bool check = has(NodeType::check, ref.id), stage = has(NodeType::stage, ref.id);
    if (check == stage) return std::nullopt;
    return NodeRef{check ? NodeType::check : NodeType::stage, ref.id};
}

void NewDefinitions::name(const RefText& ref) {
    const auto found = find(ref);
    if (!found && has(NodeType::check, ref.id))
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("'{0}' is two nodes; say check:{0} or stage:{0}", ref.id));
    if (!found || !has(found->type, found->id))
        throw Error(ErrorCode::not_found,
                    fmt::format("plan {} has no node {}", carried_.plan, in_quotes(to_string(ref))));
    if (const auto node = known(found->type).find(found->id); node != known(found->type).end())
        plans_[node->second].named = true;
}

/// When a stage's own attempt wrote its continuation group, if it did: the group names what the stage wrote,
/// or came while the stage was at work, in this plan or in the one that the stage was carried from.
std::optional<Timestamp> NewDefinitions::own_group(const NodeRecord& stage) const {
    const auto root = std::ranges::find(stage.groups, PredicateRole::continuation, &GroupRow::role);
    if (!stage.row.has_continuation || root == stage.groups.end()) return std::nullopt;
    for (const EdgeRecord& edge : stage.edges)
        if (edge.edge.role == PredicateRole::continuation &&
            old_[old_.index(edge.edge.target)].body.created_by == stage.row.key)
            return root->since;
    const Timestamp created = stage.row.history.front().at;
    const bool came_along = stage.body.carried_from && root->since < created;
    const auto* first = stage.attempts.empty() ? nullptr : &stage.attempts.front().attempt;
    const bool at_work =
        first != nullptr && first->started_at && root->since >= *first->started_at && root->since > created;
    return came_along || at_work ? std::optional(root->since) : std::nullopt;
}

Definition NewDefinitions::definition_of(std::size_t node) const {
    const NodeRecord& record = old_[node];
    const NodeType type = record.row.type;
    const Definition unwritten =
        record.body.created_by != NodeKey::none ? Definition::of_author : Definition::none;
    if (!request_.redefines) return unwritten == Definition::none ? Definition::same : unwritten;
    const auto at = written(type).find(record.row.id);
    if (at == written(type).end()) return unwritten;
    const auto find_ref = [this](const RefText& ref) { return find(ref); };
    const WriteNodes& files = request_.definitions;
    const bool same =
        type == NodeType::check
            ? engine::same_definition(record, files.checks[at->second], find_ref)
            : engine::same_definition(record, files.stages[at->second], !wrote_own_group(record), find_ref);
    return same ? Definition::same : Definition::other;
}

bool NewDefinitions::all_fine() const {
    for (std::size_t i = 0; i < old_.size(); ++i) {
        const NodeRow& row = old_[i].row;
        const Standing own = standing(row.state, row.outcome, row.skip_cause, old_.is_required(i));
        if (own == Standing::bad || own == Standing::open) return false;
    }
    return true;
}

bool NewDefinitions::says_nothing_new() const {
    if (!request_.again.empty() || !all_fine()) return false;
    if (!request_.redefines) return true;
    const auto is_old = [](const engine::NodePlans& plan) {
        return plan.definition == Definition::same || plan.definition == Definition::of_author;
    };
    const auto all_known = [](const Index& names, const Index& old) {
        return std::ranges::all_of(names, [&](const auto& name) { return old.contains(name.first); });
    };
    return std::ranges::all_of(plans_, is_old) && all_known(written_checks_, old_checks_) &&
           all_known(written_stages_, old_stages_);
}

// ------------------------------------------------------------------------------------ the new plan

/// Of a stage the last attempt comes along, and those that something refers to that comes along, too.
void NewDefinitions::note_attempts() {
    const auto note = [&](NodeKey stage, std::int32_t attempt) {
        const std::size_t i = old_.index(stage);
        if (fates_[i] == Fate::carried) attempts_[i].push_back(attempt);
    };
    for (std::size_t i = 0; i < old_.size(); ++i) {
        const NodeRecord& node = old_[i];
        if (node.row.type == NodeType::stage && node.row.attempt > 0) note(node.row.key, node.row.attempt);
        if (fates_[i] == Fate::left_out) continue;
        if (node.row.type == NodeType::check)
            for (const ResultRow* result : old_.counted(i))
                if (result->stage != NodeKey::none) note(result->stage, result->attempt);
        if (plans_[i].definition == Definition::of_author)
            note(node.body.created_by, node.body.created_by_attempt);
    }
    for (auto& list : attempts_) {
        std::ranges::sort(list);
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }
}

CarriedNode NewDefinitions::carried_node(std::size_t node) const {
    const NodeRecord& record = old_[node];
    CarriedNode carried;
    const bool stays = fates_[node] == Fate::carried;
    if (stays) carried.record = &record;
    if (plans_[node].definition == Definition::of_author && record.created_by)
        carried.author = &*record.created_by;
    if (record.row.type == NodeType::stage) {
        if (!stays) return carried;
        carried.group_since = own_group(record);
        for (const AttemptRow& row : record.attempts)
            if (std::ranges::binary_search(attempts_[node], row.attempt.idx))
                carried.attempts.push_back(&row);
        return carried;
    }
    const auto& counted = old_.counted(node);
    for (const ResultRow& result : record.results) {
        const bool is_note = result.result.owner_type == OwnerType::orchestrator;
        if (!is_note && std::ranges::find(counted, &result) == counted.end()) continue;
        if (result.stage == NodeKey::none) {
            // What is asked again is answered again.
            if (stays) carried.results.push_back({&result, nullptr});
            continue;
        }
        const std::size_t stage = old_.index(result.stage);
        if (fates_[stage] == Fate::carried) carried.results.push_back({&result, &old_[stage].row.id});
    }
    return carried;
}

/// Nodes whose definitions are those of the files. What has happened to them already is no news.
void NewDefinitions::add_from_files() {
    const auto old_node = [](const Index& old, std::string_view id) {
        const auto found = old.find(id);
        return found == old.end() ? std::nullopt : std::optional(found->second);
    };
    for (std::size_t i = 0; i < next_.checks.size(); ++i) {
        const auto node = old_node(old_checks_, next_.checks.id(i));
        carried_.checks.push_back(node ? carried_node(*node) : CarriedNode{});
        if (!node || fates_[*node] != Fate::carried) continue;
        CheckWrite write = next_.checks[i];
        write.state.reset();
        write.results.clear();
        write.skip = false;
        next_.checks.set(i, write);
    }
    for (std::size_t i = 0; i < next_.stages.size(); ++i) {
        const auto node = old_node(old_stages_, next_.stages.id(i));
        carried_.stages.push_back(node ? carried_node(*node) : CarriedNode{});
        if (!node || fates_[*node] != Fate::carried) continue;
        StageWrite write = next_.stages[i];
        write.attempt.reset();
        write.cancel = write.skip = false;
        if (wrote_own_group(old_[*node]))
            write.continuation_group = engine::predicate_spec(old_[*node], PredicateRole::continuation);
        next_.stages.set(i, write);
    }
}

void NewDefinitions::add_from_plan(std::size_t node) {
    const NodeRecord& record = old_[node];
    const bool stays = fates_[node] == Fate::carried;
    if (record.row.type == NodeType::stage) {
        next_.stages.push_back(engine::stage_definition(record, stays || !wrote_own_group(record)));
        carried_.stages.push_back(carried_node(node));
        return;
    }
    CheckWrite write = engine::check_definition(record);
    if (stays) write.state.reset();
    next_.checks.push_back(write);
    carried_.checks.push_back(carried_node(node));
}

void NewDefinitions::list_refs() {
    const auto list = [&](NodeType type, const auto& writes, const std::vector<CarriedNode>& sources) {
        for (std::size_t i = 0; i < sources.size(); ++i)
            (sources[i].record != nullptr ? carried_refs_ : begun_refs_)
                .push_back({type, std::string(writes.id(i))});
    };
    list(NodeType::check, next_.checks, carried_.checks);
    list(NodeType::stage, next_.stages, carried_.stages);
}

WriteNodes NewDefinitions::take_request() {
    note_attempts();
    const WriteNodes& said = request_.definitions;
    if (request_.redefines) {
        next_ = said;
        next_.inside.reset();
        next_.token.clear();
        next_.if_version.reset();
        add_from_files();
    } else {
        next_.actor = said.actor;
        next_.reason = said.reason;
        next_.op_id = said.op_id;
        next_.labels = said.labels;
    }
    for (std::size_t i = 0; i < old_.size(); ++i) {
        if (fates_[i] == Fate::left_out) continue;
        const bool is_written = request_.redefines && plans_[i].definition != Definition::of_author;
        if (!is_written) add_from_plan(i);
    }
    list_refs();
    return std::move(next_);
}

}  // namespace turboci::service
