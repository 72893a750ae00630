// SPDX-License-Identifier: Apache-2.0
#include "state_key.hpp"
#include "domain/log_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace turboci::model {

namespace {

using namespace std::chrono_literals;

/// What is still to come for an attempt.
std::vector<Timestamp> moments_of(const Model& model, const ModelStage& stage, const ModelAttempt& a) {
    std::vector<Timestamp> all;
    if (a.state == AttemptState::pending && a.not_before) all.push_back(*a.not_before);
    if (is_ended(a.state) || a.state == AttemptState::pending) return all;
    if (a.runner && a.runner->pid == Model::kElsewhere) {
        const auto beat = model.beats().find(a.holder);
        all.push_back((beat != model.beats().end() ? beat->second : a.updated_at) + 60s);
    }
    if (a.state != AttemptState::running) return all;
    const Duration grace = a.runner ? 10s : 0s;
    if (stage.timeout && !(a.runner && a.stopping)) all.push_back(*a.started_at + *stage.timeout + grace);
    if (stage.heartbeat && !a.runner) all.push_back(*a.last_heartbeat + *stage.heartbeat);
    return all;
}

std::set<Timestamp> moments(const Model& model, Timestamp after) {
    std::set<Timestamp> all;
    for (const auto& stage : model.plan().stages)
        if (!stage.attempts.empty())
            for (const auto t : moments_of(model, stage, stage.attempts.back()))
                if (t > after) all.insert(t);
    return all;
}

class Key {
public:
    Key(const Model& model, Timestamp now) : model_(model), now_(now), moments_(moments(model, now)) {
        for (const auto& s : model.plan().stages)
            if (!s.attempts.empty() && s.attempts.back().state == AttemptState::pending)
                ready_.insert(ready_at(s.attempts.back()));
    }

    std::string text() {
        for (const auto& c : model_.plan().checks) add(c);
        for (const auto& s : model_.plan().stages) add(s);
        // One that beat long ago and one that never did are not the same when they claim again.
        for (const auto& [holder, at] : model_.beats()) {
            const auto silent = std::chrono::ceil<std::chrono::seconds>(now_ - at);
            add("beat {} {} ", holder, std::min(silent, 60s).count());
        }
        add("{} ", model_.plan().labels.dump());
        add("{} ", model_.plan().cancelled.has_value());
        for (const auto& [limit, count] : model_.plan().limits) add("limit {} {} ", limit, count);
        for (const auto& [op_id, version] : model_.plan().operations) add("op {} ", op_id);
        for (const auto& [op_id, claim] : model_.plan().claims)
            add("op {} {} {} ", op_id, claim.first, fmt::join(claim.second, ","));
        return std::move(text_);
    }

private:
    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    }
    template <class T>
    void add_code(const std::optional<T>& value) {
        add("{} ", value ? static_cast<int>(*value) : -1);
    }
    void add(const std::optional<std::string>& value) { add("{}", value ? "'" + *value + "'" : "-"); }
    static Timestamp ready_at(const ModelAttempt& a) { return a.not_before.value_or(a.created_at); }
    template <class Set>
    static auto place_in(const Set& set, const typename Set::value_type& value) {
        return std::distance(set.begin(), set.find(value));
    }

    void add(const ModelGroup& group) {
        add("{}{}(", static_cast<int>(group.kind), group.at_least);
        for (const auto& e : group.edges)
            add("{}/{}/{} ", to_string(e.target), static_cast<int>(e.on_state), static_cast<int>(e.when));
        for (const auto& g : group.groups) add(g);
        add(") ");
    }

    void add_node(const ModelNode& n) {
        add("\n{} {} ", to_string(n.ref), static_cast<int>(n.state));
        add_code(n.outcome);
        add_code(n.skip_cause);
        if (n.created_by) add("by {}:{} ", n.created_by->stage, n.created_by->attempt);
        add(n.dependencies);
        for (const auto& c : n.condition)
            add("if {} {} {} {} ", c.check, c.path, static_cast<int>(c.test), c.value);
        for (const auto& entry : n.history) add("{},", static_cast<int>(entry.state));
    }

    void add(const ModelCheck& c) {
        add_node(c);
        add("{} {} {} ", c.kind, c.required, c.options.dump());
        for (const auto& r : c.results) {
            add("[{} {} {} ", static_cast<int>(r.owner_type), r.owner_id, r.data.dump());
            add(r.failure);
            add(" {}]", r.finalized_at.has_value());
        }
    }

    void add(const ModelStage& s) {
        add_node(s);
        add(s.group);
        add("{} ", s.runner);
        for (const auto& use : s.uses) add("uses {} {} ", use.limit, use.count);
        add("{} ", s.over);
        add_code(s.reason);
        add(s.concluded_message);
        for (const auto& a : s.attempts) {
            add(a);
            if (&a != &s.attempts.back()) continue;
            for (const auto t : moments_of(model_, s, a)) {
                if (t <= now_) {
                    add("over ");
                } else {
                    add("#{}:{} ", place_in(moments_, t),
                        std::chrono::ceil<std::chrono::seconds>(t - now_).count());
                }
            }
            if (a.state == AttemptState::pending) add("ready{} ", place_in(ready_, ready_at(a)));
        }
    }

    void add(const ModelAttempt& a) {
        add("\n  {} ", static_cast<int>(a.state));
        add_code(a.cause);
        add_holder(a.holder);
        add(" {} {} ", a.process_uid, a.details.dump());
        for (const auto& p : a.progress) add("{} ", p.message);
        add(a.failure);
        add_code(a.exit_code);
        add_code(a.signal);
        add(a.log ? to_json(*a.log) : "");
        if (a.stopping)
            add("stopping {} {} {} {} ", a.stopping->by, a.stopping->reason,
                static_cast<int>(a.stopping->cause), a.stopping->from_inside);
        if (a.runner && !is_ended(a.state)) {
            const auto pid = a.runner->pid;
            const auto number = pids_.try_emplace(pid, pids_.size()).first->second;
            add("runner{}{}{} ", number, pid == Model::kElsewhere, model_.dead().contains(pid));
        }
        add("{} {} ", a.no_retry, a.orphan);
    }

    void add_holder(const std::string& holder) {
        const bool named = !holder.starts_with("auto") && !holder.starts_with(Model::kSecret);
        if (named) return add("{}", holder);
        const auto number = numbers_.try_emplace(holder, numbers_.size()).first->second;
        add("{}{}", holder.front(), number);
    }

    const Model& model_;
    Timestamp now_;
    std::set<Timestamp> moments_, ready_;
    std::map<std::string, std::size_t> numbers_;
    std::map<std::int64_t, std::size_t> pids_;
    std::string text_;
};

}  // namespace

std::string state_key(const Model& model, Timestamp now) { return Key(model, now).text(); }

std::optional<Timestamp> next_moment(const Model& model, Timestamp now) {
    const auto all = moments(model, now + 1us);
    if (all.empty()) return std::nullopt;
    return *all.begin();
}

}  // namespace turboci::model
