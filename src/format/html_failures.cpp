// SPDX-License-Identifier: Apache-2.0
// The first part of the HTML page: what failed and why, what did not run for it, what is still open.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "format/graph_failures.hpp"
#include "format/html_parts.hpp"
#include "format/report_text.hpp"

namespace turboci {
namespace {

constexpr std::size_t kMostMessages = 10;  // of one node
constexpr std::size_t kMostMessageLines = 40;
constexpr std::size_t kHtmlColumns = 400;  // of a line
constexpr std::size_t kMostNamed = 12;
constexpr std::size_t kUnfolded = 5;       // cards whose log is not folded away
constexpr std::size_t kUnfoldedRows = 30;  // of a section of rows

std::string section_head(std::string_view id, std::string_view title, std::size_t count) {
    return fmt::format("<section id=\"{}\">\n<h2>{} <span class=\"n\">{}</span></h2>\n", id, title, count);
}

std::string text_lines(std::string_view text, std::size_t most) {
    const std::vector<std::string> lines = plain_lines(text);
    std::string out;
    for (std::size_t i = 0; i < lines.size() && i < most; ++i)
        (out += i == 0 ? "" : "\n") += html_text(lines[i], kHtmlColumns);
    if (lines.size() > most) out += fmt::format("\n… {} more lines", lines.size() - most);
    return out;
}

/// Why the node ended as it did, in its own words.
void append_messages(std::string& out, HtmlPlan& plan, const ReportNode& node) {
    std::vector<std::string> messages;
    if (node.check != nullptr)
        messages = failure_messages(*node.check);
    else if (std::string message = failure_message(*node.stage); !message.empty())
        messages.push_back(std::move(message));
    for (std::size_t i = 0; i < messages.size() && i < kMostMessages; ++i) {
        const std::string text = text_lines(messages[i], kMostMessageLines);
        if (!plan.message_room.take(text.size())) return;
        out += "<pre class=\"message\">" + text + "</pre>\n";
    }
    if (messages.size() > kMostMessages)
        out += fmt::format("<p class=\"more\">{} more messages</p>\n", messages.size() - kMostMessages);
}

void append_logs(std::string& out, HtmlPlan& plan, const ReportNode& node, bool unfolded) {
    if (!plan.tail) return;
    for (const PlanReport::Culprit& culprit : node.culprits(plan.report)) {
        const std::string text = text_lines(plan.tail(*culprit.stage, *culprit.attempt), SIZE_MAX);
        if (text.empty()) continue;
        if (!plan.log_room.take(text.size())) {
            out += "<p class=\"more\">Its log is left out for want of space: turboci logs shows it.</p>\n";
            return;
        }
        out += fmt::format(
            "<details class=\"log\"{}><summary>Last output of {}, attempt {} <span "
            "class=\"took\">{}</span></summary>\n<pre>{}</pre></details>\n",
            unfolded ? " open" : "", html_link(plan, {NodeType::stage, culprit.stage->id}),
            culprit.attempt->idx, human_duration(PlanReport::time_of(*culprit.stage)), text);
    }
}

/// What did not run because of the node, or of a stage whose answer it is.
std::vector<ReportNode> held_up_by(const HtmlPlan& plan, const ReportNode& node) {
    std::vector<ReportNode> all = plan.causes.skipped_after(node.ref());
    if (node.check != nullptr) {
        for (const Stage* stage : plan.report.stages_of(*node.check))
            std::ranges::copy(plan.causes.skipped_after({NodeType::stage, stage->id}),
                              std::back_inserter(all));
    }
    std::vector<ReportNode> once;
    std::unordered_map<std::string, bool> seen;
    for (const ReportNode& held : all)
        if (seen.emplace(to_string(held.ref()), true).second) once.push_back(held);
    return once;
}

void append_card(std::string& out, HtmlPlan& plan, const ReportNode& node,
                 const std::vector<ReportNode>& held, bool unfolded) {
    const ReportSection section = plan.section_of(node);
    out += "<article" + html_filtered(plan, node, "card") + ">\n<h3><span class=\"sign\">";
    out += html_sign(section);
    out += "</span> " + html_link(plan, node.ref());
    if (const std::string_view kind = plan.kind_of(node); !kind.empty())
        out += " <span class=\"kind\">" + html_text(kind, 40) + "</span>";
    if (const Duration taken = node.time(plan.report); taken > Duration::zero())
        out += " <span class=\"took\">" + human_duration(taken) + "</span>";
    out += "</h3>\n";
    append_messages(out, plan, node);
    if (!held.empty())
        out +=
            "<p class=\"why\">Did not run because of this: " + html_links(plan, held, kMostNamed) + "</p>\n";
    if (shows_log(section)) append_logs(out, plan, node, unfolded);
    out += "</article>\n";
}

/// Nodes whose failure is told by a check are told there. What held up most comes first.
void append_cards(std::string& out, HtmlPlan& plan, ReportSection section, std::string_view id) {
    std::vector<std::pair<ReportNode, std::vector<ReportNode>>> cards;
    for (const ReportNode& node : plan.sections[static_cast<std::size_t>(section)])
        if (plan.lists(node) && !node.is_answered_for(plan.report))
            cards.emplace_back(node, held_up_by(plan, node));
    if (cards.empty()) return;
    std::ranges::stable_sort(cards, std::greater<>(), [](const auto& card) { return card.second.size(); });
    out += section_head(id, title_of(section), cards.size());
    std::size_t shown = 0;
    for (const auto& [node, held] : cards) append_card(out, plan, node, held, shown++ < kUnfolded);
    out += "</section>\n";
}

/// The edges that are not resolved yet.
void collect_awaited(const Predicate& group, const HtmlPlan& plan, std::string& out, std::size_t& count) {
    if (group.resolution != Resolution::unresolved) return;
    for (const Edge& edge : group.edges) {
        if (edge.resolution != Resolution::unresolved || ++count > kMostNamed) continue;
        out += (out.empty() ? "" : ", ") + html_link(plan, edge.target);
    }
    for (const Predicate& inner : group.groups) collect_awaited(inner, plan, out, count);
}

std::string why_open(const HtmlPlan& plan, const ReportNode& node) {
    std::string names;
    std::size_t count = 0;
    collect_awaited(node.check != nullptr ? node.check->dependencies : node.stage->dependencies, plan, names,
                    count);
    if (!names.empty())
        return "waits for " + names +
               (count > kMostNamed ? fmt::format(" and {} more", count - kMostNamed) : "");
    if (node.check != nullptr)
        return plan.report.stages_of(*node.check).empty() ? "waits for somebody to report"
                                                          : "is being answered";
    if (node.stage->attempts.empty()) return {};
    const Attempt& attempt = node.stage->attempts.back();
    return fmt::format("attempt {} is {}", attempt.idx, to_string(attempt.state));
}

/// A line for each node, with why it is where it is.
template <class Why>
void append_rows(std::string& out, HtmlPlan& plan, ReportSection section, std::string_view id,
                 const Why& why) {
    const auto& nodes = plan.sections[static_cast<std::size_t>(section)];
    if (nodes.empty()) return;
    out += section_head(id, title_of(section), nodes.size()) +
           fmt::format("<details class=\"list\"{}><summary>{}</summary><ul class=\"rows\">\n",
                       nodes.size() <= kUnfoldedRows ? " open" : "",
                       amount_of(static_cast<std::int64_t>(nodes.size()), "node"));
    for (const ReportNode& node : nodes) {
        if (!plan.lists(node)) continue;
        std::string row = "<li" + html_filtered(plan, node) + "><span class=\"sign\">";
        row += html_sign(section);
        row += "</span> " + html_link(plan, node.ref());
        if (const std::string words = why(node); !words.empty())
            row += " <span class=\"why\">" + words + "</span>";
        row += "</li>\n";
        if (plan.message_room.take(row.size())) out += row;
    }
    out += "</ul></details>\n</section>\n";
}

}  // namespace

void append_html_failures(std::string& out, HtmlPlan& plan) {
    append_cards(out, plan, ReportSection::failed, "failed");
    append_cards(out, plan, ReportSection::cancelled, "cancelled");
    append_rows(out, plan, ReportSection::broken, "broken", [&](const ReportNode& node) {
        const auto& causes = plan.causes.causes_of(node.ref());
        return causes.empty() ? std::string() : "because of " + html_links(plan, causes, kMostNamed);
    });
    append_rows(out, plan, ReportSection::running, "running",
                [&](const ReportNode& node) { return why_open(plan, node); });
    append_rows(out, plan, ReportSection::open, "open",
                [&](const ReportNode& node) { return why_open(plan, node); });
    append_cards(out, plan, ReportSection::optional, "optional");
}

}  // namespace turboci
