// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "operation.hpp"

namespace turboci::model {

namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
const T& one_of(Choices& c, const std::array<T, N>& from) {
    return from[c.pick(static_cast<std::uint32_t>(N))];
}

// `x` is both: bare names of it are ambiguous. `nope` is neither.
const std::array<std::string, 5> kChecks{"a", "b", "c", "d", "x"};
const std::array<std::string, 5> kStages{"p", "q", "r", "s", "x"};
const std::array<std::string, 8> kObjects{"{}",
                                          R"({"k":1})",
                                          R"({"k":2})",
                                          R"({"k":null})",
                                          R"({"j":{"y":1}})",
                                          R"({"j":{"y":null,"z":[1]}})",
                                          R"({"j":7})",
                                          R"({"k":1,"j":{"y":1}})"};
const std::array<std::string, 3> kUids{"w1", "w2", "w3"};
const std::array<State, 4> kCheckStates{State::planning, State::planned, State::waiting, State::final};
const std::array<State, 4> kStageStates{State::planned, State::attempting, State::awaiting_group,
                                        State::final};
const std::array<Duration, 4> kDurations{1us, 5s, 10s, 60s};

/// Knows what it has named so far, so that most requests make sense: a sequence of refusals tells little.
class Generator {
public:
    explicit Generator(Choices& choices) : c_(choices) {}

    Operation first() {
        Operation op;
        op.pause = 1s;
        op.request.actor = "ann";
        if (c_.once_in(4)) nodes(op.request, 6);
        return remember(op);
    }

    Operation next() {
        if (!past_.empty() && c_.once_in(10)) {
            Operation again = past_[c_.pick(static_cast<std::uint32_t>(past_.size()))];
            time(again);
            return again;
        }
        Operation op;
        time(op);
        header(op.request);
        switch (c_.pick(16)) {
            case 0:
                op.kind = OperationKind::tick;
                op.request = {};
                return op;
            case 1:
            case 2:
            case 3:
                claim(op);
                break;
            case 4:
            case 5:
            case 6:
            case 7:
                attempts(op.request);
                break;
            case 8:
            case 9:
            case 10:
                results(op.request);
                break;
            case 11:
                nodes(op.request, 5);
                if (c_.once_in(4)) claim(op);
                break;
            default:
                nodes(op.request, 3);
                break;
        }
        return remember(op);
    }

private:
    const Operation& remember(const Operation& op) {
        if (past_.size() == 8) past_.erase(past_.begin());
        past_.push_back(op);
        return past_.back();
    }

    void time(Operation& op) {
        static const std::array<Duration, 8> pauses{0us, 1us, 1s, 1s, 4999999us, 5s, 10s, 61s};
        op.pause = one_of(c_, pauses);
        op.wall_jump = Duration::zero();
        if (c_.once_in(24)) op.wall_jump = one_of(c_, std::array<Duration, 4>{1h, -1h, 24h, -24h});
        op.reboot = c_.once_in(48);
    }

    void header(WriteNodes& r) {
        r.actor = c_.once_in(3) ? "bob" : "ann";
        if (c_.once_in(20)) r.if_version = 1 + c_.pick(12);
        if (c_.once_in(12)) r.op_id = c_.once_in(2) ? "o1" : "o2";
        if (c_.once_in(16)) r.dry_run = true;
        if (c_.once_in(24))
            r.labels = JsonText{c_.once_in(2) ? R"({"branch":"main"})" : R"({"branch":"dev"})"};
        if (c_.once_in(12)) r.inside = owner();
    }

    AttemptRef owner() {
        return {known_stage(), static_cast<std::int32_t>(c_.once_in(3) ? 1 + c_.pick(3) : 1)};
    }
    JsonText object() { return {one_of(c_, kObjects)}; }

    /// One that was named before, as a rule.
    std::string known(const std::vector<std::string>& names, const std::array<std::string, 5>& all) {
        if (names.empty() || c_.once_in(16)) return one_of(c_, all);
        return names[c_.pick(static_cast<std::uint32_t>(names.size()))];
    }
    std::string known_check() { return known(checks_, kChecks); }
    std::string known_stage() { return known(stages_, kStages); }
    static bool is_known(const std::vector<std::string>& names, const std::string& id) {
        return std::ranges::find(names, id) != names.end();
    }

