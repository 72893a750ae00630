// SPDX-License-Identifier: Apache-2.0
// The executor's talk with the store: batches out, answers in.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "os/process_identity.hpp"
#include "runner/executor.hpp"
#include "runner/stage_command.hpp"

namespace turboci {

namespace {

constexpr Duration kLockRetry = std::chrono::seconds(1);
constexpr int kMaxLockFailures = 6;
constexpr int kMaxBatchFailures = 3;
constexpr Duration kTickInterval = std::chrono::seconds(2);
constexpr Duration kSoon = std::chrono::milliseconds(50);

/// Hands each stage of a query to a function.
class StageVisitor : public NodeSink {
public:
    explicit StageVisitor(std::function<void(const Stage&)> visit) : visit_(std::move(visit)) {}
    void plan(const WorkPlan&) override {}
    void check(const Check&) override {}
    void stage(const Stage& stage) override { visit_(stage); }

private:
    std::function<void(const Stage&)> visit_;
};

}  // namespace

void Executor::submit() {
    if (store_thread_->busy() || retry_at_) return;
    const Duration at = now();
    if (fatal_) return;
    const bool free_slot = free_slots() > 0;
    // A failure that is not yet in the store must not start anything.
    const bool hold = options_.fail_fast && !ended_.empty();
    const bool claim = !stopping() && free_slot && (may_claim_ || !ended_.empty()) && !hold;
    const bool reconcile = inspect_ && batch_failures_ > 0;
    // What is interrupted says so with its end; of what runs out of time others should know at once.
    const bool mark = std::any_of(active_.begin(), active_.end(), [](const auto& entry) {
        return entry.second.stopped == Stopped::timed_out && !entry.second.marked;
    });
    const bool inspection_due =
        inspect_ && (reconcile || at >= inspected_at_ + options_.watch_interval || active_.empty());
    const bool tick_due = free_slot && at >= ticked_at_ + kTickInterval;
    const bool watch_due = at >= looked_at_ + options_.watch_interval;
    if (must_beat(at)) {
        submit_beat();
    } else if (!reconcile && (claim || mark || !ended_.empty())) {
        submit_batch(claim);
    } else if (inspection_due || (active_.empty() && !idle_checked_ && !stopping())) {
        submit_inspection();
    } else if (watch_due && !stopping() && (active_.empty() ? others_work_ : tick_due)) {
        // Only a tick finds out that another runner has died.
        tick_ = true;
        submit_batch(true);
    } else if (watch_due && !active_.empty()) {
        submit_look();
    }
}

/// What the system will not take is left alone: it would use up an attempt, and another environment may do.
bool Executor::fits(const std::string& stage, const JsonText& args) {
    std::string why = commands_->excess(stage, args);
    if (why.empty()) return true;
    excess_.insert_or_assign(stage, std::move(why));
    return false;
}

WriteNodes Executor::make_request(const Batch& batch, bool claim) {
    WriteNodes request;
    request.plan = options_.plan;
    request.plan_identity = plan_identity_;
    request.reason = "run";
    request.actor = options_.actor;
    const auto add = [&](const std::string& stage, std::int32_t idx, AttemptWrite&& attempt) {
        attempt.idx = idx;
        attempt.runner = me_;
        StageWrite write;
        write.id = stage;
        write.attempt = std::move(attempt);
        request.stages.push_back(write);
    };
    for (const Ended& ended : batch.ended) {
        AttemptWrite attempt;
        attempt.state = ended.event.failure ? AttemptState::incomplete : AttemptState::complete;
        attempt.failure = ended.event.failure;
        attempt.no_retry = ended.no_retry;
        attempt.holder = ended.word;
        add(ended.event.stage, ended.event.idx, std::move(attempt));
    }
    for (const Mark& mark : batch.marks) {
        AttemptWrite attempt;
        attempt.failure = mark.reason;
        HolderWord& word = attempt.holder.emplace();
        word.identity = holder_;
        word.cause = mark.cause;
        word.stopping = true;
        add(mark.stage, mark.idx, std::move(attempt));
    }
    if (!claim) return request;
    Claim& wanted = request.claim.emplace();
    wanted.at_most = batch.asked;
    wanted.whole = false;
    wanted.process_uid = uid_;
    wanted.runner = me_;
    wanted.holder = holder_;
    wanted.accept = [this, selection = selection_](const std::string& id, const JsonText& args) {
        if (selection && !is_selected(selection.get(), {NodeType::stage, id})) return false;
        return has_command(args) && fits(id, args);
    };
    return request;
}

void Executor::submit_batch(bool claim) {
    batch_ = {};
    batch_.ended = std::exchange(ended_, {});
    const Duration at = now();
    submitted_at_ = at;
    batch_.marks = take_marks();
    if (claim) batch_.asked = static_cast<std::int32_t>(free_slots());
    batch_.tick = std::exchange(tick_, false);
    if (batch_.tick) ticked_at_ = at;
    may_claim_ = false;
    job_ = Job::batch;
    auto request = std::make_shared<const WriteNodes>(make_request(batch_, claim));
    const auto job = [this, request] {
        batch_.result = batch_.tick ? endpoint_.tick(*request) : endpoint_.write_nodes(*request);
    };
    // Nothing runs that would have to be looked after, unless the store keeps us waiting.
    batch_.in_place = options_.threaded && options_.stop_waiting && active_.empty() && claimed_.empty() &&
                      !std::exchange(be_patient_, false);
    if (!batch_.in_place) return store_thread_->submit(job);
    options_.stop_waiting->store(true);
    store_thread_->do_here(job);
    options_.stop_waiting->store(at_once_);
}

std::vector<Executor::Mark> Executor::take_marks() {
    std::vector<Mark> marks;
    for (auto& [id, active] : active_) {
        if (active.stopped != Stopped::timed_out || active.marked) continue;
        active.marked = true;
        marks.push_back({active.stage, active.idx, Cause::timeout, timeout_text(active)});
    }
    return marks;
}

bool Executor::must_beat(Duration at) const {
    return !active_.empty() && !at_once_ && at >= beaten_at_ + options_.lost_after / 6;
}

void Executor::submit_beat() {
    job_ = Job::beat;
    has_beaten_ = true;
    store_thread_->submit([this] { endpoint_.beat(holder_); });
}

WorkPlan Executor::look_at_plan() {
    WorkPlan plan = endpoint_.get_plan(options_.plan);
    require_identity(plan.id, plan.identity, plan_identity_);
    return plan;
}

void Executor::submit_look() {
    job_ = Job::look;
    inspection_ = {};
    store_thread_->submit([this] { inspection_.plan = look_at_plan(); });
}

void Executor::submit_inspection() {
    job_ = Job::inspect;
    inspect_ = false;
    inspection_ = {};
    QueryNodes query;
    query.plan = options_.plan;
    query.types = {NodeType::stage};
    const bool idle = active_.empty() && ended_.empty();
    if (idle) {
        query.states = {State::attempting};
    } else {
        for (const auto& [id, active] : active_) query.refs.push_back({NodeType::stage, active.stage});
        for (const Ended& ended : ended_) query.refs.push_back({NodeType::stage, ended.event.stage});
    }
    store_thread_->submit([this, query = std::move(query)] { inspect(query); });
}

void Executor::inspect(const QueryNodes& query) {
    inspection_.plan = look_at_plan();
    if (!options_.refs.empty()) {
        inspection_.selection = select_nodes(endpoint_, options_.plan, options_.refs);
    }
    StageVisitor visitor([&](const Stage& stage) {
        if (stage.attempts.empty()) return;
        const Attempt& attempt = stage.attempts.back();
        inspection_.current[stage.id] = attempt;
        if (is_ended(attempt.state) || attempt.process_uid == uid_) return;
        if (!is_selected(inspection_.selection.get(), {NodeType::stage, stage.id})) return;
        if (attempt.state != AttemptState::pending) {
            // What ends without anybody's help: a runner of this host ends its own, or is found dead; a
            // timeout or heartbeat ends the others. Not before us: the stage that we are a part of.
            const auto runner = parse_runner_process_uid(attempt.process_uid);
            const bool here = runner && runner->host == me_.host;
            // Of a runner elsewhere only the store can tell, from its signs of life.
            const bool lives = attempt.has_runner && (!here || runner_is_alive(*runner));
            const bool ours = within_.find(enclosing_stage(options_.store_path, options_.plan, stage.id)) !=
                              std::string::npos;
            inspection_.runner_died = inspection_.runner_died || (attempt.has_runner && !lives);
            if ((lives || stage.timeout || stage.heartbeat) && !ours) inspection_.others_work = true;
        } else if (has_command(stage.args) && fits(stage.id, stage.args)) {
            inspection_.work_later = true;
        }
    });
    endpoint_.query(query, visitor);
}

void Executor::handle_reply() {
    const Job job = std::exchange(job_, Job::none);
    looked_at_ = now();
    try {
        store_thread_->finish();
        lock_failures_ = 0;
    } catch (const Error& error) {
        handle_failure(job, error);
        return;
    } catch (...) {
        give_up(std::current_exception());
        return;
    }
    if (job == Job::beat) {
        beaten_at_ = looked_at_;
        return;
    }
    if (job == Job::batch) {
        commit_delay_.write_took(looked_at_ - submitted_at_);
        batch_failures_ = 0;
        handle_batch(std::move(batch_));
        return;
    }
    const bool others_wrote = inspection_.plan.version != plan_.version;
    plan_ = inspection_.plan;
    if (others_wrote) {
        may_claim_ = true;
        idle_checked_ = false;
        inspect_ = job == Job::look;
    }
    if (job == Job::inspect) handle_inspection();
}

void Executor::handle_failure(Job job, const Error& error) {
    if (job == Job::batch) {
        ended_.insert(ended_.begin(), std::make_move_iterator(batch_.ended.begin()),
                      std::make_move_iterator(batch_.ended.end()));
        for (const Mark& mark : batch_.marks)
            for (auto& [id, active] : active_)
                if (active.stage == mark.stage) active.marked = false;
        if (batch_.asked > 0) may_claim_ = true;
        tick_ = tick_ || batch_.tick;
        batch_.ended.clear();
    } else if (job != Job::beat) {
        inspect_ = true;
    }
    switch (error.code()) {
        case ErrorCode::locked:
            if (job == Job::batch && batch_.in_place && !at_once_) {
                be_patient_ = true;
                return;
            }
            if (at_once_) {
                // The next run finds that this one is gone, and carries on.
                listener_.on_note(fmt::format("{}: what ended last is not recorded", error.what()));
                ended_.clear();
                return;
            }
            if (++lock_failures_ < kMaxLockFailures || !active_.empty()) {
                listener_.on_note(fmt::format("{}; trying again", error.what()));
                retry_at_ = now() + kLockRetry;
                return;
            }
            break;
        case ErrorCode::invalid_state:
        case ErrorCode::conflict:
            // Some attempt was ended by another writer. Find out which, and write the others again.
            if (job == Job::batch && ++batch_failures_ < kMaxBatchFailures) {
                inspect_ = true;
                return;
            }
            break;
        default:
            break;
    }
    if (!active_.empty()) listener_.on_note(fmt::format("{}; ending what runs", error.what()));
    give_up(std::current_exception());
}

void Executor::handle_batch(Batch batch) {
    WriteResult& result = batch.result;
    // Our own write is one version. The claim in it saw what others wrote before.
    const bool wrote =
        !batch.ended.empty() || !batch.marks.empty() || !result.claimed.empty() || !result.advanced.empty();
    const bool changed = result.plan.version != plan_.version;
    if (result.plan.version - plan_.version > (wrote ? 1 : 0)) inspect_ = true;
    plan_ = result.plan;
    if (changed || (batch.asked > 0 && result.claimed.empty())) idle_checked_ = false;
    learn_ends(batch);
    for (const Ended& ended : batch.ended) judge_end(ended);
    for (const Advance& advance : result.advanced) {
        const bool failed_check = advance.to == State::final && advance.node.type == NodeType::check &&
                                  advance.outcome == Outcome::failed;
        if (failed_check && options_.fail_fast && is_selected(selection_.get(), advance.node))
            failing_ = true;
    }
    if (result.next_ready_in) {
        const Duration at = now() + std::max(*result.next_ready_in, Duration::zero());
        if (!ready_at_ || at < *ready_at_) ready_at_ = at;
    }
    if (batch.asked == 0) {
        may_claim_ = may_claim_ || !batch.ended.empty();
    } else if (result.claimed.size() == static_cast<std::size_t>(batch.asked)) {
        may_claim_ = true;
    }
    claimed_ = std::move(result.claimed);
    told_ = std::move(batch);
}

/// The store has the last word on how an attempt ended: somebody may have marked it.
void Executor::learn_ends(Batch& batch) {
    std::map<std::pair<std::string_view, std::int32_t>, const AttemptEnd*> ends;
    for (const AttemptEnd& end : batch.result.ended) ends[{end.stage, end.idx}] = &end;
    for (Ended& ended : batch.ended) {
        const auto found = ends.find({ended.event.stage, ended.event.idx});
        if (found == ends.end()) continue;
        const AttemptEnd& end = *found->second;
        ended.event.failure = end.failure;
        if (end.state == AttemptState::complete) ended.event.failure.reset();
        ended.event.cause = end.cause;
        ended.event.retry_in = end.next_in;
    }
}

void Executor::handle_inspection() {
    inspected_at_ = now();
    if (inspection_.selection) {
        // What a stage has written may be ready, and of no interest when we last claimed.
        if (selection_ && selection_->ids.size() != inspection_.selection->ids.size()) may_claim_ = true;
        selection_ = inspection_.selection;
    }
    const auto attempt_of = [&](const std::string& stage, std::int32_t idx) -> const Attempt* {
        const auto found = inspection_.current.find(stage);
        const bool same = found != inspection_.current.end() && found->second.idx == idx;
        return same && found->second.process_uid == uid_ ? &found->second : nullptr;
    };
    const auto state_of = [&](const std::string& stage, std::int32_t idx) {
        const Attempt* attempt = attempt_of(stage, idx);
        return attempt != nullptr ? attempt->state : AttemptState::incomplete;
    };
    for (auto& [id, active] : active_) {
        const Attempt* attempt = attempt_of(active.stage, active.idx);
        const bool ours = attempt != nullptr && !is_ended(attempt->state);
        const bool asked = ours && attempt->stopping && !attempt->stopping->from_inside;
        if ((ours && !asked) || active.stopped == Stopped::disowned) continue;
        if (ours && active.stopped != Stopped::no) continue;
        active.stopped = ours ? Stopped::asked : Stopped::disowned;
        runner_.stop(CommandId{id});
    }
    std::vector<Ended> live;
    for (Ended& ended : ended_) {
        const AttemptState state = state_of(ended.event.stage, ended.event.idx);
        if (!is_ended(state)) {
            live.push_back(std::move(ended));
            continue;
        }
        if (state == AttemptState::complete) ended.event.failure.reset();
        ended.no_retry = true;
        judge_end(ended);
        report_end(ended);
        may_claim_ = true;
    }
    ended_ = std::move(live);
    others_work_ = inspection_.others_work;
    work_later_ = inspection_.work_later;
    if (work_later_ && !ready_at_ && !may_claim_) ready_at_ = now() + kSoon;
    if (inspection_.runner_died && died_at_version_ != plan_.version) {
        died_at_version_ = plan_.version;
        tick_ = may_claim_ = true;
    }
    if (active_.empty() && ended_.empty()) idle_checked_ = true;
}

}  // namespace turboci
