// SPDX-License-Identifier: Apache-2.0
#include "format/scalars.hpp"

#include <utility>

#include "domain/quotes.hpp"
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("plain scalars follow the YAML 1.2 core schema") {
    const std::pair<std::string_view, ScalarKind> cases[] = {
        {"", ScalarKind::null},           {"~", ScalarKind::null},
        {"null", ScalarKind::null},       {"Null", ScalarKind::null},
        {"NULL", ScalarKind::null},       {"nUll", ScalarKind::string},
        {"true", ScalarKind::boolean},    {"True", ScalarKind::boolean},
        {"TRUE", ScalarKind::boolean},    {"false", ScalarKind::boolean},
        {"False", ScalarKind::boolean},   {"FALSE", ScalarKind::boolean},
        {"no", ScalarKind::string},       {"yes", ScalarKind::string},
        {"on", ScalarKind::string},       {"off", ScalarKind::string},
        {"y", ScalarKind::string},        {"0", ScalarKind::integer},
        {"-0", ScalarKind::integer},      {"+12", ScalarKind::integer},
        {"0755", ScalarKind::integer},    {"0x1F", ScalarKind::integer},
        {"0o17", ScalarKind::integer},    {"0o8", ScalarKind::string},
        {"0x", ScalarKind::string},       {"0b11", ScalarKind::string},
        {"-0x1F", ScalarKind::string},    {"1_000", ScalarKind::string},
        {"12:30:00", ScalarKind::string}, {"1.5", ScalarKind::real},
        {"1.", ScalarKind::real},         {".5", ScalarKind::real},
        {"-.5e+3", ScalarKind::real},     {"1e3", ScalarKind::real},
        {"1e", ScalarKind::string},       {".", ScalarKind::string},
        {"+", ScalarKind::string},        {"-", ScalarKind::string},
        {"1.2.3", ScalarKind::string},    {".inf", ScalarKind::real},
        {"-.Inf", ScalarKind::real},      {"+.INF", ScalarKind::real},
        {".nan", ScalarKind::real},       {"-.nan", ScalarKind::string},
        {"inf", ScalarKind::string},      {"2026-01-02", ScalarKind::string},
    };
    for (const auto& [text, kind] : cases) {
        INFO(text);
        CHECK(resolve_plain(text) == kind);
    }
}

TEST_CASE("integers are read within 64 bits and never wrapped") {
    CHECK(parse_integer("9223372036854775807") == INT64_MAX);
    CHECK(parse_integer("-9223372036854775808") == INT64_MIN);
    CHECK(parse_integer("0x7fffffffffffffff") == INT64_MAX);
    CHECK(parse_integer("0755") == 755);
    CHECK(parse_integer("0o17") == 15);
    CHECK(parse_integer("-0") == 0);
    CHECK_FALSE(parse_integer("9223372036854775808"));
    CHECK_FALSE(parse_integer("-9223372036854775809"));
    CHECK_FALSE(parse_integer("99999999999999999999999"));
    CHECK_FALSE(parse_integer("1.0"));
    CHECK_FALSE(parse_integer(""));
}

TEST_CASE("numbers are carried as JSON in their shortest exact form") {
    CHECK(options("{a: 0755, b: 0x1F, c: 0o17, d: +5, e: -0, f: -17}") ==
          R"({"a":755,"b":31,"c":15,"d":5,"e":0,"f":-17})");
    CHECK(options("{a: 1.50, b: 1., c: .5, d: 1e3, e: -0.0, f: 1e-7}") ==
          R"({"a":1.5,"b":1.0,"c":0.5,"d":1000.0,"e":-0.0,"f":1e-07})");
    CHECK(options("{a: 0.1, b: 0.30000000000000004, c: 1e300}") ==
          R"({"a":0.1,"b":0.30000000000000004,"c":1e+300})");
    CHECK(options("{a: 18446744073709551615, b: -9223372036854775808}") ==
          R"({"a":18446744073709551615,"b":-9223372036854775808})");
    CHECK(options("{a: 1e-999, b: -1e-999}") == R"({"a":0.0,"b":-0.0})");
}

TEST_CASE("numbers that JSON cannot carry are refused where they stand") {
    CHECK(options("{a: 18446744073709551616}") ==
          "1:31: '18446744073709551616' does not fit into 64 bits; put it in quotes to make it a string");
    CHECK(options("{a: -9223372036854775809}").find("does not fit into 64 bits") != std::string::npos);
    for (const auto* text : {".inf", "-.inf", ".nan", "1e999"}) {
        INFO(text);
        CHECK(options("{a: " + std::string(text) + "}").find("cannot be told in JSON") != std::string::npos);
    }
    CHECK(options("{a: '.inf'}") == R"({"a":".inf"})");
}

TEST_CASE("strings are escaped as JSON asks") {
    std::string out;
    append_json_text(out, std::string_view("a\"b\\c\n\t\r\x01\x7f\0é", 13));
    CHECK(out == "\"a\\\"b\\\\c\\n\\t\\r\\u0001\x7f\\u0000é\"");
}

TEST_CASE("text in messages stays on one line and has an end") {
    CHECK(in_quotes("a\nb\t\x1b\x7f\xc2\x9b") == "'a\\nb\\t\\x1b\\x7f\\x9b'");
    const auto cut = in_quotes(std::string(500, 'x'));
    CHECK(cut.size() < 100);
    CHECK(cut.ends_with("…'"));
    std::string wide;
    for (int i = 0; i < 100; ++i) wide += "é";
    CHECK(is_valid_utf8(in_quotes("x" + wide)));
}
