// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

namespace turboci {

namespace {

using nlohmann::json;

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

std::optional<std::string> read_command(const json& value, StageCommand& command) {
    constexpr const char* kForm = "args.command must be a string or a list of strings";
    if (value.is_string()) {
        if (value.get_ref<const std::string&>().empty()) return "args.command is empty";
        command.argv = {"/bin/sh", "-c", value.get<std::string>()};
    } else if (value.is_array()) {
        if (value.empty()) return "args.command is empty";
        for (const json& item : value) {
            if (!item.is_string()) return kForm;
            command.argv.push_back(item.get<std::string>());
        }
        if (command.argv.front().empty()) return "args.command names no program";
    } else {
        return kForm;
    }
    for (const std::string& word : command.argv) {
        if (has_nul(word)) return "args.command holds a NUL character";
    }
    return std::nullopt;
}

std::optional<std::string> read_env(const json& value, StageCommand& command) {
    if (!value.is_object()) return "args.env must be a mapping of strings";
    for (const auto& [name, text] : value.items()) {
        if (name.empty() || name.find('=') != std::string::npos || has_nul(name)) {
            return fmt::format("args.env: '{}' cannot be the name of a variable", name);
        }
        if (text.is_null()) {
            command.env.emplace_back(name, std::nullopt);
        } else if (text.is_string() && !has_nul(text.get_ref<const std::string&>())) {
            command.env.emplace_back(name, text.get<std::string>());
        } else {
            return fmt::format("args.env.{} must be a string, or null to unset it", name);
        }
    }
    return std::nullopt;
}

}  // namespace

bool has_command(const JsonText& args) {
    // Nearly all args without a command are told apart without parsing.
    if (args.text.find("command") == std::string::npos && args.text.find('\\') == std::string::npos)
        return false;
    const json value = json::parse(args.text, nullptr, false);
    return value.is_object() && value.contains("command") && !value["command"].is_null();
}

std::variant<StageCommand, std::string> parse_stage_command(const JsonText& args) {
    const json value = json::parse(args.text, nullptr, false);
    StageCommand command;
    if (!value.is_object() || !value.contains("command")) return "args.command is missing";
    if (auto problem = read_command(value["command"], command)) return *problem;
    if (value.contains("env") && !value["env"].is_null()) {
        if (auto problem = read_env(value["env"], command)) return *problem;
    }
    if (value.contains("cwd") && !value["cwd"].is_null()) {
        const json& cwd = value["cwd"];
        if (!cwd.is_string() || cwd.get_ref<const std::string&>().empty() ||
            has_nul(cwd.get<std::string>())) {
            return "args.cwd must be a path";
        }
        command.cwd = cwd.get<std::string>();
    }
    return command;
}

std::vector<std::string> merged_environment(
    const std::vector<std::string>& base,
    const std::vector<std::pair<std::string, std::optional<std::string>>>& changes,
    const std::vector<std::pair<std::string, std::string>>& fixed) {
    std::unordered_map<std::string_view, bool> replaced;
    for (const auto& [name, value] : changes) replaced[name] = true;
    for (const auto& [name, value] : fixed) replaced[name] = true;
    std::vector<std::string> merged;
    merged.reserve(base.size() + changes.size() + fixed.size());
    for (const std::string& entry : base) {
        if (replaced.count(std::string_view(entry).substr(0, entry.find('='))) == 0) merged.push_back(entry);
    }
    const auto is_fixed = [&](const std::string& name) {
        for (const auto& entry : fixed) {
            if (entry.first == name) return true;
        }
        return false;
    };
    for (const auto& [name, value] : changes) {
        if (value && !is_fixed(name)) merged.push_back(fmt::format("{}={}", name, *value));
    }
    for (const auto& [name, value] : fixed) merged.push_back(fmt::format("{}={}", name, value));
    return merged;
}

std::string environment_value(const std::vector<std::string>& env, std::string_view name) {
    for (const std::string& entry : env)
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
    return {};
}

std::string enclosing_stage(std::string_view store_path, std::string_view plan, std::string_view stage) {
    std::string line = "\n";
    for (const std::string_view part :
         {store_path, std::string_view("\t"), plan, std::string_view("\t"), stage})
        line += part;
    return line + '\n';
}

std::vector<std::string> own_environment() {
    std::vector<std::string> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) all.emplace_back(*entry);
    return all;
}

}  // namespace turboci
