// SPDX-License-Identifier: Apache-2.0
// Any bytes as a JUnit report: it is refused in an orderly way, or what was read is sound.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "format/junit.hpp"
#include "format/terminal_unicode.hpp"
#include "turboci/error.hpp"
#include "turboci/node.hpp"

using namespace turboci;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_one_line(const std::string& text) {
    require(text.size() <= kMaxJunitText);
    require(is_valid_utf8(text));
    for (std::string_view rest = text; !rest.empty();) {
        const CodePoint point = decode_utf8(rest);
        require(point.value >= 0x20 && (point.value < 0x7f || point.value > 0x9f));
        rest.remove_prefix(point.size);
    }
}

void require_sound(const JunitReport& report) {
    require(report.tests >= 0 && report.failures >= 0 && report.errors >= 0 && report.skipped >= 0);
    require(report.seconds >= 0);
    require(report.failing.size() <= kMaxFailing);
    require(report.failing_total >= static_cast<std::int64_t>(report.failing.size()));
    require(report.flaky.size() <= kMaxFailing);
    require(report.flaky_total >= static_cast<std::int64_t>(report.flaky.size()));
    require((report.failing_total == 0) == report.passed());
    for (const auto* cases : {&report.failing, &report.flaky}) {
        for (const auto& c : *cases) {
            require_one_line(c.suite);
            require_one_line(c.name);
            require_one_line(c.message);
        }
    }
    require(failure_of(report).empty() == report.passed());
    std::string json;
    append_json(json, report);
    const auto value = nlohmann::json::parse(json, nullptr, false);
    require(value.is_object());
    require(value["tests"] == report.tests && value["failures"] == report.failures);
    require(value["failing"].size() == report.failing.size());
    require(value["flaky"].size() == report.flaky.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        JunitReport report = read_junit({reinterpret_cast<const char*>(data), size}, "fuzz");
        require_sound(report);
        JunitReport twice = report;
        add_report(twice, report);
        require_sound(twice);
        require(twice.passed() == report.passed());
    } catch (const Error& error) {
        require(error.code() == ErrorCode::invalid_argument);
        for (const auto& d : error.details()) {
            require(d.message.find('\n') == std::string::npos);
            require(is_valid_utf8(d.message));
        }
    }
    return 0;
}
