// SPDX-License-Identifier: Apache-2.0
#include "engine/validate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "domain/json_pointer.hpp"
#include "domain/key_set.hpp"
#include "domain/quotes.hpp"
#include "domain/stage_args.hpp"

namespace turboci {

namespace {

constexpr std::int32_t kMaxExitStatus = 255;

/// One pass over a request. Problems carry the position of the node or value that they are about.
class Validator {
public:
    Validator(const WriteNodes& request, Problems& problems) : request_(request), problems_(problems) {}

    void run() {
        header();
        if (request_.claim) claim(*request_.claim);
        CheckWrite a_check;
        for (std::size_t i = 0; i < request_.checks.size(); ++i) {
            request_.checks.read(i, a_check);
            check(a_check);
        }
        StageWrite a_stage;
        for (std::size_t i = 0; i < request_.stages.size(); ++i) {
            request_.stages.read(i, a_stage);
            stage(a_stage);
        }
        duplicates(NodeType::check, request_.checks);
        duplicates(NodeType::stage, request_.stages);
    }

private:
    void problem(Position at, std::string message) {
        add(ErrorCode::invalid_argument, at, std::move(message));
    }
    void add(ErrorCode code, Position at, std::string message) {
        problems_.add(code, at, std::move(message));
    }

    void name(std::string_view text, std::string_view what, Position at);
    void message(std::string_view text, std::string_view what, Position at);
    void id(std::string_view text, Position at);
    void header();
    void attempt_ref(const AttemptRef& ref, Position at);
    void claim(const Claim& claim);
    void check(const CheckWrite& write);
    void result(const ResultWrite& write);
    void stage(const StageWrite& write);
    void policy(const StageWrite& write);
    void uses(const StageWrite& write);
    void condition(const std::vector<ConditionSpec>& specs, Position owner);
    void limits();
    /// `ends`: the write says that the stage is FINAL.
    void attempt(const AttemptWrite& write, bool ends);
    void predicate(const PredicateSpec& root, Position owner, bool continuation);
    void group(const PredicateSpec& group, Position at, bool is_root);
    void edge(const EdgeSpec& edge, bool continuation);
    template <class Write>
    void duplicates(NodeType type, const WriteList<Write>& writes);

