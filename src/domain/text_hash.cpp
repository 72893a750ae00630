// SPDX-License-Identifier: Apache-2.0
#include "domain/text_hash.hpp"

#include <cstring>
#include <random>

namespace turboci {

namespace {

__extension__ typedef unsigned __int128 Wide;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t secret() {
    static const std::uint64_t value = [] {
        std::random_device device;
        return ((std::uint64_t{device()} << 32) ^ device()) | 1;
    }();
    return value;
}

}  // namespace

std::uint64_t hash_text(std::string_view text) noexcept {
    std::uint64_t h = secret() ^ text.size();
    while (!text.empty()) {
        std::uint64_t word = 0;
        const std::size_t n = text.size() < 8 ? text.size() : 8;
        std::memcpy(&word, text.data(), n);
        h = fold(h ^ word, 0x9E3779B97F4A7C15u) ^ secret();
        text.remove_prefix(n);
    }
    return fold(h, secret());
}

}  // namespace turboci
