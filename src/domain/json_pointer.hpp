// SPDX-License-Identifier: Apache-2.0
// One value within a JSON text. Source of the pointers: RFC 6901.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace turboci {

/// Why `pointer` is no JSON pointer, as a clause; nullopt if it is one. "" is the whole value.
[[nodiscard]] std::optional<std::string> json_pointer_problem(std::string_view pointer);
/// The value that a valid pointer leads to, as JSON text; nullopt if there is none.
[[nodiscard]] std::optional<std::string> find_json_value(std::string_view json, std::string_view pointer);
/// Are two JSON texts the same value, whatever the order of keys? 1 and 1.0 are.
[[nodiscard]] bool same_json_value(std::string_view a, std::string_view b);

}  // namespace turboci
