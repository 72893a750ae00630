// SPDX-License-Identifier: Apache-2.0
// Where the output of an attempt is, as JSON: {"path": P}, or {"bytes": N, "dropped": N} in the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "turboci/stage.hpp"

namespace turboci {

[[nodiscard]] std::string to_json(const LogPlace& log);
/// Of a log in the store its beginning and its end are kept, by whole parts: is this one still, when `total`
/// bytes have been printed? Once it is not, it never is again.
[[nodiscard]] constexpr bool keeps_log_part(std::int64_t begin, std::int64_t size,
                                            std::int64_t total) noexcept {
    constexpr std::int64_t kHead = std::int64_t{4} << 20, kTail = std::int64_t{12} << 20;
    return begin < kHead || begin + size > total - kTail;
}
/// The line that stands for what is not kept.
[[nodiscard]] std::string left_out_line(std::int64_t bytes);
/// Else what is wrong with it, as the end of a sentence about it. `json` is an object.
[[nodiscard]] std::variant<LogPlace, std::string> parse_log_place(std::string_view json);

}  // namespace turboci
