// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

TEST_CASE("plan create prints the id and nothing else, even when quiet") {
    const Binary turboci;
    CHECK(turboci.ok({"plan", "create", "nightly"}) == "nightly\n");
    CHECK(turboci.ok({"plan", "create", "weekly", "-q", "-o", "name"}) == "weekly\n");
    const std::string made_up = turboci.ok({"plan", "create"});
    CHECK(made_up.size() == 27);
    CHECK(contains(turboci.ok({"plan", "list", "-o", "name"}), made_up));
}

TEST_CASE("plan create takes its nodes from files and its labels from flags") {
    const Binary turboci;
    const std::string file =
        turboci.file("plan.yaml", "checks: [{id: a}]\nstages: [{id: s, assignments: [a]}]\n");
    const Json made = Json::parse(turboci.ok(
        {"plan", "create", "p", "-f", file, "--label", "branch=main", "--label", "x=a=b", "-o", "json"}));
    CHECK(made["created"] == Json::parse(R"(["check:a", "stage:s"])"));
    CHECK(made["plan"]["labels"] == Json::parse(R"({"branch": "main", "x": "a=b"})"));
}

TEST_CASE("plan create leaves no store behind when its input is bad", "[file]") {
    const Binary turboci;
    const std::string file = turboci.file("plan.yaml", "checks: [{id: a, staet: FINAL}]\n");
    CHECK(turboci.run({"plan", "create", "p", "-f", file}).code == 3);
    CHECK(turboci.run({"plan", "create", "p", "-f", turboci.path("missing.yaml")}).code == 2);
    CHECK(turboci.run({"plan", "create", "no/slash"}).code == 3);
    CHECK(turboci.run({"plan", "create", ""}).code == 3);
    CHECK(turboci.run({"plan", "create", "p", "--label", "novalue"}).code == 2);
    CHECK(turboci.run({"plan", "list"}).code == 4);
}

TEST_CASE("plan create takes the id from --plan too, but not two ids") {
    const Binary turboci;
    CHECK(turboci.ok({"plan", "create", "--plan", "p"}) == "p\n");
    CHECK(turboci.run({"plan", "create", "q", "--plan", "r"}).code == 2);
    CHECK(turboci.run({"plan", "create", "p"}).code == 6);
}

TEST_CASE("plan list knows every format") {
    const Binary turboci;
    turboci.ok({"plan", "create", "a"});
    turboci.ok({"plan", "create", "b", "--label", "k=v"});
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "a\nb\n");
    const Json all = Json::parse(turboci.ok({"plan", "list", "-o", "json"}));
    REQUIRE(all.size() == 2);
    CHECK(all[1]["labels"]["k"] == "v");
    const std::string lines = turboci.ok({"plan", "list", "-o", "jsonl"});
    CHECK(Json::parse(lines.substr(0, lines.find('\n')))["id"] == "a");
    CHECK(contains(turboci.ok({"plan", "list", "-o", "yaml"}), "id: a"));
    const std::string table = turboci.ok({"plan", "list"});
    CHECK(table.rfind("PLAN", 0) == 0);
    CHECK(contains(table, "k=v"));
}

TEST_CASE("plan show tells what is ready, what failed, and how far the plan is") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"},
               "checks: [{id: a, state: FINAL, result: {failure: no luck}}, {id: b}]\nstages: [{id: s}]\n");
    const std::string text = turboci.ok({"plan", "show"});
    CHECK(contains(text, "plan p  version 2"));
    CHECK(contains(text, "1/3 FINAL"));
    CHECK(contains(text, "2 checks: 1 PLANNING, 1 failed"));
    CHECK(contains(text, "ready:\n  stage:s\n"));
    CHECK(contains(text, "failed:\n  check:a  no luck\n"));
    const Json summary = Json::parse(turboci.ok({"plan", "show", "p", "-o", "json"}));
    CHECK(summary["totals"]["failed_checks"] == 1);
    CHECK(turboci.run({"plan", "show", "nope"}).code == 4);
}

TEST_CASE("plan delete deletes the one that is named and needs a name") {
    const Binary turboci;
    turboci.ok({"plan", "create", "a"});
    turboci.ok({"plan", "create", "b"});
    CHECK(turboci.run({"plan", "delete"}).code == 2);
    CHECK(turboci.ok({"plan", "delete", "a"}) == "deleted a\n");
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "b\n");
    CHECK(turboci.run({"plan", "delete", "a"}).code == 4);
}

