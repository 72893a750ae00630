// SPDX-License-Identifier: Apache-2.0
#include "engine/answers.hpp"

#include <algorithm>

namespace turboci::engine {

bool Answers::has(NodeKey stage) const { return std::ranges::binary_search(stages, stage); }

bool Answers::is_broken(NodeKey stage) const {
    return std::ranges::binary_search(broken, stage, {}, &Broken::stage);
}

std::vector<const ResultRow*> counted_results(const std::vector<ResultRow>& results) {
    std::vector<const ResultRow*> counted;
    std::map<NodeKey, const ResultRow*> latest;  // by stage
    for (const ResultRow& r : results) {
        if (r.result.owner_type == OwnerType::orchestrator) continue;
        if (r.stage == NodeKey::none) {
            counted.push_back(&r);
            continue;
        }
        const ResultRow*& highest = latest[r.stage];
        if (highest == nullptr || highest->attempt < r.attempt) highest = &r;
    }
    for (const auto& [stage, r] : latest) counted.push_back(r);
    return counted;
}

Answers count_answers(
    const std::vector<ResultRow>& results,
    const std::function<std::optional<AttemptRow>(NodeKey stage, std::int32_t idx)>& attempt_of) {
    Answers answers;
    for (const ResultRow* r : counted_results(results)) {
        const NodeKey stage = r->stage;
        if (stage == NodeKey::none) {
            answers.by_hand = true;
            answers.failed = answers.failed || r->result.failure.has_value();
            continue;
        }
        if (r->result.failure) {
            answers.failed = true;
            answers.stages.push_back(stage);
            continue;
        }
        const auto row = attempt_of(stage, r->attempt);
        if (row && row->attempt.state == AttemptState::incomplete)
            answers.broken.push_back({stage, row->attempt.failure.value_or(std::string(
                                                 to_string(row->attempt.cause.value_or(Cause::failed))))});
        else
            answers.stages.push_back(stage);
    }
    return answers;
}

}  // namespace turboci::engine
