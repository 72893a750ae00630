// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

/// A plan p: a is FINAL, b WAITING, c PLANNED on both, stage s answers b.
class Sample : public Binary {
public:
    Sample() {
        ok({"plan", "create", "p"});
        ok({"nodes", "write", "-"},
           "checks:\n"
           "  - {id: a, kind: source, state: FINAL}\n"
           "  - {id: b, kind: build, state: PLANNED, dependencies: [a]}\n"
           "  - {id: c, kind: test, state: PLANNED, dependencies: [a, b]}\n"
           "stages: [{id: s, assignments: [b]}]\n");
    }
};

}  // namespace

TEST_CASE("nodes write reads files, a dash, and standard input without a dash") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const std::string file = turboci.file("a.yaml", "checks: [{id: a}]");
    turboci.ok({"nodes", "write", file, "-"}, "checks: [{id: b}]");
    turboci.ok({"nodes", "write"}, "checks: [{id: c}]");
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:a\ncheck:b\ncheck:c\n");
    CHECK(turboci.run({"nodes", "write", "-", "-"}, "checks: []").code == 2);
}

TEST_CASE("nodes write does not wait for input from a terminal") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.on_terminal({"nodes", "write"});
    CHECK(ran.code == 2);
    CHECK(contains(ran.out, "nothing to write; name plan files, or - for standard input"));
}

TEST_CASE("Files that cannot be read are usage errors that name them") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran missing = turboci.run({"nodes", "write", "no-such.yaml"});
    CHECK(missing.code == 2);
    CHECK(missing.err ==
          "turboci: error: cannot open no-such.yaml: No such file or directory; name a readable file\n");
    const Ran directory = turboci.run({"nodes", "write", "."});
    CHECK(directory.code == 2);
    CHECK(contains(directory.err, ". is a directory"));
}

TEST_CASE("A file beyond the limit is refused before it is read") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.shell("truncate -s 300M big.yaml; \"$T\" nodes write big.yaml");
    CHECK(ran.code == 3);
    CHECK(contains(ran.err, "big.yaml is too large"));
}

TEST_CASE("nodes write says what was created, changed and advanced") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    CHECK(turboci.ok({"nodes", "write"}, "checks: [{id: a}, {id: b, state: PLANNED, dependencies: [a]}]") ==
          "created 2 (version 2)\n  created   check:a\n  created   check:b\n");
    CHECK(
        turboci.ok({"nodes", "write"}, "checks: [{id: a, state: FINAL}]") ==
        "changed 1, advanced 1 (version 3)\n  changed   check:a\n  advanced  check:b  PLANNED -> WAITING\n");
    CHECK(turboci.ok({"nodes", "write"}, "checks: [{id: a, state: FINAL}]") ==
          "nothing changed (version 3)\n");
    CHECK(turboci.ok({"nodes", "write", "-q"}, "checks: [{id: c}]").empty());
    CHECK(turboci.ok({"nodes", "write", "-o", "name"}, "checks: [{id: d}]") == "check:d\n");
}

TEST_CASE("Long lists are cut unless detail is asked for") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    std::string plan = "checks:\n";
    for (int i = 0; i < 30; ++i) plan += "- {id: c" + std::to_string(i) + "}\n";
    const std::string text = turboci.ok({"nodes", "write", "--dry-run"}, plan);
    CHECK(contains(text, "dry run, nothing is written: created 30"));
    CHECK(contains(text, "and 10 more (-v shows all)\n"));
    CHECK(contains(turboci.ok({"nodes", "write", "-v"}, plan), "check:c29\n"));
}

TEST_CASE("nodes write as JSON keeps its contract") {
    const Sample turboci;
    const Json result =
        Json::parse(turboci.ok({"nodes", "write", "-o", "json"}, "checks: [{id: b, state: FINAL}, {id: n}]"));
    CHECK(result["plan"]["id"] == "p");
    CHECK(result["created"] == Json::parse(R"(["check:n"])"));
    CHECK(result["changed"] == Json::parse(R"(["check:b"])"));
    CHECK(result["advanced"] == Json::parse(R"([{"node": "check:c", "from": "PLANNED", "to": "WAITING"}])"));
    CHECK(result["warnings"].is_array());
}

