// SPDX-License-Identifier: Apache-2.0
#include "engine/holder.hpp"

#include <fmt/core.h>

#include "domain/attempt_token.hpp"
#include "engine/resolve.hpp"

namespace turboci::engine {

bool Holders::lives(const AttemptRow& row) const {
    if (is_orphan(row)) return false;
    if (!row.runner || !probe_) return true;
    const Liveness seen = probe_(*row.runner);
    if (seen != Liveness::unknown) return seen == Liveness::alive;
    // One that has not beaten yet was there when it took the attempt.
    Lookup lookup;
    lookup.beats = {row.holder};
    const auto beats = load_(lookup).beats;
    const Timestamp last = beats.empty() ? row.attempt.updated_at : beats.front().at;
    return wall_ - last < lost_after_;
}

void begin_running(WorkingSet& nodes, AttemptRow& row) {
    row.attempt.started_at = nodes.now();
    if (row.holder.empty()) row.holder = new_identity();
    row.attempt.last_heartbeat = nodes.now();
}

void keep_live_attempt(WorkingSet& nodes, const Node& stage, AttemptRow& row) {
    row.attempt.updated_at = nodes.now();
    if (row.attempt.state == AttemptState::running) row.attempt.last_heartbeat = nodes.now();
    set_deadline(row, nodes.body(stage));
    nodes.put_attempt(row);
}

bool is_inside(const WriteNodes& request, const Node& stage) {
    return request.inside && request.inside->stage_id == stage.row.id &&
           request.inside->idx == stage.row.attempt;
}

void check_token(Session& session) {
    const WriteNodes& request = session.request;
    if (request.token.empty()) return;
    const auto refuse = [&](ErrorCode code, const std::string& what) {
        throw Error(code, what, "leave it to the attempt that is current").because("ATTEMPT_GONE");
    };
    const auto token = parse_attempt_token(request.token);
    if (!token) throw Error(ErrorCode::invalid_argument, "the attempt's token is not one that turboci made");
    WorkingSet& nodes = session.nodes;
    if (token->store != session.store || token->plan != session.plan.id) return;
    const std::string name = fmt::format("attempt {} of stage:{}", token->idx, token->stage);
    if (token->plan_identity != session.plan.identity)
        refuse(ErrorCode::conflict, fmt::format("{} was of an earlier plan '{}'", name, token->plan));
    if (request.inside && *request.inside != AttemptRef{token->stage, token->idx})
        refuse(ErrorCode::conflict, fmt::format("the token is that of {}, not of attempt {} of stage:{}",
                                                name, request.inside->idx, request.inside->stage_id));
    Node* stage = nodes.find(NodeType::stage, token->stage);
    const auto row = stage != nullptr ? nodes.attempt(stage->row.key, token->idx) : std::nullopt;
    if (!row || stage->row.attempt != token->idx)
        refuse(ErrorCode::conflict, fmt::format("{} is not the current one any more", name));
    if (is_ended(row->attempt.state))
        refuse(ErrorCode::invalid_state, fmt::format("{} is {}", name, to_string(row->attempt.state)));
    if (row->holder != token->holder)
        refuse(ErrorCode::conflict,
               fmt::format("{} is held by another: {}", name,
                           row->attempt.process_uid.empty() ? "nobody" : row->attempt.process_uid));
}

void note_author(Session& session) {
    const auto& inside = session.request.inside;
    if (!inside) return;
    const Node* stage = session.nodes.find(NodeType::stage, inside->stage_id);
    if (stage != nullptr && inside->idx >= 1 && inside->idx <= stage->row.attempt)
        session.nodes.set_author(stage->row.key, inside->idx);
}

void lose_attempt(WorkingSet& nodes, Node& stage, AttemptRow& row) {
    if (row.attempt.state == AttemptState::scheduled)
        return give_back(nodes, stage, row, Mover::orchestrator);
    if (const auto& mark = row.attempt.stopping)
        return end_attempt(nodes, stage, row, {AttemptState::incomplete, mark->cause, failure_of(*mark)},
                           Mover::orchestrator);
    end_attempt(nodes, stage, row, {AttemptState::incomplete, Cause::lost, "lost: runner died"},
                Mover::orchestrator);
}

void lose_named(Session& session, const Holders& holders) {
    WorkingSet& nodes = session.nodes;
    const auto& stages = session.request.stages;
    StageWrite write;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        stages.read(i, write);
        if (!write.cancel && !write.skip && (!write.attempt || write.attempt->holder)) continue;
        Node* stage = nodes.find(NodeType::stage, stages.id(i));
        if (stage == nullptr || stage->row.attempt == 0) continue;
        auto row = nodes.current_attempt(*stage);
        if (row && is_held(*row) && row->runner && !holders.lives(*row)) lose_attempt(nodes, *stage, *row);
    }
}

bool mark_stopping(WorkingSet& nodes, Node& stage, AttemptRow& row, Stopping mark, Mover mover) {
    auto& old = row.attempt.stopping;
    const bool replaces = mark.cause == Cause::cancelled && old && old->cause != Cause::cancelled;
    if (old && !replaces) return false;
    old = std::move(mark);
    row.attempt.updated_at = nodes.now();
    row.deadline.reset();  // it is on its way
    nodes.put_attempt(row);
    nodes.record_attempt(
        stage, mover,
        fmt::format(R"({{"idx":{},"stopping":{{"by":{},"reason":{},"cause":"{}"}}}})", row.attempt.idx,
                    json_string(old->by), json_string(old->reason), to_string(old->cause)));
    return true;
}

std::string failure_of(const Stopping& mark) {
    return mark.reason.empty() ? std::string(to_string(mark.cause)) : mark.reason;
}

End end_of(const AttemptRow& row, const AttemptWrite& write) {
    End end{write.state.value_or(AttemptState::complete), std::nullopt, write.failure};
    const HolderWord* word = write.holder ? &*write.holder : nullptr;
    const bool signalled = word != nullptr && word->signalled;
    const auto& mark = row.attempt.stopping;
    if (mark && (signalled || mark->from_inside))
        return {AttemptState::incomplete, mark->cause, failure_of(*mark)};
    if (word != nullptr && word->cause) {
        end.state = AttemptState::incomplete;
        end.cause = word->cause;
    }
    if (end.state == AttemptState::incomplete && !end.cause) end.cause = Cause::failed;
    return end;
}

}  // namespace turboci::engine
