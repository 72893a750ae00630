// SPDX-License-Identifier: Apache-2.0
// A plan as one HTML page that needs nothing else: no network, no script to be read.
#pragma once

#include <string>

#include "format/plan_report.hpp"

namespace turboci {

/// Verdict and totals; what failed, with its messages, what it held up and the end of its log; what is open;
/// a timeline; every node, by kind, linked to what it needs. The script only filters. A content security
/// policy allows the page's own style and script, by their hashes, and nothing else. Same plan, same bytes.
///
/// At most kMaxHtmlNodes nodes are listed, the worst first; a line tells how many are not. Logs, messages and
/// links give way, so that 1,000 stages take less than 5 MB.
[[nodiscard]] std::string html_page(const NodeCollector& graph, const LogTail& tail = {});
inline constexpr std::size_t kMaxHtmlNodes = 10'000;

}  // namespace turboci
