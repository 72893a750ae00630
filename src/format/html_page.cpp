// SPDX-License-Identifier: Apache-2.0
#include "format/html_page.hpp"

#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>

#include "format/content_hash.hpp"
#include "format/html_parts.hpp"
#include "format/report_text.hpp"

namespace turboci {
namespace {

constexpr std::size_t kMostLabels = 20;

std::string_view verdict_class(const PlanReport& report) {
    switch (report.judgement().verdict) {
        case Verdict::failed:
            return "failed";
        case Verdict::pending:
            return "open";
        case Verdict::passed:
            break;
    }
    return report.gate_opens() ? "passed" : "skipped";
}

void append_head(std::string& out, const HtmlPlan& plan) {
    const std::string title = html_text(plan.report.graph().plan().id) + ": " + plan.report.verdict_words();
    out += fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; "
        "script-src "
        "'{}'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
        "content=\"no-referrer\">\n"
        "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
        content_hash(kHtmlStyle), content_hash(kHtmlScript), title, kHtmlStyle);
}

/// "2026-01-02 03:04:05 UTC"
std::string moment(Timestamp time) {
    std::string text = format_timestamp(time).substr(0, 19);
    text[10] = ' ';
    return text + " UTC";
}

/// What one reads first: what came out, and how long it took.
std::string facts_of(const HtmlPlan& plan) {
    std::string out;
    const auto fact = [&](std::string_view name, const std::string& value) {
        out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
    };
    const ReportTimes& times = plan.times;
    if (!times.spans().empty()) {
        fact("Took", human_duration(times.end() - times.begin()));
        fact("Work", human_duration(times.worked()));
        if (const auto& chain = times.critical_path(); !chain.stages.empty())
            fact("Critical path",
                 human_duration(chain.length) + (chain.waiting > Duration::zero()
                                                     ? ", " + human_duration(chain.waiting) + " waiting"
                                                     : std::string()));
        fact("Began", moment(times.begin()));
    } else {
        fact("Created", moment(plan.report.graph().plan().created_at));
    }
    const auto labels = nlohmann::json::parse(plan.report.graph().plan().labels.text, nullptr, false);
    std::size_t shown = 0;
    if (labels.is_object()) {
        for (const auto& [name, value] : labels.items()) {
            if (!value.is_string() || ++shown > kMostLabels) continue;
            fact(html_text(name, 40), html_text(value.get<std::string>(), 80));
        }
    }
    return out;
}

std::array<std::size_t, kReportSections> counts_of(const HtmlPlan& plan, NodeType type) {
    std::array<std::size_t, kReportSections> counts{};
    for (std::size_t s = 0; s < counts.size(); ++s)
        for (const ReportNode& node : plan.sections[s])
            if (node.ref().type == type) ++counts[s];
    return counts;
}

void append_header(std::string& out, const HtmlPlan& plan) {
    const std::string_view verdict = verdict_class(plan.report);
    out += fmt::format("<header class=\"{}\">\n<h1><span class=\"verdict\">{}</span> <bdi>{}</bdi></h1>\n",
                       verdict, plan.report.verdict_words(), html_text(plan.report.graph().plan().id));
    out += "<dl class=\"facts\">\n" + facts_of(plan) + "</dl>\n<div class=\"totals\">\n";
    for (const NodeType type : {NodeType::check, NodeType::stage}) {
        const auto counts = counts_of(plan, type);
        std::size_t all = 0;
        for (const std::size_t count : counts) all += count;
        if (all > 0)
            out += fmt::format(
                "<p><b>{}</b> {}</p>\n",
                amount_of(static_cast<std::int64_t>(all), type == NodeType::check ? "check" : "stage"),
                html_shares(counts));
    }
    out += "</div>\n</header>\n";
}

/// Only a script can filter, so only a script shows this.
void append_filters(std::string& out, const HtmlPlan& plan) {
    out +=
        "<form id=\"filters\" hidden>\n<input type=\"search\" name=\"t\" placeholder=\"Filter by text\" "
        "aria-label=\"Filter by text\">\n<fieldset><legend>Outcome</legend>";
    for (std::size_t s = 0; s < kReportSections; ++s) {
        if (plan.sections[s].empty()) continue;
        const auto section = static_cast<ReportSection>(s);
        out += fmt::format(
            "<label class=\"{0}\"><input type=\"checkbox\" name=\"o\" value=\"{0}\"> {1} {2}</label>\n",
            html_class(section), title_of(section), plan.sections[s].size());
    }
    out += "</fieldset>\n<select name=\"k\" aria-label=\"Kind\"><option value=\"*\">any kind</option>";
    std::map<std::string, bool> kinds;
    for (const auto& section : plan.sections)
        for (const ReportNode& node : section) kinds.emplace(html_text(plan.kind_of(node), 80), true);
    for (const auto& [kind, there] : kinds)
        out += fmt::format("<option value=\"{}\">{}</option>", kind, kind.empty() ? "no kind" : kind);
    out += "</select>\n<select name=\"d\" aria-label=\"Duration\"><option value=\"0\">any duration</option>";
    for (const auto& [ms, words] : std::initializer_list<std::pair<int, std::string_view>>{
             {1'000, "1 s"}, {10'000, "10 s"}, {60'000, "1 min"}, {300'000, "5 min"}, {1'800'000, "30 min"}})
        out += fmt::format("<option value=\"{}\">{} or more</option>", ms, words);
    out +=
        "</select>\n<button type=\"reset\">Clear</button>\n<output aria-live=\"polite\"></output>\n</form>\n";
}

void append_contents(std::string& out, const std::string& body) {
    out += "<nav>";
    for (const auto& [id, title] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"failed", "Failed"},
             {"cancelled", "Cancelled"},
             {"broken", "Skipped after a failure"},
             {"running", "Running"},
             {"open", "Open"},
             {"optional", "Not required"},
             {"timeline", "Timeline"},
             {"nodes", "Graph"}})
        if (body.find(fmt::format("<section id=\"{}\">", id)) != std::string::npos)
            out += fmt::format("<a href=\"#{}\">{}</a>\n", id, title);
    out += "</nav>\n";
}

}  // namespace

std::string html_page(const NodeCollector& graph, const LogTail& tail) {
    HtmlPlan plan(graph, tail);
    std::string body;
    append_html_failures(body, plan);
    append_html_timeline(body, plan);
    append_html_nodes(body, plan);
    std::string out;
    append_head(out, plan);
    append_header(out, plan);
    append_contents(out, body);
    append_filters(out, plan);
    out += "<main>\n" + body + "</main>\n<footer>Plan " + html_text(graph.plan().id) + ", version " +
           std::to_string(graph.plan().version) + ", as it was at " + moment(graph.plan().updated_at) +
           ". Written by turboci.</footer>\n<script>";
    out += kHtmlScript;
    return out + "</script>\n</body>\n</html>\n";
}

}  // namespace turboci
