// SPDX-License-Identifier: Apache-2.0
#include "format/terminal.hpp"

#include "format/terminal_unicode.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("Plain text is printed as it is", "[terminal]") {
    CHECK(printable("").empty());
    CHECK(printable("check:lint") == "check:lint");
    CHECK(printable("a b  c") == "a b  c");
    CHECK(printable("ünïcödé 東京 👩‍🚀") == "ünïcödé 東京 👩‍🚀");
    CHECK(printable(R"(C:\temp\new)") == R"(C:\temp\new)");
}

TEST_CASE("Controls never reach the terminal", "[terminal]") {
    CHECK(printable("a\nb\r\tc") == "a\\nb\\r\\tc");
    CHECK(printable("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m");
    CHECK(printable(std::string_view("nul\0!", 5)) == "nul\\x00!");
    CHECK(printable("del\x7f") == "del\\x7f");
    CHECK(printable("csi\xc2\x9b\x31m") == "csi\\u{9b}1m");
    CHECK(printable("\xc2\x80\xc2\x85") == "\\u{80}\\u{85}");
}

TEST_CASE("Characters that reorder or hide text are shown as escapes", "[terminal]") {
    for (const char32_t bad : {U'\u061c', U'\u200b', U'\u200e', U'\u200f', U'\u2028', U'\u2029', U'\u202a',
                               U'\u202b', U'\u202c', U'\u202d', U'\u202e', U'\u2060', U'\u2066', U'\u2067',
                               U'\u2068', U'\u2069', U'\ufeff', U'\U000e0041'}) {
        std::string text = "a";
        append_utf8(text, bad);
        CAPTURE(static_cast<std::uint32_t>(bad));
        const std::string shown = printable(text + "b");
        CHECK(shown.starts_with("a\\u{"));
        CHECK(shown.ends_with("}b"));
    }
    CHECK(printable("\xe2\x80\xae") == "\\u{202e}");
}

TEST_CASE("Bytes that are not UTF-8 are shown one by one", "[terminal]") {
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable("\xc3") == "\\xc3");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // past U+10FFFF
    CHECK(printable("\xe6\x9d!") == "\\xe6\\x9d!");
}

TEST_CASE("No line can begin with a CI runner's command", "[terminal]") {
    CHECK(printable("::error::x") == "\\x3a:error::x");
    CHECK(printable("  ::error::x") == "  \\x3a:error::x");
    CHECK(printable("\xc2\xa0\xe3\x80\x80::stop") == "\xc2\xa0\xe3\x80\x80\\x3a:stop");  // blanks of Unicode
    CHECK(printable(":::") == "\\x3a::");
    CHECK(printable("std::string") == "std::string");
    CHECK(printable("##[error]x") == "\\x23#[error]x");
    CHECK(printable("##vso[task.setvariable]x") == "\\x23#vso[task.setvariable]x");
    CHECK(printable("##VSO[a]") == "\\x23#VSO[a]");
    CHECK(printable("##teamcity[x]") == "\\x23#teamcity[x]");
}

TEST_CASE("Commands that runners look for anywhere in a line are defused anywhere", "[terminal]") {
    CHECK(printable("see ##[group]") == "see \\x23#[group]");
    CHECK(printable("###[a]") == "#\\x23#[a]");
    CHECK(printable("## heading") == "## heading");
    CHECK(printable("##") == "##");
    CHECK(printable("##abc") == "##abc");
}

TEST_CASE("Widths are those of a terminal", "[terminal]") {
    CHECK(display_width("") == 0);
    CHECK(display_width("abc") == 3);
    CHECK(display_width("東京") == 4);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("🚀") == 2);
    CHECK(display_width("ﬁ…") == 2);
    CHECK(display_width("\x1b[1mab\x1b[0m") == 2);
}

TEST_CASE("Cut text says so and never splits a character", "[terminal]") {
    CHECK(fit("abc", 3) == "abc");
    CHECK(fit("abcd", 3) == "ab…");
    CHECK(fit("abcd", 1) == "…");
    CHECK(fit("abcd", 0).empty());
    CHECK(fit("東京都", 4) == "東…");
    CHECK(fit("東京都", 5) == "東京…");
    CHECK(fit("e\u0301e\u0301e\u0301", 2) == "e\u0301…");
}

