// SPDX-License-Identifier: Apache-2.0
// A list of values kept as the bytes that they consist of: for a million of them, of which each would be
// mostly room for what it does not have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turboci {

/// How a T, which has an id, becomes bytes:
///   static void pack(const T& value, std::string& bytes);         appends
///   static void unpack(const char* bytes, T& value);              into a value that keeps its memory
///   static void unpack_head(const char* bytes, T& value);         a part that comes first; empties the rest
///   static std::string_view id(const char* bytes);
template <class T>
struct Packing;

/// Values are appended, read, each as often as wanted, and replaced.
template <class T>
class PackedList {
public:
    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool empty() const noexcept { return places_.empty(); }

    void push_back(const T& value) { places_.push_back(keep(value)); }
    /// What was in the place stays in memory.
    void set(std::size_t index, const T& value) { places_[index] = keep(value); }
    /// Appends all of `other`, which is empty afterwards.
    void append(PackedList&& other) {
        if (empty()) {
            *this = std::move(other);
        } else {
            const auto first = static_cast<std::uint32_t>(blocks_.size());
            std::move(other.blocks_.begin(), other.blocks_.end(), std::back_inserter(blocks_));
            for (const Place place : other.places_) places_.push_back({first + place.block, place.offset});
        }
        other = {};
    }

    /// The value at `index`, into one that is used again and again and keeps its memory.
    void read(std::size_t index, T& value) const { Packing<T>::unpack(bytes(index), value); }
    /// Its head alone; the rest of `value` is emptied.
    void read_head(std::size_t index, T& value) const { Packing<T>::unpack_head(bytes(index), value); }
    /// Stays where it is for as long as the list, or one that it was moved or appended to, lives.
    [[nodiscard]] std::string_view id(std::size_t index) const { return Packing<T>::id(bytes(index)); }

private:
    using Block = std::vector<char>;
    struct Place {
        std::uint32_t block, offset;
    };
    Place keep(const T& value) {
        packed_.clear();
        Packing<T>::pack(value, packed_);
        Block& block = block_for(packed_.size());
        const Place place{static_cast<std::uint32_t>(blocks_.size() - 1),
                          static_cast<std::uint32_t>(block.size())};
        block.insert(block.end(), packed_.begin(), packed_.end());
        if (packed_.capacity() > kLargestBlock) packed_ = {};
        return place;
    }

    static constexpr std::size_t kFirstBlock = 512, kLargestBlock = std::size_t{1} << 20;

    [[nodiscard]] const char* bytes(std::size_t index) const {
        const Place place = places_[index];
        return blocks_[place.block].data() + place.offset;
    }
    /// One with so much room that it stays where it is.
    Block& block_for(std::size_t size) {
        if (!blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= size)
            return blocks_.back();
        const std::size_t twice = blocks_.empty() ? kFirstBlock : 2 * blocks_.back().capacity();
        Block block;
        block.reserve(std::max(size, std::min(twice, kLargestBlock)));
        return blocks_.emplace_back(std::move(block));
    }

    std::vector<Block> blocks_;
    std::deque<Place> places_;
    std::string packed_;  ///< the one that is being appended
};

}  // namespace turboci
