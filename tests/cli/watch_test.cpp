// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

std::vector<Json> events(const std::string& text) {
    std::vector<Json> list;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) list.push_back(Json::parse(line));
    return list;
}

}  // namespace

TEST_CASE("watch tells what the log tells, in its order, and ends with the plan") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    const Ran ran = turboci.shell(
        "\"$T\" watch > events & \n"
        "echo 'checks: [{id: a}, {id: b, state: PLANNED, dependencies: [a]}]' | \"$T\" nodes write -q\n"
        "\"$T\" check report a --pass --final -q\n"
        "\"$T\" check report b --pass --final -q\n"
        "wait $! && cat events");
    CHECK(ran.code == 0);
    CHECK(ran.out == turboci.ok({"log", "-o", "jsonl"}));
    CHECK(events(ran.out).back()["version"] == 4);
}

TEST_CASE("On a terminal watch says that its times are UTC") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: a, state: FINAL}]");
    const std::string time = events(turboci.ok({"log", "-o", "jsonl", "a"})).at(0)["time"];
    CHECK(contains(turboci.on_terminal({"watch"}).out, time.substr(11, 8) + "Z  check:a  "));
}

TEST_CASE("watch goes on after a version, and can be narrowed to nodes") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: a, state: FINAL}, {id: b}]");
    turboci.ok({"nodes", "write"}, "checks: [{id: b, state: FINAL}]");
    for (const auto& event : events(turboci.ok({"watch", "--since", "2"}))) CHECK(event["version"] == 3);
    CHECK(turboci.ok({"watch", "--since", "3"}).empty());
    const auto of_b = events(turboci.ok({"watch", "check:b"}));
    CHECK(of_b.size() == 2);
    for (const auto& event : of_b) CHECK(event["node"] == "check:b");
    CHECK(turboci.run({"watch", "nope"}).code == 4);
    CHECK(turboci.run({"watch", "--since", "-1"}).code == 2);
}

TEST_CASE("watch ends when nobody reads it any more") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: a}]");
    const Ran ran = turboci.shell("{ \"$T\" watch; echo $? > status; } | head -n1; cat status");
    CHECK(contains(ran.out, "\n10\n"));
    CHECK(ran.err.empty());
}

TEST_CASE("On a terminal watch speaks in words") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "checks: [{id: a, state: FINAL}]");
    const Ran words = turboci.on_terminal({"watch"});
    CHECK(words.code == 0);
    CHECK(contains(words.out, "check:a"));
    CHECK(contains(words.out, "1 check: 1 passed"));
    CHECK_FALSE(contains(words.out, "{\"version\""));
    CHECK(contains(turboci.on_terminal({"watch", "-o", "jsonl"}).out, "{\"version\""));
}

TEST_CASE("run leaves nothing beside its store but the lock file and the logs", "[file]") {
    const Binary turboci;
    turboci.ok(
        {"plan", "create", "p", "-f", "-"},
        "stages: [{id: a, args: {command: 'true'}}, {id: b, args: {command: 'true'}, dependencies: [a]}]");
    CHECK(turboci.run({"run"}).code == 0);
    const Ran files = turboci.shell("cd \"$(dirname \"$TURBOCI_STORE\")\" && find . -type f -size +0 | sort");
    CHECK_FALSE(contains(files.out, "-journal"));
    CHECK(contains(files.out, ".db\n"));
}

TEST_CASE("run says which logs it could not write, and goes on", "[file]") {
    const Binary turboci;
    turboci.ok({"plan", "create", "p", "-f", "-"},
               "stages:\n"
               "  - {id: a, args: {command: 'rm -r \"$TURBOCI_STORE.logs\"'}}\n"
               "  - {id: b, args: {command: 'echo here; exit 3'}, dependencies: [a]}\n");
    const Ran ran = turboci.run({"run"});
    CHECK(ran.code == 1);
    CHECK(contains(ran.err, "stage:b: its log is incomplete: No such file or directory"));
    CHECK(contains(ran.err, "here"));
}
