// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>

#include "domain/attempt_token.hpp"
#include "engine/holder.hpp"

namespace turboci::engine {

bool is_heartbeat_alone(const AttemptWrite& write) {
    return write.heartbeat && !write.state && !write.details && !write.failure && write.progress.empty() &&
           !write.holder;
}

namespace {

/// Only who takes an attempt, or ends it, holds it.
bool takes(const AttemptWrite& write) { return write.state && *write.state != AttemptState::pending; }

bool names_another_holder(const AttemptWrite& write, const AttemptRow& row) {
    return write.process_uid && *write.process_uid != row.attempt.process_uid &&
           (takes(write) || !row.attempt.process_uid.empty());
}

/// Does it tell what is not known yet?
bool brings_news(const AttemptWrite& write, const AttemptRow& row) {
    const auto& known = row.attempt.details;
    return !write.progress.empty() ||
           (write.details && !same_json(merge_patch(known, *write.details), known));
}

bool asks_nothing_new(const AttemptWrite& write, const AttemptRow& row) {
    return (!write.state || *write.state == row.attempt.state) &&
           (!write.failure || write.failure == row.attempt.failure) && !names_another_holder(write, row) &&
           !brings_news(write, row);
}

bool starts(const AttemptWrite& write) {
    return write.state == AttemptState::scheduled || write.state == AttemptState::running;
}

/// Does a write that names no attempt speak of the one before, which its writer held or which this very
/// transaction has found to be over?
bool meant_another(Session& session, const Node& stage, const AttemptWrite& write, const AttemptRow& row) {
    if (!row.attempt.process_uid.empty()) return false;
    if (row.attempt.created_at == session.nodes.now()) return true;
    if (!write.process_uid) return false;
    const auto before = session.nodes.attempt(stage.row.key, row.attempt.idx - 1);
    return before && before->attempt.process_uid == *write.process_uid;
}

/// May this write touch the attempt at all? Adds the reason to the problems if not.
bool admit(Session& session, Node& stage, const AttemptWrite& write, const AttemptRow& row) {
    const auto refuse = [&](ErrorCode code, std::string message) {
        session.problems.add(code, write.at, std::move(message));
        return false;
    };
    const Attempt& attempt = row.attempt;
    const auto refuse_held = [&](std::string message) {
        session.problems.add(ErrorCode::conflict, write.at, std::move(message), "CLAIMED",
                             {{"held_by", attempt.process_uid}, {"node", name_of(stage)}});
        return false;
    };
    const std::string name = fmt::format("attempt {} of {}", attempt.idx, name_of(stage));
    const bool becomes_holder =
        row.holder.empty() && starts(write) && write.holder && !write.holder->identity.empty();
    const bool by_holder = write.holder && !row.holder.empty() && write.holder->identity == row.holder;
    if (write.holder && !by_holder && !becomes_holder)
        return refuse_held(fmt::format("{} is held by another: {}", name,
                                       attempt.process_uid.empty() ? "nobody" : attempt.process_uid));
    if (is_ended(attempt.state))
        return refuse(ErrorCode::invalid_state, fmt::format("{} is {}", name, to_string(attempt.state)));
    if (write.process_uid && !attempt.process_uid.empty() && *write.process_uid != attempt.process_uid)
        return refuse_held(fmt::format("{} is held by {}", name, attempt.process_uid));
    if (attempt.idx > 1 && !write.idx && !starts(write) && meant_another(session, stage, write, row))
        return refuse(ErrorCode::invalid_state,
                      fmt::format("attempt {} of {} has ended; attempt {} is the current one",
                                  attempt.idx - 1, name_of(stage), attempt.idx));
    if (!write.state || *write.state == attempt.state) return true;
    if (!may_move(attempt.state, *write.state))
        return refuse(ErrorCode::invalid_state,
                      fmt::format("{} is {} and cannot be made {}", name, to_string(attempt.state),
                                  to_string(*write.state)));
    if (*write.state == AttemptState::running && !write.process_uid && attempt.process_uid.empty())
        return refuse(ErrorCode::invalid_argument,
                      fmt::format("{} cannot be RUNNING without a process_uid", name));
    return true;
}

/// The holder has said already how it ended, and did not see the answer.
bool says_again(const AttemptWrite& write, const AttemptRow& row) {
    return write.holder && write.state && is_ended(*write.state) && is_ended(row.attempt.state) &&
           write.holder->identity == row.holder;
}

void take_heartbeat(Session& session, Node& stage, AttemptRow& row) {
    // Runners say by themselves that they live.
    if (row.attempt.state != AttemptState::running || row.runner) return;
    row.attempt.last_heartbeat = session.nodes.now();
    set_deadline(row, session.nodes.body(stage));
    session.nodes.put_attempt(row);
    session.nodes.note_heartbeat();
}

void note_end(AttemptRow& row, const HolderWord& word, Timestamp now) {
    if (word.ran_for && !row.attempt.started_at) row.attempt.started_at = now - *word.ran_for;
    if (word.exit_code) row.attempt.exit_code = word.exit_code;
    if (word.signal) row.attempt.signal = word.signal;
    if (word.log) row.attempt.log = word.log;
}

void mark_by_holder(Session& session, Node& stage, AttemptRow& row, const AttemptWrite& write) {
    const Cause cause = write.holder->cause.value_or(Cause::interrupted);
    mark_stopping(session.nodes, stage, row,
                  {session.nodes.now(), session.request.actor, write.failure.value_or(""), cause, false},
                  Mover::writer);
}

/// Somebody says that the attempt has ended: whoever holds it, or a script for which nobody else can speak.
/// Of an attempt that a runner executes, others can only ask for the end.
void end_as_told(Session& session, Node& stage, AttemptRow& row, const AttemptWrite& write) {
    WorkingSet& nodes = session.nodes;
    const bool inside = is_inside(session.request, stage);
    if (write.holder || !has_runner(row, inside)) {
        if (write.no_retry) row.no_retry = true;
        return end_attempt(nodes, stage, row, end_of(row, write), Mover::writer);
    }
    if (*write.state == AttemptState::complete) {
        if (inside) return finalize_results_of(nodes, stage, row.attempt.idx);
        session.problems.add(
            ErrorCode::invalid_state, write.at,
            fmt::format("attempt {} of {} is executed by {}, which alone can say that it is COMPLETE",
                        row.attempt.idx, name_of(stage), row.attempt.process_uid));
        return;
    }
    if (write.no_retry) row.no_retry = true;
    mark_stopping(
        nodes, stage, row,
        {nodes.now(), session.request.actor, write.failure.value_or("failed"), Cause::failed, inside},
        Mover::writer);
}

std::string progress_json(const AttemptWrite& write) {
    std::string json;
    for (const auto& [message, details] : write.progress) {
        json += json.empty() ? "" : ",";
        json += json_string(message);
    }
    return json.empty() ? json : fmt::format(",\"progress\":[{}]", json);
}

std::string change_json(const AttemptRow& row, const AttemptWrite& write) {
    return fmt::format("{{\"idx\":{},\"state\":\"{}\",\"process_uid\":{}{}}}", row.attempt.idx,
                       to_string(row.attempt.state),
                       row.attempt.process_uid.empty() ? "null" : json_string(row.attempt.process_uid),
                       progress_json(write));
}

/// News that come beside a wish for the end count, whatever becomes of the wish.
void record_news(Session& session, Node& stage, AttemptRow& row, const AttemptWrite& write) {
    const bool by_holder = write.holder.has_value();
    const bool wishes = by_holder ? write.holder->stopping
                                  : write.state && is_ended(*write.state) &&
                                        has_runner(row, is_inside(session.request, stage));
    if (!wishes) return;
    row.attempt.updated_at = session.nodes.now();
    session.nodes.put_attempt(row);
    session.nodes.record_attempt(stage, Mover::writer, change_json(row, write));
}

/// About an attempt that has been followed by another, or was never there. Who did not see the answer says it
/// again; nobody comes to hold what has ended.
void apply_past_attempt(Session& session, const Node& stage, const AttemptRow& current,
                        const AttemptWrite& write) {
    const bool past = *write.idx >= 1 && *write.idx < current.attempt.idx;
    const auto old = past ? session.nodes.attempt(stage.row.key, *write.idx) : std::nullopt;
    if (old && write.holder && write.holder->identity != old->holder) {
        session.problems.add(
            ErrorCode::conflict, write.at,
            fmt::format("attempt {} of {} was held by another: {}", *write.idx, name_of(stage),
                        old->attempt.process_uid.empty() ? "nobody" : old->attempt.process_uid));
        return;
    }
    const bool same_uid =
        old && write.process_uid.value_or(old->attempt.process_uid) == old->attempt.process_uid;
    if (old && (says_again(write, *old) || (!write.heartbeat && same_uid && asks_nothing_new(write, *old))))
        return;
    session.problems.add(past ? ErrorCode::invalid_state : ErrorCode::not_found, write.at,
                         past ? fmt::format("attempt {} of {} has ended; attempt {} is the current one",
                                            *write.idx, name_of(stage), current.attempt.idx)
                              : fmt::format("{} has no attempt {}", name_of(stage), *write.idx));
}

}  // namespace

void apply_attempt(Session& session, Node& stage, const AttemptWrite& write) {
    WorkingSet& nodes = session.nodes;
    const auto row_found = nodes.current_attempt(stage);
    if (!row_found) {
        session.problems.add(
            ErrorCode::invalid_state, write.at,
            fmt::format("{} is {} and has no attempt", name_of(stage), to_string(stage.row.state)));
        return;
    }
    AttemptRow row = *row_found;
    if (write.idx && *write.idx != row.attempt.idx) {
        apply_past_attempt(session, stage, row, write);
        return;
    }
    if (says_again(write, row) || (!write.heartbeat && !write.holder && asks_nothing_new(write, row))) return;
    if (!admit(session, stage, write, row)) return;
    if (is_heartbeat_alone(write)) return take_heartbeat(session, stage, row);

    if (write.process_uid && takes(write)) row.attempt.process_uid = *write.process_uid;
    if (write.runner) row.runner = write.runner;
    const bool news = brings_news(write, row);
    if (write.details) row.attempt.details = merge_patch(row.attempt.details, *write.details);
    for (const auto& [message, details] : write.progress)
        nodes.add_progress(stage.row.key, row.attempt.idx, {message, nodes.now(), details});
    if (write.holder && row.holder.empty()) row.holder = write.holder->identity;
    if (write.holder) note_end(row, *write.holder, session.nodes.now());
    if (news) record_news(session, stage, row, write);
    if (write.holder && write.holder->stopping) return mark_by_holder(session, stage, row, write);
    const bool moves = write.state && *write.state != row.attempt.state;
    if (moves && is_ended(*write.state)) return end_as_told(session, stage, row, write);
    if (moves && *write.state == AttemptState::pending) return give_back(nodes, stage, row, Mover::writer);
    if (moves) {
        row.attempt.state = *write.state;
        if (row.holder.empty()) row.holder = new_identity();
        if (row.attempt.state == AttemptState::running) begin_running(session.nodes, row);
    }
    keep_live_attempt(session.nodes, stage, row);
    nodes.record_attempt(stage, Mover::writer, change_json(row, write));
}

}  // namespace turboci::engine
