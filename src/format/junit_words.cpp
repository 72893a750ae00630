// SPDX-License-Identifier: Apache-2.0
#include "format/junit_words.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "format/ascii.hpp"

namespace turboci {
namespace {

constexpr std::size_t kLongestWord = 40;  // longer than every word of the tables

std::string_view without_prefix(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// In lower case, without blanks, hyphens and underscores. Text that no table can hold stays long.
std::string plain_word(std::string_view text) {
    std::string word;
    for (const char c : text.substr(0, 4 * kLongestWord)) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '-' || c == '_') continue;
        word += is_ascii_letter(c) ? static_cast<char>(c | 0x20) : c;
    }
    if (text.size() > 4 * kLongestWord) word.resize(4 * kLongestWord, ' ');
    return word;
}

template <class Value, std::size_t N>
Value look_up(const std::pair<std::string_view, Value> (&table)[N], std::string_view word, Value missing) {
    const auto found = std::ranges::find(table, word, &std::pair<std::string_view, Value>::first);
    return found == std::end(table) ? missing : found->second;
}

constexpr std::pair<std::string_view, JunitElement> kElements[] = {
    {"testcase", JunitElement::test_case},
    {"testsuite", JunitElement::suite},
    {"testsuites", JunitElement::suite},
    {"failure", JunitElement::failure},
    {"error", JunitElement::error},
    {"skipped", JunitElement::skipped},
    {"disabled", JunitElement::skipped},
    {"ignored", JunitElement::skipped},
    {"flakyfailure", JunitElement::flaky},
    {"flakyerror", JunitElement::flaky},
    {"rerunfailure", JunitElement::rerun},
    {"rerunerror", JunitElement::rerun},
    {"systemout", JunitElement::output},
    {"systemerr", JunitElement::output},
    {"stdout", JunitElement::output},
    {"stderr", JunitElement::output},
    {"output", JunitElement::output},
    {"log", JunitElement::output},
    {"properties", JunitElement::extra},
    {"property", JunitElement::extra},
    {"attachments", JunitElement::extra},
    {"attachment", JunitElement::extra},
    {"categories", JunitElement::extra},
    {"category", JunitElement::extra},
    {"tags", JunitElement::extra},
    {"tag", JunitElement::extra},
    {"traits", JunitElement::extra},
    {"trait", JunitElement::extra},
    {"labels", JunitElement::extra},
    {"label", JunitElement::extra},
    {"metadata", JunitElement::extra},
    {"description", JunitElement::extra},
    {"documentation", JunitElement::extra},
    {"comment", JunitElement::extra},
    {"requirements", JunitElement::extra},
    {"requirement", JunitElement::extra},
    {"environment", JunitElement::extra},
    {"hostname", JunitElement::extra},
    {"package", JunitElement::extra},
    {"file", JunitElement::extra},
    {"link", JunitElement::extra},
    {"url", JunitElement::extra},
    {"measurement", JunitElement::extra},
    {"measurements", JunitElement::extra},
    {"benchmark", JunitElement::extra},
    // PHPUnit's: the run succeeds all the same.
    {"warning", JunitElement::extra},
};

constexpr std::pair<std::string_view, JunitAttribute> kAttributes[] = {
    {"name", JunitAttribute::name},          {"classname", JunitAttribute::classname},
    {"time", JunitAttribute::time},          {"tests", JunitAttribute::tests},
    {"skipped", JunitAttribute::skipped},    {"disabled", JunitAttribute::disabled},
    {"failures", JunitAttribute::failures},  {"failure", JunitAttribute::failed},
    {"failed", JunitAttribute::failed},      {"errors", JunitAttribute::errors},
    {"error", JunitAttribute::error},        {"status", JunitAttribute::status},
    {"result", JunitAttribute::result},      {"outcome", JunitAttribute::outcome},
    {"executed", JunitAttribute::executed},  {"success", JunitAttribute::success},
    {"successful", JunitAttribute::success}, {"succeeded", JunitAttribute::success},
    {"passed", JunitAttribute::success},
};

constexpr std::pair<std::string_view, JunitStatus> kStatuses[] = {
    {"", JunitStatus::passed},
    {"pass", JunitStatus::passed},
    {"passed", JunitStatus::passed},
    {"ok", JunitStatus::passed},
    {"success", JunitStatus::passed},
    {"successful", JunitStatus::passed},
    {"succeeded", JunitStatus::passed},
    {"run", JunitStatus::passed},
    {"ran", JunitStatus::passed},
    {"executed", JunitStatus::passed},
    {"completed", JunitStatus::passed},
    {"complete", JunitStatus::passed},
    {"done", JunitStatus::passed},
    {"finished", JunitStatus::passed},
    // Qt Test: as expected, or listed as known to be unreliable.
    {"xfail", JunitStatus::passed},
    {"xfailed", JunitStatus::passed},
    {"bpass", JunitStatus::passed},
    {"bfail", JunitStatus::passed},
    {"bxfail", JunitStatus::passed},
    {"bxpass", JunitStatus::passed},
    {"flaky", JunitStatus::flaky},
    {"skip", JunitStatus::skipped},
    {"skipped", JunitStatus::skipped},
    {"disabled", JunitStatus::skipped},
    {"ignored", JunitStatus::skipped},
    {"suppressed", JunitStatus::skipped},
    {"filtered", JunitStatus::skipped},
    {"pending", JunitStatus::skipped},
    {"todo", JunitStatus::skipped},
    {"untested", JunitStatus::skipped},
    {"inconclusive", JunitStatus::skipped},
    {"notexecuted", JunitStatus::skipped},
    {"notrun", JunitStatus::not_run},
    {"fail", JunitStatus::failed},
    {"failed", JunitStatus::failed},
    {"failure", JunitStatus::failed},
    {"ko", JunitStatus::failed},
    {"notok", JunitStatus::failed},
    {"error", JunitStatus::failed},
    {"errored", JunitStatus::failed},
    {"broken", JunitStatus::failed},
    {"crash", JunitStatus::failed},
    {"crashed", JunitStatus::failed},
    {"panicked", JunitStatus::failed},
    {"aborted", JunitStatus::failed},
    {"interrupted", JunitStatus::failed},
    {"timeout", JunitStatus::failed},
    {"timedout", JunitStatus::failed},
    {"undefined", JunitStatus::failed},
    {"xpass", JunitStatus::failed},
    {"xpassed", JunitStatus::failed},
};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

struct NamedAttribute {
    const char* name;
    JunitAttribute which;
};
constexpr NamedAttribute kAttributeWords[] = {{"status", JunitAttribute::status},
                                              {"result", JunitAttribute::result},
                                              {"outcome", JunitAttribute::outcome}};
constexpr NamedAttribute kFailures[] = {{"failures", JunitAttribute::failures},
                                        {"failed", JunitAttribute::failed},
                                        {"errors", JunitAttribute::errors},
                                        {"error", JunitAttribute::error}};

void add_failed(JunitAnswer& answer, const NamedAttribute& attribute, std::string_view value) {
    if (answer.failed) return;
    answer.failed = true;
    answer.name = attribute.name;
    answer.value = value;
}

void add_unknown(JunitAnswer& answer, const NamedAttribute& attribute, std::string_view value) {
    if (answer.name == nullptr) {
        answer.name = attribute.name;
        answer.value = value;
    }
    answer.unknown = true;
}

void add_word(JunitAnswer& answer, const NamedAttribute& attribute, std::string_view value) {
    switch (junit_status(value)) {
        case JunitStatus::passed:
            break;
        case JunitStatus::flaky:
            answer.flaky = true;
            break;
        case JunitStatus::not_run:
            answer.not_run = answer.skipped = true;
            break;
        case JunitStatus::skipped:
            answer.skipped = true;
            break;
        case JunitStatus::failed:
            add_failed(answer, attribute, value);
            break;
        case JunitStatus::unknown:
            add_unknown(answer, attribute, value);
            break;
    }
}

}  // namespace

