// SPDX-License-Identifier: Apache-2.0
// From a stage's args to the command that `run` executes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "turboci/json_text.hpp"

namespace turboci {

/// args.command, args.env and args.cwd.
struct StageCommand {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::optional<std::string>>> env;  ///< no value: not to be set
    std::string cwd;
};

/// Is there an args.command, well formed or not? Stages without one are for other workers.
[[nodiscard]] bool has_command(const JsonText& args);
/// The command, or what is wrong with it (one clause).
[[nodiscard]] std::variant<StageCommand, std::string> parse_stage_command(const JsonText& args);

/// "NAME=VALUE" of this process, with `changes` on top, then `fixed` on top of both.
[[nodiscard]] std::vector<std::string> merged_environment(
    const std::vector<std::string>& base,
    const std::vector<std::pair<std::string, std::optional<std::string>>>& changes,
    const std::vector<std::pair<std::string, std::string>>& fixed);
/// The value of `name` in "NAME=VALUE" strings; empty if it is not there.
[[nodiscard]] std::string environment_value(const std::vector<std::string>& env, std::string_view name);

/// The environment variable that tells a run within a stage which stages cannot end before it does.
inline constexpr std::string_view kWithinVariable = "TURBOCI_WITHIN";
/// One of them: a line of its value.
[[nodiscard]] std::string enclosing_stage(std::string_view store_path, std::string_view plan,
                                          std::string_view stage);
/// This process's environment.
[[nodiscard]] std::vector<std::string> own_environment();

}  // namespace turboci
