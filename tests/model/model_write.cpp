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

/// The same members, in whatever order.
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

}  // namespace

Answer Model::create(const CreatePlan& request, const ClockReading& now) {
    answer_ = {};
    validate(request.nodes);
    if (!answer_.errors.empty()) return answer_;
    draft_ = {};
    draft_.created_at = now_ = now.wall;
    draft_.clock = {now.wall, now.since_boot, now.boot_id};
    for (const auto& [key, value] : request.labels) draft_.labels[key] = value;
    labels_changed_ = true;  // a plan is always something new
    apply(request.nodes);
    return settle(request.nodes);
}

Answer Model::write(const WriteNodes& request, const ClockReading& now) {
    return change(request, now, false);
}

Answer Model::tick(const ClockReading& now) { return change({}, now, true); }

Answer Model::change(const WriteNodes& request, const ClockReading& now, bool is_tick) {
    answer_ = {};
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
    labels_changed_ = false;
    bool expired = expire(request);
    if (is_tick) expired |= lose();
    advance();  // as if a tick had come first
    if (expired && flawed(Flaw::refusal_keeps_expiry)) plan_ = draft_;
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
    std::vector<NodeRef> fresh;
    for (const auto& w : request.checks) {
        if (draft_.check(w.id)) continue;
        ModelCheck c;
        c.ref = {NodeType::check, w.id};
        c.created = true;
        draft_.checks.push_back(c);
    }
    for (const auto& w : request.stages) {
        if (draft_.stage(w.id)) continue;
        ModelStage s;
        s.ref = {NodeType::stage, w.id};
        s.created = true;
        draft_.stages.push_back(s);
    }
    for (const auto& w : request.checks) write_check(w);
    for (const auto& w : request.stages) write_stage(w);
    if (!answer_.errors.empty()) {
        // One of these codes; a cycle may be seen first.
        refuse_cycles();
        return;
    }
    refuse_cycles();
    if (!answer_.errors.empty()) return;
    advance();
    // What could not be said before: results of checks that were PLANNED, attempts of new stages.
    for (const auto& w : request.checks) {
        ModelCheck& check = *draft_.check(w.id);
        if (!check.late) continue;
        for (const auto& r : w.results) write_result(check, r, false);
    }
    for (const auto& w : request.stages) {
        ModelStage& stage = *draft_.stage(w.id);
        if (!stage.created) continue;
        if (w.attempt) write_attempt(stage, *w.attempt);
        if (w.cancel) cancel(stage);
    }
    advance();
    if (request.claim && answer_.errors.empty()) take(*request.claim);
}

/// Takes the draft over if it differs from the plan, and tells what became of the request.
Answer Model::settle(const WriteNodes& request) {
    if (!answer_.errors.empty()) return answer_;
    blame();
    bool changed = labels_changed_;
    const auto look = [&](ModelNode& node) {
        if (node.touched) answer_.recorded.push_back(node.ref);
        changed |= node.touched;
    };
    for (auto& c : draft_.checks) look(c);
    for (auto& s : draft_.stages) look(s);
    std::ranges::sort(answer_.recorded);
    std::ranges::sort(answer_.advanced);
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
    const auto clear = [](ModelNode& node) { node.touched = node.by_writer = node.created = false; };
    for (auto& c : draft_.checks) {
        clear(c);
        c.late = false;
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
    if (changed) plan_ = draft_;
    const bool got_nothing = request.claim && answer_.claimed.empty();
    if (request.op_id.empty() || got_nothing) return answer_;
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

// ---------------------------------------------------------------------------------- checks

void Model::write_check(const CheckWrite& write) {
    ModelCheck& check = *draft_.check(write.id);
    std::optional<ModelGroup> dependencies;
    if (write.dependencies) dependencies = resolve(*write.dependencies, false);
    if (check.created) {
        check.created_at = now_;
        check.kind = write.kind.value_or("");
        if (write.options) check.options = parse(*write.options);
        if (dependencies) check.dependencies = *dependencies;
        const State first = write.state.value_or(State::planning);
        if (first > State::planned && !check.dependencies.empty() && !flawed(Flaw::direct_with_dependencies))
            refuse(ErrorCode::invalid_state);
        check.state = first == State::final ? State::waiting : first;
        touch(check, Mover::writer);
        if (first != State::final) check.history.push_back({first, draft_.version + 1, now_});
    } else {
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
        if (dependencies && !same(*dependencies, check.dependencies)) {
            if (check.state != State::planning) refuse(ErrorCode::invalid_state);
            check.dependencies = *dependencies;
            touch(check, Mover::writer);
        }
        if (write.state && *write.state != State::final) ask_state(check, *write.state);
    }
    const bool ends = write.state == State::final && check.state != State::final;
    if (ends && !check.created) {
        const bool direct = check.state == State::planning && check.dependencies.empty();
        if (check.state != State::waiting && !direct) refuse(ErrorCode::invalid_state);
    }
    check.late = check.state == State::planned && !flawed(Flaw::results_while_planned);
    if (!check.late)
        for (const auto& r : write.results) write_result(check, r, ends);
    if (ends) finish(check, outcome_of(check), Mover::writer);
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
        ended = is_ended(stage->attempts[static_cast<std::size_t>(owner->idx - 1)].state);
        wanted.owner_type = OwnerType::stage_attempt;
        wanted.owner_id = request_->plan + ":" + owner->stage_id + ":" + std::to_string(owner->idx);
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
            touch(stage, Mover::writer);
        }
    }
    if (stage.created) return;  // has no attempt yet
    if (write.attempt) write_attempt(stage, *write.attempt);
    if (write.cancel) cancel(stage);
}

