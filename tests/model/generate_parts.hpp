// SPDX-License-Identifier: Apache-2.0
// What the requests of a sequence are made of: names, predicates, nodes, attempts.
#pragma once

#include <algorithm>
#include <array>

#include "model.hpp"
#include "operation.hpp"

namespace turboci::model {

template <class T, std::size_t N>
const T& one_of(Choices& c, const std::array<T, N>& from) {
    return from[c.pick(static_cast<std::uint32_t>(N))];
}

// `x` is both: bare names of it are ambiguous. `nope` is neither.
inline const std::array<std::string, 5> kChecks{"a", "b", "x", "c", "d"};
inline const std::array<std::string, 5> kStages{"p", "q", "x", "r", "s"};
inline const std::array<std::string, 8> kObjects{"{}",
                                                 R"({"k":1})",
                                                 R"({"k":2})",
                                                 R"({"k":null})",
                                                 R"({"j":{"y":1}})",
                                                 R"({"j":{"y":null,"z":[1]}})",
                                                 R"({"j":7})",
                                                 R"({"k":1,"j":{"y":1}})"};
inline const std::array<std::string, 3> kUids{"w1", "w2", "w3"};
inline const std::array<std::string, 2> kLimits{"db", "gpu"};
inline const std::array<std::string, 2> kKinds{"mac", "linux"};
inline const std::array<std::string, 3> kHolders{"h1", "h2", "h3"};
inline const std::array<State, 4> kCheckStates{State::planning, State::planned, State::waiting, State::final};
inline const std::array<State, 4> kStageStates{State::planned, State::attempting, State::awaiting_group,
                                               State::final};
inline const std::array<Duration, 4> kDurations{std::chrono::microseconds(1), std::chrono::seconds(5),
                                                std::chrono::seconds(10), std::chrono::seconds(5)};

/// What may be wrong with a request.
enum class Oddity : std::uint8_t {
    cycle,
    nowhere,
    ambiguous,
    wrong_type,
    wrong_state,
    misuse,
    empty_group,
    threshold,
    direct,
    early,
    twice,
    nameless,
    none
};

/// Draws parts of a request that make sense in the plan as `model_` knows it.
class RequestParts {
protected:
    explicit RequestParts(Choices& choices) : c_(choices) {}

    void header(WriteNodes& r) {
        r.actor = c_.once_in(3) ? "bob" : "ann";
        if (c_.once_in(20)) r.if_version = 1 + c_.pick(12);
        if (c_.once_in(12)) r.op_id = c_.once_in(2) ? "o1" : "o2";
        if (c_.once_in(16)) r.dry_run = true;
        if (c_.once_in(24))
            r.labels = JsonText{c_.once_in(2) ? R"({"branch":"main"})" : R"({"branch":"dev"})"};
        if (c_.once_in(24)) limits(r);
        if (c_.once_in(8)) r.inside = owner();
        if (c_.once_in(4)) r.reason = c_.once_in(2) ? "late" : "not wanted";
    }

    void limits(WriteNodes& r) {
        r.limits.push_back({one_of(c_, kLimits), static_cast<std::int64_t>(1 + c_.pick(3))});
        if (c_.once_in(2)) return;
        const auto& other = r.limits[0].name == kLimits[0] ? kLimits[1] : kLimits[0];
        r.limits.push_back({other, odd(Oddity::misuse) ? 0 : static_cast<std::int64_t>(1 + c_.pick(2))});
    }

    /// Of what the plan has, as a rule.
    std::vector<Use> uses() {
        std::vector<Use> all;
        for (const auto& [limit, count] : model_.plan().limits)
            if (c_.once_in(2)) all.push_back({limit, 1 + c_.pick(static_cast<std::uint32_t>(count))});
        if (odd(Oddity::nowhere)) all.push_back({"nope", 1});
        if (odd(Oddity::threshold) && !all.empty()) all[0].count = c_.once_in(2) ? 0 : 9;
        return all;
    }

