// SPDX-License-Identifier: Apache-2.0
#include "os/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <memory>

namespace turboci {

void prefer_huge_pages(void* memory, std::size_t size) noexcept {
    if (std::align(kHugePage, kHugePage, memory, size) == nullptr) return;
    ::madvise(memory, size / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: failing is no error
}

void keep_freed_memory() noexcept {
#ifdef __GLIBC__
    constexpr int kMost = 32 << 20;  // glibc's own limit for what need not be mapped by itself
    ::mallopt(M_MMAP_THRESHOLD, kMost);
    ::mallopt(M_TRIM_THRESHOLD, kMost);
#endif
}

}  // namespace turboci
