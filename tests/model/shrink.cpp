// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"
#include "support/packed.hpp"

namespace turboci::model {

namespace {

/// Calls `found` with each simpler predicate.
void simpler_predicates(const PredicateSpec& p, const std::function<void(const PredicateSpec&)>& found) {
    for (const auto& g : p.groups) found(g);
    for (std::size_t i = 0; i < p.edges.size(); ++i) {
        PredicateSpec less = p;
        less.edges.erase(less.edges.begin() + static_cast<std::ptrdiff_t>(i));
        if (less.at_least > 1) --less.at_least;
        found(less);
    }
    for (std::size_t i = 0; i < p.groups.size(); ++i) {
        PredicateSpec less = p;
        less.groups.erase(less.groups.begin() + static_cast<std::ptrdiff_t>(i));
        if (less.at_least > 1) --less.at_least;
        found(less);
        simpler_predicates(p.groups[i], [&](const PredicateSpec& inner) {
            PredicateSpec with = p;
            with.groups[i] = inner;
            found(with);
        });
    }
    if (p.kind != GroupKind::all) {
        PredicateSpec plain = p;
        plain.kind = GroupKind::all;
        found(plain);
    }
    for (std::size_t i = 0; i < p.edges.size(); ++i) {
        if (!p.edges[i].when && p.edges[i].on_state == State::final) continue;
        PredicateSpec plain = p;
        plain.edges[i].when.reset();
        plain.edges[i].on_state = State::final;
        found(plain);
    }
}

/// An operation whose nodes can be changed.
struct Opened : Operation {
    std::vector<CheckWrite> checks;
    std::vector<StageWrite> stages;
};

class Simplifier {
public:
    explicit Simplifier(const Operation& from)
        : from_{from, unpacked(from.request.checks), unpacked(from.request.stages)} {}

    std::vector<Operation> run() {
        const WriteNodes& r = from_.request;
        each(from_.checks.size(), [](Opened& o, std::size_t i) { erase(o.checks, i); });
        each(from_.stages.size(), [](Opened& o, std::size_t i) { erase(o.stages, i); });
        if (r.claim) {
            Opened less = from_;
            less.kind = OperationKind::write;
            less.request.claim.reset();
            found(std::move(less));
        }
        if (r.claim && r.claim->ahead > 0)
            each(1, [](Opened& o, std::size_t) { o.request.claim->ahead = 0; });
        if (r.claim && r.claim->filter.runners != ClaimFilter{}.runners)
            each(1, [](Opened& o, std::size_t) { o.request.claim->filter.runners = {""}; });
        reset([](Opened & o) -> auto& { return o.request.limits; });
        drop([](Opened & o) -> auto& { return o.request.cancel; });
        drop([](Opened & o) -> auto& { return o.request.labels; });
        drop([](Opened & o) -> auto& { return o.request.inside; });
        drop([](Opened & o) -> auto& { return o.request.if_version; });
        drop([](Opened & o) -> auto& { return o.token; });
        each(from_.rerun.again.size(), [](Opened& o, std::size_t i) { erase(o.rerun.again, i); });
        reset([](Opened & o) -> auto& { return o.rerun.fork; });
        reset([](Opened & o) -> auto& { return o.rerun.takes_id; });
        reset([](Opened & o) -> auto& { return o.back; });
        if (from_.rerun.redefines) each(1, [](Opened& o, std::size_t) { leave_definitions(o); });
        reset([](Opened & o) -> auto& { return o.request.op_id; });
        reset([](Opened & o) -> auto& { return o.request.reason; });
        reset([](Opened & o) -> auto& { return o.request.dry_run; });
        reset([](Opened & o) -> auto& { return o.reboot; });
        reset([](Opened & o) -> auto& { return o.wall_jump; });
        reset([](Opened & o) -> auto& { return o.pause; });
        for (std::size_t i = 0; i < from_.checks.size(); ++i) check(i);
        for (std::size_t i = 0; i < from_.stages.size(); ++i) stage(i);
        return std::move(found_);
    }

private:
    void found(Opened&& less) {
        less.request.checks = packed(less.checks);
        less.request.stages = packed(less.stages);
        found_.push_back(std::move(less));
    }
    static void leave_definitions(Opened& o) {
        o.rerun.redefines = false;
        o.checks.clear();
        o.stages.clear();
        o.request.limits.clear();
    }
    template <class List>
    static void erase(List& list, std::size_t i) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    }
    template <class Change>
    void each(std::size_t n, const Change& change) {
        for (std::size_t i = 0; i < n; ++i) {
            Opened less = from_;
            change(less, i);
            found(std::move(less));
        }
    }
    template <class Member>
    void drop(const Member& member) {
        Opened less = from_;
        if (!member(less)) return;
        member(less).reset();
        found(std::move(less));
    }
    template <class Member>
    void reset(const Member& member) {
        Opened less = from_;
        std::remove_reference_t<decltype(member(less))> nothing{};
        if (member(less) == nothing) return;
        member(less) = nothing;
        found(std::move(less));
    }
    template <class Member>
    void predicate(const Member& member) {
        drop(member);
        Opened original = from_;
        if (!member(original)) return;
        simpler_predicates(*member(original), [&](const PredicateSpec& p) {
            Opened less = from_;
            member(less) = p;
            found(std::move(less));
        });
    }