    /// Some attempt that is RUNNING, null if there is none; `held`: by a runner, as a rule, perhaps
    /// SCHEDULED.
    const ModelAttempt* running(bool held, std::string* stage = nullptr) {
        std::vector<const ModelStage*> all, by_runner;
        for (const auto& s : model_.plan().stages) {
            if (s.attempts.empty()) continue;
            const ModelAttempt& a = s.attempts.back();
            const bool queued = held && a.state == AttemptState::scheduled && is_known(a.holder);
            if (a.state != AttemptState::running && !queued) continue;
            all.push_back(&s);
            if (s.attempts.back().runner) by_runner.push_back(&s);
        }
        const auto& from = held && !by_runner.empty() && !c_.once_in(6) ? by_runner : all;
        if (from.empty()) return nullptr;
        const ModelStage& s = *from[c_.pick(static_cast<std::uint32_t>(from.size()))];
        if (stage != nullptr) *stage = s.ref.id;
        return &s.attempts.back();
    }

    /// Was the identity of a holder told to anybody?
    static bool is_known(const std::string& holder) {
        return !holder.empty() && !holder.starts_with(Model::kSecret);
    }

    ModelToken token() {
        ModelToken t;
        const AttemptRef ref = owner();
        t.stage = ref.stage_id;
        t.idx = ref.idx;
        for (const auto& s : model_.plan().stages)
            if (s.ref.id == t.stage && t.idx >= 1 && t.idx <= s.current())
                t.holder = s.attempts[static_cast<std::size_t>(t.idx) - 1].holder;
        if (c_.once_in(8) || !is_known(t.holder)) t.holder = one_of(c_, kHolders);
        t.other_store = c_.once_in(16);
        t.other_plan_id = c_.once_in(16);
        t.other_plan = c_.once_in(8);
        return t;
    }

    /// Some attempt, as a rule the current one.
    AttemptRef owner() {
        AttemptRef ref{known_stage(), 1};
        std::vector<const ModelStage*> tried;
        for (const auto& s : model_.plan().stages)
            if (!s.attempts.empty()) tried.push_back(&s);
        if (!tried.empty() && !c_.once_in(12)) {
            const auto& stage = *tried[c_.pick(static_cast<std::uint32_t>(tried.size()))];
            ref = {stage.ref.id, static_cast<std::int32_t>(stage.attempts.size())};
        }
        if (c_.once_in(8)) ref.idx = static_cast<std::int32_t>(1 + c_.pick(3));
        return ref;
    }
    [[nodiscard]] bool any_in(State state) const {
        const auto in_state = [&](const ModelNode& n) { return n.state == state; };
        return std::ranges::any_of(model_.plan().checks, in_state) ||
               std::ranges::any_of(model_.plan().stages, in_state);
    }
    /// A name of the plan's small space.
    const std::string& any_check() { return kChecks[c_.pick(size_)]; }
    const std::string& any_stage() { return kStages[c_.pick(size_)]; }
    JsonText object() { return {one_of(c_, kObjects)}; }

    /// Now and then, in a request that is to be odd in this way.
    bool odd(Oddity how) { return odd_ == how && c_.once_in(2); }

    /// One that is there and can still move, as a rule.
    template <class Node>
    std::string known(const std::vector<Node>& nodes, const std::array<std::string, 5>& all, State best) {
        std::vector<std::string> there, open, best_ones;
        for (const auto& n : nodes) {
            there.push_back(n.ref.id);
            if (n.state != State::final) open.push_back(n.ref.id);
            if (n.state == best) best_ones.push_back(n.ref.id);
        }
        for (const auto* names : {&best_ones, &open, &there})
            if (!names->empty() && !c_.once_in(6))
                return (*names)[c_.pick(static_cast<std::uint32_t>(names->size()))];
        return all[c_.pick(size_)];
    }
    std::string known_check() { return known(model_.plan().checks, kChecks, State::waiting); }
    std::string known_stage() { return known(model_.plan().stages, kStages, State::attempting); }
    template <class Node>
    static bool is_known(const std::vector<Node>& nodes, const std::string& id) {
        return std::ranges::any_of(nodes, [&](const Node& n) { return n.ref.id == id; });
    }

    /// What `owner` may depend on without a cycle, as a rule: nodes before it in the order of kChecks and
    /// kStages.
    RefText ref(const NodeRef& owner, bool continuation) {
        RefText r;
        bool is_check = !continuation && !c_.once_in(3);
        const auto& all = owner.type == NodeType::check ? kChecks : kStages;
        const auto at = static_cast<std::uint32_t>(std::ranges::find(all, owner.id) - all.begin());
        const bool anywhere = odd(Oddity::cycle);
        std::uint32_t before = at;
        if (owner.type == NodeType::stage && is_check) ++before;
        if (before == 0 && !continuation) {
            is_check = owner.type == NodeType::stage || c_.once_in(2);
            before = 1;
        }
        r.id = (is_check ? kChecks : kStages)[c_.pick(continuation || anywhere ? size_ : before)];
        if (odd(Oddity::nowhere)) r.id = "nope";
        if (odd(Oddity::ambiguous)) {
            r.id = "x";
            return r;
        }
        if (r.id == "x" || c_.once_in(2)) r.type = is_check ? NodeType::check : NodeType::stage;
        if (odd(Oddity::wrong_type)) r.type = NodeType::check;
        return r;
    }

