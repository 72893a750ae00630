// SPDX-License-Identifier: Apache-2.0
// The timeline of the HTML page: a row a stage, its attempts as bars.
#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>

#include "format/html_parts.hpp"
#include "format/report_text.hpp"

namespace turboci {
namespace {

constexpr std::size_t kMaxTimelineRows = 5'000;
constexpr std::size_t kNameColumns = 60;
constexpr std::size_t kMostBars = 50;  // of one stage
constexpr double kTimeWidth = 1000;    // of the whole plan, in units of the drawing
constexpr double kLeastWidth = 2;
constexpr double kLeastMarked = 8;      // less would be all border
constexpr std::size_t kDenseRows = 60;  // more rows than that are set closer

class Timeline {
public:
    Timeline(std::string& out, const HtmlPlan& plan)
        : out_(out),
          plan_(plan),
          begin_(plan.times.begin()),
          length_(std::max(plan.times.end() - plan.times.begin(), Duration(1))) {}

    void write() {
        const std::vector<std::span<const AttemptSpan>> rows = rows_of(plan_.times.spans());
        if (rows.empty()) return;
        out_ += "<section id=\"timeline\">\n<h2>Timeline</h2>\n";
        critical_path();
        legend();
        out_ += fmt::format(
            "<div class=\"scroll\"><table class=\"timeline{}\">\n<thead><tr><th "
            "scope=\"col\">Stage</th><th scope=\"col\"><span class=\"axis\">",
            rows.size() > kDenseRows ? " dense" : "");
        for (int i = 0; i <= 4; ++i) out_ += "<span>" + human_duration(length_ * i / 4) + "</span>";
        out_ += "</span></th><th scope=\"col\">Time</th></tr></thead>\n<tbody>\n";
        std::size_t shown = 0;
        for (const auto& spans : rows) {
            if (shown == kMaxTimelineRows || !plan_.lists({nullptr, spans.front().stage})) continue;
            row(spans);
            ++shown;
        }
        out_ += "</tbody></table></div>\n";
        notes(rows.size(), rows.size() - shown);
        out_ += "</section>\n";
    }

private:
    /// The spans of each stage.
    static std::vector<std::span<const AttemptSpan>> rows_of(std::span<const AttemptSpan> spans) {
        std::vector<std::span<const AttemptSpan>> rows;
        while (!spans.empty()) {
            std::size_t count = 1;
            while (count < spans.size() && spans[count].stage == spans.front().stage) ++count;
            rows.push_back(spans.first(count));
            spans = spans.subspan(count);
        }
        return rows;
    }

    void legend() {
        out_ += "<p class=\"legend\">";
        for (const auto& [bar, words] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
                 {"wait", "waiting"},
                 {"passed", "attempt that ended well"},
                 {"failed", "attempt that did not"}})
            out_ += fmt::format(
                "<span><svg class=\"key\" viewBox=\"0 0 20 10\" aria-hidden=\"true\"><rect "
                "class=\"{}\" x=\"0\" width=\"20\" y=\"{}\" height=\"{}\"/></svg> {}</span>\n",
                bar, bar == "wait" ? 3 : 0, bar == "wait" ? 4 : 10, words);
        out_ += "<span><span class=\"critical\">◆</span> on the critical path</span></p>\n";
    }

    void critical_path() {
        const PlanGraph::Chain& chain = plan_.times.critical_path();
        if (chain.stages.empty()) return;
        const std::string head = fmt::format(
            "<span class=\"critical\">◆</span> Critical path: {}{}, {}", human_duration(chain.length),
            chain.waiting > Duration::zero() ? ", " + human_duration(chain.waiting) + " of it waiting" : "",
            amount_of(static_cast<std::int64_t>(chain.stages.size()), "stage"));
        out_ += fmt::format("<details class=\"path\"{}><summary>{}</summary>\n<ol>",
                            chain.stages.size() <= 12 ? " open" : "", head);
        std::unordered_map<std::string_view, const Stage*> stages;
        for (const Stage& stage : plan_.report.graph().stages()) stages.emplace(stage.id, &stage);
        for (const std::string& id : chain.stages)
            out_ += "<li>" + html_link(plan_, {NodeType::stage, id}) + " <span class=\"took\">" +
                    human_duration(PlanReport::time_of(*stages.at(id))) + "</span></li>\n";
        out_ += "</ol></details>\n";
    }

