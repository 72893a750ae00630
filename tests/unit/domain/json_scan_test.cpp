// SPDX-License-Identifier: Apache-2.0
#include "domain/json_scan.hpp"

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "turboci/json_text.hpp"

using namespace turboci;

namespace {

bool by_parser(const std::string& text) { return text.starts_with('{') && nlohmann::json::accept(text); }

}  // namespace

TEST_CASE("what is plainly a JSON object is seen without a parser") {
    for (const std::string& text : std::vector<std::string>{
             R"({})", R"({"a":1})", " {\"a\" : [ ] ,\n\"b\":{ } }\t",
             R"({"a":[1,-2.5,true,false,null,"x"],"b":{"c":{}}})",
             R"({"quoted \" \\ \/ \b\f\n\r\t":"grün ✓ 🎉"})", R"({"a":[[[{"b":[0,0.0]}]]]})"}) {
        CAPTURE(text);
        CHECK(is_plain_json_object(text) == (text[0] == '{'));
        CHECK(is_json_object(text) == (text[0] == '{'));
    }
}

TEST_CASE("what takes a parser to judge is left to it") {
    const std::string deep = "{\"a\":" + std::string(70, '[') + std::string(70, ']') + "}";
    for (const std::string& text : {std::string(R"({"a":"\u00e4"})"), std::string(R"({"a":1e5})"), deep,
                                    "{\"a\":" + std::string(200, '7') + "}"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_json_object(text));
        CHECK(is_json_object(text));
    }
    CHECK_FALSE(is_json_object(R"({"a":1e999})"));
    CHECK_FALSE(is_json_object(R"({"a":"\ud800"})"));
}

TEST_CASE("nothing else is taken for a JSON object") {
    for (const std::string& text : std::vector<std::string>{"",
                                                            "{",
                                                            "}",
                                                            "[]",
                                                            "1",
                                                            "\"a\"",
                                                            "{}}",
                                                            "{} x",
                                                            "{,}",
                                                            R"({"a"})",
                                                            R"({"a":})",
                                                            R"({"a":1,})",
                                                            R"({"a":[1,]})",
                                                            R"({"a":[,1]})",
                                                            R"({"a":[1})",
                                                            R"({"a":{]})",
                                                            R"({"a":01})",
                                                            R"({"a":-})",
                                                            R"({"a":.5})",
                                                            R"({"a":1.})",
                                                            R"({"a":+1})",
                                                            R"({"a":tru})",
                                                            R"({"a":nul})",
                                                            R"({a:1})",
                                                            R"({1:1})",
                                                            R"({"a":"x})",
                                                            R"({"a":"\x"})",
                                                            R"({"a":"\)",
                                                            "{\"a\":\"\n\"}",
                                                            "{\"a\":\"\xff\"}",
                                                            "{\"a\":\"\xc3\"}",
                                                            "{\"\xed\xa0\x80\":1}",
                                                            R"({"a":1 "b":2})",
                                                            R"({"a" 1})",
                                                            R"({"a":1]})"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_json_object(text));
        CHECK_FALSE(is_json_object(text));
    }
}

TEST_CASE("a quick look never says yes where the parser says no") {
    const std::string alphabet = "{}[]\",:\\ \n\t0123456789-.eEtrufalsnbx/\x01\x7f\xc3\xa4\xff";
    const std::string sound = R"({"a":[1,-2.5,true,{"b\n":"ä"},null],"c":{"d":"x"},"e":false})";
    std::mt19937 random(7);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    for (int round = 0; round < 20'000; ++round) {
        std::string text = sound;
        for (std::size_t i = below(3) + 1; i > 0; --i) {
            const char c = alphabet[below(alphabet.size())];
            const std::size_t at = below(text.size());
            if (below(3) == 0)
                text.erase(at, 1);
            else if (below(2) == 0)
                text[at] = c;
            else
                text.insert(at, 1, c);
        }
        if (is_plain_json_object(text) && !by_parser(text)) FAIL(text);
        if (is_json_object(text) != by_parser(text)) FAIL(text);
    }
}
