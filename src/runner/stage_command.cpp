// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "domain/attempt_token.hpp"
#include "os/exec_space.hpp"
#include "turboci/work_plan.hpp"

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

StageCommands::StageCommands(std::string store_path, std::string plan, std::vector<std::string> environment,
                             std::size_t space)
    : store_path_(std::move(store_path)),
      plan_(std::move(plan)),
      environment_(std::move(environment)),
      within_(environment_value(environment_, kWithinVariable)),
      space_(space),
      base_(2048 + 2 * store_path_.size() + 4 * plan_.size() + within_.size()) {
    for (const std::string& variable : environment_) base_ += variable.size() + 1 + sizeof(char*);
}

Command StageCommands::command(const StageCommand& wanted, const std::string& stage, std::int32_t idx,
                               const std::string& token) const {
    Command command;
    command.argv = wanted.argv;
    command.cwd = wanted.cwd;
    command.env = merged_environment(
        environment_, wanted.env,
        {{"TURBOCI_STORE", store_path_},
         {"TURBOCI_PLAN", plan_},
         {"TURBOCI_STAGE", stage},
         {"TURBOCI_ATTEMPT", std::to_string(idx)},
         {"TURBOCI_TOKEN", token},
         {std::string(kWithinVariable), within_ + enclosing_stage(store_path_, plan_, stage)}});
    return command;
}

std::size_t StageCommands::safe_args_bytes() const noexcept {
    // No value takes more than three times its JSON text: of `"",` an empty string with its NUL and pointer
    // is made. The id of the stage stands in the token, too.
    const std::size_t taken = base_ + 5 * kMaxNodeIdBytes;
    return taken >= space_ ? 1 : std::clamp<std::size_t>((space_ - taken) / 3, 1, kMaxWordBytes / 2);
}

std::string StageCommands::excess(const std::string& stage, const JsonText& args) const {
    if (args.text.size() <= safe_args_bytes()) return {};
    const auto parsed = parse_stage_command(args);
    const auto* wanted = std::get_if<StageCommand>(&parsed);
    if (wanted == nullptr) return {};
    // The token is not known yet, but how long it can be.
    constexpr std::int32_t kLastIdx = std::numeric_limits<std::int32_t>::max();
    const std::string identity = new_identity();
    const std::string token = to_string(AttemptToken{identity, identity, plan_, stage, kLastIdx, identity});
    return what_is_too_long(command(*wanted, stage, kLastIdx, token), space_);
}

std::vector<std::string> own_environment() {
    std::vector<std::string> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) all.emplace_back(*entry);
    return all;
}

}  // namespace turboci