TEST_CASE("Flags of a write win over what its files say, and the log tells who wrote and why") {
    Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "{actor: file, reason: from the file, checks: [{id: a}]}");
    turboci.ok({"nodes", "write", "--actor", "flag", "--reason", "from the flag"},
               "{actor: file, reason: from the file, checks: [{id: b}]}");
    turboci.ok({"nodes", "write"}, "checks: [{id: c}]");
    turboci.environment.erase("USER");
    turboci.environment["USER"] = "";
    turboci.environment["LOGNAME"] = "";
    turboci.ok({"nodes", "write"}, "checks: [{id: d}]");
    const Json log = Json::parse(turboci.ok({"log", "--since", "1", "-o", "json"}));
    REQUIRE(log.size() == 4);
    CHECK(log[0]["actor"] == "file");
    CHECK(log[0]["reason"] == "from the file");
    CHECK(log[1]["actor"] == "flag");
    CHECK(log[1]["reason"] == "from the flag");
    CHECK(log[2]["actor"] == "tester");
    CHECK(log[3]["actor"].get<std::string>().rfind("uid:", 0) == 0);
}

TEST_CASE("A write with an op id that was seen changes nothing") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write", "--op-id", "once"}, "checks: [{id: a}]");
    CHECK(turboci.ok({"nodes", "write", "--op-id", "once"}, "checks: [{id: b}]") ==
          "done before (version 2)\n");
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:a\n");
}

TEST_CASE("A stale version is a conflict") {
    const Sample turboci;
    CHECK(turboci.run({"nodes", "write", "--if-version", "1"}, "checks: [{id: x}]").code == 6);
    CHECK(turboci.run({"nodes", "write", "--if-version", "-1"}, "checks: [{id: x}]").code == 2);
}

TEST_CASE("nodes query prints every format") {
    const Sample turboci;
    const Json all = Json::parse(turboci.ok({"nodes", "query", "-o", "json"}));
    CHECK(all["checks"].size() == 3);
    CHECK(all["stages"].size() == 1);
    CHECK(all["plan"]["id"] == "p");
    std::istringstream lines(turboci.ok({"nodes", "query", "-o", "jsonl"}));
    std::vector<std::string> types;
    for (std::string line; std::getline(lines, line);) types.push_back(Json::parse(line)["type"]);
    CHECK(types == std::vector<std::string>{"check", "check", "check", "stage"});
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:a\ncheck:b\ncheck:c\nstage:s\n");
    CHECK(contains(turboci.ok({"nodes", "query", "-o", "yaml"}), "id: a"));
    CHECK(turboci.ok({"nodes", "query"}) ==
          "NODE     KIND    STATE         WHY\n"
          "check:a  source  FINAL passed\n"
          "check:b  build   WAITING       waits for an answer\n"
          "check:c  test    PLANNED       waits for check:b\n"
          "stage:s          ATTEMPTING    attempt 1 PENDING\n");
}

TEST_CASE("A large plan is printed the same, whether all of it is asked for or each of its nodes") {
    const Binary turboci;
    std::string plan = "checks:\n";
    for (int i = 0; i < 4500; ++i)
        plan +=
            "  - {id: c" + std::to_string(i) + ", state: PLANNED, options: {n: " + std::to_string(i) + "}}\n";
    plan +=
        "stages:\n  - {id: first, args: {command: 'true'}, dependencies: [c7]}\n"
        "  - {id: last, args: {command: 'true'}, dependencies: [first]}\n";
    turboci.ok({"plan", "create", "large", "-f", "-"}, plan);
    // Who asks for nodes by a pattern gets them one by one.
    for (const char* format : {"json", "jsonl"}) {
        const std::string all = turboci.ok({"nodes", "query", "-o", format});
        CHECK(all == turboci.ok({"nodes", "query", "--match", "*", "-o", format}));
        CHECK(std::count(all.begin(), all.end(), '\n') >= 4502);
    }
    const Json document = Json::parse(turboci.ok({"nodes", "query", "-o", "json"}));
    CHECK(document["checks"].size() == 4500);
    CHECK(document["checks"][4499]["options"]["n"] == 4499);
    CHECK(document["stages"][1]["id"] == "last");
}

