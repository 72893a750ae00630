// SPDX-License-Identifier: Apache-2.0
// What is true of every node that the rules brought where it is.
#pragma once

#include <string>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

/// What is wrong with the node, one clause each; empty if nothing. `plan` bounds its versions and
/// times.
[[nodiscard]] std::vector<std::string> broken_rules(UnitOfWork& uow, const NodeRecord& record,
                                                    const PlanRow& plan);

}  // namespace turboci::service
