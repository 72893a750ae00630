// SPDX-License-Identifier: Apache-2.0
// A plan as a job summary in GitHub's Markdown.
#pragma once

#include <string>
#include <string_view>

#include "format/plan_report.hpp"

namespace turboci {

/// `data` as a code span on one line: nothing in it is Markdown, HTML, a link or a mention any more.
[[nodiscard]] std::string markdown_code(std::string_view data);

/// GitHub refuses summaries over 1 MiB; other steps of the job want some room, too.
inline constexpr std::size_t kMaxMarkdownBytes = (1u << 20) - 1024;

/// The verdict as the heading, totals, then the nodes of the whole plan in `graph`, worst first: failed with
/// their messages and the end of their logs, cancelled, skipped, running, open; passed ones folded. Never
/// more than `max_bytes` (when these are 512 at the least); a line tells how many nodes were left out.
[[nodiscard]] std::string markdown_summary(const NodeCollector& graph, const LogTail& tail = {},
                                           std::size_t max_bytes = kMaxMarkdownBytes);

}  // namespace turboci
