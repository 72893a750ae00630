// SPDX-License-Identifier: Apache-2.0
// What the parts of the HTML page share: the plan, and how its data is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/report_causes.hpp"
#include "format/report_sections.hpp"
#include "format/report_times.hpp"

namespace turboci {

/// The style and the script of the page; the policy names their hashes.
extern const std::string_view kHtmlStyle;
extern const std::string_view kHtmlScript;

/// `data` on one line as text of an element, or of an attribute in double quotes: controls and bidi controls
/// escaped as visible() does, then what means something to HTML. What a CI system would take for a command
/// when the page is printed to its log is written as character references.
[[nodiscard]] std::string html_text(std::string_view data);
/// The same of at most `columns` columns of the data.
[[nodiscard]] std::string html_text(std::string_view data, std::size_t columns);

/// Room that pieces of one sort have on the page together.
class HtmlRoom {
public:
    explicit HtmlRoom(std::size_t bytes) : left_(bytes) {}
    /// False if there is none left for so many bytes.
    [[nodiscard]] bool take(std::size_t bytes) noexcept {
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }

private:
    std::size_t left_;
};

/// A plan that is being written as a page.
struct HtmlPlan {
    HtmlPlan(const NodeCollector& graph, const LogTail& tail);

    PlanReport report;
    const LogTail& tail;
    ReportTimes times;
    ReportCauses causes;
    ReportSections sections;
    /// The anchors of the nodes that are listed, by reference: "n1", … as "1", …
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::size_t left_out = 0;  ///< nodes that are not listed
    HtmlRoom log_room{std::size_t{1536} << 10};
    HtmlRoom message_room{std::size_t{384} << 10};
    HtmlRoom link_room{std::size_t{768} << 10};

    [[nodiscard]] bool lists(const ReportNode& node) const { return numbers.contains(to_string(node.ref())); }
    /// Of a check its kind; of a stage that of the first check that it is to finish.
    [[nodiscard]] std::string_view kind_of(const ReportNode& node) const;
    [[nodiscard]] ReportSection section_of(const ReportNode& node) const;

private:
    std::unordered_map<std::string_view, const Check*> checks_;
};

/// "failed", …: the class and the filter's word of a section.
[[nodiscard]] std::string_view html_class(ReportSection section) noexcept;
/// A sign that tells sections apart without colours.
[[nodiscard]] std::string_view html_sign(ReportSection section) noexcept;

/// ` class="f SECTION MORE" data-o="…" data-k="…" data-d="MILLISECONDS"`: what the filters go by.
[[nodiscard]] std::string html_filtered(const HtmlPlan& plan, const ReportNode& node,
                                        std::string_view more = {});
/// A link to the node in the list of all nodes; the bare name if it is not listed there.
[[nodiscard]] std::string html_link(const HtmlPlan& plan, const NodeRef& ref);
/// Links with commas between them; at most `most`, then how many more.
[[nodiscard]] std::string html_links(const HtmlPlan& plan, const std::vector<ReportNode>& nodes,
                                     std::size_t most);
/// A bar of the sections' shares, and the same in words.
[[nodiscard]] std::string html_shares(const std::array<std::size_t, kReportSections>& counts);

// The parts of the page, each a <section>; empty if there is nothing to tell.
void append_html_failures(std::string& out, HtmlPlan& plan);
void append_html_timeline(std::string& out, const HtmlPlan& plan);
void append_html_nodes(std::string& out, HtmlPlan& plan);

}  // namespace turboci
