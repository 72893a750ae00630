// SPDX-License-Identifier: Apache-2.0
#include "cli/parser.hpp"

#include "support/catch.hpp"
#include "turboci/error.hpp"

using turboci::Duration;
using turboci::Error;
using turboci::ErrorCode;
using turboci::cli::Parser;

namespace {

struct Parsed {
    std::string first;
    std::vector<std::string> rest;
    std::optional<std::string> reason;
    std::vector<std::string> labels;
    std::optional<std::int64_t> number;
    std::optional<Duration> wait;
    std::string deps = "unset";
    bool quiet = false;
    bool dry_run = false;
    bool help = false;
};

Parsed parse(const std::vector<std::string>& arguments) {
    Parsed p;
    Parser parser("nodes write");
    parser.argument("FIRST", p.first, "the first");
    parser.arguments("REST", p.rest, 0, "the rest");
    parser.option("-r,--reason", "TEXT", p.reason, "why");
    parser.option("--label", "K=V", p.labels, "labels");
    parser.option("--number", "N", p.number, 1, 100, "a number");
    parser.option("--wait", "D", p.wait, "how long");
    parser.optional_value(
        "--deps", "N", [&p](const std::string& value) { p.deps = value; }, "steps");
    parser.flag("-q,--quiet", p.quiet, "silence");
    parser.flag("-n,--dry-run", p.dry_run, "nothing");
    p.help = !parser.parse(arguments);
    return p;
}

std::string refusal(const std::vector<std::string>& arguments) {
    try {
        static_cast<void>(parse(arguments));
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::usage);
        return std::string(error.what()) + "; " + error.remedy();
    }
    return "accepted";
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("Options and arguments may come in any order") {
    const Parsed p = parse({"a", "--reason", "why", "b", "-q", "c"});
    CHECK(p.first == "a");
    CHECK(p.rest == Words{"b", "c"});
    CHECK(p.reason == "why");
    CHECK(p.quiet);
}

TEST_CASE("A value may stand behind an equals sign, or in the same word as a short option") {
    CHECK(parse({"a", "--reason=x=y"}).reason == "x=y");
    CHECK(parse({"a", "-rwhy"}).reason == "why");
    CHECK(parse({"a", "-qnr", "why"}).reason == "why");
    CHECK(parse({"a", "-qn"}).dry_run);
}

TEST_CASE("An empty value after an equals sign is a value and does not eat the next word") {
    const Parsed p = parse({"--reason=", "a", "b"});
    CHECK(p.reason == "");
    CHECK(p.first == "a");
    CHECK(p.rest == Words{"b"});
}

TEST_CASE("A value may begin with a dash") { CHECK(parse({"a", "--reason", "--quiet"}).reason == "--quiet"); }

TEST_CASE("Words in brackets and with commas are taken as they are") {
    const Parsed p = parse({"[a,b]", "[x]", "--label", "[k=v,l]", "--label", "m=n,o"});
    CHECK(p.first == "[a,b]");
    CHECK(p.rest == Words{"[x]"});
    CHECK(p.labels == Words{"[k=v,l]", "m=n,o"});
}

TEST_CASE("A repeatable option takes one value each time") {
    const Parsed p = parse({"--label", "k=v", "a", "--label", "l=w", "b"});
    CHECK(p.labels == Words{"k=v", "l=w"});
    CHECK(p.first == "a");
    CHECK(p.rest == Words{"b"});
}

TEST_CASE("Of a single option given twice the last one counts") {
    CHECK(parse({"a", "--reason", "x", "--reason", "y"}).reason == "y");
}

TEST_CASE("An optional value needs an equals sign, so that a reference after it stays a reference") {
    const Parsed p = parse({"--deps", "check:x"});
    CHECK(p.deps.empty());
    CHECK(p.first == "check:x");
    CHECK(parse({"a", "--deps=3"}).deps == "3");
    CHECK(parse({"a"}).deps == "unset");
}

TEST_CASE("Two dashes end the options") {
    const Parsed p = parse({"-q", "--", "--reason", "-x", "--"});
    CHECK(p.first == "--reason");
    CHECK(p.rest == Words{"-x", "--"});
    CHECK(p.quiet);
}

TEST_CASE("A single dash is an argument") { CHECK(parse({"-"}).first == "-"); }

TEST_CASE("An empty word is an argument") { CHECK(parse({""}).first.empty()); }

TEST_CASE("Help wins over what is missing, but not over what follows two dashes or an option") {
    CHECK(parse({"-h"}).help);
    CHECK(parse({"a", "--help"}).help);
    CHECK_FALSE(parse({"--", "--help"}).help);
    CHECK_FALSE(parse({"a", "--reason", "--help"}).help);
}

TEST_CASE("Usage errors say what is wrong and what to do") {
    CHECK(refusal({}) == "FIRST is missing; see `turboci nodes write --help`");
    CHECK(refusal({"a", "--raeson", "x"}) == "unknown option --raeson; did you mean --reason?");
    CHECK(refusal({"a", "-x"}) == "unknown option -x; see `turboci nodes write --help`");
    CHECK(refusal({"a", "--reason"}) == "--reason needs a value; write --reason TEXT");
    CHECK(refusal({"a", "-r"}) == "-r needs a value; write -r TEXT");
    CHECK(refusal({"a", "--quiet=yes"}) == "--quiet takes no value; ");
    CHECK(refusal({"a", "--wait", "soon"}) ==
          "--wait: 'soon' is not a duration; write 500ms, 30s, 10m or 2h");
}

TEST_CASE("Numbers are whole and within their range") {
    CHECK(parse({"a", "--number", "100"}).number == 100);
    for (const char* bad : {"0", "101", "-1", "1.5", "1x", "", " 1", "0x10", "99999999999999999999"}) {
        INFO(bad);
        CHECK(refusal({"a", "--number", bad}) ==
              std::string("--number: '") + bad + "' is not a whole number from 1 to 100; ");
    }
}
