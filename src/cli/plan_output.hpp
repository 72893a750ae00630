// SPDX-License-Identifier: Apache-2.0
// Plans for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "format/terminal.hpp"
#include "turboci/requests.hpp"

namespace turboci::cli {

[[nodiscard]] Table plan_table(const std::vector<WorkPlan>& plans);
/// `limit` is what the summary was asked for; `width` 0: lines are not cut.
[[nodiscard]] std::string summary_text(const PlanSummary& summary, std::size_t limit, std::size_t width,
                                       bool color, bool utf8);
/// "12 checks: 3 passed, 1 failed, 8 open"-like; empty if there are none.
[[nodiscard]] std::string counts_text(const WorkPlan& plan, NodeType type);
/// "K=V" as it stands on the command line; USAGE if it is not one.
[[nodiscard]] std::pair<std::string, std::string> parse_label(const std::string& text);
/// "a=1, b=2"
[[nodiscard]] std::string labels_text(const JsonText& labels);

}  // namespace turboci::cli
