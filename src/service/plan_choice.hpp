// SPDX-License-Identifier: Apache-2.0
// Which plan is meant.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

/// From the oldest to the newest: by time of creation, then in the order in which they came into the store.
void sort_by_age(std::vector<PlanRow>& plans);
/// The identities of plans from which another of the list was made.
[[nodiscard]] std::unordered_set<std::string_view> superseded(const std::vector<PlanRow>& plans);

/// The plan that `text` means: an id, the only beginning of one, `@latest` for the newest, KEY=VALUE for the
/// newest with that label. An exact id wins. Empty: the only plan from which no other was made. NOT_FOUND if
/// there is none, USAGE with the candidates if there are several.
/// `exact`: as require_exact_plan().
[[nodiscard]] PlanRow require_plan(Snapshot& snapshot, std::string_view text, bool exact = false);
/// The same for a write. NOT_FOUND too if its token is of an attempt of a plan that is gone, and `plan` names
/// that one and would now mean another.
[[nodiscard]] PlanRow require_plan_to_write(Transaction& transaction, const WriteNodes& request, bool exact);
/// The plan of that id and no other; NOT_FOUND.
[[nodiscard]] PlanRow require_exact_plan(Snapshot& snapshot, std::string_view id);

}  // namespace turboci::service
