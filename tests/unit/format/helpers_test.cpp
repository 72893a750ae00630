// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "domain/key_set.hpp"
#include "format/suggest.hpp"
#include "format/text_check.hpp"
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("a key set knows its keys, few or many, and can be emptied") {
    KeySet keys;
    for (const int many : {3, 12, 13, 1000}) {
        keys.clear();
        for (int i = 0; i < many; ++i) REQUIRE(keys.insert("key" + std::to_string(i)));
        for (int i = 0; i < many; ++i) REQUIRE_FALSE(keys.insert("key" + std::to_string(i)));
        CHECK(keys.contains("key0"));
        CHECK_FALSE(keys.contains("key" + std::to_string(many)));
        CHECK_FALSE(keys.contains(""));
    }
    CHECK(keys.insert(""));
    CHECK_FALSE(keys.insert(""));
    CHECK(keys.insert(std::string_view("\0", 1)));
}

TEST_CASE("a key set with room made for its keys is the same set") {
    for (const std::size_t room : {0u, 5u, 12u, 13u, 500u}) {
        KeySet keys;
        REQUIRE(keys.insert("before"));
        keys.reserve(room);
        for (int i = 0; i < 300; ++i) REQUIRE(keys.insert("key" + std::to_string(i)));
        keys.reserve(room);
        for (int i = 0; i < 300; ++i) REQUIRE_FALSE(keys.insert("key" + std::to_string(i)));
        CHECK(keys.contains("before"));
        CHECK_FALSE(keys.contains("after"));
        keys.clear();
        CHECK_FALSE(keys.contains("before"));
        CHECK(keys.insert("before"));
    }
}

TEST_CASE("eight bytes are plain if each of them is") {
    std::array<char, 8> bytes{};
    for (const char fill : {' ', 'a', '~'}) {
        for (std::size_t place = 0; place < bytes.size(); ++place) {
            for (int value = 0; value < 256; ++value) {
                bytes.fill(fill);
                bytes.at(place) = static_cast<char>(value);
                REQUIRE(eight_plain(bytes.data()) == (value >= ' ' && value <= '~'));
            }
        }
    }
}

TEST_CASE("positions are told across lines and characters of any length") {
    std::string text = "{\"checks\": [";
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 19; ++i) {
        text += (i == 0 ? "\n" : ",\n") + std::string(i, ' ') + "{\"id\": \"é" +
                std::string(19 - i / 2, 'x') + "\", \"nope\": 1}";
        expected.push_back(std::to_string(i + 2) + ":" + std::to_string(i + 13 + 19 - i / 2) +
                           ": unknown key");
    }
    // Blanks of every kind stand between the tokens.
    text += ",\r\n\t\t{\"id\"\t:\r\n\"y\"\r,\t\"nope\" :1}";
    expected.push_back("22:7: unknown key");
    const auto problems = read(text + "]}").problems();
    REQUIRE(problems.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(problems[i].substr(0, expected[i].size()) == expected[i]);
}

TEST_CASE("the edit distance counts a swap of neighbours as one") {
    CHECK(edit_distance("state", "state", 3) == 0);
    CHECK(edit_distance("staet", "state", 3) == 1);
    CHECK(edit_distance("optoins", "options", 3) == 1);
    CHECK(edit_distance("check", "checks", 3) == 1);
    CHECK(edit_distance("", "abc", 5) == 3);
    CHECK(edit_distance("kitten", "sitting", 5) == 3);
    CHECK(edit_distance("kitten", "sitting", 2) == 3);  // told as "more than the limit"
    CHECK(edit_distance("abcdef", "x", 2) == 3);
}

TEST_CASE("the nearest name is suggested only when it is near") {
    const std::array<std::string_view, 4> names{"id", "kind", "options", "state"};
    CHECK(nearest("optoins", names) == "options");
    CHECK(nearest("State", names) == "state");
    CHECK(nearest("ids", names) == "id");
    CHECK(nearest("environment", names).empty());
    CHECK(nearest("xyz", names).empty());
}

TEST_CASE("positions count lines and characters, not bytes") {
    const std::string_view text = "é: 1\nüü: x\n";
    const auto at = position_of(text, text.find('x'), 7);
    CHECK(at.file == 7);
    CHECK(at.line == 2);
    CHECK(at.column == 5);
}