TEST_CASE("An empty selection is an empty result in every format") {
    const Sample turboci;
    CHECK(turboci.ok({"nodes", "query", "--kind", "none"}).empty());
    CHECK(turboci.ok({"nodes", "query", "--kind", "none", "-o", "name"}).empty());
    CHECK(turboci.ok({"nodes", "query", "--kind", "none", "-o", "jsonl"}).empty());
    const Json none = Json::parse(turboci.ok({"nodes", "query", "--kind", "none", "-o", "json"}));
    CHECK(none["checks"].empty());
    CHECK(none["stages"].empty());
    CHECK(turboci.run({"nodes", "query", "check:none"}).code == 4);
}

TEST_CASE("Filters and walks select what they say") {
    const Sample turboci;
    const auto names = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"nodes", "query", "-o", "name"});
        return turboci.ok(arguments);
    };
    CHECK(names({"--type", "stage"}) == "stage:s\n");
    CHECK(names({"--state", "waiting", "--state", "FINAL"}) == "check:a\ncheck:b\n");
    CHECK(names({"--outcome", "PASSED"}) == "check:a\n");
    CHECK(names({"--match", "[bc]", "--kind", "test"}) == "check:c\n");
    CHECK(names({"--ready", "--type", "stage"}) == "stage:s\n");
    CHECK(names({"--blocked"}) == "check:c\n");
    CHECK(names({"--deps", "c"}) == "check:a\ncheck:b\ncheck:c\nstage:s\n");
    CHECK(names({"--deps=0", "c"}) == "check:c\n");
    CHECK(names({"a", "--dependents=1", "--edges", "satisfied"}) == "check:a\ncheck:b\ncheck:c\n");
}

TEST_CASE("Bad values of filters are usage errors") {
    const Sample turboci;
    for (const std::vector<std::string>& bad :
         std::vector<std::vector<std::string>>{{"--type", "job"},
                                               {"--state", "DONE"},
                                               {"--outcome", "ok"},
                                               {"--edges", "some"},
                                               {"--deps=x"},
                                               {"--deps=-1"},
                                               {"-o", "xml"},
                                               {"--color", "red"},
                                               {"--lock-timeout", "soon"}}) {
        std::vector<std::string> arguments{"nodes", "query"};
        arguments.insert(arguments.end(), bad.begin(), bad.end());
        INFO(bad[0]);
        CHECK(turboci.run(arguments).code == 2);
    }
}

TEST_CASE("A table fits the terminal and is coloured there only") {
    Sample turboci;
    turboci.ok({"nodes", "write"}, "checks: [{id: '" + std::string(200, 'x') + "'}]");
    turboci.environment["TERM"] = "xterm";
    const Ran ran = turboci.on_terminal({"nodes", "query", "--color", "never"});
    CHECK(ran.code == 0);
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
        if (line == "\r") continue;
        INFO(line);
        CHECK(line.size() <= 60 + 3);  // "…" takes three bytes, and the terminal adds "\r"
    }
    CHECK(contains(turboci.on_terminal({"nodes", "query"}).out, "\x1b["));
    CHECK_FALSE(contains(turboci.ok({"nodes", "query"}), "\x1b["));
    CHECK(contains(turboci.ok({"nodes", "query", "--color=always"}), "\x1b["));
    turboci.environment["NO_COLOR"] = "1";
    CHECK_FALSE(contains(turboci.on_terminal({"nodes", "query"}).out, "\x1b["));
}

TEST_CASE("What data says can neither control the terminal nor command a CI runner") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"},
               R"({"checks": [{"id": "::warning::x", "kind": "##[error]", "state": "WAITING"}]})");
    turboci.ok({"check", "report", "::warning::x", "--final", "--fail", "::error::boom", "--data",
                R"({"log": "\u001b]0;title\u0007\n::error::\u202e"})"});
    const Ran gate = turboci.run({"gate"});
    for (const std::string& text :
         {turboci.ok({"nodes", "query"}), turboci.ok({"nodes", "explain", "::warning::x"}),
          turboci.ok({"plan", "show"}), turboci.ok({"log"}), gate.err, turboci.run({"wait"}).err,
          turboci.run({"nodes", "query", "::error::y"}).err}) {
        INFO(text);
        CHECK_FALSE(contains(text, "\x1b"));
        CHECK_FALSE(contains(text, "\u202e"));
        CHECK_FALSE(contains("\n" + text, "\n::"));
        CHECK_FALSE(contains("\n" + text, "\n##["));
    }
}

