// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using Json = nlohmann::json;

namespace {

class JudgedPlan : public Binary {
public:
    explicit JudgedPlan(const std::string& nodes) {
        ok({"plan", "create", "p"});
        ok({"nodes", "write"}, nodes);
    }
};

constexpr const char* kOneOfEach =
    "checks:\n"
    "  - {id: yes, state: FINAL}\n"
    "  - {id: no, state: FINAL, result: {failure: broken}}\n"
    "  - {id: skipped, state: PLANNED, dependencies: [check:no]}\n"
    "  - {id: open, state: WAITING}\n";

}  // namespace

TEST_CASE("gate passes only what is FINAL and passed") {
    const JudgedPlan turboci(kOneOfEach);
    CHECK(turboci.ok({"gate", "yes"}) == "passed: 1 check\n");
    CHECK(turboci.run({"gate", "check:no"}).code == 1);
    CHECK(turboci.run({"gate", "open"}).code == 1);
    CHECK(turboci.run({"gate", "skipped"}).code == 1);
    CHECK(turboci.run({"gate", "skipped", "--allow-skipped"}).code == 0);
    CHECK(turboci.run({"gate", "yes", "no"}).code == 1);
    const Ran all = turboci.run({"gate"});
    CHECK(all.code == 1);
    CHECK(all.out.empty());
    CHECK(contains(all.err, "check:no is FINAL failed: broken\n"));
    CHECK(contains(all.err, "turboci: gate: not passed: 3 of 4 checks\n"));
}

TEST_CASE("gate judges checks that exist, and nothing is not enough") {
    const JudgedPlan turboci("stages: [{id: s}]");
    const Ran none = turboci.run({"gate"});
    CHECK(none.code == 1);
    CHECK(none.err == "turboci: gate: not passed: there is no check to judge\n");
    CHECK(turboci.run({"gate", "nope"}).code == 4);
    CHECK(turboci.run({"gate", "s"}).code == 4);
    CHECK(turboci.run({"gate", "stage:s"}).code == 2);
}

TEST_CASE("gate as JSON gives its reasons") {
    const JudgedPlan turboci(kOneOfEach);
    const Json no = Json::parse(turboci.run({"gate", "no", "yes", "-o", "json"}).out);
    CHECK(no["passed"] == false);
    CHECK(no["checks"] == 2);
    CHECK(no["reasons"] == Json::parse(R"([{"node": "check:no", "state": "FINAL", "outcome": "failed",
                                            "message": "broken"}])"));
    CHECK(Json::parse(turboci.ok({"gate", "yes", "-o", "json"}))["passed"] == true);
    CHECK(turboci.run({"gate", "-o", "name"}).out == "check:no\ncheck:skipped\ncheck:open\n");
}

TEST_CASE("wait ends with the outcome of what it waited for") {
    const JudgedPlan turboci(kOneOfEach);
    CHECK(turboci.run({"wait", "yes"}).code == 0);
    CHECK(turboci.run({"wait", "skipped"}).code == 0);
    const Ran failed = turboci.run({"wait", "yes", "no"});
    CHECK(failed.code == 1);
    CHECK(contains(failed.err, "check:no is FINAL failed: broken"));
    CHECK(turboci.run({"wait", "yes", "open", "--any"}).code == 0);
    CHECK(turboci.run({"wait", "nope"}).code == 4);
}

TEST_CASE("wait gives up in time and names what is open") {
    const JudgedPlan turboci(kOneOfEach);
    const Ran ran = turboci.run({"wait", "--timeout", "30ms"});
    CHECK(ran.code == 8);
    CHECK(ran.out.empty());
    CHECK(contains(ran.err, "timed out after 30ms, not FINAL: check:open; "));
    CHECK(turboci.run({"wait", "open", "--timeout", "0s"}).code == 8);
}

TEST_CASE("wait sees what others write") {
    const JudgedPlan turboci("checks: [{id: a, state: WAITING}]");
    const Ran ran = turboci.shell(
        "\"$T\" wait -o name > got & \n"
        "\"$T\" check report a --pass --final -q\n"
        "wait $! && cat got");
    CHECK(ran.out == "check:a\n");
}

TEST_CASE("wait ends attempts that ran out of time, so that it does not wait for the dead") {
    const JudgedPlan turboci("stages: [{id: a, timeout: 50ms}]");
    turboci.ok({"attempt", "claim", "a"});
    const Ran ran = turboci.run({"wait"});
    CHECK(ran.code == 1);
    CHECK(contains(ran.err, "stage:a is FINAL failed"));
}

TEST_CASE("A failed stage counts for wait only if it was named or answers no check") {
    const JudgedPlan turboci("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}]");
    turboci.ok({"attempt", "claim", "s"});
    turboci.ok({"nodes", "write"}, "checks: [{id: c, result: {data: {}, stage: s, attempt: 1}}]");
    turboci.ok({"attempt", "fail", "s"});
    CHECK(turboci.run({"gate"}).code == 0);
    CHECK(turboci.run({"wait"}).code == 0);
    CHECK(turboci.run({"wait", "stage:s"}).code == 1);
}