    EdgeSpec edge(const NodeRef& owner, bool continuation) {
        EdgeSpec e;
        e.target = ref(owner, continuation);
        if (c_.once_in(4)) {
            bool stage = continuation || std::ranges::find(kChecks, e.target.id) == kChecks.end();
            if (e.target.type) stage = e.target.type == NodeType::stage;
            if (odd(Oddity::wrong_state)) stage = !stage;
            e.on_state = stage ? one_of(c_, kStageStates) : one_of(c_, kCheckStates);
            if (e.on_state != State::final && !odd(Oddity::misuse)) return e;
        }
        if (c_.once_in(2))
            e.when = one_of(c_, std::array{When::success, When::failure, When::always, When::not_failed,
                                           When::unsuccessful, When::always});
        return e;
    }

    PredicateSpec predicate(const NodeRef& owner, bool continuation, int depth = 0) {
        PredicateSpec p;
        p.kind = one_of(c_, std::array{GroupKind::all, GroupKind::any, GroupKind::at_least, GroupKind::all});
        const std::uint32_t edges = c_.pick(4);
        for (std::uint32_t i = 0; i < edges; ++i) p.edges.push_back(edge(owner, continuation));
        if (edges > 0 && c_.once_in(12)) p.edges.push_back(p.edges.front());
        if (depth < 2 && c_.once_in(4)) {
            const std::uint32_t groups = 1 + c_.pick(2);
            for (std::uint32_t i = 0; i < groups; ++i)
                p.groups.push_back(predicate(owner, continuation, depth + 1));
        }
        const auto members = static_cast<std::uint32_t>(p.edges.size() + p.groups.size());
        if (members == 0 && !odd(Oddity::empty_group)) {
            if (depth == 0) {
                p.kind = GroupKind::all;  // no dependencies
            } else {
                p.edges.push_back(edge(owner, continuation));
            }
        }
        if (p.kind == GroupKind::at_least) {
            std::vector<const EdgeSpec*> different;
            for (const auto& e : p.edges)
                if (std::ranges::none_of(different, [&](const EdgeSpec* o) {
                        return o->target.id == e.target.id && o->on_state == e.on_state && o->when == e.when;
                    }))
                    different.push_back(&e);
            const auto most = static_cast<std::uint32_t>(different.size() + p.groups.size());
            p.at_least = 1 + c_.pick(std::max(odd(Oddity::threshold) ? members : most, 1u));
            if (odd(Oddity::threshold)) p.at_least = members + 1;
        }
        return p;
    }

    /// Checks that must be over before `p` can be satisfied.
    static void needed_checks(const PredicateSpec& p, std::vector<std::string>& found) {
        if (p.kind != GroupKind::all) return;
        for (const auto& e : p.edges) {
            const bool bare = !e.target.type && std::ranges::find(kChecks, e.target.id) != kChecks.end();
            if (e.target.type == NodeType::check || bare) found.push_back(e.target.id);
        }
        for (const auto& g : p.groups) needed_checks(g, found);
    }

    /// What data must say for a node with these dependencies to be wanted.
    std::vector<ConditionSpec> condition(const PredicateSpec& dependencies) {
        static const std::array<std::string, 6> paths{"/k", "/k", "/j/y", "/j", "", "/j/z/0"};
        static const std::array<std::string, 6> values{"1", "1", "2", "1.0", "7", R"({"y":1})"};
        static const std::array tests{Condition::Test::equals, Condition::Test::not_equals,
                                      Condition::Test::exists, Condition::Test::absent};
        std::vector<std::string> checks;
        needed_checks(dependencies, checks);
        if (checks.empty() || odd(Oddity::nowhere)) checks = {any_check()};
        std::vector<ConditionSpec> all;
        for (std::uint32_t n = c_.once_in(4) ? 2 : 1; n > 0; --n) {
            Condition& one = all.emplace_back().condition;
            one.check = checks[c_.pick(static_cast<std::uint32_t>(checks.size()))];
            one.path = one_of(c_, paths);
            one.test = one_of(c_, tests);
            if (one.test <= Condition::Test::not_equals) one.value = one_of(c_, values);
        }
        if (c_.once_in(12)) all.clear();
        return all;
    }

