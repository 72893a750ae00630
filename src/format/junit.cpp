// SPDX-License-Identifier: Apache-2.0
#include "format/junit.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <pugixml.hpp>

#include "format/junit_words.hpp"
#include "format/report_text.hpp"
#include "format/terminal.hpp"
#include "format/terminal_unicode.hpp"
#include "turboci/error.hpp"

namespace turboci {
namespace {

/// The tree takes some 70 bytes for each element and attribute, whatever their size in the file.
constexpr std::ptrdiff_t kMaxItems = 5'000'000;
constexpr std::size_t kMaxReportDepth = 100;

/// One element that is open during the walk.
struct OpenElement {
    enum class Kind : std::uint8_t {
        suite,
        test_case,
        wrapper,  ///< any other: what it holds belongs to the suite or case around it
    };
    Kind kind = Kind::wrapper;
    pugi::xml_node node;
    pugi::xml_node next;         ///< the child to visit next
    JunitAttributes attributes;  ///< of suites and cases
    std::int64_t seen = 0;       ///< cases and failures in it and below
    std::int64_t failed = 0;     ///< of these, failures and errors
    bool understood = true;      ///< wrappers: by its name, or something in it is
    // Of cases: the first of each that it holds.
    pugi::xml_node failure, error, rerun, flaky, skipped;
    std::string strange;  ///< what is not understood; empty if all is
};

class JunitReader {
public:
    JunitReader(std::string_view xml, const std::string& file) : xml_(xml), file_(file) {}

    JunitReport read() {
        if (xml_.size() > kMaxJunitBytes) fail("is larger than 64 MiB", std::nullopt);
        decode();
        const auto items =
            std::count_if(xml_.begin(), xml_.end(), [](char c) { return c == '<' || c == '='; });
        if (items > kMaxItems) fail("has more than 5,000,000 elements and attributes", std::nullopt);
        // The parser works without recursion and expands no entities but the five of XML and characters.
        // As a fragment, so that it does not drop the text beside the root.
        constexpr unsigned kFlags =
            pugi::parse_default | pugi::parse_doctype | pugi::parse_declaration | pugi::parse_fragment;
        const pugi::xml_parse_result parsed = document_.load_buffer(xml_.data(), xml_.size(), kFlags);
        if (!parsed) fail(std::string("is not XML: ") + parsed.description(), parsed.offset);
        const pugi::xml_node root = only_root();
        if (junit_element(root.name()) != JunitElement::suite) {
            fail("is not a JUnit report: its root is <" + fit(visible(root.name()), 40) +
                     ">, not <testsuites> or <testsuite>",
                 root.offset_debug());
        }
        walk(root);
        report_.seconds = std::round(report_.seconds * 1e6) / 1e6;
        return std::move(report_);
    }

private:
    using Kind = OpenElement::Kind;

    [[noreturn]] void fail(const std::string& what, std::optional<std::ptrdiff_t> offset) const {
        ErrorDetail detail{file_, 0, 0, what};
        if (offset) {
            const std::string_view before = text_before(*offset);
            const std::size_t line = before.rfind('\n') + 1;  // 0 if there is none
            detail.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
            detail.column = 1;
            for (std::size_t i = line; i < before.size(); i += decode_utf8(before.substr(i)).size)
                ++detail.column;
        }
        throw Error(ErrorCode::invalid_argument, file_ + " " + what, "give a JUnit XML report", {detail});
    }

    [[nodiscard]] std::string_view text_before(std::ptrdiff_t offset) const {
        const auto size = static_cast<std::ptrdiff_t>(xml_.size());
        return xml_.substr(0, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(offset, 0, size)));
    }

    /// "r.xml:7: ", for what is no refusal. Called with growing offsets and seldom.
    std::string place(pugi::xml_node node) {
        const std::string_view before = text_before(node.offset_debug());
        if (before.size() < counted_) counted_ = lines_ = 0;
        lines_ += static_cast<std::size_t>(
            std::count(before.begin() + static_cast<std::ptrdiff_t>(counted_), before.end(), '\n'));
        counted_ = before.size();
        return file_ + ":" + std::to_string(lines_ + 1) + ": ";
    }

