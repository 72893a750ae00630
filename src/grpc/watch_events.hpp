// SPDX-License-Identifier: Apache-2.0
// Entries of the record as events of a watch.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "grpc/convert.hpp"
#include "turboci/service.hpp"
#include "turboci/v1/service.pb.h"

namespace turboci::rpc {

/// What of a plan a watcher wants to see.
struct WatchFilter {
    bool checks = false, stages = false;
    StateFilter states;
    std::unordered_set<std::string> check_ids, stage_ids;  ///< empty: all
    bool whole_record = false;                             ///< also what is no change of a state
    JsonForm form = JsonForm::both;
};
/// INVALID_ARGUMENT for a number that is no state.
[[nodiscard]] WatchFilter read_filter(const v1::WatchWorkPlanRequest& request);

/// One reading of the record after `cursor`.
struct WatchNews {
    std::deque<v1::WorkPlanEvent> events;
    std::int64_t cursor = 0;  ///< of what has been read, wanted or not
    bool more = false;        ///< there may be more to read at once
    bool is_over = false;     ///< every node is FINAL, and all of the record has been read
};
/// At most about `limit` entries. `plan`: as it was just before.
[[nodiscard]] WatchNews read_news(Service& service, const WorkPlan& plan, std::int64_t cursor,
                                  const WatchFilter& filter, std::size_t limit);
/// The event that ends a plan.
[[nodiscard]] v1::WorkPlanEvent completed_event(Service& service, const WorkPlan& plan);

}  // namespace turboci::rpc
