// SPDX-License-Identifier: Apache-2.0
// How a plan as a whole came out.
#include <algorithm>

#include "model.hpp"

namespace turboci::model {

Verdict Model::verdict(const ModelPlan& plan) const {
    const auto required = [&](const std::string& id) {
        const ModelCheck* check = const_cast<ModelPlan&>(plan).check(id);
        return check->required || flawed(Flaw::optional_counts);
    };
    bool failed = false, open = false;
    const auto count = [&](const ModelNode& node, bool counts) {
        if (!counts) return;
        open |= node.state != State::final;
        failed |= node.outcome == Outcome::failed || node.outcome == Outcome::cancelled;
        failed |= node.skip_cause == SkipCause::upstream && !flawed(Flaw::upstream_is_fine);
    };
    for (const auto& c : plan.checks) count(c, required(c.ref.id));
    for (const auto& s : plan.stages)
        count(s, s.assignments.empty() || std::ranges::any_of(s.assignments, [&](const Assignment& a) {
                     return required(a.target_check_id);
                 }));
    return failed ? Verdict::failed : open ? Verdict::pending : Verdict::passed;
}

GateAnswer Model::gate(const ModelCheck& check, bool allow_skipped) const {
    if (!check.required) return GateAnswer::aside;
    const bool skipped = check.skip_cause == SkipCause::not_needed ||
                         (check.skip_cause == SkipCause::upstream && flawed(Flaw::gate_allows_upstream));
    const bool good = check.outcome == Outcome::passed || (allow_skipped && skipped);
    return good ? GateAnswer::yes : GateAnswer::no;
}

}  // namespace turboci::model
