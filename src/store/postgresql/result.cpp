// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/result.hpp"

#include <fmt/core.h>

#include <limits>

#include "domain/stored_values.hpp"
#include "turboci/json_text.hpp"

namespace turboci::postgresql {

void Row::bad_column(int column) const {
    throw_damaged(fmt::format("a value of column '{}' makes no sense", PQfname(result_, column)));
}

std::int64_t Row::integer(int column) const {
    const int length = PQgetlength(result_, row_, column);
    if (is_null(column) || (length != 1 && length != 2 && length != 4 && length != 8)) bad_column(column);
    const char* const bytes = PQgetvalue(result_, row_, column);
    std::uint64_t bits = bytes[0] < 0 ? ~std::uint64_t{0} : 0;  // the sign goes on to the left
    for (int i = 0; i < length; ++i) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<std::int64_t>(bits);
}

std::int32_t Row::small(int column) const {
    const std::int64_t value = integer(column);
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
        bad_column(column);
    return static_cast<std::int32_t>(value);
}

std::int32_t Row::index(int column) const {
    const std::int32_t value = small(column);
    if (value < 0) bad_column(column);
    return value;
}

bool Row::boolean(int column) const {
    const std::int64_t value = integer(column);
    if (value != 0 && value != 1) bad_column(column);
    return value == 1;
}

std::string_view Row::text(int column) const {
    if (is_null(column)) bad_column(column);
    return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::span<const std::byte> Row::blob(int column) const { return std::as_bytes(std::span(text(column))); }

std::string_view Row::object(int column) const {
    const std::string_view value = text(column);
    if (!is_json_object(value)) bad_column(column);
    return value;
}

}  // namespace turboci::postgresql
