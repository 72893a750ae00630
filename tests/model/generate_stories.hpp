// SPDX-License-Identifier: Apache-2.0
// Stories: operations that go together, told without looking at what became of those before.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "generate_rerun.hpp"

namespace turboci::model {

class Stories : protected RerunParts {
protected:
    using RerunParts::RerunParts;

    Operation& tell() {
        Operation& op = coming_.emplace_back();
        op.pause = std::chrono::seconds(1);
        op.request.actor = "ann";
        return op;
    }

    void tell_claim(const std::string& stage, const RunnerIdentity& runner) {
        Claim& claim = tell().request.claim.emplace();
        claim.process_uid = kUids.front();
        claim.holder = kHolders.front();
        claim.runner = runner;
        claim.filter.only.push_back(stage);
        claim.filter.runners = {"*"};
    }

    void tell_a_story() {
        switch (c_.pick(10)) {
            case 8:
                return fail_late();
            case 9:
                return beat_by_name();
            case 7:
                return speak_early();
            case 5:
                return plan_more();
            case 6:
                return answer_together();
            case 0:
                return set_clock_back();
            case 3:
                return cancel_all();
            case 1:
                return wish_twice();
            case 2:
                return speak_late();
            default:
                return share_limit();
        }
    }

    void tell_rerun() { tell().kind = OperationKind::rerun; }

    void tell_end(const std::string& stage, bool passes, bool by_holder) {
        StageWrite w;
        w.id = stage;
        w.attempt.emplace().state = passes ? AttemptState::complete : AttemptState::incomplete;
        if (by_holder) w.attempt->holder.emplace().identity = kHolders.front();
        tell().request.stages.push_back(w);
    }

    /// An attempt writes more nodes and waits for them, and the plan is started again.
    void plan_more() {
        StageWrite planner;
        planner.id = "planner";
        tell().request.stages.push_back(planner);
        tell_claim("planner", {"host", "boot", pid_, 7});
        WriteNodes& more = tell().request;
        more.inside = AttemptRef{"planner", 1};
        CheckWrite asked;
        asked.id = "asked";
        asked.state = State::planned;
        more.checks.push_back(asked);
        StageWrite late;
        late.id = "late";
        late.assignments.emplace().emplace_back().target_check_id = "asked";
        more.stages.push_back(late);
        planner.continuation_group.emplace().edges.emplace_back().target = {NodeType::stage, "late"};
        if (c_.once_in(2)) more.stages.push_back(planner);
        tell_end("planner", true, true);
        tell_end("late", !c_.once_in(4), false);
        tell_rerun();
        if (c_.once_in(2)) tell_rerun();
    }

    /// Two stages answer a check; one of them fails, or is tried again, and the plan is started again.
    void answer_together() {
        WriteNodes& r = tell().request;
        CheckWrite check;
        check.id = "sum";
        check.state = State::planned;
        check.required = !c_.once_in(3);
        r.checks.push_back(check);
        for (const char* id : {"one", "two"}) {
            StageWrite w;
            w.id = id;
            w.assignments.emplace().emplace_back().target_check_id = "sum";
            w.retry.emplace().max_retries = 1;
            r.stages.push_back(w);
        }
        StageWrite user;
        user.id = "user";
        EdgeSpec& edge = user.dependencies.emplace().edges.emplace_back();
        edge.target = {NodeType::check, "sum"};
        if (c_.once_in(2)) edge.when = When::always;
        r.stages.push_back(user);
        const std::int32_t idx = c_.once_in(2) ? 2 : 1;
        if (idx == 2) tell_end("one", false, false);
        CheckWrite said;
        said.id = "sum";
        ResultWrite& result = said.results.emplace_back();
        result.owner = AttemptRef{"one", idx};
        result.data = object();
        if (c_.once_in(3)) result.failure = "no";
        tell().request.checks.push_back(said);
        tell_end("one", true, false);
        for (int i = c_.once_in(2) ? 2 : 1; i > 0; --i) tell_end("two", i == 1 && c_.once_in(2), false);
        if (c_.once_in(2)) tell_end("user", true, false);
        tell_rerun();
        if (c_.once_in(2)) tell_rerun();
    }

