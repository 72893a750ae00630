// SPDX-License-Identifier: Apache-2.0
// The end of an attempt's log, for reports.
#pragma once

#include <string>
#include <string_view>

#include "format/plan_report.hpp"

namespace turboci {

/// The last lines of `text`, at most AttemptLog::kTailLines and kTailBytes. `cut`: there was something before
/// it, so that its first line may not be whole.
[[nodiscard]] std::string last_lines(std::string_view text, bool cut);

/// Reads the logs beside the store at `store_path`. A log that is not there, or that does not lie in the
/// store's own directory of logs, is "".
[[nodiscard]] LogTail log_tail_reader(const std::string& store_path);

}  // namespace turboci
