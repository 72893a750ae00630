// SPDX-License-Identifier: Apache-2.0
// Which plan and which nodes a command means, and what can be read of them.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

void write(const Binary& turboci, const std::string& plan, const std::string& text) {
    turboci.ok({"plan", "create", plan});
    turboci.ok({"nodes", "write", "-", "-p", plan}, text);
}

/// Two stages that have run, one of them twice.
void run_two(const Binary& turboci) {
    write(turboci, "p", R"(
checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]
stages:
  - {id: good, args: {command: 'echo fine; printf "a\tb\n::set-env x\n\033[31mred\n"'}, assignments: [c]}
  - {id: bad, args: {command: 'echo try $TURBOCI_ATTEMPT; exit 1'}, retry: {max_retries: 1}, assignments: [d]}
)");
    CHECK(turboci.run({"run", "-j1", "-q"}).code == 1);
}

/// Makes the store say that a log lies elsewhere: what an imported plan may say.
void move_log(const Binary& turboci, const std::string& to) {
    const std::string text = turboci.ok({"plan", "export"});
    const std::string from = R"("path":"plan.db.logs/p/good.1.log")";
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    turboci.ok({"plan", "delete", "p"});
    turboci.ok({"plan", "import", "-"},
               std::string(text).replace(at, from.size(), R"("path":")" + to + "\""));
}

}  // namespace

TEST_CASE("--plan and TURBOCI_PLAN take a beginning, @latest and a label") {
    Binary turboci;
    turboci.ok({"plan", "create", "build-1", "--label", "commit=a"});
    turboci.ok({"plan", "create", "deploy-1"});
    const auto meant = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"plan", "show", "-o", "name"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return turboci.ok(arguments);
    };
    CHECK(meant({"-p", "bu"}) == "build-1\n");
    CHECK(meant({"@latest"}) == "deploy-1\n");
    CHECK(meant({"-p", "commit=a"}) == "build-1\n");
    turboci.environment["TURBOCI_PLAN"] = "dep";
    CHECK(meant({}) == "deploy-1\n");
    turboci.ok({"plan", "create", "build-2"});
    const Ran two = turboci.run({"plan", "show", "-p", "build"});
    CHECK(two.code == 2);
    CHECK(contains(two.err, "(build-1, build-2); write more of the one you mean"));
    CHECK(turboci.run({"plan", "delete", "dep"}).code == 4);
}

TEST_CASE("A result reported with a beginning of the own plan's id is the attempt's") {
    const Binary turboci;
    write(turboci, "build-1", R"(
checks: [{id: c, state: PLANNED}]
stages: [{id: s, args: {command: '"$T" check report c --pass -p bui -q'}, assignments: [c]}]
)");
    CHECK(turboci.shell("export T; \"$T\" run -q").code == 0);
    const Json all = Json::parse(turboci.ok({"nodes", "query", "check:c", "-o", "json"}));
    CHECK(all["checks"][0]["results"][0]["owner_id"] == "build-1:s:1");
}

TEST_CASE("plan label sets and removes labels, and plan list looks for them") {
    const Binary turboci;
    turboci.ok({"plan", "create", "a", "--label", "x=1"});
    turboci.ok({"plan", "create", "b"});
    turboci.ok({"plan", "label", "a", "y=2=3", "x-"});
    const Json list = Json::parse(turboci.ok({"plan", "list", "--label", "y=2=3", "-o", "json"}));
    REQUIRE(list.size() == 1);
    CHECK(list[0]["labels"] == Json{{"y", "2=3"}});
    CHECK(list[0]["from"].is_null());
    CHECK(turboci.ok({"plan", "list", "--label", "y=2=3", "--label", "x=1", "-o", "name"}).empty());
    CHECK(contains(turboci.ok({"plan", "label", "a", "x-"}), "nothing changed"));
    for (const char* bad : {"x", "=1", "-"}) CHECK(turboci.run({"plan", "label", "a", bad}).code == 2);
    CHECK(turboci.run({"plan", "label", "a"}).code == 2);
    CHECK(turboci.run({"plan", "label", "a", "k=\xff"}).code == 3);
    CHECK(turboci.run({"plan", "list", "--label", "x"}).code == 2);
}

