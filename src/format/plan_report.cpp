// SPDX-License-Identifier: Apache-2.0
#include "format/plan_report.hpp"

#include <algorithm>

#include "format/report_text.hpp"

namespace turboci {

PlanReport::PlanReport(const NodeCollector& graph) : graph_(graph) {
    for (const Check& check : graph.checks()) {
        judge_.check(check);
        checks_.emplace(check.id, &check);
        if (!check.required) continue;
        ++(gate_answer(check, false) == GateAnswer::yes ? gate_yes_ : gate_no_);
        if (check.outcome == Outcome::passed) ++passed_checks_;
        if (check.outcome == Outcome::skipped) ++skipped_checks_;
    }
    for (const Stage& stage : graph.stages()) {
        judge_.stage(stage);
        for (const Assignment& a : stage.assignments) {
            if (a.goal_state == State::final) stages_of_[a.target_check_id].push_back(&stage);
        }
    }
    judgement_ = judge_.judgement();
}

Standing PlanReport::standing_of(const Check& check) const noexcept {
    return standing(check.state, check.outcome, check.skip_cause, check.required);
}

const std::vector<const Stage*>& PlanReport::stages_of(const Check& check) const {
    static const std::vector<const Stage*> kNone;
    const auto found = stages_of_.find(check.id);
    return found == stages_of_.end() ? kNone : found->second;
}

bool PlanReport::is_answered_for(const Stage& stage) const {
    const bool bad = standing_of(stage) == Standing::bad;
    return std::ranges::any_of(stage.assignments, [&](const Assignment& a) {
        if (a.goal_state != State::final) return false;
        const auto check = checks_.find(a.target_check_id);
        return check != checks_.end() && (!bad || standing_of(*check->second) == Standing::bad);
    });
}

std::string PlanReport::verdict_words() const {
    if (judgement_.verdict != Verdict::passed) return std::string(to_string(judgement_.verdict));
    if (gate_opens()) return "passed";
    if (passed_checks_ == 0) return "done, no check answered";
    return "passed, " + amount_of(skipped_checks_, "check") + " skipped";
}

Duration PlanReport::time_of(const Stage& stage) {
    Duration sum{0};
    for (const Attempt& attempt : stage.attempts) {
        if (attempt.started_at && attempt.ended_at)
            sum += std::max(*attempt.ended_at - *attempt.started_at, Duration::zero());
    }
    return sum;
}

Duration PlanReport::time_of(const Check& check) const {
    Duration sum{0};
    for (const Stage* stage : stages_of(check)) sum += time_of(*stage);
    return sum;
}

std::vector<PlanReport::Culprit> PlanReport::culprits_of(const Check& check) const {
    std::vector<Culprit> culprits;
    for (const bool bad_ones : {true, false}) {
        for (const Stage* stage : stages_of(check)) {
            const bool bad = standing(stage->state, stage->outcome, stage->skip_cause, true) == Standing::bad;
            if (bad != bad_ones || stage->attempts.empty() || culprits.size() >= kMaxCulprits) continue;
            culprits.push_back({stage, &stage->attempts.back()});
        }
        if (!culprits.empty()) break;
    }
    return culprits;
}

std::vector<PlanReport::Culprit> PlanReport::culprits_of(const Stage& stage) const {
    if (stage.attempts.empty()) return {};
    return {{&stage, &stage.attempts.back()}};
}

}  // namespace turboci
