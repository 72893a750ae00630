// SPDX-License-Identifier: Apache-2.0
// Checks and stages of a request as bytes.
#pragma once

#include <string>
#include <string_view>

#include "domain/packed_list.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// The head is all but dependencies and results.
template <>
struct Packing<CheckWrite> {
    static void pack(const CheckWrite& write, std::string& bytes);
    static void unpack(const char* bytes, CheckWrite& write);
    static void unpack_head(const char* bytes, CheckWrite& write);
    [[nodiscard]] static std::string_view id(const char* bytes);
};
/// The head is all but dependencies, assignments, continuation group and attempt.
template <>
struct Packing<StageWrite> {
    static void pack(const StageWrite& write, std::string& bytes);
    static void unpack(const char* bytes, StageWrite& write);
    static void unpack_head(const char* bytes, StageWrite& write);
    [[nodiscard]] static std::string_view id(const char* bytes);
};

}  // namespace turboci
