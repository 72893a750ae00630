// SPDX-License-Identifier: Apache-2.0
// JSON values whose objects keep the order of their keys and find a key in a time that does not hang on how
// many there are. nlohmann::ordered_json walks through all of them for each: a large object takes for ever.
#pragma once

#include <functional>
#include <iterator>
#include <list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "domain/text_hash.hpp"

namespace turboci {

/// Not std::hash: keys are hostile, and nobody shall be able to choose many that collide.
struct KeyHash {
    std::size_t operator()(std::string_view key) const noexcept { return hash_text(key); }
};

/// What nlohmann::basic_json wants of an object. The list keeps the order, and its members stay where they
/// are, so that the index may point at them; few members need no index.
template <class Key, class T, class Compare, class Allocator>
class IndexedMap {
public:
    using key_type = Key;
    using mapped_type = T;
    using value_type = std::pair<const Key, T>;
    using key_compare = std::less<>;
    using allocator_type = Allocator;
    using iterator = typename std::list<value_type>::iterator;
    using const_iterator = typename std::list<value_type>::const_iterator;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = value_type&;
    using const_reference = const value_type&;

    IndexedMap() = default;
    template <class It>
    IndexedMap(It first, It last) {
        insert(first, last);
    }
    IndexedMap(const IndexedMap& other) { insert(other.begin(), other.end()); }
    IndexedMap(IndexedMap&& other) noexcept
        : items_(std::exchange(other.items_, {})), index_(std::exchange(other.index_, {})) {}
    IndexedMap& operator=(IndexedMap other) noexcept {
        items_.swap(other.items_);
        index_.swap(other.index_);
        return *this;
    }
    ~IndexedMap() = default;

    iterator begin() noexcept { return items_.begin(); }
    iterator end() noexcept { return items_.end(); }
    const_iterator begin() const noexcept { return items_.begin(); }
    const_iterator end() const noexcept { return items_.end(); }
    const_iterator cbegin() const noexcept { return items_.begin(); }
    const_iterator cend() const noexcept { return items_.end(); }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] size_type size() const noexcept { return items_.size(); }
    [[nodiscard]] size_type max_size() const noexcept { return items_.max_size(); }
    void clear() noexcept {
        index_.clear();
        items_.clear();
    }

    iterator find(std::string_view key) { return find_in(*this, key); }
    const_iterator find(std::string_view key) const { return find_in(*this, key); }
    [[nodiscard]] size_type count(std::string_view key) const { return find(key) == end() ? 0 : 1; }
    T& at(std::string_view key) { return at_in(*this, key); }
    const T& at(std::string_view key) const { return at_in(*this, key); }
    template <class AnyKey>
    T& operator[](AnyKey&& key) {
        return emplace(std::forward<AnyKey>(key), T{}).first->second;
    }

    template <class AnyKey, class Value>
    std::pair<iterator, bool> emplace(AnyKey&& key, Value&& value) {
        if (const auto it = find(key); it != end()) return {it, false};
        items_.emplace_back(std::forward<AnyKey>(key), std::forward<Value>(value));
        const auto last = std::prev(items_.end());
        if (!index_.empty()) {
            index_.emplace(last->first, last);
        } else if (items_.size() > kLinear) {
            for (auto it = items_.begin(); it != items_.end(); ++it) index_.emplace(it->first, it);
        }
        return {last, true};
    }
    std::pair<iterator, bool> insert(const value_type& value) { return emplace(value.first, value.second); }
    template <class It>
    void insert(It first, It last) {
        for (; first != last; ++first) emplace(first->first, first->second);
    }
    iterator erase(const_iterator at) {
        if (!index_.empty()) index_.erase(at->first);
        return items_.erase(at);
    }
    iterator erase(const_iterator first, const_iterator last) {
        while (first != last) first = erase(first);
        return items_.erase(last, last);
    }
    size_type erase(std::string_view key) {
        const auto it = find(key);
        if (it == end()) return 0;
        erase(it);
        return 1;
    }
    bool operator==(const IndexedMap& other) const { return items_ == other.items_; }
    bool operator<(const IndexedMap& other) const { return items_ < other.items_; }

private:
    static constexpr size_type kLinear = 16;

    template <class Map>
    static auto find_in(Map& map, std::string_view key) -> decltype(map.begin()) {
        if (!map.index_.empty()) {
            const auto found = map.index_.find(key);
            return found == map.index_.end() ? map.end() : decltype(map.begin())(found->second);
        }
        auto it = map.begin();
        while (it != map.end() && it->first != key) ++it;
        return it;
    }
    template <class Map>
    static auto& at_in(Map& map, std::string_view key) {
        const auto it = map.find(key);
        if (it == map.end()) throw std::out_of_range("key not found");
        return it->second;
    }

    std::list<value_type> items_;
    std::unordered_map<std::string_view, iterator, KeyHash> index_;  ///< empty while there are few
};

using OrderedJson = nlohmann::basic_json<IndexedMap>;

}  // namespace turboci
