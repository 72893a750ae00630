// SPDX-License-Identifier: Apache-2.0
// What a plain YAML scalar is, and scalars as JSON values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// The YAML 1.2 core schema (section 10.3.2): `no` is a string, `0755` is 755, `0x1F` is 31.
[[nodiscard]] ScalarKind resolve_plain(std::string_view text) noexcept;
/// Decimal, 0x and 0o integers; nullopt if `text` is none or outside of 64 bits.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
/// Of a ScalarKind::boolean.
[[nodiscard]] bool boolean_value(std::string_view text) noexcept;
/// Appends the scalar as JSON; returns why that is impossible (a clause), else empty.
[[nodiscard]] std::string append_json_scalar(std::string& out, const Scalar& scalar);
/// Appends valid UTF-8 as a JSON string.
void append_json_text(std::string& out, std::string_view text);
/// "a string", "a list": what a value is, for messages.
[[nodiscard]] std::string_view describe(ScalarKind kind) noexcept;

}  // namespace turboci
