// SPDX-License-Identifier: Apache-2.0
// JUnit XML: what test runners report, and what CI systems read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/plan_report.hpp"

namespace turboci {

/// A case by name. All texts are one line of valid UTF-8 without control characters, cut to kMaxJunitText.
struct JunitCase {
    std::string suite;  ///< the case's class name, else its suite's name
    std::string name;
    std::string message;
};

/// What a report says, counted from its cases: attributes that disagree with them are ignored. A suite
/// without any case is taken at the word of its attributes. What is not understood counts as an error.
struct JunitReport {
    std::int64_t tests = 0;     ///< cases, each once, whatever happened to it
    std::int64_t failures = 0;  ///< cases with a failure and no error
    std::int64_t errors = 0;    ///< cases with an error, and errors of whole suites
    std::int64_t skipped = 0;   ///< cases that were skipped, disabled or not run
    double seconds = 0;
    std::vector<JunitCase> failing;  ///< the first kMaxFailing, in the order of the report
    std::int64_t failing_total = 0;  ///< of which `failing` has the first
    std::vector<JunitCase> flaky;    ///< passed after a failure: the first kMaxFailing, with that failure
    std::int64_t flaky_total = 0;
    [[nodiscard]] bool passed() const noexcept { return failures == 0 && errors == 0; }
};
inline constexpr std::size_t kMaxFailing = 100;
inline constexpr std::size_t kMaxJunitBytes = 64u << 20;
inline constexpr std::size_t kMaxJunitText = 500;  ///< bytes

/// Reads what test runners write. A case fails by its elements (failure, error) and by its attributes
/// (status, result, outcome and the like), wherever it stands. Surefire's reruns: a case with a flakyFailure
/// and no failure has passed in the end. INVALID_ARGUMENT with FILE:LINE:COL in its details for what is not
/// one XML document, not JUnit, has a DOCTYPE, an attribute twice, text beside the root or an unknown
/// encoding, or is too large or too deep; `file_name` is for messages.
[[nodiscard]] JunitReport read_junit(std::string_view xml, const std::string& file_name);

/// Reports added up, as if they had been one.
void add_report(JunitReport& sum, const JunitReport& more);

/// {"tests","failures","errors","skipped","seconds","failing":[{"suite","name","message"}…],"failing_total",
/// "flaky":[like "failing"],"flaky_total"}
void append_json(std::string& out, const JunitReport& report);
/// "2 of 40 tests failed: a.b: expected 1 (and 1 more)"; "" if it passed.
[[nodiscard]] std::string failure_of(const JunitReport& report);

/// A whole plan as a report for CI systems: a suite with one case a check, one with a case for each stage
/// that no check answers for, and for each check that an imported report answered, one with the failing and
/// flaky cases of that. It says no exactly where the verdict is failed: what was cancelled, or skipped
/// because of a failure, is a failure; what is not required, or not FINAL, is skipped.
[[nodiscard]] std::string junit_xml(const NodeCollector& graph, const LogTail& tail = {});

}  // namespace turboci