    [[nodiscard]] double place(Timestamp time) const {
        return kTimeWidth * static_cast<double>((time - begin_).count()) /
               static_cast<double>(length_.count());
    }

    void row(std::span<const AttemptSpan> spans) {
        const ReportNode node{nullptr, spans.front().stage};
        const bool critical = plan_.times.is_critical(*node.stage);
        out_ += "<tr" + html_filtered(plan_, node) + "><th scope=\"row\">";
        if (critical) out_ += "<span class=\"critical\" title=\"on the critical path\">◆</span> ";
        const auto number = plan_.numbers.at(to_string(node.ref()));
        out_ += fmt::format(
            "<a href=\"#n{}\"><bdi>{}</bdi></a></th><td><svg viewBox=\"0 0 1000 10\" "
            "preserveAspectRatio=\"none\">",
            number, html_text(node.stage->id, kNameColumns));
        // Of a stage that was tried over and over the last tries say most.
        const std::size_t first = spans.size() - std::min(spans.size(), kMostBars);
        if (first > 0) ++cut_;
        for (const AttemptSpan& span : spans.subspan(first)) bar(span, critical);
        out_ += "</svg></td><td>" + human_duration(node.time(plan_.report)) + "</td></tr>\n";
    }

    void bar(const AttemptSpan& span, bool critical) {
        const double from = std::min(place(span.begin), kTimeWidth - kLeastWidth);
        const double width = std::max(place(span.end) - from, span.waiting ? 0.0 : kLeastWidth);
        if (width < 0.05) return;
        std::string what = fmt::format("attempt {}{} {}", span.attempt->idx, span.waiting ? " waited" : "",
                                       human_duration(span.length()));
        if (!span.waiting) what += fmt::format(", {}", to_string(span.attempt->state));
        if (!span.waiting && span.attempt->cause)
            what += fmt::format(", {}", to_string(*span.attempt->cause));
        out_ += fmt::format(
            "<rect class=\"{}{}\" x=\"{:.1f}\" width=\"{:.1f}\" y=\"{}\" height=\"{}\"><title>{}"
            "</title></rect>",
            class_of(span), critical && !span.waiting && width >= kLeastMarked ? " c" : "", from, width,
            span.waiting ? 3 : 0, span.waiting ? 4 : 10, what);
    }

    [[nodiscard]] std::string_view class_of(const AttemptSpan& span) const {
        if (span.waiting) return "wait";
        if (!is_ended(span.attempt->state)) return "running";
        if (span.attempt->state == AttemptState::complete) return "passed";
        const Cause cause = span.attempt->cause.value_or(Cause::failed);
        return cause == Cause::cancelled || is_interruption(cause) ? "cancelled" : "failed";
    }

    void notes(std::size_t rows, std::size_t left_out) {
        const auto& stages = plan_.report.graph().stages();
        const auto carried =
            std::ranges::count_if(stages, [](const Stage& s) { return s.carried_from.has_value(); });
        const auto idle =
            static_cast<std::int64_t>(stages.size()) - static_cast<std::int64_t>(rows) - carried;
        std::string words;
        if (carried > 0) words += amount_of(carried, "stage") + " carried over from another plan. ";
        if (idle > 0) words += amount_of(idle, "stage") + " without an attempt. ";
        if (left_out > 0) words += amount_of(static_cast<std::int64_t>(left_out), "row") + " left out. ";
        if (cut_ > 0) words += "The earlier attempts of " + amount_of(cut_, "stage") + ". ";
        if (!words.empty()) out_ += "<p class=\"more\">Not shown: " + words + "</p>\n";
    }

    std::string& out_;
    const HtmlPlan& plan_;
    Timestamp begin_;
    Duration length_;
    std::int64_t cut_ = 0;  ///< stages with more bars than are drawn
};

}  // namespace

void append_html_timeline(std::string& out, const HtmlPlan& plan) { Timeline(out, plan).write(); }

}  // namespace turboci
