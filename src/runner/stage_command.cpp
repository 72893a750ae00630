// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <string_view>
#include <unordered_map>

namespace turboci {

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
