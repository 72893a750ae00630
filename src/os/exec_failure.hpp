// SPDX-License-Identifier: Apache-2.0
// What execve(2) does not say: why a program that is there could not be executed.
#pragma once

#include <string>
#include <vector>

#include "os/command_runner.hpp"

namespace turboci {

/// Goes behind "cannot execute 'x'" and before the text of `error`: ": its interpreter '/bin/bsh' is not
/// there",
/// ": argument 2 has 200000 bytes, 131071 are allowed". Empty if `error` says it all. `candidates`: the paths
/// that were tried.
[[nodiscard]] std::string why_not_executed(const Command& command, const std::vector<std::string>& candidates,
                                           int error);

}  // namespace turboci
