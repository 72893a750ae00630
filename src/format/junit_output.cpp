// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "format/graph_failures.hpp"
#include "format/junit.hpp"
#include "format/report_causes.hpp"
#include "format/report_text.hpp"
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

/// With three decimals: more are refused by Surefire's schema, and by earlier ones of Jenkins.
std::string seconds_of(Duration taken) {
    const auto ms = std::chrono::round<std::chrono::milliseconds>(taken).count();
    std::string fraction = std::to_string(ms % 1000);
    return std::to_string(ms / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

/// How one case came out.
struct CaseAnswer {
    enum class Kind : std::uint8_t { passed, failed, skipped };
    Kind kind = Kind::passed;
    std::string type;     ///< of a failure: "failed", "cancelled", "skipped"
    std::string message;  ///< its first line is shown in lists
    std::string output;   ///< the end of the log; what a failure shows below its message
};

/// One <testsuite>: the cases are written first, their sums go in front. Elements and attributes are those
/// that the schemas of Jenkins and of Surefire both have.
class SuiteWriter {
public:
    explicit SuiteWriter(std::string name) : name_(std::move(name)) {}

    void add(std::string_view class_name, std::string_view name, Duration taken, const CaseAnswer& answer) {
        ++tests_;
        taken_ += taken;
        cases_ += "    <testcase classname=\"" + escaped(class_name) + "\" name=\"" + escaped(name) +
                  "\" time=\"" + seconds_of(taken) + "\"";
        const std::string_view first = std::string_view(answer.message).substr(0, answer.message.find('\n'));
        switch (answer.kind) {
            case CaseAnswer::Kind::passed:
                cases_ += "/>\n";
                return;
            case CaseAnswer::Kind::skipped:
                ++skipped_;
                cases_ += ">\n      <skipped message=\"" + escaped(first) + "\"/>\n    </testcase>\n";
                return;
            case CaseAnswer::Kind::failed:
                ++failures_;
                cases_ += ">\n      <failure type=\"" + escaped(answer.type) + "\" message=\"" +
                          escaped(first) + "\">" + escaped(answer.message);
                if (!answer.output.empty()) cases_ += "&#10;&#10;" + escaped(answer.output);
                cases_ += "</failure>\n    </testcase>\n";
                return;
        }
    }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool empty() const { return tests_ == 0; }

    /// The sums of suites as attributes. <testsuites> has none for what was skipped.
    [[nodiscard]] static std::string sums(const std::vector<const SuiteWriter*>& suites, bool with_skipped) {
        std::int64_t tests = 0, failures = 0, skipped = 0;
        Duration taken{0};
        for (const SuiteWriter* suite : suites) {
            tests += suite->tests_;
            failures += suite->failures_;
            skipped += suite->skipped_;
            taken += suite->taken_;
        }
        return " tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failures) +
               "\" errors=\"0\"" +
               (with_skipped ? " skipped=\"" + std::to_string(skipped) + "\"" : std::string()) + " time=\"" +
               seconds_of(taken) + "\"";
    }

    void append_to(std::string& out) const {
        out += "  <testsuite name=\"" + escaped(name_) + "\"" + sums({this}, true) + ">\n";
        out += cases_;
        out += "  </testsuite>\n";
    }

private:
    std::string name_;
    std::string cases_;
    std::int64_t tests_ = 0, failures_ = 0, skipped_ = 0;
    Duration taken_{0};
};

/// The nodes that a node was skipped for, before its own messages.
std::vector<std::string> messages_of(const ReportCauses& causes, const ReportNode& node) {
    std::vector<std::string> messages;
    for (const ReportNode& cause : causes.causes_of(node.ref())) {
        if (messages.empty())
            messages.push_back("skipped because of ");
        else
            messages.front() += ", ";
        messages.front() += to_string(cause.ref());
    }
    if (node.check != nullptr) {
        for (std::string& message : failure_messages(*node.check)) messages.push_back(std::move(message));
    } else if (std::string message = failure_message(*node.stage); !message.empty()) {
        messages.push_back(std::move(message));
    }
    return messages;
}

/// What a node says of itself before its messages: why it is not just passed or failed.
CaseAnswer answer_of(State state, std::optional<Outcome> outcome, Standing standing,
                     const std::vector<std::string>& messages) {
    CaseAnswer answer;
    for (const std::string& message : messages)
        answer.message += (answer.message.empty() ? "" : "\n") + message;
    const auto prefix = [&](const std::string& words) {
        answer.message = answer.message.empty() ? words : words + ": " + answer.message;
    };
    if (state != State::final || !outcome) {
        answer.kind = CaseAnswer::Kind::skipped;
        answer.message = "not final: " + std::string(to_string(state));
        return answer;
    }
    if (*outcome == Outcome::passed) return answer;
    answer.type = to_string(*outcome);
    if (standing == Standing::aside) {
        answer.kind = CaseAnswer::Kind::skipped;
        if (answer.message.empty()) answer.message = answer.type;
        prefix("not required");
    } else if (standing == Standing::bad) {
        answer.kind = CaseAnswer::Kind::failed;
        if (answer.message.empty()) answer.message = answer.type;
        if (*outcome == Outcome::skipped && !answer.message.starts_with("skipped")) prefix("skipped");
    } else {
        answer.kind = CaseAnswer::Kind::skipped;
        if (answer.message.empty()) answer.message = answer.type;
    }
    return answer;
}

/// The cases of a report that was imported as the data of a result: those that the data names.
class ImportedCases {
public:
    ImportedCases(const PlanReport& report, const Check& check)
        : check_(check), suite_(suite_name(report, check)) {
        const bool bad = report.standing_of(check) == Standing::bad;
        for (const Result& result : check.results) {
            // Most data is no report: do not parse what cannot be one.
            if (result.data.text.find("\"junit\"") == std::string::npos) continue;
            const auto data = nlohmann::json::parse(result.data.text, nullptr, false);
            if (!data.is_object() || !data.contains("junit") || !data["junit"].is_object()) continue;
            const auto& junit = data["junit"];
            add_list(junit, "failing", [&](CaseAnswer& answer) {
                answer.kind = bad && result.failure ? CaseAnswer::Kind::failed : CaseAnswer::Kind::skipped;
                answer.type = "failed";
                if (answer.kind == CaseAnswer::Kind::skipped)
                    answer.message = std::string(check.required ? "the check did not fail" : "not required") +
                                     (answer.message.empty() ? "" : ": " + answer.message);
            });
            add_list(junit, "flaky", [](CaseAnswer&) {});
        }
    }
    [[nodiscard]] const SuiteWriter& suite() const { return suite_; }

private:
    static std::string suite_name(const PlanReport& report, const Check& check) {
        return report.graph().plan().id + "." + check.id;
    }

    template <class Decide>
    void add_list(const nlohmann::json& junit, const char* key, const Decide& decide) {
        const auto list = junit.find(key);
        if (list == junit.end() || !list->is_array()) return;
        for (const auto& one : *list) {
            if (!one.is_object()) continue;
            const auto text = [&](const char* member) {
                const auto found = one.find(member);
                return found != one.end() && found->is_string() ? found->template get<std::string>()
                                                                : std::string();
            };
            CaseAnswer answer;
            answer.message = text("message");
            decide(answer);
            const std::string name = text("name"), suite = text("suite");
            suite_.add(suite.empty() ? suite_.name() : suite, name.empty() ? check_.id : name, Duration{0},
                       answer);
        }
    }

    const Check& check_;
    SuiteWriter suite_;
};

/// The ends of the logs, one below the other. All reports together show so much and no more.
class TailWriter {
public:
    explicit TailWriter(const LogTail& tail) : tail_(tail) {}

    std::string operator()(const std::vector<PlanReport::Culprit>& culprits) {
        std::string out;
        if (!tail_) return out;
        for (const PlanReport::Culprit& culprit : culprits) {
            if (room_ == 0) break;
            const auto lines = plain_lines(tail_(*culprit.stage, *culprit.attempt));
            if (lines.empty()) continue;
            if (!out.empty()) out += '\n';
            out += "--- last output of stage:" + culprit.stage->id + ", attempt " +
                   std::to_string(culprit.attempt->idx) + " ---";
            for (const std::string& line : lines) (out += '\n') += line;
        }
        room_ -= std::min(room_, out.size());
        return out;
    }

private:
    static constexpr std::size_t kMostTails = std::size_t{16} << 20;
    const LogTail& tail_;
    std::size_t room_ = kMostTails;
};

}  // namespace

std::string junit_xml(const NodeCollector& graph, const LogTail& tail) {
    const PlanReport report(graph);
    const ReportCauses causes(report);
    const std::string& plan = graph.plan().id;
    TailWriter tails(tail);
    SuiteWriter checks(plan + ".checks");
    std::vector<ImportedCases> imported;
    for (const Check& check : graph.checks()) {
        CaseAnswer answer = answer_of(check.state, check.outcome, report.standing_of(check),
                                      messages_of(causes, {&check, nullptr}));
        if (answer.kind == CaseAnswer::Kind::failed) answer.output = tails(report.culprits_of(check));
        checks.add(checks.name() + (check.kind.empty() ? "" : "." + check.kind), check.id,
                   report.time_of(check), answer);
        ImportedCases cases(report, check);
        if (!cases.suite().empty()) imported.push_back(std::move(cases));
    }
    SuiteWriter stages(plan + ".stages");
    for (const Stage& stage : graph.stages()) {
        if (report.is_answered_for(stage)) continue;
        CaseAnswer answer = answer_of(stage.state, stage.outcome, report.standing_of(stage),
                                      messages_of(causes, {nullptr, &stage}));
        if (answer.kind == CaseAnswer::Kind::failed) answer.output = tails(report.culprits_of(stage));
        stages.add(stages.name(), stage.id, PlanReport::time_of(stage), answer);
    }
    std::vector<const SuiteWriter*> suites{&checks, &stages};
    for (const ImportedCases& cases : imported) suites.push_back(&cases.suite());
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" + escaped(plan) +
                      "\"" + SuiteWriter::sums(suites, false) + ">\n";
    for (const SuiteWriter* suite : suites) {
        if (!suite->empty()) suite->append_to(out);
    }
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
