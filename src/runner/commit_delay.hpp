// SPDX-License-Identifier: Apache-2.0
// When an end of a command is worth holding back for a moment, so that one write carries several.
#pragma once

#include <optional>

#include "turboci/time.hpp"

namespace turboci {

/// A write is mostly waiting for the disk, and costs about the same for one end as for several. So an end
/// that is at hand waits for another that is likely to follow before a write could even be over, and never
/// longer than one write takes. What is likely is judged by how long the last commands and writes took.
class CommitDelay {
public:
    /// Whatever is expected, nothing is held back for longer.
    static constexpr Duration kLongest = std::chrono::milliseconds(5);

    void write_took(Duration time) { learn(write_, time); }
    void command_took(Duration time) { learn(command_, time); }

    /// How long commands took as a rule; none: nothing has ended yet.
    [[nodiscard]] std::optional<Duration> typical_command() const noexcept { return command_; }

    /// For each command that runs, before held_until().
    void running_since(Duration start, Duration now);
    /// Until when the ends at hand should wait; none: write them now. Forgets what runs.
    [[nodiscard]] std::optional<Duration> held_until(Duration now);
    /// The ends at hand are being written, or there are none.
    void release() noexcept { held_since_.reset(); }

private:
    static void learn(std::optional<Duration>& typical, Duration time);

    std::optional<Duration> write_;    ///< what one takes as a rule
    std::optional<Duration> command_;  ///< the same
    std::optional<Duration> next_end_;
    std::optional<Duration> held_since_;
};

}  // namespace turboci
