// SPDX-License-Identifier: Apache-2.0
// Reports of whole plans: on standard output, or in the files that `run --report` names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"
#include "format/markdown.hpp"
#include "format/node_collector.hpp"

namespace turboci::cli {

enum class ReportFormat : std::uint8_t { markdown, junit, html, trace };
[[nodiscard]] std::optional<ReportFormat> parse_report_format(std::string_view text) noexcept;
inline constexpr std::string_view kReportFormats = "markdown, junit, html or trace";

/// A plan as it was at one moment, for any number of reports. The service must outlive it.
class ReportSource {
public:
    ReportSource(Service& service, std::string plan);
    [[nodiscard]] std::string report(ReportFormat format,
                                     std::size_t max_markdown_bytes = kMaxMarkdownBytes) const;

private:
    NodeCollector graph_;
    Service& service_;
    std::string plan_;
};

/// What `run --report` was given, in the order of the command line.
class ReportFiles {
public:
    /// Takes FORMAT=FILE; USAGE for anything else, and for a file that cannot be written. FILE `-` is
    /// standard output; `auto`, of a job summary, the file that GITHUB_STEP_SUMMARY names, which is added to,
    /// or nothing if the variable is not set.
    void add(const std::string& text);
    [[nodiscard]] bool empty() const noexcept { return targets_.empty(); }
    [[nodiscard]] bool use_standard_output() const noexcept;

    /// Writes all of them. OUTPUT, once the others are written, if one could not be.
    void write(Context& context, const ReportSource& source) const;

private:
    struct Target {
        ReportFormat format;
        std::string file;
        bool is_summary = false;  ///< to be added to
    };
    std::vector<Target> targets_;
};

}  // namespace turboci::cli
