// SPDX-License-Identifier: Apache-2.0
#include "unit/grpc/random_values.hpp"

namespace turboci {

std::string RandomValues::text() {
    std::string out;
    for (int n = number(0, 4); n > 0; --n)
        out += pick(std::array{"a", "B", "7", ":", "/", "\"", "\\", "\n", "é", "漢", "😀", " ", "."});
    return out;
}

std::string RandomValues::member(int depth) {
    switch (number(0, depth > 0 ? 8 : 6)) {
        case 0:
            return "null";
        case 1:
            return flip() ? "true" : "false";
        case 2:
            return std::to_string(any_number());
        case 3:
            return std::to_string(number(-9, 9));
        case 4:
            return pick(std::array<std::string, 4>{"1.0", "1e5", "-0.25", "12345678901234567890123"});
        case 5:
            return json_string(text());
        case 6:
            return "\"\\u0041\\/\"";  // spelled as nobody else would
        case 7:
            return json(depth - 1).text;
        default: {
            std::string out = "[";
            for (int n = number(0, 3); n > 0; --n) out += member(depth - 1) + (n > 1 ? "," : "");
            return out + "]";
        }
    }
}

JsonText RandomValues::json(int depth) {
    std::string out = "{";
    for (int n = number(0, 3); n > 0; --n) {
        // The number makes each key another.
        out += json_string(text() + std::to_string(n)) + ":" + member(depth) + (n > 1 ? "," : "");
    }
    return {out + "}"};
}

LogPlace RandomValues::log() {
    const std::string path = "logs/" + std::to_string(number(0, 99));
    if (flip()) return {path, 0, 0};
    const std::int64_t bytes = number(0, 1 << 30);
    return {{}, bytes, bytes / 2};
}

Retry RandomValues::retry() {
    Retry retry;
    retry.max_retries = number(-2, 2000);
    if (flip()) retry.backoff = duration();
    if (flip()) retry.max_backoff = duration();
    if (flip()) {
        retry.on = {flip(), flip(), flip(), {}};
        for (int code = 1; code < 256; code += number(1, 200)) retry.on.exit.push_back(code);
    }
    if (flip()) retry.on_interrupt = OnInterrupt::fail;
    return retry;
}

Condition RandomValues::condition() {
    Condition condition{name(), text(), {}, {}};
    condition.test = pick(std::array{Condition::Test::equals, Condition::Test::not_equals,
                                     Condition::Test::exists, Condition::Test::absent});
    if (condition.test == Condition::Test::equals || condition.test == Condition::Test::not_equals)
        condition.value = member(2);
    return condition;
}

PredicateSpec RandomValues::spec(int depth) {
    PredicateSpec spec;
    spec.kind = pick(std::array{GroupKind::all, GroupKind::any, GroupKind::at_least});
    if (spec.kind == GroupKind::at_least) spec.at_least = number(-1, 5);
    spec.at = position();
    spec.edges = list(3, [&] {
        EdgeSpec edge{ref_text(), state(), {}, position()};
        if (edge.on_state == State::final || flip()) edge.when = when();
        return edge;
    });
    if (depth > 0) spec.groups = list(2, [&] { return this->spec(depth - 1); });
    return spec;
}

ResultWrite RandomValues::result_write() {
    ResultWrite result;
    result.data = maybe([&] { return json(); });
    result.failure = maybe([&] { return text(); });
    result.clear_failure = flip();
    result.finalize = flip();
    if (flip())
        result.owner = attempt_ref();
    else
        result.by = maybe([&] { return name(); });
    result.at = position();
    return result;
}

CheckWrite RandomValues::check_write() {
    CheckWrite check;
    check.id = text();
    check.kind = maybe([&] { return text(); });
    check.options = maybe([&] { return json(); });
    check.state = maybe([&] { return state(); });
    check.required = maybe([&] { return flip(); });
    check.dependencies = maybe([&] { return spec(); });
    check.condition = maybe([&] { return list(2, [&] { return ConditionSpec{condition(), position()}; }); });
    check.results = list(3, [&] { return result_write(); });
    check.skip = flip();
    check.at = position();
    check.id_at = position();
    return check;
}

HolderWord RandomValues::holder() {
    HolderWord word;
    word.identity = text();
    word.cause = maybe([&] { return cause(); });
    word.stopping = flip();
    word.signalled = flip();
    word.exit_code = maybe([&] { return number(-1, 255); });
    word.signal = maybe([&] { return number(0, 64); });
    word.log = maybe([&] { return log(); });
    word.ran_for = maybe([&] { return duration(); });
    return word;
}

AttemptWrite RandomValues::attempt_write() {
    AttemptWrite attempt;
    attempt.idx = maybe([&] { return number(-1, 3); });
    attempt.state = maybe([&] { return attempt_state(); });
    attempt.process_uid = maybe([&] { return text(); });
    attempt.details = maybe([&] { return json(); });
    attempt.progress = list(3, [&] { return std::pair(text(), json()); });
    attempt.failure = maybe([&] { return text(); });
    attempt.heartbeat = flip();
    attempt.no_retry = flip();
    attempt.runner = maybe([&] { return runner(); });
    attempt.holder = maybe([&] { return holder(); });
    attempt.at = position();
    return attempt;
}

StageWrite RandomValues::stage_write() {
    StageWrite stage;
    stage.id = text();
    stage.args = maybe([&] { return json(); });
    stage.dependencies = maybe([&] { return spec(); });
    stage.assignments = maybe([&] {
        return list(3, [&] { return StageWrite::AssignmentSpec{text(), state(), position()}; });
    });
    stage.retry = maybe([&] { return retry(); });
    stage.timeout = maybe([&] { return duration(); });
    stage.heartbeat = maybe([&] { return duration(); });
    stage.silence = maybe([&] { return duration(); });
    stage.runner = maybe([&] { return text(); });
    stage.uses = maybe([&] { return list(2, [&] { return Use{text(), any_number()}; }); });
    stage.condition = maybe([&] { return list(2, [&] { return ConditionSpec{condition(), position()}; }); });
    stage.continuation_group = maybe([&] { return spec(); });
    stage.attempt = maybe([&] { return attempt_write(); });
    stage.state = maybe([&] { return state(); });
    stage.cancel = flip();
    stage.skip = flip();
    stage.at = position();
    stage.id_at = position();
    return stage;
}

ClaimFilter RandomValues::filter() {
    ClaimFilter filter;
    if (flip()) {
        filter.runners = list(2, [&] { return text(); });
        filter.runners.emplace_back();
    }
    filter.only = list(2, [&] { return text(); });
    filter.except = list(2, [&] { return text(); });
    filter.match = list(2, [&] { return text(); });
    filter.with_command = flip();
    filter.args_bytes = static_cast<std::size_t>(any_number());
    filter.judged = list(2, [&] { return text(); });
    return filter;
}

WriteNodes RandomValues::write_nodes() {
    WriteNodes request;
    request.plan = text();
    request.plan_identity = text();
    request.token = text();
    request.reason = text();
    request.actor = text();
    request.if_version = maybe([&] { return any_number(); });
    request.op_id = text();
    request.dry_run = flip();
    request.tick = flip();
    request.labels = maybe([&] { return json(); });
    request.limits = list(2, [&] { return Limit{text(), any_number()}; });
    request.limits_at = position();
    request.cancel = maybe([&] { return CancelStages{list(2, [&] { return text(); }), flip()}; });
    request.inside = maybe([&] { return attempt_ref(); });
    for (int n = number(0, 3); n > 0; --n) request.checks.push_back(check_write());
    for (int n = number(0, 3); n > 0; --n) request.stages.push_back(stage_write());
    request.claim = maybe([&] {
        Claim claim;
        claim.stages = list(2, [&] { return text(); });
        claim.filter = filter();
        claim.at_most = number(-1, 5);
        claim.ahead = number(-1, 5);
        claim.process_uid = text();
        claim.holder = text();
        claim.runner = maybe([&] { return runner(); });
        return claim;
    });
    return request;
}

QueryNodes RandomValues::query() {
    QueryNodes query;
    query.plan = text();
    // In the order in which the wire has them.
    for (const auto type :
         {std::optional(NodeType::check), std::optional(NodeType::stage), std::optional<NodeType>()})
        for (int n = number(0, 2); n > 0; --n) query.refs.push_back({type, text()});
    if (flip()) query.types.push_back(type());
    query.kinds = list(2, [&] { return text(); });
    query.states = list(3, [&] { return state(); });
    query.outcomes = list(2, [&] { return outcome(); });
    query.match = list(2, [&] { return text(); });
    query.ready = flip();
    query.blocked = flip();
    query.deps = maybe([&] { return number(-1, 9); });
    query.dependents = maybe([&] { return number(-1, 9); });
    query.edges = flip() ? EdgeFilter::satisfied : EdgeFilter::all;
    query.skip_absent = flip();
    const bool bare = flip();
    for (const auto part :
         {&NodeParts::stamps, &NodeParts::body, &NodeParts::predicates, &NodeParts::assignments,
          &NodeParts::attempts, &NodeParts::progress, &NodeParts::results, &NodeParts::counts})
        query.parts.*part = !bare && flip();
    return query;
}

Predicate RandomValues::predicate(int depth) {
    Predicate predicate;
    predicate.kind = pick(std::array{GroupKind::all, GroupKind::any, GroupKind::at_least});
    predicate.threshold = number(0, 5);
    const auto resolution = [&] {
        return pick(std::array{Resolution::unresolved, Resolution::satisfied, Resolution::unsatisfied});
    };
    predicate.resolution = resolution();
    predicate.edges = list(3, [&] {
        Edge edge;
        edge.target = ref();
        edge.on_state = state(edge.target.type);
        edge.when = when();
        edge.resolution = resolution();
        edge.resolved_at = maybe([&] { return time(); });
        edge.target_state = state(edge.target.type);
        edge.target_outcome = maybe([&] { return outcome(); });
        return edge;
    });
    if (depth > 0) predicate.groups = list(2, [&] { return this->predicate(depth - 1); });
    return predicate;
}

template <class Node>
void RandomValues::common(Node& node, NodeType type) {
    node.id = text();
    node.state = state(type);
    node.outcome = maybe([&] { return outcome(); });
    node.skip_cause = maybe([&] { return flip() ? SkipCause::upstream : SkipCause::not_needed; });
    if (flip()) node.dependencies = predicate();
    node.condition = list(2, [&] { return condition(); });
    node.created_by = maybe([&] { return CreatedBy{text(), number(1, 9)}; });
    node.carried_from = maybe([&] { return CarriedFrom{text(), text(), any_number()}; });
    node.version = any_number();
    node.created_at = time();
    node.updated_at = time();
    node.state_history = list(4, [&] { return StateEntry{state(type), any_number(), time()}; });
}

Check RandomValues::check() {
    Check check;
    common(check, NodeType::check);
    check.kind = text();
    check.required = flip();
    check.options = json();
    check.results = list(3, [&] {
        Result result;
        result.id = any_number();
        result.owner_type =
            pick(std::array{OwnerType::stage_attempt, OwnerType::actor, OwnerType::orchestrator});
        result.owner_id = text();
        result.data = json();
        result.failure = maybe([&] { return text(); });
        result.created_at = time();
        result.finalized_at = maybe([&] { return time(); });
        return result;
    });
    return check;
}

Attempt RandomValues::attempt() {
    Attempt attempt;
    attempt.idx = number(1, 9);
    attempt.state = attempt_state();
    attempt.cause = maybe([&] { return cause(); });
    attempt.process_uid = text();
    attempt.has_runner = flip();
    attempt.details = json();
    attempt.progress = list(2, [&] { return Progress{text(), time(), json()}; });
    attempt.failure = maybe([&] { return text(); });
    attempt.exit_code = maybe([&] { return number(0, 255); });
    attempt.signal = maybe([&] { return number(0, 64); });
    attempt.log = maybe([&] { return log(); });
    attempt.stopping = maybe([&] { return Stopping{time(), text(), text(), cause(), flip()}; });
    attempt.not_before = maybe([&] { return time(); });
    attempt.started_at = maybe([&] { return time(); });
    attempt.ended_at = maybe([&] { return time(); });
    attempt.last_heartbeat = maybe([&] { return time(); });
    attempt.created_at = time();
    attempt.updated_at = time();
    return attempt;
}

Stage RandomValues::stage() {
    Stage stage;
    common(stage, NodeType::stage);
    stage.concluded_reason = maybe([&] {
        return pick(std::array{ConcludedReason::attempt_complete, ConcludedReason::no_retries_left,
                               ConcludedReason::retry_blocked, ConcludedReason::cancelled,
                               ConcludedReason::dependencies_unsatisfied, ConcludedReason::group_unsatisfied,
                               ConcludedReason::attempt_failed, ConcludedReason::interrupted_too_often,
                               ConcludedReason::condition_false, ConcludedReason::skipped});
    });
    stage.concluded_message = maybe([&] { return text(); });
    stage.args = json();
    stage.assignments = list(2, [&] { return Assignment{text(), state(NodeType::check)}; });
    if (flip()) stage.retry = retry();
    stage.timeout = maybe([&] { return duration(); });
    stage.heartbeat = maybe([&] { return duration(); });
    stage.silence = maybe([&] { return duration(); });
    stage.runner = text();
    stage.uses = list(2, [&] { return Use{text(), any_number()}; });
    if (flip()) stage.continuation_group = predicate();
    stage.attempts = list(2, [&] { return attempt(); });
    return stage;
}

WorkPlan RandomValues::plan() {
    WorkPlan plan;
    plan.id = text();
    plan.identity = text();
    plan.version = any_number();
    plan.labels = json(0);
    plan.limits = list(2, [&] { return Limit{text(), any_number()}; });
    plan.cancelled = maybe([&] { return PlanCancelled{time(), text(), text()}; });
    plan.from = maybe([&] { return PlanOrigin{name(), text()}; });
    plan.created_at = time();
    plan.updated_at = time();
    plan.counts = list(3, [&] {
        StateCount count;
        count.type = type();
        count.state = state(count.type);
        count.outcome = maybe([&] { return outcome(); });
        count.count = any_number();
        return count;
    });
    return plan;
}

}  // namespace turboci