    void check(std::size_t i) {
        const auto at = [i](Opened& o) -> CheckWrite& { return o.checks[i]; };
        const auto& write = from_.checks[i];
        each(write.results.size(), [&](Opened& o, std::size_t r) { erase(at(o).results, r); });
        predicate([&](Opened & o) -> auto& { return at(o).dependencies; });
        drop([&](Opened & o) -> auto& { return at(o).condition; });
        if (write.condition)
            each(write.condition->size(), [&](Opened& o, std::size_t c) { erase(*at(o).condition, c); });
        drop([&](Opened & o) -> auto& { return at(o).kind; });
        drop([&](Opened & o) -> auto& { return at(o).options; });
        drop([&](Opened & o) -> auto& { return at(o).state; });
        drop([&](Opened & o) -> auto& { return at(o).required; });
        reset([&](Opened & o) -> auto& { return at(o).skip; });
        for (std::size_t r = 0; r < write.results.size(); ++r) {
            const auto of = [&](Opened& o) -> ResultWrite& { return at(o).results[r]; };
            drop([&](Opened & o) -> auto& { return of(o).data; });
            drop([&](Opened & o) -> auto& { return of(o).failure; });
            drop([&](Opened & o) -> auto& { return of(o).owner; });
            reset([&](Opened & o) -> auto& { return of(o).finalize; });
            reset([&](Opened & o) -> auto& { return of(o).clear_failure; });
        }
    }

    void stage(std::size_t i) {
        const auto at = [i](Opened& o) -> StageWrite& { return o.stages[i]; };
        const auto& write = from_.stages[i];
        predicate([&](Opened & o) -> auto& { return at(o).dependencies; });
        predicate([&](Opened & o) -> auto& { return at(o).continuation_group; });
        drop([&](Opened & o) -> auto& { return at(o).condition; });
        if (write.condition)
            each(write.condition->size(), [&](Opened& o, std::size_t c) { erase(*at(o).condition, c); });
        drop([&](Opened & o) -> auto& { return at(o).assignments; });
        if (write.assignments)
            each(write.assignments->size(), [&](Opened& o, std::size_t a) { erase(*at(o).assignments, a); });
        drop([&](Opened & o) -> auto& { return at(o).runner; });
        drop([&](Opened & o) -> auto& { return at(o).uses; });
        drop([&](Opened & o) -> auto& { return at(o).args; });
        drop([&](Opened & o) -> auto& { return at(o).retry; });
        if (write.retry) {
            reset([&](Opened & o) -> auto& { return at(o).retry->backoff; });
            if (write.retry->max_backoff != kMaxBackoff)
                each(1, [&](Opened& o, std::size_t) { at(o).retry->max_backoff = kMaxBackoff; });
            reset([&](Opened & o) -> auto& { return at(o).retry->on; });
            if (write.retry->on_interrupt != OnInterrupt::again)
                each(1, [&](Opened& o, std::size_t) { at(o).retry->on_interrupt = OnInterrupt::again; });
        }
        drop([&](Opened & o) -> auto& { return at(o).timeout; });
        drop([&](Opened & o) -> auto& { return at(o).heartbeat; });
        drop([&](Opened & o) -> auto& { return at(o).attempt; });
        reset([&](Opened & o) -> auto& { return at(o).cancel; });
        reset([&](Opened & o) -> auto& { return at(o).skip; });
        if (!write.attempt) return;
        const auto of = [&](Opened& o) -> AttemptWrite& { return *at(o).attempt; };
        drop([&](Opened & o) -> auto& { return of(o).idx; });
        drop([&](Opened & o) -> auto& { return of(o).runner; });
        drop([&](Opened & o) -> auto& { return of(o).details; });
        drop([&](Opened & o) -> auto& { return of(o).failure; });
        drop([&](Opened & o) -> auto& { return of(o).process_uid; });
        drop([&](Opened & o) -> auto& { return of(o).state; });
        reset([&](Opened & o) -> auto& { return of(o).heartbeat; });
        reset([&](Opened & o) -> auto& { return of(o).no_retry; });
        drop([&](Opened & o) -> auto& { return of(o).holder; });
        if (write.attempt->holder) {
            const auto word = [&](Opened& o) -> HolderWord& { return *of(o).holder; };
            drop([&](Opened & o) -> auto& { return word(o).cause; });
            drop([&](Opened & o) -> auto& { return word(o).exit_code; });
            drop([&](Opened & o) -> auto& { return word(o).signal; });
            drop([&](Opened & o) -> auto& { return word(o).log; });
            drop([&](Opened & o) -> auto& { return word(o).ran_for; });
            reset([&](Opened & o) -> auto& { return word(o).stopping; });
            reset([&](Opened & o) -> auto& { return word(o).signalled; });
        }
        each(write.attempt->progress.size(), [&](Opened& o, std::size_t p) { erase(of(o).progress, p); });
    }

    const Opened from_;
    std::vector<Operation> found_;
};

}  // namespace

std::vector<Operation> simpler(const Operation& operation) { return Simplifier(operation).run(); }

Operations shrink(Operations failing, const std::function<bool(const Operations&)>& fails) {
    for (bool smaller = true; smaller;) {
        smaller = false;
        // Runs of operations, long ones first; the first operation creates the plan.
        for (std::size_t length = failing.size() / 2; length >= 1; length /= 2) {
            for (std::size_t at = failing.size(); at-- > 1;) {
                if (at + length > failing.size()) continue;
                Operations less = failing;
                const auto begin = less.begin() + static_cast<std::ptrdiff_t>(at);
                less.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
                if (!fails(less)) continue;
                failing = std::move(less);
                smaller = true;
            }
        }
        for (std::size_t i = 0; i < failing.size(); ++i) {
            for (bool again = true; again;) {
                again = false;
                for (auto& candidate : simpler(failing[i])) {
                    Operations less = failing;
                    less[i] = std::move(candidate);
                    if (!fails(less)) continue;
                    failing = std::move(less);
                    again = smaller = true;
                    break;
                }
            }
        }
    }
    return failing;
}

}  // namespace turboci::model
