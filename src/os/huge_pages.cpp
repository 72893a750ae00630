// SPDX-License-Identifier: Apache-2.0
#include "os/huge_pages.hpp"

#include <sys/mman.h>

#include <memory>

namespace turboci {

void prefer_huge_pages(void* memory, std::size_t size) noexcept {
    if (std::align(kHugePage, kHugePage, memory, size) == nullptr) return;
    ::madvise(memory, size / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: failing is no error
}

}  // namespace turboci
