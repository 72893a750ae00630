// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

class Plan : public Binary {
public:
    explicit Plan(const std::string& nodes) {
        ok({"plan", "create", "p"});
        ok({"nodes", "write"}, nodes);
    }
    [[nodiscard]] Json node(const std::string& ref) const {
        const Json found = Json::parse(ok({"nodes", "query", ref, "-o", "json"}));
        return found["checks"].empty() ? found["stages"][0] : found["checks"][0];
    }
};

}  // namespace

TEST_CASE("attempt claim prints the id of the stage, for scripts") {
    const Plan turboci("stages: [{id: a, args: {x: 1}}, {id: b}, {id: c}]");
    const Ran first = turboci.run({"attempt", "claim", "--process", "w1"});
    CHECK(first.code == 0);
    CHECK(first.out == "a\n");
    CHECK(first.err == "turboci: claimed stage:a, attempt 1, as w1\n");
    CHECK(turboci.ok({"attempt", "claim", "-o", "name", "--process", "w2"}) == "stage:b\n");
    const Json third =
        Json::parse(turboci.ok({"attempt", "claim", "stage:c", "--process", "w3", "-o", "json"}));
    CHECK(third["stage"]["id"] == "c");
    CHECK(third["attempt"]["process_uid"] == "w3");
    CHECK(third["plan"]["id"] == "p");
    const Ran none = turboci.run({"attempt", "claim"});
    CHECK(none.code == 8);
    CHECK(none.out.empty());
    CHECK(contains(none.err, "turboci: error: "));
}

TEST_CASE("What is printed for scripts is the id as it is, not made safe for people") {
    const std::string family = "\U0001F469\u200D\U0001F52C";
    const Plan turboci("stages: [{id: '" + family + "'}, {id: \"\\uFFF9x\"}, {id: '::set x'}]\n");
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) ==
          "stage:" + family + "\nstage:\uFFF9x\nstage:::set x\n");
    CHECK(turboci.ok({"attempt", "claim"}) == family + "\n");
    CHECK(turboci.ok({"attempt", "claim"}) == "\uFFF9x\n");
    // A line that began as this id does would be a command to a CI runner.
    CHECK(turboci.ok({"attempt", "claim"}) == "stage:::set x\n");
    CHECK(turboci.run({"attempt", "complete", "stage:::set x"}).code == 0);
    CHECK(turboci.ok({"attempt", "complete", "\uFFF9x", "-o", "name"}) == "stage:\uFFF9x\n");
}

TEST_CASE("Without --process the claimant is the host and the calling process") {
    const Plan turboci("stages: [{id: a}]");
    CHECK(turboci.shell("\"$T\" attempt claim -q").code == 0);
    const std::string uid = turboci.node("stage:a")["attempts"][0]["process_uid"];
    CHECK(uid.find(':') != std::string::npos);
    CHECK(uid.find_last_not_of("0123456789") == uid.rfind(':'));
}

TEST_CASE("attempt claim --wait takes what becomes ready and gives up when nothing can") {
    const Plan turboci("checks: [{id: go}]\nstages: [{id: a, dependencies: [check:go]}]");
    CHECK(turboci.run({"attempt", "claim", "--wait", "30ms"}).code == 8);
    const Ran ran = turboci.shell(
        "\"$T\" attempt claim --wait 1h > got & \n"
        "echo 'checks: [{id: go, state: FINAL}]' | \"$T\" nodes write -q\n"
        "wait $! && cat got");
    CHECK(ran.out == "a\n");
    turboci.ok({"attempt", "complete", "a"});
    CHECK(turboci.run({"attempt", "claim", "--wait", "1h"}).code == 8);
}

TEST_CASE("A retry is not ready before its backoff is over") {
    const Plan turboci("stages: [{id: a, retry: {max_retries: 1, backoff: 1h}}]");
    turboci.ok({"attempt", "claim"});
    turboci.ok({"attempt", "fail", "a"});
    CHECK(turboci.run({"attempt", "claim"}).code == 8);
    CHECK(turboci.run({"attempt", "claim", "a"}).code == 8);
}

