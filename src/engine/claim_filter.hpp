// SPDX-License-Identifier: Apache-2.0
// Which stages a claim takes.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_set>

#include "turboci/requests.hpp"

namespace turboci::engine {

/// ClaimFilter, prepared for many stages. The filter must outlive it.
class PreparedFilter {
public:
    explicit PreparedFilter(const ClaimFilter& filter);

    [[nodiscard]] bool takes_all() const;
    /// May stages that need such a runner be taken?
    [[nodiscard]] bool takes_runner(std::string_view runner) const;
    /// `args` is called if they matter. Does not look at the runner.
    [[nodiscard]] bool takes(std::string_view id, const std::function<JsonText()>& args) const;

private:
    [[nodiscard]] bool is_matched(std::string_view id) const;

    const ClaimFilter& filter_;
    std::unordered_set<std::string_view> only_, except_, judged_;
};

}  // namespace turboci::engine
