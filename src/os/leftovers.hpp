// SPDX-License-Identifier: Apache-2.0
// Processes that outlived a supervisor which was killed before it could end them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "turboci/requests.hpp"

namespace turboci {

/// The environment variable by which commands, and what they start, are recognised.
inline constexpr std::string_view kSupervisorVariable = "TURBOCI_SUPERVISOR";

/// Its value: which supervisor, and which of its commands.
struct SupervisorMark {
    std::string host;
    std::int64_t pid = 0;
    std::int64_t start_time = 0;
    std::uint64_t command = 0;
};
[[nodiscard]] std::string to_string(const SupervisorMark& mark);  ///< "HOST:PID:START:COMMAND"
[[nodiscard]] std::optional<SupervisorMark> parse_supervisor_mark(std::string_view text);

/// Kills the processes of this machine that descend from commands run for the store at `store_path` by a
/// supervisor that is surely gone. Returns how many there were. Those that changed their environment or
/// their user are not found.
std::size_t kill_leftovers(const std::string& store_path);

/// runner_is_alive(); but before it says no, what that runner left behind is ended, so that nothing of an
/// attempt runs on beside the next one.
[[nodiscard]] bool runner_is_alive_or_cleared(const RunnerIdentity& runner, const std::string& store_path);

}  // namespace turboci
