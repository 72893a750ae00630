// SPDX-License-Identifier: Apache-2.0
#include "grpc/json_struct.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "unit/grpc/random_values.hpp"

namespace turboci::rpc {

namespace {

using google::protobuf::Struct;

std::string problem_of(std::string_view text) {
    std::string compact;
    return json_problem(text, true, compact).value_or("");
}

std::string text_of(double number) {
    Struct value;
    (*value.mutable_fields())["n"].set_number_value(number);
    std::string problem;
    const auto text = from_struct(value, problem);
    return text ? text->text : problem;
}

std::string nested(int levels) {
    std::string text;
    for (int i = 1; i < levels; ++i) text += R"({"a":)";
    text += "{}";
    return text + std::string(static_cast<std::size_t>(levels - 1), '}');
}

}  // namespace

TEST_CASE("A Struct says the same as the text that it was made of, as far as it can") {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        RandomValues random(seed);
        const JsonText text = random.json();
        Struct value;
        REQUIRE(to_struct(text, value));
        std::string problem;
        const auto back = from_struct(value, problem);
        REQUIRE(back);
        // What was rounded once stays as it is.
        Struct again;
        REQUIRE(to_struct(*back, again));
        CHECK(from_struct(again, problem) == back);
        if (text.text.find_first_of("0123456789") == std::string::npos) CHECK(same_json(*back, text));
    }
}

TEST_CASE("Keys of a Struct come in order, and whole numbers have no fraction") {
    Struct value;
    REQUIRE(to_struct({R"({"b":[1,-2.5,"x",null,true],"a":{"é\n":9007199254740991}})"}, value));
    std::string problem;
    CHECK(from_struct(value, problem) ==
          JsonText{R"({"a":{"é\n":9007199254740991},"b":[1,-2.5,"x",null,true]})"});
    CHECK(text_of(0) == R"({"n":0})");
    CHECK(text_of(-0.0) == R"({"n":0})");
    CHECK(text_of(-7) == R"({"n":-7})");
    CHECK(text_of(0.1) == R"({"n":0.1})");
    CHECK(text_of(1e300) == R"({"n":1e+300})");
    CHECK(text_of(9007199254740992) == R"({"n":9007199254740992})");
    CHECK(text_of(std::nan("")) == "has a number that JSON does not have");
    CHECK(text_of(std::numeric_limits<double>::infinity()) == "has a number that JSON does not have");
}

TEST_CASE("JSON text is an object, once nested no deeper than 64 levels, with each key once") {
    CHECK(problem_of(R"({"a":[{}]})").empty());
    CHECK(problem_of("[]") == "is no JSON object");
    CHECK(problem_of("1") == "is no JSON object");
    CHECK(problem_of("") == "is no JSON");
    CHECK(problem_of("{} {}") == "is no JSON");
    CHECK(problem_of("{\"a\":\"\xff\"}") == "is no JSON");
    CHECK(problem_of(R"({"a":1e999})") == "is no JSON");
    CHECK(problem_of(R"({"b":{"a":1,"x":2,"\u0061":3}})") == "has the key 'a' twice");
    CHECK(problem_of(nested(kMaxNesting)).empty());
    CHECK(problem_of(nested(kMaxNesting + 1)) == "is nested deeper than 64 levels");
    CHECK(problem_of("[" + std::string(1'000'000, '[')) == "is nested deeper than 64 levels");
}

TEST_CASE("What is nested too deep for a parser of messages goes as text alone") {
    Struct value;
    CHECK(to_struct({nested(kMaxStructNesting)}, value));
    Struct parsed;
    CHECK(parsed.ParseFromString(value.SerializeAsString()));
    CHECK_FALSE(to_struct({nested(kMaxStructNesting + 1)}, value));
    CHECK(value.fields().empty());
    CHECK(to_struct({R"({"brackets":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[["})"}, value));
}

}  // namespace turboci::rpc
