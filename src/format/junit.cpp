// SPDX-License-Identifier: Apache-2.0
#include "format/junit.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <pugixml.hpp>

#include "format/terminal.hpp"
#include "format/terminal_unicode.hpp"
#include "turboci/error.hpp"

namespace turboci {
namespace {

/// The tree takes some 70 bytes for each element and attribute, whatever their size in the file.
constexpr std::ptrdiff_t kMaxItems = 5'000'000;
constexpr std::size_t kMaxSuiteDepth = 100;

class JunitReader {
public:
    JunitReader(std::string_view xml, const std::string& file) : xml_(xml), file_(file) {}

    JunitReport read() {
        if (xml_.size() > kMaxJunitBytes) fail("is larger than 64 MiB", std::nullopt);
        const auto items =
            std::count_if(xml_.begin(), xml_.end(), [](char c) { return c == '<' || c == '='; });
        if (items > kMaxItems) fail("has more than 5,000,000 elements and attributes", std::nullopt);
        // The parser works without recursion and expands no entities but the five of XML and characters.
        const pugi::xml_parse_result parsed =
            document_.load_buffer(xml_.data(), xml_.size(), pugi::parse_default | pugi::parse_doctype);
        if (parsed.status == pugi::status_no_document_element) fail("is not XML: it has no element", 0);
        if (!parsed) fail(std::string("is not XML: ") + parsed.description(), parsed.offset);
        const pugi::xml_node root = only_root();
        if (!is_suite(root)) {
            fail("is not a JUnit report: its root is <" + fit(visible(root.name()), 40) +
                     ">, not <testsuites> or <testsuite>",
                 root.offset_debug());
        }
        walk(root);
        report_.seconds = std::round(report_.seconds * 1e6) / 1e6;
        return std::move(report_);
    }

private:
    struct Suite {
        pugi::xml_node node;
        pugi::xml_node next;      ///< the child to visit next
        std::int64_t seen = 0;    ///< cases and failures in it and below
        std::int64_t failed = 0;  ///< of these, failures and errors
    };

    [[noreturn]] void fail(const std::string& what, std::optional<std::ptrdiff_t> offset) const {
        ErrorDetail detail{file_, 0, 0, what};
        if (offset) {
            const auto size = static_cast<std::ptrdiff_t>(xml_.size());
            const std::string_view before =
                xml_.substr(0, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(*offset, 0, size)));
            const std::size_t line = before.rfind('\n') + 1;  // 0 if there is none
            detail.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
            detail.column = 1;
            for (std::size_t i = line; i < before.size(); i += decode_utf8(before.substr(i)).size)
                ++detail.column;
        }
        throw Error(ErrorCode::invalid_argument, file_ + " " + what, "give a JUnit XML report", {detail});
    }

    [[nodiscard]] pugi::xml_node only_root() const {
        pugi::xml_node root;
        for (const pugi::xml_node node : document_.children()) {
            if (node.type() == pugi::node_doctype)
                fail("has a DOCTYPE, which is refused", node.offset_debug());
            if (node.type() != pugi::node_element) continue;
            if (root) fail("has more than one root element", node.offset_debug());
            root = node;
        }
        if (!root) fail("has no root element", 0);
        return root;
    }

    static bool is_suite(pugi::xml_node node) {
        const std::string_view name = node.name();
        return name == "testsuite" || name == "testsuites";
    }

    void walk(pugi::xml_node root) {
        std::vector<Suite> open{{root, root.first_child()}};
        while (!open.empty()) {
            const pugi::xml_node node = open.back().next;
            if (!node) {
                leave(open.back());
                const auto [seen, failed] = std::pair(open.back().seen, open.back().failed);
                open.pop_back();
                if (open.empty()) continue;
                open.back().seen += seen;
                open.back().failed += failed;
                continue;
            }
            open.back().next = node.next_sibling();
            const std::string_view name = node.name();
            const std::int64_t before = report_.failing_total;
            if (is_suite(node)) {
                if (open.size() >= kMaxSuiteDepth) fail("nests suites deeper than 100", node.offset_debug());
                open.push_back({node, node.first_child()});
                continue;
            } else if (name == "testcase") {
                ++open.back().seen;
                add_case(node, open.back().node);
            } else if (name == "error" || name == "failure") {
                // A suite that broke before or after its cases.
                ++open.back().seen;
                ++report_.errors;
                add_failing(attribute(open.back().node, "name"), "", message_of(node));
            }
            open.back().failed += report_.failing_total - before;
        }
    }

    /// What a suite says of itself counts where it lists no case, or no failing one though it says that some
    /// failed. Otherwise its cases count: some runners count assertions there.
    void leave(Suite& suite) {
        const std::int64_t failures = count(suite.node, "failures");
        const std::int64_t errors = count(suite.node, "errors");
        if (suite.seen > 0) {
            if (suite.failed > 0 || failures + errors == 0) return;
            report_.failures += failures;
            report_.errors += errors;
            add_failing(attribute(suite.node, "name"), "",
                        std::to_string(failures) + " failures and " + std::to_string(errors) +
                            " errors that no case shows");
            suite.failed = failures + errors;
            return;
        }
        const std::int64_t tests = count(suite.node, "tests");
        report_.tests += tests;
        report_.failures += failures;
        report_.errors += errors;
        report_.skipped += count(suite.node, "skipped") + count(suite.node, "disabled");
        report_.seconds += seconds(suite.node);
        if (failures + errors > 0) {
            add_failing(attribute(suite.node, "name"), "",
                        std::to_string(failures) + " failures and " + std::to_string(errors) +
                            " errors, without cases");
        }
        suite.seen = tests + failures + errors;
        suite.failed = failures + errors;
    }

