// SPDX-License-Identifier: Apache-2.0
// What `run` executes for a stage, and in which environment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/stage_args.hpp"
#include "os/command_runner.hpp"

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
/// What the stages of one plan execute, each in the environment of its attempt.
class StageCommands {
public:
    /// `environment`: what all of them inherit. `space`: what a command may take, see exec_space().
    StageCommands(std::string store_path, std::string plan, std::vector<std::string> environment,
                  std::size_t space);
    [[nodiscard]] Command command(const StageCommand& wanted, const std::string& stage, std::int32_t idx,
                                  const std::string& token) const;
    /// Args of so many bytes of JSON are never too long for the system.
    [[nodiscard]] std::size_t safe_args_bytes() const noexcept;
    /// Why the system would not take the command with its environment, told before there is an attempt; empty
    /// if it would, or if `args` are wrong in another way.
    [[nodiscard]] std::string excess(const std::string& stage, const JsonText& args) const;

private:
    std::string store_path_;
    std::string plan_;
    std::vector<std::string> environment_;
    std::string within_;  ///< the stages that this process is itself a part of
    std::size_t space_;
    std::size_t base_;  ///< at the most what a command takes beside its own args and the name of its stage
};

/// This process's environment.
[[nodiscard]] std::vector<std::string> own_environment();

}  // namespace turboci
