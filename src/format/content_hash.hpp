// SPDX-License-Identifier: Apache-2.0
// The name of a script or style sheet in a content security policy.
#pragma once

#include <string>
#include <string_view>

namespace turboci {

/// "sha256-" and the SHA-256 of `text` in base 64. Source: FIPS 180-4, and CSP Level 3, "hash-source".
[[nodiscard]] std::string content_hash(std::string_view text);

}  // namespace turboci
