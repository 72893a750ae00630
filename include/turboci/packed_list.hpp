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

/// Values are appended and read, each as often as wanted, but not changed.
template <class T>
class PackedList {
public:
    using value_type = T;

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool empty() const noexcept { return places_.empty(); }

    void push_back(const T& value) {
        packed_.clear();
        Packing<T>::pack(value, packed_);
        Block& block = block_for(packed_.size());
        places_.push_back(
            {static_cast<std::uint32_t>(blocks_.size() - 1), static_cast<std::uint32_t>(block.size())});
        block.insert(block.end(), packed_.begin(), packed_.end());
        if (packed_.capacity() > kLargestBlock) packed_ = {};
    }
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

    [[nodiscard]] T operator[](std::size_t index) const {
        T value;
        read(index, value);
        return value;
    }
    [[nodiscard]] T at(std::size_t index) const {
        if (index >= size()) throw std::out_of_range("PackedList");
        return (*this)[index];
    }

    /// Has one value at a time, which the next one replaces.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = const T*;
        using reference = const T&;
        Iterator() = default;
        Iterator(const PackedList& list, std::size_t index) : list_(&list), index_(index) { load(); }
        [[nodiscard]] const T& operator*() const noexcept { return value_; }
        [[nodiscard]] const T* operator->() const noexcept { return &value_; }
        Iterator& operator++() {
            ++index_;
            load();
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

    private:
        void load() {
            if (index_ < list_->size()) list_->read(index_, value_);
        }
        const PackedList* list_ = nullptr;
        std::size_t index_ = 0;
        T value_;
    };
    [[nodiscard]] Iterator begin() const { return {*this, 0}; }
    [[nodiscard]] Iterator end() const { return {*this, size()}; }

private:
    using Block = std::vector<char>;
    struct Place {
        std::uint32_t block, offset;
    };
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