    void add_case(pugi::xml_node node, pugi::xml_node suite) {
        ++report_.tests;
        report_.seconds += seconds(node);
        pugi::xml_node failure;
        pugi::xml_node error;
        pugi::xml_node skip;
        bool skipped = false;
        for (const pugi::xml_node child : node.children()) {
            const std::string_view name = child.name();
            if (name == "failure" && !failure) failure = child;
            if (name == "error" && !error) error = child;
            skipped = skipped || name == "skipped" || name == "disabled";
            if (name == "skipped" && !skip) skip = child;
        }
        const std::string_view status = node.attribute("status").value();
        // ctest calls it skipped, and fails, when it could not run a test: its program or a file is missing.
        const std::string_view reason = skip.attribute("message").value();
        const bool not_run =
            status == "notrun" && !reason.empty() && reason.substr(0, 5) != "SKIP_" && reason != "Disabled";
        const bool failed_by_status = status == "fail" || status == "failed" || status == "error";
        if (error || (not_run && !failure)) {
            ++report_.errors;
        } else if (failure || (failed_by_status && !skipped)) {
            ++report_.failures;
        } else {
            const std::string_view result = node.attribute("result").value();
            if (skipped || status == "notrun" || status == "disabled" || result == "suppressed" ||
                result == "skipped") {
                ++report_.skipped;
            }
            return;
        }
        std::string name = attribute(node, "classname");
        if (name.empty()) name = attribute(suite, "name");
        const pugi::xml_node why = error ? error : failure ? failure : not_run ? skip : pugi::xml_node();
        add_failing(std::move(name), attribute(node, "name"),
                    why ? message_of(why) : "status " + clean(status));
    }

    void add_failing(std::string suite, std::string name, std::string message) {
        ++report_.failing_total;
        if (report_.failing.size() >= kMaxFailing) return;
        report_.failing.push_back({std::move(suite), std::move(name), std::move(message)});
    }

    /// The message, else the first line of the text, else the type.
    static std::string message_of(pugi::xml_node node) {
        std::string message = attribute(node, "message");
        for (pugi::xml_node child = node.first_child(); child && message.empty();
             child = child.next_sibling()) {
            std::string_view text = child.value();
            text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
            message = clean(text.substr(0, text.find('\n')));
        }
        return message.empty() ? attribute(node, "type") : message;
    }

    static std::string attribute(pugi::xml_node node, const char* name) {
        return clean(node.attribute(name).value());
    }

    /// One line, without what a terminal or a JSON reader would stumble over.
    static std::string clean(std::string_view text) {
        std::string out;
        bool blank = false;
        for (std::size_t i = 0; i < text.size() && out.size() <= kMaxJunitText;) {
            const CodePoint point = decode_utf8(text.substr(i));
            if (point.valid && is_blank_code_point(point.value)) {
                blank = true;
            } else {
                if (blank && !out.empty()) out += ' ';
                blank = false;
                if (point.valid && !is_unsafe_code_point(point.value)) {
                    out.append(text, i, point.size);
                } else {
                    out += "\xef\xbf\xbd";
                }
            }
            i += point.size;
        }
        if (out.size() <= kMaxJunitText) return out;
        std::size_t cut = kMaxJunitText - std::string_view("…").size();
        while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0u) == 0x80) --cut;
        return out.substr(0, cut) + "…";
    }

    static std::int64_t count(pugi::xml_node node, const char* name) {
        constexpr std::int64_t kMost = 1'000'000'000;
        const std::string_view text = node.attribute(name).value();
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc::result_out_of_range) return kMost;
        return std::clamp<std::int64_t>(value, 0, kMost);
    }

    static double seconds(pugi::xml_node node) {
        std::string text = node.attribute("time").value();
        std::erase(text, ',');  // "1,234.5": some runners group digits
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && std::isfinite(value) && value > 0 && value < 1e9 ? value : 0;
    }

    std::string_view xml_;
    const std::string& file_;
    pugi::xml_document document_;
    JunitReport report_;
};

}  // namespace

JunitReport read_junit(std::string_view xml, const std::string& file_name) {
    return JunitReader(xml, file_name).read();
}

void add_report(JunitReport& sum, const JunitReport& more) {
    sum.tests += more.tests;
    sum.failures += more.failures;
    sum.errors += more.errors;
    sum.skipped += more.skipped;
    sum.seconds += more.seconds;
    sum.failing_total += more.failing_total;
    for (const JunitCase& failing : more.failing) {
        if (sum.failing.size() >= kMaxFailing) break;
        sum.failing.push_back(failing);
    }
}

}  // namespace turboci
