// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "reading.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

using namespace turboci;

TEST_CASE("YAML 1.1's surprises stay strings, and quotes make strings") {
    CHECK(
        options("{norway: no, on: yes, octal: 0755, hex: 0x1F, f: 1.50, n: null, t: true, s: '1', time: "
                "12:30:00, "
                "big: 9223372036854775807}") ==
        R"({"norway":"no","on":"yes","octal":755,"hex":31,"f":1.5,"n":null,"t":true,"s":"1","time":"12:30:00",)"
        R"("big":9223372036854775807})");
}

TEST_CASE("options keep the order of keys, nested lists and empty collections") {
    CHECK(options("{z: [1, [], {}, {b: [x, 'y']}], a: {}, 5: five, ~: tilde, true: yes}") ==
          R"({"z":[1,[],{},{"b":["x","y"]}],"a":{},"5":"five","~":"tilde","true":"yes"})");
    const auto block = read(
        "checks:\n- id: a\n  options:\n    text: |\n      one\n      two\n    folded: >-\n      x\n      y\n"
        "    list:\n    - 1\n    -\n    - a: b\n");
    CHECK(block.problems().empty());
    CHECK(block.request.checks.at(0).options->text ==
          R"({"text":"one\ntwo\n","folded":"x y","list":[1,null,{"a":"b"}]})");
}

TEST_CASE("several documents make one write, empty ones nothing") {
    const auto r = read("---\n---\nchecks: [{id: a}]\n...\n---\n# nothing\n---\nstages: [{id: s}]\n");
    CHECK(r.problems().empty());
    CHECK(r.request.checks.size() == 1);
    CHECK(r.request.stages.size() == 1);
    CHECK(read("").problems().empty());
    CHECK(read("# nothing\n").problems().empty());
}

TEST_CASE("anchors and aliases stand for the same value again") {
    const auto r = read(
        "checks:\n- &a {id: a, options: &o {x: [1, &n 2]}}\n- {id: b, options: *o}\n"
        "- {id: c, options: {o: *o, n: *n}, kind: &k build}\n- {id: d, kind: *k, options: {*k : 1}}\n");
    CHECK(r.problems().empty());
    REQUIRE(r.request.checks.size() == 4);
    CHECK(r.request.checks[1].options->text == R"({"x":[1,2]})");
    CHECK(r.request.checks[2].options->text == R"({"o":{"x":[1,2]},"n":2})");
    CHECK(r.request.checks[3].kind == "build");
    CHECK(r.request.checks[3].options->text == R"({"build":1})");
}

TEST_CASE("an anchor may be set again and does not outlive its document") {
    CHECK(options("{a: &x 1, b: *x, c: &x 2, d: *x}") == R"({"a":1,"b":1,"c":2,"d":2})");
    CHECK(read("checks: [{id: &a a}]\n---\nchecks: [{id: *a}]\n").problems() ==
          std::vector<std::string>{"3:15: unknown alias 'a'"});
}

TEST_CASE("merged keys yield to the map's own and to earlier merges, wherever the merge stands") {
    CHECK(options("{b: &b {x: 1, y: 1}, c: &c {y: 2, z: 2}, d: {<<: *b, x: 9}}") ==
          R"({"b":{"x":1,"y":1},"c":{"y":2,"z":2},"d":{"x":9,"y":1}})");
    CHECK(options("{b: &b {x: 1, y: 1}, c: &c {y: 2, z: 2}, d: {x: 9, <<: [*b, *c]}}") ==
          R"({"b":{"x":1,"y":1},"c":{"y":2,"z":2},"d":{"x":9,"y":1,"z":2}})");
    CHECK(options("{c: &c {y: 2}, d: {<<: [{y: 3, w: {v: 1}}, *c], q: 0}}") ==
          R"({"c":{"y":2},"d":{"q":0,"y":3,"w":{"v":1}}})");
    CHECK(options("{d: {<<: {}, q: 0}, e: {<<: []}}") == R"({"d":{"q":0},"e":{}})");
    CHECK(options("{d: {'<<': 1}}") == R"({"d":{"<<":1}})");
}

