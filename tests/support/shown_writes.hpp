// SPDX-License-Identifier: Apache-2.0
// Writes as text, to compare two of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/log_place.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Everything that a write holds, as text. A member that is added to a write is to be added here, too.
class Shown {
public:
    enum class Positions { shown, left_out };

    static std::string of(const CheckWrite& w, Positions positions = Positions::shown) {
        Shown s(positions);
        s.identity(w.id, w.at, w.id_at);
        s.maybe(w.kind, [&](const auto& kind) { s.text(kind); });
        s.maybe(w.state, [&](State state) { s.text(to_string(state)); });
        s.maybe(w.options, [&](const auto& json) { s.text(json.text); });
        s.maybe(w.required, [&](bool required) { s.number(required); });
        s.maybe(w.condition, [&](const auto& list) { s.condition(list); });
        s.number(w.skip);
        s.maybe(w.dependencies, [&](const auto& p) { s.predicate(p); });
        for (const ResultWrite& r : w.results) s.result(r);
        return s.out_;
    }
    static std::string of(const StageWrite& w, Positions positions = Positions::shown) {
        Shown s(positions);
        s.identity(w.id, w.at, w.id_at);
        s.maybe(w.args, [&](const auto& json) { s.text(json.text); });
        s.maybe(w.retry, [&](const Retry& r) {
            s.number(r.max_retries);
            s.number(r.backoff.count());
            s.number(r.max_backoff.count());
            for (const bool on : {r.on.failed, r.on.timeout, r.on.silent}) s.number(on);
            for (const auto status : r.on.exit) s.number(status);
            s.text(to_string(r.on_interrupt));
        });
        s.maybe(w.timeout, [&](Duration d) { s.number(d.count()); });
        s.maybe(w.heartbeat, [&](Duration d) { s.number(d.count()); });
        s.maybe(w.silence, [&](Duration d) { s.number(d.count()); });
        s.maybe(w.runner, [&](const auto& kind) { s.text(kind); });
        s.maybe(w.uses, [&](const auto& uses) {
            for (const Use& use : uses) {
                s.text(use.limit);
                s.number(use.count);
            }
        });
        s.maybe(w.condition, [&](const auto& list) { s.condition(list); });
        s.number(w.cancel);
        s.number(w.skip);
        s.maybe(w.state, [&](State state) { s.text(to_string(state)); });
        s.maybe(w.dependencies, [&](const auto& p) { s.predicate(p); });
        s.maybe(w.assignments, [&](const auto& assignments) {
            for (const auto& a : assignments) {
                s.text(a.target_check_id);
                s.text(to_string(a.goal_state));
                s.position(a.at);
            }
        });
        s.maybe(w.continuation_group, [&](const auto& p) { s.predicate(p); });
        s.maybe(w.attempt, [&](const auto& a) { s.attempt(a); });
        return s.out_;
    }

private:
    explicit Shown(Positions positions) : positions_(positions) {}

    void text(std::string_view t) { (out_ += t) += ';'; }
    void number(std::int64_t n) { text(std::to_string(n)); }
    void position(Position at) {
        if (positions_ == Positions::left_out) return;
        for (const auto n : {at.file, at.line, at.column}) number(n);
    }
    void identity(std::string_view id, Position at, Position id_at) {
        text(id);
        position(at);
        position(id_at);
    }
    template <class Holder, class Show>
    void maybe(const Holder& holder, Show&& show) {
        out_ += holder.has_value() ? '{' : '-';
        if (holder) show(*holder);
        out_ += '}';
    }
    void condition(const std::vector<ConditionSpec>& list) {
        for (const auto& [c, at] : list) {
            text(c.check);
            text(c.path);
            number(static_cast<int>(c.test));
            text(c.value);
            position(at);
        }
    }
    void predicate(const PredicateSpec& p) {
        text(to_string(p.kind));
        number(p.at_least);
        position(p.at);
        for (const EdgeSpec& e : p.edges) {
            text(to_string(e.target));
            text(to_string(e.on_state));
            maybe(e.when, [&](When when) { text(to_string(when)); });
            position(e.at);
        }
        out_ += '[';
        for (const PredicateSpec& g : p.groups) predicate(g);
        out_ += ']';
    }
    void result(const ResultWrite& r) {
        maybe(r.data, [&](const auto& json) { text(json.text); });
        maybe(r.failure, [&](const auto& failure) { text(failure); });
        maybe(r.owner, [&](const auto& owner) {
            text(owner.stage_id);
            number(owner.idx);
        });
        maybe(r.by, [&](const auto& by) { text(by); });
        number(r.clear_failure);
        number(r.finalize);
        position(r.at);
    }
    void attempt(const AttemptWrite& a) {
        maybe(a.idx, [&](auto idx) { number(idx); });
        maybe(a.state, [&](auto state) { text(to_string(state)); });
        maybe(a.process_uid, [&](const auto& uid) { text(uid); });
        maybe(a.details, [&](const auto& json) { text(json.text); });
        for (const auto& [message, details] : a.progress) text(message + details.text);
        maybe(a.failure, [&](const auto& failure) { text(failure); });
        number(a.heartbeat);
        number(a.no_retry);
        maybe(a.runner, [&](const auto& r) {
            text(r.host + r.boot_id);
            number(r.pid);
            number(r.start_time);
        });
        maybe(a.holder, [&](const HolderWord& h) { holder(h); });
        position(a.at);
    }
    void holder(const HolderWord& h) {
        text(h.identity);
        maybe(h.cause, [&](Cause cause) { text(to_string(cause)); });
        number(h.stopping);
        number(h.signalled);
        maybe(h.exit_code, [&](auto code) { number(code); });
        maybe(h.signal, [&](auto signal) { number(signal); });
        maybe(h.log, [&](const auto& log) { text(to_json(log)); });
        maybe(h.ran_for, [&](Duration d) { number(d.count()); });
    }
    Positions positions_;
    std::string out_;
};

}  // namespace turboci
