// SPDX-License-Identifier: Apache-2.0
// What tests do with lists of writes that the product never does.
#pragma once

#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

template <class T>
std::vector<T> unpacked(const WriteList<T>& list) {
    std::vector<T> values;
    for (const T& value : list) values.push_back(value);
    return values;
}

template <class T>
WriteList<T> packed(const std::vector<T>& values) {
    WriteList<T> list;
    for (const T& value : values) list.push_back(value);
    return list;
}

/// Calls `how` with the value at `index`, which it may change.
template <class T, class How>
void change(WriteList<T>& list, std::size_t index, How&& how) {
    T value = list.at(index);
    how(value);
    list.set(index, value);
}

}  // namespace turboci
