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
    // It was skipped because of a failure.
    CHECK(turboci.run({"gate", "skipped", "--allow-skipped"}).code == 1);
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
    CHECK(turboci.run({"wait", "skipped"}).code == 1);
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

TEST_CASE("A stage that failed counts beside a check that passed") {
    const JudgedPlan turboci("checks: [{id: c, state: FINAL}]\nstages: [{id: s, assignments: [c]}]");
    turboci.ok({"attempt", "claim", "s"});
    turboci.ok({"attempt", "fail", "s"});
    CHECK(turboci.run({"gate"}).code == 0);
    CHECK(turboci.run({"wait"}).code == 1);
    CHECK(turboci.run({"wait", "check:c"}).code == 0);
    CHECK(turboci.run({"wait", "stage:s"}).code == 1);
}

TEST_CASE("run, wait, gate, plan show and the reports judge alike") {
    struct Row {
        const char* nodes;
        std::vector<std::string> before;  ///< a command, before the run
        std::vector<std::string> refs;    ///< of run, wait and gate; none: everything
        int run;                          ///< of wait, too
        int gate;
        int gate_allow_skipped;
        const char* verdict;  ///< of the whole plan
        const char* heading;
    };
    constexpr const char* kPasses =
        "checks: [{id: c, state: PLANNED}]\n"
        "stages: [{id: s, args: {command: ['true']}, assignments: [c]}, {id: x, args: {command: ['true']}}]";
    constexpr const char* kFails =
        "checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}, {id: e, state: FINAL}]\n"
        "stages: [{id: s, args: {command: ['false']}, assignments: [c]},\n"
        "         {id: t, args: {command: ['true']}, dependencies: [c], assignments: [d]}]";
    constexpr const char* kNotNeeded =
        "checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]\n"
        "stages: [{id: s, args: {command: ['true']}, assignments: [c]},\n"
        "         {id: t, dependencies: [{node: c, when: failure}], assignments: [d]}]";
    constexpr const char* kOpen =
        "checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]\n"
        "stages: [{id: s, args: {command: ['true']}, assignments: [c]}]";
    constexpr const char* kStages =
        "stages: [{id: s, args: {command: ['true']}}, {id: t, args: {command: ['true']}, dependencies: [s]}]";
    const std::vector<Row> table{
        {kPasses, {}, {}, 0, 0, 0, "passed", "✅ passed"},
        {kPasses, {}, {"check:c"}, 0, 0, 0, "passed", "✅ passed"},
        {kPasses, {"stage", "cancel", "x"}, {}, 1, 0, 0, "failed", "❌ failed"},
        {kPasses, {"stage", "cancel", "x"}, {"check:c"}, 0, 0, 0, "failed", "❌ failed"},
        {kPasses, {"stage", "cancel", "s"}, {}, 1, 1, 1, "failed", "❌ failed"},
        {kFails, {}, {}, 1, 1, 1, "failed", "❌ failed"},
        {kFails, {}, {"check:c"}, 1, 1, 1, "failed", "❌ failed"},
        {kFails, {}, {"check:d"}, 1, 1, 1, "failed", "❌ failed"},
        {kFails, {}, {"check:e"}, 0, 0, 0, "failed", "❌ failed"},
        {kNotNeeded, {}, {}, 0, 1, 0, "passed", "⚪ passed, 1 check skipped"},
        {kNotNeeded, {}, {"check:d"}, 0, 1, 0, "passed", "⚪ passed, 1 check skipped"},
        {kOpen, {}, {}, 8, 1, 1, "pending", "⏳ pending: 1 node still open"},
        {kOpen, {}, {"check:c"}, 0, 0, 0, "pending", "⏳ pending: 1 node still open"},
        {kStages, {}, {}, 0, 1, 1, "passed", "⚪ done, no check answered"},
        {kStages, {"stage", "cancel", "s"}, {}, 1, 1, 1, "failed", "❌ failed"},
    };
    for (const Row& row : table) {
        INFO(row.nodes << (row.refs.empty() ? "" : row.refs[0])
                       << (row.before.empty() ? "" : row.before.back()));
        const JudgedPlan turboci(row.nodes);
        if (!row.before.empty()) turboci.ok(row.before);
        const auto code = [&](std::vector<std::string> command) {
            command.insert(command.end(), row.refs.begin(), row.refs.end());
            return turboci.run(command).code;
        };
        // The rest of the plan comes to its end as well.
        if (!row.refs.empty()) static_cast<void>(turboci.run({"run"}));
        CHECK(code({"run"}) == row.run);
        CHECK(code({"wait", "--timeout", "0s"}) == row.run);
        CHECK(code({"gate"}) == row.gate);
        CHECK(code({"gate", "--allow-skipped"}) == row.gate_allow_skipped);
        CHECK(Json::parse(turboci.ok({"plan", "show", "-o", "json"}))["verdict"] == row.verdict);
        CHECK(contains(turboci.ok({"plan", "show"}), "verdict: " + std::string(row.verdict) + "\n"));
        CHECK(contains(turboci.ok({"plan", "show", "--format", "markdown"}),
                       "## `p`: " + std::string(row.heading) + "\n"));
        const bool no = std::string_view(row.verdict) == "failed";
        CHECK(contains(turboci.ok({"plan", "show", "--format", "junit"}), "<failure") == no);
    }
}

