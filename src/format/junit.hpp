// SPDX-License-Identifier: Apache-2.0
// JUnit XML: what test runners report, and what CI systems read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/node_collector.hpp"

namespace turboci {

/// A failing case. All texts are one line of valid UTF-8 without control characters, cut to kMaxJunitText.
struct JunitCase {
    std::string suite;  ///< the case's class name, else its suite's name
    std::string name;
    std::string message;
};

/// What a report says, counted from its cases: attributes that disagree with them are ignored. A suite
/// without any case is taken at the word of its attributes.
struct JunitReport {
    std::int64_t tests = 0;     ///< cases, each once, whatever happened to it
    std::int64_t failures = 0;  ///< cases with a failure and no error
    std::int64_t errors = 0;    ///< cases with an error, and errors of whole suites
    std::int64_t skipped = 0;   ///< cases that were skipped, disabled or not run
    double seconds = 0;
    std::vector<JunitCase> failing;  ///< the first kMaxFailing, in the order of the report
    std::int64_t failing_total = 0;  ///< of which `failing` has the first
    [[nodiscard]] bool passed() const noexcept { return failures == 0 && errors == 0; }
};
inline constexpr std::size_t kMaxFailing = 100;
inline constexpr std::size_t kMaxJunitBytes = 64u << 20;
inline constexpr std::size_t kMaxJunitText = 500;  ///< bytes

/// Reads the dialects of pytest, Surefire, GoogleTest, Catch2 and CTest; reruns and flaky failures of
/// Surefire are no failures. INVALID_ARGUMENT with FILE:LINE:COL in its details for what is not XML, not
/// JUnit, has a DOCTYPE, or is too large or too deep; `file_name` is for messages.
[[nodiscard]] JunitReport read_junit(std::string_view xml, const std::string& file_name);

/// Reports added up, as if they had been one.
void add_report(JunitReport& sum, const JunitReport& more);

/// {"tests","failures","errors","skipped","seconds","failing":[{"suite","name","message"}…],"failing_total"}
void append_json(std::string& out, const JunitReport& report);
/// "2 of 40 tests failed: a.b: expected 1 (and 1 more)"; "" if it passed.
[[nodiscard]] std::string failure_of(const JunitReport& report);

/// A plan as a report for CI systems: one suite of checks, one of stages. What is not FINAL is skipped.
[[nodiscard]] std::string junit_xml(const NodeCollector& graph);

}  // namespace turboci
