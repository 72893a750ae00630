// SPDX-License-Identifier: Apache-2.0
// Conditions, uses, limits and retry policies as JSON, the way in which they stand in files and stores.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "turboci/stage.hpp"
#include "turboci/work_plan.hpp"

namespace turboci {

[[nodiscard]] std::string to_json(const std::vector<Condition>& condition);  ///< a list of objects
[[nodiscard]] std::string to_json(const std::vector<Use>& uses);             ///< {"gpu":1}
[[nodiscard]] std::string to_json(const std::vector<Limit>& limits);         ///< {"gpu":2}
[[nodiscard]] std::string to_json(const RetryOn& on);                        ///< ["failed",{"exit":[72]}]

/// What a JSON text says, or what is wrong with it (one clause that begins with the name of the member).
template <class T>
using Parsed = std::variant<T, std::string>;
/// An object, or a list of them: {"check","path"} with one of "equals", "not_equals", "exists".
[[nodiscard]] Parsed<std::vector<Condition>> parse_condition(std::string_view json);
/// A list of names, or an object of counts. Sorted by name.
[[nodiscard]] Parsed<std::vector<Use>> parse_uses(std::string_view json);
/// An object of counts. Sorted by name.
[[nodiscard]] Parsed<std::vector<Limit>> parse_limits(std::string_view json);
[[nodiscard]] Parsed<RetryOn> parse_retry_on(std::string_view json);

}  // namespace turboci
