// SPDX-License-Identifier: Apache-2.0
#include "domain/json_pointer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace turboci {

namespace {

using Json = nlohmann::json;

/// A step of a pointer without its escapes.
std::string unescaped(std::string_view step) {
    std::string text;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] != '~') {
            text += step[i];
            continue;
        }
        text += step[i + 1] == '1' ? '/' : '~';
        ++i;
    }
    return text;
}

/// The number of a list's item; nullopt for what is none ("-", "01", "x").
std::optional<std::size_t> index_of_item(const std::string& step, std::size_t items) {
    constexpr std::size_t kMostDigits = 9;
    const bool number = !step.empty() && step.size() <= kMostDigits &&
                        std::ranges::all_of(step, [](char c) { return c >= '0' && c <= '9'; });
    if (!number || (step.size() > 1 && step.front() == '0')) return std::nullopt;
    const auto index = static_cast<std::size_t>(std::stoul(step));
    return index < items ? std::optional(index) : std::nullopt;
}

const Json* child_of(const Json& value, const std::string& step) {
    if (value.is_object()) {
        const auto it = value.find(step);
        return it == value.end() ? nullptr : &*it;
    }
    if (!value.is_array()) return nullptr;
    const auto index = index_of_item(step, value.size());
    return index ? &value[*index] : nullptr;
}

}  // namespace

std::optional<std::string> json_pointer_problem(std::string_view pointer) {
    if (!pointer.empty() && pointer.front() != '/') return "a JSON pointer begins with '/'";
    for (std::size_t at = pointer.find('~'); at != std::string_view::npos; at = pointer.find('~', at + 1))
        if (at + 1 == pointer.size() || (pointer[at + 1] != '0' && pointer[at + 1] != '1'))
            return "in a JSON pointer '~' is written '~0' and '/' in a name '~1'";
    return std::nullopt;
}

std::optional<std::string> find_json_value(std::string_view json, std::string_view pointer) {
    const Json whole = Json::parse(json, nullptr, false);
    if (whole.is_discarded()) return std::nullopt;
    const Json* value = &whole;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const std::string_view step = pointer.substr(0, pointer.find('/'));
        value = child_of(*value, unescaped(step));
        if (value == nullptr) return std::nullopt;
        pointer.remove_prefix(step.size());
    }
    return value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool same_json_value(std::string_view a, std::string_view b) {
    return a == b || Json::parse(a, nullptr, false) == Json::parse(b, nullptr, false);
}

}  // namespace turboci
