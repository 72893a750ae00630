// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "format/json_output.hpp"
#include "format/terminal_unicode.hpp"
#include "support/catch.hpp"
#include "support_run.hpp"
#include "turboci/plan_file.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

/// Strings that some reader would take for something else, or that are hard to write.
std::string awkward_document() {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const char* text : {"",
                             " ",
                             "~",
                             "null",
                             "Null",
                             "NULL",
                             "true",
                             "True",
                             "yes",
                             "Yes",
                             "no",
                             "NO",
                             "on",
                             "Off",
                             "y",
                             "N",
                             "123",
                             "-1",
                             "+1",
                             "0755",
                             "0o17",
                             "0x1f",
                             "0b1",
                             "1_000",
                             "1.5",
                             ".5",
                             "1e5",
                             "1.0e+5",
                             ".inf",
                             "-.INF",
                             ".nan",
                             "12:30:45",
                             "2026-01-02",
                             "2026-01-02T03:04:05.000006Z",
                             "=",
                             "<<",
                             "-",
                             "- a",
                             "?",
                             "? a",
                             ":",
                             "a: b",
                             "a:",
                             ":a",
                             "a :b",
                             "a #b",
                             "#a",
                             "a# b",
                             "&a",
                             "*a",
                             "!a",
                             "!!str a",
                             "%a",
                             "@a",
                             "`a`",
                             "|",
                             ">",
                             "|-",
                             "[a]",
                             "{a}",
                             "a,b",
                             "'a'",
                             "\"a\"",
                             "\\",
                             "\\n",
                             "a\nb",
                             "a\n",
                             "\na",
                             "\n",
                             "\r",
                             "\r\n",
                             "\t",
                             "a\tb",
                             " a",
                             "a ",
                             "a  b",
                             "---",
                             "...",
                             "--- a",
                             "check:a",
                             "stage:a b",
                             "a::b",
                             "std::string",
                             "http://x.y/z?a=b&c",
                             "a b c",
                             "/usr/bin",
                             "_x",
                             "x-y",
                             "ünïcödé",
                             "東京",
                             "🚀",
                             "👩‍🚀",
                             "\x01",
                             "\x1b[31m",
                             "\x7f",
                             "<b>",
                             "$x",
                             "a\\",
                             "\"",
                             "'",
                             "%YAML",
                             "NaN",
                             "Infinity",
                             "inf",
                             "e5",
                             "0",
                             "-0",
                             "00",
                             "08",
                             "1,000"}) {
        list.push_back(text);
    }
    list.push_back(std::string("nul\0!", 5));
    for (const char32_t point :
         {0x80u, 0x85u, 0x9bu, 0xa0u, 0xadu, 0x200bu, 0x2028u, 0x2029u, 0x202eu, 0xd7ffu, 0xe000u, 0xfeffu,
          0xfffdu, 0xfffeu, 0xffffu, 0x10000u, 0x1fffeu, 0x10ffffu}) {
        std::string text;
        append_utf8(text, point);
        list.push_back(text);
        list.push_back("a" + text + "b");
    }
    list.push_back(std::string(5000, 'x') + " " + std::string(5000, 'y'));
    nlohmann::ordered_json keys = nlohmann::ordered_json::object();
    for (const auto& text : list) keys[text.get<std::string>()] = text;
    keys[std::string(2000, 'k')] = 1;
    keys[std::string(400, '\x01')] = nlohmann::ordered_json::array({1});
    nlohmann::ordered_json root;
    root["list"] = list;
    root["keys"] = keys;
    root["nested"] = nlohmann::ordered_json::parse(
        R"([[],{},[[]],[{}],{"a":{},"b":[]},[[1,[2,{"c":[3,{"d":null}]}]]],{"x":[{"y":1,"z":[true,false]}]}])");
    root["empty"] = nlohmann::ordered_json::object();
    return root.dump();
}

}  // namespace

