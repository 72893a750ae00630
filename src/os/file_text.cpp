// SPDX-License-Identifier: Apache-2.0
#include "os/file_text.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "os/memory.hpp"

namespace turboci {

std::span<char> FileText::room(std::size_t least) {
    if (capacity_ - size_ < least) {
        std::size_t capacity = std::max(size_ + least, capacity_ + capacity_ / 2);
        const bool huge = capacity >= 2 * kHugePage;
        if (huge) capacity = (capacity + kHugePage - 1) / kHugePage * kHugePage;
        decltype(bytes_) bytes(
            static_cast<char*>(huge ? std::aligned_alloc(kHugePage, capacity) : std::malloc(capacity)));
        if (!bytes) throw std::bad_alloc();
        if (huge) prefer_huge_pages(bytes.get(), capacity);
        if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }
    return {bytes_.get() + size_, capacity_ - size_};
}

}  // namespace turboci
