// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of several names.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace turboci {

/// What the search for suggestions may cost: they are not worth a long wait. A step is one cell of a
/// comparison, or one candidate that is looked at.
struct SuggestionBudget {
    std::size_t steps = 20'000'000;
    void take(std::size_t n) noexcept { steps = n < steps ? steps - n : 0; }
};

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), in bytes.
/// More than `limit` is told as limit + 1. Takes time in proportion to limit times length at most.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit,
                                        SuggestionBudget& budget);
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// How far apart two names may be to be taken for each other: a third of the written one, at least 1.
[[nodiscard]] std::size_t typo_limit(std::string_view written) noexcept;

/// The nearest candidate within typo_limit(), the first one of several; empty if there is none. When the
/// budget is used up: of those looked at until then.
[[nodiscard]] std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates,
                                       SuggestionBudget& budget);
[[nodiscard]] std::string_view nearest(std::string_view written,
                                       std::span<const std::string_view> candidates);

}  // namespace turboci
