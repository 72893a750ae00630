// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/parameters.hpp"

#include <algorithm>
#include <iterator>

namespace turboci::postgresql {

void Array::put_length(std::size_t at, std::int32_t length) {
    const auto bits = static_cast<std::uint32_t>(length);
    for (std::size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<char>(bits >> (24 - 8 * i) & 0xFF);
}

std::string Array::take() {
    constexpr std::int32_t kFirstIndex = 1;
    put_length(0, count_ > 0 ? 1 : 0);  // dimensions
    put_length(4, has_null_ ? 1 : 0);
    put_length(8, static_cast<std::int32_t>(type_.value));
    put_length(12, count_);
    put_length(16, kFirstIndex);
    // An empty array has no dimension, nor the length of one.
    if (count_ == 0) bytes_.resize(12);
    return std::exchange(*this, Array()).bytes_;
}

void Parameters::append(Parameters&& others) {
    types_.insert(types_.end(), others.types_.begin(), others.types_.end());
    std::ranges::move(others.values_, std::back_inserter(values_));
}

std::size_t RowArrays::bytes() const {
    std::size_t sum = 0;
    for (const Array& column : columns_) sum += column.size();
    return sum;
}

Parameters RowArrays::take() {
    Parameters parameters;
    for (Array& column : columns_) parameters.add_array(std::move(column));
    columns_.clear();
    return parameters;
}

}  // namespace turboci::postgresql