    /// What `owner` may depend on without a cycle, as a rule: nodes before it in the order a p b q c r d s x.
    RefText ref(const NodeRef& owner, bool continuation) {
        RefText r;
        bool is_check = !continuation && !c_.once_in(3);
        const auto& all = owner.type == NodeType::check ? kChecks : kStages;
        const auto at = static_cast<std::uint32_t>(std::ranges::find(all, owner.id) - all.begin());
        const bool anywhere = c_.once_in(24);
        std::uint32_t before = at;
        if (owner.type == NodeType::stage && is_check) ++before;
        if (before == 0 && !continuation) {
            is_check = owner.type == NodeType::stage || c_.once_in(2);
            before = 1;
        }
        r.id = (is_check ? kChecks : kStages)[continuation || anywhere ? c_.pick(5) : c_.pick(before)];
        if (c_.once_in(80)) r.id = "nope";
        if (r.id == "x" ? !c_.once_in(20) : c_.once_in(2))
            r.type = is_check ? NodeType::check : NodeType::stage;
        if (c_.once_in(80)) r.type = NodeType::check;
        return r;
    }

    EdgeSpec edge(const NodeRef& owner, bool continuation) {
        EdgeSpec e;
        e.target = ref(owner, continuation);
        if (c_.once_in(4)) {
            bool stage = continuation || std::ranges::find(kChecks, e.target.id) == kChecks.end();
            if (e.target.type) stage = e.target.type == NodeType::stage;
            if (c_.once_in(40)) stage = !stage;
            e.on_state = stage ? one_of(c_, kStageStates) : one_of(c_, kCheckStates);
            if (e.on_state != State::final && !c_.once_in(40)) return e;
        }
        if (c_.once_in(2)) e.when = one_of(c_, std::array{When::success, When::failure, When::always});
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
        if (members == 0 && !c_.once_in(40)) {
            if (depth == 0) {
                p.kind = GroupKind::all;  // no dependencies
            } else {
                p.edges.push_back(edge(owner, continuation));
            }
        }
        if (p.kind == GroupKind::at_least) {
            p.at_least = 1 + c_.pick(std::max(members, 1u));
            if (c_.once_in(80)) p.at_least = members + 1;
        }
        return p;
    }

    ResultWrite result() {
        ResultWrite r;
        if (!c_.once_in(3)) r.data = object();
        if (c_.once_in(3)) r.failure = c_.once_in(2) ? "no" : "never";
        if (c_.once_in(6)) r.clear_failure = !r.failure || c_.once_in(16);
        r.finalize = c_.once_in(5);
        if (c_.once_in(2)) r.owner = owner();
        return r;
    }

    CheckWrite check() {
        CheckWrite w;
        w.id = one_of(c_, kChecks);
        const bool is_new = !is_known(checks_, w.id);
        if (is_new) checks_.push_back(w.id);
        const bool defines = is_new || c_.once_in(3);
        if (defines && c_.once_in(5)) w.kind = c_.once_in(2) ? "build" : "test";
        if (c_.once_in(defines ? 3 : 8)) w.options = object();
        if (defines && c_.once_in(2)) w.dependencies = predicate({NodeType::check, w.id}, false);
        if (c_.once_in(3)) {
            w.state = one_of(c_, kCheckStates);
        } else if (!c_.once_in(4)) {
            w.state = State::planned;
        }
        if (c_.once_in(80)) w.state = State::attempting;
        if (c_.once_in(8)) w.results.push_back(result());
        return w;
    }

    AttemptWrite attempt() {
        AttemptWrite w;
        if (c_.once_in(8)) w.idx = static_cast<std::int32_t>(1 + c_.pick(3));
        const std::array states{AttemptState::pending,    AttemptState::scheduled,  AttemptState::running,
                                AttemptState::complete,   AttemptState::incomplete, AttemptState::running,
                                AttemptState::incomplete, AttemptState::complete};
        if (!c_.once_in(5)) w.state = one_of(c_, states);
        if (w.state == AttemptState::running ? !c_.once_in(16) : c_.once_in(12))
            w.process_uid = one_of(c_, kUids);
        if (c_.once_in(6)) w.details = object();
        if (c_.once_in(8)) w.progress.emplace_back("on", object());
        w.heartbeat = c_.once_in(8);
        if (w.state == AttemptState::incomplete || c_.once_in(80)) {
            if (c_.once_in(2)) w.failure = "broken";
            w.no_retry = c_.once_in(5);
        }
        return w;
    }

