// SPDX-License-Identifier: Apache-2.0
#include "format/suggest.hpp"

#include <algorithm>
#include <vector>

namespace turboci {

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
    if (difference > limit) return limit + 1;
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
            least = std::min(least, row[j]);
        }
        if (least > limit && i > 1 && *std::ranges::min_element(last) > limit) return limit + 1;
        std::swap(before, last);
        std::swap(last, row);
    }
    return std::min(last[b.size()], limit + 1);
}

std::size_t typo_limit(std::string_view written) noexcept {
    return std::max<std::size_t>(1, std::min<std::size_t>(written.size(), 30) / 3);
}

std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t allowed = typo_limit(written);
    for (const auto candidate : candidates) {
        const std::size_t distance = edit_distance(written, candidate, allowed);
        if (distance > allowed) continue;
        best = candidate;
        if (distance == 0) break;
        allowed = distance - 1;
    }
    return best;
}

}  // namespace turboci
