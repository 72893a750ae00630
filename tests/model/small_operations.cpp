// SPDX-License-Identifier: Apache-2.0
#include "small_operations.hpp"

#include <algorithm>

#include "state_key.hpp"

namespace turboci::model {

namespace {

using namespace std::chrono_literals;

const std::string kRunner = "h1", kFarRunner = "h2";

class Asking {
public:
    Asking(const Model& model, Timestamp now, const Operation& creation, Questions questions)
        : model_(model), now_(now), creation_(creation), all_(questions == Questions::all) {
        const auto asks = [](const ModelNode& n) { return !n.condition.empty(); };
        kinds_matter_ =
            !model.plan().limits.empty() ||
            std::ranges::any_of(model.plan().stages, [](const ModelStage& s) { return !s.runner.empty(); });
        data_matters_ =
            std::ranges::any_of(model.plan().checks, asks) || std::ranges::any_of(model.plan().stages, asks);
    }

    Operations run() {
        for (const auto& c : model_.plan().checks) {
            ask_of(c);
            if (all_) ask_more_of(c);
            for (const auto& s : model_.plan().stages) report(c, s);
        }
        for (const auto& s : model_.plan().stages) {
            hold(s);
            end(s);
            if (!all_) continue;
            ask_more_of(s);
            speak(s);
            ask_wrongly_of(s);
            write_from(s);
        }
        ask_of_plan();
        return std::move(operations_);
    }

private:
    Operation& add(OperationKind kind = OperationKind::write) {
        Operation& operation = operations_.emplace_back();
        operation.kind = kind;
        operation.pause = 1us;
        operation.request.actor = "ann";
        return operation;
    }
    Operation& add(const CheckWrite& write) {
        Operation& operation = add();
        operation.request.checks.push_back(write);
        return operation;
    }
    Operation& add(const StageWrite& write) {
        Operation& operation = add();
        operation.request.stages.push_back(write);
        return operation;
    }
    Operation& add(const ModelStage& stage, const AttemptWrite& write) {
        StageWrite w = named(stage);
        w.attempt = write;
        return add(w);
    }
    static StageWrite named(const ModelStage& stage) {
        StageWrite w;
        w.id = stage.ref.id;
        return w;
    }
    static CheckWrite named(const ModelCheck& check, std::optional<State> state = std::nullopt) {
        CheckWrite w;
        w.id = check.ref.id;
        w.state = state;
        return w;
    }
    static AttemptRef current(const ModelStage& stage) {
        return {stage.ref.id, std::max(stage.current(), 1)};
    }
    static AttemptWrite to(AttemptState state, const std::string& uid = {}) {
        AttemptWrite w;
        w.state = state;
        if (!uid.empty()) w.process_uid = uid;
        return w;
    }
    static ResultWrite failure(const std::string& message) {
        ResultWrite r;
        r.failure = message;
        return r;
    }

    // ------------------------------------------------------------------------------ checks

    void ask_of(const ModelCheck& check) {
        CheckWrite w = named(check, State::final);
        add(w);
        w.results.push_back(failure("no"));
        add(w);
        if (check.state == State::planning) add(named(check, State::planned));
        if (data_matters_)
            for (const char* data : {R"({"k":1})", R"({"k":2})"}) {
                w = named(check, State::final);
                w.results.emplace_back().data = JsonText{data};
                add(w);
            }
        w = named(check);
        w.skip = true;
        add(w);
    }

    void ask_more_of(const ModelCheck& check) {
        for (const State state : {State::planning, State::planned, State::waiting}) add(named(check, state));
        CheckWrite w = named(check);
        w.results.emplace_back();
        add(w);
        w.results[0].finalize = true;
        add(w);
        w.results[0] = failure("no");
        add(w);
        w.results[0] = {};
        w.results[0].clear_failure = true;
        add(w);
        w = named(check);
        w.required = false;
        add(w);
        w = named(check);
        w.options = JsonText{R"({"k":1})"};
        add(w);
        if (check.dependencies.empty()) return;
        w = named(check, State::waiting);
        w.dependencies.emplace();
        add(w);
    }

    void report(const ModelCheck& check, const ModelStage& stage) {
        if (stage.attempts.empty() && !all_) return;
        CheckWrite w = named(check);
        w.results.emplace_back();
        w.results[0].owner = current(stage);
        add(w);
        w.results[0].failure = "bad";
        add(w);
        if (data_matters_) {
            w.results[0].failure.reset();
            w.results[0].data = JsonText{R"({"k":1})"};
            add(w);
        }
        w.results.clear();
        w.state = State::final;
        add(w).request.inside = current(stage);
        if (!all_) return;
        w.state.reset();
        w.skip = true;
        add(w).request.inside = current(stage);
        w.state = State::final;
        w.skip = false;
        w.results.push_back(failure("bad"));
        add(w).request.inside = current(stage);
        w = named(check);
        w.results.emplace_back();
        w.results[0].owner = current(stage);
        w.results[0].finalize = true;
        add(w);
        w.results[0].owner->idx = stage.current() > 1 ? stage.current() - 1 : stage.current() + 1;
        add(w);
    }

