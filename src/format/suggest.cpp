// SPDX-License-Identifier: Apache-2.0
#include "format/suggest.hpp"

#include <algorithm>
#include <vector>

namespace turboci {

namespace {

/// Takes away what both begin and end with: it costs nothing and is what most of two names is that are near
/// to each other.
void strip_common(std::string_view& a, std::string_view& b) {
    const auto [front, unused] = std::ranges::mismatch(a, b);
    const auto same = static_cast<std::size_t>(front - a.begin());
    a.remove_prefix(same);
    b.remove_prefix(same);
    while (!a.empty() && !b.empty() && a.back() == b.back()) {
        a.remove_suffix(1);
        b.remove_suffix(1);
    }
}

/// Three rows of the table of distances, of which only a band around the diagonal is filled: what lies
/// further off is more than `limit` in any case.
class Band {
public:
    Band(std::string_view a, std::string_view b, std::size_t limit)
        : a_(a), b_(b), limit_(limit), rows_(3 * (b.size() + 1), limit + 1) {}

    std::size_t distance(SuggestionBudget& budget) {
        for (std::size_t j = 0; j <= std::min(b_.size(), limit_); ++j) row(0)[j] = j;
        std::size_t before = 0;  // the least of the row above
        for (std::size_t i = 1; i <= a_.size(); ++i) {
            const std::size_t least = fill(i);
            budget.take(2 * limit_ + 1);
            if (least > limit_ && before > limit_) return limit_ + 1;  // a swap looks back two rows
            before = least;
        }
        return std::min(row(a_.size())[b_.size()], limit_ + 1);
    }

private:
    [[nodiscard]] std::size_t* row(std::size_t i) { return &rows_[i % 3 * (b_.size() + 1)]; }
    /// Returns the least of the row.
    std::size_t fill(std::size_t i) {
        const std::size_t far = limit_ + 1;
        const std::size_t first = i > limit_ ? i - limit_ : 0, last = std::min(b_.size(), i + limit_);
        std::size_t* here = row(i);
        const std::size_t* above = row(i - 1);
        if (first > 0) here[first - 1] = far;
        std::size_t least = far;
        for (std::size_t j = first; j <= last; ++j) {
            std::size_t d = far;
            if (j == 0) {
                d = i;
            } else {
                d = std::min(above[j - 1] + (a_[i - 1] == b_[j - 1] ? 0 : 1), here[j - 1] + 1);
                if (j < i + limit_) d = std::min(d, above[j] + 1);
                const bool swapped = i > 1 && j > 1 && a_[i - 1] == b_[j - 2] && a_[i - 2] == b_[j - 1];
                if (swapped) d = std::min(d, row(i - 2)[j - 2] + 1);
            }
            here[j] = std::min(d, far);
            least = std::min(least, here[j]);
        }
        if (last < b_.size()) here[last + 1] = far;
        return least;
    }

    std::string_view a_, b_;
    std::size_t limit_;
    std::vector<std::size_t> rows_;
};

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit,
                          SuggestionBudget& budget) {
    constexpr std::size_t kBytesAStep = 16;  // that are compared as they are
    budget.take(1);
    const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
    if (difference > limit) return limit + 1;
    budget.take(std::min(a.size(), b.size()) / kBytesAStep);
    strip_common(a, b);
    if (a.empty() || b.empty()) return std::max(a.size(), b.size());
    return Band(a, b, limit).distance(budget);
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    SuggestionBudget budget;
    return edit_distance(a, b, limit, budget);
}

std::size_t typo_limit(std::string_view written) noexcept {
    return std::max<std::size_t>(1, std::min<std::size_t>(written.size(), 30) / 3);
}

std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates,
                         SuggestionBudget& budget) {
    std::string_view best;
    std::size_t allowed = typo_limit(written);
    for (const auto candidate : candidates) {
        if (budget.steps == 0) break;
        const std::size_t distance = edit_distance(written, candidate, allowed, budget);
        if (distance > allowed) continue;
        best = candidate;
        if (distance == 0) break;
        allowed = distance - 1;
    }
    return best;
}

std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates) {
    SuggestionBudget budget;
    return nearest(written, candidates, budget);
}

}  // namespace turboci
