// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_output.hpp"

#include <algorithm>

#include "cli/node_output.hpp"
#include "format/json_value.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kBarColumns = 40;

std::string bar(std::int64_t done, std::int64_t failed, std::int64_t all, bool color) {
    const auto columns = [all](std::int64_t n) {
        return all == 0 ? std::size_t{0}
                        : static_cast<std::size_t>(n) * kBarColumns / static_cast<std::size_t>(all);
    };
    const std::size_t filled = columns(done);
    std::size_t red = std::min(filled, columns(failed));
    if (failed > 0 && red == 0 && filled > 0) red = 1;
    return "[" + styled(std::string(filled - red, '#'), Style::green, color) +
           styled(std::string(red, 'x'), Style::red, color) + std::string(kBarColumns - filled, '.') + "]";
}

void append_refs(std::string& out, const char* title, const std::vector<NodeRef>& refs, std::size_t limit,
                 std::size_t width, bool utf8) {
    if (refs.empty()) return;
    out += title;
    out += ":\n";
    for (const auto& ref : refs) {
        const std::string line = "  " + printable(to_string(ref));
        out += (width == 0 ? line : fit(line, width, utf8)) + '\n';
    }
    if (refs.size() >= limit) out += "  ... (-v shows all)\n";
}

Style style_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return Style::green;
        case Verdict::pending:
            return Style::yellow;
        case Verdict::failed:
            return Style::red;
    }
    return Style::plain;
}

}  // namespace

std::pair<std::string, std::string> parse_label(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
        throw Error(ErrorCode::usage, "'" + printable(text) + "' is not a label, KEY=VALUE",
                    "write for example branch=main");
    }
    return {text.substr(0, equals), text.substr(equals + 1)};
}

std::string labels_text(const JsonText& labels) {
    const auto object = OrderedJson::parse(labels.text, nullptr, false);
    std::string text;
    if (!object.is_object()) return text;
    for (const auto& [key, value] : object.items()) {
        if (!text.empty()) text += ", ";
        text += key + "=" + (value.is_string() ? value.get_ref<const std::string&>() : value.dump());
    }
    return text;
}

Table plan_table(const std::vector<WorkPlan>& plans) {
    // Most stores hold no plan that was made from another.
    const bool lines = std::ranges::any_of(plans, [](const WorkPlan& plan) { return plan.from.has_value(); });
    std::vector<std::string> header{"PLAN",  "VERSION", "CHECKS",  "STAGES",
                                    "FINAL", "FAILED",  "UPDATED", "LABELS"};
    if (lines) header.insert(header.end() - 1, "FROM");
    Table table(header, {header.size() - 1, 6});
    for (const auto& plan : plans) {
        const PlanTotals sum = totals(plan);
        const std::int64_t failed = sum.failed_checks + sum.failed_stages;
        std::vector<Table::Cell> row{{plan.id},
                                     {std::to_string(plan.version)},
                                     {std::to_string(sum.checks)},
                                     {std::to_string(sum.stages)},
                                     {std::to_string(sum.final_checks + sum.final_stages)},
                                     {std::to_string(failed), failed > 0 ? Style::red : Style::plain},
                                     {format_timestamp(plan.updated_at).substr(0, 19) + "Z"},
                                     {labels_text(plan.labels)}};
        if (lines) row.insert(row.end() - 1, {plan.from ? plan.from->plan : ""});
        table.add(std::move(row));
    }
    return table;
}

std::string counts_text(const WorkPlan& plan, NodeType type) {
    std::string text;
    std::int64_t all = 0;
    for (const auto& row : plan.counts) {
        if (row.type != type) continue;
        all += row.count;
        text += (text.empty() ? "" : ", ") + std::to_string(row.count) + " " +
                std::string(row.outcome ? to_string(*row.outcome) : to_string(row.state));
    }
    if (all == 0) return {};
    return std::to_string(all) + " " + std::string(to_string(type)) + (all == 1 ? "" : "s") + ": " + text;
}

std::string summary_text(const PlanSummary& summary, std::size_t limit, std::size_t width, bool color,
                         bool utf8) {
    const WorkPlan& plan = summary.plan;
    const PlanTotals sum = totals(plan);
    const std::int64_t all = sum.checks + sum.stages;
    const std::int64_t done = sum.final_checks + sum.final_stages;
    const std::int64_t failed = sum.failed_checks + sum.failed_stages + sum.cancelled_stages;
    std::string out = styled("plan " + plan.id, Style::bold, color) + "  version " +
                      std::to_string(plan.version) + "  changed " +
                      format_timestamp(plan.updated_at).substr(0, 19) + "Z\n";
    out += "verdict: " + styled(to_string(summary.verdict), style_of(summary.verdict), color) + '\n';
    if (plan.from) out += "from: " + printable(plan.from->plan) + '\n';
    if (!plan.labels.empty()) out += "labels: " + printable(labels_text(plan.labels)) + '\n';
    out +=
        bar(done, failed, all, color) + " " + std::to_string(done) + "/" + std::to_string(all) + " FINAL\n";
    for (const NodeType type : {NodeType::check, NodeType::stage}) {
        if (const std::string counts = counts_text(plan, type); !counts.empty()) out += counts + '\n';
    }
    append_refs(out, "ready", summary.ready, limit, width, utf8);
    append_refs(out, "running", summary.running, limit, width, utf8);
    if (!summary.failed.empty()) out += "failed:\n";
    for (const auto& failure : summary.failed) {
        std::string line = "  " + printable(to_string(failure.node));
        if (!failure.message.empty()) line += "  " + printable(failure.message);
        out += styled(width == 0 ? line : fit(line, width, utf8), Style::red, color) + '\n';
    }
    if (summary.failed.size() >= limit) out += "  ... (-v shows all)\n";
    return out;
}

}  // namespace turboci::cli
