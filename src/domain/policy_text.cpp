// SPDX-License-Identifier: Apache-2.0
#include "domain/policy_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "domain/json_pointer.hpp"
#include "domain/quotes.hpp"
#include "turboci/json_text.hpp"

namespace turboci {

namespace {

using Json = nlohmann::json;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class Row>
std::string counts_json(const std::vector<Row>& rows, std::string Row::*name) {
    std::string out = "{";
    for (const Row& row : rows) {
        if (out.size() > 1) out += ',';
        append_json_string(out, row.*name);
        out += fmt::format(":{}", row.count);
    }
    return out + '}';
}

/// Why a name of a limit cannot be one; empty if it can.
std::string name_problem(std::string_view name) {
    constexpr std::size_t kMostBytes = 256;
    if (name.empty()) return "is empty";
    if (name.size() > kMostBytes) return fmt::format("is {} bytes long, {} at most", name.size(), kMostBytes);
    if (!is_valid_utf8(name)) return "is not valid UTF-8";
    if (has_control_character(name)) return "has a control character";
    return {};
}

/// An object of counts into `rows`; what is wrong with it otherwise.
template <class Row>
std::string read_counts(const Json& value, std::string_view what, std::string Row::*name,
                        std::vector<Row>& rows) {
    constexpr std::int64_t kMost = 1'000'000'000;
    for (const auto& [key, count] : value.items()) {
        if (const auto why = name_problem(key); !why.empty())
            return fmt::format("{}: the name {} {}", what, in_quotes(key), why);
        const auto number = count.is_number_integer() ? count.template get<std::int64_t>() : 0;
        if (count.is_number_unsigned() &&
            count.template get<std::uint64_t>() > static_cast<std::uint64_t>(kMost))
            return fmt::format("{}: the count of {} is more than {}", what, in_quotes(key), kMost);
        if (number < 1 || number > kMost)
            return fmt::format("{}: the count of {} must be a whole number from 1, not {}", what,
                               in_quotes(key), dump(count));
        Row& row = rows.emplace_back();
        row.*name = key;
        row.count = number;
    }
    std::ranges::sort(rows, {}, name);
    return {};
}

constexpr std::string_view kConditionForm =
    "condition must be a map with 'check', 'path' and one of 'equals', 'not_equals' and 'exists', or a list "
    "of "
    "such maps";

std::string read_condition(const Json& value, Condition& into) {
    if (!value.is_object()) return std::string(kConditionForm);
    int tests = 0;
    for (const auto& [key, member] : value.items()) {
        if (key == "check" || key == "path") {
            if (!member.is_string()) return fmt::format("condition: '{}' must be a string", key);
            (key == "check" ? into.check : into.path) = member.get<std::string>();
        } else if (key == "equals" || key == "not_equals") {
            ++tests;
            into.test = key == "equals" ? Condition::Test::equals : Condition::Test::not_equals;
            into.value = dump(member);
        } else if (key == "exists") {
            ++tests;
            if (!member.is_boolean()) return "condition: 'exists' must be true or false";
            into.test = member.get<bool>() ? Condition::Test::exists : Condition::Test::absent;
        } else {
            return fmt::format(
                "condition: unknown key {}; known are check, path, equals, not_equals and exists",
                in_quotes(key));
        }
    }
    if (!value.contains("check") || !value.contains("path") || tests != 1) return std::string(kConditionForm);
    const RefText ref = parse_ref(into.check);
    if (ref.type == NodeType::stage) return "condition: it asks a check, not a stage";
    into.check = ref.id;
    if (const auto why = node_id_problem(into.check))
        return fmt::format("condition: the id {} {}", in_quotes(into.check), *why);
    if (const auto why = json_pointer_problem(into.path)) return "condition: " + *why;
    return {};
}

std::string read_exit_statuses(const Json& value, RetryOn& on) {
    constexpr std::string_view kForm = "on: 'exit' must be a list of exit statuses from 1 to 255";
    if (!value.is_array() || value.empty()) return std::string(kForm);
    for (const Json& status : value) {
        if (!status.is_number_integer()) return std::string(kForm);
        const auto number = status.get<std::int64_t>();
        if (number < 1 || number > 255) return std::string(kForm);
        on.exit.push_back(static_cast<std::int32_t>(number));
    }
    std::ranges::sort(on.exit);
    on.exit.erase(std::unique(on.exit.begin(), on.exit.end()), on.exit.end());
    return {};
}

std::string read_retry_on(const Json& value, RetryOn& on) {
    constexpr std::string_view kForm = "on must be a list of failed, timeout, silent and {exit: [STATUS, …]}";
    if (!value.is_array()) return std::string(kForm);
    on = {false, false, false, {}};
    for (const Json& item : value) {
        if (item.is_object() && item.size() == 1 && item.contains("exit")) {
            if (auto why = read_exit_statuses(item["exit"], on); !why.empty()) return why;
            continue;
        }
        const std::string name = item.is_string() ? item.get<std::string>() : std::string();
        bool* const end = name == "failed"    ? &on.failed
                          : name == "timeout" ? &on.timeout
                          : name == "silent"  ? &on.silent
                                              : nullptr;
        if (end == nullptr) return std::string(kForm);
        *end = true;
    }
    return {};
}

}  // namespace

std::string to_json(const std::vector<Use>& uses) { return counts_json(uses, &Use::limit); }
std::string to_json(const std::vector<Limit>& limits) { return counts_json(limits, &Limit::name); }

std::string to_json(const std::vector<Condition>& condition) {
    std::string out = "[";
    for (const Condition& c : condition) {
        if (out.size() > 1) out += ',';
        out += R"({"check":)";
        append_json_string(out, c.check);
        out += R"(,"path":)";
        append_json_string(out, c.path);
        switch (c.test) {
            case Condition::Test::equals:
                out += R"(,"equals":)" + c.value;
                break;
            case Condition::Test::not_equals:
                out += R"(,"not_equals":)" + c.value;
                break;
            case Condition::Test::exists:
                out += R"(,"exists":true)";
                break;
            case Condition::Test::absent:
                out += R"(,"exists":false)";
                break;
        }
        out += '}';
    }
    return out + ']';
}

std::string to_json(const RetryOn& on) {
    std::string out = "[";
    const auto add = [&](std::string_view item) { out.append(out.size() > 1 ? "," : "").append(item); };
    if (on.failed) add(R"("failed")");
    if (on.timeout) add(R"("timeout")");
    if (on.silent) add(R"("silent")");
    if (!on.exit.empty()) add(fmt::format(R"({{"exit":{}}})", dump(Json(on.exit))));
    return out + ']';
}

Parsed<std::vector<Condition>> parse_condition(std::string_view json) {
    const Json value = Json::parse(json, nullptr, false);
    std::vector<Condition> all;
    if (value.is_object()) {
        if (auto why = read_condition(value, all.emplace_back()); !why.empty()) return why;
        return all;
    }
    if (!value.is_array()) return std::string(kConditionForm);
    for (const Json& item : value)
        if (auto why = read_condition(item, all.emplace_back()); !why.empty()) return why;
    return all;
}

Parsed<std::vector<Use>> parse_uses(std::string_view json) {
    const Json value = Json::parse(json, nullptr, false);
    std::vector<Use> all;
    if (value.is_object()) {
        if (auto why = read_counts(value, "uses", &Use::limit, all); !why.empty()) return why;
        return all;
    }
    if (!value.is_array()) return std::string("uses must be a list of names or a map of counts");
    for (const Json& item : value) {
        if (!item.is_string()) return std::string("uses: an item must be the name of a limit");
        const auto name = item.get<std::string>();
        if (const auto why = name_problem(name); !why.empty())
            return fmt::format("uses: the name {} {}", in_quotes(name), why);
        if (std::ranges::find(all, name, &Use::limit) != all.end())
            return fmt::format("uses: {} comes twice; a map says how many", in_quotes(name));
        all.push_back({name, 1});
    }
    std::ranges::sort(all, {}, &Use::limit);
    return all;
}

Parsed<std::vector<Limit>> parse_limits(std::string_view json) {
    const Json value = Json::parse(json, nullptr, false);
    std::vector<Limit> all;
    if (!value.is_object()) return std::string("limits must be a map of counts");
    if (auto why = read_counts(value, "limits", &Limit::name, all); !why.empty()) return why;
    return all;
}

Parsed<RetryOn> parse_retry_on(std::string_view json) {
    RetryOn on;
    if (auto why = read_retry_on(Json::parse(json, nullptr, false), on); !why.empty()) return why;
    return on;
}

}  // namespace turboci