TEST_CASE("A claim that gets nothing says what can be done about it, if anything") {
    const auto told = [](const Plan& turboci, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"attempt", "claim"});
        return turboci.run(more).err;
    };
    const Plan none("checks: [{id: c}]");
    CHECK(told(none) == "turboci: error: no stage is ready to claim: the plan has none; write some first\n");
    const Plan done("stages: [{id: a}]");
    done.ok({"attempt", "claim"});
    CHECK(told(done) == "turboci: error: no stage is ready to claim; try again later, or wait with --wait\n");
    CHECK(told(done, {"--wait", "1ms"}) ==
          "turboci: error: no stage is ready to claim; it was waited for; try again later\n");
    done.ok({"attempt", "complete", "a"});
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--wait", "1h"}})
        CHECK(told(done, more) ==
              "turboci: error: no stage is ready to claim: all are FINAL; there is nothing left to do in "
              "this plan\n");
    const Plan backoff("stages: [{id: a, retry: {max_retries: 1, backoff: 20h}}]");
    backoff.ok({"attempt", "claim"});
    backoff.ok({"attempt", "fail", "a"});
    CHECK(contains(told(backoff), "no stage is ready to claim; the next will be in "));
}

TEST_CASE("run -n says of a stage in backoff until when it waits") {
    const Plan turboci("stages: [{id: a, args: {command: ['true']}, retry: {max_retries: 1, backoff: 20h}}]");
    CHECK(turboci.ok({"run", "-n"}) == "STAGE  COMMAND\na      true\n");
    CHECK(Json::parse(turboci.ok({"run", "-n", "-o", "json"}))[0]["not_before"].is_null());
    turboci.ok({"attempt", "claim"});
    turboci.ok({"attempt", "fail", "a"});
    const std::string until = turboci.node("stage:a")["attempts"][1]["not_before"];
    CHECK(contains(turboci.ok({"run", "-n"}), "a      waits until " + until + " (backoff): true\n"));
    CHECK(Json::parse(turboci.ok({"run", "-n", "-o", "json"}))[0]["not_before"] == until);
}

TEST_CASE("A run within an attempt needs the name of its plan") {
    Plan turboci("stages: [{id: outer}, {id: other, args: {command: ['true']}}]");
    turboci.ok({"plan", "create", "q", "-f", "-"}, "stages: [{id: inner, args: {command: ['true']}}]");
    turboci.environment["TURBOCI_PLAN"] = "p";
    turboci.ok({"attempt", "claim", "outer"});
    turboci.environment["TURBOCI_STAGE"] = "outer";
    turboci.environment["TURBOCI_ATTEMPT"] = "1";
    const Ran refused = turboci.run({"run"});
    CHECK(refused.code == 2);
    CHECK(refused.err ==
          "turboci: error: this is within stage:outer of plan 'p', which is being run; name the plan to run "
          "with --plan; "
          "nodes that are written join the run that goes on\n");
    CHECK(turboci.run({"run", "check:x"}).code == 2);
    CHECK(turboci.ok({"run", "-n", "-o", "name"}) == "stage:other\n");
    CHECK(turboci.run({"run", "-p", "q"}).code == 0);
    turboci.environment["TURBOCI_PLAN"].clear();
    CHECK(turboci.run({"run", "-p", "q"}).code == 0);
    turboci.environment["TURBOCI_PLAN"] = "p";
    CHECK(turboci.run({"run", "-p", "p", "stage:other"}).code == 0);  // its own plan, if it says so
    turboci.environment["TURBOCI_PLAN"] = "q";                        // the script has chosen another one
    turboci.environment.erase("TURBOCI_STAGE");
    CHECK(turboci.run({"run"}).code == 0);
}