void Model::create_stage(ModelStage& stage, const StageWrite& write) {
    stage.created_at = now_;
    stage.state = State::planned;
    if (write.args) stage.args = parse(*write.args);
    if (write.dependencies) stage.dependencies = resolve(*write.dependencies, false);
    if (write.assignments)
        for (const auto& a : *write.assignments) {
            if (!draft_.check(a.target_check_id)) refuse(ErrorCode::invalid_dependency);
            const Assignment wanted{a.target_check_id, a.goal_state};
            if (std::ranges::find(stage.assignments, wanted) == stage.assignments.end())
                stage.assignments.push_back(wanted);
        }
    stage.retry = write.retry.value_or(Retry{});
    stage.timeout = write.timeout;
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
    if (write.timeout) insist(write.timeout == stage.timeout);
    if (write.heartbeat) insist(write.heartbeat == stage.heartbeat);
}

void Model::run(ModelStage& stage, ModelAttempt& attempt, const std::string& uid) {
    attempt.state = AttemptState::running;
    attempt.process_uid = uid;
    attempt.started_at = attempt.last_heartbeat = attempt.updated_at = now_;
    touch(stage, Mover::writer);
}

void Model::write_attempt(ModelStage& stage, const AttemptWrite& write) {
    const auto current = static_cast<std::int32_t>(stage.attempts.size());
    if (current == 0) {
        refuse(ErrorCode::invalid_state);
        if (write.idx) refuse(ErrorCode::not_found);
        return;
    }
    if (write.idx && *write.idx > current) return refuse(ErrorCode::not_found);
    const auto says = [&](const ModelAttempt& told) {
        return !write.heartbeat && write.progress.empty() && (!write.state || *write.state == told.state) &&
               (!write.failure || write.failure == told.failure) &&
               (!write.process_uid || *write.process_uid == told.process_uid) &&
               (!write.details || merged(told.details, parse(*write.details)) == told.details);
    };
    if (write.idx && *write.idx < current) {
        // What is so already may be said again.
        if (*write.idx < 1 || !says(stage.attempts[static_cast<std::size_t>(*write.idx) - 1]))
            refuse(ErrorCode::invalid_state);
        return;
    }
    ModelAttempt& a = stage.attempts.back();
    const bool takes = write.state && *write.state != AttemptState::pending;
    const bool owns = takes || !a.process_uid.empty();
    const std::string uid = owns ? write.process_uid.value_or(a.process_uid) : a.process_uid;
    const auto details = write.details ? merged(a.details, parse(*write.details)) : a.details;
    const bool news = details != a.details || !write.progress.empty() || write.heartbeat ||
                      uid != a.process_uid || (write.failure && write.failure != a.failure);
    const bool moves = write.state && *write.state != a.state;
    if (!news && !moves) return;
    if (is_ended(a.state)) return refuse(ErrorCode::invalid_state);
    if (uid != a.process_uid && !a.process_uid.empty() && !flawed(Flaw::any_uid_may_speak))
        refuse(ErrorCode::conflict);
    const bool begins = write.state == AttemptState::scheduled || write.state == AttemptState::running;
    if (current > 1 && !write.idx && !begins && a.process_uid.empty()) {
        // Who speaks of "the attempt" may mean the one before: its holder, or whoever has just lost it.
        const auto& before = stage.attempts[static_cast<std::size_t>(current) - 2];
        if (a.created_at == now_ || (write.process_uid && before.process_uid == *write.process_uid))
            refuse(ErrorCode::invalid_state);
    }
    if (write.state && *write.state < a.state) refuse(ErrorCode::invalid_state);
    if (moves && write.state == AttemptState::running && uid.empty()) refuse(ErrorCode::invalid_argument);
    if (!answer_.errors.empty()) return;
    a.details = details;
    a.process_uid = uid;
    if (write.runner) a.runner = write.runner;
    for (const auto& [message, more] : write.progress) a.progress.push_back({message, now_, more});
    a.updated_at = now_;
    const bool word = write.heartbeat || !flawed(Flaw::word_is_not_a_heartbeat);
    const bool stays = !write.state || !is_ended(*write.state);
    if (a.state == AttemptState::running && word && stays) a.last_heartbeat = now_;
    touch(stage, Mover::writer);
    if (!moves) return;
    if (write.state == AttemptState::running) {
        run(stage, a, uid);
    } else if (is_ended(*write.state)) {
        end_attempt(stage, *write.state, write.failure, write.no_retry, Mover::writer);
    } else {
        a.state = *write.state;
    }
}

