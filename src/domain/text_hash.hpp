// SPDX-License-Identifier: Apache-2.0
// Hashing of names that come from strangers.
#pragma once

#include <cstdint>
#include <string_view>

namespace turboci {

/// Keyed with a secret of the process, so that nobody can choose names that collide. Good in all bits.
[[nodiscard]] std::uint64_t hash_text(std::string_view text) noexcept;

}  // namespace turboci
