// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/app.hpp"
#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::cli::all_commands;
using turboci::cli::Command;
using turboci::cli::Parser;
using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

TEST_CASE("Errors are one line on stderr and nothing on stdout") {
    const Binary turboci;
    const Ran ran = turboci.run({"nodes", "query"});
    CHECK(ran.code == 4);
    CHECK(ran.out.empty());
    CHECK(ran.err.rfind("turboci: error: ", 0) == 0);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
}

TEST_CASE("With -o json an error is one JSON object, usage errors too") {
    const Binary turboci;
    const Json missing = Json::parse(turboci.run({"nodes", "query", "-o", "json"}).err);
    CHECK(missing["error"]["code"] == "NOT_FOUND");
    CHECK(missing["error"]["details"].empty());
    CHECK(Json::parse(turboci.run({"-ojson", "nodes", "qurey"}).err)["error"]["code"] == "USAGE");
    CHECK(Json::parse(turboci.run({"nodes", "query", "--bad", "--output=json"}).err)["error"]["code"] ==
          "USAGE");
    turboci.ok({"plan", "create", "p"});
    const Json bad = Json::parse(
        turboci.run({"nodes", "write", "-o", "json"}, "checks: [{id: a, x: 1}, {id: b, y: 2}]").err);
    CHECK(bad["error"]["code"] == "INVALID_ARGUMENT");
    REQUIRE(bad["error"]["details"].size() == 2);
    CHECK(bad["error"]["details"][0]["line"] == 1);
}

TEST_CASE("An output format that there is not is named, and one of drawings shown its way") {
    const Binary turboci;
    const Ran unknown = turboci.run({"graph", "show", "-o", "xml"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "--output: unknown value 'xml'; use table, json, jsonl, yaml or name"));
    for (const std::string drawing : {"dot", "mermaid", "tree"}) {
        const Ran ran = turboci.run({"graph", "show", "-o", drawing});
        CHECK(ran.code == 2);
        CHECK(contains(ran.err,
                       "--output: unknown value '" + drawing + "'; did you mean --format " + drawing + "?"));
        const Ran elsewhere = turboci.run({"nodes", "query", "-o", drawing});
        CHECK(contains(elsewhere.err, "did you mean turboci graph show --format " + drawing + "?"));
    }
    CHECK(contains(turboci.run({"nodes", "query", "-o", "junit"}).err,
                   "did you mean turboci plan show --format junit?"));
}

TEST_CASE("A value that another option takes is answered with that option") {
    const Binary turboci;
    const std::map<std::string, std::vector<std::string>> choices{
        {"--type", {"check", "stage"}},
        {"--state", {"PLANNING", "PLANNED", "WAITING", "ATTEMPTING", "AWAITING_GROUP", "FINAL"}},
        {"--outcome", {"passed", "failed", "skipped", "cancelled"}},
        {"--edges", {"all", "satisfied"}},
        {"--color", {"auto", "always", "never"}},
        {"--output", {"table", "json", "jsonl", "yaml", "name"}}};
    for (const auto& [option, own] : choices) {
        for (const auto& [right, values] : choices) {
            if (right == option) continue;
            for (const std::string& value : values) {
                CAPTURE(option, value);
                const Ran ran = turboci.run({"nodes", "query", option, value});
                CHECK(ran.code == 2);
                CHECK(ran.err == "turboci: error: " + option + ": unknown value '" + value +
                                     "'; did you mean " + right + " " + value + "?\n");
            }
        }
    }
    const auto err = [&](const std::string& option, const std::string& value) {
        return turboci.run({"nodes", "query", option, value}).err;
    };
    CHECK(contains(err("--state", "Failed"), "did you mean --outcome failed?"));
    CHECK(contains(err("--state", "final "), "did you mean FINAL?"));
    CHECK(contains(err("--outcome", "passd"), "did you mean passed?"));
    CHECK(contains(err("--edges", "x"), "--edges: unknown value 'x'; use all or satisfied"));
}

TEST_CASE(
    "A number or duration that is none is told with its option, and how to write it or where to read on") {
    const Binary turboci;
    std::size_t tried = 0;
    for (const Command* command : all_commands()) {
        Parser parser{std::string(command->name)};
        const auto unused = command->define(parser);
        for (const Parser::HelpLine& line : parser.help_lines()) {
            const std::size_t dashes = line.left.find("--");
            if (dashes == std::string::npos) continue;
            std::string option = line.left.substr(dashes);
            const bool number =
                option.ends_with(" N") || option.ends_with(" VERSION") || option.ends_with("[=N]");
            if (!number && !option.ends_with(" D")) continue;
            option = option.substr(0, option.find_first_of(" ["));
            std::vector<std::string> arguments;
            std::istringstream words{std::string(command->name)};
            for (std::string word; words >> word;) arguments.push_back(word);
            arguments.push_back(option + "=abc");
            for (const Parser::HelpLine& other : parser.help_lines())
                if (!other.left.starts_with("-")) arguments.emplace_back("x");
            const Ran ran = turboci.run(arguments);
            CAPTURE(arguments, ran.err);
            CHECK(ran.code == 2);
            CHECK(contains(ran.err, "turboci: error: " + option + ": 'abc' is not a "));
            CHECK(contains(ran.err, number ? "; see `turboci " + std::string(command->name) + " --help`\n"
                                           : "; write 500ms, 30s, 10m or 2h\n"));
            ++tried;
        }
    }
    CHECK(tried >= 10);
    CHECK(contains(turboci.run({"run", "-j", "abc"}).err,
                   "--jobs: 'abc' is not a whole number from 1 to 1024; see "
                   "`turboci run --help`"));
    CHECK(contains(turboci.run({"run", "--fail-fast=3"}).err, "see `turboci run --help`"));
}