TEST_CASE("plan prune deletes what is over with its logs, and says what", "[file]") {
    const Binary turboci;
    run_two(turboci);
    write(turboci, "q", "checks: [{id: c, state: FINAL}]");
    CHECK(turboci.run({"plan", "prune"}).code == 2);
    CHECK(turboci.ok({"plan", "prune", "--keep", "1", "--dry-run"}) == "would delete p\n");
    CHECK(std::filesystem::exists(turboci.path("plan.db.logs/p")));
    CHECK(turboci.ok({"plan", "prune", "--older-than", "1h"}) == "nothing to delete\n");
    CHECK(Json::parse(turboci.ok({"plan", "prune", "--keep", "1", "-o", "json"})) ==
          Json::parse(R"({"deleted": ["p"], "dry_run": false})"));
    CHECK_FALSE(std::filesystem::exists(turboci.path("plan.db.logs/p")));
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "q\n");
}

TEST_CASE("Deleting gives the space back where that is a good part of the store", "[file]") {
    const Binary turboci;
    std::string many = "checks:\n";
    for (int i = 0; i < 3000; ++i) many += "- {id: c" + std::to_string(i) + ", state: FINAL}\n";
    write(turboci, "large", many);
    write(turboci, "small", "checks: [{id: c}]");
    const auto size = [&] { return std::filesystem::file_size(turboci.path("plan.db")); };
    const auto before = size();
    turboci.ok({"plan", "prune", "--keep", "1"});
    CHECK(size() < before / 2);
    CHECK(contains(turboci.ok({"store", "check"}), "is sound"));
    CHECK(contains(turboci.ok({"store", "compact"}), "gave back 0 bytes of "));
    CHECK(Json::parse(turboci.ok({"store", "compact", "-o", "json"}))["freed"] == 0);
    CHECK(turboci.run({"store", "compact", "-s", "missing.db"}).code == 4);
}

TEST_CASE("On a terminal prune and a forced delete ask, unless --yes") {
    const Binary turboci;
    write(turboci, "p", "checks: [{id: c, state: FINAL}]");
    Ran ran = turboci.on_terminal({"plan", "prune", "--keep", "0"}, "n\n");
    CHECK(ran.code == 1);
    CHECK(contains(ran.out, "delete 1 plan (p)? [y/N]"));
    CHECK(turboci.on_terminal({"plan", "delete", "p", "--force"}, "\n").code == 1);
    CHECK(turboci.ok({"plan", "list", "-o", "name"}) == "p\n");
    CHECK(turboci.on_terminal({"plan", "prune", "--keep", "0"}, "y\n").code == 0);
    turboci.ok({"plan", "create", "q"});
    CHECK(turboci.on_terminal({"plan", "delete", "q", "--force", "--yes"}).code == 0);
    CHECK(turboci.ok({"plan", "list", "-o", "name"}).empty());
}

TEST_CASE("logs shows what was printed, with a heading each where there are several") {
    const Binary turboci;
    run_two(turboci);
    const std::string shown = turboci.ok({"logs", "good"});
    CHECK(contains(shown, "fine\na\tb\n"));
    CHECK_FALSE(contains(shown, "\n::set-env"));
    CHECK_FALSE(contains(shown, "\x1b"));
    CHECK(turboci.ok({"logs", "check:c"}) == shown);
    CHECK(turboci.ok({"logs", "good", "--raw"}) == "fine\na\tb\n::set-env x\n\x1b[31mred\n");
    CHECK(turboci.ok({"logs", "--failed"}) == "try 2\n");
    CHECK(turboci.ok({"logs", "bad", "--attempt", "1"}) == "try 1\n");
    CHECK(turboci.ok({"logs"}) ==
          "==> stage:good attempt 1 <==\n" + shown + "\n==> stage:bad attempt 2 <==\ntry 2\n");
    CHECK(turboci.ok({"logs", "good", "--tail", "2", "--raw"}) == "::set-env x\n\x1b[31mred\n");
    CHECK(turboci.ok({"logs", "good", "--tail", "0"}).empty());
    CHECK(turboci.ok({"logs", "-f", "bad"}) == "try 2\n");
    CHECK(turboci.ok({"logs", "-f"}) ==
          "==> stage:bad attempt 2 <==\ntry 2\n\n==> stage:good attempt 1 <==\n" + shown);
}

