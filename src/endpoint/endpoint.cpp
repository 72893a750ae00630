// SPDX-License-Identifier: Apache-2.0
#include "turboci/endpoint.hpp"

#include <fmt/core.h>

#include "format/scalars.hpp"

namespace turboci {

namespace {

void refuse_problems(const WriteNodes& request) {
    Problems problems;
    validate(request, problems);
    problems.raise_if_any(request.files);
}

void validate_labels(const CreatePlan& request, Problems& problems) {
    for (const auto& [key, value] : request.labels) {
        if (!is_valid_utf8(key) || !is_valid_utf8(value)) {
            problems.add(ErrorCode::invalid_argument, {},
                         fmt::format("label {} is not valid UTF-8", in_quotes(key)));
        } else if (key.empty()) {
            problems.add(ErrorCode::invalid_argument, {}, "a label's name is empty");
        }
    }
}

Error nothing_to_claim(const WriteResult& result) {
    const std::string what = "no stage is ready to claim";
    const PlanTotals sum = totals(result.plan);
    if (sum.stages == 0) return {ErrorCode::pending, what + ": the plan has none", "write some first"};
    if (sum.final_stages == sum.stages)
        return {ErrorCode::pending, what + ": all are FINAL", "there is nothing left to do in this plan"};
    if (result.next_ready_in)
        return {ErrorCode::pending,
                fmt::format("{}; the next will be in {}", what,
                            format_duration(std::chrono::ceil<std::chrono::seconds>(*result.next_ready_in))),
                "try again then, or wait with --wait"};
    return {ErrorCode::pending, what, "try again later, or wait with --wait"};
}

}  // namespace

WriteResult Endpoint::create_plan(const CreatePlan& request) {
    Problems problems;
    if (!request.id.empty()) {
        if (const auto why = plan_id_problem(request.id)) {
            problems.add(ErrorCode::invalid_argument, {},
                         fmt::format("the plan id {} {}", in_quotes(request.id), *why));
        }
    }
    validate_labels(request, problems);
    validate(request.nodes, problems);
    problems.raise_if_any(request.nodes.files);
    return orchestrator_.create_plan(request);
}

WriteResult Endpoint::write_nodes(const WriteNodes& request) {
    refuse_problems(request);
    return orchestrator_.write_nodes(request);
}

WriteResult Endpoint::tick(const WriteNodes& request) {
    refuse_problems(request);
    return orchestrator_.tick(request);
}

WriteResult Endpoint::claim(const WriteNodes& request) {
    if (!request.claim) throw Error(ErrorCode::internal, "a claim without a claim");
    auto result = write_nodes(request);
    if (result.claimed.empty() && result.replayed)
        throw Error(ErrorCode::conflict, "that op_id belongs to another write", "use another one");
    if (result.claimed.empty()) throw nothing_to_claim(result);
    return result;
}

}  // namespace turboci
