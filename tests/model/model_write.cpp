// SPDX-License-Identifier: Apache-2.0
// What a writer asks for.
#include <algorithm>
#include <cstdlib>

#include "model.hpp"

namespace turboci::model {

namespace {

nlohmann::json parse(const JsonText& text) { return nlohmann::json::parse(text.text); }

nlohmann::json merged(nlohmann::json target, const nlohmann::json& patch) {
    target.merge_patch(patch);
    return target;
}

}  // namespace

bool same(const ModelGroup& a, const ModelGroup& b) {
    if (a.kind != b.kind || a.needed() != b.needed() || a.edges.size() != b.edges.size() ||
        a.groups.size() != b.groups.size())
        return false;
    for (const auto& e : a.edges)
        if (std::ranges::none_of(b.edges, [&](const ModelEdge& o) { return e.same(o); })) return false;
    std::vector<const ModelGroup*> left;
    for (const auto& g : b.groups) left.push_back(&g);
    for (const auto& g : a.groups) {
        const auto twin = std::ranges::find_if(left, [&](const ModelGroup* o) { return same(g, *o); });
        if (twin == left.end()) return false;
        left.erase(twin);
    }
    return true;
}

bool same(const std::vector<Condition>& a, const std::vector<Condition>& b) {
    const auto value = [](const Condition& c) {
        return c.value.empty() ? nlohmann::json() : nlohmann::json::parse(c.value);
    };
    return std::ranges::equal(a, b, [&](const Condition& x, const Condition& y) {
        return x.check == y.check && x.path == y.path && x.test == y.test && value(x) == value(y);
    });
}

std::vector<Use> by_name(std::vector<Use> uses) {
    std::ranges::sort(uses, {}, &Use::limit);
    return uses;
}

Answer Model::create(const CreatePlan& request, const ClockReading& now) {
    answer_ = {};
    validate(request.nodes);
    if (!answer_.errors.empty()) return answer_;
    draft_ = {};
    draft_.id = request.nodes.plan;
    draft_.created_at = now_ = now.wall;
    draft_.clock = {now.wall, now.since_boot, now.boot_id};
    for (const auto& [key, value] : request.labels) draft_.labels[key] = value;
    labels_changed_ = true;  // a plan is always something new
    wall_ = now.wall;
    apply(request.nodes);
    settle(request.nodes);
    if (plan_.version > 0) ids_ = {plan_.id};
    return answer_;
}

Answer Model::write(const WriteNodes& request, const ClockReading& now,
                    const std::optional<ModelToken>& token) {
    return change(request, now, false, token);
}

Answer Model::tick(const ClockReading& now) { return change({}, now, true, std::nullopt); }

/// Signs of life of attempts, and nothing else: no change.
bool Model::is_heartbeat(const WriteNodes& request) {
    if (!request.checks.empty() || request.stages.empty() || request.labels || request.claim ||
        !request.limits.empty() || request.cancel)
        return false;
    return std::ranges::all_of(request.stages, [&](const StageWrite& w) {
        if (!draft_.stage(w.id) || !w.attempt || w.args || w.dependencies || w.assignments || w.retry ||
            w.condition || w.runner || w.uses || w.timeout || w.heartbeat || w.continuation_group ||
            w.cancel || w.skip)
            return false;
        const AttemptWrite& a = *w.attempt;
        return a.heartbeat && !a.state && !a.details && a.progress.empty() && !a.holder && !a.runner;
    });
}

Answer Model::change(const WriteNodes& request, const ClockReading& now, bool is_tick,
                     const std::optional<ModelToken>& token) {
    answer_ = {};
    doubted_skips_.clear();
    validate(request);
    if (!answer_.errors.empty()) return answer_;
    answer_.version = plan_.version;
    if (!request.op_id.empty() && !flawed(Flaw::op_id_ignored)) {
        if (const auto seen = plan_.operations.find(request.op_id); seen != plan_.operations.end()) {
            answer_.replayed = true;
            answer_.version = seen->second;
            if (const auto got = plan_.claims.find(request.op_id);
                request.claim && got != plan_.claims.end() && got->second.first == request.claim->process_uid)
                answer_.claimed = got->second.second;
            return answer_;
        }
    }
    if (request.if_version && *request.if_version != plan_.version && !flawed(Flaw::if_version_ignored)) {
        refuse(ErrorCode::conflict);
        return answer_;
    }
    draft_ = plan_;
    now_ = time_of(plan_.clock, now);
    draft_.clock = {now_, now.since_boot, now.boot_id};
    wall_ = now.wall;
    request_ = &request;
    labels_changed_ = has_heartbeat_ = false;
    bool expired = false;
    if (!is_heartbeat(request) || flawed(Flaw::heartbeat_expires)) {
        expired = expire(request);
        expired |= lose(request, is_tick);
    } else if (flawed(Flaw::heartbeat_looks)) {
        expired = lose(request, false);
    }
    advance();  // as if a tick had come first
    if (expired && flawed(Flaw::refusal_keeps_expiry)) plan_ = draft_;
    if (token && !is_tick) check_token(*token);
    if (!answer_.errors.empty()) return answer_;
    if (request.labels) {
        const auto labels = merged(draft_.labels, parse(*request.labels));
        labels_changed_ = labels != draft_.labels;
        draft_.labels = labels;
    }
    apply(request);
    return settle(request);
}

void Model::apply(const WriteNodes& request) {
    request_ = &request;
    std::optional<CreatedBy> author;
    if (request.inside && !flawed(Flaw::authors_unknown)) {
        const ModelStage* stage = draft_.stage(request.inside->stage_id);
        if (stage && request.inside->idx >= 1 && request.inside->idx <= stage->current())
            author = {request.inside->stage_id, request.inside->idx};
    }
    add_stubs(request, author);
    write_limits(request);
    for (const auto& s : draft_.stages)
        if (s.state != State::final) refuse_strange_uses(s);
    for (const auto& w : request.checks) write_check(w);
    for (const auto& w : request.stages) write_stage(w);
    if (draft_.cancelled) cancel_late_stages();
    if (!answer_.errors.empty()) {
        // One of these codes; a cycle may be seen first.
        refuse_cycles();
        return;
    }
    refuse_cycles();
    if (!answer_.errors.empty()) return;
    advance();
    apply_late(request);
    if (request.cancel && answer_.errors.empty()) {
        cancel_plan(*request.cancel);
        advance();
    }
    if (request.claim && answer_.errors.empty()) take(*request.claim);
}

/// Nodes that are there from now on, for others to refer to.
void Model::add_stubs(const WriteNodes& request, const std::optional<CreatedBy>& author) {
    for (const auto& w : request.checks) {
        if (draft_.check(w.id)) continue;
        ModelCheck c;
        c.ref = {NodeType::check, w.id};
        c.created = true;
        c.created_by = author;
        draft_.checks.push_back(c);
    }
    for (const auto& w : request.stages) {
        if (draft_.stage(w.id)) continue;
        ModelStage s;
        s.ref = {NodeType::stage, w.id};
        s.created = true;
        s.created_by = author;
        draft_.stages.push_back(s);
    }
}

/// What could not be said before: results of checks that were PLANNED, attempts of new stages.
void Model::apply_late(const WriteNodes& request) {
    for (const auto& w : request.checks) {
        ModelCheck& check = *draft_.check(w.id);
        for (const auto& r : check.late) write_result(check, r, false);
    }
    for (const auto& w : request.stages) {
        ModelStage& stage = *draft_.stage(w.id);
        if (!stage.created) continue;
        if (w.attempt) write_attempt(stage, *w.attempt);
        if (w.cancel) cancel(stage);
        if (w.skip) skip(stage);
    }
    for (const auto& w : request.checks)
        if (w.skip) skip(*draft_.check(w.id));  // with all else that was said of it
    advance();
}

/// Takes the draft over if it differs from the plan, and tells what became of the request.
Answer Model::settle(const WriteNodes& request) {
    if (!answer_.errors.empty()) return answer_;
    blame();
    judge_skips();
    bool changed = labels_changed_;
    const auto look = [&](ModelNode& node) {
        if (node.touched) answer_.recorded.push_back(node.ref);
        changed |= node.touched;
    };
    for (auto& c : draft_.checks) look(c);
    for (auto& s : draft_.stages) look(s);
    std::ranges::sort(answer_.recorded);
    std::ranges::sort(answer_.advanced);
    std::ranges::sort(answer_.ended);
    const auto tell = [&](const NodeRef& ref) {
        const ModelNode& node = *draft_.node(ref);
        if (node.created) {
            answer_.created.push_back(ref);
        } else if (node.by_writer) {
            answer_.changed.push_back(ref);
        }
    };
    for (const auto& w : request.checks) tell({NodeType::check, w.id});
    for (const auto& w : request.stages) tell({NodeType::stage, w.id});
    for (const auto& claimed : answer_.claimed) {
        const NodeRef ref{NodeType::stage, claimed.substr(0, claimed.find(' '))};
        const bool told = std::ranges::any_of(request.stages, [&](const auto& w) { return w.id == ref.id; });
        if (!told) tell(ref);
    }
    if (request.cancel)
        for (const auto& s : draft_.stages)
            if (std::ranges::none_of(request.stages, [&](const auto& w) { return w.id == s.ref.id; }) &&
                std::ranges::find(answer_.changed, s.ref) == answer_.changed.end())
                tell(s.ref);
    const auto clear = [](ModelNode& node) { node.touched = node.by_writer = node.created = false; };
    for (auto& c : draft_.checks) {
        clear(c);
        c.late.clear();
    }
    for (auto& s : draft_.stages) clear(s);
    if (flawed(Flaw::no_op_counts)) changed = true;
    if (changed) {
        ++draft_.version;
        const auto stamp = [&](ModelGroup& group, auto& self) -> void {
            for (auto& e : group.edges)
                if (!e.resolved_at && evaluate(draft_, e) != Resolution::unresolved) e.resolved_at = now_;
            for (auto& g : group.groups) self(g, self);
        };
        for (auto& c : draft_.checks) stamp(c.dependencies, stamp);
        for (auto& s : draft_.stages) {
            stamp(s.dependencies, stamp);
            stamp(s.group, stamp);
        }
    }
    answer_.version = draft_.version;
    if (request.dry_run) return answer_;
    const bool no_change = is_heartbeat(request) && !flawed(Flaw::heartbeat_keeps_op_id);
    if (changed) plan_ = draft_;
    if (!changed && has_heartbeat_) {
        const auto clock = plan_.clock;  // goes on with changes alone
        plan_ = draft_;
        plan_.clock = clock;
    }
    const bool got_nothing = request.claim && answer_.claimed.empty();
    if (request.op_id.empty() || got_nothing || no_change) return answer_;
    plan_.operations.emplace(request.op_id, plan_.version);
    if (request.claim) plan_.claims[request.op_id] = {request.claim->process_uid, answer_.claimed};
    return answer_;
}

// ---------------------------------------------------------------------------------- references

std::optional<NodeRef> Model::resolve(const RefText& ref, bool continuation) {
    const auto type = continuation ? std::optional(NodeType::stage) : ref.type;
    const bool check = type != NodeType::stage && draft_.check(ref.id);
    const bool stage = type != NodeType::check && draft_.stage(ref.id);
    if (check && stage && !flawed(Flaw::check_wins_bare_names)) {
        refuse(ErrorCode::invalid_argument);
    } else if (!check && !stage) {
        refuse(ErrorCode::invalid_dependency);
    } else {
        return NodeRef{check ? NodeType::check : NodeType::stage, ref.id};
    }
    return std::nullopt;
}

ModelGroup Model::resolve(const PredicateSpec& spec, bool continuation) {
    ModelGroup group;
    group.kind = spec.kind;
    group.at_least = spec.at_least;
    bool whole = true;
    for (const auto& e : spec.edges) {
        const auto target = resolve(e.target, continuation);
        if (!target) {
            whole = false;
            continue;
        }
        if (rank(target->type, e.on_state) == 0) {
            refuse(ErrorCode::invalid_argument);
            whole = false;
            continue;
        }
        const ModelEdge edge{*target, e.on_state, e.when.value_or(When::success), {}};
        const bool twice = std::ranges::any_of(group.edges, [&](const ModelEdge& o) { return o.same(edge); });
        if (!twice || flawed(Flaw::duplicate_edges_count)) group.edges.push_back(edge);
    }
    for (const auto& g : spec.groups) {
        group.groups.push_back(resolve(g, continuation));
    }
    if (!whole) {
        group.groups.emplace_back();  // refused, but not "no dependencies"
        return group;
    }
    if (group.kind == GroupKind::at_least &&
        group.at_least > static_cast<std::int64_t>(group.edges.size() + group.groups.size())) {
        refuse(ErrorCode::invalid_dependency);
    }
    return group;
}

std::vector<Condition> Model::conditions(const std::vector<ConditionSpec>& specs) {
    std::vector<Condition> all;
    for (const auto& s : specs) all.push_back(s.condition);
    return all;
}

namespace {

/// Checks that have to resolve before the group can be satisfied.
void collect_needed(const ModelGroup& group, std::set<std::string>& found) {
    if (group.needed() < static_cast<std::int64_t>(group.edges.size() + group.groups.size())) return;
    for (const auto& e : group.edges)
        if (e.target.type == NodeType::check) found.insert(e.target.id);
    for (const auto& g : group.groups) collect_needed(g, found);
}

}  // namespace

void Model::refuse_strange_conditions(const ModelNode& node) {
    std::set<std::string> needed;
    collect_needed(node.dependencies, needed);
    for (const auto& c : node.condition)
        if (!needed.contains(c.check) && !flawed(Flaw::conditions_ask_anybody))
            refuse(ErrorCode::invalid_dependency);
}

// ---------------------------------------------------------------------------------- checks

/// What an attempt asks for that ends a check: its stage must be assigned to it, and only the results are
/// ended. The check ends with the stages.
CheckWrite Model::from_inside(const ModelCheck& check, CheckWrite write) {
    if (!request_->inside || write.state != State::final || check.state == State::final) return write;
    const ModelStage* stage = draft_.stage(request_->inside->stage_id);
    const bool assigned = stage && !stage->created && !check.created &&
                          std::ranges::any_of(stage->assignments, [&](const Assignment& a) {
                              return a.target_check_id == check.ref.id && a.goal_state == State::final;
                          });
    if (!assigned) {
        if (!flawed(Flaw::strangers_end_checks)) refuse(ErrorCode::invalid_state);
        return write;
    }
    if (flawed(Flaw::inside_ends_checks)) return write;
    const bool depends = write.dependencies ? !write.dependencies->empty() : !check.dependencies.empty();
    write.state.reset();
    if (check.state == State::planning && !depends) write.state = State::waiting;
    if (write.results.empty()) write.results.emplace_back();
    for (auto& r : write.results) r.finalize |= !flawed(Flaw::last_word_stays_open);
    return write;
}

void Model::create_check(ModelCheck& check, const CheckWrite& write,
                         const std::optional<ModelGroup>& dependencies) {
    check.created_at = now_;
    check.kind = write.kind.value_or("");
    check.required = write.required.value_or(true);
    if (write.options) check.options = parse(*write.options);
    if (dependencies) check.dependencies = *dependencies;
    if (write.condition) check.condition = conditions(*write.condition);
    refuse_strange_conditions(check);
    const State first = write.state.value_or(State::planning);
    if (first > State::planned && !check.dependencies.empty() && !flawed(Flaw::direct_with_dependencies))
        refuse(ErrorCode::invalid_state);
    check.state = first == State::final ? State::waiting : first;
    touch(check, Mover::writer);
    if (first != State::final) check.history.push_back({first, draft_.version + 1, now_});
}

void Model::change_check(ModelCheck& check, const CheckWrite& write,
                         const std::optional<ModelGroup>& dependencies) {
    if (write.kind && *write.kind != check.kind) refuse(ErrorCode::invalid_state);
    if (write.options) {
        const auto given = parse(*write.options);
        const auto options = given == check.options ? given : merged(check.options, given);
        if (options != check.options) {
            if (check.state != State::planning && !flawed(Flaw::options_stay_open))
                refuse(ErrorCode::invalid_state);
            check.options = options;
            touch(check, Mover::writer);
        }
    }
    if (write.required && *write.required != check.required) {
        if (check.state != State::planning && !flawed(Flaw::required_stays_open))
            refuse(ErrorCode::invalid_state);
        check.required = *write.required;
        touch(check, Mover::writer);
    }
    if (dependencies && !same(*dependencies, check.dependencies)) {
        if (check.state != State::planning) refuse(ErrorCode::invalid_state);
        check.dependencies = *dependencies;
        touch(check, Mover::writer);
    }
    if (write.condition && !same(conditions(*write.condition), check.condition)) {
        if (check.state != State::planning) refuse(ErrorCode::invalid_state);
        check.condition = conditions(*write.condition);
        touch(check, Mover::writer);
    }
    if (dependencies || write.condition) refuse_strange_conditions(check);
    if (write.state && *write.state != State::final) ask_state(check, *write.state);
}

void Model::write_check(const CheckWrite& asked) {
    ModelCheck& check = *draft_.check(asked.id);
    const CheckWrite write = from_inside(check, asked);
    std::optional<ModelGroup> dependencies;
    if (write.dependencies) dependencies = resolve(*write.dependencies, false);
    check.created ? create_check(check, write, dependencies) : change_check(check, write, dependencies);
    const bool ends = write.state == State::final && check.state != State::final;
    if (ends && !check.created) {
        const bool direct = check.state == State::planning && check.dependencies.empty();
        if (check.state != State::waiting && !direct) refuse(ErrorCode::invalid_state);
    }
    if (check.state == State::planned && !flawed(Flaw::results_while_planned)) {
        check.late = write.results;
    } else {
        for (const auto& r : write.results) write_result(check, r, ends);
    }
    if (ends) end_by_writer(check);
}

/// Somebody does not need the answer. One that is no is not skipped.
void Model::skip(ModelCheck& check) {
    if (check.state == State::final) {
        if (check.outcome != Outcome::skipped) refuse(ErrorCode::invalid_state);
        return;
    }
    const Answers sum = answers(check);
    const bool failed = sum.failed || !sum.broken.empty();
    if (failed && !flawed(Flaw::failures_may_be_skipped)) return refuse(ErrorCode::invalid_state);
    add_note(check, true, {request_->reason});
    check.skip_cause = flawed(Flaw::hand_skips_upstream) ? SkipCause::upstream : SkipCause::not_needed;
    touch(check, Mover::writer);
    finish(check, Outcome::skipped, Mover::orchestrator);
}

void Model::ask_state(ModelCheck& check, State asked) {
    const int now = rank(NodeType::check, check.state), then = rank(NodeType::check, asked);
    if (now == then) return;
    if (asked == State::planned && now > then && !flawed(Flaw::planned_is_strict)) return;
    const bool direct = check.dependencies.empty() || flawed(Flaw::direct_with_dependencies);
    const bool allowed = check.state == State::planning && (asked == State::planned || direct);
    if (!allowed) return refuse(ErrorCode::invalid_state);
    move(check, asked, Mover::writer);
}

void Model::write_result(ModelCheck& check, const ResultWrite& write, bool ends_here) {
    ModelResult wanted;
    const auto owner = write.owner ? write.owner : request_->inside;
    bool ended = false;
    if (owner) {
        ModelStage* stage = draft_.stage(owner->stage_id);
        if (!stage || owner->idx > static_cast<std::int32_t>(stage->attempts.size()))
            return refuse(ErrorCode::not_found);
        const ModelAttempt& attempt = stage->attempts[static_cast<std::size_t>(owner->idx - 1)];
        ended = attempt.absent || is_ended(attempt.state);
        wanted.owner_type = OwnerType::stage_attempt;
        wanted.owner_id = draft_.id + ":" + owner->stage_id + ":" + std::to_string(owner->idx);
        wanted.stage = owner->stage_id;
        wanted.idx = owner->idx;
    } else {
        wanted.owner_id = request_->actor;
    }
    const auto found = std::ranges::find_if(check.results, [&](const ModelResult& r) {
        return r.owner_type == wanted.owner_type && r.owner_id == wanted.owner_id;
    });
    const bool fresh = found == check.results.end();
    if (!fresh) wanted = *found;
    if (write.data) {
        const auto patch = parse(*write.data);
        if (fresh && flawed(Flaw::null_is_kept)) {
            wanted.data = patch;
        } else {
            wanted.data = merged(wanted.data, patch);
        }
    }
    if (write.failure) wanted.failure = write.failure;
    if (write.clear_failure) wanted.failure.reset();
    const bool finalizes = write.finalize && (fresh || !found->finalized_at);
    if (!fresh && wanted.data == found->data && wanted.failure == found->failure && !finalizes) return;
    if (ended) refuse(ErrorCode::invalid_state);
    if (!fresh && found->finalized_at && !flawed(Flaw::finalized_is_open)) refuse(ErrorCode::invalid_state);
    const bool open = check.state == State::waiting || ends_here ||
                      (flawed(Flaw::results_while_planned) && check.state == State::planned);
    if (!open) refuse(ErrorCode::invalid_state);
    if (finalizes) wanted.finalized_at = now_;
    if (fresh) {
        wanted.created_at = now_;
        check.results.push_back(wanted);
    } else {
        *found = wanted;
    }
    touch(check, Mover::writer);
}

// ---------------------------------------------------------------------------------- stages

void Model::write_stage(const StageWrite& write) {
    ModelStage& stage = *draft_.stage(write.id);
    if (stage.created) {
        create_stage(stage, write);
    } else {
        repeat_stage(stage, write);
    }
    if (write.continuation_group) {
        const auto group = resolve(*write.continuation_group, true);
        if (!same(group, stage.group)) {
            if (stage.over || stage.state == State::final) refuse(ErrorCode::invalid_state);
            stage.group = group;
            stage.group_since = now_;
            touch(stage, Mover::writer);
        }
    }
    if (stage.created) return;  // has no attempt yet
    if (write.attempt) write_attempt(stage, *write.attempt);
    if (write.cancel) cancel(stage);
    if (write.skip) skip(stage);
}

void Model::create_stage(ModelStage& stage, const StageWrite& write) {
    stage.created_at = now_;
    stage.state = State::planned;
    if (write.args) stage.args = parse(*write.args);
    if (write.dependencies) stage.dependencies = resolve(*write.dependencies, false);
    if (write.condition) stage.condition = conditions(*write.condition);
    refuse_strange_conditions(stage);
    if (write.assignments)
        for (const auto& a : *write.assignments) {
            if (!draft_.check(a.target_check_id)) refuse(ErrorCode::invalid_dependency);
            const Assignment wanted{a.target_check_id, a.goal_state};
            if (std::ranges::find(stage.assignments, wanted) == stage.assignments.end())
                stage.assignments.push_back(wanted);
        }
    stage.retry = write.retry.value_or(Retry{});
    stage.timeout = write.timeout;
    stage.runner = write.runner.value_or("");
    stage.uses = by_name(write.uses.value_or(std::vector<Use>{}));
    refuse_strange_uses(stage);
    stage.heartbeat = write.heartbeat;
    touch(stage, Mover::writer);
    stage.history.push_back({State::planned, draft_.version + 1, now_});
}

void Model::repeat_stage(ModelStage& stage, const StageWrite& write) {
    const auto insist = [&](bool same_as_before) {
        if (!same_as_before) refuse(ErrorCode::invalid_state);
    };
    if (write.args) insist(parse(*write.args) == stage.args);
    if (write.dependencies) insist(same(resolve(*write.dependencies, false), stage.dependencies));
    if (write.condition) insist(same(conditions(*write.condition), stage.condition));
    if (write.assignments) {
        std::set<std::pair<std::string, State>> given, now;
        for (const auto& a : *write.assignments) {
            if (!draft_.check(a.target_check_id)) refuse(ErrorCode::invalid_dependency);
            given.emplace(a.target_check_id, a.goal_state);
        }
        for (const auto& a : stage.assignments) now.emplace(a.target_check_id, a.goal_state);
        insist(given == now);
    }
    if (write.retry) insist(*write.retry == stage.retry);
    if (write.runner) insist(*write.runner == stage.runner);
    if (write.uses) insist(by_name(*write.uses) == stage.uses);
    if (write.timeout) insist(write.timeout == stage.timeout);
    if (write.heartbeat) insist(write.heartbeat == stage.heartbeat);
}

}  // namespace turboci::model
