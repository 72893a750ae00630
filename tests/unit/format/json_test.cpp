// SPDX-License-Identifier: Apache-2.0
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("JSON is known by its content, whatever the name") {
    for (const auto* name : {"plan.json", "plan.yaml", "-"}) {
        const auto r = read(
            "\n {\"checks\": [{\"id\": \"a\\/b\", \"options\": {\"n\": 1.0, \"t\": [true, false, null]}}]}\n",
            name);
        CHECK(r.problems().empty());
        REQUIRE(r.request.checks.size() == 1);
        CHECK(r.request.checks[0].id == "a/b");
        CHECK(r.request.checks[0].options->text == R"({"n":1.0,"t":[true,false,null]})");
    }
}

TEST_CASE("YAML's flow style is not taken for JSON, nor JSON's near relations refused") {
    CHECK(read("{checks: [{id: a}]}").request.checks.size() == 1);
    CHECK(read("{\"checks\": [{\"id\": \"a\"},],}\n").request.checks.size() == 1);
    CHECK(read("{\"checks\": [{\"id\": \"a\"}]} # done\n").request.checks.size() == 1);
    CHECK(read("{\"checks\": [{\"id\": \"a\"}]}\n---\n{\"checks\": [{\"id\": \"b\"}]}\n")
              .request.checks.size() == 2);
}

TEST_CASE("keys and values of JSON have positions in lines and characters") {
    const auto r = read(
        "{\"checks\": [\n"
        "  {\"id\": \"é\", \"kidn\": \"x\"},\n"
        "  {\"id\":\n 5, \"state\":\t\"DONE\"},\n"
        "  {\"kind\": [1,2]},\n"
        "  {\"id\": \"b\", \"results\": [{\"finalize\": 12}], \"options\": 7}\n"
        "]}\n");
    CHECK(r.problems() == std::vector<std::string>{
                              "2:15: unknown key 'kidn'; did you mean 'kind'?",
                              "4:2: 'id' must be a string, not an integer; put it in quotes",
                              "4:14: 'DONE' is not a state; use PLANNING, PLANNED, WAITING or FINAL",
                              "5:3: 'id' is missing",
                              "5:12: 'kind' must be a string, not a list",
                              "6:40: 'finalize' must be true or false, not an integer",
                              "6:57: 'options' must be a map, not an integer",
                          });
    CHECK(r.request.checks.size() == 2);
    CHECK(r.request.checks[0].at.line == 2);
    CHECK(r.request.checks[0].at.column == 3);
}

TEST_CASE("a key that comes twice in JSON is refused, and its second value is passed over") {
    const auto r = read(
        R"({"checks": [{"id": "a", "options": {"x": 1, "x": {"x": [1, {"y": 2}]}, "z": 3}, "id": "b"}]})");
    CHECK(r.problems() == std::vector<std::string>{"1:45: duplicate key 'x'", "1:81: duplicate key 'id'"});
    REQUIRE(r.request.checks.size() == 1);
    CHECK(r.request.checks[0].id == "a");
    CHECK(r.request.checks[0].options->text == R"({"x":1,"z":3})");
}

TEST_CASE("broken JSON is told as JSON where it looks like JSON") {
    CHECK(read("{\"checks\": [{\"id\": \"a\"}\n").problems() ==
          std::vector<std::string>{"1:24: not valid JSON: unexpected end of input; expected ']'"});
    const auto named = read("{checks: [}", "plan.json");
    REQUIRE(named.details.size() == 1);
    CHECK(named.details[0].message.starts_with("not valid JSON: "));
    const auto yaml = read("{checks: [}", "plan.yaml");
    REQUIRE(yaml.details.size() == 1);
    CHECK(yaml.details[0].message.starts_with("not valid YAML: "));
}

TEST_CASE(
    "what JSON's parser says of a token never gets into a message, where it could be half a character") {
    CHECK(read("{\"a\": \xef\xbb\xbf{: [}").problems() ==
          std::vector<std::string>{"1:7: not valid JSON: invalid literal"});
    CHECK(read("{\"a\" 5: [}").problems() ==
          std::vector<std::string>{"1:7: not valid JSON: unexpected number literal; expected ':'"});
}

TEST_CASE("numbers of JSON outside of 64 bits are refused") {
    CHECK(
        read(R"({"checks": [{"id": "a", "options": {"n": 18446744073709551616}}]})").problems() ==
        std::vector<std::string>{
            "1:42: '18446744073709551616' does not fit into 64 bits; put it in quotes to make it a string"});
    CHECK(read(R"({"checks": [{"id": "a", "options": {"n": -1e999}}]})").mentions("cannot be told in JSON"));
    CHECK(read(R"({"if_version": 9223372036854775808})").mentions("does not fit into 64 bits"));
    CHECK(read(R"({"if_version": 9223372036854775807})").request.if_version == INT64_MAX);
}

TEST_CASE("JSON may be nested 64 deep and no deeper") {
    const auto nested = [](std::size_t depth) {  // the options are at depth 4
        return R"({"checks": [{"id": "a", "options": {"x": )" + std::string(depth - 4, '[') +
               std::string(depth - 4, ']') + "}}]}";
    };
    CHECK(read(nested(64)).problems().empty());
    CHECK(read(nested(65)).problems() == std::vector<std::string>{"1:102: nested deeper than 64 levels"});
    CHECK(read(nested(1'000'000)).problems() ==
          std::vector<std::string>{"1:102: nested deeper than 64 levels"});
}

TEST_CASE("strings of JSON are unescaped, surrogate pairs included") {
    const auto r = read(R"({"checks": [{"id": "\u00e9\ud83d\ude00", "options": {"a\nb": "\u0000\""}}]})");
    CHECK(r.problems().empty());
    CHECK(r.request.checks.at(0).id == "é😀");
    CHECK(r.request.checks.at(0).options->text == R"({"a\nb":"\u0000\""})");
    CHECK_FALSE(read(R"({"checks": [{"id": "\ud83d"}]})").problems().empty());
}

TEST_CASE("labels keep the text of JSON's numbers") {
    const auto r = read(R"({"plan": {"a": 1.10, "b": true, "c": false , "d": "x", "e": -3}})");
    CHECK(r.problems().empty());
    CHECK(r.request.labels->text == R"({"a":"1.10","b":"true","c":"false","d":"x","e":"-3"})");
}
