// SPDX-License-Identifier: Apache-2.0
// What `run` executes for a stage, and in which environment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/stage_args.hpp"

namespace turboci {

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