JunitElement junit_element(std::string_view name) {
    return look_up(kElements, plain_word(without_prefix(name)), JunitElement::unknown);
}

JunitAttribute junit_attribute(std::string_view name) {
    if (name.starts_with("xmlns:")) return JunitAttribute::other;
    return look_up(kAttributes, plain_word(without_prefix(name)), JunitAttribute::other);
}

JunitStatus junit_status(std::string_view value) {
    const std::string word = plain_word(value);
    if (word.empty() && !trimmed(value).empty()) return JunitStatus::unknown;  // "-"
    return look_up(kStatuses, word, JunitStatus::unknown);
}

std::optional<bool> junit_truth(std::string_view value) {
    const std::string word = plain_word(value);
    if (word.size() != trimmed(value).size()) return std::nullopt;  // "-1"
    if (word == "true" || word == "yes" || word == "1") return true;
    if (word == "false" || word == "no" || word == "0") return false;
    return std::nullopt;
}

std::optional<std::int64_t> junit_count(std::string_view value) {
    value = trimmed(value);
    if (value.empty()) return 0;
    if (value.front() == '+') value.remove_prefix(1);
    std::int64_t count = 0;
    bool digits = false;
    while (!value.empty() && (is_ascii_digit(value.front()) || (digits && value.front() == ','))) {
        if (value.front() != ',') count = std::min(10 * count + (value.front() - '0'), kMaxJunitCount);
        digits = true;
        value.remove_prefix(1);
    }
    if (!digits) return std::nullopt;
    if (value.empty()) return count;
    if (value.front() != '.' || value.find_first_not_of('0', 1) != std::string_view::npos)
        return std::nullopt;
    return count;
}

