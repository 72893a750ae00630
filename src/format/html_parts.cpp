// SPDX-License-Identifier: Apache-2.0
#include "format/html_parts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "format/html_page.hpp"
#include "format/report_text.hpp"
#include "format/terminal.hpp"

namespace turboci {
namespace {

constexpr std::size_t kLinkColumns = 80;

/// `text` is visible already.
std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool twice = i + 1 < text.size() && text[i + 1] == text[i];
        switch (text[i]) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            case ':':
                out += twice ? "&#58;" : ":";
                break;
            case '#':
                out += twice ? "&#35;" : "#";
                break;
            default:
                out += text[i];
        }
    }
    return out;
}

}  // namespace

std::string html_text(std::string_view data) { return escape_html(visible(data)); }

std::string html_text(std::string_view data, std::size_t columns) {
    // What is cut away need not be looked at: a column takes a few bytes.
    return escape_html(fit(visible(data.substr(0, 16 * columns + 16)), columns));
}

HtmlPlan::HtmlPlan(const NodeCollector& graph, const LogTail& log_tail)
    : report(graph), tail(log_tail), times(graph), causes(report), sections(turboci::sections_of(report)) {
    std::uint32_t number = 0;
    for (std::size_t s = 0; s < sections.size(); ++s)
        for (const ReportNode& node : sections[s]) {
            if (number < kMaxHtmlNodes)
                numbers.emplace(to_string(node.ref()), ++number);
            else
                ++left_out;
        }
    for (const Check& check : graph.checks()) checks_.emplace(check.id, &check);
}

std::string_view HtmlPlan::kind_of(const ReportNode& node) const {
    if (node.check != nullptr) return node.check->kind;
    for (const Assignment& a : node.stage->assignments) {
        const auto check = checks_.find(a.target_check_id);
        if (check != checks_.end()) return check->second->kind;
    }
    return {};
}

ReportSection HtmlPlan::section_of(const ReportNode& node) const {
    const Standing standing =
        node.check != nullptr ? report.standing_of(*node.check) : report.standing_of(*node.stage);
    return turboci::section_of(node.state(), node.outcome(), standing);
}

std::string_view html_class(ReportSection section) noexcept {
    constexpr std::array<std::string_view, kReportSections> kClasses{
        "failed", "cancelled", "broken", "running", "open", "optional", "skipped", "passed"};
    return kClasses[static_cast<std::size_t>(section)];
}

std::string_view html_sign(ReportSection section) noexcept {
    constexpr std::array<std::string_view, kReportSections> kSigns{"✗", "⊘", "⤼", "▶", "○", "!", "–", "✓"};
    return kSigns[static_cast<std::size_t>(section)];
}

std::string html_filtered(const HtmlPlan& plan, const ReportNode& node, std::string_view more) {
    const std::string_view section = html_class(plan.section_of(node));
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(node.time(plan.report)).count();
    return fmt::format(" class=\"f {}{}{}\" data-o=\"{}\" data-k=\"{}\" data-d=\"{}\"", section,
                       more.empty() ? "" : " ", more, section, html_text(plan.kind_of(node), kLinkColumns),
                       ms);
}

std::string html_link(const HtmlPlan& plan, const NodeRef& ref) {
    const std::string name = to_string(ref);
    const std::string text = html_text(name, kLinkColumns);
    const auto found = plan.numbers.find(name);
    if (found == plan.numbers.end()) return "<bdi>" + text + "</bdi>";
    return fmt::format("<a href=\"#n{}\"><bdi>{}</bdi></a>", found->second, text);
}

std::string html_links(const HtmlPlan& plan, const std::vector<ReportNode>& nodes, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < nodes.size() && i < most; ++i)
        out += (i == 0 ? "" : ", ") + html_link(plan, nodes[i].ref());
    if (nodes.size() > most) out += fmt::format(" and {} more", nodes.size() - most);
    return out;
}

std::string html_shares(const std::array<std::size_t, kReportSections>& counts) {
    std::size_t all = 0;
    for (const std::size_t count : counts) all += count;
    if (all == 0) return {};
    std::string bar, words;
    std::size_t before = 0;
    // What went well first, as progress bars fill.
    for (std::size_t s = kReportSections; s-- > 0;) {
        if (counts[s] == 0) continue;
        const std::string_view name = html_class(static_cast<ReportSection>(s));
        bar += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" width=\"{:.1f}\" y=\"0\" height=\"10\"/>", name,
                           1000.0 * static_cast<double>(before) / static_cast<double>(all),
                           1000.0 * static_cast<double>(counts[s]) / static_cast<double>(all));
        before += counts[s];
    }
    for (std::size_t s = 0; s < kReportSections; ++s) {
        if (counts[s] == 0) continue;
        const auto section = static_cast<ReportSection>(s);
        std::string title(title_of(section));
        title.front() = static_cast<char>(title.front() - 'A' + 'a');
        words += fmt::format("<span class=\"{}\"><span class=\"sign\">{}</span> {} {}</span> ",
                             html_class(section), html_sign(section), counts[s], title);
    }
    return "<svg class=\"shares\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
           "aria-hidden=\"true\">" +
           bar + "</svg><span class=\"counts\">" + words + "</span>";
}

}  // namespace turboci