TEST_CASE("What a plan file is warned of is said by every command that reads it, and is part of the answer") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const std::string plan = "stages: [{id: a, args: {comand: make}}]";
    const std::string said = "-:1:25: 'comand' means nothing to 'turboci run'; did you mean 'command'?";
    CHECK(turboci.run({"nodes", "write"}, plan).err == "turboci: warning: " + said + "\n");
    CHECK(turboci.run({"nodes", "write", "-q"}, plan).err.empty());
    CHECK(turboci.run({"validate", "-"}, plan).err == "turboci: warning: " + said + "\n");
    CHECK(turboci.run({"plan", "create", "q", "-f", "-"}, plan).err == "turboci: warning: " + said + "\n");
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"nodes", "write", "--plan", "p", "-o", "json"}, {"validate", "-", "-o", "json"}})
        CHECK(Json::parse(turboci.ok(command, plan))["warnings"] == Json::array({said}));
    CHECK(contains(turboci.run({"nodes", "write", "--plan", "p"}, "reason: x").err,
                   "there is nothing to write"));
}

TEST_CASE("nodes explain shows the predicate down to the root causes") {
    Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"},
               "checks:\n"
               "  - {id: src, state: FINAL}\n"
               "  - {id: lint, state: PLANNED}\n"
               "  - {id: build, state: PLANNED, dependencies: [src, lint]}\n"
               "  - {id: ship, state: PLANNED, dependencies: {all: [src, {any: [build, lint]}]}}\n");
    const std::string text = turboci.ok({"nodes", "explain", "check:ship"});
    CHECK(text.rfind("check:ship  PLANNED\n", 0) == 0);
    CHECK(contains(text, "true  check:src  FINAL passed"));
    CHECK(contains(text, "?     any of:"));
    CHECK(contains(text, "?     check:build  PLANNED"));
    CHECK(contains(text, "\nroot causes:\n  check:lint"));
    turboci.environment["LC_ALL"] = "C.UTF-8";
    CHECK(contains(turboci.ok({"nodes", "explain", "ship"}), "✓ check:src"));
    const Json json = Json::parse(turboci.ok({"nodes", "explain", "ship", "-o", "json"}));
    CHECK(json["root_causes"] == Json::parse(R"(["check:lint"])"));
    CHECK(turboci.run({"nodes", "explain", "none"}).code == 4);
    CHECK(turboci.run({"nodes", "explain"}).code == 2);
}

TEST_CASE("graph show draws in four formats, of everything or of what leads to a node") {
    const Sample turboci;
    CHECK(contains(turboci.ok({"graph", "show"}), "digraph"));
    CHECK(contains(turboci.ok({"graph", "show", "--rankdir", "TB"}), "TB"));
    CHECK(contains(turboci.ok({"graph", "show", "--format", "mermaid"}), "flowchart"));
    CHECK(Json::parse(turboci.ok({"graph", "show", "--format", "json"}))["nodes"].size() == 4);
    CHECK(Json::parse(turboci.ok({"graph", "show", "-o", "json", "check:b"}))["nodes"].size() == 3);
    CHECK(
        Json::parse(turboci.ok({"graph", "show", "-o", "json", "check:b", "--dependents"}))["nodes"].size() ==
        2);
    CHECK(contains(turboci.ok({"graph", "show", "--format=tree"}), "check:c"));
    turboci.ok({"graph", "show", "--collapse", "kind"});
    CHECK(turboci.run({"graph", "show", "--format", "png"}).code == 2);
    CHECK(turboci.run({"graph", "show", "--collapse", "all"}).code == 2);
    CHECK(turboci.run({"graph", "show", "--rankdir", "XY"}).code == 2);
    CHECK(turboci.run({"graph", "show", "-o", "yaml"}).code == 2);
}

TEST_CASE("validate reports all problems with their places, and needs no store") {
    const Binary turboci;
    const std::string good =
        turboci.file("good.yaml", "checks: [{id: a}]\nstages: [{id: s, assignments: [a]}]\n");
    CHECK(turboci.ok({"validate", good}) == "ok: 1 check, 1 stage\n");
    CHECK(Json::parse(turboci.ok({"validate", good, "-o", "json"}))["checks"] == 1);
    const std::string bad = turboci.file("bad.yaml", "checks:\n  - id: a\n    staet: FINAL\n  - {id: a}\n");
    const Ran ran = turboci.run({"validate", bad});
    CHECK(ran.code == 3);
    CHECK(contains(ran.err, "bad.yaml:3:5: "));
    CHECK(turboci.run({"validate"}).code == 2);
    const Ran target = turboci.run({"validate", "-"}, "checks: [{id: a, dependencies: [nope]}]");
    CHECK(target.code == 3);
    CHECK(contains(target.err, "-:1:"));
    CHECK(turboci.run({"validate", "-"}, "checks: [{id: a, dependencies: [b]}, {id: b, dependencies: [a]}]")
              .code == 3);
}

