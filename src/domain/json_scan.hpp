// SPDX-License-Identifier: Apache-2.0
// A quick look at JSON text.
#pragma once

#include <string_view>

namespace turboci {

/// Is `text` surely one JSON object? True only if it is. False also for what is rare and takes a parser to
/// judge: escapes by code point, deep nesting, numbers with an exponent or very many digits.
[[nodiscard]] bool is_plain_json_object(std::string_view text) noexcept;

}  // namespace turboci
