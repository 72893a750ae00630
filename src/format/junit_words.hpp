// SPDX-License-Identifier: Apache-2.0
// What the words of JUnit's dialects mean. There is no standard, so each table lists what test runners are
// known to write; a word that is not listed is `unknown`, and its reader must not take it for a pass.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace turboci {

enum class JunitElement : std::uint8_t {
    suite,      ///< testsuite, testsuites
    test_case,  ///< testcase
    failure,
    error,
    skipped,
    flaky,   ///< flakyFailure, flakyError: failed at first, passed when it was run again
    rerun,   ///< rerunFailure, rerunError: failed when it was run again, too
    output,  ///< what a program printed; nothing in it counts
    extra,   ///< properties, attachments and the like: says nothing about the answer
    unknown,
};
/// Prefixes of namespaces and case make no difference: `<x:Failure>` is a failure.
[[nodiscard]] JunitElement junit_element(std::string_view name);

enum class JunitAttribute : std::uint8_t {
    name,
    classname,
    time,
    tests,
    skipped,
    disabled,
    failures,  ///< of suites a number; of a case a number or a truth value
    failed,    ///< like `failures`, also spelled `failure`
    errors,    ///< like `failures`
    error,     ///< like `failures`
    status,
    result,
    outcome,
    executed,  ///< a truth value
    success,   ///< a truth value, also spelled `successful`, `succeeded` and `passed`
    other,
};
/// As with elements, prefixes and case make no difference.
[[nodiscard]] JunitAttribute junit_attribute(std::string_view name);

/// The attributes of an element that mean something.
class JunitAttributes {
public:
    [[nodiscard]] std::string_view operator[](JunitAttribute which) const {
        return values_[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] bool has(JunitAttribute which) const {
        return values_[static_cast<std::size_t>(which)].data() != nullptr;
    }
    /// False if it is there already.
    [[nodiscard]] bool set(JunitAttribute which, std::string_view value) {
        if (has(which)) return false;
        values_[static_cast<std::size_t>(which)] = value;
        return true;
    }

private:
    static constexpr auto kCount = static_cast<std::size_t>(JunitAttribute::other);
    std::array<std::string_view, kCount> values_{};
};

/// What the value of `status`, `result` or `outcome` says.
enum class JunitStatus : std::uint8_t {
    passed,
    flaky,
    skipped,
    not_run,  ///< like skipped, but see CTest
    failed,
    unknown,
};
/// Case, blanks, hyphens and underscores make no difference. An empty value says nothing: passed.
[[nodiscard]] JunitStatus junit_status(std::string_view value);

/// "true", "Yes", "1"; nullopt if it is no truth value.
[[nodiscard]] std::optional<bool> junit_truth(std::string_view value);

/// A count as runners write it: blanks around it, a plus sign, groups of digits ("1,234") and a fraction
/// of zeros ("2.0") are fine; the empty text is 0. At most kMaxJunitCount. nullopt if it is no count.
[[nodiscard]] std::optional<std::int64_t> junit_count(std::string_view value);
inline constexpr std::int64_t kMaxJunitCount = 1'000'000'000;

/// What the attributes of a case, or of a suite, say of how it went. Several may hold: the worst counts.
struct JunitAnswer {
    bool failed = false;
    bool unknown = false;  ///< a value is not understood
    bool skipped = false;
    bool not_run = false;
    bool flaky = false;
    const char* name = nullptr;  ///< the attribute that failed, else the first unknown one
    std::string_view value;      ///< its value
};
/// Of suites only the words are looked at: their `failures` and the like are counts of cases.
[[nodiscard]] JunitAnswer junit_answer(const JunitAttributes& attributes, bool of_case);

/// Does `name` (of `encoding="…"`) write markup in the bytes of ASCII, or is it a form of UTF-16?
[[nodiscard]] bool is_junit_encoding(std::string_view name);

}  // namespace turboci
