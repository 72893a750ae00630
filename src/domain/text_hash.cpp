// SPDX-License-Identifier: Apache-2.0
#include "domain/text_hash.hpp"

#include <cstring>

#include "domain/random.hpp"

namespace turboci {

namespace {

__extension__ typedef unsigned __int128 Wide;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t secret() {
    static const std::uint64_t value = random_bits() | 1;
    return value;
}

template <class Word>
Word load(const char* at) noexcept {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// One to seven bytes as a number, different for different bytes.
std::uint64_t last_bytes(const char* at, std::size_t count) noexcept {
    if (count >= 4) return load<std::uint32_t>(at) | std::uint64_t{load<std::uint32_t>(at + count - 4)} << 32;
    const auto byte = [at](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    return byte(0) | byte(count / 2) << 8 | byte(count - 1) << 16;
}

}  // namespace

std::uint64_t hash_text(std::string_view text) noexcept {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
    const std::uint64_t key = secret();
    std::uint64_t h = key;
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) h = fold(h ^ load<std::uint64_t>(at), kMultiplier) ^ key;
    if (left > 0) h = fold(h ^ last_bytes(at, left), kMultiplier) ^ key;
    // At the end, where what a byte of the text does to it is not known any more.
    return fold(h ^ text.size(), key);
}

}  // namespace turboci