TEST_CASE("attempt claim --wait sees the backoff of a retry end") {
    const Plan turboci("stages: [{id: a, retry: {max_retries: 1, backoff: 200ms}}]");
    turboci.ok({"attempt", "claim"});
    turboci.ok({"attempt", "fail", "a"});
    CHECK(turboci.ok({"attempt", "claim", "--wait", "1h"}) == "a\n");
    CHECK(turboci.node("stage:a")["attempts"].size() == 2);
}

TEST_CASE("An attempt beats, tells its progress, and ends") {
    const Plan turboci("stages: [{id: a}]");
    turboci.ok({"attempt", "claim", "a", "--process", "w"});
    turboci.ok({"attempt", "heartbeat", "a"});
    turboci.ok({"attempt", "progress", "a", "half", "--details", R"({"done": 5})"});
    const std::string file = turboci.file("details.json", R"({"seconds": 1.5})");
    turboci.ok({"attempt", "complete", "a", "--details", "@" + file});
    const Json attempt = turboci.node("stage:a")["attempts"][0];
    CHECK(attempt["progress"][0]["message"] == "half");
    CHECK(attempt["progress"][0]["details"] == Json::parse(R"({"done": 5})"));
    CHECK(attempt["details"] == Json::parse(R"({"seconds": 1.5})"));
    CHECK(attempt["state"] == "COMPLETE");
    CHECK_FALSE(attempt["last_heartbeat"].is_null());
}

TEST_CASE("A failed attempt keeps its message, and retries can be blocked") {
    const Plan turboci("stages: [{id: a, retry: {max_retries: 3}}]");
    turboci.ok({"attempt", "claim", "a"});
    turboci.ok({"attempt", "fail", "a", "--message", "--boom--", "--no-retry"});
    const Json stage = turboci.node("stage:a");
    CHECK(stage["attempts"][0]["failure"]["message"] == "--boom--");
    CHECK(stage["concluded_reason"] == "retry_blocked");
}

TEST_CASE("An attempt that is not the current one is refused") {
    const Plan turboci("stages: [{id: a, retry: {max_retries: 1}}]");
    turboci.ok({"attempt", "claim", "a", "--process", "w"});
    turboci.ok({"attempt", "fail", "a"});
    turboci.ok({"attempt", "claim", "a", "--process", "v"});
    CHECK(turboci.run({"attempt", "complete", "a", "--attempt", "1"}).code == 5);
    CHECK(turboci.run({"attempt", "complete", "a", "--attempt", "0"}).code == 2);
    CHECK(turboci.run({"attempt", "complete", "check:a"}).code == 2);
    turboci.ok({"attempt", "complete", "a", "--attempt", "2"});
}

TEST_CASE("Inside an attempt, its number is meant and its results are its own") {
    Plan turboci(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: a, retry: {max_retries: 1}, assignments: [c]}]");
    turboci.ok({"attempt", "claim", "a"});
    turboci.environment["TURBOCI_PLAN"] = "p";
    turboci.environment["TURBOCI_STAGE"] = "a";
    turboci.environment["TURBOCI_ATTEMPT"] = "1";
    turboci.ok({"check", "report", "c", "--fail", "once"});
    CHECK(turboci.node("check:c")["results"][0]["owner_id"] == "p:a:1");
    turboci.ok({"attempt", "fail", "a"});
    CHECK(turboci.run({"attempt", "heartbeat", "a"}).code == 5);  // a late beat of attempt 1
    turboci.environment["TURBOCI_ATTEMPT"] = "two";
    CHECK(turboci.run({"attempt", "heartbeat", "a"}).code == 2);
    turboci.environment.erase("TURBOCI_ATTEMPT");
    CHECK(turboci.run({"attempt", "heartbeat", "a"}).code == 2);
}

