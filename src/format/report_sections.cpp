// SPDX-License-Identifier: Apache-2.0
#include "format/report_sections.hpp"

#include "format/graph_failures.hpp"

namespace turboci {

std::string_view title_of(ReportSection section) noexcept {
    constexpr std::array<std::string_view, kReportSections> kTitles{
        "Failed",  "Cancelled", "Skipped after a failure", "Running", "Open", "Not required",
        "Skipped", "Passed"};
    return kTitles[static_cast<std::size_t>(section)];
}

ReportSection section_of(State state, std::optional<Outcome> outcome, Standing standing) noexcept {
    if (standing == Standing::aside && state == State::final) return ReportSection::optional;
    if (state != State::final || !outcome)
        return state == State::attempting ? ReportSection::running : ReportSection::open;
    switch (*outcome) {
        case Outcome::passed:
            return ReportSection::passed;
        case Outcome::failed:
            return ReportSection::failed;
        case Outcome::cancelled:
            return ReportSection::cancelled;
        case Outcome::skipped:
            return standing == Standing::bad ? ReportSection::broken : ReportSection::skipped;
    }
    return ReportSection::open;
}

bool shows_log(ReportSection section) noexcept {
    return section == ReportSection::failed || section == ReportSection::cancelled ||
           section == ReportSection::optional;
}

NodeRef ReportNode::ref() const {
    return check != nullptr ? NodeRef{NodeType::check, check->id} : NodeRef{NodeType::stage, stage->id};
}

State ReportNode::state() const noexcept { return check != nullptr ? check->state : stage->state; }

std::optional<Outcome> ReportNode::outcome() const noexcept {
    return check != nullptr ? check->outcome : stage->outcome;
}

std::string ReportNode::message(std::size_t enough) const {
    if (stage != nullptr) return failure_message(*stage);
    std::string all;
    for (const std::string& message : failure_messages(*check)) {
        if (!all.empty()) all += "; ";
        all += message;
        if (all.size() > enough) break;
    }
    return all;
}

Duration ReportNode::time(const PlanReport& report) const {
    return check != nullptr ? report.time_of(*check) : PlanReport::time_of(*stage);
}

std::vector<PlanReport::Culprit> ReportNode::culprits(const PlanReport& report) const {
    return check != nullptr ? report.culprits_of(*check) : report.culprits_of(*stage);
}

bool ReportNode::is_answered_for(const PlanReport& report) const {
    return stage != nullptr && report.is_answered_for(*stage);
}

ReportSections sections_of(const PlanReport& report) {
    ReportSections sections;
    const auto add = [&](Standing standing, const ReportNode& node) {
        sections[static_cast<std::size_t>(section_of(node.state(), node.outcome(), standing))].push_back(
            node);
    };
    for (const Check& check : report.graph().checks()) add(report.standing_of(check), {&check, nullptr});
    for (const Stage& stage : report.graph().stages()) add(report.standing_of(stage), {nullptr, &stage});
    return sections;
}

}  // namespace turboci
