// SPDX-License-Identifier: Apache-2.0
#include "format/markdown.hpp"

#include <algorithm>
#include <array>

#include "format/graph_failures.hpp"
#include "format/terminal.hpp"

namespace turboci {
namespace {

constexpr std::size_t kMaxMessageColumns = 1000;

enum Section : std::size_t { failed, cancelled, skipped, running, open, passed, kSections };
constexpr std::array<std::string_view, kSections> kTitles{"Failed",  "Cancelled", "Skipped",
                                                          "Running", "Open",      "Passed"};

Section section_of(State state, std::optional<Outcome> outcome) {
    if (state == State::final && outcome) {
        switch (*outcome) {
            case Outcome::passed:
                return passed;
            case Outcome::failed:
                return failed;
            case Outcome::skipped:
                return skipped;
            case Outcome::cancelled:
                return cancelled;
        }
    }
    return state == State::attempting ? running : open;
}

/// A node of one type; only what is shown of it is worked out.
struct Entry {
    const Check* check = nullptr;
    const Stage* stage = nullptr;
};

std::string message_of(const Entry& entry) {
    if (entry.stage != nullptr) return failure_message(*entry.stage);
    std::string all;
    for (const std::string& message : failure_messages(*entry.check)) {
        if (!all.empty()) all += "; ";
        all += message;
        if (all.size() > 8 * kMaxMessageColumns) break;  // cut when it is shown
    }
    return all;
}

std::string line_of(const Entry& entry, Section section) {
    const State state = entry.check != nullptr ? entry.check->state : entry.stage->state;
    const NodeRef ref = entry.check != nullptr ? NodeRef{NodeType::check, entry.check->id}
                                               : NodeRef{NodeType::stage, entry.stage->id};
    std::string line = "- " + markdown_code(to_string(ref));
    if (entry.check != nullptr && !entry.check->kind.empty())
        line += " (" + markdown_code(entry.check->kind) + ")";
    if (section == open) line += " " + std::string(to_string(state));
    if (section == failed || section == cancelled || section == skipped) {
        const std::string message = message_of(entry);
        if (!message.empty()) line += ": " + markdown_code(fit(printable(message), kMaxMessageColumns));
    }
    return line + "\n";
}

std::string heading(const PlanSummary& summary) {
    const PlanTotals sum = totals(summary.plan);
    const std::int64_t open_nodes = sum.checks - sum.final_checks + sum.stages - sum.final_stages;
    std::string verdict;
    if (sum.failed_checks > 0) {
        verdict =
            "❌ " + std::to_string(sum.failed_checks) + " of " + std::to_string(sum.checks) + " checks failed";
    } else if (sum.failed_stages + sum.cancelled_stages > 0) {
        verdict = "❌ " + std::to_string(sum.failed_stages + sum.cancelled_stages) + " of " +
                  std::to_string(sum.stages) + " stages failed";
    } else if (open_nodes > 0) {
        verdict = "⏳ " + std::to_string(open_nodes) + " of " + std::to_string(sum.checks + sum.stages) +
                  " still open";
    } else if (sum.passed_checks > 0 || sum.passed_stages > 0) {
        verdict = "✅ passed";
    } else {
        verdict = "⚪ nothing passed";
    }
    const auto row = [](std::string_view name, std::int64_t ok, std::int64_t bad, std::int64_t stopped,
                        std::int64_t left_aside, std::int64_t final, std::int64_t all) {
        std::string line = "| " + std::string(name) + " |";
        for (const std::int64_t count : {ok, bad, stopped, left_aside, all - final, all})
            line += " " + std::to_string(count) + " |";
        return line + "\n";
    };
    return "## " + markdown_code(summary.plan.id) + ": " + verdict +
           "\n\n| | passed | failed | cancelled | skipped | open | all |\n|---|--:|--:|--:|--:|--:|--:|\n" +
           row("checks", sum.passed_checks, sum.failed_checks, 0, sum.skipped_checks, sum.final_checks,
               sum.checks) +
           row("stages", sum.passed_stages, sum.failed_stages, sum.cancelled_stages, sum.skipped_stages,
               sum.final_stages, sum.stages);
}

std::string section_begin(Section section, std::size_t count) {
    const std::string title = std::string(kTitles[section]) + " (" + std::to_string(count) + ")";
    if (section == passed) return "\n<details><summary>" + title + "</summary>\n\n";
    return "\n### " + title + "\n\n";
}

std::string_view section_end(Section section) { return section == passed ? "\n</details>\n" : ""; }

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

std::string markdown_summary(const PlanSummary& summary, const NodeCollector& graph, std::size_t max_bytes) {
    std::array<std::vector<Entry>, kSections> sections;
    for (const Check& check : graph.checks()) {
        sections[section_of(check.state, check.outcome)].push_back({&check, nullptr});
    }
    for (const Stage& stage : graph.stages()) {
        sections[section_of(stage.state, stage.outcome)].push_back({nullptr, &stage});
    }
    std::string out = heading(summary);
    // Room for the end of an open section and for the last line.
    constexpr std::size_t kReserve = 100;
    const std::size_t room = max_bytes > kReserve ? max_bytes - kReserve : 0;
    std::size_t left_out = 0;
    for (std::size_t s = 0; s < kSections; ++s) {
        const auto section = static_cast<Section>(s);
        std::size_t shown = 0;
        for (const Entry& entry : sections[s]) {
            if (left_out > 0) break;  // nothing worse may stand behind something better
            const std::string line = line_of(entry, section);
            const std::string begin = shown == 0 ? section_begin(section, sections[s].size()) : "";
            if (out.size() + begin.size() + line.size() > room) break;
            out += begin + line;
            ++shown;
        }
        if (shown > 0) out += section_end(section);
        left_out += sections[s].size() - shown;
    }
    return out + left_out_line(left_out);
}

}  // namespace turboci
