// SPDX-License-Identifier: Apache-2.0
// How many processors there are for us.
#pragma once

#include <optional>
#include <string>

namespace turboci {

/// The processors that this process may use: its affinity, and no more than the CPU quota of its control
/// groups allows, rounded up. At least 1.
[[nodiscard]] int usable_processors();

/// What the control groups (version 1 and 2, and all groups above) of a process allow, rounded up, as the
/// files `cgroup` and `mountinfo` in the folder `proc` tell of them. nullopt: there is no limit, or none that
/// can be read.
[[nodiscard]] std::optional<int> quota_processors(const std::string& proc = "/proc/self");

}  // namespace turboci
