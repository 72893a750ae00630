// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bench.hpp"
#include "domain/log_place.hpp"

namespace turboci::model {

namespace {

using Lines = std::vector<std::string>;

std::string when(Timestamp t) { return std::to_string(t.time_since_epoch().count()); }
std::string when(const std::optional<Timestamp>& t) { return t ? when(*t) : "-"; }
template <class T>
std::string name(const std::optional<T>& value) {
    return value ? std::string(to_string(*value)) : "-";
}
std::string length(const std::optional<Duration>& d) { return d ? std::to_string(d->count()) : "-"; }
std::string json(const JsonText& text) { return nlohmann::json::parse(text.text).dump(); }

/// The orchestrator says in its own words why an attempt ended.
std::string failure(const std::optional<std::string>& text) {
    if (!text) return "-";
    if (text->starts_with("timed out")) return "<timed out>";
    if (text->starts_with("no heartbeat")) return "<silent>";
    return *text;
}

std::string history(const StateHistory& entries) {
    std::string text;
    for (const auto& e : entries) text += fmt::format(" {}@{}/{}", to_string(e.state), e.version, when(e.at));
    return text;
}

std::string edge(const NodeRef& target, State on, When w, Resolution r, std::optional<Timestamp> at) {
    return fmt::format("{}/{}/{}={}@{} ", to_string(target), to_string(on),
                       on == State::final ? to_string(w) : "", to_string(r), when(at));
}

std::string group(const Predicate& p) {
    std::string text = fmt::format("{}{}(", to_string(p.kind), p.threshold);
    for (const auto& e : p.edges) text += edge(e.target, e.on_state, e.when, e.resolution, e.resolved_at);
    for (const auto& g : p.groups) text += group(g) + " ";
    return text + ")=" + std::string(to_string(p.resolution));
}

std::string group(const Model& model, const ModelPlan& plan, const ModelGroup& p) {
    std::string text = fmt::format("{}{}(", to_string(p.kind), p.needed());
    for (const auto& e : p.edges)
        text += edge(e.target, e.on_state, e.when, model.evaluate(plan, e), e.resolved_at);
    for (const auto& g : p.groups) text += group(model, plan, g) + " ";
    return text + ")=" + std::string(to_string(model.evaluate(plan, p)));
}

std::string stamp(std::int64_t version, Timestamp created, Timestamp updated) {
    return fmt::format("version {} created {} updated {}", version, when(created), when(updated));
}

std::string result_line(std::size_t id, OwnerType type, const std::string& owner, const std::string& data,
                        const std::optional<std::string>& text, Timestamp created,
                        const std::optional<Timestamp>& finalized) {
    const bool prose = type == OwnerType::orchestrator && text;
    return fmt::format(" result {} {} {} data {} failure {} created {} finalized {}", id, to_string(type),
                       owner, data, prose ? "<prose>" : text.value_or("-"), when(created), when(finalized));
}

std::string counts(std::map<std::string, std::int64_t> by_name) {
    std::string text = "counts";
    for (const auto& [key, n] : by_name) text += fmt::format(" {}={}", key, n);
    return text;
}

std::string counted(NodeType type, State state, const std::optional<Outcome>& outcome) {
    return fmt::format("{}/{}/{}", to_string(type), to_string(state), name(outcome));
}

/// What checks and stages have in common besides.
template <class Node>
std::string more(const Node& n) {
    std::string text = fmt::format(" skip_cause {}", name(n.skip_cause));
    for (const auto& c : n.condition)
        text += fmt::format(" if {} '{}' {} {}", c.check, c.path, static_cast<int>(c.test), c.value);
    if (n.created_by) text += fmt::format(" created_by {}:{}", n.created_by->stage, n.created_by->attempt);
    if (n.carried_from)
        text += fmt::format(" carried_from {}@{}", n.carried_from->plan, n.carried_from->version);
    return text;
}

template <class C>
std::string check_line(const std::string& ref, const C& c) {
    return fmt::format("{} kind '{}' {} {}{} required {}", ref, c.kind, to_string(c.state), name(c.outcome),
                       more(c), c.required);
}

template <class S>
std::string stage_line(const std::string& ref, const S& s, const std::optional<ConcludedReason>& reason) {
    const bool prose = reason == ConcludedReason::condition_false && s.concluded_message;
    return fmt::format("{} {} {} {} '{}'{}", ref, to_string(s.state), name(s.outcome), name(reason),
                       prose ? "<prose>" : s.concluded_message.value_or("-"), more(s));
}

Lines of_check(const Model& model, const ModelPlan& plan, const ModelCheck& c) {
    const std::string ref = to_string(c.ref);
    Lines lines{check_line(ref, c), ref + " options " + c.options.dump(),
                ref + " dependencies " + group(model, plan, c.dependencies),
                ref + " " + stamp(c.version, c.created_at, c.updated_at), ref + history(c.history)};
    std::size_t id = 0;
    for (const auto& r : c.results)
        lines.push_back(ref + result_line(++id, r.owner_type, r.owner_id, r.data.dump(), r.failure,
                                          r.created_at, r.finalized_at));
    return lines;
}

Lines of_check(const Check& c) {
    const std::string ref = "check:" + c.id;
    Lines lines{check_line(ref, c), ref + " options " + json(c.options),
                ref + " dependencies " + group(c.dependencies),
                ref + " " + stamp(c.version, c.created_at, c.updated_at), ref + history(c.state_history)};
    for (const auto& r : c.results)
        lines.push_back(ref + result_line(static_cast<std::size_t>(r.id), r.owner_type, r.owner_id,
                                          json(r.data), r.failure, r.created_at, r.finalized_at));
    return lines;
}

template <class A>
std::string attempt_line(std::size_t idx, const A& a, const std::string& details) {
    std::string text = fmt::format(
        " attempt {} {} uid '{}' details {} failure {} not_before {} heartbeat {} created {} updated {}", idx,
        to_string(a.state), a.process_uid, details, failure(a.failure), when(a.not_before),
        when(a.last_heartbeat), when(a.created_at), when(a.updated_at));
    text += fmt::format(" cause {} exit {} signal {} log {} started {} ended {}", name(a.cause),
                        a.exit_code ? std::to_string(*a.exit_code) : "-",
                        a.signal ? std::to_string(*a.signal) : "-", a.log ? to_json(*a.log) : "-",
                        when(a.started_at), when(a.ended_at));
    if (a.stopping)
        text +=
            fmt::format(" stopping {} by {} '{}' {} from_inside {}", when(a.stopping->since), a.stopping->by,
                        failure(a.stopping->reason), to_string(a.stopping->cause), a.stopping->from_inside);
    for (const auto& p : a.progress)
        text += fmt::format(" progress {} {} {}", p.message, when(p.timestamp), json(p.details));
    return text;
}

template <class S>
std::string policy(const S& s) {
    const auto& on = s.retry.on;
    std::string text =
        fmt::format(" on {}{}{} {} {} max {}", on.failed, on.timeout, on.silent, fmt::join(on.exit, ","),
                    to_string(s.retry.on_interrupt), s.retry.max_backoff.count());
    text += fmt::format(" runner '{}'", s.runner);
    for (const auto& use : s.uses) text += fmt::format(" uses {} {}", use.limit, use.count);
    text += fmt::format(" retry {}/{} timeout {} heartbeat {} assignments", s.retry.max_retries,
                        s.retry.backoff.count(), length(s.timeout), length(s.heartbeat));
    for (const auto& a : s.assignments)
        text += fmt::format(" {}/{}", a.target_check_id, to_string(a.goal_state));
    return text;
}

Lines of_stage(const Model& model, const ModelPlan& plan, const ModelStage& s) {
    const std::string ref = to_string(s.ref);
    // The reason is known before the end, but told only then.
    const auto reason = s.state == State::final ? s.reason : std::nullopt;
    Lines lines{stage_line(ref, s, reason),
                ref + " args " + s.args.dump() + policy(s),
                ref + " dependencies " + group(model, plan, s.dependencies),
                ref + " continuation_group " + group(model, plan, s.group),
                ref + " " + stamp(s.version, s.created_at, s.updated_at),
                ref + history(s.history)};
    std::size_t idx = 0;
    for (const auto& a : s.attempts)
        if (++idx; !a.absent) lines.push_back(ref + attempt_line(idx, a, a.details.dump()));
    return lines;
}

Lines of_stage(const Stage& s) {
    const std::string ref = "stage:" + s.id;
    Lines lines{stage_line(ref, s, s.concluded_reason),
                ref + " args " + json(s.args) + policy(s),
                ref + " dependencies " + group(s.dependencies),
                ref + " continuation_group " + group(s.continuation_group),
                ref + " " + stamp(s.version, s.created_at, s.updated_at),
                ref + history(s.state_history)};
    for (const auto& a : s.attempts)
        lines.push_back(ref + attempt_line(static_cast<std::size_t>(a.idx), a, json(a.details)));
    return lines;
}

std::string cancelled(const std::optional<PlanCancelled>& c) {
    return c ? fmt::format("cancelled {} by {} '{}'", when(c->since), c->by, c->reason) : "not cancelled";
}

/// What people and scripts take from the plan as a whole.
std::string judgement(Verdict verdict, const std::vector<std::pair<GateAnswer, GateAnswer>>& gates) {
    std::string text = fmt::format("verdict {} gate", to_string(verdict));
    for (const auto& [strict, lenient] : gates)
        text += fmt::format(" {}{}", static_cast<int>(strict), static_cast<int>(lenient));
    return text;
}

void append(Lines& lines, Lines more) {
    for (auto& line : more) lines.push_back(std::move(line));
}

}  // namespace

std::vector<std::string> picture(const Model& model, const ModelPlan& plan) {
    Lines lines{"plan " + stamp(plan.version, plan.created_at, plan.clock.time) + " from '" + plan.from + "'",
                "labels " + plan.labels.dump(), "limits"};
    for (const auto& [limit, count] : plan.limits) lines.back() += fmt::format(" {}={}", limit, count);
    lines.push_back(cancelled(plan.cancelled));
    std::map<std::string, std::int64_t> by_name;
    for (const auto& c : plan.checks) ++by_name[counted(NodeType::check, c.state, c.outcome)];
    for (const auto& s : plan.stages) ++by_name[counted(NodeType::stage, s.state, s.outcome)];
    lines.push_back(counts(by_name));
    std::vector<std::pair<GateAnswer, GateAnswer>> gates;
    for (const auto& c : plan.checks) gates.emplace_back(model.gate(c, false), model.gate(c, true));
    lines.push_back(judgement(model.verdict(plan), gates));
    for (const auto& c : plan.checks) append(lines, of_check(model, plan, c));
    for (const auto& s : plan.stages) append(lines, of_stage(model, plan, s));
    return lines;
}

std::vector<std::string> picture(const Model& model) {
    Lines lines;
    for (const auto& id : model.ids()) append(lines, picture(model, model.plan(id)));
    return lines;
}

std::vector<std::string> picture(const WorkPlan& plan, const std::vector<Check>& checks,
                                 const std::vector<Stage>& stages) {
    Lines lines{"plan " + stamp(plan.version, plan.created_at, plan.updated_at) + " from '" +
                    (plan.from ? plan.from->plan : "") + "'",
                "labels " + json(plan.labels), "limits"};
    for (const auto& limit : plan.limits) lines.back() += fmt::format(" {}={}", limit.name, limit.count);
    lines.push_back(cancelled(plan.cancelled));
    std::map<std::string, std::int64_t> by_name;
    for (const auto& c : plan.counts) by_name[counted(c.type, c.state, c.outcome)] += c.count;
    lines.push_back(counts(by_name));
    Judge judge(Judge::Scope::whole_plan);
    std::vector<std::pair<GateAnswer, GateAnswer>> gates;
    for (const auto& c : checks) {
        judge.check(c);
        gates.emplace_back(gate_answer(c, false), gate_answer(c, true));
    }
    for (const auto& s : stages) judge.stage(s);
    lines.push_back(judgement(judge.judgement().verdict, gates));
    for (const auto& c : checks) append(lines, of_check(c));
    for (const auto& s : stages) append(lines, of_stage(s));
    return lines;
}

std::optional<std::string> compare_prose(const ModelPlan& plan, const std::vector<Check>& checks) {
    for (std::size_t i = 0; i < checks.size(); ++i)
        for (std::size_t n = 0; n < checks[i].results.size(); ++n) {
            const auto& said = checks[i].results[n].failure;
            const auto& expected = plan.checks[i].results[n];
            if (!said || expected.owner_type != OwnerType::orchestrator) continue;
            const auto names = [&](const std::string& text) { return said->find(text) != std::string::npos; };
            const bool all = std::ranges::all_of(expected.names_all, names);
            const bool one = expected.names_one.empty() || std::ranges::any_of(expected.names_one, names);
            if (!all || !one)
                return fmt::format("the orchestrator's result of check:{} does not name what broke it: {}",
                                   checks[i].id, *said);
        }
    return std::nullopt;
}

}  // namespace turboci::model
