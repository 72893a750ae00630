// SPDX-License-Identifier: Apache-2.0
#include "cli/log_output.hpp"

#include "format/json_value.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

using Json = OrderedJson;

constexpr auto kReplace = Json::error_handler_t::replace;

std::string value_text(const Json& value) {
    return value.is_string() ? value.get_ref<const std::string&>() : value.dump(-1, ' ', false, kReplace);
}

bool is_move(const Json& value) {
    return value.is_object() && value.size() == 2 && value.contains("from") && value.contains("to");
}

/// How the state of the entry's node ended up; green and red are for outcomes.
Style event_style(const LogEntry& entry) {
    const auto changes = Json::parse(entry.changes.text, nullptr, false);
    if (!changes.is_object() || !changes.contains("outcome")) return Style::plain;
    const Json& outcome = is_move(changes["outcome"]) ? changes["outcome"]["to"] : changes["outcome"];
    if (outcome == "passed") return Style::green;
    if (outcome == "failed" || outcome == "cancelled") return Style::red;
    return Style::dim;
}

}  // namespace

std::string changes_text(const LogEntry& entry) {
    const auto changes = Json::parse(entry.changes.text, nullptr, false);
    if (!changes.is_object()) return entry.changes.text;
    std::string text;
    for (const auto& [field, value] : changes.items()) {
        if (!text.empty()) text += ", ";
        text += field + " ";
        if (!is_move(value)) {
            text += value_text(value);
        } else if (value["from"].is_null()) {
            text += value_text(value["to"]);
        } else {
            text += value_text(value["from"]) + " -> " + value_text(value["to"]);
        }
    }
    return text;
}

std::string event_line(const LogEntry& entry, bool color) {
    const std::string node = entry.node ? to_string(*entry.node) : "plan";
    return format_timestamp(entry.time).substr(11, 8) + "Z  " + printable(node) + "  " +
           styled(printable(changes_text(entry)), event_style(entry), color);
}

}  // namespace turboci::cli
