// SPDX-License-Identifier: Apache-2.0
// How much work a piece of code does, whatever the machine.
#pragma once

#include <cstdint>

namespace turboci::test {

/// Branches taken in our own code, words that were copied or compared, and SQLite's instructions, so far.
[[nodiscard]] std::uint64_t steps() noexcept;

}  // namespace turboci::test