TEST_CASE("File problems are told with their places, all of them") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.file("plan.yaml", "checks:\n  - id: a\n    optoins: {}\n  - id: b\n    staet: FINAL\n");
    const Ran two = turboci.run({"nodes", "write", "plan.yaml"});
    CHECK(two.code == 3);
    CHECK(two.err.rfind("plan.yaml:3:5: ", 0) == 0);
    CHECK(contains(two.err, "\nplan.yaml:5:5: "));
    CHECK(contains(two.err, "\nturboci: error: 2 problems found"));
    turboci.file("plan.yaml", "checks:\n  - id: a\n    optoins: {}\n");
    const Ran one = turboci.run({"nodes", "write", "plan.yaml"});
    CHECK(one.err.rfind("plan.yaml:3:5: ", 0) == 0);
    CHECK(one.err.find('\n') == one.err.size() - 1);
}

TEST_CASE("Errors escape what comes from data") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.run({"nodes", "query", "check:\x1b[31m\n::error::x"});
    CHECK(ran.code != 0);
    CHECK_FALSE(contains(ran.err, "\x1b"));
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
}

TEST_CASE("Global options work before and after the command") {
    const Binary turboci;
    turboci.ok({"--store", "x.db", "plan", "create", "p"});
    CHECK(turboci.ok({"-sx.db", "-o", "name", "plan", "list"}) == "p\n");
    CHECK(turboci.ok({"plan", "--store=x.db", "-o", "name", "list"}) == "p\n");
    CHECK(turboci.ok({"-qs", "x.db", "plan", "list", "-oname"}) == "p\n");
    CHECK(turboci.run({"--store"}).code == 2);
    CHECK(turboci.run({"-x", "plan", "list"}).code == 2);
    CHECK(turboci.run({"-q"}).code == 2);
}

TEST_CASE("Node names that look like commands or options are names") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: gate}, {id: help}, {id: '-x'}, {id: plan}]");
    CHECK(turboci.ok({"nodes", "query", "gate", "help", "plan", "-o", "name"}) ==
          "check:gate\ncheck:help\ncheck:plan\n");
    CHECK(turboci.ok({"nodes", "query", "-o", "name", "--", "-x"}) == "check:-x\n");
}

TEST_CASE("Output that cannot be written is an error, after the work is done") {
    const Binary turboci;
    const Ran full = turboci.shell("\"$T\" plan create p > /dev/full");
    CHECK(full.code == 10);
    CHECK(full.err ==
          "turboci: error: cannot write to standard output: No space left on device; the work itself was "
          "done and "
          "committed\n");
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "p\n");
    CHECK(turboci.shell("\"$T\" plan list > /dev/full").code == 10);
    CHECK(turboci.shell("\"$T\" --help > /dev/full").code == 10);
}

TEST_CASE("Closed standard descriptors are never taken for other files") {
    const Binary turboci;
    CHECK(turboci.shell("\"$T\" plan create p >&-").code == 10);
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "p\n");
    CHECK(turboci.shell("echo 'checks: [{id: a}]' > f; \"$T\" nodes write f -q <&- >&- 2>&-").code == 0);
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:a\n");
    CHECK(turboci.shell("\"$T\" nodes write - <&-").code == 9);
    if (turboci.has_file()) CHECK(contains(turboci.ok({"store", "check"}), "ok"));
}

TEST_CASE("A reader that has seen enough is not told of it, but the status says so") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.shell(
        "{ until [ -e closed ]; do sleep 0.01; done; \"$T\" nodes query -o json; echo $? > status; } |\n"
        "{ exec <&-; touch closed; }\n"
        "cat status");
    CHECK(ran.err.empty());
    CHECK(ran.out == "10\n");
}

TEST_CASE("A locked store is waited for no longer than asked", "[file]") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.shell(
        "flock plan.db.lock sh -c 'echo \"checks: [{id: a}]\" | \"$0\" nodes write --lock-timeout 20ms' "
        "\"$T\"");
    CHECK(ran.code == 7);
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}).empty());
}