namespace {

/// What is said where check c is required.
struct Sayings {
    int run;        ///< exit status of run and wait, for the plan and for c
    int run_stage;  ///< the same, for s
    int gate, gate_allow_skipped;
    const char* verdict;
    const char* heading;
};
constexpr Sayings kYes{0, 0, 0, 0, "passed", "✅ passed"};
constexpr Sayings kNo{1, 1, 1, 1, "failed", "❌ failed"};
constexpr Sayings kCheckAloneNo{1, 0, 1, 1, "failed", "❌ failed"};
constexpr Sayings kNotNeeded{0, 0, 1, 0, "passed", "⚪ passed, 1 check skipped"};
constexpr Sayings kCheckOpen{8, 8, 1, 1, "pending", "⏳ pending: 1 node still open"};
constexpr Sayings kBothOpen{8, 8, 1, 1, "pending", "⏳ pending: 2 nodes still open"};

/// What becomes of check c, and of stage s, which is assigned to it.
struct Fate {
    const char* name;
    const char* check;                ///< further keys of c
    const char* stage;                ///< of s; nullptr: there is none
    std::vector<std::string> before;  ///< a command, before the run
    Sayings says;
};

std::vector<Fate> all_fates() {
    constexpr const char* kTrue = "args: {command: ['true']}";
    constexpr const char* kFalse = "args: {command: ['false']}";
    constexpr const char* kNeedsNo = "dependencies: [check:no]";
    constexpr const char* kNeedsFailure = "dependencies: [{node: check:ok, when: failure}]";
    return {{"passes", "", kTrue, {}, kYes},
            {"its stage fails", "", kFalse, {}, kNo},
            {"the answer is no", "", kTrue, {"check", "report", "c", "--fail", "broken"}, kCheckAloneNo},
            {"its stage is cancelled", "", kTrue, {"stage", "cancel", "s"}, kNo},
            {"its stage is skipped for a failure", "", kNeedsNo, {}, kNo},
            {"it is skipped for a failure", kNeedsNo, nullptr, {}, kCheckAloneNo},
            {"its stage is not needed", "", kNeedsFailure, {}, kNotNeeded},
            {"it is not needed", kNeedsFailure, nullptr, {}, kNotNeeded},
            {"nobody answers", "", nullptr, {}, kCheckOpen},
            {"its stage is for others", "", "args: {note: x}", {}, kBothOpen}};
}

std::string plan_of(const Fate& fate, bool required) {
    std::string nodes =
        "checks:\n"
        "  - {id: ok, state: PLANNED}\n"
        "  - {id: no, state: FINAL, required: false, result: {failure: broken}}\n";
    nodes += std::string("  - {id: c, state: PLANNED, required: ") + (required ? "true" : "false") +
             (*fate.check ? ", " : "") + fate.check +
             "}\nstages:\n  - {id: t, args: {command: ['true']}, assignments: [ok]}\n";
    if (fate.stage) nodes += std::string("  - {id: s, assignments: [c], ") + fate.stage + "}\n";
    return nodes;
}

}  // namespace