TEST_CASE("merges of merges come before the next merge of a list") {
    CHECK(
        options("{a: &a {x: a, k: a}, b: &b {<<: *a, y: b}, c: &c {x: c, y: c, z: c}, d: {<<: [*b, *c]}}") ==
        R"({"a":{"x":"a","k":"a"},"b":{"y":"b","x":"a","k":"a"},"c":{"x":"c","y":"c","z":"c"},)"
        R"("d":{"y":"b","x":"a","k":"a","z":"c"}})");
    CHECK(options("{l: &l [{x: 1}, {y: 2}], d: {<<: *l}}") == R"({"l":[{"x":1},{"y":2}],"d":{"x":1,"y":2}})");
}

TEST_CASE("nodes can share what they have in common by merging") {
    const auto r = read(
        "stages:\n- &base\n  id: a\n  retry: {max_retries: 2}\n  args: &args {env: {A: '1'}, command: x}\n"
        "- <<: *base\n  id: b\n  args: {<<: *args, command: y}\n");
    CHECK(r.problems().empty());
    REQUIRE(r.request.stages.size() == 2);
    CHECK(r.request.stages[1].id == "b");
    CHECK(r.request.stages[1].retry->max_retries == 2);
    CHECK(r.request.stages[1].args->text == R"({"command":"y","env":{"A":"1"}})");
}

TEST_CASE("what cannot be merged is refused") {
    CHECK(options("{d: {<<: 1}}") == "1:36: '<<' must be a map or a list of maps");
    CHECK(options("{d: {<<: [{a: 1}, 2]}}") == "1:36: '<<' must be a map or a list of maps");
    CHECK(options("{l: &l [1], d: {<<: *l}}") == "1:47: '<<' must be a map or a list of maps");
    CHECK(options("{l: &l {}, d: {<<: *l, <<: *l}}") ==
          "1:50: duplicate key '<<'; to merge several maps, write <<: [*a, *b]");
}

TEST_CASE("core tags are honoured and others refused") {
    CHECK(options("!!map {a: !!str 1, b: !!int '5', c: !!float 3, d: !!bool 'true', e: !!null '', f: !!seq "
                  "[x], g: ! 7}") == R"({"a":"1","b":5,"c":3.0,"d":true,"e":null,"f":["x"],"g":"7"})");
    CHECK(options("{a: !foo 1}") == "1:31: unknown tag '!foo'");
    CHECK(options("{a: !!binary aGk=}") == "1:31: unknown tag '!!binary'");
    CHECK(options("{a: !!int x}") == "1:31: 'x' is not a value of its tag '!!int'");
    CHECK(options("{a: !!seq {}}") == "1:31: the tag '!!seq' does not fit the value");
    CHECK(options("{a: !<tag:example.com,2000:x> 1}") == "1:31: unknown tag 'tag:example.com,2000:x'");
    CHECK(read("%TAG !e! tag:example.com,2000:\n---\nchecks: [{id: !e!x a}]\n").mentions("unknown tag"));
}

TEST_CASE("aliases that lead nowhere or into themselves are refused") {
    CHECK(read("checks: [{id: a, options: {x: *nope}}]\n").problems() ==
          std::vector<std::string>{"1:31: unknown alias 'nope'"});
    CHECK(read("&a [*a]\n").mentions("the alias 'a' stands inside its own anchor"));
    CHECK(read("checks: &a [*a]\n").problems() ==
          std::vector<std::string>{"1:13: the alias 'a' stands inside its own anchor"});
    CHECK(read("checks: [&a {<<: *a, id: x}]\n").problems() ==
          std::vector<std::string>{"1:18: the alias 'a' stands inside its own anchor"});
    CHECK(read("checks: [{id: x, options: &a {k: &b [*a]}}]\n")
              .mentions("the alias 'a' stands inside its own anchor"));
}

