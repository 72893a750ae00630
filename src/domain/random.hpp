// SPDX-License-Identifier: Apache-2.0
// Random numbers from the system.
#pragma once

#include <cstdint>

namespace turboci {

/// 64 bits that nobody can foresee. Not std::random_device, which asks the processor what it can do each time
/// that one is made: where a hypervisor answers for it, that takes longer than a small write computes.
[[nodiscard]] std::uint64_t random_bits() noexcept;

}  // namespace turboci
