// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "bench.hpp"
#include "generate_stories.hpp"
#include "support/packed.hpp"

namespace turboci::model {

namespace {

using namespace std::chrono_literals;
/// Follows the plan on a model, so that most requests make sense: a sequence of refusals tells little. Now
/// and then a request is odd in one way.
class Generator : Stories {
public:
    explicit Generator(Choices& choices) : Stories(choices) {}

    Operation first() {
        // Small plans meet themselves more often, larger ones have longer chains.
        size_ = 2 + c_.pick(4);
        Operation op;
        op.pause = 1s;
        op.request.actor = "ann";
        if (c_.once_in(2)) limits(op.request);
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
        if (size_ > 2 && c_.once_in(3)) {
            share(op.request);
            if (c_.once_in(2)) {
                break_word();
            } else if (c_.once_in(2)) {
                change_mind();
            }
        }
        return remember(op);
    }

    /// Two stages answer one check; one of them needs a third.
    void share(WriteNodes& r) const {
        auto stages = unpacked(r.stages);
        stages[0].dependencies.reset();
        stages[1].dependencies = PredicateSpec{};
        stages[1].dependencies->edges.emplace_back().target = {NodeType::stage, kStages[0]};
        stages[2].dependencies.reset();
        for (std::size_t i = 0; i < 3; ++i) stages[i].condition.reset();
        for (auto* s : {&stages[1], &stages[2]}) {
            s->assignments.emplace();
            s->assignments->emplace_back().target_check_id = kChecks[0];
        }
        stages[0].retry.reset();
        stages[2].retry.emplace().max_retries = 1;
        r.stages = packed(stages);
    }

