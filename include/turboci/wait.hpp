// SPDX-License-Identifier: Apache-2.0
// How long a call may wait for others.
#pragma once

#include <functional>
#include <string>

#include "turboci/time.hpp"

namespace turboci {

/// What a call does while others keep it from going on: a writer that has the lock, a program that reads the
/// file, a server that is away. When it is over the call throws LOCKED.
struct Wait {
    Duration at_most = std::chrono::seconds(10);  ///< on a steady clock; zero: one try
    /// Called once when a lock has been waited for longer than 1 s; gets who holds it, as far as is known.
    std::function<void(const std::string& holder)> on_wait = {};
    /// Asked before each pause, from the waiting thread; true ends the wait at once. Must not throw.
    std::function<bool()> give_up = {};
};

}  // namespace turboci
