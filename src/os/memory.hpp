// SPDX-License-Identifier: Apache-2.0
// Memory that takes few page faults: the first touch of a page can take longer than what is done with it.
#pragma once

#include <cstddef>

namespace turboci {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks the kernel to have `size` bytes at `memory`, which nobody has touched yet, in huge pages, as far as
/// they fill such pages. Where the kernel has none, everything is as it would be without.
void prefer_huge_pages(void* memory, std::size_t size) noexcept;

/// From now on, what is freed in pieces of at most 32 MiB stays with the process for its next allocations
/// (glibc would give larger ones back and fetch them anew; elsewhere nothing happens). For a program that
/// ends soon, or whose need stays the same; to be called before there are threads.
void keep_freed_memory() noexcept;

}  // namespace turboci