    /// An attempt fails after another was interrupted: how long the next one waits tells what counted.
    void fail_late() {
        StageWrite w;
        w.id = "tired";
        w.retry.emplace().max_retries = 3;
        w.retry->backoff = std::chrono::seconds(5);
        if (c_.once_in(2)) w.retry->on = {false, false, false, {1}};
        tell().request.stages.push_back(w);
        w.retry.reset();
        for (const auto cause : {Cause::interrupted, Cause::failed}) {
            tell_claim("tired", {"host", "boot", pid_, 7});
            w.attempt.emplace().state = AttemptState::incomplete;
            w.attempt->holder.emplace().identity = kHolders.front();
            w.attempt->holder->cause = cause;
            if (cause == Cause::failed) w.attempt->holder->exit_code = 1;
            tell().request.stages.push_back(w);
        }
    }

    /// A heartbeat has an op_id, and then something else has it.
    void beat_by_name() {
        StageWrite w;
        w.id = "lively";
        w.attempt.emplace().state = AttemptState::running;
        w.attempt->process_uid = kUids.front();
        tell().request.stages.push_back(w);
        w.attempt.emplace().heartbeat = true;
        tell().request.stages.push_back(w);
        coming_.back().request.op_id = "o3";
        w.attempt.emplace().progress.emplace_back("on", object());
        tell().request.stages.push_back(w);
        coming_.back().request.op_id = "o3";
    }

    /// The process of an attempt that was claimed ahead speaks before its start is in the store.
    void speak_early() {
        StageWrite w;
        w.id = "early";
        tell().request.stages.push_back(w);
        tell_claim("early", {"host", "boot", pid_, 7});
        Claim& claim = *coming_.back().request.claim;
        claim.at_most = 0;
        claim.ahead = 1;
        WriteNodes& said = tell().request;
        said.inside = AttemptRef{"early", 1};
        if (c_.once_in(2)) {
            w.cancel = true;
        } else {
            w.attempt.emplace().state = c_.once_in(2) ? AttemptState::complete : AttemptState::incomplete;
        }
        said.stages.push_back(w);
    }

    /// Somebody else speaks of an attempt that was interrupted and followed by another.
    void speak_late() {
        StageWrite w;
        w.id = known_stage();
        tell_claim(w.id, {"host", "boot", pid_, 7});
        w.attempt.emplace().state = AttemptState::incomplete;
        w.attempt->holder.emplace().identity = kHolders[0];
        w.attempt->holder->cause = Cause::interrupted;
        tell().request.stages.push_back(w);
        w.attempt->idx = 1;
        w.attempt->holder->identity = kHolders[1];
        tell().request.stages.push_back(w);
    }

    /// Work, what cleans up after it, and what follows that; then the plan is cancelled.
    void cancel_all() {
        WriteNodes& r = tell().request;
        for (const auto& [id, on] : {std::pair("work", ""), {"down", "work"}, {"heir", "down"}}) {
            StageWrite w;
            w.id = id;
            if (*on != '\0') w.dependencies.emplace().edges.emplace_back().target = {NodeType::stage, on};
            if (w.id == "down") w.dependencies->edges[0].when = When::always;
            r.stages.push_back(w);
        }
        if (c_.once_in(2)) {
            CheckWrite doubt;
            doubt.id = "doubt";
            doubt.state = State::waiting;
            doubt.results.emplace_back().failure = "no";
            r.checks.push_back(doubt);
        }
        cancel(tell().request);
        auto& only = coming_.back().request.cancel->only;
        if (!only.empty()) only = {"work", "heir"};
    }

    /// Three stages of one limit: one is held or in a queue, then the others are wanted.
    void share_limit() {
        WriteNodes& r = tell().request;
        r.limits.push_back({kLimits[0], 2});
        for (const char* id : {"u", "v", "w"}) {
            StageWrite w;
            w.id = id;
            w.uses = {{kLimits[0], id[0] == 'u' ? 2 : 1}};
            r.stages.push_back(w);
        }
        if (c_.once_in(2)) {
            tell_claim("u", {"host", "boot", pid_, 7});
        } else if (c_.once_in(2)) {
            StageWrite w;
            w.id = "u";
            w.attempt.emplace().state = AttemptState::scheduled;
            tell().request.stages.push_back(w);
        }
        tell_claim("v", {"host", "boot", pid_, 7});
        Claim& claim = *coming_.back().request.claim;
        claim.filter.only.push_back("w");
        claim.at_most = static_cast<std::int32_t>(1 + c_.pick(2));
        claim.ahead = 1;
    }

