// SPDX-License-Identifier: Apache-2.0
#include "turboci/service.hpp"

#include <fmt/core.h>

namespace turboci {

namespace {

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

WriteResult Service::claim(const WriteNodes& request) {
    if (!request.claim) throw Error(ErrorCode::internal, "a claim without a claim");
    auto result = write_nodes(request);
    if (result.claimed.empty() && result.replayed)
        throw Error(ErrorCode::conflict, "that op_id belongs to another write", "use another one")
            .because("OP_ID");
    if (result.claimed.empty()) throw nothing_to_claim(result);
    return result;
}

}  // namespace turboci
