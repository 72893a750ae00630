// SPDX-License-Identifier: Apache-2.0
// The plan that is made from another, what it takes over, and the end of the other one.
#include <algorithm>

#include "model.hpp"
#include "support/packed.hpp"

namespace turboci::model {

namespace {

ModelGroup unresolved(ModelGroup group) {
    for (auto& e : group.edges) e.resolved_at.reset();
    for (auto& g : group.groups) g = unresolved(g);
    return group;
}

/// What a file says of a node that stays is its definition alone.
void leave_definition(CheckWrite& write) {
    write.state.reset();
    write.results.clear();
    write.skip = false;
}
void leave_definition(StageWrite& write) {
    write.attempt.reset();
    write.cancel = write.skip = false;
}

}  // namespace

WriteNodes Model::without_the_past(WriteNodes files, const OldNodes& nodes) {
    auto checks = unpacked(files.checks);
    auto stages = unpacked(files.stages);
    for (auto& w : checks)
        if (stays(nodes, {NodeType::check, w.id})) leave_definition(w);
    for (auto& w : stages)
        if (stays(nodes, {NodeType::stage, w.id})) leave_definition(w);
    files.checks = packed(checks);
    files.stages = packed(stages);
    return files;
}

bool Model::stays(const OldNodes& nodes, const NodeRef& ref) {
    const auto found = nodes.find(ref);
    return found != nodes.end() && found->second.fate == Fate::carried;
}

/// Leaves the new plan in the draft.
void Model::make_plan(const ModelPlan& old, const RerunPlan& request, const OldNodes& nodes,
                      const ClockReading& now) {
    WriteNodes files = without_the_past(request.definitions, nodes);
    files.inside.reset();
    files.dry_run = true;  // the draft is wanted
    request_ = &files;
    doubted_skips_.clear();
    std::swap(expected_skips_, new_skips_);
    draft_ = {};
    draft_.id = request.id;
    draft_.from = old.id;
    draft_.asked = files.op_id;
    draft_.created_at = now_ = wall_ = now.wall;
    draft_.clock = {now.wall, now.since_boot, now.boot_id};
    draft_.labels = old.labels;
    if (files.labels && !flawed(Flaw::labels_stay))
        draft_.labels.merge_patch(nlohmann::json::parse(files.labels->text));
    if (!flawed(Flaw::limits_are_left)) draft_.limits = old.limits;
    labels_changed_ = true;
    has_heartbeat_ = false;
    if (request.redefines) write_limits(files);
    write_new_nodes(old, files, nodes);
    refuse_cycles();
    if (answer_.errors.empty()) {
        advance();
        apply_late(files);
    }
    for (const auto& c : draft_.checks) (c.carried_from ? answer_.carried : answer_.begun).push_back(c.ref);
    for (const auto& s : draft_.stages) (s.carried_from ? answer_.carried : answer_.begun).push_back(s.ref);
    if (answer_.errors.empty()) settle(files);
    if (!files.op_id.empty()) draft_.operations.emplace(files.op_id, draft_.version);
    std::swap(expected_skips_, new_skips_);
    request_ = nullptr;
    answer_.created.clear();
    answer_.advanced.clear();
    answer_.ended.clear();
}

/// Those of the files first, then those that come along although no file names them.
void Model::write_new_nodes(const ModelPlan& old, const WriteNodes& files, const OldNodes& nodes) {
    add_stubs(files, std::nullopt);
    const std::size_t checks = draft_.checks.size(), stages = draft_.stages.size();
    const auto comes_along = [&](const ModelNode& n) { return nodes.at(n.ref).fate != Fate::left_out; };
    for (const auto& c : old.checks)
        if (comes_along(c) && !draft_.check(c.ref.id)) draft_.checks.emplace_back().ref = c.ref;
    for (const auto& s : old.stages)
        if (comes_along(s) && !draft_.stage(s.ref.id)) draft_.stages.emplace_back().ref = s.ref;
    // Stages first: what they have reported counts when checks are written.
    for (const auto& w : files.stages) write_stage(w);
    for (std::size_t i = stages; i < draft_.stages.size(); ++i) {
        const ModelStage& from = *const_cast<ModelPlan&>(old).stage(draft_.stages[i].ref.id);
        take_over(from, stays(nodes, from.ref), has_own_group(old, from));
    }
    for (const auto& s : old.stages)
        if (stays(nodes, s.ref)) carry_stage(old, s, nodes);
    for (const auto& w : files.checks)
        if (stays(nodes, {NodeType::check, w.id})) write_check(w);
    for (std::size_t i = checks; i < draft_.checks.size(); ++i) {
        const ModelCheck& from = *const_cast<ModelPlan&>(old).check(draft_.checks[i].ref.id);
        take_over(from, stays(nodes, from.ref));
    }
    if (!answer_.errors.empty()) return;
    for (const auto& c : old.checks)
        if (draft_.check(c.ref.id)) carry_check(old, c, nodes);
    for (const auto& w : files.checks)
        if (!stays(nodes, {NodeType::check, w.id})) write_check(w);
}

/// What is left out cannot be waited for.
void Model::refuse_missing(ModelGroup& group) {
    const std::size_t there = group.edges.size();
    std::erase_if(group.edges, [&](const ModelEdge& e) { return !draft_.node(e.target); });
    if (group.edges.size() < there) refuse(ErrorCode::invalid_dependency);
    for (auto& g : group.groups) refuse_missing(g);
}

/// A node whose definition is the old plan's.
void Model::take_over(const ModelCheck& old, bool carried) {
    ModelCheck& check = *draft_.check(old.ref.id);
    check.created = true;
    check.created_by = old.created_by;
    check.created_at = now_;
    check.kind = old.kind;
    check.required = old.required;
    check.options = old.options;
    check.dependencies = unresolved(old.dependencies);
    check.condition = old.condition;
    check.state = carried || old.state == State::planning ? State::planning : State::planned;
    check.history.push_back({check.state, draft_.version + 1, now_});
    refuse_missing(check.dependencies);
    touch(check, Mover::writer);
}

void Model::take_over(const ModelStage& old, bool carried, bool own_group) {
    ModelStage& stage = *draft_.stage(old.ref.id);
    stage.created = true;
    stage.created_by = old.created_by;
    stage.created_at = now_;
    stage.state = State::planned;
    stage.args = old.args;
    stage.dependencies = unresolved(old.dependencies);
    stage.condition = old.condition;
    stage.assignments = old.assignments;
    stage.retry = old.retry;
    stage.timeout = old.timeout;
    stage.heartbeat = old.heartbeat;
    stage.runner = old.runner;
    stage.uses = old.uses;
    if (carried || !own_group || flawed(Flaw::own_groups_are_defined)) stage.group = unresolved(old.group);
    if (!stage.group.empty()) stage.group_since = now_;
    stage.history.push_back({State::planned, draft_.version + 1, now_});
    for (const auto& a : stage.assignments)
        if (!draft_.check(a.target_check_id)) refuse(ErrorCode::invalid_dependency);
    refuse_missing(stage.dependencies);
    refuse_missing(stage.group);
    if (!carried) refuse_strange_uses(stage);
    touch(stage, Mover::writer);
}

// ---------------------------------------------------------------------------------- what comes along

/// The node is where it was, from the first version on.
void Model::carry(const ModelPlan& old, const ModelNode& from, ModelNode& to) {
    to.outcome = from.outcome;
    to.skip_cause = from.skip_cause;
    to.state = State::final;
    to.history.clear();
    for (const auto& entry : from.history) to.history.push_back({entry.state, draft_.version + 1, now_});
    to.carried_from = CarriedFrom{.plan = old.id, .identity = {}, .version = from.version};
    if (from.carried_from && !flawed(Flaw::last_plan_is_named)) to.carried_from = from.carried_from;
}

/// Of a check that stays all that counts, and what the orchestrator noted; of another one what stages that
/// stay have reported.
void Model::carry_check(const ModelPlan& old, const ModelCheck& from, const OldNodes& nodes) {
    ModelCheck& check = *draft_.check(from.ref.id);
    const bool whole = stays(nodes, from.ref);
    for (const auto& r : from.results) {
        const bool by_stage = r.owner_type == OwnerType::stage_attempt;
        if (by_stage) {
            if (!counts(from, r) || !stays(nodes, {NodeType::stage, r.stage})) continue;
            if (!whole && flawed(Flaw::reports_stay_behind)) continue;
        } else if (!whole) {
            continue;
        }
        if (flawed(Flaw::results_stay_behind)) continue;
        ModelResult& result = check.results.emplace_back(r);
        if (by_stage) result.owner_id = draft_.id + ":" + r.stage + ":" + std::to_string(r.idx);
        if (!result.finalized_at) result.finalized_at = now_;
        result.blames = false;
    }
    if (whole) carry(old, from, check);
}

/// The last attempt, and those that something which comes along refers to.
void Model::carry_stage(const ModelPlan& old, const ModelStage& from, const OldNodes& nodes) {
    ModelStage& stage = *draft_.stage(from.ref.id);
    std::set<std::int32_t> wanted{from.current()};
    for (const auto& c : old.checks) {
        if (nodes.at(c.ref).fate == Fate::left_out) continue;
        for (const auto& r : c.results)
            if (counts(c, r) && r.owner_type == OwnerType::stage_attempt && r.stage == from.ref.id)
                wanted.insert(r.idx);
    }
    const auto add_author = [&](const ModelNode& n) {
        const OldNode& said = nodes.at(n.ref);
        if (said.definition == Definition::of_author && said.fate != Fate::left_out &&
            n.created_by->stage == from.ref.id)
            wanted.insert(n.created_by->attempt);
    };
    for (const auto& c : old.checks) add_author(c);
    for (const auto& s : old.stages) add_author(s);
    stage.attempts = from.attempts;
    for (std::int32_t idx = 1; idx <= from.current(); ++idx) {
        if (wanted.contains(idx) || flawed(Flaw::all_attempts_are_carried)) continue;
        ModelAttempt gap;
        gap.absent = true;
        gap.state = AttemptState::incomplete;
        stage.attempts[static_cast<std::size_t>(idx) - 1] = gap;
    }
    stage.over = true;
    stage.reason = from.reason;
    if (has_own_group(old, from)) {
        stage.group = unresolved(from.group);
        stage.group_since = now_;
        stage.group_is_own = true;
        refuse_missing(stage.group);
    }
    carry(old, from, stage);
}

// ---------------------------------------------------------------------------------- the old plan

/// Ends all that is open in it; nothing becomes ready meanwhile.
void Model::supersede(const ModelPlan& old, const RerunPlan& request, const std::string& by,
                      const ClockReading& now) {
    const Answer told = answer_;
    WriteNodes end;
    end.actor = request.definitions.actor;
    end.reason = "superseded by " + by;
    request_ = &end;
    doubted_skips_.clear();
    labels_changed_ = has_heartbeat_ = false;
    draft_ = plan_ = old;
    now_ = time_of(old.clock, now);
    draft_.clock = {now_, now.since_boot, now.boot_id};
    answer_.recorded.clear();
    std::vector<NodeRef> open;
    for (auto& c : draft_.checks) {
        if (c.state == State::final || flawed(Flaw::old_plans_stay_open)) continue;
        open.push_back(c.ref);
        const Answers sum = answers(c);
        const bool failed = (sum.failed || !sum.broken.empty()) && !flawed(Flaw::superseded_is_forgiven);
        add_note(c, true, {end.reason});
        if (!failed) c.skip_cause = SkipCause::not_needed;
        finish(c, failed ? Outcome::failed : Outcome::skipped, Mover::orchestrator);
    }
    for (auto& s : draft_.stages) {
        if (s.state == State::final || flawed(Flaw::old_plans_stay_open)) continue;
        open.push_back(s.ref);
        touch(s, Mover::writer);
        conclude_cancelled(s, end.reason);
        if (flawed(Flaw::old_clean_up_runs)) advance();
    }
    std::ranges::sort(open);
    settle(end);
    request_ = nullptr;
    answer_ = told;
    answer_.superseded = open;
}

}  // namespace turboci::model