    Operation next() {
        if (coming_.empty() && c_.once_in(28)) tell_a_story();
        if (coming_.empty() && (ends_left_ > 0 || c_.once_in(40))) return start_again();
        if (!coming_.empty()) {
            Operation op = coming_.front();
            coming_.erase(coming_.begin());
            if (op.kind == OperationKind::rerun) rerun(op);
            return remember(op);
        }
        if (!storm_.empty() || c_.once_in(80)) return interrupt();
        if (!past_.empty() && c_.once_in(10)) {
            Operation again = past_[c_.pick(static_cast<std::uint32_t>(past_.size()))];
            time(again);
            return remember(again);
        }
        Operation op;
        time(op);
        if (c_.once_in(30)) {
            choose_plan(op);
            rerun(op);
            return remember(op);
        }
        if (c_.once_in(20)) choose_plan(op);
        header(op.request);
        const std::uint32_t what = c_.pick(18);
        if (what == 0) {
            happen(op);
        } else if (what >= 16) {
            words(op.request);
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
        if (op.kind == OperationKind::write && c_.once_in(50)) cancel(op.request);
        if (c_.once_in(10)) op.token = token();
        return remember(op);
    }

private:
    /// Knows about `op` from now on.
    Operation remember(Operation op) {
        pass_time(now_, op);
        op.request.plan = "p";
        static_cast<void>(answer(model_, op, now_));
        if (!model_.ids().empty()) model_.turn_to(model_.ids().back());
        past_.push_back(op);
        return op;
    }

    /// An older one now and then, if there are several.
    void choose_plan(Operation& op) {
        const auto plans = static_cast<std::uint32_t>(model_.ids().size());
        if (plans < 2 || c_.once_in(3)) return;
        op.back = 1 + c_.pick(std::min(plans - 1, 3u));
        model_.turn_to(plan_of(model_, op));
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

    /// What is at work ends, and what follows from that, and then the plan is started again.
    Operation start_again() {
        if (ends_left_ == 0) ends_left_ = 1 + c_.pick(4);
        Operation op;
        op.pause = 1s;
        if (--ends_left_ == 0) {
            rerun(op);
            return remember(op);
        }
        op.request.actor = "ann";
        for (const auto& s : model_.plan().stages) end(op.request, s);
        for (const auto& c : model_.plan().checks) {
            if (c.state != State::waiting || c_.once_in(4)) continue;
            CheckWrite w;
            w.id = c.ref.id;
            w.state = State::final;
            if (c_.once_in(6)) w.results.emplace_back().failure = "no";
            add(op.request.checks, w);
        }
        return remember(op);
    }

    void end(WriteNodes& r, const ModelStage& stage) {
        if (stage.state != State::attempting || c_.once_in(8)) return;
        const ModelAttempt& a = stage.attempts.back();
        const bool held = a.state != AttemptState::pending;
        if (held && a.runner && !is_known(a.holder)) return;
        StageWrite w;
        w.id = stage.ref.id;
        w.attempt.emplace().state = c_.once_in(6) ? AttemptState::incomplete : AttemptState::complete;
        if (held && is_known(a.holder)) w.attempt->holder.emplace().identity = a.holder;
        add(r.stages, w);
        for (const auto& c : model_.plan().checks) {
            const bool asks = std::ranges::any_of(
                stage.assignments, [&](const Assignment& at) { return at.target_check_id == c.ref.id; });
            if (c.state != State::waiting || (asks ? c_.once_in(3) : !c_.once_in(8))) continue;
            CheckWrite said;
            said.id = c.ref.id;
            said.results.push_back(result());
            said.results.back().owner = AttemptRef{stage.ref.id, stage.current()};
            said.results.back().clear_failure = false;
            if (!c_.once_in(3)) said.results.back().failure.reset();
            add(r.checks, said);
        }
    }

    /// What is no write: time, and what becomes of holders.
    void happen(Operation& op) {
        op.request = {};
        op.kind = OperationKind::tick;
        if (c_.once_in(3)) {
            if (c_.once_in(2)) op.pause = 61s;
            return;
        }
        const auto* a = running(true);
        if (a == nullptr) return;
        if (a->runner && a->runner->pid == Model::kElsewhere && is_known(a->holder)) {
            op.kind = OperationKind::beat;
            op.holder = a->holder;
            op.pause = 50s;
            if (c_.once_in(4)) op.wall_jump = -1h;
        } else if (a->runner && a->runner->pid != Model::kElsewhere) {
            op.kind = OperationKind::die;
            op.pid = a->runner->pid;
        }
    }

    /// Runners speak, are asked to end, and hear from inside.
    void words(WriteNodes& r) {
        StageWrite w;
        w.id = known_stage();
        const ModelAttempt* a = running(true, &w.id);
        if (a == nullptr) {
            attempts(r);
            return;
        }
        const auto at = [&] {
            for (const auto& s : model_.plan().stages)
                if (s.ref.id == w.id) return s.current();
            return 1;
        };
        switch (c_.pick(6)) {
            case 0:
                (c_.once_in(4) ? w.skip : w.cancel) = true;
                break;
            case 1:
                r.inside = AttemptRef{w.id, at()};
                w.cancel = c_.once_in(3);
                if (w.cancel) break;
                [[fallthrough]];
            case 2:
                w.attempt = AttemptWrite{};
                w.attempt->state =
                    c_.once_in(3) != r.inside.has_value() ? AttemptState::complete : AttemptState::incomplete;
                if (w.attempt->state == AttemptState::incomplete && c_.once_in(2)) w.attempt->failure = "no";
                if (w.attempt->state == AttemptState::incomplete) w.attempt->no_retry = c_.once_in(6);
                if (c_.once_in(3)) w.attempt->details = object();
                break;
            default:
                w.attempt = word(*a);
                if (c_.once_in(4))
                    w.attempt->idx = static_cast<std::int32_t>(1 + c_.pick(static_cast<std::uint32_t>(at())));
        }
        add(r.stages, w);
        if (c_.once_in(3)) last_word(r, w.id, at());
    }

    /// An attempt asks for the end of a check.
    void last_word(WriteNodes& r, const std::string& stage, std::int32_t idx) {
        r.inside = AttemptRef{stage, idx};
        CheckWrite w;
        w.id = known_check();
        for (const auto& s : model_.plan().stages)
            if (s.ref.id == stage && !s.assignments.empty() && !c_.once_in(6))
                w.id =
                    s.assignments[c_.pick(static_cast<std::uint32_t>(s.assignments.size()))].target_check_id;
        w.state = State::final;
        if (c_.once_in(6)) {
            w.state.reset();
            w.skip = true;
        }
        if (!c_.once_in(3)) w.results.push_back(result());
        add(r.checks, w);
    }

    /// A runner that is interrupted again and again: its stage is taken and given up in each write.
    Operation interrupt() {
        Operation op;
        time(op);
        op.request.actor = "ann";
        if (storm_.empty()) {
            storm_ = known_stage();
            storm_left_ = 13;
            storm_fails_ = c_.once_in(2);
        }
        StageWrite w;
        w.id = storm_;
        for (const auto& s : model_.plan().stages) {
            if (s.ref.id != storm_ || s.attempts.empty()) continue;
            const ModelAttempt& a = s.attempts.back();
            if (a.state != AttemptState::running || !is_known(a.holder)) break;
            w.attempt = AttemptWrite{};
            w.attempt->state = AttemptState::incomplete;
            w.attempt->holder = HolderWord{.identity = a.holder, .cause = Cause::interrupted};
            // Half of these runners fail at times.
            if (storm_fails_ && c_.once_in(3)) {
                w.attempt->holder->cause = Cause::failed;
                w.attempt->holder->exit_code = 1;
            }
            add(op.request.stages, w);
        }
        op.request.claim.emplace();
        op.request.claim->process_uid = kUids.front();
        op.request.claim->holder = kHolders.front();
        op.request.claim->runner = RunnerIdentity{"host", "boot", 1, 7};
        op.request.claim->filter.only.push_back(storm_);
        op.request.claim->filter.runners = {"*"};
        if (--storm_left_ == 0) storm_.clear();
        return remember(op);
    }

    void attempts(WriteNodes& r) {
        const std::uint32_t n = c_.once_in(4) ? 2 : 1;
        for (std::uint32_t i = 0; i < n; ++i) {
            StageWrite w;
            w.id = known_stage();
            w.attempt = attempt();
            const bool begins =
                w.attempt->state == AttemptState::scheduled || w.attempt->state == AttemptState::running;
            if (begins && c_.once_in(3)) w.attempt->runner = runner();
            if (c_.once_in(6)) {
                w.attempt = AttemptWrite{};
                w.attempt->heartbeat = true;
                if (c_.once_in(4)) w.attempt->process_uid = one_of(c_, kUids);
            }
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
                (c_.once_in(3) ? w.skip : w.cancel) = true;
                add(r.stages, w);
                continue;
            }
            CheckWrite w;
            w.id = known_check();
            if (c_.once_in(4)) {
                w.skip = true;
                add(r.checks, w);
                continue;
            }
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
        if (c_.once_in(3)) claim.ahead = static_cast<std::int32_t>(1 + c_.pick(3));
        if (c_.once_in(2)) claim.filter.runners = {"*"};
        if (c_.once_in(4)) claim.filter.runners = {one_of(c_, kKinds)};
        if (c_.once_in(4)) claim.filter.runners.emplace_back(c_.once_in(2) ? "" : "mac");
        if (c_.once_in(2)) claim.runner = runner();
        if (!c_.once_in(3)) claim.holder = one_of(c_, kHolders);
        if (c_.once_in(3)) {
            auto& ids = c_.once_in(3) ? claim.filter.only : claim.stages;
            ids.push_back(known_stage());
            if (c_.once_in(4)) {
                const auto more = known_stage();
                if (more != ids.front()) ids.push_back(more);
            }
        }
        if (!c_.once_in(3)) op.kind = OperationKind::claim;
    }

    std::string storm_;  ///< a stage that is interrupted again and again
    int storm_left_ = 0;
    std::uint32_t ends_left_ = 0;  ///< of a plan that is to be started again
    bool storm_fails_ = false;
    ClockReading now_{{}, std::chrono::seconds(1000), "boot-1"};
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