    // ------------------------------------------------------------------------------ holders

    Operation& claim(const ModelStage& stage, const std::string& uid) {
        Operation& operation = add(OperationKind::claim);
        Claim& c = operation.request.claim.emplace();
        c.stages = {stage.ref.id};
        c.process_uid = uid;
        return operation;
    }
    /// The process of the runner: one that lives, if any holds something; else a new one.
    [[nodiscard]] std::int64_t runner() const {
        std::int64_t last = Model::kElsewhere, live = 0;
        for (const auto pid : model_.dead()) last = std::max(last, pid);
        for (const auto& s : model_.plan().stages)
            for (const auto& a : s.attempts)
                if (a.runner && a.runner->pid != Model::kElsewhere) {
                    last = std::max(last, a.runner->pid);
                    if (!is_ended(a.state) && !model_.dead().contains(a.runner->pid)) live = a.runner->pid;
                }
        return live > 0 ? live : last + 1;
    }

    void hold(const ModelStage& stage) {
        Claim& c = *claim(stage, "u1").request.claim;
        c.holder = kRunner;
        c.runner = RunnerIdentity{"host", "boot", runner(), 7};
        if (!all_) return;
        claim(stage, "u1");
        claim(stage, "u2");
        Claim& far = *claim(stage, "u1").request.claim;
        far.holder = kFarRunner;
        far.runner = RunnerIdentity{"elsewhere", "boot", Model::kElsewhere, 7};
    }

    /// The identity of a holder if anybody was told it, else another.
    static std::string known(const ModelAttempt& attempt) {
        const bool secret = attempt.holder.empty() || attempt.holder.starts_with(Model::kSecret);
        return secret ? kRunner : attempt.holder;
    }
    /// What the holder of the current attempt says.
    static AttemptWrite word(const ModelStage& stage, AttemptState state) {
        AttemptWrite w = to(state);
        w.holder.emplace().identity = known(stage.attempts.back());
        return w;
    }

    void end(const ModelStage& stage) {
        add(stage, to(AttemptState::complete));
        AttemptWrite w = to(AttemptState::incomplete);
        w.failure = "broken";
        add(stage, w);
        StageWrite cancel = named(stage);
        cancel.cancel = true;
        add(cancel);
        StageWrite skip = named(stage);
        skip.skip = true;
        add(skip);
        if (stage.attempts.empty()) return;
        const ModelAttempt& last = stage.attempts.back();
        if (last.state == AttemptState::scheduled && known(last) == last.holder) {
            add(stage, word(stage, AttemptState::pending));
            w = word(stage, AttemptState::running);
            w.process_uid = "u1";
            add(stage, w);
        }
        w = word(stage, AttemptState::complete);
        add(stage, w);
        w.holder->signalled = true;
        add(stage, w);
        w = word(stage, AttemptState::incomplete);
        w.holder->cause = Cause::interrupted;
        add(stage, w);
    }

    // ------------------------------------------------------------------------------ more of stages

    void ask_more_of(const ModelStage& stage) {
        add(stage, to(AttemptState::scheduled, "u1"));
        add(stage, to(AttemptState::running, "u1"));
        add(stage, to(AttemptState::running));
        add(stage, to(AttemptState::pending));
        AttemptWrite w = to(AttemptState::incomplete);
        w.no_retry = true;
        add(stage, w);
        w = {};
        w.heartbeat = true;
        add(stage, w);
        w = {};
        w.details = JsonText{R"({"k":1})"};
        add(stage, w);
        StageWrite cancel = named(stage);
        cancel.cancel = true;
        add(cancel).request.reason = "not wanted";
        StageWrite group = named(stage);
        group.continuation_group.emplace();
        add(group);
        if (stage.attempts.empty()) return;
        add(cancel).request.inside = current(stage);
        add(stage, to(AttemptState::complete)).request.inside = current(stage);
        add(stage, to(AttemptState::incomplete)).request.inside = current(stage);
    }

