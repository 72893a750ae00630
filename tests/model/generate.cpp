// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "model.hpp"
#include "operation.hpp"

namespace turboci::model {

namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
const T& one_of(Choices& c, const std::array<T, N>& from) {
    return from[c.pick(static_cast<std::uint32_t>(N))];
}

// `x` is both: bare names of it are ambiguous. `nope` is neither.
const std::array<std::string, 5> kChecks{"a", "b", "x", "c", "d"};
const std::array<std::string, 5> kStages{"p", "q", "x", "r", "s"};
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
const std::array<Duration, 4> kDurations{1us, 5s, 10s, 5s};

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

/// Follows the plan on a model, so that most requests make sense: a sequence of refusals tells little. Now
/// and then a request is odd in one way.
class Generator {
public:
    explicit Generator(Choices& choices) : c_(choices) {}

    Operation first() {
        // Small plans meet themselves more often, larger ones have longer chains.
        size_ = 2 + c_.pick(4);
        Operation op;
        op.pause = 1s;
        op.request.actor = "ann";
        if (c_.once_in(8)) nodes(op.request, 6);
        return remember(op);
    }

    /// Is there hardly anything in the plan?
    [[nodiscard]] bool is_bare() const {
        return model_.plan().checks.size() + model_.plan().stages.size() < size_;
    }

    /// Most sequences begin with a graph that holds together.
    Operation second() {
        Operation op;
        time(op);
        op.request.actor = "ann";
        for (std::uint32_t i = 0; i < size_; ++i) {
            op.request.checks.push_back(check(kChecks[i]));
            op.request.stages.push_back(stage(kStages[i]));
        }
        return remember(op);
    }

    Operation next() {
        if (!past_.empty() && c_.once_in(10)) {
            Operation again = past_[c_.pick(static_cast<std::uint32_t>(past_.size()))];
            time(again);
            return remember(again);
        }
        Operation op;
        time(op);
        header(op.request);
        const std::uint32_t what = c_.pick(16);
        if (what == 0) {
            op.kind = OperationKind::tick;
            op.request = {};
        } else if (what <= 2) {
            claim(op);
        } else if (what <= 6 && (any_in(State::attempting) || c_.once_in(6))) {
            attempts(op.request);
        } else if (what <= 10 && (any_in(State::waiting) || c_.once_in(6))) {
            results(op.request);
        } else if (what == 11) {
            finish(op.request);
        } else {
            nodes(op.request, what == 12 ? 5 : 3);
            if (what == 12 && c_.once_in(4)) claim(op);
        }
        return remember(op);
    }

private:
    /// Knows about `op` from now on.
    Operation remember(Operation op) {
        now_.wall += op.pause;
        now_.since_boot += op.pause;
        WriteNodes request = op.request;
        request.plan = "p";
        if (past_.empty()) {
            CreatePlan create;
            create.nodes = request;
            static_cast<void>(model_.create(create, now_));
        } else if (op.kind == OperationKind::tick) {
            static_cast<void>(model_.tick(now_));
        } else {
            static_cast<void>(model_.write(request, now_));
        }
        past_.push_back(op);
        return op;
    }

    void time(Operation& op) {
        static const std::array<Duration, 8> pauses{0us, 1us, 1s, 1s, 4999999us, 5s, 10s, 61s};
        op.pause = one_of(c_, pauses);
        op.wall_jump = Duration::zero();
        if (c_.once_in(24)) op.wall_jump = one_of(c_, std::array<Duration, 4>{1h, -1h, 24h, -24h});
        op.reboot = c_.once_in(48);
        odd_ = c_.once_in(4) ? static_cast<Oddity>(c_.pick(static_cast<std::uint32_t>(Oddity::none)))
                             : Oddity::none;
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
        const bool depends = w.dependencies && !w.dependencies->empty();
        if (depends ? odd(Oddity::direct) : c_.once_in(6)) {
            w.state = one_of(c_, kCheckStates);
        } else if (!c_.once_in(4)) {
            w.state = State::planned;
        }
        if (odd(Oddity::wrong_state)) w.state = State::attempting;
        if (is_new ? odd(Oddity::early) : c_.once_in(8)) w.results.push_back(result());
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
            if (!c_.once_in(4)) assign(w);
            if (!c_.once_in(3)) {
                w.retry.emplace();
                w.retry->max_retries = static_cast<std::int32_t>(c_.once_in(4) ? 0 : 1 + c_.pick(3));
                if (c_.once_in(2)) w.retry->backoff = one_of(c_, kDurations);
            }
            if (c_.once_in(4)) w.timeout = one_of(c_, kDurations);
            if (c_.once_in(4)) w.heartbeat = one_of(c_, kDurations);
        }
        if (c_.once_in(5)) w.continuation_group = predicate(ref, true);
        if ((is_new ? odd(Oddity::early) : c_.once_in(4))) w.attempt = attempt();
        w.cancel = c_.once_in(40);
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
    void add(PackedList<Write>& to, const Write& write) {
        for (const auto& w : to)
            if (w.id == write.id && !odd(Oddity::twice)) return;
        to.push_back(write);
    }

