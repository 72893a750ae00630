// SPDX-License-Identifier: Apache-2.0
// Random numbers from the system.
#pragma once

#include <cstdint>
#include <string>

namespace turboci {

/// 64 bits that nobody can foresee. Not std::random_device, which asks the processor what it can do each time
/// that one is made: where a hypervisor answers for it, that takes longer than a small write computes.
[[nodiscard]] std::uint64_t random_bits() noexcept;

/// 128 random bits as 32 hexadecimal digits: a name that nothing else has.
[[nodiscard]] std::string new_identity();

}  // namespace turboci
