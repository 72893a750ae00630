// SPDX-License-Identifier: Apache-2.0
// What is asked of the plan as a whole: limits, and its cancel.
#include <algorithm>
#include <functional>

#include "model.hpp"

namespace turboci::model {

namespace {

bool all_of(const ModelGroup& group, const std::function<bool(const ModelEdge&)>& test) {
    return std::ranges::all_of(group.edges, test) &&
           std::ranges::all_of(group.groups, [&](const ModelGroup& g) { return all_of(g, test); });
}

}  // namespace

/// Stages that clean up: what they depend on may fail, all of it, or is such a stage, all of it.
std::set<std::string> Model::clean_up() {
    std::set<std::string> found;
    for (const auto& s : draft_.stages) {
        const bool whatever = all_of(s.dependencies, [&](const ModelEdge& e) {
            const bool bad = e.when == When::failure || e.when == When::unsuccessful;
            return e.on_state == State::final &&
                   (e.when == When::always || (bad && !flawed(Flaw::only_always_cleans_up)));
        });
        if (whatever && !s.dependencies.empty()) found.insert(s.ref.id);
    }
    for (bool more = !flawed(Flaw::clean_up_has_no_heirs); more;) {
        more = false;
        for (const auto& s : draft_.stages) {
            if (s.dependencies.empty() || found.contains(s.ref.id)) continue;
            if (!all_of(s.dependencies, [&](const ModelEdge& e) {
                    return e.target.type == NodeType::stage && found.contains(e.target.id);
                }))
                continue;
            found.insert(s.ref.id);
            more = true;
        }
    }
    return found;
}

/// Nothing becomes ready between the cancels of two stages.
void Model::cancel_plan(const CancelStages& what) {
    const bool whole = what.only.empty();
    if (whole && !draft_.cancelled && !flawed(Flaw::cancel_is_not_remembered)) {
        draft_.cancelled = PlanCancelled{now_, request_->actor, request_->reason};
        labels_changed_ = true;
    }
    const auto spared = clean_up();
    for (auto& s : draft_.stages) {
        const bool meant = whole || std::ranges::find(what.only, s.ref.id) != what.only.end();
        if (!meant || s.state == State::final) continue;
        if (spared.contains(s.ref.id) && (!what.clean_up_too || flawed(Flaw::clean_up_stays))) continue;
        cancel(s);
        if (flawed(Flaw::cancels_one_by_one)) advance();
    }
    if (!whole) return;
    for (auto& c : draft_.checks)
        if (c.state != State::final) end_unasked(c);
}

/// Nobody will answer a check that no stage is assigned to.
void Model::end_unasked(ModelCheck& check) {
    const bool asked = std::ranges::any_of(draft_.stages, [&](const ModelStage& s) {
        return std::ranges::any_of(s.assignments,
                                   [&](const Assignment& a) { return a.target_check_id == check.ref.id; });
    });
    if (asked) return;
    const Answers sum = answers(check);
    const bool failed = (sum.failed && !flawed(Flaw::cancel_forgives)) || !sum.broken.empty();
    add_note(check, true, {"plan cancelled"});
    if (!failed) check.skip_cause = SkipCause::upstream;
    finish(check, failed ? Outcome::failed : Outcome::skipped, Mover::orchestrator);
}

/// What is written in a cancelled plan begins cancelled, unless it cleans up.
void Model::cancel_late_stages() {
    const auto spared = clean_up();
    for (auto& s : draft_.stages)
        if (s.created && !spared.contains(s.ref.id)) cancel(s);
}

void Model::write_limits(const WriteNodes& request) {
    for (const auto& limit : request.limits) {
        auto& now = draft_.limits[limit.name];
        labels_changed_ |= now != limit.count;
        now = limit.count;
    }
}

/// What is used must be there, and fit when nothing else is held.
void Model::refuse_strange_uses(const ModelStage& stage) {
    for (const auto& use : stage.uses) {
        const auto limit = draft_.limits.find(use.limit);
        const bool known = limit != draft_.limits.end();
        if (!known || (use.count > limit->second && !flawed(Flaw::limits_sink)))
            refuse(ErrorCode::invalid_argument);
    }
}

}  // namespace turboci::model
