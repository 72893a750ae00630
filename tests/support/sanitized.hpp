// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace turboci::test {

/// With AddressSanitizer the largest inputs take minutes and show nothing that smaller ones do not; the other
/// builds try them in full.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace turboci::test
