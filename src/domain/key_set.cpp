// SPDX-License-Identifier: Apache-2.0
#include "domain/key_set.hpp"

namespace turboci {

bool KeySet::same(const Entry& entry, std::string_view key, std::uint64_t hash) const noexcept {
    return entry.hash == hash && text_of(entry) == key;
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
    const bool hashed = !slots_.empty();
    slots_.assign(slots, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (!hashed) entries_[i].hash = hash_text(text_of(entries_[i]));
        std::size_t at = entries_[i].hash & (slots - 1);
        while (slots_[at] != 0) at = (at + 1) & (slots - 1);
        slots_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

void KeySet::reserve(std::size_t keys) {
    entries_.reserve(keys);
    std::size_t slots = slots_.empty() ? 64 : slots_.size();
    while (slots < keys * 2) slots *= 2;
    if (keys > kLinear && slots > slots_.size()) rebuild(slots);
}

bool KeySet::insert(std::string_view key) {
    const std::uint64_t h = hash_of(key);
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
