// SPDX-License-Identifier: Apache-2.0
// Which process, beyond its pid: enough to tell later whether it still lives.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "turboci/runner.hpp"

namespace turboci {

/// What /proc/PID/stat says of a process.
struct ProcessStat {
    char state = '?';         ///< R, S, D, T, Z, X …
    std::int64_t parent = 0;  ///< ppid
    std::int64_t group = 0;   ///< process group
    std::int64_t session = 0;
    std::int64_t start_time = 0;  ///< field 22: clock ticks after boot, in our time namespace
    [[nodiscard]] bool dead() const noexcept { return state == 'Z' || state == 'X' || state == 'x'; }
};
/// Reads one line of /proc/PID/stat. The name in it is chosen by the process and may hold anything,
/// blanks and parentheses too. nullopt if the line is not of that form.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view line);
/// nullopt if there is no such process (or /proc is not mounted).
[[nodiscard]] std::optional<ProcessStat> read_process_stat(std::int64_t pid);

/// Does /proc tell of our pid namespace? Else its pids are not those that kill(2) takes.
[[nodiscard]] bool proc_is_ours();

/// The calling process. `host` is the node name, followed by the name of the pid namespace where that is
/// not the machine's first one, because pids mean nothing outside of it. `start_time` is as the machine's
/// first time namespace tells it; 0 if that is not known.
[[nodiscard]] RunnerIdentity this_runner();

/// False only when it is certain that `runner` is gone: of an earlier boot of this host, or of this boot and
/// this pid namespace and with no such process, a dead one, or another one of the same pid. True when in
/// doubt.
[[nodiscard]] bool runner_is_alive(const RunnerIdentity& runner);

/// "run:HOST:PID:START", the process_uid under which a runner holds its attempts.
[[nodiscard]] std::string runner_process_uid(const RunnerIdentity& runner);
/// Cuts ":NUMBER" off the end of `text`; nullopt if it does not end so.
[[nodiscard]] std::optional<std::int64_t> take_last_number(std::string_view& text);
/// The reverse, taken for this boot: nullopt if `uid` is not of that form.
[[nodiscard]] std::optional<RunnerIdentity> parse_runner_process_uid(std::string_view uid);

}  // namespace turboci