    /// Makes UTF-8 of UTF-16, so that one reader sees every byte that counts.
    void decode() {
        const bool little = xml_.starts_with("\xff\xfe") || xml_.starts_with(std::string_view("<\0", 2));
        const bool big = xml_.starts_with("\xfe\xff") || xml_.starts_with(std::string_view("\0<", 2));
        if (little || big) {
            if (xml_.size() % 2 != 0) fail("is cut off in a character of UTF-16", std::nullopt);
            decoded_ = utf8_of(little);
            xml_ = decoded_;
            if (xml_.size() > kMaxJunitBytes) fail("is larger than 64 MiB", std::nullopt);
        }
        // Whatever stood behind it would not be read.
        if (const std::size_t nul = xml_.find('\0'); nul != std::string_view::npos)
            fail("has a NUL character", static_cast<std::ptrdiff_t>(nul));
    }

    [[nodiscard]] std::string utf8_of(bool little) const {
        const auto unit = [&](std::size_t i) {
            const auto first = static_cast<unsigned char>(xml_[i]);
            const auto second = static_cast<unsigned char>(xml_[i + 1]);
            return static_cast<char32_t>(little ? first | second << 8 : first << 8 | second);
        };
        std::string out;
        out.reserve(xml_.size());
        for (std::size_t i = 0; i < xml_.size(); i += 2) {
            char32_t point = unit(i);
            if (point >= 0xd800 && point < 0xe000) {
                const char32_t low = point < 0xdc00 && i + 3 < xml_.size() ? unit(i + 2) : 0;
                const bool pair = low >= 0xdc00 && low < 0xe000;
                point = pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
                if (pair) i += 2;
            }
            append_utf8(out, point);
        }
        return out;
    }

    [[nodiscard]] pugi::xml_node only_root() const {
        pugi::xml_node root;
        for (const pugi::xml_node node : document_.children()) {
            switch (node.type()) {
                case pugi::node_doctype:
                    fail("has a DOCTYPE, which is refused", node.offset_debug());
                case pugi::node_pcdata:
                case pugi::node_cdata:
                    fail(root ? "has text behind its root element" : "is not XML: it begins with text",
                         node.offset_debug());
                case pugi::node_declaration:
                    check_encoding(node);
                    break;
                case pugi::node_element:
                    if (root) fail("has more than one root element", node.offset_debug());
                    root = node;
                    break;
                default:
                    break;
            }
        }
        if (!root) fail("is not XML: it has no element", 0);
        return root;
    }

    void check_encoding(pugi::xml_node declaration) const {
        const std::string_view name = declaration.attribute("encoding").value();
        if (name.empty() || is_junit_encoding(name)) return;
        fail("is in an unknown encoding: " + fit(visible(name), 40), declaration.offset_debug());
    }

    JunitAttributes attributes_of(pugi::xml_node node) const {
        JunitAttributes found;
        for (const pugi::xml_attribute attribute : node.attributes()) {
            const JunitAttribute which = junit_attribute(attribute.name());
            if (which == JunitAttribute::other || found.set(which, attribute.value())) continue;
            fail("has an element with two attributes for one thing: " + fit(visible(attribute.name()), 40),
                 node.offset_debug());
        }
        return found;
    }

    void walk(pugi::xml_node root) {
        open(Kind::suite, root);
        while (!open_.empty()) {
            const pugi::xml_node node = open_.back().next;
            if (!node) {
                close();
                continue;
            }
            open_.back().next = node.next_sibling();
            if (node.type() == pugi::node_element) visit(node);
        }
    }

    void open(Kind kind, pugi::xml_node node, bool understood = true) {
        if (open_.size() >= kMaxReportDepth) fail("nests elements deeper than 100", node.offset_debug());
        OpenElement& element = open_.emplace_back();
        element.kind = kind;
        element.node = node;
        element.next = node.first_child();
        element.understood = understood;
        if (kind != Kind::wrapper) element.attributes = attributes_of(node);
    }