void Model::cancel(ModelStage& stage) {
    if (stage.state == State::final) {
        if (stage.outcome != Outcome::cancelled) refuse(ErrorCode::invalid_state);
        return;
    }
    if (!stage.attempts.empty() && !is_ended(stage.attempts.back().state))
        end_attempt(stage, AttemptState::incomplete, "<cancelled>", true, Mover::writer);
    touch(stage, Mover::writer);
    stage.over = true;
    stage.outcome = Outcome::cancelled;
    stage.reason = ConcludedReason::cancelled;
    if (flawed(Flaw::cancel_retries) && stage.state == State::attempting) {
        stage.over = false;
        stage.outcome.reset();
        return;
    }
    move(stage, State::final, Mover::orchestrator);
}

// ---------------------------------------------------------------------------------- claims

void Model::take(const Claim& claim) {
    const auto ready_at = [](const ModelAttempt& a) { return a.not_before.value_or(a.created_at); };
    const auto is_ready = [&](const ModelStage& s) {
        return ready_at(s.attempts.back()) <= now_ || flawed(Flaw::claim_ignores_backoff);
    };
    const auto claimed = [&](ModelStage& s) {
        answer_.claimed.push_back(s.ref.id + " " + std::to_string(s.attempts.size()));
    };
    if (claim.stages.empty()) {
        for (std::int32_t n = 0; n < claim.at_most; ++n) {
            ModelStage* oldest = nullptr;
            for (auto& s : draft_.stages) {
                if (s.state != State::attempting || s.attempts.back().state != AttemptState::pending)
                    continue;
                if (!is_ready(s)) continue;
                if (!oldest || ready_at(s.attempts.back()) < ready_at(oldest->attempts.back())) oldest = &s;
            }
            if (!oldest) return;
            oldest->attempts.back().runner = claim.runner;
            run(*oldest, oldest->attempts.back(), claim.process_uid);
            claimed(*oldest);
        }
        return;
    }
    // Named ones in the order in which they are named; `exact` tells why one cannot be had.
    const auto tell = [&](ErrorCode code) {
        if (claim.exact) refuse(code);
    };
    for (const auto& id : claim.stages) {
        if (answer_.claimed.size() == static_cast<std::size_t>(claim.at_most)) return;
        ModelStage* s = draft_.stage(id);
        if (!s) {
            tell(ErrorCode::not_found);
            continue;
        }
        if (s->state != State::attempting) {
            tell(s->state == State::planned ? ErrorCode::pending : ErrorCode::invalid_state);
            continue;
        }
        ModelAttempt& a = s->attempts.back();
        const bool others = !a.process_uid.empty() && a.process_uid != claim.process_uid;
        if (others) {
            tell(ErrorCode::conflict);
        } else if (a.state == AttemptState::running) {
            if (claim.exact) claimed(*s);  // says so again
        } else if (!is_ready(*s)) {
            tell(ErrorCode::pending);
        } else {
            a.runner = claim.runner;
            run(*s, a, claim.process_uid);
            claimed(*s);
        }
    }
}

}  // namespace turboci::model