TEST_CASE("Styles are written only when asked for", "[terminal]") {
    CHECK(styled("x", Style::red, true) == "\x1b[31mx\x1b[0m");
    CHECK(styled("x", Style::red, false) == "x");
    CHECK(styled("x", Style::plain, true) == "x");
    CHECK(styled("", Style::red, true).empty());
    CHECK(style_of(NodeType::check, State::final, Outcome::failed) == Style::red);
    CHECK(style_of(NodeType::stage, State::final, Outcome::passed) == Style::green);
    CHECK(style_of(NodeType::stage, State::attempting, std::nullopt) == Style::blue);
}

TEST_CASE("A table is aligned and has no trailing blanks", "[terminal]") {
    Table table({"NODE", "STATE", "NOTE"});
    CHECK(table.empty());
    table.add({{"check:a", Style::plain}, {"FINAL", Style::green}, {"", Style::plain}});
    table.add({{"stage:東京", Style::plain}, {"PLANNED", Style::plain}, {"two\nlines ", Style::plain}});
    table.add({{"stage:b"}});
    CHECK(table.render(0, false) ==
          "NODE        STATE    NOTE\n"
          "check:a     FINAL\n"
          "stage:東京  PLANNED  two\\nlines\n"
          "stage:b\n");
    CHECK(table.render(0, true).find("\x1b[32mFINAL\x1b[0m\n") != std::string::npos);
    CHECK(table.render(0, true).starts_with("\x1b[1mNODE\x1b[0m "));
}

TEST_CASE("Where characters beyond ASCII cannot be shown, three dots stand for what was cut", "[terminal]") {
    CHECK(fit("abcdef", 5, false) == "ab...");
    CHECK(fit("abcde", 5, false) == "abcde");
    CHECK(fit("abcd", 3, false) == "...");
    CHECK(fit("abcd", 2, false) == "..");
    CHECK(fit("abcd", 0, false).empty());
    CHECK(fit("東京都", 5, false) == "東...");
    CHECK(in_charset("a… ×2 é", false) == "a... x2 é");
    CHECK(in_charset("a… ×2", true) == "a… ×2");
    Table table({"ID"});
    table.add({{"abcdefgh"}});
    CHECK(table.render(6, false, false) == "ID\nabc...\n");
}

TEST_CASE("A table that names its least useful columns cuts these first, and ids last", "[terminal]") {
    Table table({"NODE", "KIND", "STATE", "WHY"}, {3, 1, 2});
    const std::string id(30, 'i');
    table.add({{id}, {"source"}, {"PLANNED"}, {std::string(20, 'w')}});
    const auto row = [&](std::size_t width) {
        const std::string text = table.render(width, false);
        return text.substr(text.find('\n') + 1);
    };
    CHECK(row(69) == id + "  source  PLANNED  " + std::string(20, 'w') + "\n");
    CHECK(row(60) == id + "  source  PLANNED  " + std::string(10, 'w') + "…\n");
    CHECK(row(53) == id + "  source  PLANNED  www…\n");
    CHECK(row(52) == id + "  sour…  PLANNED  www…\n");
    CHECK(row(49) == id + "  sou…  PLAN…  www…\n");
    CHECK(row(48) == id + "  sou…  PLA…  www…\n");
    CHECK(row(47) == std::string(28, 'i') + "…  sou…  PLA…  www…\n");
}

TEST_CASE("A table is cut to the terminal at its widest columns", "[terminal]") {
    Table table({"ID", "MESSAGE"});
    table.add({{"short"}, {std::string(1000, 'x')}});
    table.add({{"s"}, {"fine"}});
    const std::string text = table.render(30, false);
    CHECK(text ==
          "ID     MESSAGE\n"
          "short  " +
              std::string(22, 'x') +
              "…\n"
              "s      fine\n");
    Table two({"A", "B"});
    two.add({{std::string(50, 'a')}, {std::string(50, 'b')}});
    const std::string halves = two.render(42, false);
    CHECK(halves.substr(halves.find('\n') + 1) ==
          std::string(19, 'a') + "…  " + std::string(19, 'b') + "…\n");
    Table narrow({"AAAA", "BBBB"});
    narrow.add({{"aaaa"}, {"bbbb"}});
    CHECK(narrow.render(3, false) == "AAAA  BBBB\naaaa  bbbb\n");
}

TEST_CASE("Table cells cannot smuggle commands into the line", "[terminal]") {
    Table table({"", "ID"});
    table.add({{""}, {"::error::no"}});
    table.add({{"::warning::no"}, {"##[x]"}});
    const std::string text = table.render(0, false);
    CHECK(text.find("\n" + std::string(18, ' ') + "\\x3a:error::no\n") != std::string::npos);
    CHECK(text.find("\n\\x3a:warning::no  \\x23#[x]\n") != std::string::npos);
}
