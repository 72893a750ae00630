// SPDX-License-Identifier: Apache-2.0
#include "domain/random.hpp"

#include <unistd.h>

#include <cstdlib>

namespace turboci {

std::uint64_t random_bits() noexcept {
    std::uint64_t bits = 0;
    // So few bytes cannot fail, except on a kernel without the call (Linux before 3.17).
    if (::getentropy(&bits, sizeof bits) != 0) std::abort();
    return bits;
}

}  // namespace turboci
