// SPDX-License-Identifier: Apache-2.0
#include "domain/random.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

namespace turboci {

std::uint64_t random_bits() noexcept {
    std::uint64_t bits = 0;
    // So few bytes cannot fail, except on a kernel without the call (Linux before 3.17).
    if (::getentropy(&bits, sizeof bits) != 0) std::abort();
    return bits;
}

std::string new_identity() { return fmt::format("{:016x}{:016x}", random_bits(), random_bits()); }

}  // namespace turboci
