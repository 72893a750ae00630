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
    [[nodiscard]] bool contains(std::string_view key) const { return find(key, hash_text(key)) != kNone; }
    /// Empty again; keeps its memory.
    void clear() noexcept;

private:
    struct Entry {
        std::uint64_t hash;
        std::size_t offset;
        std::size_t length;
    };
    static constexpr std::size_t kNone = ~std::size_t{0};
    static constexpr std::size_t kLinear = 12;  ///< up to here a walk is faster than a table

    [[nodiscard]] std::size_t find(std::string_view key, std::uint64_t hash) const noexcept;
    [[nodiscard]] bool same(const Entry& entry, std::string_view key, std::uint64_t hash) const noexcept;
    void rebuild(std::size_t slots);

    std::string text_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  ///< entry number + 1; a power of two; empty while small
};

}  // namespace turboci
