// SPDX-License-Identifier: Apache-2.0
#include "turboci/verdict.hpp"

#include <algorithm>
#include <unordered_set>

namespace turboci {

std::string_view to_string(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::pending:
            return "pending";
        case Verdict::failed:
            return "failed";
    }
    return "?";
}

Standing standing(State state, std::optional<Outcome> outcome, std::optional<SkipCause> skip_cause,
                  bool required) noexcept {
    Standing own = Standing::fine;
    if (state != State::final) {
        own = Standing::open;
    } else if (outcome == Outcome::failed || outcome == Outcome::cancelled ||
               (outcome == Outcome::skipped && skip_cause == SkipCause::upstream)) {
        own = Standing::bad;
    }
    return own == Standing::fine || required ? own : Standing::aside;
}

void Judge::check(const Check& check) {
    if (scope_ == Scope::some_nodes || !check.required) required_[check.id] = check.required;
    const Standing own = standing(check.state, check.outcome, check.skip_cause, check.required);
    if (own == Standing::open || own == Standing::bad)
        entries_.push_back({{NodeType::check, check.id}, own, {}});
}

void Judge::stage(const Stage& stage) {
    const Standing own = standing(stage.state, stage.outcome, stage.skip_cause, true);
    if (own == Standing::fine) return;
    Entry& entry = entries_.emplace_back(Entry{{NodeType::stage, stage.id}, own, {}});
    for (const Assignment& a : stage.assignments) entry.targets.push_back(a.target_check_id);
}

std::vector<std::string> Judge::unknown_checks() const {
    std::vector<std::string> unknown;
    if (scope_ == Scope::whole_plan) return unknown;
    std::unordered_set<std::string> seen;
    for (const Entry& entry : entries_) {
        for (const std::string& target : entry.targets) {
            if (!required_.contains(target) && seen.insert(target).second) unknown.push_back(target);
        }
    }
    return unknown;
}

void Judge::set_required(const std::string& check_id, bool required) { required_[check_id] = required; }

bool Judge::counts(const std::vector<std::string>& targets) const {
    return stage_is_required(!targets.empty(), std::ranges::any_of(targets, [&](const std::string& target) {
        const auto known = required_.find(target);
        return known == required_.end() || known->second;
    }));
}

Judgement Judge::judgement() const {
    Judgement judgement;
    for (const Entry& entry : entries_) {
        if (!counts(entry.targets)) continue;
        (entry.standing == Standing::bad ? judgement.bad : judgement.open).push_back(entry.ref);
    }
    if (!judgement.open.empty()) judgement.verdict = Verdict::pending;
    if (!judgement.bad.empty()) judgement.verdict = Verdict::failed;
    return judgement;
}

Standing Judge::standing_of(const Stage& stage) const {
    std::vector<std::string> targets;
    for (const Assignment& a : stage.assignments) targets.push_back(a.target_check_id);
    return standing(stage.state, stage.outcome, stage.skip_cause, counts(targets));
}

GateAnswer gate_answer(const Check& check, bool allow_skipped) noexcept {
    if (!check.required) return GateAnswer::aside;
    const bool skipped =
        allow_skipped && check.outcome == Outcome::skipped && check.skip_cause == SkipCause::not_needed;
    return check.state == State::final && (check.outcome == Outcome::passed || skipped) ? GateAnswer::yes
                                                                                        : GateAnswer::no;
}

}  // namespace turboci
