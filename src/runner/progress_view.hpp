// SPDX-License-Identifier: Apache-2.0
// A run as people see it: one line per event, with a CI system's markers where it has some, or a live view.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/report_text.hpp"
#include "runner/run_listener.hpp"

namespace turboci {

/// Where text goes. Gets whole lines, or what redraws a terminal.
using TextOutput = std::function<void(std::string_view)>;

/// Whose log reads the lines.
enum class CiDialect : std::uint8_t {
    none,    ///< people
    github,  ///< GitHub Actions: ::group::, ::error
    gitlab,  ///< GitLab: section_start, section_end
};
/// By GITHUB_ACTIONS and GITLAB_CI; `get` is getenv(3) or a test's.
[[nodiscard]] CiDialect ci_dialect(const std::function<const char*(const char*)>& get);

struct ViewOptions {
    bool color = false;
    bool utf8 = true;    ///< may our own words be beyond ASCII?
    bool quiet = false;  ///< failures, notes and what holds things up; nothing else
    CiDialect dialect = CiDialect::none;
};

/// One plain line per event.
[[nodiscard]] std::unique_ptr<RunListener> make_line_view(TextOutput out, ViewOptions options);

/// Columns and rows of the terminal.
struct TerminalSize {
    int columns = 80;
    int rows = 24;
};
/// A progress bar and the running stages at the bottom of a terminal, above them what is to stay: failures,
/// notes. Draws nothing that has to be undone: the cursor stays visible, at the end of the last line.
[[nodiscard]] std::unique_ptr<RunListener> make_live_view(TextOutput out, ViewOptions options,
                                                          std::function<TerminalSize()> size);

/// `data` as the message or, with `property`, the value of a property of a GitHub workflow command.
[[nodiscard]] std::string github_escape(std::string_view data, bool property);
/// The lines of a summary, each ending with "\n".
[[nodiscard]] std::string render_summary(const RunSummary& summary, const ViewOptions& options);
/// "attempt 2 of 3", or "attempt 4" where interruptions led beyond what retries allow.
[[nodiscard]] std::string attempt_text(std::int32_t idx, std::int32_t max_attempts);
/// The lines of an attempt that did not run to its end: what ended it, its last output, its log.
[[nodiscard]] std::string render_failure(const StageEnd& end, const ViewOptions& options);

}  // namespace turboci
