// SPDX-License-Identifier: Apache-2.0
// Text of others within a message of ours.
#pragma once

#include <string>
#include <string_view>

namespace turboci {

/// 'text' on one line for a message: control characters escaped, cut if it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace turboci