TEST_CASE("What is not required makes none of them say no, whatever becomes of it") {
    for (const Fate& fate : all_fates())
        for (const bool required : {true, false}) {
            INFO(fate.name << (required ? "" : ", not required"));
            const JudgedPlan turboci(plan_of(fate, required));
            if (!fate.before.empty()) turboci.ok(fate.before);
            const int run = required ? fate.says.run : 0;
            CHECK(turboci.run({"run"}).code == run);
            const auto judged = [&](const std::vector<std::string>& refs, int wait, int gate, int allowing) {
                const auto code = [&](std::vector<std::string> command) {
                    command.insert(command.end(), refs.begin(), refs.end());
                    return turboci.run(command).code;
                };
                CAPTURE(refs);
                CHECK(code({"run"}) == wait);
                CHECK(code({"wait", "--timeout", "0s"}) == wait);
                if (gate < 0) return;
                CHECK(code({"gate"}) == gate);
                CHECK(code({"gate", "--allow-skipped"}) == allowing);
            };
            judged({}, run, required ? fate.says.gate : 0, required ? fate.says.gate_allow_skipped : 0);
            // Named alone, it is no check that a gate could pass for.
            judged({"check:c"}, run, required ? fate.says.gate : 1,
                   required ? fate.says.gate_allow_skipped : 1);
            judged({"check:ok", "check:c"}, run, required ? fate.says.gate : 0,
                   required ? fate.says.gate_allow_skipped : 0);
            judged({"check:ok"}, 0, 0, 0);
            if (fate.stage) judged({"stage:s"}, required ? fate.says.run_stage : 0, -1, -1);

            const std::string verdict = required ? fate.says.verdict : "passed";
            CHECK(Json::parse(turboci.ok({"plan", "show", "-o", "json"}))["verdict"] == verdict);
            CHECK(contains(turboci.ok({"plan", "show"}), "verdict: " + verdict + "\n"));
            CHECK(contains(turboci.ok({"plan", "show", "--format", "markdown"}),
                           "## `p`: " + std::string(required ? fate.says.heading : "✅ passed") + "\n"));
            const std::string junit = turboci.ok({"plan", "show", "--format", "junit"});
            CHECK(contains(junit, "<failure") == (verdict == "failed"));
            CHECK(contains(junit, "<skipped message=\"not required: broken"));  // check:no
        }
}

TEST_CASE("A stage counts if any check that it is assigned to is required") {
    for (const bool other : {true, false}) {
        CAPTURE(other);
        const JudgedPlan turboci(
            std::string("checks: [{id: a, state: PLANNED, required: false}, {id: b, required: ") +
            (other ? "true" : "false") +
            ", state: PLANNED}]\n"
            "stages: [{id: s, args: {command: ['false']}, assignments: [a, b]}]");
        CHECK(turboci.run({"run"}).code == (other ? 1 : 0));
        CHECK(turboci.run({"wait", "stage:s"}).code == (other ? 1 : 0));
        CHECK(turboci.run({"wait", "check:a"}).code == 0);
        CHECK(turboci.run({"wait", "check:b"}).code == (other ? 1 : 0));
        // No required check is left that could have passed.
        CHECK(turboci.run({"gate"}).code == 1);
        const std::string junit = turboci.ok({"plan", "show", "--format", "junit"});
        CHECK(contains(junit, "<failure") == other);
        CHECK(contains(junit, "<skipped message=\"not required: "));
    }
}

TEST_CASE("Reports show the end of the log of what failed") {
    const JudgedPlan turboci(
        "checks: [{id: c, state: PLANNED}]\n"
        "stages: [{id: s, args: {command: 'echo one; echo two >&2; exit 1'}, assignments: [c]}]");
    CHECK(turboci.run({"run"}).code == 1);
    CHECK(contains(turboci.ok({"plan", "show", "--format", "markdown"}),
                   "Last output of `stage:s`, attempt 1:\n\n  ```text\n  one\n  two\n  ```\n"));
    CHECK(contains(turboci.ok({"plan", "show", "--format", "junit"}),
                   "--- last output of stage:s, attempt 1 ---&#10;one&#10;two</failure>"));
}
