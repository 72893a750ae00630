// SPDX-License-Identifier: Apache-2.0
#include "format/key_set.hpp"

#include <cstring>
#include <random>

namespace turboci {

namespace {

__extension__ typedef unsigned __int128 Wide;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Keys come from strangers: without a secret they could be chosen to collide.
std::uint64_t secret() {
    static const std::uint64_t value = [] {
        std::random_device device;
        return ((std::uint64_t{device()} << 32) ^ device()) | 1;
    }();
    return value;
}

}  // namespace

std::uint64_t KeySet::hash(std::string_view key) noexcept {
    std::uint64_t h = secret() ^ key.size();
    while (!key.empty()) {
        std::uint64_t word = 0;
        const std::size_t n = key.size() < 8 ? key.size() : 8;
        std::memcpy(&word, key.data(), n);
        h = fold(h ^ word, 0x9E3779B97F4A7C15u) ^ secret();
        key.remove_prefix(n);
    }
    return fold(h, secret());
}

bool KeySet::same(const Entry& entry, std::string_view key, std::uint64_t hash) const noexcept {
    return entry.hash == hash && std::string_view(text_).substr(entry.offset, entry.length) == key;
}

std::size_t KeySet::find(std::string_view key, std::uint64_t hash) const noexcept {
    if (slots_.empty()) {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (same(entries_[i], key, hash)) return i;
        return kNone;
    }
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask)
        if (same(entries_[slots_[at] - 1], key, hash)) return slots_[at] - 1;
    return kNone;
}

void KeySet::rebuild(std::size_t slots) {
    slots_.assign(slots, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        std::size_t at = entries_[i].hash & (slots - 1);
        while (slots_[at] != 0) at = (at + 1) & (slots - 1);
        slots_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

bool KeySet::insert(std::string_view key) {
    const std::uint64_t h = hash(key);
    if (find(key, h) != kNone) return false;
    entries_.push_back({h, text_.size(), key.size()});
    text_ += key;
    if (entries_.size() > kLinear && entries_.size() * 2 > slots_.size()) {
        rebuild(slots_.empty() ? 64 : slots_.size() * 2);
    } else if (!slots_.empty()) {
        std::size_t at = h & (slots_.size() - 1);
        while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = static_cast<std::uint32_t>(entries_.size());
    }
    return true;
}

void KeySet::clear() noexcept {
    text_.clear();
    entries_.clear();
    slots_.clear();
}

}  // namespace turboci
