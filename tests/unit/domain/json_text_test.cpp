// SPDX-License-Identifier: Apache-2.0
#include "turboci/json_text.hpp"

#include "support/catch.hpp"

using namespace turboci;

// The example table of RFC 7396, appendix A, as far as objects go.
TEST_CASE("A merge patch adds, replaces and removes") {
    struct Row {
        const char *target, *patch, *result;
    };
    for (const Row& row : {Row{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                           Row{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                           Row{R"({"a":"b"})", R"({"a":null})", "{}"},
                           Row{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                           Row{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                           Row{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                           Row{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                           Row{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                           Row{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                           Row{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
        CAPTURE(row.target, row.patch);
        CHECK(merge_patch({row.target}, {row.patch}).text == row.result);
    }
}

TEST_CASE("Objects are the same whatever the order of their keys") {
    CHECK(same_json({R"({"a":1,"b":{"c":2,"d":3}})"}, {R"({"b":{"d":3,"c":2},"a":1})"}));
    CHECK_FALSE(same_json({R"({"a":[1,2]})"}, {R"({"a":[2,1]})"}));
    CHECK(JsonText{}.empty());
}

TEST_CASE("Strings become JSON literals whatever they hold") {
    CHECK(json_string("plain") == "\"plain\"");
    CHECK(json_string("q\"b\\n\n") == R"("q\"b\\n\n")");
    CHECK(json_string("\x01\x1f") == R"("\u0001\u001f")");
    CHECK(json_string("ünï") == "\"ünï\"");
    CHECK(json_string("a\xff") == "\"a\uFFFD\"");
}
