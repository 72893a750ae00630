// SPDX-License-Identifier: Apache-2.0
// Which nodes a run is about.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "turboci/service.hpp"

namespace turboci {

/// The named nodes and all that they need, as of one moment.
struct Selection {
    std::unordered_set<std::string> ids;  ///< "type:id"
    std::vector<std::string> stages;      ///< ids of the stages among them
    PlanTotals totals;
};

/// NOT_FOUND if a named node is not there. `besides`: ids of stages that are selected, too.
[[nodiscard]] std::shared_ptr<const Selection> select_nodes(Service& service, const std::string& plan,
                                                            const std::vector<RefText>& refs,
                                                            const std::vector<std::string>& besides = {});
/// The ids of stages that clean up after the selection and are none of it: see CancelStages.
[[nodiscard]] std::vector<std::string> clean_up_of(Service& service, const std::string& plan,
                                                   const Selection& selection);

/// Null stands for everything.
[[nodiscard]] inline bool is_selected(const Selection* selection, const NodeRef& ref) {
    return selection == nullptr || selection->ids.count(to_string(ref)) != 0;
}

}  // namespace turboci