TEST_CASE("The surrounding attempt does not speak for another plan or store") {
    Plan turboci("checks: [{id: c, state: WAITING}]");
    turboci.environment["TURBOCI_PLAN"] = "outer";
    turboci.environment["TURBOCI_STAGE"] = "a";
    turboci.environment["TURBOCI_ATTEMPT"] = "1";
    turboci.ok({"check", "report", "c", "--pass", "--plan", "p"});
    CHECK(Json::parse(turboci.ok({"nodes", "query", "-p", "p", "-o",
                                  "json"}))["checks"][0]["results"][0]["owner_type"] == "actor");
    turboci.environment["TURBOCI_PLAN"] = "p";
    turboci.ok({"plan", "create", "p", "--store", "other.db"});
    turboci.ok({"nodes", "write", "--store", "other.db"},
               "checks: [{id: c, state: FINAL, result: {data: {n: 1}}}]");
    const Json other = Json::parse(turboci.ok({"nodes", "query", "--store", "other.db", "-o", "json"}));
    CHECK(other["checks"][0]["results"][0]["owner_id"] == "tester");
}

TEST_CASE("stage cancel ends a stage") {
    const Plan turboci("stages: [{id: a}]");
    turboci.ok({"stage", "cancel", "stage:a", "--reason", "superseded"});
    CHECK(turboci.node("stage:a")["outcome"] == "cancelled");
    CHECK(turboci.run({"stage", "cancel", "nope"}).code == 4);
    CHECK(turboci.run({"stage", "cancel", "check:a"}).code == 2);
}

TEST_CASE("A name that is mistyped is not found, and does not become a node") {
    const Plan turboci("checks: [{id: c, state: WAITING}]\nstages: [{id: s}]");
    for (const std::vector<std::string>& wrong :
         std::vector<std::vector<std::string>>{{"attempt", "claim", "t"},
                                               {"attempt", "heartbeat", "t"},
                                               {"attempt", "progress", "t", "news"},
                                               {"attempt", "complete", "t"},
                                               {"attempt", "fail", "t"},
                                               {"stage", "cancel", "t"},
                                               {"check", "report", "d", "--pass"},
                                               {"check", "report", "s", "--pass"}}) {
        INFO(wrong[0] << " " << wrong[1] << " " << wrong[2]);
        CHECK(turboci.run(wrong).code == 4);
    }
    CHECK(turboci.ok({"nodes", "query", "-o", "name"}) == "check:c\nstage:s\n");
}

TEST_CASE("check report passes, fails, changes its mind, and ends the check") {
    const Plan turboci("checks: [{id: c, state: WAITING}]");
    turboci.ok({"check", "report", "c", "--fail", "red"});
    CHECK(turboci.node("check:c")["results"][0]["failure"]["message"] == "red");
    turboci.ok({"check", "report", "check:c", "--pass", "--data", R"({"n": 1})", "--final"});
    const Json check = turboci.node("check:c");
    CHECK(check["outcome"] == "passed");
    CHECK(check["results"].size() == 1);
    CHECK(check["results"][0]["data"] == Json::parse(R"({"n": 1})"));
    CHECK(turboci.run({"check", "report", "c", "--fail", "late"}).code == 5);
}

TEST_CASE("check report needs one answer, and data that is an object") {
    const Plan turboci("checks: [{id: c, state: WAITING}]");
    CHECK(turboci.run({"check", "report", "c"}).code == 2);
    CHECK(turboci.run({"check", "report", "c", "--pass", "--fail", "x"}).code == 2);
    CHECK(turboci.run({"check", "report", "--pass"}).code == 2);
    CHECK(turboci.run({"check", "report", "stage:c", "--pass"}).code == 2);
    CHECK(turboci.run({"check", "report", "c", "--pass", "--data", "@missing.json"}).code == 2);
    const std::string deep = std::string(5000, '[') + std::string(5000, ']');
    for (const std::string& bad :
         {std::string("[1]"), std::string("1"), std::string(""), std::string("{"),
          std::string("{\"a\":1,\"a\":2}"), std::string("{} {}"), std::string("{\"a\":1}]"),
          std::string("{\"a\":\"\xff\"}"), "{\"a\":" + deep + "}"}) {
        INFO(bad.substr(0, 40));
        const Ran ran = turboci.run({"check", "report", "c", "--pass", "--data", bad});
        CHECK(ran.code == 3);
        CHECK(contains(ran.err, "--data"));
    }
    CHECK(turboci.node("check:c")["results"].empty());
    turboci.ok({"check", "report", "c", "--pass", "--data", "@-"}, R"({"from": "stdin"})");
    CHECK(turboci.node("check:c")["results"][0]["data"]["from"] == "stdin");
}

