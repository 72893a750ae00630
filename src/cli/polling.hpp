// SPDX-License-Identifier: Apache-2.0
// How often a command looks whether another process has written.
#pragma once

#include <chrono>

namespace turboci::cli {

/// The pauses double from the first to the longest; news start them anew.
inline constexpr std::chrono::milliseconds kFirstPause{20};
inline constexpr std::chrono::milliseconds kLongestPause{250};

}  // namespace turboci::cli
