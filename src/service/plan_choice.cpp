// SPDX-License-Identifier: Apache-2.0
#include "service/plan_choice.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "domain/attempt_token.hpp"
#include "domain/quotes.hpp"

namespace turboci::service {

namespace {

constexpr std::size_t kMaxListed = 10;

/// "a, b and 3 more": the newest of them, the oldest of those first.
std::string newest_of(const std::vector<const PlanRow*>& plans) {
    const std::size_t shown = std::min(plans.size(), kMaxListed);
    std::string names;
    for (std::size_t i = plans.size() - shown; i < plans.size(); ++i)
        names += (names.empty() ? "" : ", ") + plans[i]->id;
    if (plans.size() > shown) names += fmt::format(" and {} older", plans.size() - shown);
    return names;
}

Error no_plan(std::string_view text) {
    return {ErrorCode::not_found, fmt::format("there is no plan {}", in_quotes(text)),
            "list them with 'turboci plan list'"};
}

const PlanRow& newest_with_label(const std::vector<PlanRow>& plans, std::string_view text) {
    const std::size_t equals = text.find('=');
    const auto has_it = [&](const PlanRow& plan) {
        return has_label(plan.labels, text.substr(0, equals), text.substr(equals + 1));
    };
    const auto found = std::find_if(plans.rbegin(), plans.rend(), has_it);
    if (found == plans.rend())
        throw Error(ErrorCode::not_found, fmt::format("no plan has the label {}", in_quotes(text)),
                    "list them with 'turboci plan list'");
    return *found;
}

const PlanRow& only_beginning(const std::vector<PlanRow>& plans, std::string_view text) {
    std::vector<const PlanRow*> found;
    for (const PlanRow& plan : plans)
        if (plan.id.starts_with(text)) found.push_back(&plan);
    if (found.empty()) throw no_plan(text);
    if (found.size() > 1)
        throw Error(ErrorCode::usage,
                    fmt::format("{} is the beginning of {} plans ({})", in_quotes(text), found.size(),
                                newest_of(found)),
                    "write more of the one you mean")
            .because("AMBIGUOUS_PLAN");
    return *found.front();
}

const PlanRow& only_line(const std::vector<PlanRow>& plans) {
    if (plans.empty())
        throw Error(ErrorCode::not_found, "the store has no plan", "create one with 'turboci plan create'");
    const auto older = superseded(plans);
    std::vector<const PlanRow*> heads;
    for (const PlanRow& plan : plans)
        if (!older.contains(plan.identity)) heads.push_back(&plan);
    // Imported plans may each name another as the one that they were made from.
    if (heads.empty())
        for (const PlanRow& plan : plans) heads.push_back(&plan);
    if (heads.size() == 1) return *heads.front();
    throw Error(ErrorCode::usage, fmt::format("the store has {} plans ({})", heads.size(), newest_of(heads)),
                "choose one with --plan or TURBOCI_PLAN")
        .because("AMBIGUOUS_PLAN");
}

}  // namespace

void sort_by_age(std::vector<PlanRow>& plans) {
    std::ranges::sort(plans, {}, [](const PlanRow& plan) { return std::tuple(plan.created_at, plan.key); });
}

std::unordered_set<std::string_view> superseded(const std::vector<PlanRow>& plans) {
    std::unordered_set<std::string_view> identities;
    for (const PlanRow& plan : plans)
        if (plan.from) identities.insert(plan.from->identity);
    return identities;
}

PlanRow require_exact_plan(Snapshot& snapshot, std::string_view id) {
    auto plan = snapshot.find_plan(id);
    if (!plan) throw no_plan(id);
    return std::move(*plan);
}

PlanRow require_plan(Snapshot& snapshot, std::string_view text, bool exact) {
    if (exact) return require_exact_plan(snapshot, text);
    if (!text.empty())
        if (auto plan = snapshot.find_plan(text)) return std::move(*plan);
    if (!text.empty() && plan_choice_problem(text)) throw no_plan(text);
    auto plans = snapshot.plans();
    sort_by_age(plans);
    if (text.empty()) return only_line(plans);
    if (text == kLatestPlan) {
        if (plans.empty()) return only_line(plans);
        return std::move(plans.back());
    }
    if (text.find('=') != std::string_view::npos) return newest_with_label(plans, text);
    return only_beginning(plans, text);
}

PlanRow require_plan_to_write(Transaction& transaction, const WriteNodes& request, bool exact) {
    PlanRow plan = require_plan(transaction, request.plan, exact);
    if (plan.id == request.plan) return plan;
    // A store that locks single plans locks what is found by its id.
    plan = require_exact_plan(transaction, plan.id);
    if (request.plan.empty() || request.token.empty()) return plan;
    const auto token = parse_attempt_token(request.token);
    if (token && token->store == transaction.store().identity && token->plan != plan.id &&
        token->plan.starts_with(request.plan))
        throw Error(ErrorCode::not_found,
                    fmt::format("plan {} of the attempt is gone", in_quotes(token->plan)),
                    "leave it to the attempts of another plan");
    return plan;
}

}  // namespace turboci::service
