// SPDX-License-Identifier: Apache-2.0
#include "turboci/work_plan.hpp"

#include <fmt/core.h>

#include "domain/ordered_json.hpp"
#include "domain/random.hpp"
#include "turboci/error.hpp"

namespace turboci {

void PlanTotals::add(const StateCount& c) {
    const bool check = c.type == NodeType::check;
    (check ? checks : stages) += c.count;
    if (c.state == State::final) (check ? final_checks : final_stages) += c.count;
    if (!c.outcome) return;
    switch (*c.outcome) {
        case Outcome::passed:
            (check ? passed_checks : passed_stages) += c.count;
            break;
        case Outcome::failed:
            (check ? failed_checks : failed_stages) += c.count;
            break;
        case Outcome::skipped:
            (check ? skipped_checks : skipped_stages) += c.count;
            break;
        case Outcome::cancelled:
            cancelled_stages += c.count;
            break;
    }
}

PlanTotals totals(const WorkPlan& plan) {
    PlanTotals sum;
    for (const StateCount& c : plan.counts) sum.add(c);
    return sum;
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

bool has_label(const JsonText& labels, std::string_view key, std::string_view value) {
    const auto object = OrderedJson::parse(labels.text, nullptr, false);
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() && found->get_ref<const std::string&>() == value;
}

std::optional<std::string> plan_choice_problem(std::string_view text) {
    if (text == kLatestPlan) return std::nullopt;
    if (text.find('=') == std::string_view::npos) return plan_id_problem(text);
    if (!is_valid_utf8(text)) return "is not valid UTF-8";
    if (text.front() == '=') return "has no name of a label before the '='";
    return std::nullopt;
}

std::string new_identity() { return fmt::format("{:016x}{:016x}", random_bits(), random_bits()); }

void require_identity(std::string_view id, std::string_view identity, std::string_view meant) {
    if (meant.empty() || meant == identity) return;
    throw Error(ErrorCode::not_found, fmt::format("plan '{}' is gone: another was made under its id", id));
}

}  // namespace turboci
