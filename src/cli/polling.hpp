// SPDX-License-Identifier: Apache-2.0
// How often a command looks whether another process has written, where the store cannot tell.
#pragma once

#include <chrono>

namespace turboci::cli {

inline constexpr std::chrono::milliseconds kLongestPause{250};

}  // namespace turboci::cli
