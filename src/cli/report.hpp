// SPDX-License-Identifier: Apache-2.0
// Reports of whole plans: on standard output, or in the files that `run --report` names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"
#include "format/node_collector.hpp"

namespace turboci::cli {

enum class ReportFormat : std::uint8_t { markdown, junit, html, trace };
[[nodiscard]] std::optional<ReportFormat> parse_report_format(std::string_view text) noexcept;
/// "markdown, junit, html or trace"
inline constexpr std::string_view kReportFormats = "markdown, junit, html or trace";

/// A plan as it was at one moment, for any number of reports. The service must outlive it.
class ReportSource {
public:
    ReportSource(Service& service, std::string plan);
    [[nodiscard]] std::string report(ReportFormat format) const;

private:
    NodeCollector graph_;
    Service& service_;
    std::string plan_;
};

}  // namespace turboci::cli
