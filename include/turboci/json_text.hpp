// SPDX-License-Identifier: Apache-2.0
// JSON that turboci carries for others (options, args, details, data) without looking inside.
#pragma once

#include <string>
#include <string_view>

namespace turboci {

inline constexpr int kMaxNesting = 64;  ///< of JSON, of plan files and of groups

/// Compact, valid UTF-8 JSON text of one object, nesting at most kMaxNesting. "{}" when there is nothing.
/// Keys keep the order in which they were written; equality of meaning is same_json().
struct JsonText {
    std::string text = "{}";
    [[nodiscard]] bool empty() const noexcept { return text == "{}"; }
    bool operator==(const JsonText&) const = default;
};

/// Is `text` one JSON object?
[[nodiscard]] bool is_json_object(std::string_view text);
/// RFC 7396 JSON Merge Patch: `patch` applied to `target`. Nulls in `patch` remove.
[[nodiscard]] JsonText merge_patch(const JsonText& target, const JsonText& patch);
/// What `patch` makes of nothing: the value to begin with, so that the same patch changes it no more.
[[nodiscard]] JsonText without_nulls(const JsonText& patch);
/// One patch that does what `first` and then `second` do. Nulls stay.
[[nodiscard]] JsonText compose_patches(const JsonText& first, const JsonText& second);
/// Same value, whatever the order of keys?
[[nodiscard]] bool same_json(const JsonText& a, const JsonText& b);
/// Appends `text` to `out` as a JSON string literal with quotes. Bad UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace turboci