TEST_CASE("bytes that are no text are refused with the position of the first") {
    const std::pair<std::string, std::string> cases[] = {
        {"checks:\n- id: 'a\xff'\n", "2:9: invalid UTF-8: byte 0xFF"},
        {"a\xc3", "1:2: invalid UTF-8: byte 0xC3"},              // cut short
        {"a\xc0\x80", "1:2: invalid UTF-8: byte 0xC0"},          // overlong
        {"a\xe0\x80\x80", "1:2: invalid UTF-8: byte 0xE0"},      // overlong
        {"a\xed\xa0\x80", "1:2: invalid UTF-8: byte 0xED"},      // surrogate
        {"a\xf4\x90\x80\x80", "1:2: invalid UTF-8: byte 0xF4"},  // beyond U+10FFFF
        {"a\x80", "1:2: invalid UTF-8: byte 0x80"},
        {"é\x01", "1:2: a control character (U+0001) is not allowed; write it as an escape in double quotes"},
        {"{\"a\":\x1b}",
         "1:6: a control character (U+001B) is not allowed; write it as an escape in double quotes"},
        {"a\x7f", "1:2: a control character (U+007F) is not allowed; write it as an escape in double quotes"},
        {"a\xc2\x9b",
         "1:2: a control character (U+009B) is not allowed; write it as an escape in double quotes"},
        {std::string("a\0b", 3),
         "1:2: a control character (U+0000) is not allowed; write it as an escape in double quotes"},
        {"\xff\xfe{\0", "1:1: the file is UTF-16; save it as UTF-8"},
        {std::string("\xfe\xff\0{", 4), "1:1: the file is UTF-16; save it as UTF-8"},
        {std::string("\xff\xfe\0\0", 4), "1:1: the file is UTF-32; save it as UTF-8"},
    };
    for (const auto& [text, message] : cases) {
        INFO(message);
        CHECK(read(text).problems() == std::vector<std::string>{message});
    }
}

TEST_CASE("a UTF-8 byte order mark is passed over") {
    const auto yaml = read(
        "\xef\xbb\xbf"
        "checks: [{id: a}]\n");
    CHECK(yaml.problems().empty());
    CHECK(yaml.request.checks.size() == 1);
    const auto json = read(
        "\xef\xbb\xbf"
        R"({"checks":[{"id":"a"}]})");
    CHECK(json.problems().empty());
    CHECK(json.request.checks.size() == 1);
}

TEST_CASE("a file that is too large is refused before it is read") {
    const std::string text(kMaxPlanFileBytes + 1, ' ');
    CHECK(read(text).problems() ==
          std::vector<std::string>{"1:1: the file has 268435457 bytes; 256 MiB at most"});
}

TEST_CASE("the distance of names is the same whatever they begin and end with") {
    for (const std::string around : {"", "a", "ab", "xyxyxy"}) {
        const auto distance = [&](const std::string& a, const std::string& b, std::size_t limit) {
            return edit_distance(around + a + around, around + b + around, limit);
        };
        CHECK(distance("kitten", "sitting", 5) == 3);
        CHECK(distance("abcd", "acbd", 2) == 1);
        CHECK(distance("abcdef", "badcfe", 3) == 3);
        CHECK(distance("abcdefgh", "hgfedcba", 3) == 4);
        CHECK(distance("ca", "abc", 5) == 3);
    }
}

TEST_CASE("suggestions for many long names cost no more than their budget, each no more than its band") {
    std::vector<std::string> names;
    for (int i = 0; i < 400; ++i) names.push_back(std::string(249, 'x') + "y" + std::to_string(10000 + i));
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    std::size_t before = 0;
    for (const std::size_t n : {50u, 100u, 200u, 400u}) {
        SuggestionBudget budget;
        const std::size_t all = budget.steps;
        static_cast<void>(nearest(std::string(250, 'x') + "10000", std::span(candidates).first(n), budget));
        const std::size_t used = all - budget.steps;
        CHECK(used <= n * 255 * 21);
        if (before > 0) CHECK(used <= 2 * before + 100);
        before = used;
    }
    // Where nothing is alike the first rows tell.
    SuggestionBudget budget;
    const std::size_t all = budget.steps;
    CHECK(edit_distance(std::string(255, 'a'), std::string(255, 'b'), 10, budget) == 11);
    CHECK(all - budget.steps < 255 * 21);
    SuggestionBudget none{0};
    CHECK(nearest("a", std::vector<std::string_view>{"a"}, none).empty());
}

TEST_CASE("the band finds what the whole table of distances says") {
    const auto whole = [](const std::string& a, const std::string& b) {
        std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
        for (std::size_t i = 0; i <= a.size(); ++i)
            for (std::size_t j = 0; j <= b.size(); ++j) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                d[i][j] =
                    std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        return d[a.size()][b.size()];
    };
    std::vector<std::string> words{""};  // all of three letters, up to four long
    for (std::size_t i = 0; words.size() < 121; ++i)
        for (const char c : {'a', 'b', 'c'}) words.push_back(words[i] + c);
    std::size_t wrong = 0;
    for (const std::string& a : words)
        for (const std::string& b : words)
            for (const std::size_t limit : {0u, 1u, 2u, 4u})
                wrong += edit_distance(a, b, limit) != std::min(whole(a, b), limit + 1);
    CHECK(wrong == 0);
}
