// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include <utility>

#include "format/html_page.hpp"
#include "format/junit.hpp"
#include "format/markdown.hpp"
#include "format/trace.hpp"
#include "runner/log_tail.hpp"

namespace turboci::cli {

std::optional<ReportFormat> parse_report_format(std::string_view text) noexcept {
    if (text == "markdown") return ReportFormat::markdown;
    if (text == "junit") return ReportFormat::junit;
    if (text == "html") return ReportFormat::html;
    if (text == "trace") return ReportFormat::trace;
    return std::nullopt;
}

ReportSource::ReportSource(Service& service, std::string plan) : service_(service), plan_(std::move(plan)) {
    QueryNodes everything;
    everything.plan = plan_;
    service_.query(everything, graph_);
}

std::string ReportSource::report(ReportFormat format) const {
    const LogTail tail = log_tail_reader(service_, plan_);
    switch (format) {
        case ReportFormat::markdown:
            return markdown_summary(graph_, tail);
        case ReportFormat::junit:
            return junit_xml(graph_, tail);
        case ReportFormat::html:
            return html_page(graph_, tail);
        case ReportFormat::trace:
            return trace_json(graph_);
    }
    return {};
}

}  // namespace turboci::cli
