// SPDX-License-Identifier: Apache-2.0
#include "domain/log_place.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "turboci/json_text.hpp"

namespace turboci {

namespace {

constexpr std::size_t kMostPath = 1024;

std::optional<std::int64_t> amount(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    const auto value = found->get<std::int64_t>();
    return value >= 0 ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string to_json(const LogPlace& log) {
    if (!log.path.empty()) return R"({"path":)" + json_string(log.path) + '}';
    return R"({"bytes":)" + std::to_string(log.bytes) + R"(,"dropped":)" + std::to_string(log.dropped) + '}';
}

std::string left_out_line(std::int64_t bytes) {
    return "\n... " + std::to_string(bytes) + " bytes left out ...\n";
}

std::variant<LogPlace, std::string> parse_log_place(std::string_view json) {
    const auto object = nlohmann::json::parse(json, nullptr, false);
    if (!object.is_object()) return "must be an object";
    LogPlace log;
    if (const auto path = object.find("path"); path != object.end()) {
        if (object.size() != 1) return "has more than a path";
        if (path->is_string()) log.path = path->get<std::string>();
        if (log.path.empty()) return "has a path that is no text";
        if (log.path.size() > kMostPath || has_control_character(log.path))
            return "has a path that cannot be one";
        return log;
    }
    const auto bytes = amount(object, "bytes"), dropped = amount(object, "dropped");
    if (object.size() != 2 || !bytes || !dropped) return "has neither a path nor 'bytes' and 'dropped'";
    if (*dropped > *bytes) return "has more dropped than there was";
    log.bytes = *bytes;
    log.dropped = *dropped;
    return log;
}

}  // namespace turboci