    void close() {
        OpenElement element = std::move(open_.back());
        open_.pop_back();
        switch (element.kind) {
            case Kind::suite:
                close_suite(element);
                break;
            case Kind::test_case:
                close_case(element);
                break;
            case Kind::wrapper:
                if (!element.understood) add_strange(element);
                break;
        }
        if (open_.empty()) return;
        open_.back().understood = true;
        open_.back().seen += element.seen;
        open_.back().failed += element.failed;
    }

    void visit(pugi::xml_node node) {
        const JunitElement what = junit_element(node.name());
        switch (what) {
            case JunitElement::suite:
                return open(Kind::suite, node);
            case JunitElement::test_case:
                return open(Kind::test_case, node);
            case JunitElement::extra:
                return open(Kind::wrapper, node);
            case JunitElement::unknown:
                return open(Kind::wrapper, node, false);
            case JunitElement::output:
                return;
            default:
                break;
        }
        open_.back().understood = true;
        OpenElement& owner = enclosing();
        const auto keep = [&](pugi::xml_node& first) {
            if (!first) first = node;
        };
        if (owner.kind == Kind::suite) {
            // A suite that broke before or after its cases.
            if (what != JunitElement::skipped) add_suite_error(owner, message_of(node));
        } else if (what == JunitElement::failure) {
            keep(owner.failure);
        } else if (what == JunitElement::error) {
            keep(owner.error);
        } else if (what == JunitElement::rerun) {
            keep(owner.rerun);
        } else if (what == JunitElement::flaky) {
            keep(owner.flaky);
        } else {
            keep(owner.skipped);
        }
    }

    /// The suite or case that is open; the root is one.
    OpenElement& enclosing(Kind unless = Kind::wrapper) {
        std::size_t i = open_.size() - 1;
        while (i > 0 && (open_[i].kind == Kind::wrapper || open_[i].kind == unless)) --i;
        return open_[i];
    }

    void add_strange(const OpenElement& element) {
        OpenElement& owner = enclosing();
        const bool in_suite = owner.kind == Kind::suite;
        if (!in_suite && !owner.strange.empty()) return;
        const std::string what = report_.failing.size() < kMaxFailing
                                     ? place(element.node) + "<" + element.node.name() + "> is not understood"
                                     : "?";
        if (in_suite) {
            add_suite_error(owner, clean(what));
        } else {
            owner.strange = what;
        }
    }

    void add_suite_error(OpenElement& suite, std::string message) {
        ++suite.seen;
        ++suite.failed;
        ++report_.errors;
        add_failing(clean(suite.attributes[JunitAttribute::name]), "", std::move(message));
    }

    /// What a suite says of itself counts where it lists no case, or no failing one though it says that some
    /// failed. Otherwise its cases count: some runners count assertions there.
    void close_suite(OpenElement& suite) {
        const bool has_cases = suite.seen > 0;
        const std::int64_t failures = std::max(number(suite, JunitAttribute::failures, "failures"),
                                               number(suite, JunitAttribute::failed, "failed"));
        const std::int64_t errors = std::max(number(suite, JunitAttribute::errors, "errors"),
                                             number(suite, JunitAttribute::error, "error"));
        if (!has_cases) {
            report_.tests += number(suite, JunitAttribute::tests, "tests");
            report_.skipped += number(suite, JunitAttribute::skipped, "skipped") +
                               number(suite, JunitAttribute::disabled, "disabled");
            report_.seconds += seconds(suite.attributes[JunitAttribute::time]);
            suite.seen += failures + errors;
        }
        if (suite.failed == 0 && failures + errors > 0) {
            report_.failures += failures;
            report_.errors += errors;
            suite.failed = failures + errors;
            add_failing(clean(suite.attributes[JunitAttribute::name]), "",
                        amount_of(failures, "failure") + " and " + amount_of(errors, "error") +
                            (has_cases ? " that no case shows" : ", without cases"));
        }
        if (suite.failed > 0) return;
        const JunitAnswer status = junit_answer(suite.attributes, false);
        if (status.failed || status.unknown) add_suite_error(suite, describe(suite, status));
    }

