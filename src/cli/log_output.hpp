// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "turboci/requests.hpp"

namespace turboci::cli {

/// "state PLANNED -> WAITING, outcome passed": raw data.
[[nodiscard]] std::string changes_text(const LogEntry& entry);
/// "HH:MM:SS check:a state PLANNED -> WAITING" for a live view; one printable line.
[[nodiscard]] std::string event_line(const LogEntry& entry, bool color);

}  // namespace turboci::cli
