// SPDX-License-Identifier: Apache-2.0
// The values of a row, checked.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "turboci/json_text.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// What can be asked of a row, wherever it is: Row has number(), type(), bytes_of_text() and bytes_of_blob()
/// of a column, and bad_column(), which throws. Texts and blobs are valid until the next row. A value of a
/// type or in a range that turboci never wrote is STORE "the store is damaged".
template <class Row>
class Columns {
public:
    [[nodiscard]] bool is_null(int column) const { return row().type(column) == SQLITE_NULL; }
    [[nodiscard]] std::int64_t integer(int column) const {
        const std::int64_t value = row().number(column);
        // What is not a number reads as 0; asking for the type of every value would cost as much as the
        // value.
        if (value == 0 && row().type(column) != SQLITE_INTEGER) row().bad_column(column);
        return value;
    }
    [[nodiscard]] std::int32_t small(int column) const {
        const std::int64_t value = integer(column);
        if (value < std::numeric_limits<std::int32_t>::min() ||
            value > std::numeric_limits<std::int32_t>::max())
            row().bad_column(column);
        return static_cast<std::int32_t>(value);
    }
    /// From 0 on.
    [[nodiscard]] std::int32_t index(int column) const {
        const std::int32_t value = small(column);
        if (value < 0) row().bad_column(column);
        return value;
    }
    [[nodiscard]] bool boolean(int column) const {
        const std::int64_t value = integer(column);
        if (value != 0 && value != 1) row().bad_column(column);
        return value == 1;
    }
    [[nodiscard]] std::string_view text(int column) const { return row().bytes_of_text(column); }
    [[nodiscard]] std::span<const std::byte> blob(int column) const {
        if (row().type(column) != SQLITE_BLOB) row().bad_column(column);
        return row().bytes_of_blob(column);
    }
    /// A JSON object.
    [[nodiscard]] std::string_view object(int column) const {
        const std::string_view value = text(column);
        if (!is_json_object(value)) row().bad_column(column);
        return value;
    }
    [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
    [[nodiscard]] Timestamp time(int column) const { return Timestamp(Duration(integer(column))); }
    [[nodiscard]] std::optional<Timestamp> maybe_time(int column) const {
        return is_null(column) ? std::nullopt : std::optional(time(column));
    }
    [[nodiscard]] std::optional<Duration> maybe_duration(int column) const {
        return is_null(column) ? std::nullopt : std::optional(Duration(integer(column)));
    }
    [[nodiscard]] std::optional<std::string> maybe_string(int column) const {
        return is_null(column) ? std::nullopt : std::optional(string(column));
    }
    [[nodiscard]] NodeKey node(int column) const { return NodeKey{integer(column)}; }
    [[nodiscard]] PlanKey plan(int column) const { return PlanKey{integer(column)}; }
    /// An enumeration whose values are first, first + step … last.
    template <class E>
    [[nodiscard]] E enumeration(int column, E first, E last, int step_size = 1) const {
        const std::int64_t value = integer(column);
        const auto low = static_cast<std::int64_t>(first);
        if (value < low || value > static_cast<std::int64_t>(last) || (value - low) % step_size != 0)
            row().bad_column(column);
        return static_cast<E>(value);
    }

private:
    [[nodiscard]] const Row& row() const noexcept { return static_cast<const Row&>(*this); }
};

}  // namespace turboci::sqlite
