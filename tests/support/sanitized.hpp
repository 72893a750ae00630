// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace turboci::test {

/// With AddressSanitizer the largest inputs take minutes and show nothing that smaller ones do not; the other
/// builds try them in full.
#if defined(__SANITIZE_ADDRESS__)  // GCC
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)  // clang
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace turboci::test
