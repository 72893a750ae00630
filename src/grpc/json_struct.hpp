// SPDX-License-Identifier: Apache-2.0
// JSON text and google.protobuf.Struct.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <optional>
#include <string>
#include <string_view>

#include "turboci/json_text.hpp"

namespace turboci::rpc {

/// A Struct takes three messages a level, and parsers allow for 100 with all that is around it.
inline constexpr int kMaxStructNesting = 28;

/// Why `text` is no JSON value (or no object, if one is needed) that turboci carries, as a clause; nullopt if
/// it is one. `compact` becomes the text without blanks.
[[nodiscard]] std::optional<std::string> json_problem(std::string_view text, bool object,
                                                      std::string& compact);

/// False, and `value` is empty, if the text is nested too deep for a Struct.
bool to_struct(const JsonText& json, google::protobuf::Struct& value);
/// Keys in the order of their bytes; whole numbers below 2^53 without a fraction. nullopt, and `problem` says
/// why, if it has no JSON text.
[[nodiscard]] std::optional<JsonText> from_struct(const google::protobuf::Struct& value,
                                                  std::string& problem);

}  // namespace turboci::rpc
