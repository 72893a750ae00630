// SPDX-License-Identifier: Apache-2.0
// Looking again and again for what others do, where nobody tells of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "turboci/wait.hpp"

namespace turboci {

/// How long the pauses are: they double from the first to the longest.
struct PollPauses {
    Duration first, longest;
};

/// Calls `look` until it returns true, or `wait` is over; at least once. Returns what `look` said last.
template <class Look>
bool poll(const Wait& wait, const PollPauses& pauses, const Look& look) {
    using Monotonic = std::chrono::steady_clock;
    const auto start = Monotonic::now();
    for (Duration pause = pauses.first;; pause = std::min(2 * pause, pauses.longest)) {
        if (look()) return true;
        const auto waited = std::chrono::duration_cast<Duration>(Monotonic::now() - start);
        if (waited >= wait.at_most || (wait.give_up && wait.give_up())) return false;
        std::this_thread::sleep_for(std::min(pause, wait.at_most - waited));
    }
}

/// For Store::wait_for_change().
inline constexpr PollPauses kChangePauses{std::chrono::milliseconds(20), std::chrono::milliseconds(250)};

}  // namespace turboci
