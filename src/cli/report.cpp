// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "format/html_page.hpp"
#include "format/junit.hpp"
#include "format/terminal.hpp"
#include "format/trace.hpp"
#include "os/file_writing.hpp"
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
    service_.flush();
}

std::string ReportSource::report(ReportFormat format, std::size_t max_markdown_bytes) const {
    const LogTail tail = log_tail_reader(service_, plan_);
    switch (format) {
        case ReportFormat::markdown:
            return markdown_summary(graph_, tail, max_markdown_bytes);
        case ReportFormat::junit:
            return junit_xml(graph_, tail);
        case ReportFormat::html:
            return html_page(graph_, tail);
        case ReportFormat::trace:
            return trace_json(graph_);
    }
    return {};
}

void ReportFiles::add(const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto format = parse_report_format(text.substr(0, equals));
    if (!format || equals == std::string::npos || equals + 1 == text.size())
        usage("--report: '" + printable(text) + "' is not FORMAT=FILE",
              "write " + std::string(kReportFormats) + ", then = and a file, as in html=report.html");
    Target target{*format, text.substr(equals + 1)};
    if (target.file == "auto" && *format == ReportFormat::markdown) {
        const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
        if (summary == nullptr || *summary == '\0') return;
        target.file = summary;
        target.is_summary = true;
    } else if (target.file == "auto") {
        usage("--report: only markdown=auto has a file of its own",
              "name a file; ./auto is one of that name");
    }
    if (std::ranges::find(targets_, target.file, &Target::file) != targets_.end())
        usage("--report: two reports for one file: '" + printable(target.file) + "'", "name two files");
    if (const int problem = target.file == "-" ? 0 : writing_problem(target.file); problem != 0)
        usage("--report: cannot write '" + printable(target.file) + "': " + std::strerror(problem));
    targets_.push_back(std::move(target));
}

bool ReportFiles::use_standard_output() const noexcept {
    return std::ranges::find(targets_, "-", &Target::file) != targets_.end();
}

void ReportFiles::write(Context& context, const ReportSource& source) const {
    std::string failure;
    for (const Target& target : targets_) {
        if (target.file == "-") {
            context.out().write(source.report(target.format));
            continue;
        }
        int problem = 0;
        if (target.is_summary) {
            // All steps' summaries of one job count together.
            const std::size_t used = std::min(file_size(target.file), kMaxMarkdownBytes);
            const std::string text = source.report(target.format, kMaxMarkdownBytes - used);
            problem = append_to_file(target.file, (used > 0 ? "\n" : "") + text);
        } else {
            problem = replace_file(target.file, source.report(target.format));
        }
        if (problem != 0 && failure.empty())
            failure = "cannot write '" + printable(target.file) + "': " + std::strerror(problem);
    }
    if (!failure.empty()) throw Error(ErrorCode::output, failure, "the work itself was done and committed");
}

}  // namespace turboci::cli