TEST_CASE("logs of a stage that reported a failure are among the failed") {
    const Binary turboci;
    write(turboci, "p", R"(
checks: [{id: c, state: PLANNED}]
stages: [{id: 's:1', args: {command: 'echo no; "$T" check report c --fail no -q'}, assignments: [c]}]
)");
    CHECK(turboci.shell("export T; \"$T\" run -q").code == 1);
    CHECK(turboci.ok({"logs", "--failed"}) == "no\n");
}

TEST_CASE("logs -f follows several stages, and each attempt of one, until they are over") {
    const Binary turboci;
    write(turboci, "p", R"(
stages:
  - {id: again, retry: {max_retries: 1}, args: {command: 'echo "try $TURBOCI_ATTEMPT"; while test ! -e seen; do sleep 0.01; done;
      test "$TURBOCI_ATTEMPT" = 2'}}
  - {id: slow, args: {command: 'echo begun; while test ! -e go; do sleep 0.01; done; printf "the end"'}}
  - {id: later, args: {command: 'echo late; touch go'}, dependencies: [again]}
)");
    // All follow from the beginning before anything goes on.
    const Ran ran = turboci.shell(R"(
        "$T" logs -f > all & a=$!
        "$T" logs -f again later > two & b=$!
        "$T" logs -f slow > one & c=$!
        "$T" run -q -j3 & r=$!
        until grep -q 'try 1' all && grep -q begun all && grep -q 'try 1' two && grep -q begun one; do sleep 0.01; done
        touch seen
        wait $r && wait $a && wait $b && wait $c && cat one)");
    CHECK(ran.code == 0);
    CHECK(ran.out == "begun\nthe end\n");
    const std::string two = read_all(turboci.path("two"));
    CHECK(two ==
          "==> stage:again attempt 1 <==\ntry 1\n\n==> stage:again attempt 2 <==\ntry 2\n\n"
          "==> stage:later attempt 1 <==\nlate\n");
    const std::string all = read_all(turboci.path("all"));
    for (const char* part :
         {"==> stage:again attempt 1 <==\ntry 1\n", "==> stage:again attempt 2 <==\ntry 2\n",
          "==> stage:later attempt 1 <==\nlate\n", "begun\n", "the end\n"}) {
        INFO(all);
        CHECK(contains(all, part));
    }
    // What is over already is printed, and that is all.
    CHECK(turboci.ok({"logs", "-f", "again"}) == "try 2\n");
    CHECK(turboci.ok({"logs", "-f", "again", "--attempt", "1"}) == "try 1\n");
    turboci.ok({"nodes", "write"}, "stages: [{id: unneeded}]");
    turboci.ok({"stage", "skip", "unneeded"});
    CHECK(turboci.run({"logs", "-f", "unneeded"}).code == 4);
}

TEST_CASE("A log that was asked for and is not there is told", "[file]") {
    const Binary turboci;
    run_two(turboci);
    turboci.ok({"nodes", "write"}, "stages: [{id: never}]");
    Ran ran = turboci.run({"logs", "never"});
    CHECK(ran.code == 4);
    CHECK(contains(ran.err, "stage:never has no log"));
    CHECK(turboci.run({"logs", "bad", "--attempt", "3"}).code == 4);
    CHECK(turboci.run({"logs", "nope"}).code == 4);
    REQUIRE(::unlink(turboci.path("plan.db.logs/p/good.1.log").c_str()) == 0);
    ran = turboci.run({"logs", "good"});
    CHECK(ran.code == 4);
    CHECK(contains(ran.err, "the log of stage:good attempt 1 is gone"));
    CHECK(contains(turboci.ok({"logs"}), "try 2\n"));
}

TEST_CASE("A log that is gone is told once by who follows it", "[file]") {
    const Binary turboci;
    write(turboci, "p", "stages: [{id: s, args: {command: 'exit 1'}, retry: {max_retries: 1, backoff: 1h}}]");
    CHECK(turboci.run({"worker", "--once"}).code == 0);  // it does not wait for the next attempt
    REQUIRE(::unlink(turboci.path("plan.db.logs/p/s.1.log").c_str()) == 0);
    const Binary other;  // keeps what its commands say elsewhere
    std::thread end([&] {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        other.ok({"-s", turboci.path("plan.db"), "stage", "cancel", "s"});
    });
    const Ran ran = turboci.run({"logs", "-f", "s"});
    end.join();
    CHECK(ran.code == 4);
    const auto first = ran.err.find(" is gone");
    CHECK(first != std::string::npos);
    CHECK(ran.err.find(" is gone", first + 1) == std::string::npos);
}

TEST_CASE("A log is read from the store's own directory of logs alone", "[file]") {
    for (const char* path :
         {"../secret", "/etc/passwd", "secret", "plan.db.logs/../secret", "plan.db.logs/p/../../secret",
          "other.db.logs/p/good.1.log", "plan.db.logs/p/link", "plan.db.logs/way/secret",
          "plan.db.logs/p/pipe", "plan.db.logs/p", "plan.db.logs/q/theirs.1.log", "plan.db.logs/p/q/x"}) {
        INFO(path);
        const Binary turboci;
        run_two(turboci);
        turboci.file("secret", "secret\n");
        move_log(turboci, path);
        std::filesystem::create_directories(turboci.path("plan.db.logs/p"));
        std::filesystem::create_directories(turboci.path("plan.db.logs/q"));
        turboci.file("plan.db.logs/q/theirs.1.log", "secret\n");  // of another plan
        std::filesystem::create_symlink(turboci.path("secret"), turboci.path("plan.db.logs/p/link"));
        std::filesystem::create_directory_symlink(turboci.path("."), turboci.path("plan.db.logs/way"));
        REQUIRE(::mkfifo(turboci.path("plan.db.logs/p/pipe").c_str(), 0600) == 0);
        const Ran ran = turboci.run({"logs", "good"});
        CHECK(ran.code == 4);
        CHECK(ran.out.empty());
        CHECK_FALSE(contains(turboci.ok({"plan", "show", "--format", "markdown"}), "secret\n"));
    }
}

TEST_CASE("check get prints one value of what counts") {
    Binary turboci;
    write(turboci, "p", "checks: [{id: c, state: PLANNED}, {id: none}]");
    turboci.ok({"check", "report", "c", "--pass", "--actor", "a", "--data",
                R"({"v": "1.2 \"x\"", "n": [1, {"a/b": true}]})"});
    turboci.ok(
        {"check", "report", "c", "--pass", "--actor", "b", "--data", R"({"v": "later", "only": [null]})"});
    const auto get = [&](const std::string& pointer) { return turboci.ok({"check", "get", "c", pointer}); };
    CHECK(get("/v") == "1.2 \"x\"\n");
    CHECK(get("/n/1") == "{\"a/b\":true}\n");
    CHECK(get("/n/1/a~1b") == "true\n");
    CHECK(get("/only/0") == "null\n");
    CHECK(Json::parse(turboci.ok({"check", "get", "check:c"}))["n"][0] == 1);
    CHECK(turboci.ok({"check", "get", "c", "/v", "-o", "json"}) == "\"1.2 \\\"x\\\"\"\n");
    for (const char* missing : {"/x", "/n/2", "/n/x", "/n/-", "/v/0"})
        CHECK(turboci.run({"check", "get", "c", missing}).code == 4);
    for (const char* bad : {"v", "/n~2", "/n~"}) CHECK(turboci.run({"check", "get", "c", bad}).code == 2);
    CHECK(turboci.run({"check", "get", "none"}).code == 4);
    CHECK(turboci.run({"check", "get", "nope"}).code == 4);
}

TEST_CASE("check get reads the last attempt of a stage that reported") {
    const Binary turboci;
    write(turboci, "p", R"(
checks: [{id: c, state: PLANNED}]
stages:
  - id: s
    args: {command: '"$T" check report c --pass -q --data "{\"n\": $TURBOCI_ATTEMPT}"; test $TURBOCI_ATTEMPT = 2'}
    retry: {max_retries: 1}
    assignments: [c]
)");
    CHECK(turboci.shell("export T; \"$T\" run -q").code == 0);
    CHECK(turboci.ok({"check", "get", "c", "/n"}) == "2\n");
}

TEST_CASE("gate takes filters, and names on standard input") {
    const Binary turboci;
    write(turboci, "p", R"(
checks: [{id: a, kind: test, state: FINAL}, {id: b, kind: build, state: FINAL, result: {failure: x}}]
stages: [{id: s}]
)");
    CHECK(turboci.run({"gate"}).code == 1);
    CHECK(turboci.run({"gate", "--kind", "test"}).code == 0);
    CHECK(turboci.run({"gate", "--match", "b*"}).code == 1);
    CHECK(turboci.run({"gate", "--match", "z*"}).code == 1);
    CHECK(turboci.run({"gate", "--type", "stage"}).code == 1);
    CHECK(turboci.run({"gate", "a", "--kind", "build"}).code == 1);  // nothing is left
    CHECK(turboci.run({"gate", "-"}, "check:a\nstage:s\r\n\n").code == 0);
    CHECK(turboci.run({"gate", "-", "b"}, "a\n").code == 1);
    CHECK(turboci.run({"gate", "-"}, "nope\n").code == 4);
    const Ran none = turboci.run({"gate", "-"}, "stage:s\n");
    CHECK(none.code == 1);
    CHECK(contains(none.err, "there is no check to judge"));
    CHECK(Json::parse(turboci.run({"gate", "-", "-o", "json"}, "").out)["plan"]["id"] == "p");
}

TEST_CASE("--waiting-for person selects checks that nobody works for") {
    const Binary turboci;
    write(turboci, "p", R"(
checks: [{id: asked, state: PLANNED}, {id: worked, state: PLANNED}, {id: later, state: PLANNED, dependencies: [asked]}]
stages: [{id: s, assignments: [worked]}]
)");
    CHECK(turboci.ok({"nodes", "query", "--waiting-for", "person", "-o", "name"}) == "check:asked\n");
    CHECK(turboci.run({"nodes", "query", "--waiting-for", "godot"}).code == 2);
    CHECK(turboci.run({"nodes", "query", "--waiting-for", "person", "--type", "stage"}).code == 2);
}

TEST_CASE("TURBOCI_ACTOR writes, and attempt claim takes only what matches") {
    Binary turboci;
    turboci.environment["TURBOCI_ACTOR"] = "robot";
    write(turboci, "p", "stages: [{id: linux-a}, {id: mac-a}, {id: mac-b}]");
    CHECK(turboci.ok({"attempt", "claim", "--match", "mac-*"}) == "mac-a\n");
    CHECK(turboci.ok({"attempt", "claim", "--match", "*-b", "--match", "x", "--actor", "me"}) == "mac-b\n");
    CHECK(turboci.run({"attempt", "claim", "--match", "mac-*"}).code == 8);
    const std::string log = turboci.ok({"log", "-o", "jsonl"});
    CHECK(contains(log, R"("actor":"robot")"));
    CHECK(contains(log, R"("actor":"me")"));
}

TEST_CASE("A run that finds nothing to do after a failure says why and what to do") {
    const Binary turboci;
    run_two(turboci);
    const Ran ran = turboci.run({"run"});
    CHECK(ran.code == 1);
    CHECK(contains(ran.err,
                   "nothing to run: check:d failed (and 1 more); start again with `turboci plan rerun`"));
}

TEST_CASE("plan diff shows nodes that were added, removed, or differ in definition or outcome") {
    const Binary turboci;
    write(turboci, "a", R"(
checks: [{id: same}, {id: gone}, {id: opt, options: {x: 1}}, {id: end, state: FINAL, result: {failure: x}}]
stages: [{id: s, args: {command: 'true'}, dependencies: [end]}]
)");
    write(turboci, "b", R"(
checks: [{id: same}, {id: new}, {id: opt, options: {x: 2}}, {id: end, state: FINAL}]
stages: [{id: s, args: {command: 'true'}, dependencies: [end]}]
)");
    CHECK(turboci.ok({"plan", "diff", "a", "b"}) ==
          "- check:gone\n~ check:end  FINAL failed -> FINAL passed\n+ check:new\n~ check:opt  options\n"
          "~ stage:s  FINAL skipped -> ATTEMPTING\n");
    const Json json = Json::parse(turboci.ok({"plan", "diff", "a", "b", "-o", "json"}));
    CHECK(json["added"] == Json{"check:new"});
    CHECK(json["removed"] == Json{"check:gone"});
    CHECK(json["changed"][1] ==
          Json::parse(R"({"node": "check:opt", "fields": ["options"], "state": null})"));
    CHECK(turboci.ok({"plan", "diff", "a", "a"}).empty());
    CHECK(turboci.run({"plan", "diff", "a"}).code == 2);
    CHECK(turboci.run({"plan", "diff", "a", "c"}).code == 4);
}
