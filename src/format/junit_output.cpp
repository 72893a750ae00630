// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>

#include "format/graph_failures.hpp"
#include "format/junit.hpp"
#include "format/terminal_unicode.hpp"
#include "turboci/json_text.hpp"

namespace turboci {
namespace {

/// Text of elements and of attributes in double quotes. What XML 1.0 cannot hold becomes U+FFFD.
std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = decode_utf8(text.substr(i));
        switch (point.value) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\n':
                out += "&#10;";
                break;
            case '\r':
                out += "&#13;";
                break;
            case '\t':
                out += "&#9;";
                break;
            default:
                if (!point.valid || point.value < 0x20 || point.value == 0xfffe || point.value == 0xffff) {
                    out += "\xef\xbf\xbd";
                } else {
                    out.append(text, i, point.size);
                }
        }
        i += point.size;
    }
    return out;
}

std::string seconds_of(Duration taken) {
    std::string fraction = std::to_string(taken.count() % 1'000'000);
    return std::to_string(taken.count() / 1'000'000) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

/// One <testsuite>: the cases are written first, their sums go in front.
class SuiteWriter {
public:
    SuiteWriter(std::string name, std::string group) : name_(std::move(name)), group_(std::move(group)) {}

    void add(std::string_view id, std::string_view kind, State state, std::optional<Outcome> outcome,
             Duration taken, const std::vector<std::string>& messages) {
        ++tests_;
        taken_ += taken;
        cases_ += "    <testcase classname=\"" + escaped(name_ + "." + group_);
        if (!kind.empty()) cases_ += "." + escaped(kind);
        cases_ += "\" name=\"" + escaped(id) + "\" time=\"" + seconds_of(taken) + "\"";
        if (state != State::final || !outcome) {
            ++skipped_;
            add_note("skipped", "not final: " + std::string(to_string(state)));
            return;
        }
        switch (*outcome) {
            case Outcome::passed:
                cases_ += "/>\n";
                break;
            case Outcome::failed:
                ++failures_;
                add_problem("failure", "failed", messages);
                break;
            case Outcome::cancelled:
                ++errors_;
                add_problem("error", "cancelled", messages);
                break;
            case Outcome::skipped:
                ++skipped_;
                add_note("skipped", messages.empty() ? "skipped" : messages.front());
                break;
        }
    }

    /// The sums as attributes, from tests to time.
    [[nodiscard]] static std::string sums(const std::vector<const SuiteWriter*>& suites) {
        std::int64_t tests = 0, failures = 0, errors = 0, skipped = 0;
        Duration taken{0};
        for (const SuiteWriter* suite : suites) {
            tests += suite->tests_;
            failures += suite->failures_;
            errors += suite->errors_;
            skipped += suite->skipped_;
            taken += suite->taken_;
        }
        return " tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failures) +
               "\" errors=\"" + std::to_string(errors) + "\" skipped=\"" + std::to_string(skipped) +
               "\" time=\"" + seconds_of(taken) + "\"";
    }

    void append_to(std::string& out, Timestamp time) const {
        out += "  <testsuite name=\"" + escaped(name_ + "." + group_) + "\"" + sums({this});
        // Without fractions and zone: that is the form that the readers of JUnit agree on.
        out += " timestamp=\"" + format_timestamp(time).substr(0, 19) + "\">\n";
        out += cases_;
        out += "  </testsuite>\n";
    }

private:
    void add_note(std::string_view element, std::string_view message) {
        cases_ += ">\n      <";
        cases_ += element;
        cases_ += " message=\"" + escaped(message) + "\"/>\n    </testcase>\n";
    }

    void add_problem(std::string_view element, std::string_view type,
                     const std::vector<std::string>& messages) {
        cases_ += ">\n      <";
        cases_ += element;
        const std::string_view first = messages.empty() ? type : std::string_view(messages.front());
        cases_ += " type=\"" + std::string(type) + "\" message=\"" +
                  escaped(first.substr(0, first.find('\n'))) + "\">";
        for (std::size_t i = 0; i < messages.size(); ++i) {
            if (i > 0) cases_ += "&#10;";
            cases_ += escaped(messages[i]);
        }
        cases_ += "</";
        cases_ += element;
        cases_ += ">\n    </testcase>\n";
    }

    std::string name_, group_;
    std::string cases_;
    std::int64_t tests_ = 0, failures_ = 0, errors_ = 0, skipped_ = 0;
    Duration taken_{0};
};

}  // namespace

std::string junit_xml(const NodeCollector& graph) {
    SuiteWriter checks(graph.plan().id, "checks");
    for (const Check& check : graph.checks()) {
        checks.add(check.id, check.kind, check.state, check.outcome, time_taken(check.state_history),
                   failure_messages(check));
    }
    SuiteWriter stages(graph.plan().id, "stages");
    for (const Stage& stage : graph.stages()) {
        std::vector<std::string> messages;
        if (std::string message = failure_message(stage); !message.empty())
            messages.push_back(std::move(message));
        stages.add(stage.id, {}, stage.state, stage.outcome, time_taken(stage.state_history), messages);
    }
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" +
                      escaped(graph.plan().id) + "\"" + SuiteWriter::sums({&checks, &stages}) + ">\n";
    checks.append_to(out, graph.plan().created_at);
    stages.append_to(out, graph.plan().created_at);
    out += "</testsuites>\n";
    return out;
}

namespace {

/// ,"TITLE":[{"suite","name","message"}…],"TITLE_total":N
void append_cases(std::string& out, std::string_view title, const std::vector<JunitCase>& cases,
                  std::int64_t total) {
    (out += ",\"") += title;
    out += "\":[";
    bool first = true;
    for (const JunitCase& one : cases) {
        out += first ? R"({"suite":)" : R"(,{"suite":)";
        first = false;
        append_json_string(out, one.suite);
        out += R"(,"name":)";
        append_json_string(out, one.name);
        out += R"(,"message":)";
        append_json_string(out, one.message);
        out += '}';
    }
    (out += "],\"") += title;
    out += "_total\":" + std::to_string(total);
}

}  // namespace

void append_json(std::string& out, const JunitReport& report) {
    const auto number = [&out](std::string_view key, std::int64_t value) {
        out += key;
        out += std::to_string(value);
    };
    number(R"({"tests":)", report.tests);
    number(R"(,"failures":)", report.failures);
    number(R"(,"errors":)", report.errors);
    number(R"(,"skipped":)", report.skipped);
    std::array<char, 40> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), report.seconds).ptr;
    out += R"(,"seconds":)";
    out.append(text.data(), end);
    append_cases(out, "failing", report.failing, report.failing_total);
    append_cases(out, "flaky", report.flaky, report.flaky_total);
    out += '}';
}

std::string failure_of(const JunitReport& report) {
    if (report.passed()) return {};
    const std::int64_t failed = report.failures + report.errors;
    const std::int64_t all = std::max(report.tests, failed);
    std::string out =
        std::to_string(failed) + " of " + std::to_string(all) + (all == 1 ? " test failed" : " tests failed");
    if (report.failing.empty()) return out;
    const JunitCase& first = report.failing.front();
    out += ": ";
    for (const std::string& part : {first.suite, first.name}) {
        if (part.empty()) continue;
        if (!out.ends_with(": ")) out += '.';
        out += part;
    }
    if (!first.message.empty()) out += (out.ends_with(": ") ? "" : ": ") + first.message;
    if (report.failing_total > 1) out += " (and " + std::to_string(report.failing_total - 1) + " more)";
    return out;
}

}  // namespace turboci
