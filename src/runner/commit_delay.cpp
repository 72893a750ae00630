// SPDX-License-Identifier: Apache-2.0
#include "runner/commit_delay.hpp"

#include <algorithm>
#include <utility>

namespace turboci {

void CommitDelay::learn(std::optional<Duration>& typical, Duration time) {
    typical = typical ? (*typical * 3 + time) / 4 : time;
}

void CommitDelay::running_since(Duration start, Duration now) {
    // One that has run for twice as long as usual is of another kind: nobody knows when it will end.
    if (!command_ || now - start > *command_ * 2) return;
    const Duration end = std::max(start + *command_, now);
    if (!next_end_ || end < *next_end_) next_end_ = end;
}

std::optional<Duration> CommitDelay::held_until(Duration now) {
    const std::optional<Duration> next_end = std::exchange(next_end_, std::nullopt);
    if (!write_ || !next_end) return std::nullopt;
    const Duration until = held_since_.value_or(now) + std::min(*write_, kLongest);
    if (now >= until || *next_end > until) return std::nullopt;
    if (!held_since_) held_since_ = now;
    return until;
}

}  // namespace turboci