TEST_CASE("Errors are JSON however -o is written") {
    const Binary turboci;
    for (const std::vector<std::string>& flags :
         {std::vector<std::string>{"-qo", "json"}, {"-qojson"}, {"-ojson"}}) {
        std::vector<std::string> line{"nodes", "query"};
        line.insert(line.end(), flags.begin(), flags.end());
        CHECK(turboci.run(line).err.starts_with("{\"error\":"));
    }
}

TEST_CASE("All problems of a file are told at once, those of form and those of meaning") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const std::string plan =
        "checks:\n- {id: a, optoins: {}}\n- {id: a}\n- {id: 'check:x'}\n- {id: z, dependencies: {any: []}}\n";
    for (const char* verb : {"write", "validate"}) {
        const bool write = std::string_view(verb) == "write";
        const Ran ran = turboci.run(write ? std::vector<std::string>{"nodes", "write", "-"}
                                          : std::vector<std::string>{"validate", "-"},
                                    plan);
        CHECK(ran.code == 3);
        for (const char* place : {"-:2:11: ", "-:3:3: ", "-:4:8: ", "-:5:25: "})
            CHECK(contains(ran.err, place));
    }
}

TEST_CASE("Every error says what to do") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: c, state: FINAL}]\n");
    for (const std::vector<std::string>& line : {std::vector<std::string>{"stage", "cancel", "x"},
                                                 {"nodes", "query", "x"},
                                                 {"plan", "create", "p"},
                                                 {"check", "report", "c", "--pass"},
                                                 {"nodes", "frobnicate"},
                                                 {"attempt", "claim"},
                                                 {"plan", "show", "nope"}}) {
        const Ran ran = turboci.run(line);
        CHECK(ran.code != 0);
        CHECK(contains(ran.err, "; "));
    }
    CHECK(contains(turboci.shell("\"$T\" plan show > /dev/full").err, "; "));
}

TEST_CASE("What validate finds nothing wrong with a first write takes, and the other way round") {
    struct Row {
        const char* plan;
        bool sound;
    };
    const auto row = GENERATE(
        Row{"stages: [{id: s, uses: [db]}]", false},
        Row{"{limits: {db: 1}, stages: [{id: s, uses: {db: 2}}]}", false},
        Row{"{limits: {db: 2}, stages: [{id: s, uses: {db: 2}}]}", true},
        Row{"{checks: [{id: c}], stages: [{id: s, if: {check: c, path: /x, exists: true}}]}", false},
        Row{"{checks: [{id: c}], stages: [{id: s, dependencies: {any: [c]}, if: {check: c, path: /x, exists: "
            "true}}]}",
            true},
        Row{"{checks: [{id: c}, {id: d}], stages: [{id: s, dependencies: {any: [c, d]}, if: {check: c, path: "
            "/x, "
            "exists: true}}]}",
            false},
        Row{"{checks: [{id: c}, {id: d, state: WAITING, dependencies: [c]}]}", false},
        Row{"{checks: [{id: c, results: [{data: {}}]}]}", false},
        Row{"{checks: [{id: c, state: FINAL, results: [{stage: s, attempt: 1, data: {}}]}], stages: [{id: "
            "s}]}",
            false},
        Row{"{stages: [{id: s, attempt: {state: RUNNING}}]}", false},
        Row{"{stages: [{id: s, attempt: {idx: 2, state: COMPLETE}}]}", false},
        Row{"{stages: [{id: s, attempt: {state: COMPLETE}}, {id: t, dependencies: [s], attempt: {state: "
            "COMPLETE}}]}",
            false},
        Row{"{checks: [{id: c, state: FINAL, result: {failure: x}, skip: true}]}", false},
        Row{"{checks: [{id: c, state: FINAL}]}", true}, Row{"if_version: 7\nstages: [{id: s}]", true});
    CAPTURE(row.plan);
    const Binary turboci;
    const Ran looked = turboci.run({"validate", "-"}, row.plan);
    const Ran written = turboci.run({"plan", "create", "p", "-f", "-"}, row.plan);
    CHECK((looked.code == 0) == row.sound);
    CHECK((written.code == 0) == row.sound);
    if (!row.sound) CHECK(looked.code == written.code);
}

TEST_CASE("--store takes a URL; one of a kind that there is not is a usage error that lists the kinds") {
    const Binary turboci;
    turboci.ok({"--store", "sqlite:x.db", "plan", "create", "p"});
    CHECK(turboci.ok({"--store", "x.db", "-o", "name", "plan", "list"}) == "p\n");
    CHECK(contains(turboci.ok({"--store", "sqlite:x.db", "store", "check"}), "ok: x.db is sound"));
    turboci.ok({"--store", "sqlite:x.db", "nodes", "write"},
               "stages: [{id: a, args: {command: 'echo hello'}}]");
    turboci.ok({"--store", "sqlite:x.db", "run", "-q"});
    CHECK(contains(turboci.ok({"--store", "sqlite:x.db", "logs", "a"}), "hello"));
    const Ran unknown = turboci.run({"--store", "mysql://host/db", "plan", "create", "p"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "there is no kind of store 'mysql://'"));
    CHECK(contains(unknown.err, "sqlite:, memory:"));
}
