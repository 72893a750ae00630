// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "domain/log_place.hpp"
#include "operation.hpp"

namespace turboci::model {

namespace {

/// "{a: 1, b: 2}" out of its members.
class Members {
public:
    template <class T>
    void add(std::string_view key, const T& value) {
        text_ += fmt::format("{}{}: {}", text_.empty() ? "" : ", ", key, value);
    }
    [[nodiscard]] std::string braced() const { return "{" + text_ + "}"; }
    [[nodiscard]] const std::string& bare() const { return text_; }

private:
    std::string text_;
};

template <class List, class Print>
std::string list(const List& items, Print print) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + print(item);
    return "[" + text + "]";
}

std::string print(const EdgeSpec& e) {
    if (e.on_state == State::final && !e.when) return to_string(e.target);
    Members m;
    m.add("node", to_string(e.target));
    if (e.on_state != State::final) m.add("on_state", to_string(e.on_state));
    if (e.when) m.add("when", to_string(*e.when));
    return m.braced();
}

std::string print(const PredicateSpec& p) {
    std::string members;
    for (const auto& e : p.edges) members += (members.empty() ? "" : ", ") + print(e);
    for (const auto& g : p.groups) members += (members.empty() ? "" : ", ") + print(g);
    members = "[" + members + "]";
    switch (p.kind) {
        case GroupKind::all:
            return "{all: " + members + "}";
        case GroupKind::any:
            return "{any: " + members + "}";
        case GroupKind::at_least:
            break;
    }
    return fmt::format("{{at_least: {}, of: {}}}", p.at_least, members);
}

std::string print(const AttemptRef& a) { return fmt::format("{}:{}", a.stage_id, a.idx); }

std::string print(const ResultWrite& r) {
    Members m;
    if (r.owner) m.add("owner", print(*r.owner));
    if (r.data) m.add("data", r.data->text);
    if (r.failure) m.add("failure", *r.failure);
    if (r.clear_failure) m.add("failure", "null");
    if (r.finalize) m.add("finalize", "true");
    return m.braced();
}

std::string print(const ConditionSpec& c) {
    static constexpr std::array tests{"equals", "not_equals", "exists: true", "exists: false"};
    Members m;
    m.add("check", c.condition.check);
    m.add("path", "'" + c.condition.path + "'");
    const bool by_value = c.condition.test <= Condition::Test::not_equals;
    const auto* test = tests.at(static_cast<std::size_t>(c.condition.test) - 1);
    return "{" + m.bare() + ", " + test + (by_value ? ": " + c.condition.value : "") + "}";
}

std::string print(const CheckWrite& c) {
    Members m;
    m.add("id", c.id);
    if (c.kind) m.add("kind", *c.kind);
    if (c.state) m.add("state", to_string(*c.state));
    if (c.options) m.add("options", c.options->text);
    if (c.dependencies) m.add("dependencies", print(*c.dependencies));
    if (c.condition) m.add("condition", list(*c.condition, [](const auto& one) { return print(one); }));
    if (c.required) m.add("required", *c.required);
    if (!c.results.empty()) m.add("results", list(c.results, [](const auto& r) { return print(r); }));
    if (c.skip) m.add("skip", "true");
    return m.braced();
}

std::string print(const HolderWord& w) {
    Members m;
    m.add("identity", w.identity);
    if (w.cause) m.add("cause", to_string(*w.cause));
    if (w.stopping) m.add("stopping", "true");
    if (w.signalled) m.add("signalled", "true");
    if (w.exit_code) m.add("exit_code", *w.exit_code);
    if (w.signal) m.add("signal", *w.signal);
    if (w.log) m.add("log", to_json(*w.log));
    if (w.ran_for) m.add("ran_for", fmt::format("{}us", w.ran_for->count()));
    return m.braced();
}

std::string print(const ModelToken& t) {
    Members m;
    if (t.other_store) m.add("store", "another");
    if (t.other_plan_id) m.add("plan", "another");
    if (t.other_plan) m.add("plan_identity", "another");
    m.add("attempt", fmt::format("{}:{}", t.stage, t.idx));
    m.add("holder", t.holder);
    return m.braced();
}

std::string print(const AttemptWrite& a) {
    Members m;
    if (a.idx) m.add("idx", *a.idx);
    if (a.state) m.add("state", to_string(*a.state));
    if (a.process_uid) m.add("process_uid", *a.process_uid);
    if (a.details) m.add("details", a.details->text);
    if (!a.progress.empty())
        m.add("progress", list(a.progress, [](const auto& p) { return p.first + " " + p.second.text; }));
    if (a.failure) m.add("failure", *a.failure);
    if (a.heartbeat) m.add("heartbeat", "true");
    if (a.no_retry) m.add("no_retry", "true");
    if (a.runner) m.add("runner", a.runner->pid);
    if (a.holder) m.add("holder", print(*a.holder));
    return m.braced();
}

std::string print(const Retry& r) {
    Members m;
    m.add("max_retries", r.max_retries);
    m.add("backoff", fmt::format("{}us", r.backoff.count()));
    if (r.max_backoff != kMaxBackoff) m.add("max_backoff", fmt::format("{}us", r.max_backoff.count()));
    std::string on;
    const auto name = [&](bool there, std::string_view text) {
        if (there) on += fmt::format("{}{}", on.empty() ? "" : ", ", text);
    };
    name(r.on.failed, "failed");
    name(r.on.timeout, "timeout");
    name(r.on.silent, "silent");
    const std::string exit = list(r.on.exit, [](std::int32_t status) { return std::to_string(status); });
    name(!r.on.exit.empty(), "{exit: " + exit + "}");
    if (r.on != RetryOn{}) m.add("on", "[" + on + "]");
    if (r.on_interrupt != OnInterrupt::again) m.add("on_interrupt", to_string(r.on_interrupt));
    return m.braced();
}

std::string print(const StageWrite& s) {
    Members m;
    m.add("id", s.id);
    if (s.args) m.add("args", s.args->text);
    if (s.dependencies) m.add("dependencies", print(*s.dependencies));
    if (s.condition) m.add("condition", list(*s.condition, [](const auto& one) { return print(one); }));
    if (s.assignments)
        m.add("assignments", list(*s.assignments, [](const auto& a) {
                  return a.goal_state == State::final
                             ? a.target_check_id
                             : fmt::format("{{target_check_id: {}, goal_state: {}}}", a.target_check_id,
                                           to_string(a.goal_state));
              }));
    if (s.retry) m.add("retry", print(*s.retry));
    if (s.runner) m.add("runner", "'" + *s.runner + "'");
    if (s.uses)
        m.add("uses", list(*s.uses, [](const auto& u) { return fmt::format("{}: {}", u.limit, u.count); }));
    if (s.timeout) m.add("timeout", fmt::format("{}us", s.timeout->count()));
    if (s.heartbeat) m.add("heartbeat", fmt::format("{}us", s.heartbeat->count()));
    if (s.continuation_group) m.add("continuation_group", print(*s.continuation_group));
    if (s.attempt) m.add("attempt", print(*s.attempt));
    if (s.cancel) m.add("cancel", "true");
    if (s.skip) m.add("skip", "true");
    return m.braced();
}

std::string print(const Claim& c) {
    const auto names = [](const auto& ids) {
        return list(ids, [](const auto& id) { return "'" + id + "'"; });
    };
    Members m;
    if (!c.stages.empty()) m.add("stages", names(c.stages));
    if (!c.filter.only.empty()) m.add("only", names(c.filter.only));
    if (c.filter.runners != ClaimFilter{}.runners) m.add("runners", names(c.filter.runners));
    m.add("at_most", c.at_most);
    if (c.ahead > 0) m.add("ahead", c.ahead);
    m.add("process_uid", c.process_uid);
    if (c.runner) m.add("runner", c.runner->pid);
    m.add("holder", "'" + c.holder + "'");
    return m.braced();
}

}  // namespace

