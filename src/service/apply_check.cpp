// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "service/apply.hpp"
#include "service/holder.hpp"
#include "service/predicates.hpp"
#include "service/resolve.hpp"

namespace turboci::service {

namespace {

bool has_dependencies(const Node& check, const CheckWrite& write) {
    if (write.dependencies) return !write.dependencies->empty();
    return check.row.dependencies.threshold > 0;
}

void refuse(Session& session, Position at, std::string message) {
    session.problems.add(ErrorCode::invalid_state, at, std::move(message));
}

void apply_options(Session& session, Node& check, const CheckWrite& write) {
    if (!write.options || check.is_new()) return;
    NodeBody body = session.nodes.body(check);
    // What is so already is said again when a file is written again, nulls and all.
    if (same_json(*write.options, body.json)) return;
    JsonText merged = merge_patch(body.json, *write.options);
    if (same_json(merged, body.json)) return;
    if (check.row.state != State::planning)
        return refuse(
            session, write.at,
            fmt::format("{} is {}; its options are locked", name_of(check), to_string(check.row.state)));
    session.nodes.record(check, Mover::writer, "options", write.options->text);
    body.json = std::move(merged);
    session.nodes.put_body(check, std::move(body));
}

/// Moves that a writer may ask for. What is so already, or has been passed on the way to PLANNED, is fine.
void apply_state(Session& session, Node& check, const CheckWrite& write) {
    if (!write.state) return;
    const State from = check.row.state, to = *write.state;
    const auto refuse_move = [&](std::string_view why) {
        refuse(session, write.at,
               fmt::format("{} is {} and cannot be made {}: {}", name_of(check), to_string(from),
                           to_string(to), why));
    };
    if (from == to) return;
    const int have = state_number(NodeType::check, from), want = state_number(NodeType::check, to);
    if (to == State::planned && have > want) return;
    if (have > want) return refuse_move("states never go back");
    if (from == State::planned) return refuse_move("its dependencies decide when it is WAITING");
    if (from == State::planning && to != State::planned && has_dependencies(check, write))
        return refuse_move("it has dependencies; ask for PLANNED");
    if (to == State::final)
        finish_check(session.nodes, check, Mover::writer);
    else
        session.nodes.move(check, to, Mover::writer);
    session.nodes.enqueue(check);
}

struct Owner {
    OwnerType type = OwnerType::actor;
    std::string id;
    Node* stage = nullptr;
    std::int32_t attempt = 0;
    bool ended = false;
};

std::optional<Owner> owner_of(Session& session, const ResultWrite& write) {
    const auto& ref = write.owner ? write.owner : session.request.inside;
    if (!ref) return Owner{.type = OwnerType::actor, .id = session.request.actor};
    // "PLAN:STAGE", as owners are shown, or a stage's id alone, which may have a colon too.
    std::string_view id = ref->stage_id;
    if (id.starts_with(session.plan.id + ":")) id.remove_prefix(session.plan.id.size() + 1);
    Node* stage = session.nodes.find(NodeType::stage, id);
    if (stage == nullptr) stage = session.nodes.find(NodeType::stage, id = ref->stage_id);
    if (stage == nullptr || ref->idx < 1 || ref->idx > stage->row.attempt) {
        session.problems.add(ErrorCode::not_found, write.at,
                             fmt::format("the result's owner, attempt {} of stage:{}, does not exist",
                                         ref->idx, ref->stage_id));
        return std::nullopt;
    }
    const auto attempt = session.nodes.attempt(stage->row.key, ref->idx);
    return Owner{.type = OwnerType::stage_attempt,
                 .id = attempt_owner_id(session.plan.id, id, ref->idx),
                 .stage = stage,
                 .attempt = ref->idx,
                 .ended = !attempt || is_ended(attempt->attempt.state)};
}

ResultRow changed_result(const ResultRow& old, const ResultWrite& write, Timestamp now) {
    ResultRow row = old;
    if (write.data) row.result.data = merge_patch(row.result.data, *write.data);
    if (write.failure) row.result.failure = write.failure;
    if (write.clear_failure) row.result.failure.reset();
    if (write.finalize && !row.result.finalized_at) row.result.finalized_at = now;
    return row;
}

bool same_result(const Result& a, const Result& b) {
    return same_json(a.data, b.data) && a.failure == b.failure && a.finalized_at == b.finalized_at;
}

/// `finishing`: this write takes the check to FINAL, results included.
void apply_result(Session& session, Node& check, const ResultWrite& write, bool finishing) {
    const auto owner = owner_of(session, write);
    if (!owner) return;
    WorkingSet& nodes = session.nodes;
    auto existing = nodes.find_result(check, owner->type, owner->id);
    ResultRow row;
    if (existing) {
        row = changed_result(*existing, write, nodes.now());
        if (same_result(row.result, existing->result)) return;
    } else {
        row.check = check.row.key;
        row.result.owner_type = owner->type;
        row.result.owner_id = owner->id;
        row.result.created_at = nodes.now();
        row.stage = owner->stage != nullptr ? owner->stage->row.key : NodeKey::none;
        row.attempt = owner->attempt;
        if (write.data) row.result.data = without_nulls(*write.data);
        row.result.failure = write.failure;
        if (write.finalize) row.result.finalized_at = nodes.now();
    }
    if (!finishing && check.row.state != State::waiting)
        return refuse(session, write.at,
                      fmt::format("{} is {}; results can be written while it is WAITING", name_of(check),
                                  to_string(check.row.state)));
    if (existing && existing->result.finalized_at)
        return refuse(session, write.at,
                      fmt::format("the result of {} for {} is finalized", owner->id, name_of(check)));
    if (owner->ended)
        return refuse(session, write.at,
                      fmt::format("attempt {} has ended; its results are finalized", owner->id));
    if (existing)
        nodes.put_result(row);
    else
        nodes.add_result(row);
    nodes.record_result(check, Mover::writer,
                        fmt::format("{{\"owner\":{},\"data\":{},\"failure\":{}}}", json_string(owner->id),
                                    write.data ? write.data->text : "{}",
                                    row.result.failure ? json_string(*row.result.failure) : "null"));
}

/// A check that is created FINAL has its outcome before anybody counts on it.
void end_new_check(Session& session, Node& check) {
    auto results = session.nodes.results(check);
    check.row.outcome = judge_answers(session.nodes, check, results);
    finalize_results(session.nodes, results);
}

void apply_required(Session& session, Node& check, const CheckWrite& write) {
    if (!write.required || check.is_new() || *write.required == check.row.required) return;
    if (check.row.state != State::planning)
        return refuse(session, write.at,
                      fmt::format("{} is {}; whether it is required is fixed", name_of(check),
                                  to_string(check.row.state)));
    check.row.required = *write.required;
    session.nodes.record(check, Mover::writer, "required", check.row.required ? "true" : "false");
}

/// Is the stage whose attempt writes assigned to finish the check?
bool is_assigned(Session& session, const Node& check, std::string_view stage_id) {
    const Node* stage = session.nodes.find(NodeType::stage, stage_id);
    if (stage == nullptr || stage->is_new()) return false;
    return std::ranges::any_of(session.nodes.assignments_of(stage->row.key), [&](const AssignmentRow& a) {
        return a.check == check.row.key && a.goal == State::final;
    });
}

/// An attempt that asks for FINAL has said its last word on the check. The check ends when the stages that
/// are assigned to it have: until then nobody knows whether the attempt runs to its end.
CheckWrite as_last_word(Session& session, const Node& check, CheckWrite write) {
    const auto& inside = session.request.inside;
    if (!inside || write.state != State::final || (!check.is_new() && check.row.state == State::final))
        return write;
    if (check.is_new() || !is_assigned(session, check, inside->stage_id)) {
        refuse(session, write.at,
               fmt::format(
                   "stage:{} cannot make {} FINAL: it is not assigned to it; assign the stage to the check, "
                   "or leave --final out",
                   inside->stage_id, name_of(check)));
        return write;
    }
    if (check.row.state == State::planning && !has_dependencies(check, write))
        write.state = State::waiting;
    else
        write.state.reset();
    if (write.results.empty()) write.results.emplace_back();
    for (ResultWrite& result : write.results) result.finalize = true;
    return write;
}

}  // namespace

void apply_results(Session& session, Node& check, const CheckWrite& write, bool finishing) {
    for (const ResultWrite& result : write.results) apply_result(session, check, result, finishing);
}

void apply_check(Session& session, Node& check, const CheckWrite& asked) {
    const CheckWrite write = as_last_word(session, check, asked);
    apply_required(session, check, write);
    if (check.is_new()) {
        if (check.row.state != State::planning && check.row.state != State::planned &&
            has_dependencies(check, write))
            refuse(session, write.at,
                   fmt::format("{} has dependencies and cannot be created {}; ask for PLANNED",
                               name_of(check), to_string(check.row.state)));
    } else if (write.kind && *write.kind != check.stored->kind) {
        refuse(
            session, write.at,
            fmt::format("the kind of {} is '{}' and cannot be changed", name_of(check), check.stored->kind));
    }
    apply_options(session, check, write);

    const State from = check.row.state;
    const bool finishing =
        write.state == State::final && !check.is_new() &&
        (from == State::waiting || (from == State::planning && !has_dependencies(check, write)));
    if (!finishing) apply_state(session, check, write);
    if (check.row.state == State::planned && !write.results.empty())
        session.late_results.emplace_back(&check, write);  // it may be WAITING after the first fixpoint
    else
        apply_results(session, check, write,
                      finishing || (check.is_new() && check.row.state == State::final));
    if (finishing) apply_state(session, check, write);
    if (check.is_new() && check.row.state == State::final) end_new_check(session, check);
}

void apply_check_predicate(Session& session, Node& check, const CheckWrite& write, bool open) {
    if (!write.dependencies) {
        if (check.is_new()) session.nodes.enqueue(check);
        return;
    }
    const std::size_t problems = session.problems.size();
    FlatPredicate flat =
        flatten(session.nodes, session.problems, check, PredicateRole::dependencies, *write.dependencies);
    if (session.problems.size() != problems) return;
    if (!check.is_new()) {
        if (same_predicate(session.nodes, check, flat)) return;
        if (!open)
            return refuse(session, write.at,
                          fmt::format("{} is {}; its dependencies are locked", name_of(check),
                                      to_string(check.row.state)));
        session.nodes.record(check, Mover::writer, "dependencies", edges_json(session.nodes, flat));
    }
    set_predicate(session.nodes, check, PredicateRole::dependencies, std::move(flat));
}

}  // namespace turboci::service
