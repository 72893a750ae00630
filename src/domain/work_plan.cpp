// SPDX-License-Identifier: Apache-2.0
#include "turboci/work_plan.hpp"

#include <fmt/core.h>

#include "domain/random.hpp"
#include "turboci/error.hpp"

namespace turboci {

PlanTotals totals(const WorkPlan& plan) {
    PlanTotals t;
    for (const StateCount& c : plan.counts) {
        const bool check = c.type == NodeType::check;
        (check ? t.checks : t.stages) += c.count;
        if (c.state == State::final) (check ? t.final_checks : t.final_stages) += c.count;
        if (!c.outcome) continue;
        switch (*c.outcome) {
            case Outcome::passed:
                (check ? t.passed_checks : t.passed_stages) += c.count;
                break;
            case Outcome::failed:
                (check ? t.failed_checks : t.failed_stages) += c.count;
                break;
            case Outcome::skipped:
                (check ? t.skipped_checks : t.skipped_stages) += c.count;
                break;
            case Outcome::cancelled:
                t.cancelled_stages += c.count;
                break;
        }
    }
    return t;
}

std::string new_plan_id(Timestamp now) {
    constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
    std::string id(26, '0');
    auto value = static_cast<std::uint64_t>(ms);
    for (std::size_t i = 10; i-- > 0; value /= 32) id[i] = kAlphabet[value % 32];
    std::uint64_t random = 0;
    for (std::size_t i = 10; i < id.size(); ++i, random /= 32) {
        if (i % 8 == 2) random = random_bits();
        id[i] = kAlphabet[random % 32];
    }
    return id;
}

std::string new_identity() { return fmt::format("{:016x}{:016x}", random_bits(), random_bits()); }

void require_identity(std::string_view id, std::string_view identity, std::string_view meant) {
    if (meant.empty() || meant == identity) return;
    throw Error(ErrorCode::not_found, fmt::format("plan '{}' is gone: another was made under its id", id));
}

}  // namespace turboci