TEST_CASE("The only plan of a store needs no name; of several one must be named") {
    Binary turboci;
    turboci.ok({"plan", "create", "a"});
    turboci.ok({"nodes", "query"});
    turboci.ok({"plan", "create", "b"});
    const Ran ran = turboci.run({"nodes", "query"});
    CHECK(ran.code == 2);
    CHECK(contains(ran.err, "a"));
    CHECK(contains(ran.err, "b"));
    turboci.ok({"nodes", "query", "--plan", "b"});
    turboci.ok({"--plan=b", "nodes", "query"});
    turboci.environment["TURBOCI_PLAN"] = "b";
    turboci.ok({"nodes", "write"}, "checks: [{id: only-in-b}]");
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:only-in-b\n");
    CHECK(turboci.ok({"nodes", "query", "-p", "a", "-o", "name"}).empty());
}

TEST_CASE("plan tick ends what is overdue") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "stages: [{id: s, timeout: 1ms}]");
    turboci.ok({"attempt", "claim"});
    turboci.ok({"plan", "tick"});
    const Json query = Json::parse(turboci.ok({"nodes", "query", "-o", "json"}));
    CHECK(query["stages"][0]["outcome"] == "failed");
}

TEST_CASE("plan tick says which attempts it ended, and what follows") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"},
               "stages: [{id: s, timeout: 1ms, retry: {max_retries: 1}}, {id: t, timeout: 1ms}, {id: u}]");
    CHECK(turboci.ok({"plan", "tick"}) == "nothing changed (version 2)\n");
    turboci.ok({"attempt", "claim", "s"});
    CHECK(turboci.ok({"plan", "tick"}) ==
          "ended 1 attempt (version 4)\n"
          "  ended     stage:s  attempt 1: timed out after 1ms, again at once\n");
    turboci.ok({"attempt", "claim", "t"});
    CHECK(turboci.ok({"plan", "tick"}) ==
          "advanced 1, ended 1 attempt (version 6)\n"
          "  ended     stage:t  attempt 1: timed out after 1ms\n"
          "  advanced  stage:t  ATTEMPTING -> FINAL\n");
    // A write that brings nothing of its own ends them as well.
    turboci.ok({"attempt", "claim", "s"});
    CHECK(contains(turboci.ok({"nodes", "write"}, "stages: [{id: u}]"), "ended 1 attempt"));
    CHECK(turboci.ok({"plan", "tick", "-q"}).empty());
    CHECK(Json::parse(turboci.ok({"plan", "tick", "-o", "json"})).size() == 5);
}

TEST_CASE("store check and store backup speak of the store", "[file]") {
    const Binary turboci;
    CHECK(turboci.run({"store", "check"}).code == 4);
    turboci.ok({"plan", "create", "p"});
    CHECK(contains(turboci.ok({"store", "check"}), "ok: "));
    turboci.ok({"store", "backup", turboci.path("copy.db")});
    CHECK(turboci.ok({"plan", "list", "-o", "name", "--store", turboci.path("copy.db")}) == "p\n");
    CHECK(turboci.run({"store", "backup", turboci.path("copy.db")}).code == 6);
    CHECK(turboci.run({"store", "backup", "-"}).code == 2);
    CHECK(turboci.run({"store", "backup"}).code == 2);
}

TEST_CASE("Completion prints ids, and nothing at all when something is wrong") {
    const Binary turboci;
    const Ran none = turboci.run({"__complete", "nodes"});
    CHECK(none.out.empty());
    CHECK(none.err.empty());
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"},
               R"({"checks": [{"id": "release"}, {"id": "lint"}], "stages": [{"id": "re\ufff9x"}]})");
    CHECK(turboci.ok({"__complete", "plans"}) == "p\n");
    CHECK(turboci.ok({"__complete", "nodes", "check:re"}) == "check:release\n");
    CHECK(turboci.ok({"__complete", "checks"}) == "release\nlint\n");
    CHECK(turboci.ok({"__complete", "stages"}).empty());
}

TEST_CASE("What is no export is told from its head, however long it goes on", "[file]") {
    const Binary turboci;
    // The sanitizer reserves more than there is.
    constexpr const char* kLimit = turboci::test::kSanitized ? "" : "ulimit -v 400000; ";
    const Ran zeros = turboci.shell(std::string(kLimit) + "\"$T\" plan import /dev/zero");
    CHECK(zeros.code == 3);
    CHECK(contains(zeros.err, "/dev/zero:1:"));
    CHECK(turboci.shell("yes '{\"check\":{}}' | \"$T\" plan import -").code == 3);
    CHECK(
        turboci
            .shell(
                "\"$T\" plan create p -q > /dev/null; \"$T\" plan export > p.jsonl; \"$T\" plan delete p -q; "
                "\"$T\" plan import p.jsonl -q")
            .code == 0);
}
