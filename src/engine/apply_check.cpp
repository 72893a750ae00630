// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "domain/growing_object.hpp"
#include "engine/apply.hpp"
#include "engine/condition.hpp"
#include "engine/holder.hpp"
#include "engine/predicates.hpp"
#include "engine/resolve.hpp"

namespace turboci::engine {

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
    if (!write.owner && write.by) return Owner{.type = OwnerType::actor, .id = *write.by};
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

/// What one write says of the results of a check. It may say much of one owner: what is there is read once,
/// and put back once.
class ResultWriter {
public:
    /// `finishing`: this write takes the check to FINAL, results included.
    ResultWriter(Session& session, Node& check, bool finishing)
        : session_(session), check_(check), finishing_(finishing) {}

    void apply(const ResultWrite& write);
    void store();

private:
    struct Entry {
        ResultRow row;
        std::optional<GrowingObject> data;  ///< that of the row, when the text in it is out of date
        bool is_stored = false;
        bool is_changed = false;
        [[nodiscard]] bool is_there() const noexcept { return is_stored || is_changed; }
    };

    Entry& entry_of(const Owner& owner);
    [[nodiscard]] bool says_nothing_new(Entry& entry, const ResultWrite& write) const;
    /// Adds the reason to the problems if not.
    [[nodiscard]] bool admits(const Owner& owner, const Entry& entry, const ResultWrite& write);
    void change(Entry& entry, const ResultWrite& write) const;

    Session& session_;
    Node& check_;
    bool finishing_;
    std::deque<Entry> entries_;  ///< in the order of their first writes
    std::map<std::pair<OwnerType, std::string>, Entry*> by_owner_;
};

ResultWriter::Entry& ResultWriter::entry_of(const Owner& owner) {
    const auto [at, is_new] = by_owner_.try_emplace({owner.type, owner.id});
    if (!is_new) return *at->second;
    Entry& entry = entries_.emplace_back();
    at->second = &entry;
    if (auto stored = session_.nodes.find_result(check_, owner.type, owner.id)) {
        entry.row = std::move(*stored);
        entry.is_stored = true;
        return entry;
    }
    entry.row.check = check_.row.key;
    entry.row.result.owner_type = owner.type;
    entry.row.result.owner_id = owner.id;
    entry.row.result.created_at = session_.nodes.now();
    entry.row.stage = owner.stage != nullptr ? owner.stage->row.key : NodeKey::none;
    entry.row.attempt = owner.attempt;
    return entry;
}

bool ResultWriter::says_nothing_new(Entry& entry, const ResultWrite& write) const {
    const Result& result = entry.row.result;
    if (write.finalize && !result.finalized_at) return false;
    if (write.clear_failure ? result.failure.has_value() : write.failure && write.failure != result.failure)
        return false;
    if (!write.data) return true;
    if (!entry.data) entry.data.emplace(result.data);
    return !entry.data->is_changed_by(*write.data);
}

bool ResultWriter::admits(const Owner& owner, const Entry& entry, const ResultWrite& write) {
    const auto refuse_result = [&](std::string why) {
        refuse(session_, write.at, std::move(why));
        return false;
    };
    if (!finishing_ && check_.row.state != State::waiting)
        return refuse_result(fmt::format("{} is {}; results can be written while it is WAITING",
                                         name_of(check_), to_string(check_.row.state)));
    if (entry.is_there() && entry.row.result.finalized_at)
        return refuse_result(fmt::format("the result of {} for {} is finalized", owner.id, name_of(check_)));
    if (owner.ended)
        return refuse_result(fmt::format("attempt {} has ended; its results are finalized", owner.id));
    return true;
}

void ResultWriter::change(Entry& entry, const ResultWrite& write) const {
    Result& result = entry.row.result;
    if (write.data && entry.data)
        entry.data->merge(*write.data);
    else if (write.data)
        result.data = without_nulls(*write.data);
    if (write.failure) result.failure = write.failure;
    if (write.clear_failure) result.failure.reset();
    if (write.finalize && !result.finalized_at) result.finalized_at = session_.nodes.now();
    entry.is_changed = true;
}

void ResultWriter::apply(const ResultWrite& write) {
    const auto owner = owner_of(session_, write);
    if (!owner) return;
    Entry& entry = entry_of(*owner);
    if (entry.is_there() && says_nothing_new(entry, write)) return;
    if (!admits(*owner, entry, write)) return;
    if (entry.is_there() && write.data && !entry.data) entry.data.emplace(entry.row.result.data);
    change(entry, write);
    const auto& failure = entry.row.result.failure;
    session_.nodes.record_result(
        check_, Mover::writer,
        fmt::format("{{\"owner\":{},\"data\":{},\"failure\":{}}}", json_string(owner->id),
                    write.data ? write.data->text : "{}", failure ? json_string(*failure) : "null"));
}

void ResultWriter::store() {
    for (Entry& entry : entries_) {
        if (!entry.is_changed) continue;
        if (entry.data) entry.row.result.data = entry.data->text();
        if (entry.is_stored)
            session_.nodes.put_result(entry.row);
        else
            session_.nodes.add_result(std::move(entry.row));
    }
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

/// Is the stage whose attempt writes assigned to finish the check? Its assignments are read once for all
/// checks.
bool is_assigned(Session& session, const Node& check, std::string_view stage_id) {
    auto& finished = session.finished_by_writer;
    if (!finished) {
        finished.emplace();
        const Node* stage = session.nodes.find(NodeType::stage, stage_id);
        if (stage != nullptr && !stage->is_new())
            for (const AssignmentRow& a : session.nodes.assignments_of(stage->row.key))
                if (a.goal == State::final) finished->push_back(a.check);
        std::ranges::sort(*finished);
    }
    return std::ranges::binary_search(*finished, check.row.key);
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
    ResultWriter results(session, check, finishing);
    for (const ResultWrite& result : write.results) results.apply(result);
    results.store();
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
    if (write.skip) session.skipped_checks.emplace_back(&check, write.at);
}

void apply_check_predicate(Session& session, Node& check, const CheckWrite& write, bool open) {
    if (!write.dependencies) {
        if (check.is_new()) session.nodes.enqueue(check);
        if (write.condition) apply_condition(session, check, *write.condition, write.at, open);
        return;
    }
    const std::size_t problems = session.problems.size();
    FlatPredicate flat =
        flatten(session.nodes, session.problems, check, PredicateRole::dependencies, *write.dependencies);
    if (session.problems.size() != problems) return;
    if (!check.is_new()) {
        if (same_predicate(session.nodes, check, flat)) {
            if (write.condition) apply_condition(session, check, *write.condition, write.at, open);
            return;
        }
        if (!open)
            return refuse(session, write.at,
                          fmt::format("{} is {}; its dependencies are locked", name_of(check),
                                      to_string(check.row.state)));
        session.nodes.record(check, Mover::writer, "dependencies", edges_json(session.nodes, flat));
    }
    set_predicate(session.nodes, check, PredicateRole::dependencies, std::move(flat));
    if (write.condition)
        apply_condition(session, check, *write.condition, write.at, open);
    else if (!check.is_new())
        check_condition(session, check, write.at);
}

}  // namespace turboci::engine