    void attempts(WriteNodes& r) {
        const std::uint32_t n = c_.once_in(4) ? 2 : 1;
        for (std::uint32_t i = 0; i < n; ++i) {
            StageWrite w;
            w.id = known_stage();
            w.attempt = attempt();
            for (const auto& s : model_.plan().stages)
                if (s.ref.id == w.id && !s.attempts.empty() && !c_.once_in(4))
                    w.attempt->runner = s.attempts.back().runner;
            if (c_.once_in(8)) w.continuation_group = predicate({NodeType::stage, w.id}, true);
            w.cancel = c_.once_in(40);
            add(r.stages, w);
        }
        if (c_.once_in(6)) add(r.checks, check(any_check()));
    }

    /// What stages say of the checks that they are assigned to, and sometimes their end.
    bool reports(WriteNodes& r) {
        struct Work {
            const ModelStage* stage;
            std::string check;
        };
        std::vector<Work> work;
        for (const auto& s : model_.plan().stages)
            for (const auto& a : s.assignments)
                if (s.state == State::attempting &&
                    std::ranges::any_of(model_.plan().checks, [&](const ModelCheck& c) {
                        return c.ref.id == a.target_check_id && c.state == State::waiting;
                    }))
                    work.push_back({&s, a.target_check_id});
        if (work.empty()) return false;
        if (c_.once_in(2))  // those that were tried before are rarer, and more is to be got wrong
            std::stable_partition(work.begin(), work.end(),
                                  [](const Work& w) { return w.stage->attempts.size() > 1; });
        const bool best = c_.once_in(2);
        const auto& [stage, check] = work[best ? 0 : c_.pick(static_cast<std::uint32_t>(work.size()))];
        CheckWrite w;
        w.id = check;
        w.results.push_back(result());
        // The first try fails, a later one succeeds, as a rule.
        w.results.back().clear_failure = false;
        w.results.back().failure.reset();
        if (c_.once_in(stage->attempts.size() == 1 ? 2 : 4)) w.results.back().failure = "no";
        w.results.back().owner = AttemptRef{stage->ref.id, static_cast<std::int32_t>(stage->attempts.size())};
        r.checks.push_back(w);
        if (c_.once_in(2)) return true;
        StageWrite end;
        end.id = stage->ref.id;
        end.attempt.emplace();
        const bool usual = !c_.once_in(3);
        end.attempt->state =
            usual == (stage->attempts.size() > 1) ? AttemptState::complete : AttemptState::incomplete;
        r.stages.push_back(end);
        return true;
    }

    void results(WriteNodes& r) {
        if (!c_.once_in(3) && reports(r)) return;
        const std::uint32_t n = c_.once_in(4) ? 2 : 1;
        for (std::uint32_t i = 0; i < n; ++i) {
            CheckWrite w;
            w.id = known_check();
            w.results.push_back(result());
            if (c_.once_in(12)) w.results.push_back(result());
            if (c_.once_in(6)) w.state = State::final;
            if (c_.once_in(12)) w.state = one_of(c_, kCheckStates);
            add(r.checks, w);
        }
        if (c_.once_in(6)) attempts(r);
    }

    /// Takes checks to their end, and stages, as far as they can be taken at once.
    void finish(WriteNodes& r) {
        const std::uint32_t n = 1 + c_.pick(2);
        for (std::uint32_t i = 0; i < n; ++i) {
            if (c_.once_in(3)) {
                StageWrite w;
                w.id = known_stage();
                w.cancel = true;
                add(r.stages, w);
                continue;
            }
            CheckWrite w;
            w.id = known_check();
            w.state = State::final;
            if (c_.once_in(2)) {
                w.results.emplace_back();
                w.results.back().failure = "no";
            }
            add(r.checks, w);
        }
    }

    void claim(Operation& op) {
        op.request.claim.emplace();
        Claim& claim = *op.request.claim;
        claim.process_uid = one_of(c_, kUids);
        claim.at_most = static_cast<std::int32_t>(1 + c_.pick(3));
        if (c_.once_in(3)) claim.runner = RunnerIdentity{"host", "boot", 1 + c_.pick(2), 7};
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
    std::uint32_t size_ = 5;     ///< how many names of either type are in use
    Oddity odd_ = Oddity::none;  ///< the request in the making
    Model model_;
    ClockReading now_{{}, std::chrono::seconds(1000), "boot"};
    std::vector<Operation> past_;
};

}  // namespace

Operations generate(Choices& choices) {
    Generator generator(choices);
    Operations operations{generator.first()};
    for (int i = 0; i < 4 && generator.is_bare() && !choices.once_in(12); ++i)
        operations.push_back(generator.second());
    // Short ones more often: most of what goes wrong does so early.
    const auto drawn = choices.pick(kMaxOperations - 9);
    const std::size_t length = 10 + std::min(drawn, choices.pick(kMaxOperations - 9));
    while (operations.size() < length && !choices.exhausted()) operations.push_back(generator.next());
    return operations;
}

}  // namespace turboci::model
