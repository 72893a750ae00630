// SPDX-License-Identifier: Apache-2.0
// The parameters of a statement in PostgreSQL's binary form: values, and columns of rows as arrays. Values
// never stand in the text of a statement, which the server may log.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci::postgresql {

/// Types as the server numbers them: of a value, and of an array of such.
struct Type {
    std::uint32_t value = 0, array = 0;
};
inline constexpr Type kBool{16, 1000}, kBytes{17, 1001}, kInteger{20, 1016}, kText{25, 1009};

template <class T>
struct TypeOf;
template <class T>
requires std::integral<T> || std::is_enum_v<T>
struct TypeOf<T> {
    static constexpr Type kType = std::same_as<T, bool> ? kBool : kInteger;
};
template <>
struct TypeOf<Timestamp> {
    static constexpr Type kType = kInteger;
};
template <>
struct TypeOf<Duration> {
    static constexpr Type kType = kInteger;
};
template <>
struct TypeOf<std::string> {
    static constexpr Type kType = kText;
};
template <>
struct TypeOf<std::string_view> {
    static constexpr Type kType = kText;
};
template <>
struct TypeOf<std::span<const std::byte>> {
    static constexpr Type kType = kBytes;
};
template <class T>
struct TypeOf<std::optional<T>> : TypeOf<T> {};

// Each appends the bytes of a value.
template <std::integral T>
void append_number(std::string& to, T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (int shift = static_cast<int>(sizeof bits) * 8 - 8; shift >= 0; shift -= 8)
        to += static_cast<char>(bits >> shift & 0xFF);
}
inline void append_value(std::string& to, bool value) { to += value ? '\1' : '\0'; }
template <class T>
requires std::integral<T> || std::is_enum_v<T>
void append_value(std::string& to, T value) { append_number(to, static_cast<std::int64_t>(value)); }
inline void append_value(std::string& to, Duration value) { append_number(to, std::int64_t{value.count()}); }
inline void append_value(std::string& to, Timestamp value) { append_value(to, value.time_since_epoch()); }
inline void append_value(std::string& to, std::string_view value) { to += value; }
inline void append_value(std::string& to, std::span<const std::byte> value) {
    to.append(reinterpret_cast<const char*>(value.data()), value.size());
}

/// One column of some rows. All elements are of one type.
class Array {
public:
    Array() : bytes_(kHeader, '\0') {}
    template <class T>
    void add(const T& value) {
        type_ = TypeOf<T>::kType;
        ++count_;
        const std::size_t begin = bytes_.size();
        bytes_.append(4, '\0');
        append_value(bytes_, value);
        put_length(begin, static_cast<std::int32_t>(bytes_.size() - begin - 4));
    }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value) return add(*value);
        type_ = TypeOf<T>::kType;
        ++count_;
        has_null_ = true;
        append_number(bytes_, std::int32_t{-1});
    }
    [[nodiscard]] std::int32_t count() const { return count_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] Type type() const { return type_; }
    /// The whole value; the array is empty afterwards.
    [[nodiscard]] std::string take();

private:
    static constexpr std::size_t kHeader = 20;
    void put_length(std::size_t at, std::int32_t length);

    std::string bytes_;
    Type type_ = kInteger;
    std::int32_t count_ = 0;
    bool has_null_ = false;
};

/// $1, $2 …
class Parameters {
public:
    Parameters() = default;
    template <class... Values>
    explicit Parameters(const Values&... values) {
        (add(values), ...);
    }
    template <class T>
    void add(const T& value) {
        types_.push_back(TypeOf<T>::kType.value);
        append_value(values_.emplace_back(std::string()).value(), value);
    }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value) return add(*value);
        types_.push_back(TypeOf<T>::kType.value);
        values_.emplace_back(std::nullopt);
    }
    void add_array(Array&& array) {
        types_.push_back(array.type().array);
        values_.emplace_back(array.take());
    }
    /// Those of `others` follow.
    void append(Parameters&& others);
    [[nodiscard]] std::size_t count() const { return values_.size(); }
    [[nodiscard]] const std::vector<std::uint32_t>& types() const { return types_; }
    [[nodiscard]] const std::vector<std::optional<std::string>>& values() const { return values_; }

private:
    std::vector<std::uint32_t> types_;
    std::vector<std::optional<std::string>> values_;
};

/// Rows as an array for each of their columns.
class RowArrays {
public:
    /// As many values, and of the same types, each time.
    template <class... Values>
    void add(const Values&... values) {
        columns_.resize(sizeof...(values));
        std::size_t at = 0;
        (columns_[at++].add(values), ...);
    }
    [[nodiscard]] bool empty() const { return columns_.empty(); }
    [[nodiscard]] std::size_t bytes() const;
    /// Empty afterwards.
    [[nodiscard]] Parameters take();

private:
    std::vector<Array> columns_;
};

}  // namespace turboci::postgresql
