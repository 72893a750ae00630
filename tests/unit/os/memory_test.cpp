// SPDX-License-Identifier: Apache-2.0
#include "os/memory.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "support/catch.hpp"

using namespace turboci;

namespace {

long page_faults() {
    rusage usage{};
    REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

long faults_to_fill(std::size_t size) {
    const long before = page_faults();
    const auto bytes = std::make_unique_for_overwrite<char[]>(size);
    std::fill_n(bytes.get(), size, 'x');
    CHECK(std::count(bytes.get(), bytes.get() + size, 'x') == static_cast<std::ptrdiff_t>(size));
    return page_faults() - before;
}

}  // namespace

TEST_CASE("memory of any place and size can be wished to be in huge pages") {
    constexpr std::size_t kSize = 3 * kHugePage;
    const auto bytes = std::make_unique_for_overwrite<char[]>(kSize);
    for (const std::size_t begin : {std::size_t{0}, std::size_t{1}, kHugePage - 1, kSize})
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kHugePage, kSize})
            if (begin + size <= kSize) prefer_huge_pages(bytes.get() + begin, size);
    std::fill_n(bytes.get(), kSize, 'x');
    CHECK(std::count(bytes.get(), bytes.get() + kSize, 'x') == static_cast<std::ptrdiff_t>(kSize));
}

#ifdef __GLIBC__
TEST_CASE("freed memory is kept for what comes next") {
    keep_freed_memory();
    constexpr std::size_t kSize = std::size_t{8} << 20;
    if (::mallinfo2().arena == 0) return;  // a sanitizer's allocator, which has rules of its own
    faults_to_fill(kSize);
    // A page has 4 KiB, or more.
    CHECK(faults_to_fill(kSize) < static_cast<long>(kSize / 4096 / 10));
}
#endif