    void speak(const ModelStage& stage) {
        if (stage.attempts.empty()) return;
        AttemptWrite w = word(stage, AttemptState::incomplete);
        w.failure = "exit 1";
        w.holder->exit_code = 1;
        add(stage, w);
        w.no_retry = true;
        add(stage, w);
        w = word(stage, AttemptState::incomplete);
        w.state.reset();
        w.holder->stopping = true;
        add(stage, w);
        const ModelAttempt& a = stage.attempts.back();
        if (is_ended(a.state)) return;
        if (a.runner && a.runner->pid != Model::kElsewhere && !model_.dead().contains(a.runner->pid))
            add(OperationKind::die).pid = a.runner->pid;
        if (a.runner && a.runner->pid == Model::kElsewhere) add(OperationKind::beat).holder = a.holder;
    }

    void ask_wrongly_of(const ModelStage& stage) {
        add(stage, to(AttemptState::complete, "u3"));
        AttemptWrite w = to(AttemptState::complete);
        w.idx = stage.current() + 1;
        add(stage, w);
        StageWrite other = named(stage);
        other.retry = Retry{7, 0s};
        add(other);
        if (stage.attempts.empty()) return;
        w = word(stage, AttemptState::complete);
        w.holder->identity = "nobody";
        add(stage, w);
        if (stage.current() > 1) {
            w = to(AttemptState::complete);
            w.idx = stage.current() - 1;
            add(stage, w);
            w.state = AttemptState::incomplete;
            w.holder.emplace().identity = known(stage.attempts.front());
            w.idx = 1;
            add(stage, w);
        }
        AttemptWrite news;
        news.details = JsonText{R"({"k":1})"};
        for (const bool right : {true, false}) {
            ModelToken token;
            token.stage = stage.ref.id;
            token.idx = stage.current();
            token.holder = known(stage.attempts.back());
            token.other_plan = !right;
            add(stage, news).token = token;
            if (!right) continue;
            token.holder = "nobody";
            add(stage, news).token = token;
        }
    }

    /// A node that an attempt writes.
    void write_from(const ModelStage& stage) {
        const std::size_t nodes = model_.plan().checks.size() + model_.plan().stages.size();
        if (stage.attempts.empty() || nodes > 1) return;
        CheckWrite check;
        check.id = "z";
        check.state = State::planned;
        check.dependencies.emplace().edges.emplace_back().target = {NodeType::stage, stage.ref.id};
        add(check).request.inside = current(stage);
        StageWrite next;
        next.id = "z";
        add(next).request.inside = current(stage);
    }

    // ------------------------------------------------------------------------------ the plan

    void ask_of_plan() {
        add(OperationKind::tick);
        add(creation_.request);
        if (const auto moment = next_moment(model_, now_))
            add(OperationKind::wait).pause = *moment - now_ - 1us;  // the next operation is at that moment
        add().request.cancel.emplace();
        if (all_) {
            add().request.cancel = CancelStages{{}, true};
            for (const bool clean_up_too : {false, true})
                for (const auto& s : model_.plan().stages)
                    add().request.cancel = CancelStages{{s.ref.id}, clean_up_too};
        }
        WriteNodes any;
        any.actor = "ann";
        any.claim.emplace().process_uid = "u1";
        any.claim->holder = kRunner;
        any.claim->runner = RunnerIdentity{"host", "boot", runner(), 7};
        const auto claim_any = [&](const auto& change) {
            Operation& operation = add(any);
            operation.kind = OperationKind::claim;
            change(operation.request);
        };
        if (all_ || kinds_matter_) {
            claim_any([](WriteNodes& r) { r.claim->filter.runners = {"*"}; });
            claim_any([](WriteNodes& r) {
                r.claim->at_most = 0;
                r.claim->ahead = 1;
            });
        }
        for (const auto& [limit, count] : model_.plan().limits)
            if (all_) add().request.limits = {{limit, count == 1 ? 2 : 1}};
        if (!all_) return;
        claim_any([](WriteNodes&) {});
        if (model_.plan().stages.size() > 1) claim_any([](WriteNodes& r) { r.claim->ahead = 1; });
        claim_any([](WriteNodes& r) { r.dry_run = true; });
        claim_any([&](WriteNodes& r) { r.if_version = model_.plan().version + 1; });
        if (model_.plan().checks.size() + model_.plan().stages.size() > 1) return;
        claim_any([](WriteNodes& r) { r.op_id = "o1"; });
        Operation& labels = add();
        labels.request.labels = JsonText{R"({"branch":"main"})"};
    }
    Operation& add(WriteNodes request) {
        Operation& operation = add();
        operation.request = std::move(request);
        return operation;
    }

    const Model& model_;
    Timestamp now_;
    const Operation& creation_;
    bool all_;
    bool data_matters_ = false, kinds_matter_ = false;
    Operations operations_;
};

}  // namespace

Operations operations_in(const Model& model, Timestamp now, const Operation& creation, Questions questions) {
    return Asking(model, now, creation, questions).run();
}

}  // namespace turboci::model