TEST_CASE("keys must be scalars and come once") {
    CHECK(options("{<<: {a: 1, a: 2}}") == "1:39: duplicate key 'a'");
    CHECK(options("{<<: [{a: 1}, {a: 2}], a: 3}") == R"({"a":3})");
    CHECK(options("{x: 1, 'x': 2}") == "1:34: duplicate key 'x'");
    CHECK(read("checks: [{id: a, kind: x, kind: y}]\n").problems() ==
          std::vector<std::string>{"1:27: duplicate key 'kind'"});
    CHECK(read("checks: [{id: a}]\nchecks: [{id: b}]\n").problems() ==
          std::vector<std::string>{"2:1: duplicate key 'checks'"});
    CHECK(options("{[a]: 1}") == "1:28: a key must be a string, not a list or a map");
    CHECK(options("{x: &m {}, *m : 1}") == "1:38: a key must be a string, not a list or a map");
    CHECK(read("? {a: b}\n: c\n").problems() ==
          std::vector<std::string>{"1:3: a key must be a string, not a list or a map"});
    CHECK(options("{? : x}").find("a key is missing before ':'") != std::string::npos);
    std::string many = "checks: [{id: a, options: {";
    for (int i = 0; i < 1000; ++i) many += "k" + std::to_string(i) + ": 1, ";
    CHECK(read(many + "k500: 2}}]\n").mentions("duplicate key 'k500'"));
}

