// SPDX-License-Identifier: Apache-2.0
#include "format/markdown.hpp"

#include <algorithm>

#include "format/report_causes.hpp"
#include "format/report_sections.hpp"
#include "format/report_text.hpp"
#include "format/terminal.hpp"

namespace turboci {
namespace {

constexpr std::size_t kMaxMessageColumns = 1000;
constexpr std::size_t kMaxLineColumns = 400;  // of a log

/// What a node was skipped for.
std::string causes_of(const ReportCauses& causes, const ReportNode& node) {
    std::string out;
    for (const ReportNode& cause : causes.causes_of(node.ref()))
        out += (out.empty() ? " because of " : ", ") + markdown_code(to_string(cause.ref()));
    return out;
}

std::string line_of(const PlanReport& report, const ReportCauses& causes, const ReportNode& node,
                    ReportSection section) {
    std::string line = "- " + markdown_code(to_string(node.ref()));
    if (node.check != nullptr && !node.check->kind.empty())
        line += " (" + markdown_code(node.check->kind) + ")";
    const Duration taken = node.time(report);
    if (taken > Duration::zero()) line += " " + human_duration(taken);
    if (section == ReportSection::open) line += " " + std::string(to_string(node.state()));
    if (section == ReportSection::optional) line += " " + std::string(to_string(*node.outcome()));
    const std::string because = causes_of(causes, node);
    if (!because.empty()) {
        line += because;
    } else if (section != ReportSection::open && section != ReportSection::running &&
               section != ReportSection::passed) {
        const std::string message = node.message(8 * kMaxMessageColumns);  // cut below
        if (!message.empty()) line += ": " + markdown_code(fit(printable(message), kMaxMessageColumns));
    }
    return line + "\n";
}

/// The end of the log of each culprit, folded, as a part of the list item before it.
std::string log_tails(const std::vector<PlanReport::Culprit>& culprits, const LogTail& tail) {
    std::string out;
    for (const PlanReport::Culprit& culprit : culprits) {
        const std::vector<std::string> lines = plain_lines(tail(*culprit.stage, *culprit.attempt));
        if (lines.empty()) continue;
        std::size_t ticks = 3;
        std::string body;
        for (const std::string& line : lines) {
            const std::string shown = fit(printable(line), kMaxLineColumns);
            for (std::size_t i = 0; i < shown.size();) {
                std::size_t run = 0;
                while (i + run < shown.size() && shown[i + run] == '`') ++run;
                ticks = std::max(ticks, run + 1);
                i += std::max<std::size_t>(run, 1);
            }
            body.append("  ").append(shown).append("\n");
        }
        const std::string fence(ticks, '`');
        out += "\n  Last output of " + markdown_code("stage:" + culprit.stage->id) + ", attempt " +
               std::to_string(culprit.attempt->idx);
        out.append(":\n\n  ").append(fence).append("text\n").append(body).append("  ").append(fence).append(
            "\n\n");
    }
    return out;
}

std::string heading(const PlanReport& report) {
    const WorkPlan& plan = report.graph().plan();
    std::string verdict = report.verdict_words();
    switch (report.judgement().verdict) {
        case Verdict::failed:
            verdict = "❌ " + verdict;
            break;
        case Verdict::pending:
            verdict = "⏳ " + verdict + ": " +
                      amount_of(static_cast<std::int64_t>(report.judgement().open.size()), "node") +
                      " still open";
            break;
        case Verdict::passed:
            verdict = (report.gate_opens() ? "✅ " : "⚪ ") + verdict;
            break;
    }
    const PlanTotals sum = totals(plan);
    const auto row = [](std::string_view name, std::int64_t ok, std::int64_t bad, std::int64_t stopped,
                        std::int64_t left_aside, std::int64_t final, std::int64_t all) {
        std::string line = "| " + std::string(name) + " |";
        for (const std::int64_t count : {ok, bad, stopped, left_aside, all - final, all})
            line += " " + std::to_string(count) + " |";
        return line + "\n";
    };
    return "## " + markdown_code(plan.id) + ": " + verdict +
           "\n\n| | passed | failed | cancelled | skipped | open | all |\n|---|--:|--:|--:|--:|--:|--:|\n" +
           row("checks", sum.passed_checks, sum.failed_checks, 0, sum.skipped_checks, sum.final_checks,
               sum.checks) +
           row("stages", sum.passed_stages, sum.failed_stages, sum.cancelled_stages, sum.skipped_stages,
               sum.final_stages, sum.stages);
}

std::string section_begin(ReportSection section, std::size_t count) {
    const std::string title = std::string(title_of(section)) + " (" + std::to_string(count) + ")";
    if (section == ReportSection::passed) return "\n<details><summary>" + title + "</summary>\n\n";
    return "\n### " + title + "\n\n";
}

std::string_view section_end(ReportSection section) {
    return section == ReportSection::passed ? "\n</details>\n" : "";
}

std::string left_out_line(std::size_t count) {
    return count == 0 ? "" : "\n" + std::to_string(count) + " more left out for want of space.\n";
}

}  // namespace

std::string markdown_code(std::string_view data) {
    const std::string text = data.empty() ? " " : printable(data);
    std::size_t longest = 0;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t run = 0;
        while (i + run < text.size() && text[i + run] == '`') ++run;
        longest = std::max(longest, run);
        i += std::max<std::size_t>(run, 1);
    }
    const std::string fence(longest + 1, '`');
    const bool pad = text.front() == '`' || text.back() == '`' || text.front() == ' ' || text.back() == ' ';
    return fence + (pad ? " " : "") + text + (pad ? " " : "") + fence;
}

std::string markdown_summary(const NodeCollector& graph, const LogTail& tail, std::size_t max_bytes) {
    const PlanReport report(graph);
    const ReportCauses causes(report);
    const ReportSections sections = sections_of(report);
    std::string out = heading(report);
    // Room for the end of an open section and for the last line.
    constexpr std::size_t kReserve = 100;
    const std::size_t room = max_bytes > kReserve ? max_bytes - kReserve : 0;
    // The names of all nodes are worth more than the logs of the first ones.
    std::size_t room_for_logs = room / 2;
    std::size_t left_out = 0;
    for (std::size_t s = 0; s < sections.size(); ++s) {
        const auto section = static_cast<ReportSection>(s);
        std::size_t shown = 0;
        for (const ReportNode& node : sections[s]) {
            if (left_out > 0) break;  // nothing worse may stand behind something better
            const std::string line = line_of(report, causes, node, section);
            const std::string begin = shown == 0 ? section_begin(section, sections[s].size()) : "";
            if (out.size() + begin.size() + line.size() > room) break;
            out += begin + line;
            ++shown;
            // A stage's log stands at the check that it answers.
            if (!tail || !shows_log(section) || node.is_answered_for(report)) continue;
            const std::string log = log_tails(node.culprits(report), tail);
            if (log.size() > room_for_logs || out.size() + log.size() > room) continue;
            room_for_logs -= log.size();
            out += log;
        }
        if (shown > 0) out += section_end(section);
        left_out += sections[s].size() - shown;
    }
    return out + left_out_line(left_out);
}

}  // namespace turboci
