// SPDX-License-Identifier: Apache-2.0
// What is true of every node that the rules brought where it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

/// What is wrong with the node, one clause each; empty if nothing. `plan` bounds its versions and
/// times.
[[nodiscard]] std::vector<std::string> broken_rules(const NodeRecord& record, const PlanRow& plan);

/// A pass counts only with an attempt that ran to its end, or still ran when the check was ended. Which
/// attempts that are is noted of each node; afterwards the store is asked. Older rules did not ask for it.
class Passes {
public:
    /// `plan` must outlive this.
    explicit Passes(const PlanRow& plan) : plan_(plan) {}
    void note(const NodeRecord& record);
    /// The ids of checks that passed otherwise, in the order in which they were noted.
    [[nodiscard]] std::vector<std::string> broken(Snapshot& snapshot) const;

private:
    struct Pass {
        std::string check;
        Timestamp at;  ///< when it was ended
        AttemptName by;
    };
    const PlanRow& plan_;
    std::vector<Pass> noted_;
};
inline constexpr std::string_view kBrokenPass =
    "it passed by the word of an attempt that did not run to its end";

}  // namespace turboci::service
