// SPDX-License-Identifier: Apache-2.0
// A new plan from one that is there: what is refused, and which nodes stay.
#include <algorithm>
#include <functional>

#include "model.hpp"

namespace turboci::model {

namespace {

bool any_edge(const ModelGroup& group, const std::function<bool(const ModelEdge&)>& test) {
    return std::ranges::any_of(group.edges, test) ||
           std::ranges::any_of(group.groups, [&](const ModelGroup& g) { return any_edge(g, test); });
}

template <class Nodes>
auto find(Nodes& nodes, const std::string& id) {
    return std::ranges::find_if(nodes, [&](const auto& n) { return n.id == id; });
}

bool is_assigned(const ModelStage& stage, const std::string& check) {
    return std::ranges::any_of(stage.assignments,
                               [&](const Assignment& a) { return a.target_check_id == check; });
}

}  // namespace

void Model::turn_to(const std::string& id) {
    if (plan_.id == id) return;
    std::swap(plan_, *find(aside_, id));
}

const ModelPlan& Model::plan(const std::string& id) const {
    return plan_.id == id ? plan_ : *find(aside_, id);
}

Answer Model::rerun(const RerunPlan& request, const ClockReading& now) {
    turn_to(request.plan);
    answer_ = {};
    validate(request.definitions);
    if (!answer_.errors.empty()) return answer_;
    if (const ModelPlan* made = made_before(request.definitions.op_id)) {
        answer_.replayed = true;
        answer_.plan = made->id;
        answer_.version = made->version;
        turn_to(made->id);
        return answer_;
    }
    const bool has_heir =
        std::ranges::any_of(ids_, [&](const std::string& id) { return plan(id).from == plan_.id; });
    if (has_heir && !request.fork && !flawed(Flaw::lines_branch)) refuse(ErrorCode::conflict);
    const auto& expected = request.definitions.if_version;
    if (expected && *expected != plan_.version) refuse(ErrorCode::conflict);
    if (!answer_.errors.empty()) return answer_;

    look_after_holders(request, now);
    const ModelPlan old = draft_;
    const OldNodes nodes = compare(old, request);
    if (!answer_.errors.empty()) return answer_;
    if (answer_.nothing_to_do) {
        answer_.plan = plan_.id;
        answer_.version = plan_.version;
        return answer_;
    }
    if (is_held_elsewhere(old)) refuse(ErrorCode::conflict);
    if (std::ranges::find(ids_, request.id) != ids_.end()) refuse(ErrorCode::conflict);
    if (!answer_.errors.empty()) return answer_;

    make_plan(old, request, nodes, now);
    if (!answer_.errors.empty()) return answer_;
    const ModelPlan made = draft_;
    supersede(old, request, made.id, now);
    aside_.push_back(made);
    ids_.push_back(made.id);
    turn_to(made.id);
    answer_.plan = made.id;
    answer_.version = made.version;
    return answer_;
}

/// The plan that the same request made: from this one, or this one itself or one before it.
const ModelPlan* Model::made_before(const std::string& op_id) const {
    if (op_id.empty() || flawed(Flaw::rerun_has_no_op_id)) return nullptr;
    for (const auto& id : ids_)
        if (plan(id).from == plan_.id && plan(id).asked == op_id) return &plan(id);
    for (const ModelPlan* p = &plan_; !p->from.empty(); p = &plan(p->from))
        if (p->asked == op_id) return p;
    return nullptr;
}

/// As a tick would. Leaves the plan in the draft.
void Model::look_after_holders(const RerunPlan& request, const ClockReading& now) {
    WriteNodes tick;
    tick.actor = request.definitions.actor;
    tick.dry_run = true;
    draft_ = plan_;
    now_ = time_of(plan_.clock, now);
    wall_ = now.wall;
    request_ = &tick;
    doubted_skips_.clear();
    labels_changed_ = has_heartbeat_ = false;
    expire(tick);
    lose(tick, true);
    advance();
    draft_.clock = {now_, now.since_boot, now.boot_id};
    settle(tick);
    request_ = nullptr;
    if (draft_.version == plan_.version) draft_ = plan_;
    answer_.advanced.clear();
    answer_.ended.clear();
    answer_.recorded.clear();
    answer_.version = 0;
}

/// A process may be there that will speak of its attempt. One that only waits to begin can be seen from here
/// or not.
bool Model::is_held_elsewhere(const ModelPlan& plan) const {
    if (flawed(Flaw::held_plans_go_on)) return false;
    return std::ranges::any_of(plan.stages, [&](const ModelStage& s) {
        if (s.attempts.empty()) return false;
        const ModelAttempt& a = s.attempts.back();
        return a.state == AttemptState::running ||
               (a.state == AttemptState::scheduled && a.runner && look_for(*a.runner) == Liveness::unknown);
    });
}

// ---------------------------------------------------------------------------------- definitions

/// A continuation group that the stage's own attempt wrote: it names a node that the stage wrote, or came
/// when the stage was at work.
bool Model::has_own_group(const ModelPlan& plan, const ModelStage& stage) {
    if (stage.group_is_own) return true;
    if (stage.group.empty()) return false;
    const bool names_own = any_edge(stage.group, [&](const ModelEdge& e) {
        const ModelStage* target = const_cast<ModelPlan&>(plan).stage(e.target.id);
        return target && target->created_by && target->created_by->stage == stage.ref.id;
    });
    const auto first = std::ranges::find_if(stage.attempts, [](const auto& a) { return !a.absent; });
    const bool began = first != stage.attempts.end() && first->started_at && stage.group_since &&
                       *stage.group_since >= *first->started_at && *stage.group_since > stage.created_at;
    return names_own || began;
}

/// What the new plan says of each node of the old one, which is the draft.
Model::OldNodes Model::compare(const ModelPlan& old, const RerunPlan& request) {
    OldNodes nodes;
    const auto unwritten = [&](const ModelNode& n) {
        if (n.created_by) return Definition::of_author;
        return request.redefines ? Definition::none : Definition::same;
    };
    for (const auto& c : old.checks) nodes[c.ref].definition = unwritten(c);
    for (const auto& s : old.stages) nodes[s.ref].definition = unwritten(s);
    bool changed = false;
    if (request.redefines) {
        compare_with_files(old, request.definitions, nodes);
        for (const auto& w : request.definitions.checks) changed |= !nodes.contains({NodeType::check, w.id});
        for (const auto& w : request.definitions.stages) changed |= !nodes.contains({NodeType::stage, w.id});
        for (const auto& [ref, node] : nodes)
            changed |= node.definition == Definition::other || node.definition == Definition::none;
    }
    for (const auto& ref : request.again) name(old, ref, request, nodes);
    const bool passed = verdict(old) == Verdict::passed && !flawed(Flaw::passed_plans_go_on);
    answer_.nothing_to_do = request.again.empty() && passed && !changed;
    decide_fates(old, nodes);
    return nodes;
}

void Model::compare_with_files(const ModelPlan& old, const WriteNodes& files, OldNodes& nodes) {
    // Names mean what they will in the new plan.
    draft_ = {};
    add_stubs(files, std::nullopt);
    for (const auto& c : old.checks)
        if (c.created_by && !draft_.check(c.ref.id)) draft_.checks.push_back(c);
    for (const auto& s : old.stages)
        if (s.created_by && !draft_.stage(s.ref.id)) draft_.stages.push_back(s);
    for (const auto& w : files.checks) {
        const ModelCheck* check = const_cast<ModelPlan&>(old).check(w.id);
        if (!check) continue;
        const bool same = same_definition(*check, w);
        nodes[check->ref].definition = same ? Definition::same : Definition::other;
    }
    for (const auto& w : files.stages) {
        const ModelStage* stage = const_cast<ModelPlan&>(old).stage(w.id);
        const bool same = stage && same_definition(*stage, w, has_own_group(old, *stage));
        if (stage) nodes[stage->ref].definition = same ? Definition::same : Definition::other;
        if (same || !w.assignments || flawed(Flaw::gains_are_unseen)) continue;
        for (const auto& a : *w.assignments)
            if (const auto found = nodes.find({NodeType::check, a.target_check_id}); found != nodes.end())
                found->second.gained = true;
    }
    answer_.errors.clear();  // what is wrong is told when it is written
    draft_ = old;
}

bool Model::same_definition(const ModelCheck& old, const CheckWrite& w) {
    const auto options = w.options ? nlohmann::json::parse(w.options->text) : nlohmann::json::object();
    return w.kind.value_or("") == old.kind && options == old.options &&
           w.required.value_or(true) == old.required &&
           same(resolve(w.dependencies.value_or(PredicateSpec{}), false), old.dependencies) &&
           same(conditions(w.condition.value_or(std::vector<ConditionSpec>{})), old.condition);
}

bool Model::same_definition(const ModelStage& old, const StageWrite& w, bool own_group) {
    const auto args = w.args ? nlohmann::json::parse(w.args->text) : nlohmann::json::object();
    std::set<std::pair<std::string, State>> given, now;
    if (w.assignments)
        for (const auto& a : *w.assignments) given.emplace(a.target_check_id, a.goal_state);
    for (const auto& a : old.assignments) now.emplace(a.target_check_id, a.goal_state);
    const bool same_group = (own_group && !flawed(Flaw::own_groups_are_defined)) ||
                            same(resolve(w.continuation_group.value_or(PredicateSpec{}), true), old.group);
    const bool same_policy = w.retry.value_or(Retry{}) == old.retry && w.timeout == old.timeout;
    return args == old.args && given == now && same_group && w.runner.value_or("") == old.runner &&
           by_name(w.uses.value_or(std::vector<Use>{})) == old.uses &&
           (same_policy || !flawed(Flaw::policy_is_definition)) &&
           same(resolve(w.dependencies.value_or(PredicateSpec{}), false), old.dependencies) &&
           same(conditions(w.condition.value_or(std::vector<ConditionSpec>{})), old.condition);
}

/// Somebody wants the node to begin anew. It may be one of either plan.
void Model::name(const ModelPlan& old, const RefText& ref, const RerunPlan& request, OldNodes& nodes) {
    const auto is_there = [&](NodeType type) {
        if (ref.type && *ref.type != type) return false;
        if (const_cast<ModelPlan&>(old).node({type, ref.id})) return true;
        if (!request.redefines) return false;
        const auto has_id = [&](const auto& w) { return w.id == ref.id; };
        return type == NodeType::check ? std::ranges::any_of(request.definitions.checks, has_id)
                                       : std::ranges::any_of(request.definitions.stages, has_id);
    };
    const bool check = is_there(NodeType::check), stage = is_there(NodeType::stage);
    if (check && stage) return refuse(ErrorCode::invalid_argument);
    if (!check && !stage) {
        if (!flawed(Flaw::strange_names_are_fine)) refuse(ErrorCode::not_found);
        return;
    }
    const auto found = nodes.find({check ? NodeType::check : NodeType::stage, ref.id});
    if (found != nodes.end()) found->second.named = !flawed(Flaw::names_are_unheard);
}

// ---------------------------------------------------------------------------------- fates

/// From all staying, until no more has to go.
void Model::decide_fates(const ModelPlan& old, OldNodes& nodes) {
    for (bool more = true; more;) {
        more = false;
        const auto look = [&](const ModelNode& node) {
            const Fate fate = fate_of(old, node, nodes);
            if (fate <= nodes.at(node.ref).fate) return;
            nodes.at(node.ref).fate = fate;
            more = true;
        };
        for (const auto& c : old.checks) look(c);
        for (const auto& s : old.stages) look(s);
    }
}

Model::Fate Model::fate_of(const ModelPlan& old, const ModelNode& node, const OldNodes& nodes) {
    const OldNode& said = nodes.at(node.ref);
    if (said.definition == Definition::none) return Fate::left_out;
    if (said.definition == Definition::of_author &&
        !stays(nodes, {NodeType::stage, node.created_by->stage}) && !flawed(Flaw::what_was_written_stays))
        return Fate::left_out;
    if (said.named || said.gained || said.definition == Definition::other) return Fate::again;
    const bool waits =
        any_edge(node.dependencies, [&](const ModelEdge& e) { return !stays(nodes, e.target); });
    if (waits && !flawed(Flaw::dependents_stay)) return Fate::again;
    const bool may = node.ref.type == NodeType::check
                         ? may_stay(old, static_cast<const ModelCheck&>(node), nodes)
                         : may_stay(old, static_cast<const ModelStage&>(node), nodes);
    return may ? Fate::carried : Fate::again;
}

/// Of each stage the last word counts.
bool Model::counts(const ModelCheck& check, const ModelResult& result) const {
    return result.owner_type != OwnerType::orchestrator && !is_superseded(check, result);
}

/// It passed, or failed without harm, and all stages that answered or should have stay.
bool Model::may_stay(const ModelPlan& old, const ModelCheck& check, const OldNodes& nodes) {
    const bool harmless = check.outcome == Outcome::failed && !check.required;
    if (check.outcome != Outcome::passed && !(harmless && !flawed(Flaw::optional_is_asked_again)) &&
        !(check.outcome && flawed(Flaw::any_end_is_carried)))
        return false;
    return std::ranges::all_of(old.stages, [&](const ModelStage& s) {
        const bool reported = std::ranges::any_of(check.results, [&](const ModelResult& r) {
            return counts(check, r) && r.owner_type == OwnerType::stage_attempt && r.stage == s.ref.id;
        });
        const bool answers = is_assigned(s, check.ref.id) || reported;
        return !answers || nodes.at(s.ref).fate == Fate::carried || flawed(Flaw::answers_outlive_stages);
    });
}

/// It passed, or failed without harm; no required check has heard a no from it; and no check that it answers
/// is another one or wanted anew.
bool Model::may_stay(const ModelPlan& old, const ModelStage& stage, const OldNodes& nodes) {
    const bool required = stage.assignments.empty() || std::ranges::any_of(old.checks, [&](const auto& c) {
                              return is_assigned(stage, c.ref.id) && c.required;
                          });
    const bool harmless = stage.outcome == Outcome::failed && !required;
    if (stage.outcome != Outcome::passed && !(harmless && !flawed(Flaw::optional_is_asked_again)) &&
        !(stage.outcome && flawed(Flaw::any_end_is_carried)))
        return false;
    return std::ranges::none_of(old.checks, [&](const ModelCheck& c) {
        const auto mine = std::ranges::find_if(c.results, [&](const ModelResult& r) {
            return counts(c, r) && r.owner_type == OwnerType::stage_attempt && r.stage == stage.ref.id;
        });
        const bool reported = mine != c.results.end();
        const bool no = reported && (mine->failure || is_broken(*mine)) && c.required;
        const OldNode& said = nodes.at(c.ref);
        const bool anew = said.named || said.definition == Definition::other;
        const bool questioned = (reported || is_assigned(stage, c.ref.id)) && anew;
        return (no && !flawed(Flaw::a_no_is_carried)) || (questioned && !flawed(Flaw::checks_alone_anew));
    });
}

}  // namespace turboci::model