    const WriteNodes& request_;
    Problems& problems_;
};

void Validator::name(std::string_view text, std::string_view what, Position at) {
    if (text.size() > kMaxNameBytes) {
        problem(at, fmt::format("'{}' is {} bytes long, {} at most", what, text.size(), kMaxNameBytes));
    } else if (!is_valid_utf8(text)) {
        problem(at, fmt::format("'{}' is not valid UTF-8", what));
    } else if (has_control_character(text)) {
        problem(at, fmt::format("'{}' has a control character: {}", what, in_quotes(text)));
    }
}

void Validator::message(std::string_view text, std::string_view what, Position at) {
    if (text.size() > kMaxMessageBytes) {
        problem(at, fmt::format("'{}' is {} bytes long, {} at most", what, text.size(), kMaxMessageBytes));
    } else if (!is_valid_utf8(text)) {
        problem(at, fmt::format("'{}' is not valid UTF-8", what));
    } else if (text.find('\0') != std::string_view::npos) {
        problem(at, fmt::format("'{}' has a null character", what));
    }
}

void Validator::id(std::string_view text, Position at) {
    if (const auto why = node_id_problem(text))
        problem(at, fmt::format("the id {} {}", in_quotes(text), *why));
}

void Validator::header() {
    if (!request_.plan.empty()) {
        if (const auto why = plan_choice_problem(request_.plan)) {
            problem({}, fmt::format("the plan id {} {}", in_quotes(request_.plan), *why));
        }
    }
    message(request_.reason, "reason", {});
    name(request_.actor, "actor", {});
    name(request_.op_id, "op_id", {});
    if (request_.if_version && *request_.if_version < 0) {
        problem({}, fmt::format("'if_version' must not be negative, but is {}", *request_.if_version));
    }
    if (request_.inside) attempt_ref(*request_.inside, {});
    limits();
    if (request_.cancel)
        for (const auto& stage : request_.cancel->only) id(stage, {});
}

void Validator::attempt_ref(const AttemptRef& ref, Position at) {
    id(ref.stage_id, at);
    if (ref.idx < 1) problem(at, fmt::format("the number of an attempt must be at least 1, not {}", ref.idx));
}

void Validator::claim(const Claim& claim) {
    for (const auto& stage : claim.stages) id(stage, {});
    for (const auto* ids : {&claim.filter.only, &claim.filter.except, &claim.filter.judged})
        for (const auto& stage : *ids) id(stage, {});
    if (claim.at_most < 0 || claim.ahead < 0 || (claim.at_most == 0 && claim.ahead == 0))
        problem({}, fmt::format("cannot claim {} stages", std::min(claim.at_most, claim.ahead)));
    if (claim.process_uid.empty()) problem({}, "'process_uid' is empty");
    name(claim.process_uid, "process_uid", {});
}

void Validator::check(const CheckWrite& write) {
    id(write.id, write.id_at.line != 0 ? write.id_at : write.at);
    if (write.kind) name(*write.kind, "kind", write.at);
    if (write.state && state_number(NodeType::check, *write.state) == 0) {
        problem(write.at, fmt::format("a check has no state {}; use PLANNING, PLANNED, WAITING or FINAL",
                                      to_string(*write.state)));
    }
    if (write.dependencies) predicate(*write.dependencies, write.at, false);
    if (write.condition) condition(*write.condition, write.at);
    for (const auto& r : write.results) result(r);
}

void Validator::result(const ResultWrite& write) {
    if (write.failure) message(*write.failure, "failure", write.at);
    if (write.failure && write.clear_failure)
        problem(write.at, "a failure cannot be set and taken back at once");
    if (write.owner) attempt_ref(*write.owner, write.at);
    if (!write.by) return;
    if (write.by->empty()) problem(write.at, "the owner of a result is empty");
    name(*write.by, "owner", write.at);
}

void Validator::stage(const StageWrite& write) {
    id(write.id, write.id_at.line != 0 ? write.id_at : write.at);
    if (write.dependencies) predicate(*write.dependencies, write.at, false);
    if (write.continuation_group) predicate(*write.continuation_group, write.at, true);
    policy(write);
    if (write.condition) condition(*write.condition, write.at);
    if (write.args) {
        if (auto why = stage_args_problem(*write.args)) problem(write.at, std::move(*why));
    }
    if (write.state && state_number(NodeType::stage, *write.state) == 0)
        problem(write.at, fmt::format("a stage has no state {}", to_string(*write.state)));
    if (write.attempt) attempt(*write.attempt, write.state == State::final);
    if (!write.assignments) return;
    for (const auto& a : *write.assignments) {
        id(a.target_check_id, a.at);
        const bool reachable =
            a.goal_state == State::planned || a.goal_state == State::waiting || a.goal_state == State::final;
        if (!reachable) {
            problem(a.at, fmt::format("{} cannot be the goal of an assignment; use PLANNED, WAITING or FINAL",
                                      to_string(a.goal_state)));
        }
    }
}

void Validator::policy(const StageWrite& write) {
    if (write.retry && (write.retry->max_retries < 0 || write.retry->max_retries > 1000)) {
        problem(write.at,
                fmt::format("'max_retries' must be between 0 and 1000, not {}", write.retry->max_retries));
    }
    if (write.retry && write.retry->backoff < Duration::zero()) problem(write.at, "'backoff' is negative");
    if (write.timeout && *write.timeout <= Duration::zero())
        problem(write.at, "'timeout' must be more than nothing");
    if (write.heartbeat && *write.heartbeat <= Duration::zero()) {
        problem(write.at, "'heartbeat' must be more than nothing");
    }
    if (write.silence && *write.silence <= Duration::zero())
        problem(write.at, "'silence' must be more than nothing");
    if (write.retry && write.retry->max_backoff <= Duration::zero())
        problem(write.at, "'max_backoff' must be more than nothing");
    if (write.retry)
        for (const std::int32_t status : write.retry->on.exit)
            if (status < 1 || status > kMaxExitStatus)
                problem(write.at, fmt::format("{} is no exit status from 1 to {}", status, kMaxExitStatus));
    if (write.runner) {
        name(*write.runner, "runner", write.at);
        if (*write.runner == "*") problem(write.at, "'runner' must be one kind, not '*'");
    }
    if (write.uses) uses(write);
}

void Validator::uses(const StageWrite& write) {
    std::set<std::string_view> names;
    for (const Use& use : *write.uses) {
        name(use.limit, "uses", write.at);
        if (use.limit.empty()) problem(write.at, "'uses' has an empty name");
        if (use.count < 1)
            problem(write.at, fmt::format("the count of '{}' in 'uses' must be at least 1, not {}", use.limit,
                                          use.count));
        if (!names.insert(use.limit).second)
            problem(write.at, fmt::format("'uses' has '{}' twice", use.limit));
    }
}

void Validator::limits() {
    for (const Limit& limit : request_.limits) {
        name(limit.name, "limits", request_.limits_at);
        if (limit.name.empty()) problem(request_.limits_at, "'limits' has an empty name");
        if (limit.count < 1)
            problem(request_.limits_at,
                    fmt::format("the limit '{}' must be at least 1, not {}", limit.name, limit.count));
    }
}

void Validator::condition(const std::vector<ConditionSpec>& specs, Position owner) {
    for (const ConditionSpec& spec : specs) {
        const Position at = spec.at.line != 0 ? spec.at : owner;
        id(spec.condition.check, at);
        if (const auto why = json_pointer_problem(spec.condition.path)) problem(at, *why);
    }
}

void Validator::attempt(const AttemptWrite& write, bool ends) {
    if (write.idx && *write.idx < 1) {
        problem(write.at, fmt::format("the number of an attempt must be at least 1, not {}", *write.idx));
    }
    if (write.process_uid) {
        if (write.process_uid->empty()) problem(write.at, "'process_uid' is empty");
        name(*write.process_uid, "process_uid", write.at);
    }
    for (const auto& [text, details] : write.progress) message(text, "progress", write.at);
    if (write.failure) message(*write.failure, "failure", write.at);
    if (write.state == AttemptState::incomplete || (ends && !write.state)) return;
    const bool marks = write.holder && write.holder->stopping;
    if (write.failure && !marks) problem(write.at, "the failure of an attempt goes with 'state: INCOMPLETE'");
    if (write.no_retry) problem(write.at, "'no_retry' goes with 'state: INCOMPLETE'");
}

/// No recursion: nesting comes from the caller.
void Validator::predicate(const PredicateSpec& root, Position owner, bool continuation) {
    struct Open {
        const PredicateSpec* group;
        int depth;
    };
    std::vector<Open> open{{&root, 1}};
    while (!open.empty()) {
        const auto [spec, depth] = open.back();
        open.pop_back();
        const Position at = spec->at.line != 0 ? spec->at : owner;
        group(*spec, at, spec == &root);
        for (const auto& e : spec->edges) edge(e, continuation);
        if (depth == kMaxNesting && !spec->groups.empty()) {
            problem(at, fmt::format("groups are nested deeper than {} levels", kMaxNesting));
            return;
        }
        for (auto g = spec->groups.rbegin(); g != spec->groups.rend(); ++g) open.push_back({&*g, depth + 1});
    }
}

void Validator::group(const PredicateSpec& group, Position at, bool is_root) {
    if (group.empty()) {
        // An empty AND at the root is "no dependencies".
        if (is_root && group.kind == GroupKind::all) return;
        add(ErrorCode::invalid_dependency, at, "a group is empty");
        return;
    }
    if (group.kind != GroupKind::at_least) return;
    const auto members = static_cast<std::int64_t>(group.edges.size() + group.groups.size());
    if (group.at_least >= 1 && group.at_least <= members) return;
    add(ErrorCode::invalid_dependency, at,
        fmt::format("'at_least' is {}, but must be between 1 and the number of members, {}", group.at_least,
                    members));
}

void Validator::edge(const EdgeSpec& edge, bool continuation) {
    if (const auto why = node_id_problem(edge.target.id)) {
        problem(edge.at, fmt::format("{} names no node: its id {}", in_quotes(to_string(edge.target)), *why));
        return;
    }
    if (continuation && edge.target.type == NodeType::check) {
        add(ErrorCode::invalid_dependency, edge.at,
            fmt::format("only stages can be members of a continuation group, not {}",
                        to_string(edge.target)));
    }
    if (edge.target.type && state_number(*edge.target.type, edge.on_state) == 0) {
        problem(edge.at,
                fmt::format("a {} has no state {}", to_string(*edge.target.type), to_string(edge.on_state)));
    }
    if (edge.when && edge.on_state != State::final) {
        problem(edge.at,
                fmt::format("'when' is only for 'on_state: FINAL', not {}: before that there is no outcome",
                            to_string(edge.on_state)));
    }
}

template <class Write>
void Validator::duplicates(NodeType type, const WriteList<Write>& writes) {
    KeySet seen;
    seen.reserve(writes.size());
    for (std::size_t i = 0; i < writes.size(); ++i) {
        // What is no id was reported, and has no place in a message as it is.
        const std::string_view id = writes.id(i);
        if (seen.insert(id) || node_id_problem(id)) continue;
        if (problems_.size() >= Problems::kMaxKept) {
            problem({}, {});  // only counted
            continue;
        }
        std::size_t first = 0;
        while (writes.id(first) != id) ++first;
        std::string text = fmt::format("{}:{} is named twice", to_string(type), id);
        if (const Position at = writes[first].at; at.line != 0 && at.file < request_.files.size()) {
            fmt::format_to(std::back_inserter(text), ", first at {}:{}:{}", request_.files[at.file], at.line,
                           at.column);
        }
        problem(writes[i].at, std::move(text));
    }
}

}  // namespace

void validate(const WriteNodes& request, Problems& problems) { Validator(request, problems).run(); }

namespace {

/// Of a plan that is to be made; without one it gets its own.
void validate_new_id(const std::string& id, Problems& problems) {
    if (id.empty()) return;
    if (const auto why = plan_id_problem(id))
        problems.add(ErrorCode::invalid_argument, {}, fmt::format("the plan id {} {}", in_quotes(id), *why));
}

}  // namespace

void validate(const RerunPlan& request, Problems& problems) {
    validate_new_id(request.id, problems);
    validate(request.definitions, problems);
}

void validate(const CreatePlan& request, Problems& problems) {
    validate_new_id(request.id, problems);
    for (const auto& [key, value] : request.labels) {
        if (!is_valid_utf8(key) || !is_valid_utf8(value)) {
            problems.add(ErrorCode::invalid_argument, {},
                         fmt::format("label {} is not valid UTF-8", in_quotes(key)));
        } else if (key.empty()) {
            problems.add(ErrorCode::invalid_argument, {}, "a label's name is empty");
        }
    }
    validate(request.nodes, problems);
}

}  // namespace turboci