std::string describe(const Operation& op) {
    std::string text;
    if (op.pause != Duration::zero()) text += fmt::format("after {}us ", op.pause.count());
    if (op.wall_jump != Duration::zero()) text += fmt::format("wall clock {:+}us ", op.wall_jump.count());
    if (op.reboot) text += "reboot ";
    if (op.back > 0) text += fmt::format("in the plan {} before the newest: ", op.back);
    if (op.kind == OperationKind::tick) return text + "tick";
    if (op.kind == OperationKind::wait) return text + "nothing";
    if (op.kind == OperationKind::beat) return text + "beat of " + op.holder;
    if (op.kind == OperationKind::die) return text + fmt::format("runner {} dies", op.pid);
    text += op.kind == OperationKind::claim ? "claim" : op.kind == OperationKind::rerun ? "rerun" : "write";
    const WriteNodes& r = op.request;
    Members m;
    if (op.rerun.redefines) m.add("redefines", "true");
    if (op.rerun.fork) m.add("fork", "true");
    if (op.rerun.takes_id) m.add("id", "one that exists");
    if (!op.rerun.again.empty())
        m.add("again", list(op.rerun.again, [](const RefText& ref) { return to_string(ref); }));
    m.add("actor", r.actor);
    if (!r.reason.empty()) m.add("reason", r.reason);
    if (op.token) m.add("token", print(*op.token));
    if (r.inside) m.add("inside", print(*r.inside));
    if (r.if_version) m.add("if_version", *r.if_version);
    if (!r.op_id.empty()) m.add("op_id", r.op_id);
    if (r.dry_run) m.add("dry_run", "true");
    if (r.labels) m.add("plan", r.labels->text);
    if (!r.checks.empty()) m.add("checks", list(r.checks, [](const auto& c) { return print(c); }));
    if (!r.stages.empty()) m.add("stages", list(r.stages, [](const auto& s) { return print(s); }));
    if (!r.limits.empty())
        m.add("limits", list(r.limits, [](const auto& l) { return fmt::format("{}: {}", l.name, l.count); }));
    if (r.cancel)
        m.add("cancel",
              fmt::format("{{only: {}, clean_up_too: {}}}",
                          list(r.cancel->only, [](const auto& id) { return id; }), r.cancel->clean_up_too));
    if (r.claim) m.add("claim", print(*r.claim));
    return text + " " + m.braced();
}

std::string describe(const Operations& operations) {
    std::string text;
    for (std::size_t i = 0; i < operations.size(); ++i)
        text += fmt::format("{:3}. {}\n", i + 1, describe(operations[i]));
    return text;
}

}  // namespace turboci::model
