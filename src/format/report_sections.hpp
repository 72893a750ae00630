// SPDX-License-Identifier: Apache-2.0
// The nodes of a plan, worst first, as every report for people lists them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "format/plan_report.hpp"

namespace turboci {

/// Worst first.
enum class ReportSection : std::uint8_t {
    failed,
    cancelled,
    broken,  ///< skipped after a failure
    running,
    open,
    optional,  ///< bad, but not required
    skipped,
    passed,
};
inline constexpr std::size_t kReportSections = 8;
[[nodiscard]] std::string_view title_of(ReportSection section) noexcept;  ///< "Failed", …
[[nodiscard]] ReportSection section_of(State state, std::optional<Outcome> outcome,
                                       Standing standing) noexcept;
/// Do reports show the end of the log of what is in this section?
[[nodiscard]] bool shows_log(ReportSection section) noexcept;

/// A check or a stage of a report. Only what is shown of it is worked out.
struct ReportNode {
    const Check* check = nullptr;
    const Stage* stage = nullptr;

    [[nodiscard]] NodeRef ref() const;
    [[nodiscard]] State state() const noexcept;
    [[nodiscard]] std::optional<Outcome> outcome() const noexcept;
    /// Why it ended as it did: all messages, with "; " between them. Not much longer than `enough` bytes.
    [[nodiscard]] std::string message(std::size_t enough) const;
    [[nodiscard]] Duration time(const PlanReport& report) const;
    [[nodiscard]] std::vector<PlanReport::Culprit> culprits(const PlanReport& report) const;
    /// Its log is shown with the check that it answers.
    [[nodiscard]] bool is_answered_for(const PlanReport& report) const;
};

using ReportSections = std::array<std::vector<ReportNode>, kReportSections>;
/// Every node: checks before stages, each in the order of creation.
[[nodiscard]] ReportSections sections_of(const PlanReport& report);

}  // namespace turboci
