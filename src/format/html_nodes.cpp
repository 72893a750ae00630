// SPDX-License-Identifier: Apache-2.0
// The graph of the HTML page: every node that is listed, by kind, linked to what it needs.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "format/graph_drawing.hpp"
#include "format/html_parts.hpp"
#include "format/report_text.hpp"

namespace turboci {
namespace {

constexpr std::size_t kUnfoldedNodes = 60;    // with so many in all, every kind is unfolded
constexpr std::size_t kUnfoldedOfKind = 200;  // else those with failures, up to so many
constexpr std::size_t kMostLinks = 50;        // of one node
constexpr std::size_t kMostKinds = 12;        // that one is said to need
constexpr int kMostLevels = 8;                // of groups in groups

/// What one node needs, as links; groups as "any of (…)".
class Needs {
public:
    explicit Needs(const HtmlPlan& plan) : plan_(plan) {}

    std::string of(const Predicate& predicate) {
        out_.clear();
        links_ = left_out_ = 0;
        if (!predicate.empty()) members(predicate, 0);
        if (left_out_ > 0) out_ += fmt::format(" and {} more", left_out_);
        return std::move(out_);
    }

private:
    void members(const Predicate& group, int level) {
        const std::size_t count = group.edges.size() + group.groups.size();
        const bool named = group.kind != GroupKind::all || level > 0;
        if (named && count > 1) {
            if (group.kind == GroupKind::all) out_ += "all of (";
            if (group.kind == GroupKind::any) out_ += "any of (";
            if (group.kind == GroupKind::at_least) out_ += fmt::format("{} of (", group.threshold);
        }
        bool first = true;
        const auto separate = [&] {
            if (!first) out_ += ", ";
            first = false;
        };
        for (const Edge& edge : group.edges) {
            if (++links_ > kMostLinks) {
                ++left_out_;
                continue;
            }
            separate();
            link(edge);
        }
        for (const Predicate& inner : group.groups) {
            if (links_ >= kMostLinks || level == kMostLevels) {
                ++left_out_;
                continue;
            }
            separate();
            members(inner, level + 1);
        }
        if (named && count > 1) out_ += ")";
    }

    void link(const Edge& edge) {
        switch (edge.resolution) {
            case Resolution::satisfied:
                out_ += "<span class=\"yes\">✓</span> ";
                break;
            case Resolution::unsatisfied:
                out_ += "<span class=\"no\">✗</span> ";
                break;
            case Resolution::unresolved:
                out_ += "<span class=\"unknown\">?</span> ";
                break;
        }
        out_ += html_link(plan_, edge.target);
        if (edge.on_state != State::final)
            out_ += fmt::format(" (at {})", to_string(edge.on_state));
        else if (edge.when != When::success)
            out_ += fmt::format(" ({})", to_string(edge.when));
    }

