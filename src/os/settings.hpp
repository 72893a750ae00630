// SPDX-License-Identifier: Apache-2.0
// What a program is told from outside: variables, and files that they or flags name.
#pragma once

#include <string>

namespace turboci {

/// A variable that is not set is an empty one.
[[nodiscard]] std::string environment_variable(const char* name);
/// STORE if the file cannot be read or is empty: a certificate, a key or a token that was asked for and is
/// not there must not pass for none.
[[nodiscard]] std::string read_named_file(const std::string& path);

}  // namespace turboci