TEST_CASE("A claim with an op-id can be sent again and answers the same") {
    const Plan turboci("stages: [{id: a}, {id: b}]");
    const std::vector<std::string> claim{"attempt", "claim", "--op-id", "k", "--process", "w"};
    CHECK(turboci.ok(claim) == "a\n");
    CHECK(turboci.ok(claim) == "a\n");
    CHECK(turboci.ok({"attempt", "claim", "--process", "w"}) == "b\n");
}

TEST_CASE("A result belongs to the attempt in the environment, whether that names the plan or not") {
    Plan turboci("checks: [{id: c, state: WAITING}]\nstages: [{id: s}]");
    turboci.ok({"attempt", "claim", "s"});
    turboci.environment = {{"TURBOCI_STAGE", "s"}, {"TURBOCI_ATTEMPT", "1"}};
    turboci.ok({"check", "report", "c", "--pass"});
    turboci.ok({"check", "report", "c", "--pass", "-p", "p"});
    CHECK(turboci.node("check:c")["results"].size() == 1);
    CHECK(turboci.node("check:c")["results"][0]["owner_id"] == "p:s:1");
    turboci.environment["TURBOCI_PLAN"] = "other";
    turboci.ok({"check", "report", "c", "--pass", "-p", "p"});
    turboci.environment.clear();
    CHECK(turboci.node("check:c")["results"].size() == 2);
}

TEST_CASE("A null in the data of a report takes a key away") {
    const Plan turboci("checks: [{id: c, state: WAITING}]");
    turboci.ok({"check", "report", "c", "--pass", "--data", R"({"n":0,"o":{"p":1}})"});
    turboci.ok({"check", "report", "c", "--pass", "--data", R"({"n":null,"o":{"q":2}})"});
    CHECK(turboci.node("check:c")["results"][0]["data"] == Json::parse(R"({"o":{"p":1,"q":2}})"));
}

TEST_CASE("A JUnit report without a test is no answer of yes") {
    const Plan turboci("checks: [{id: c, state: WAITING}]");
    const std::string empty = turboci.file("empty.xml", "<testsuites/>");
    turboci.ok({"check", "report", "c", "--junit", empty});
    CHECK(turboci.node("check:c")["results"][0]["failure"]["message"] == "the JUnit reports hold no test");
    turboci.ok({"check", "report", "c", "--pass", "--junit", empty});
    CHECK(turboci.node("check:c")["results"][0]["failure"].is_null());
}

TEST_CASE("What is not understood in a JUnit report is no answer of yes") {
    const Plan turboci("checks: [{id: c, state: WAITING}]");
    const std::string report =
        turboci.file("r.xml", "<testsuite>\n<testcase name='a' status='weird'/></testsuite>");
    turboci.ok({"check", "report", "c", "--junit", report});
    const auto failure = [&] {
        return turboci.node("check:c")["results"][0]["failure"]["message"].get<std::string>();
    };
    CHECK(failure() == "1 of 1 test failed: a: " + report + ":2: status=\"weird\" is not understood");
    turboci.ok({"check", "report", "c", "--pass", "--junit", report});
    CHECK(turboci.node("check:c")["results"][0]["failure"].is_null());
    const std::string twice = turboci.file("t.xml", "<testsuite tests='1'/>\n<testsuite failures='1'/>");
    const auto refused = turboci.run({"check", "report", "c", "--pass", "--junit", twice});
    CHECK(refused.code == 3);
    CHECK(refused.err.find(twice + ":2:2: has more than one root element") != std::string::npos);
}