    /// Nodes with a check to wait for have a condition now and then, others hardly ever.
    void choose(std::optional<std::vector<ConditionSpec>>& to, const std::optional<PredicateSpec>& on) {
        std::vector<std::string> checks;
        if (on) needed_checks(*on, checks);
        if (checks.empty() ? odd(Oddity::misuse) : c_.once_in(3))
            to = condition(on.value_or(PredicateSpec{}));
    }

    ResultWrite result() {
        ResultWrite r;
        if (!c_.once_in(3)) r.data = object();
        if (c_.once_in(3)) r.failure = c_.once_in(2) ? "no" : "never";
        if (c_.once_in(6)) r.clear_failure = !r.failure || c_.once_in(16);
        r.finalize = c_.once_in(5);
        if (!c_.once_in(3)) r.owner = owner();
        return r;
    }

    CheckWrite check(const std::string& id) {
        CheckWrite w;
        w.id = id;
        const bool is_new = !is_known(model_.plan().checks, w.id);
        const bool defines = is_new || c_.once_in(3);
        if (defines && c_.once_in(5)) w.kind = c_.once_in(2) ? "build" : "test";
        if (c_.once_in(defines ? 3 : 8)) w.options = object();
        const bool may_depend = w.id != kChecks.front() || odd(Oddity::cycle);
        if (defines && may_depend && !c_.once_in(3))
            w.dependencies = predicate({NodeType::check, w.id}, false);
        choose(w.condition, w.dependencies);
        const bool depends = w.dependencies && !w.dependencies->empty();
        if (depends ? odd(Oddity::direct) : c_.once_in(6)) {
            w.state = one_of(c_, kCheckStates);
        } else if (!c_.once_in(4)) {
            w.state = State::planned;
        }
        if (odd(Oddity::wrong_state)) w.state = State::attempting;
        if (c_.once_in(8)) w.required = c_.once_in(3);
        if (is_new ? odd(Oddity::early) : c_.once_in(8)) w.results.push_back(result());
        w.skip = is_new ? c_.once_in(60) : c_.once_in(30);
        return w;
    }

    /// What the holder of an attempt says of it.
    AttemptWrite word(const ModelAttempt& a) {
        AttemptWrite w;
        HolderWord& word = w.holder.emplace();
        word.identity = c_.once_in(16) || !is_known(a.holder) ? one_of(c_, kHolders) : a.holder;
        static const std::array causes{Cause::interrupted, Cause::timeout, Cause::failed,
                                       Cause::silent,      Cause::lost,    Cause::interrupted};
        if (a.state == AttemptState::scheduled && !c_.once_in(3)) {
            w.state = c_.once_in(2) ? AttemptState::running : AttemptState::pending;
            if (w.state == AttemptState::running) w.process_uid = one_of(c_, kUids);
            return w;
        }
        switch (a.runner ? c_.pick(4) : 1 + c_.pick(3)) {
            case 0:
                word.stopping = true;
                if (c_.once_in(2)) word.cause = one_of(c_, causes);
                if (c_.once_in(2)) return w;
                w.state = AttemptState::incomplete;
                w.failure = "told to stop";
                return w;
            case 1:
                w.progress.emplace_back("on", object());
                return w;
            case 2:
                w.state = AttemptState::complete;
                word.exit_code = 0;
                break;
            default:
                w.state = AttemptState::incomplete;
                if (c_.once_in(2)) w.failure = "broken";
                if (c_.once_in(2)) word.exit_code = c_.once_in(3) ? 2 : 1;
                if (c_.once_in(4)) word.signal = 9;
                w.no_retry = c_.once_in(8);
                if (c_.once_in(2)) word.cause = one_of(c_, causes);
        }
        word.signalled = c_.once_in(a.stopping ? 2 : 6);
        if (c_.once_in(4)) word.ran_for = one_of(c_, kDurations);
        if (c_.once_in(3)) word.log = LogPlace{"logs/one"};
        return w;
    }

