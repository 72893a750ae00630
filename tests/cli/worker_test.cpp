// SPDX-License-Identifier: Apache-2.0
// Workers as processes.
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

TEST_CASE("worker --once works off what is ready in all plans, each line with its plan") {
    Binary turboci;
    for (const char* plan : {"a", "b"}) {
        turboci.ok({"plan", "create", plan});
        turboci.ok({"nodes", "write", "-", "-p", plan}, R"(
checks: [{id: c, state: PLANNED}]
stages:
  - {id: one, args: {command: "echo hello from $TURBOCI_PLAN"}, assignments: [c]}
  - {id: two, args: {command: "true"}, dependencies: [one]}
  - {id: gpu, runner: gpu, args: {command: "true"}}
)");
    }
    const Ran ran = turboci.run({"worker", "--once", "-j2", "--name", "w"});
    CHECK(ran.code == 0);
    CHECK(ran.out.empty());
    for (const char* line : {"a: start  stage:one\n", "b: passed stage:two (", "a: passed check:c\n"})
        CHECK(contains(ran.err, line));
    CHECK(turboci.ok({"logs", "one", "-p", "b"}) == "hello from b\n");
    CHECK(turboci.run({"gate", "-p", "a"}).code == 0);
    CHECK(Json::parse(turboci.ok({"worker", "list", "-o", "json"})) == Json{{"workers", Json::array()}});
    CHECK(turboci.run({"worker", "--once", "--runner", "gpu", "--plans", "b*"}).code == 0);
    CHECK(turboci.ok({"nodes", "query", "--state", "ATTEMPTING", "-p", "a", "-o", "name"}) == "stage:gpu\n");
    CHECK(turboci.ok({"nodes", "query", "--state", "ATTEMPTING", "-p", "b", "-o", "name"}).empty());
}

TEST_CASE("a worker is no place for another, and has a name") {
    Binary turboci;
    turboci.ok({"plan", "create", "a"});
    CHECK(turboci.run({"worker", "--name", ""}).code == 2);
    CHECK(turboci.run({"worker", "drain", "nobody"}).code == 4);
    CHECK(turboci.run({"worker", "drain"}).code == 2);
    const Ran unknown = turboci.run({"worker", "lists"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "lists"));
    turboci.environment["TURBOCI_STAGE"] = "s";
    turboci.environment["TURBOCI_ATTEMPT"] = "1";
    const Ran within = turboci.run({"worker", "--once"});
    CHECK(within.code == 2);
    CHECK(contains(within.err, "within stage:s"));
}

TEST_CASE("attempt exec runs what was claimed, for whoever has its token") {
    Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write", "-"}, R"(
checks: [{id: c, state: PLANNED}]
stages:
  - {id: good, args: {command: "echo in $TURBOCI_STAGE"}, assignments: [c]}
  - {id: bad, args: {command: "exit 7"}, retry: {max_retries: 1}}
  - {id: none}
)");
    const auto claim = [&](const std::string& stage) {
        turboci.environment.erase("TURBOCI_TOKEN");
        const Json claimed = Json::parse(turboci.ok({"attempt", "claim", stage, "-o", "json"}));
        turboci.environment["TURBOCI_TOKEN"] = claimed.at("token").get<std::string>();
    };
    CHECK(turboci.run({"attempt", "exec", "good"}).code == 2);  // without a token
    claim("good");
    const Ran other = turboci.run({"attempt", "exec", "bad"});
    CHECK(other.code == 6);
    CHECK(contains(other.err, "the token is that of stage:good"));
    CHECK(turboci.run({"attempt", "exec", "good"}).code == 0);
    CHECK(turboci.run({"attempt", "exec", "good"}).code == 5);  // it has ended
    claim("bad");
    CHECK(turboci.run({"attempt", "exec", "bad"}).code == 1);
    turboci.environment.erase("TURBOCI_TOKEN");
    CHECK(turboci.ok({"logs", "good"}) == "in good\n");
    const Json nodes = Json::parse(turboci.ok({"nodes", "query", "-o", "json"}));
    const Json& bad = nodes.at("stages").at(1).at("attempts");
    CHECK(bad.at(0).at("exit_code") == 7);
    CHECK(bad.at(0).at("state") == "INCOMPLETE");
    CHECK(bad.at(1).at("state") == "PENDING");
    CHECK(nodes.at("checks").at(0).at("outcome") == "passed");
    claim("none");
    CHECK(turboci.run({"attempt", "exec", "none"}).code == 1);  // nothing to execute: it says so and ends it
    turboci.environment["TURBOCI_TOKEN"] = "word";
    CHECK(turboci.run({"attempt", "exec", "none"}).code == 3);
}