TEST_CASE("validate warns of plans that can never finish") {
    const Binary turboci;
    const Ran ran = turboci.run({"validate", "-"},
                                "checks: [{id: c, state: PLANNED}]\n"
                                "stages: [{id: s, dependencies: [check:c], assignments: [c]}]\n");
    CHECK(ran.code == 0);
    CHECK(contains(ran.err, "turboci: warning: "));
}

TEST_CASE("schema prints the JSON Schema") {
    const Binary turboci;
    CHECK(Json::parse(turboci.ok({"schema"})).contains("$schema"));
    CHECK(contains(turboci.ok({"schema", "-o", "yaml"}), "$schema"));
}

TEST_CASE("log shows what happened to the plan or to one node") {
    const Sample turboci;
    turboci.ok({"nodes", "write", "--reason", "because"}, "checks: [{id: b, state: FINAL}]");
    const std::string table = turboci.ok({"log"});
    CHECK(table.rfind("VERSION", 0) == 0);
    CHECK(contains(table, "because"));
    CHECK(contains(table, "WAITING -> FINAL"));
    const Json of_c = Json::parse(turboci.ok({"log", "check:c", "-o", "json"}));
    for (const auto& entry : of_c) CHECK(entry["node"] == "check:c");
    CHECK(of_c.back()["by"] == "orchestrator");
    const std::string lines = turboci.ok({"log", "--since", "2", "-o", "jsonl"});
    CHECK(Json::parse(lines.substr(0, lines.find('\n')))["version"] == 3);
    CHECK(turboci.ok({"log", "--since", "99", "-o", "json"}) == "[]\n");
    CHECK(turboci.run({"log", "nope"}).code == 4);
    CHECK(turboci.run({"log", "--since", "x"}).code == 2);
}

TEST_CASE("nodes query --deps finds the stages that run -n names for the same node") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, R"(
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED}, {id: other, state: PLANNED}]
stages:
  - {id: build, args: {command: "true"}, assignments: [built]}
  - {id: unit, args: {command: "true"}, dependencies: [built], assignments: [tested]}
  - {id: system, args: {command: "true"}, dependencies: [build], assignments: [tested], continuation_group: [tidy]}
  - {id: tidy, args: {command: "true"}, dependencies: [{node: rig, when: always}]}
  - {id: rig, args: {command: "true"}}
  - {id: apart, args: {command: "true"}, assignments: [other]}
)");
    for (const std::string node :
         {"check:built", "check:tested", "check:other", "stage:unit", "stage:system", "stage:apart"}) {
        CAPTURE(node);
        std::vector<std::string> needed, run;
        std::istringstream names(turboci.ok({"nodes", "query", node, "--deps", "-o", "name"}));
        for (std::string name; std::getline(names, name);)
            if (name.rfind("stage:", 0) == 0) needed.push_back(name.substr(6));
        for (const Json& step : Json::parse(turboci.ok({"run", "-n", node, "-o", "json"})))
            run.push_back(step["stage"]);
        std::ranges::sort(needed);
        std::ranges::sort(run);
        CHECK(needed == run);
    }
    CHECK(turboci.ok({"nodes", "query", "check:tested", "--deps", "-o", "name"}) ==
          "check:built\ncheck:tested\nstage:build\nstage:unit\nstage:system\nstage:tidy\nstage:rig\n");
    CHECK(Json::parse(turboci.ok({"graph", "show", "check:tested", "-o", "json"}))["nodes"].size() == 7);
}