    AttemptWrite attempt() {
        AttemptWrite w;
        if (c_.once_in(8)) w.idx = static_cast<std::int32_t>(1 + c_.pick(3));
        const std::array states{AttemptState::pending,    AttemptState::scheduled,  AttemptState::running,
                                AttemptState::complete,   AttemptState::incomplete, AttemptState::complete,
                                AttemptState::incomplete, AttemptState::incomplete};
        if (!c_.once_in(6)) w.state = one_of(c_, states);
        if (w.state == AttemptState::running ? !c_.once_in(16) : c_.once_in(12))
            w.process_uid = one_of(c_, kUids);
        if (c_.once_in(6)) w.details = object();
        if (c_.once_in(8)) w.progress.emplace_back("on", object());
        w.heartbeat = c_.once_in(8);
        if (w.state == AttemptState::incomplete || odd(Oddity::misuse)) {
            if (c_.once_in(2)) w.failure = "broken";
            w.no_retry = c_.once_in(5);
        }
        return w;
    }

    StageWrite stage(const std::string& id) {
        StageWrite w;
        w.id = id;
        const bool is_new = !is_known(model_.plan().stages, w.id);
        const NodeRef ref{NodeType::stage, w.id};
        if (is_new || c_.once_in(16)) {
            if (c_.once_in(5)) w.args = object();
            if (!c_.once_in(3)) w.dependencies = predicate(ref, false);
            choose(w.condition, w.dependencies);
            if (!c_.once_in(4)) assign(w);
            if (!c_.once_in(3)) {
                w.retry.emplace();
                w.retry->max_retries = static_cast<std::int32_t>(c_.once_in(4) ? 0 : 1 + c_.pick(3));
                if (c_.once_in(2)) w.retry->backoff = one_of(c_, kDurations);
                if (c_.once_in(3)) w.retry->max_backoff = std::max(w.retry->backoff, one_of(c_, kDurations));
                if (c_.once_in(3)) w.retry->on = {!c_.once_in(2), !c_.once_in(2), !c_.once_in(2), {}};
                if (c_.once_in(3)) w.retry->on = {c_.once_in(4), true, true, {1, 75}};
                if (c_.once_in(5)) w.retry->on_interrupt = OnInterrupt::fail;
            }
            if (c_.once_in(5)) w.runner = odd(Oddity::misuse) ? "*" : one_of(c_, kKinds);
            if (c_.once_in(3)) w.uses = uses();
            if (c_.once_in(4)) w.timeout = one_of(c_, kDurations);
            if (c_.once_in(4)) w.heartbeat = one_of(c_, kDurations);
        }
        if (c_.once_in(5)) w.continuation_group = predicate(ref, true);
        if ((is_new ? odd(Oddity::early) : c_.once_in(4))) w.attempt = attempt();
        w.cancel = c_.once_in(40);
        w.skip = (!w.cancel || odd(Oddity::misuse)) && c_.once_in(40);
        return w;
    }

    void assign(StageWrite& w) {
        w.assignments.emplace();
        const std::uint32_t n = c_.pick(3);
        for (std::uint32_t i = 0; i < n; ++i) {
            StageWrite::AssignmentSpec a;
            a.target_check_id = odd(Oddity::nowhere) ? "nope" : known_check();
            if (c_.once_in(4)) a.goal_state = c_.once_in(2) ? State::waiting : State::planned;
            if (odd(Oddity::misuse)) a.goal_state = State::planning;
            w.assignments->push_back(a);
        }
    }

    void nodes(WriteNodes& r, std::uint32_t most) {
        const std::uint32_t checks = c_.pick(most), stages = c_.pick(most);
        for (std::uint32_t i = 0; i < checks; ++i) add(r.checks, check(any_check()));
        for (std::uint32_t i = 0; i < stages; ++i) add(r.stages, stage(any_stage()));
    }

    /// Names a node twice only now and then: that is refused.
    template <class Write>
    void add(WriteList<Write>& to, const Write& write) {
        for (const auto& w : to)
            if (w.id == write.id && !odd(Oddity::twice)) return;
        to.push_back(write);
    }

    /// Numbers grow: what has died claims nothing.
    RunnerIdentity runner() {
        if (c_.once_in(3)) return {"elsewhere", "boot", Model::kElsewhere, 7};
        if (c_.once_in(3)) ++pid_;
        return {"host", "boot", pid_, 7};
    }

    Choices& c_;
    std::uint32_t size_ = 5;     ///< how many names of either type are in use
    Oddity odd_ = Oddity::none;  ///< the request in the making
    std::int64_t pid_ = Model::kElsewhere + 1;
    Model model_;
};

}  // namespace turboci::model
