// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of several names.
#pragma once

#include <span>
#include <string_view>

namespace turboci {

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), in bytes.
/// More than `limit` is told as limit + 1.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// How far apart two names may be to be taken for each other: a third of the written one, at least 1.
[[nodiscard]] std::size_t typo_limit(std::string_view written) noexcept;

/// The nearest candidate within typo_limit(), the first one of several; empty if there is none.
[[nodiscard]] std::string_view nearest(std::string_view written,
                                       std::span<const std::string_view> candidates);

}  // namespace turboci