TEST_CASE("A value that no program can be given is told with its place, whoever reads the file") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const std::string big(131'072, 'x');
    const std::string file =
        turboci.file("big.yaml", "stages:\n  - id: a\n    args: {command: [echo, " + big +
                                     "]}\n  - id: b\n    args:\n      env:\n        BIG: " + big + "\n");
    for (const auto& command : {std::vector<std::string>{"validate", file},
                                {"nodes", "write", file},
                                {"plan", "create", "q", "--file", file}}) {
        CAPTURE(command.front());
        const Ran ran = turboci.run(command);
        CHECK(ran.code == 3);
        CHECK(contains(
            ran.err, "big.yaml:3:28: args.command is 131072 bytes long; the system takes 131071 at most\n"));
        CHECK(contains(
            ran.err, "big.yaml:7:14: args.env.BIG is 131076 bytes long; the system takes 131071 at most\n"));
    }
}

TEST_CASE("Arguments and environment that do not fit together are told before the first attempt") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    std::string file = "stages:\n  - id: a\n    args:\n      command: 'true'\n      env:\n";
    for (const char* name : {"ONE", "TWO", "THREE"})
        file += std::string("        ") + name + ": " + std::string(100'000, 'x') + "\n";
    turboci.ok({"nodes", "write"}, file);
    const Ran ran = turboci.shell("ulimit -Ss 1024 && \"$T\" run");
    CHECK(ran.code == 8);
    CHECK(contains(ran.err, "stage:a cannot be executed here: its arguments and environment take "));
    CHECK(
        contains(ran.err, " are allowed; the largest is the environment variable THREE with 100006 bytes\n"));
    const Json stage = Json::parse(turboci.ok({"nodes", "query", "stage:a", "-o", "json"}));
    CHECK(contains(stage.dump(), "\"state\":\"PENDING\""));
    CHECK_FALSE(contains(stage.dump(), "\"idx\":2"));
    CHECK(turboci.shell("ulimit -Ss 8192 && \"$T\" run").code == 0);
}

TEST_CASE("Graphs show what is not required, and what stages need to be taken") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p", "-f", "-"}, R"(
limits: {db: 1, licence: 4}
checks: [{id: opt, state: PLANNED, required: false}, {id: must, state: PLANNED}]
stages:
  - {id: plain, assignments: [must]}
  - {id: needy, runner: gpu, uses: {db: 1, licence: 2}, assignments: [opt]}
)");
    const std::string dot = turboci.ok({"graph", "show"});
    CHECK(contains(
        dot,
        R"(label="opt\nWAITING, not required", fillcolor="#fff3b0", color="#b8860b", style="filled,dashed")"));
    CHECK(contains(dot, R"(label="must\nWAITING", fillcolor="#fff3b0", color="#b8860b"])"));
    CHECK(contains(dot, R"(label="needy\nATTEMPTING\nrunner gpu, uses db, 2 of licence")"));
    CHECK(contains(dot, R"(label="plain\nATTEMPTING")"));
    const std::string mermaid = turboci.ok({"graph", "show", "--format", "mermaid"});
    CHECK(contains(mermaid, "  classDef optional stroke-dasharray:4 3\n  class n0 optional\n"));
    const std::string tree = turboci.ok({"graph", "show", "--format", "tree"});
    CHECK(contains(tree, "stage:needy  ATTEMPTING, runner gpu, uses db, 2 of licence"));
    const Json json = Json::parse(turboci.ok({"graph", "show", "--format", "json"}));
    CHECK(json["nodes"][0]["required"] == false);
    CHECK(json["nodes"][1]["required"] == true);
}

TEST_CASE("A dry run shows what would be other, a line a node") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p", "-f", "-"}, R"(
checks: [{id: built, state: PLANNED}, {id: open}, {id: same}]
stages: [{id: build, assignments: [built]}]
)");
    CHECK(turboci.ok({"nodes", "write", "--dry-run", "-"}, R"(
checks: [{id: open, options: {x: 1}}, {id: same}, {id: fresh, dependencies: [built], state: PLANNED}]
stages: [{id: build, attempt: {state: COMPLETE}}]
)") == "dry run, nothing is written: created 1, changed 2, advanced 3 (version 2)\n"
       "+ check:fresh  PLANNED -> WAITING\n"
       "~ check:open\n"
       "~ stage:build  ATTEMPTING -> FINAL passed\n"
       "~ check:built  WAITING -> FINAL passed\n");
    CHECK(turboci.ok({"plan", "show", "-o", "json"}).find(R"("version":1)") != std::string::npos);
}
