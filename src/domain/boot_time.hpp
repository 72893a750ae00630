// SPDX-License-Identifier: Apache-2.0
// Which boot of the machine this is, and how far this process's time since then is from everybody else's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "turboci/time.hpp"

namespace turboci {

/// The kernel's name for this boot; empty if it cannot be read.
[[nodiscard]] const std::string& current_boot_id();

/// What this process's time namespace (time_namespaces(7)) adds to CLOCK_BOOTTIME, and to the start times in
/// /proc: zero in the first namespace. nullopt if that cannot be found out.
[[nodiscard]] std::optional<Duration> boot_time_offset();
/// The same with another folder in place of /proc.
[[nodiscard]] std::optional<Duration> boot_time_offset(const std::string& proc);

}  // namespace turboci