    const HtmlPlan& plan_;
    std::string out_;
    std::size_t links_ = 0, left_out_ = 0;
};

/// "answered by" the stages of a check, "answers" the checks of a stage.
std::string answers(const HtmlPlan& plan, const ReportNode& node) {
    std::vector<NodeRef> refs;
    if (node.check != nullptr) {
        for (const Stage* stage : plan.report.stages_of(*node.check))
            refs.push_back({NodeType::stage, stage->id});
    } else {
        for (const Assignment& a : node.stage->assignments)
            refs.push_back({NodeType::check, a.target_check_id});
    }
    std::string out;
    for (std::size_t i = 0; i < refs.size() && i < kMostLinks; ++i)
        out += (i == 0 ? "" : ", ") + html_link(plan, refs[i]);
    if (refs.size() > kMostLinks) out += fmt::format(" and {} more", refs.size() - kMostLinks);
    return out;
}

void append_node(std::string& out, HtmlPlan& plan, const ReportNode& node) {
    const ReportSection section = plan.section_of(node);
    out += fmt::format(
        "<tr id=\"n{}\"{}><th scope=\"row\"><span class=\"sign\">{}</span> <bdi>{}</bdi></th><td>{}</td>"
        "<td class=\"took\">",
        plan.numbers.at(to_string(node.ref())), html_filtered(plan, node), html_sign(section),
        html_text(to_string(node.ref())),
        node.outcome() ? to_string(*node.outcome()) : to_string(node.state()));
    if (const Duration taken = node.time(plan.report); taken > Duration::zero()) out += human_duration(taken);
    out += "</td><td>";
    std::string links;
    const auto add = [&](std::string_view word, const std::string& what) {
        if (!what.empty()) links += fmt::format("<div><span class=\"word\">{}</span> {}</div>", word, what);
    };
    add("needs", Needs(plan).of(node.check != nullptr ? node.check->dependencies : node.stage->dependencies));
    if (node.stage != nullptr) add("continues with", Needs(plan).of(node.stage->continuation_group));
    add(node.check != nullptr ? "answered by" : "answers", answers(plan, node));
    out += plan.link_room.take(links.size()) ? links
                                             : "<span class=\"more\">too many links for this page</span>";
    if (node.stage != nullptr && node.stage->carried_from)
        out += "<div><span class=\"word\">carried over from plan</span> " +
               html_text(node.stage->carried_from->plan, 80) + "</div>";
    out += "</td></tr>\n";
}

struct NodesOfKind {
    std::string_view name;  ///< may be empty
    std::vector<ReportNode> nodes;
    std::array<std::size_t, kReportSections> counts{};
    std::set<std::string_view> needs;  ///< other kinds
    [[nodiscard]] std::string title() const { return name.empty() ? "no kind" : html_text(name, 60); }
};

void collect_targets(const Predicate& group, std::vector<std::string>& refs) {
    for (const Edge& edge : group.edges) refs.push_back(to_string(edge.target));
    for (const Predicate& inner : group.groups) collect_targets(inner, refs);
}

/// The kinds of the nodes that are listed: the worst first, what has none last.
std::vector<NodesOfKind> kinds_of(const HtmlPlan& plan) {
    std::map<std::string_view, NodesOfKind> by_name;
    std::unordered_map<std::string, std::string_view> kind_of;
    for (const auto& section : plan.sections) {
        for (const ReportNode& node : section) {
            if (!plan.lists(node)) continue;
            const std::string_view name = plan.kind_of(node);
            NodesOfKind& kind = by_name[name];
            kind.name = name;
            kind.nodes.push_back(node);
            ++kind.counts[static_cast<std::size_t>(plan.section_of(node))];
            kind_of.emplace(to_string(node.ref()), name);
        }
    }
    std::vector<NodesOfKind> kinds;
    for (auto& [name, kind] : by_name) {
        std::vector<std::string> targets;
        for (const ReportNode& node : kind.nodes)
            collect_targets(node.check != nullptr ? node.check->dependencies : node.stage->dependencies,
                            targets);
        for (const std::string& target : targets) {
            const auto found = kind_of.find(target);
            if (found != kind_of.end() && found->second != name) kind.needs.insert(found->second);
        }
        // Checks, then stages, each worst first.
        std::ranges::stable_sort(kind.nodes, {},
                                 [](const ReportNode& node) { return node.check == nullptr; });
        kinds.push_back(std::move(kind));
    }
    std::ranges::stable_sort(kinds, std::greater<>(), [](const NodesOfKind& kind) {
        return std::tuple(!kind.name.empty(), kind.counts[0] + kind.counts[1], kind.counts[2]);
    });
    return kinds;
}

/// The graph of the kinds: links from each to those that it needs.
std::string needs_of(const NodesOfKind& kind, const std::map<std::string_view, std::size_t>& numbers) {
    std::string out;
    std::size_t count = 0;
    for (const std::string_view other : kind.needs) {
        if (++count > kMostKinds) continue;
        out += fmt::format("{}<a href=\"#k{}\">{}</a>", count == 1 ? "needs " : ", ", numbers.at(other),
                           other.empty() ? "no kind" : html_text(other, 60));
    }
    if (count > kMostKinds) out += fmt::format(" and {} more", count - kMostKinds);
    return out.empty() ? out : " <span class=\"why\">" + out + "</span>";
}

void append_kind(std::string& out, HtmlPlan& plan, const NodesOfKind& kind,
                 const std::map<std::string_view, std::size_t>& numbers, bool unfold) {
    const bool bad = kind.counts[0] + kind.counts[1] + kind.counts[2] > 0;
    out += fmt::format(
        "<details id=\"k{}\" class=\"list kinds\"{}><summary><span class=\"kind\">{}</span> {}{}</summary>\n"
        "<div class=\"scroll\"><table class=\"nodes\">\n<thead><tr><th scope=\"col\">Node</th><th "
        "scope=\"col\">State</th><th scope=\"col\">Time</th><th "
        "scope=\"col\">Edges</th></tr></thead>\n<tbody>\n",
        numbers.at(kind.name), unfold || (bad && kind.nodes.size() <= kUnfoldedOfKind) ? " open" : "",
        kind.title(), html_shares(kind.counts), needs_of(kind, numbers));
    for (const ReportNode& node : kind.nodes) append_node(out, plan, node);
    out += "</tbody></table></div></details>\n";
}

}  // namespace

void append_html_nodes(std::string& out, HtmlPlan& plan) {
    const std::vector<NodesOfKind> kinds = kinds_of(plan);
    if (kinds.empty()) return;
    const std::size_t all = plan.numbers.size() + plan.left_out;
    std::map<std::string_view, std::size_t> numbers;
    for (const NodesOfKind& kind : kinds) numbers.emplace(kind.name, numbers.size() + 1);
    out += fmt::format("<section id=\"nodes\">\n<h2>Graph <span class=\"n\">{}</span></h2>\n", all);
    for (const NodesOfKind& kind : kinds) append_kind(out, plan, kind, numbers, all <= kUnfoldedNodes);
    if (plan.left_out > 0)
        out += fmt::format("<p class=\"more\">{} more nodes are left out: the worst come first.</p>\n",
                           plan.left_out);
    out += "</section>\n";
}

}  // namespace turboci
