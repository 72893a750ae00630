// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

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

std::string print(const CheckWrite& c) {
    Members m;
    m.add("id", c.id);
    if (c.kind) m.add("kind", *c.kind);
    if (c.state) m.add("state", to_string(*c.state));
    if (c.options) m.add("options", c.options->text);
    if (c.dependencies) m.add("dependencies", print(*c.dependencies));
    if (c.required) m.add("required", *c.required);
    if (!c.results.empty()) m.add("results", list(c.results, [](const auto& r) { return print(r); }));
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
    if (w.log_path) m.add("log_path", *w.log_path);
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

std::string print(const StageWrite& s) {
    Members m;
    m.add("id", s.id);
    if (s.args) m.add("args", s.args->text);
    if (s.dependencies) m.add("dependencies", print(*s.dependencies));
    if (s.assignments)
        m.add("assignments", list(*s.assignments, [](const auto& a) {
                  return a.goal_state == State::final
                             ? a.target_check_id
                             : fmt::format("{{target_check_id: {}, goal_state: {}}}", a.target_check_id,
                                           to_string(a.goal_state));
              }));
    if (s.retry)
        m.add("retry", fmt::format("{{max_retries: {}, backoff: {}us}}", s.retry->max_retries,
                                   s.retry->backoff.count()));
    if (s.timeout) m.add("timeout", fmt::format("{}us", s.timeout->count()));
    if (s.heartbeat) m.add("heartbeat", fmt::format("{}us", s.heartbeat->count()));
    if (s.continuation_group) m.add("continuation_group", print(*s.continuation_group));
    if (s.attempt) m.add("attempt", print(*s.attempt));
    if (s.cancel) m.add("cancel", "true");
    return m.braced();
}

}  // namespace

std::string describe(const Operation& op) {
    std::string text;
    if (op.pause != Duration::zero()) text += fmt::format("after {}us ", op.pause.count());
    if (op.wall_jump != Duration::zero()) text += fmt::format("wall clock {:+}us ", op.wall_jump.count());
    if (op.reboot) text += "reboot ";
    if (op.kind == OperationKind::tick) return text + "tick";
    if (op.kind == OperationKind::wait) return text + "nothing";
    if (op.kind == OperationKind::beat) return text + "beat of " + op.holder;
    if (op.kind == OperationKind::die) return text + fmt::format("runner {} dies", op.pid);
    text += op.kind == OperationKind::claim ? "claim" : "write";
    const WriteNodes& r = op.request;
    Members m;
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
    if (r.claim)
        m.add("claim",
              fmt::format("{{stages: {}, only: {}, at_most: {}, process_uid: {}, runner: {}, holder: {}}}",
                          list(r.claim->stages, [](const auto& s) { return s; }),
                          list(r.claim->filter.only, [](const auto& s) { return s; }), r.claim->at_most,
                          r.claim->process_uid, r.claim->runner ? r.claim->runner->pid : 0, r.claim->holder));
    return text + " " + m.braced();
}

std::string describe(const Operations& operations) {
    std::string text;
    for (std::size_t i = 0; i < operations.size(); ++i)
        text += fmt::format("{:3}. {}\n", i + 1, describe(operations[i]));
    return text;
}

}  // namespace turboci::model