    /// A number of a suite. One that cannot be read is an error: it might say that something failed.
    std::int64_t number(OpenElement& suite, JunitAttribute which, const char* name) {
        const std::string_view text = suite.attributes[which];
        if (const auto count = junit_count(text)) return *count;
        add_suite_error(suite,
                        clean(place(suite.node) + name + "=\"" + std::string(text) + "\" is no count"));
        return 0;
    }

    /// "status fail", or that it is not understood.
    std::string describe(const OpenElement& element, const JunitAnswer& status) {
        const std::string value = clean(status.value);
        if (status.failed) return std::string(status.name) + " " + value;
        return clean(place(element.node) + status.name + "=\"" + value + "\" is not understood");
    }

    void close_case(OpenElement& element) {
        ++report_.tests;
        ++element.seen;
        const JunitAttributes& attributes = element.attributes;
        report_.seconds += seconds(attributes[JunitAttribute::time]);
        const JunitAnswer status = junit_answer(attributes, true);
        // ctest calls it skipped, and fails, when it could not run a test: its program or a file is missing.
        const std::string_view reason = element.skipped.attribute("message").value();
        const bool not_run = status.not_run && attributes[JunitAttribute::result].empty() &&
                             !reason.empty() && !reason.starts_with("SKIP_") && reason != "Disabled";
        const bool failure = element.failure || element.rerun;
        if (element.error || !element.strange.empty() || (status.unknown && !failure) ||
            (not_run && !failure)) {
            ++report_.errors;
        } else if (failure || status.failed) {
            ++report_.failures;
        } else {
            if (status.skipped || element.skipped) {
                ++report_.skipped;
            } else if (element.flaky || status.flaky) {
                ++report_.flaky_total;
                if (report_.flaky.size() < kMaxFailing)
                    report_.flaky.push_back(name_of(element, element.flaky ? message_of(element.flaky) : ""));
            }
            return;
        }
        ++element.failed;
        ++report_.failing_total;
        if (report_.failing.size() >= kMaxFailing) return;
        std::string message;
        if (element.error || failure) {
            message = message_of(element.error     ? element.error
                                 : element.failure ? element.failure
                                                   : element.rerun);
        } else if (!element.strange.empty()) {
            message = clean(element.strange);
        } else if (status.name != nullptr) {
            message = describe(element, status);
        } else {
            message = message_of(element.skipped);
        }
        report_.failing.push_back(name_of(element, std::move(message)));
    }

    /// After the case was closed: what is open is around it.
    JunitCase name_of(const OpenElement& element, std::string message) {
        std::string suite = clean(element.attributes[JunitAttribute::classname]);
        if (suite.empty()) suite = clean(enclosing(Kind::test_case).attributes[JunitAttribute::name]);
        return {std::move(suite), clean(element.attributes[JunitAttribute::name]), std::move(message)};
    }

    void add_failing(std::string suite, std::string name, std::string message) {
        ++report_.failing_total;
        if (report_.failing.size() >= kMaxFailing) return;
        report_.failing.push_back({std::move(suite), std::move(name), std::move(message)});
    }

    /// The message, else the first line of the text, else the type.
    static std::string message_of(pugi::xml_node node) {
        std::string message = clean(node.attribute("message").value());
        for (pugi::xml_node child = node.first_child(); child && message.empty();
             child = child.next_sibling()) {
            std::string_view text = child.value();
            text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
            message = clean(text.substr(0, text.find('\n')));
        }
        return message.empty() ? clean(node.attribute("type").value()) : message;
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

    static double seconds(std::string_view time) {
        std::string text(time);
        std::erase(text, ',');  // "1,234.5": some runners group digits
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && std::isfinite(value) && value > 0 && value < 1e9 ? value : 0;
    }

    std::string_view xml_;
    std::string decoded_;  ///< what xml_ points to, if that was not in UTF-8
    const std::string& file_;
    std::size_t counted_ = 0, lines_ = 0;  ///< place(): lines before that many bytes
    pugi::xml_document document_;
    std::vector<OpenElement> open_;
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
    sum.flaky_total += more.flaky_total;
    for (const JunitCase& flaky : more.flaky) {
        if (sum.flaky.size() >= kMaxFailing) break;
        sum.flaky.push_back(flaky);
    }
}

}  // namespace turboci
