// SPDX-License-Identifier: Apache-2.0
// What SQLite is given: one rule for each C++ type, whichever way a value takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "turboci/node.hpp"

namespace turboci::sqlite {

/// A value to be stored. Text and blobs stay where they are.
struct Value {
    enum class Type : std::uint8_t { null, integer, text, blob };
    Type type = Type::null;
    std::int64_t integer = 0;
    const void* data = nullptr;  ///< of texts and blobs; never null there
    std::size_t size = 0;        ///< in bytes
};

inline Value to_value(std::nullopt_t) { return {}; }
inline Value to_value(std::string_view v) {
    // A null pointer would be NULL.
    return {Value::Type::text, 0, v.data() == nullptr ? "" : v.data(), v.size()};
}
inline Value to_value(const std::string& v) { return to_value(std::string_view(v)); }
inline Value to_value(std::string& v) { return to_value(std::string_view(v)); }
Value to_value(std::string&&) = delete;  // would dangle
inline Value to_value(std::span<const std::byte> v) {
    return {Value::Type::blob, 0, v.empty() ? static_cast<const void*>("") : v.data(), v.size()};
}
template <class T>
requires std::is_integral_v<T> Value to_value(T v) {
    return {Value::Type::integer, static_cast<std::int64_t>(v)};
}
template <class E>
requires std::is_enum_v<E> Value to_value(E v) {
    static_assert(!std::is_same_v<E, State>, "states are stored by state_number()");
    return to_value(static_cast<std::int64_t>(v));
}
inline Value to_value(Duration v) { return to_value(v.count()); }
inline Value to_value(Timestamp v) { return to_value(v.time_since_epoch()); }
template <class T>
Value to_value(const std::optional<T>& v) {
    return v ? to_value(*v) : Value{};
}

}  // namespace turboci::sqlite
