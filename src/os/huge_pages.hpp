// SPDX-License-Identifier: Apache-2.0
// Large memory that takes few page faults.
#pragma once

#include <cstddef>

namespace turboci {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks the kernel to have `size` bytes at `memory`, which nobody has touched yet, in huge pages, as far as
/// they fill such pages. The first touch of a small page can take longer than what is done with it. Where the
/// kernel has none, everything is as it would be without.
void prefer_huge_pages(void* memory, std::size_t size) noexcept;

}  // namespace turboci