TEST_CASE("YAML is in blocks and quotes only what it must", "[yaml]") {
    CHECK(json_to_yaml(
              R"({"plan":{"id":"p","version":7},"checks":[{"id":"a b","dependencies":[],"o":{}},)"
              R"({"ref":"check:x","note":null,"on":"no","t":"2026-01-02T03:04:05.000006Z"}],"stages":[]})") ==
          "plan:\n"
          "  id: p\n"
          "  version: 7\n"
          "checks:\n"
          "  - id: a b\n"
          "    dependencies: []\n"
          "    o: {}\n"
          "  - ref: check:x\n"
          "    note: null\n"
          "    \"on\": \"no\"\n"
          "    t: \"2026-01-02T03:04:05.000006Z\"\n"
          "stages: []\n");
    CHECK(json_to_yaml("[]") == "[]\n");
    CHECK(json_to_yaml("{}") == "{}\n");
    CHECK(json_to_yaml("\"x\"") == "x\n");
}

TEST_CASE("Numbers in YAML keep their value", "[yaml]") {
    CHECK(json_to_yaml("[0,-1,18446744073709551615,123456789012345678901234567890,-9223372036854775808]") ==
          "- 0\n- -1\n- 18446744073709551615\n- 123456789012345678901234567890\n- -9223372036854775808\n");
    CHECK(json_to_yaml("[1.50,0.1,1e5,1E-5,2.5e10,-3e+2,1.7976931348623157e308]") ==
          "- 1.50\n- 0.1\n- 1.0e+5\n- 1.0e-5\n- 2.5e+10\n- -3.0e+2\n- 1.7976931348623157e+308\n");
}

TEST_CASE("What is not JSON does not become YAML", "[yaml]") {
    for (const char* text : {"", "{", "[1,]", "{\"a\"}", "nul", "[1] [2]", "\"\xff\""}) {
        CAPTURE(text);
        CHECK_THROWS_AS(json_to_yaml(text), Error);
    }
}

TEST_CASE("Another YAML reader gets the same document back", "[yaml]") {
    if (!can_run("python3 -c 'import yaml'")) return;
    const std::string json = awkward_document();
    const RunOutput back = run_with_input(
        "python3 -c 'import sys,yaml,json; json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout)'",
        json_to_yaml(json));
    CHECK(back.err.empty());
    REQUIRE(back.status == 0);
    const auto want = nlohmann::json::parse(json);
    const auto have = nlohmann::json::parse(back.out);
    CHECK(have["nested"] == want["nested"]);
    CHECK(have["empty"] == want["empty"]);
    REQUIRE(have["list"].size() == want["list"].size());
    for (std::size_t i = 0; i < want["list"].size(); ++i) CHECK(have["list"][i] == want["list"][i]);
    CHECK(have["keys"] == want["keys"]);
}

TEST_CASE("Our own reader gets the same document back", "[yaml]") {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    const auto awkward = nlohmann::ordered_json::parse(awkward_document());
    for (const auto& text : awkward["list"]) {
        // Plan files must not hold controls; everything else may be an option.
        WriteNodes request;
        Problems problems;
        const nlohmann::ordered_json plan = {{"checks", {{{"id", "c"}, {"options", {{"v", text}}}}}}};
        const std::string json = plan.dump();
        read_plan_text({"in.json", json}, request, problems);
        if (problems.empty()) list.push_back(text);
    }
    REQUIRE(list.size() > 120);
    nlohmann::ordered_json options;
    options["list"] = list;
    options["nested"] = awkward["nested"];
    options["numbers"] = nlohmann::ordered_json::parse("[0,-1,1.5,1e5,1E-7,18446744073709551615,0.1]");
    const nlohmann::ordered_json plan = {{"checks", {{{"id", "c"}, {"options", options}}}}};
    const std::string yaml = json_to_yaml(plan.dump());
    WriteNodes request;
    Problems problems;
    read_plan_text({"in.yaml", yaml}, request, problems);
    REQUIRE(problems.empty());
    REQUIRE(request.checks.size() == 1);
    REQUIRE(request.checks[0].options);
    const auto have = nlohmann::json::parse(request.checks[0].options->text);
    const auto want = nlohmann::json::parse(options.dump());
    for (std::size_t i = 0; i < want["list"].size(); ++i) CHECK(have["list"][i] == want["list"][i]);
    CHECK(have == want);
}

TEST_CASE("Indented JSON reads back the same", "[json]") {
    const std::string json = awkward_document();
    CHECK(nlohmann::ordered_json::parse(indent_json(json)).dump() == json);
}