TEST_CASE("syntax errors are told in plain words with a position") {
    const std::pair<std::string, std::string> cases[] = {
        {"checks:\n\t- id: a\n", "2:1: a tab cannot be used for indentation; use spaces"},
        {"checks: [{id: @a}]\n", "1:15: a value cannot begin with '@'; put it in quotes"},
        {"checks: [{id: a\n",
         "2:1: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping that begins at "
         "1:10"},
        {"checks: [{id: 'a}]\n",
         "2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar that begins at "
         "1:15"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        CHECK(read(text).problems() == std::vector<std::string>{message});
    }
    for (const auto* text : {",", ",\n", "[", "]", "a: b: c\n", "- a\nb: c\n",
                             "checks:\n  - id: a\n - id: b\n", "%YAML 3.0\n---\n{}\n", "\"\\q\"",
                             "a: |x\n b\n", "&", "*", "!", "checks: [{id: a}] x\n", "'a", "{a: b", "%"}) {
        INFO(text);
        const auto r = read(text);
        REQUIRE_FALSE(r.details.empty());
        CHECK(r.details[0].line >= 1);
        CHECK(r.details[0].message.find('\n') == std::string::npos);
    }
}

TEST_CASE("a syntax error ends the file, but what was wrong before is told too") {
    const auto r = read("checks:\n- id: a\n  optoins: {}\n- id: [\n");
    REQUIRE(r.details.size() >= 2);
    CHECK(r.details[0].message == "unknown key 'optoins'; did you mean 'options'?");
    CHECK(r.mentions("not valid YAML"));
}

TEST_CASE("nesting is limited to 64 in every style, also through aliases and in what is passed over") {
    const auto flow = [](std::size_t n) {
        return "checks: [{id: a, options: {x: " + std::string(n, '[') + std::string(n, ']') + "}}]\n";
    };
    CHECK(read(flow(60)).problems().empty());
    CHECK(read(flow(61)).problems() == std::vector<std::string>{"1:91: nested deeper than 64 levels"});
    CHECK(read(flow(5000)).problems() == std::vector<std::string>{"1:91: nested deeper than 64 levels"});
    CHECK(read("nope: " + std::string(100'000, '[')).mentions("nested deeper than 64 levels"));
    CHECK(read("x: {y: 1, y: " + std::string(100'000, '[')).mentions("nested deeper than 64 levels"));
    CHECK(read("x: {<<: " + std::string(100'000, '[')).mentions("nested deeper than 64 levels"));
    CHECK(read(std::string(100'000, '-')).problems().size() == 1);
    CHECK_FALSE(read("x: " + repeated("- ", 1000)).problems().empty());
    CHECK(read("checks:\n" + repeated("- ", 1000)).mentions("nested deeper than 64 levels"));
    CHECK(read(repeated("? ", 1000)).problems().size() == 1);
    CHECK(read(repeated("{a: ", 100'000)).mentions("nested deeper than 64 levels"));
    std::string chain = "checks: [{id: a, options: {a0: &a0 {}, ";
    for (int i = 1; i < 80; ++i) {
        const auto n = std::to_string(i);
        chain += "a" + n + ": &a" + n + " [*a" + std::to_string(i - 1) + "], ";
    }
    CHECK(read(chain + "}}]\n").mentions("nested deeper than 64 levels"));
}

TEST_CASE("aliases may expand to 100,000 events or 16 times the file, whichever is more") {
    const auto list = [](std::size_t items, std::size_t aliases) {
        return "checks: [{id: a, options: {l: &l [" + repeated("x,", items) + "], m: [" +
               repeated("*l,", aliases) + "]}}]\n";
    };
    CHECK(read(list(1000, 95)).problems().empty());  // 97,000 events from 2.4 kB
    CHECK(read(list(1000, 105)).mentions("the aliases make the file grow to more than 16 times its size"));
    CHECK(read(list(20'000, 15)).problems().empty());  // 320,000 events, but 16 times the file at most
    CHECK(read(list(20'000, 25)).mentions("the aliases make the file grow to more than 16 times its size"));
    const std::string flat = "checks: [{id: a, options: {l: [" + repeated("x,", 300'000) + "]}}]\n";
    CHECK(read(flat).problems().empty());  // without aliases there is nothing to limit
}

TEST_CASE("what merges and keys read again may be too much at each of its parts") {
    // The file is allowed 100,000 events: `items` of them bring the last one to any part of `tail`.
    const auto refused = [](int items, const std::string& tail) {
        const auto r = read("checks: [{id: a, options: {k: &k key, b: &b {x: 1}, l: &l [" +
                            repeated("x,", 1000) + "], m: [" + repeated("*l,", 98) + "], n: [" +
                            repeated("x,", static_cast<std::size_t>(items)) + "]" + tail + "}}]\n");
        return r.mentions("the aliases make the file grow to more than 16 times its size");
    };
    int fits = 0, too_many = 2000;
    while (too_many - fits > 1) {
        const int middle = (fits + too_many) / 2;
        (refused(middle, "") ? too_many : fits) = middle;
    }
    const std::vector<std::pair<std::string, int>> tails{{", p: {<<: *b}", 14},
                                                         {", p: {<<: [*b, {c: 1}, *b]}", 48},
                                                         {", p: {? *k : 1}", 12},
                                                         {", p: {? : [[x, x], x]}", 16}};
    for (const auto& [tail, events] : tails) {
        CAPTURE(tail);
        if (turboci::test::kSanitized && events > 12) continue;
        CHECK_FALSE(refused(fits - events, tail));
        bool was_refused = false;
        // Behind the tail the file has a few events more, which had their room in `fits`.
        for (int items = fits - events; items <= fits + 8; ++items) {
            const bool is_refused = refused(items, tail);
            CHECK((is_refused || !was_refused));  // from some number of items on
            was_refused = is_refused;
        }
        CHECK(was_refused);
    }
}

TEST_CASE("few aliases of a long text cannot fill the memory") {
    const std::string text = "checks: [{id: a, options: {l: &l " + std::string(1'000'000, 'x') + ", m: [" +
                             repeated("*l,", 1000) + "]}}]\n";
    CHECK(read(text).mentions("the aliases make the file grow to more than 16 times its size"));
}

TEST_CASE("alias bombs are refused, whatever carries them") {
    const std::string levels =
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f "
        "[*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    CHECK(read(levels + "checks: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n").mentions("the aliases make the file grow"));
    std::string merges = "a: &m0 {k: v}\n";
    for (int i = 1; i < 30; ++i) {
        const auto before = "*m" + std::to_string(i - 1);
        merges +=
            "b" + std::to_string(i) + ": &m" + std::to_string(i) + " {<<: [" + before + "," + before + "]}\n";
    }
    CHECK(read(merges).mentions("the aliases make the file grow"));
}

TEST_CASE("tag directives are limited, for each costs all before it") {
    std::string directives;
    for (int i = 0; i < 101; ++i) directives += "%TAG !a" + std::to_string(i) + "! tag:example.com,2000:\n";
    const auto r = read(directives + "---\n{}\n");
    CHECK(r.problems() == std::vector<std::string>{"101:1: too many %TAG directives"});
    CHECK(read("checks:\n- id: a\n  options: {s: '" + repeated("%TAG ", 200) + "'}\n").problems().empty());
}
