// SPDX-License-Identifier: Apache-2.0
// What tests do with packed lists that the product never does.
#pragma once

#include <vector>

#include "turboci/packed_list.hpp"

namespace turboci {

template <class T>
std::vector<T> unpacked(const PackedList<T>& list) {
    std::vector<T> values;
    for (const T& value : list) values.push_back(value);
    return values;
}

template <class T>
PackedList<T> packed(const std::vector<T>& values) {
    PackedList<T> list;
    for (const T& value : values) list.push_back(value);
    return list;
}

/// Calls `how` with the value at `index`, which it may change.
template <class T, class How>
void change(PackedList<T>& list, std::size_t index, How&& how) {
    auto values = unpacked(list);
    how(values.at(index));
    list = packed(values);
}

}  // namespace turboci