    /// A runner that can only be heard beats, also after its clock was set back, and then does not.
    void set_clock_back() {
        tell_claim(known_stage(), {"elsewhere", "boot", Model::kElsewhere, 7});
        for (int i = 0; i < 2; ++i) {
            Operation& beat = tell();
            beat.kind = OperationKind::beat;
            beat.holder = kHolders.front();
            if (i == 1) beat.wall_jump = std::chrono::hours(-1);
        }
        Operation& tick = tell();
        tick.kind = OperationKind::tick;
        tick.pause = std::chrono::seconds(61);
    }

    /// Somebody wants the end of what a runner holds, with news, and says so again.
    void wish_twice() {
        StageWrite w;
        w.id = known_stage();
        tell_claim(w.id, {"host", "boot", pid_, 7});
        w.attempt.emplace().state = AttemptState::incomplete;
        w.attempt->details = object();
        if (c_.once_in(2)) w.attempt->failure = "no";
        for (int i = 0; i < 2; ++i) tell().request.stages.push_back(w);
    }

    /// Of the two stages of share() that answer one check, one reports a pass with an attempt that does not
    /// run to its end, and the other is skipped.
    void break_word() {
        WriteNodes& pass = tell().request;
        CheckWrite said;
        said.id = kChecks[0];
        said.results.emplace_back().owner = AttemptRef{kStages[2], 1};
        pass.checks.push_back(said);
        StageWrite w;
        w.id = kStages[2];
        w.attempt.emplace().state = AttemptState::incomplete;
        pass.stages.push_back(w);
        w.attempt->state = AttemptState::complete;
        tell().request.stages.push_back(w);
        w.id = kStages[0];
        w.attempt->state = AttemptState::incomplete;
        tell().request.stages.push_back(w);
    }

    /// The second attempt of a stage of share() says something else than the first, or nothing, and a stage
    /// asks what.
    void change_mind() {
        const bool dies = c_.once_in(2);
        for (std::int32_t idx : {1, 2}) {
            if (dies && idx == 2) break;
            WriteNodes& r = tell().request;
            CheckWrite said;
            said.id = kChecks[0];
            ResultWrite& result = said.results.emplace_back();
            result.owner = AttemptRef{kStages[2], idx};
            if (idx == 1 && !dies) result.failure = "no";
            result.data = JsonText{idx == 1 ? R"({"k":1})" : R"({"k":2})"};
            r.checks.push_back(said);
            StageWrite w;
            w.id = kStages[2];
            w.attempt.emplace().idx = idx;
            w.attempt->state = idx == 1 ? AttemptState::incomplete : AttemptState::complete;
            r.stages.push_back(w);
        }
        CheckWrite over;
        over.id = kChecks[0];
        over.state = State::final;
        tell().request.checks.push_back(over);
        StageWrite asking;
        asking.id = "late";
        EdgeSpec& edge = asking.dependencies.emplace().edges.emplace_back();
        edge.target = {NodeType::check, kChecks[0]};
        edge.when = When::always;
        asking.condition.emplace().emplace_back().condition = {kChecks[0], "/k", Condition::Test::equals,
                                                               "1"};
        if (c_.once_in(2)) asking.condition->front().condition.test = Condition::Test::not_equals;
        tell().request.stages.push_back(asking);
    }

    /// Of the plan, or of some stages.
    void cancel(WriteNodes& r) {
        CancelStages& what = r.cancel.emplace();
        what.clean_up_too = c_.once_in(4);
        for (std::uint32_t n = c_.pick(3); n > 0; --n) what.only.push_back(known_stage());
    }

    std::vector<Operation> coming_;  ///< of the story that is being told
};

}  // namespace turboci::model
