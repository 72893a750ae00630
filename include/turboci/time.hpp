// SPDX-License-Identifier: Apache-2.0
// Time as turboci counts it: UTC microseconds, and a plan clock that never runs backwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace turboci {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;  ///< UTC
using Duration = std::chrono::microseconds;                          ///< never negative in a request

/// One reading of all clocks at one moment.
struct ClockReading {
    Timestamp wall;  ///< may jump, in both directions
    /// CLOCK_BOOTTIME as the machine counts it, in whatever time namespace: steady, counts sleep, starts anew
    /// with each boot.
    Duration since_boot{0};
    std::string boot_id;  ///< which boot `since_boot` belongs to; empty: it means nothing to others
};

/// Where time comes from. Faked in tests.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual ClockReading read() const = 0;
};

/// The machine's clocks.
[[nodiscard]] const Clock& system_clock();

/// The kernel's name for this boot; empty if it cannot be read.
[[nodiscard]] const std::string& current_boot_id();
/// What this process's time namespace (time_namespaces(7)) adds to CLOCK_BOOTTIME, and to the start times in
/// /proc: zero in the machine's own. nullopt if that cannot be found out. `proc`: another folder for /proc.
[[nodiscard]] std::optional<Duration> boot_time_offset();
[[nodiscard]] std::optional<Duration> boot_time_offset(const std::string& proc);

/// The last moment that a plan knows of. Each write advances it.
struct ClockAnchor {
    Timestamp time;
    Duration since_boot{0};
    std::string boot_id;
};

/// The plan's time now: the wall clock as long as it agrees with the steady clock since `last`
/// (within 2 s and one thousandth of the time elapsed); else `last` plus what the steady clock says.
/// Never before `last.time`, whatever the wall clock does; after a reboot the wall clock counts again.
[[nodiscard]] Timestamp plan_time(const ClockAnchor& last, const ClockReading& now);

/// RFC 3339 UTC with microseconds: "2026-01-02T03:04:05.000006Z".
[[nodiscard]] std::string format_timestamp(Timestamp t);
/// The reverse; nullopt unless `text` is exactly of that form.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

/// "500ms", "30s", "10m", "1h30m", "1d": whole numbers 0 or more, each with its unit, the longest unit first,
/// at most 10 years. nullopt otherwise.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// The shortest form that parse_duration() reads back as the same value (rounded to milliseconds).
[[nodiscard]] std::string format_duration(Duration d);

}  // namespace turboci