    StageWrite stage() {
        StageWrite w;
        w.id = one_of(c_, kStages);
        const bool is_new = !is_known(stages_, w.id);
        if (is_new) stages_.push_back(w.id);
        const NodeRef ref{NodeType::stage, w.id};
        if (is_new || c_.once_in(16)) {
            if (c_.once_in(5)) w.args = object();
            if (c_.once_in(3)) w.dependencies = predicate(ref, false);
            if (!c_.once_in(4)) assign(w);
            if (c_.once_in(2)) {
                w.retry.emplace();
                w.retry->max_retries = static_cast<std::int32_t>(c_.pick(4));
                if (c_.once_in(2)) w.retry->backoff = one_of(c_, kDurations);
            }
            if (c_.once_in(4)) w.timeout = one_of(c_, kDurations);
            if (c_.once_in(4)) w.heartbeat = one_of(c_, kDurations);
        }
        if (c_.once_in(5)) w.continuation_group = predicate(ref, true);
        if (c_.once_in(is_new ? 16 : 4)) w.attempt = attempt();
        w.cancel = c_.once_in(24);
        return w;
    }

    void assign(StageWrite& w) {
        w.assignments.emplace();
        const std::uint32_t n = c_.pick(3);
        for (std::uint32_t i = 0; i < n; ++i) {
            StageWrite::AssignmentSpec a;
            a.target_check_id = c_.once_in(80) ? "nope" : known_check();
            if (c_.once_in(4)) a.goal_state = c_.once_in(2) ? State::waiting : State::planned;
            if (c_.once_in(80)) a.goal_state = State::planning;
            w.assignments->push_back(a);
        }
    }

    void nodes(WriteNodes& r, std::uint32_t most) {
        const std::uint32_t checks = c_.pick(most), stages = c_.pick(most);
        for (std::uint32_t i = 0; i < checks; ++i) add(r.checks, check());
        for (std::uint32_t i = 0; i < stages; ++i) add(r.stages, stage());
    }

    /// Names a node twice only now and then: that is refused.
    template <class Write>
    void add(std::vector<Write>& to, Write write) {
        for (const auto& w : to)
            if (w.id == write.id && !c_.once_in(80)) return;
        to.push_back(std::move(write));
    }

    void attempts(WriteNodes& r) {
        const std::uint32_t n = c_.once_in(4) ? 2 : 1;
        for (std::uint32_t i = 0; i < n; ++i) {
            StageWrite w;
            w.id = known_stage();
            w.attempt = attempt();
            if (c_.once_in(8)) w.continuation_group = predicate({NodeType::stage, w.id}, true);
            w.cancel = c_.once_in(40);
            add(r.stages, std::move(w));
        }
        if (c_.once_in(6)) add(r.checks, check());
    }

    void results(WriteNodes& r) {
        const std::uint32_t n = c_.once_in(4) ? 2 : 1;
        for (std::uint32_t i = 0; i < n; ++i) {
            CheckWrite w;
            w.id = known_check();
            w.results.push_back(result());
            if (c_.once_in(12)) w.results.push_back(result());
            if (c_.once_in(6)) w.state = State::final;
            if (c_.once_in(12)) w.state = one_of(c_, kCheckStates);
            add(r.checks, std::move(w));
        }
        if (c_.once_in(6)) attempts(r);
    }

    void claim(Operation& op) {
        op.request.claim.emplace();
        Claim& claim = *op.request.claim;
        claim.process_uid = one_of(c_, kUids);
        claim.at_most = static_cast<std::int32_t>(1 + c_.pick(3));
        if (c_.once_in(3)) {
            claim.stages.push_back(known_stage());
            claim.exact = !c_.once_in(3);
            if (c_.once_in(4)) {
                const auto more = known_stage();
                if (more != claim.stages.front()) claim.stages.push_back(more);
            }
        }
        if (!c_.once_in(3)) op.kind = OperationKind::claim;
    }

    Choices& c_;
    std::vector<std::string> checks_, stages_;  ///< named so far
    std::vector<Operation> past_;
};

}  // namespace

Operations generate(Choices& choices) {
    Generator generator(choices);
    Operations operations{generator.first()};
    const std::size_t length = 2 + choices.pick(kMaxOperations - 1);
    while (operations.size() < length && !choices.exhausted()) operations.push_back(generator.next());
    return operations;
}

}  // namespace turboci::model
