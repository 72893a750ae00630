// SPDX-License-Identifier: Apache-2.0
// What a statement returned: rows of binary values, checked when they are read.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "turboci/store.hpp"

namespace turboci::postgresql {

struct FreeResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, FreeResult>;

/// One row. Texts and bytes live as long as the Result. A value in a range that turboci never wrote is STORE
/// "the store is damaged".
class Row {
public:
    Row(const PGresult* result, int row) : result_(result), row_(row) {}
    [[nodiscard]] bool is_null(int column) const { return PQgetisnull(result_, row_, column) != 0; }
    /// Of any width; a boolean is 0 or 1.
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::int32_t small(int column) const;
    [[nodiscard]] std::int32_t index(int column) const;  ///< from 0 on
    [[nodiscard]] bool boolean(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::span<const std::byte> blob(int column) const;
    [[nodiscard]] std::string_view object(int column) const;  ///< JSON
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
            bad_column(column);
        return static_cast<E>(value);
    }

private:
    [[noreturn]] void bad_column(int column) const;

    const PGresult* result_;
    int row_;
};

class Result {
public:
    explicit Result(ResultPointer result) : result_(std::move(result)) {}
    [[nodiscard]] int rows() const { return PQntuples(result_.get()); }
    [[nodiscard]] bool empty() const { return rows() == 0; }
    [[nodiscard]] Row row(int index) const { return {result_.get(), index}; }
    template <class Visit>
    void each(const Visit& visit) const {
        for (int i = 0; i < rows(); ++i) visit(row(i));
    }

private:
    ResultPointer result_;
};

}  // namespace turboci::postgresql
