// SPDX-License-Identifier: Apache-2.0
// The keys of one map, to find duplicates. Cheap for small maps and sound for hostile large ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/text_hash.hpp"

namespace turboci {

class KeySet {
public:
    /// False if `key` was there already.
    bool insert(std::string_view key);
    [[nodiscard]] bool contains(std::string_view key) const { return find(key, hash_of(key)) != kNone; }
    /// Makes room for so many.
    void reserve(std::size_t keys);
    /// Empty again; keeps its memory.
    void clear() noexcept;

private:
    struct Entry {
        std::uint64_t hash;  ///< 0 as long as there is no table
        std::size_t offset;
        std::size_t length;
    };
    static constexpr std::size_t kNone = ~std::size_t{0};
    static constexpr std::size_t kLinear = 12;  ///< up to here a walk is faster than a table

    /// Few keys are told apart by their length and first bytes sooner than they are hashed.
    [[nodiscard]] std::uint64_t hash_of(std::string_view key) const noexcept {
        return slots_.empty() ? 0 : hash_text(key);
    }
    [[nodiscard]] std::string_view text_of(const Entry& entry) const noexcept {
        return std::string_view(text_).substr(entry.offset, entry.length);
    }
    [[nodiscard]] std::size_t find(std::string_view key, std::uint64_t hash) const noexcept;
    [[nodiscard]] bool same(const Entry& entry, std::string_view key, std::uint64_t hash) const noexcept;
    void rebuild(std::size_t slots);

    std::string text_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  ///< entry number + 1; a power of two; empty while small
};

}  // namespace turboci
