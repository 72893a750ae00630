// SPDX-License-Identifier: Apache-2.0
// The end of an attempt's log, for reports.
#pragma once

#include <string>
#include <string_view>

#include "format/plan_report.hpp"
#include "turboci/service.hpp"

namespace turboci {

/// The last lines of `text`, at most AttemptLog::kTailLines and kTailBytes. `cut`: there was something before
/// it, so that its first line may not be whole.
[[nodiscard]] std::string last_lines(std::string_view text, bool cut);

/// Reads the logs of a plan. A log that is not there is "". `service` must outlive it.
[[nodiscard]] LogTail log_tail_reader(Service& service, const std::string& plan);

}  // namespace turboci
