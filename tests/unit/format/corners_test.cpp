// SPDX-License-Identifier: Apache-2.0
// Rare turns of the readers: each is a branch that limits or mends what hostile files say.
#include "format/json_events.hpp"
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;
using Catch::Matchers::Contains;

namespace {

/// The first problem of the text, or how many checks it has.
std::string first(std::string_view text, const std::string& name = "plan.yaml") {
    const auto r = read(text, name);
    return r.details.empty() ? std::to_string(r.request.checks.size()) + " checks" : r.problems().front();
}

class Nowhere final : public EventSink {
public:
    void begin_map(Position) override {}
    void end_map(Position) override {}
    void begin_seq(Position) override {}
    void end_seq(Position) override {}
    void key(std::string_view, Position) override {}
    void scalar(const Scalar&, Position) override {}
};

/// What the reader of JSON says last.
std::string json_problem(std::string_view text) {
    Nowhere sink;
    FileProblems problems;
    static_cast<void>(read_json_events(text, 0, sink, problems));
    return problems.last().message;
}

}  // namespace

TEST_CASE("what the parser of JSON quotes never reaches the user as it stands") {
    const std::string told = "not valid JSON: unexpected text";
    CHECK(json_problem("[\"; expected " + std::string(300, 'x') + "\n") == told);
    CHECK(json_problem("[\"; expected \xC3\xA9\n") == told);
    CHECK(json_problem("[\"; expected \x7F\n") == told);
    CHECK(json_problem("[\"; last read: \n") != told);
}

TEST_CASE("JSON is nested 64 deep at most, in maps as in lists, and in what is passed over") {
    CHECK(read(repeated("{\"a\":", 65)).mentions("nested deeper than 64"));
    CHECK_THAT(first("{\"checks\": [], \"checks\": " + repeated("{\"a\":", 65)), Contains("duplicate key"));
    const auto twice = read(R"({"checks": [{"id": "a", "options": {"x": 1, "x": {"y": 1, "y": 2}}}]})");
    CHECK(twice.problems() == std::vector<std::string>{"1:45: duplicate key 'x'", "1:59: duplicate key 'y'"});
}

TEST_CASE("bytes that are no UTF-8 are told with their position") {
    for (const char* bytes :
         {"\xE2\x28\xA1", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xED\xA0\x80", "\xC3"})
        CHECK_THAT(first(std::string("a: ") + bytes), Contains("1:4: invalid UTF-8"));
    CHECK(read("checks: [{id: '\xE0\xA0\x80\xF0\x90\x80\x80'}]").problems().empty());
    using namespace std::string_view_literals;
    CHECK_THAT(first("\0\0\xFE\xFF\0\0\0a"sv), Contains("UTF-32"));
    CHECK_THAT(first("checks: [{id: \"\xEF\xBF\xBE\"}]"), Contains("not valid YAML"));
}

TEST_CASE("aliases that are keys must be known, and maps that are merged may say a thing twice") {
    CHECK_THAT(first("*nope : 1\n"), Contains("unknown alias"));
    const auto r = read("checks:\n- {id: a, options: &m {x: 1, x: 2}}\n- {id: b, options: {<<: *m, y: 3}}\n");
    CHECK(r.problems() == std::vector<std::string>{"2:30: duplicate key 'x'"});
}

TEST_CASE("what is merged is looked at item by item") {
    CHECK_THAT(first("checks: [{id: a, options: {s: &s text, <<: [*s]}}]"), Contains("'<<' must be a map"));
    CHECK_THAT(first("checks: [{id: a, options: {<<: [[x]]}}]"), Contains("'<<' must be a map"));
    const auto r = read("checks: [{id: a, options: {<<: [*nope, {x: 1}]}}]");
    CHECK(r.problems() == std::vector<std::string>{"1:33: unknown alias 'nope'"});
    CHECK(read("checks: [{id: a, options: {<<: [*nope, [x]]}}]").mentions("unknown alias"));
}

TEST_CASE("an error in a value that is passed over or merged ends the file") {
    CHECK_THAT(first("reason: a\nreason: @x\n"), Contains("duplicate key"));
    CHECK_THAT(first("<<: @x\n"), Contains("a value cannot begin with '@'"));
}

TEST_CASE("tags are held against the text that they stand before, and against the form") {
    CHECK(options("{a: !!float 1.5, b: !!int 2, c: !!bool true, d: !!null null, e: !!float 3}") ==
          R"({"a":1.5,"b":2,"c":true,"d":null,"e":3.0})");
    for (const char* tagged : {"!!float x", "!!int x", "!!bool x", "!!null x"})
        CHECK_THAT(options(std::string("{a: ") + tagged + "}"), Contains("is not a value of its tag"));
    CHECK(options("! {a: ! [1], b: ! x}") == R"({"a":[1],"b":"x"})");
    CHECK_THAT(options("!!int {a: 1}"), Contains("the tag '!!int' does not fit"));
    CHECK_THAT(options("{a: !!map [1]}"), Contains("the tag '!!map' does not fit"));
    CHECK_THAT(options("{a: !!seq {}}"), Contains("the tag '!!seq' does not fit"));
}

TEST_CASE("a map is refused where a plain value belongs") {
    CHECK_THAT(first("stages: [{id: s, attempt: {no_retry: {}}}]"), Contains("must be true or false"));
    CHECK_THAT(first("stages: [{id: s, retry: {max_retries: {}}}]"), Contains("must be an integer"));
    CHECK_THAT(first("stages: [{id: s, timeout: {}}]"), Contains("must be a duration"));
}

TEST_CASE("a stage without a name is told once, and labels have no control characters") {
    CHECK(read("stages: [{args: {}}]").problems() == std::vector<std::string>{"1:10: 'id' is missing"});
    CHECK_THAT(first(R"({"plan": {"a\u0001": "x"}})"), Contains("label's name has a control character"));
    CHECK_THAT(first(R"({"plan": {"a": "x\u0001"}})"), Contains("label has a control character"));
    CHECK_THAT(first("plan: {a: [b], c: d}\n---\nplan: {a: b}\n"), Contains("not a list"));
}

TEST_CASE("what is too long at the head of a file is told where it stands") {
    CHECK(read("actor: " + std::string(1025, 'a') + "\n").problems() ==
          std::vector<std::string>{"1:8: 'actor' is 1025 bytes long, 1024 at most"});
    CHECK(read("op_id: " + std::string(1024, 'a') + "\n").problems().empty());
    const std::string half(1u << 19, 'r');
    CHECK(read("reason: " + half + "\n---\nreason: s" + half + "\n").problems() ==
          std::vector<std::string>{"3:9: 'reason' is 1048579 bytes long, 1048576 at most"});
}

TEST_CASE("a file that is called JSON is told what JSON lacks") {
    CHECK(read("{a: [}", "plan.JSON").mentions("not valid JSON"));
    CHECK(read("{a: [}", "plan.json").mentions("not valid JSON"));
    CHECK(read("{a: [}").mentions("not valid YAML"));
}
