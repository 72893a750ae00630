// SPDX-License-Identifier: Apache-2.0
// Starting a process, and finding those that became ours.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/command_runner.hpp"
#include "os/unique_fd.hpp"

namespace turboci {

/// What spawn() answers: a process, or why there is none.
struct Spawned {
    pid_t pid = -1;
    int error = 0;         ///< errno when pid < 0
    std::string problem;   ///< what could not be done: "cannot execute 'x'"
    bool limited = false;  ///< there is no process to be had, for whatever command
};

/// Starts processes: in a session and process group of their own, without a terminal, killed by the kernel
/// when the thread that started them ends, input from /dev/null, output to one descriptor, signals and limits
/// as they were before.
/// The new process shares our memory until it executes (as vfork(2)), so starting costs the same however
/// large we are.
class Spawner {
public:
    /// `mask`: the signal mask that commands get. Raises our own limit of descriptors as far as it goes.
    explicit Spawner(const sigset_t& mask);
    /// `marker` ("NAME=VALUE") is added to the environment, in place of an inherited value.
    [[nodiscard]] Spawned spawn(const Command& command, const std::string& marker, int output);

private:
    struct AlignedDelete {
        void operator()(char* p) const noexcept;
    };
    sigset_t mask_;
    rlimit descriptors_{};  ///< as we were given it, for commands
    UniqueFd null_;
    std::unique_ptr<char, AlignedDelete> stack_;
};

/// How many descriptors this process may have open.
[[nodiscard]] std::size_t descriptor_limit() noexcept;
/// The calling process's children, zombies included. Reads /proc; none where that is of another pid
/// namespace.
[[nodiscard]] std::vector<pid_t> child_processes();
/// The value of `name` in the environment with which process `pid` was executed; empty if it cannot be read.
[[nodiscard]] std::string environment_of(pid_t pid, std::string_view name);

}  // namespace turboci