JunitAnswer junit_answer(const JunitAttributes& attributes, bool of_case) {
    JunitAnswer answer;
    for (const NamedAttribute& word : kAttributeWords) add_word(answer, word, attributes[word.which]);
    if (!of_case) return answer;
    constexpr NamedAttribute kSuccess{"success", JunitAttribute::success};
    constexpr NamedAttribute kExecuted{"executed", JunitAttribute::executed};
    for (const NamedAttribute& attribute : {kSuccess, kExecuted}) {
        const std::string_view value = attributes[attribute.which];
        if (value.empty()) continue;
        const auto truth = junit_truth(value);
        if (!truth) {
            add_unknown(answer, attribute, value);
        } else if (!*truth && attribute.which == JunitAttribute::success) {
            add_failed(answer, attribute, value);
        } else if (!*truth) {
            answer.skipped = true;
        }
    }
    for (const NamedAttribute& attribute : kFailures) {
        const std::string_view value = attributes[attribute.which];
        const auto truth = junit_truth(value);
        const auto count = truth ? std::optional<std::int64_t>(*truth ? 1 : 0) : junit_count(value);
        if (!count) {
            add_unknown(answer, attribute, value);
        } else if (*count > 0) {
            add_failed(answer, attribute, value);
        }
    }
    return answer;
}

bool is_junit_encoding(std::string_view name) {
    constexpr std::string_view kFamilies[] = {
        "utf8",       "utf16",    "ucs2",  "usascii",    "ascii", "iso8859", "latin",  "windows125",
        "windows874", "cp125",    "cp437", "cp850",      "cp93",  "cp94",    "cp95",   "gb",
        "big5",       "shiftjis", "sjis",  "windows31j", "euc",   "koi8",    "tis620", "mac",
    };
    const std::string word = plain_word(name);
    return std::ranges::any_of(
        kFamilies, [&](std::string_view family) { return std::string_view(word).starts_with(family); });
}

}  // namespace turboci
