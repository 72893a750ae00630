// SPDX-License-Identifier: Apache-2.0
// How much execve(2) takes: judged before anything is started, and told when it was refused.
#pragma once

#include <cstddef>
#include <string>

#include "os/command_runner.hpp"

namespace turboci {

/// How many bytes the arguments and the environment of a command may take, with a pointer for each of them: a
/// quarter of the stack limit (ulimit -s), between 128 KiB and 6 MiB, less what the path of the program and a
/// mark of the supervisor need. Source: fs/exec.c, bprm_stack_limits().
[[nodiscard]] std::size_t exec_space() noexcept;

/// Which value of `command` is too long, and the limit; empty if all of it fits into `space`: "argument 2 has
/// 200000 bytes, 131071 are allowed", "its arguments and environment take 2200000 bytes, 2093056 are allowed;
/// the largest is the environment variable BIG with 130000 bytes".
[[nodiscard]] std::string what_is_too_long(const Command& command, std::size_t space);

}  // namespace turboci
