// SPDX-License-Identifier: Apache-2.0
// What stages and checks ask for: conditions, which ends are tried again, limits, kinds of runners; and what
// people ask of them: skip, cancel a whole plan.
#include <fmt/core.h>

#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

using Ids = std::vector<std::string>;

Ids taken(World& w, std::int32_t at_most, const std::function<void(Claim&)>& change = {}) {
    WriteNodes r = World::request("{}");
    Claim& claim = r.claim.emplace();
    claim.at_most = at_most;
    claim.process_uid = "w";
    if (change) change(claim);
    Ids ids;
    for (const ClaimedAttempt& c : w.write(r).claimed) ids.push_back(c.stage.id);
    return ids;
}

/// A cause with an exit status, as a runner tells it.
void end_with(World& w, const std::string& stage, std::optional<Cause> cause, std::int32_t exit_code) {
    w.claim(stage);
    WriteNodes r = World::request("{}");
    StageWrite write;
    write.id = stage;
    AttemptWrite& attempt = write.attempt.emplace();
    attempt.state = AttemptState::incomplete;
    attempt.holder = HolderWord{.identity = "w", .cause = cause, .exit_code = exit_code};
    r.stages.push_back(write);
    w.write(r);
}

WriteResult cancel_plan(World& w, std::vector<std::string> only = {}, bool clean_up_too = false) {
    WriteNodes r = World::request("reason: a newer push");
    r.cancel = CancelStages{std::move(only), clean_up_too};
    return w.write(r);
}

std::string ended(World& w, const std::string& ref) {
    const RefText r = parse_ref(ref);
    const auto cause = r.type == NodeType::stage ? w.stage(r.id).skip_cause : w.check(r.id).skip_cause;
    return w.state(ref) + (cause ? fmt::format(" {}", to_string(*cause)) : "");
}

}  // namespace

// ------------------------------------------------------------------------------------ conditions

TEST_CASE("A condition is looked at when the dependencies are satisfied") {
    struct Row {
        const char* condition;
        const char* data;
        bool wanted;
    };
    const Row row = GENERATE(
        Row{"{check: c, path: /x, equals: 1}", R"({"x":1.0})", true},
        Row{"{check: c, path: /x, equals: 1}", R"({"x":2})", false},
        Row{"{check: c, path: /x, equals: 1}", R"({})", false},
        Row{"{check: c, path: /x, not_equals: 1}", R"({})", true},
        Row{"{check: c, path: /x, not_equals: {a: [1]}}", R"({"x":{"a":[1]}})", false},
        Row{"{check: c, path: /x, exists: true}", R"({"x":false})", true},
        Row{"{check: c, path: /x, exists: false}", R"({"x":false})", false},
        Row{"{check: c, path: '', exists: true}", R"({})", true},
        Row{"[{check: c, path: /x, equals: 1}, {check: c, path: /y, exists: true}]", R"({"x":1})", false},
        Row{"[]", R"({})", true});
    CAPTURE(row.condition, row.data);
    World w;
    w.write(
        fmt::format("checks: [{{id: c, state: PLANNED}}, {{id: d, state: PLANNED, dependencies: [c], "
                    "condition: {0}}}]\nstages: [{{id: s, dependencies: [c], condition: {0}}}]",
                    row.condition));
    w.write(fmt::format("checks: [{{id: c, state: FINAL, result: {{data: {}}}}}]", row.data));
    CHECK(ended(w, "stage:s") == (row.wanted ? "ATTEMPTING" : "FINAL skipped not_needed"));
    CHECK(ended(w, "check:d") == (row.wanted ? "WAITING" : "FINAL skipped not_needed"));
    if (row.wanted) return;
    CHECK(w.stage("s").concluded_reason == ConcludedReason::condition_false);
    CHECK(w.service->check_states().empty());
}

TEST_CASE("A condition asks a check that the node has to wait for") {
    World w;
    w.write("checks: [{id: a}, {id: b}]");
    const std::string condition = "condition: {check: a, path: /x, exists: true}";
    for (const char* dependencies : {"[b]", "{any: [a, b]}", "{all: [b, {any: [a, b]}]}", "[]"})
        CHECK(w.refused(fmt::format("stages: [{{id: s, dependencies: {}, {}}}]", dependencies, condition)) ==
              ErrorCode::invalid_dependency);
    w.write("stages: [{id: s, dependencies: {all: [b, {at_least: 2, of: [a, b]}]}, " + condition + "}]");
    // Fixed like the dependencies; what is so already may be said again.
    w.write("stages: [{id: s, " + condition + "}]");
    CHECK(w.refused("stages: [{id: s, condition: {check: a, path: /y, exists: true}}]") ==
          ErrorCode::invalid_state);
}

TEST_CASE("The condition of a check that is PLANNING may change with its dependencies") {
    World w;
    w.write("checks: [{id: a}, {id: c, dependencies: [a], condition: {check: a, path: /x, exists: true}}]");
    CHECK(w.refused("checks: [{id: b}, {id: c, dependencies: [b]}]") == ErrorCode::invalid_dependency);
    w.write("checks: [{id: b}, {id: c, dependencies: [b], condition: {check: b, path: /z, equals: 1}}]");
    CHECK(w.check("c").condition.at(0).check == "b");
    w.write("checks: [{id: c, condition: []}]");
    CHECK(w.check("c").condition.empty());
    // Up to the write that locks it, like the dependencies.
    w.write("checks: [{id: c, state: PLANNED, condition: {check: b, path: /z, equals: 2}}]");
    CHECK(w.check("c").condition.at(0).value == "2");
    CHECK(w.refused("checks: [{id: c, condition: []}]") == ErrorCode::invalid_state);
}

// ---------------------------------------------------------------------------------------- skipping

TEST_CASE("What is skipped by hand was not needed, and says why") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}, {id: d}]\n"
        "stages: [{id: s, assignments: [c]}, {id: after, dependencies: [s]}]");
    WriteNodes r = World::request("stages: [{id: s, skip: true}]\nchecks: [{id: d, skip: true}]");
    r.reason = "no docs changed";
    w.write(r);
    for (const char* ref : {"stage:s", "check:c", "stage:after", "check:d"})
        CHECK(ended(w, ref) == "FINAL skipped not_needed");
    CHECK(w.stage("s").concluded_message == "no docs changed");
    CHECK(w.check("d").results.at(0).failure == "skipped: no docs changed");
    const auto version = w.version();
    w.write(r);  // again: nothing
    CHECK(w.version() == version);
    CHECK(w.service->check_states().empty());
}

TEST_CASE("What runs, what has ended and what has a failure is not skipped") {
    World w;
    w.write("checks: [{id: bad, state: PLANNED}, {id: over, state: FINAL}]\nstages: [{id: s}, {id: done}]");
    w.claim("s");
    w.pass("done");
    w.write("checks: [{id: bad, result: {failure: no}}]");
    for (const char* what : {"stages: [{id: s, skip: true}]", "stages: [{id: done, skip: true}]",
                             "checks: [{id: bad, skip: true}]", "checks: [{id: over, skip: true}]"})
        CHECK(w.refused(what) == ErrorCode::invalid_state);
}

TEST_CASE("What was claimed ahead and speaks has begun, and is not skipped") {
    World w;
    w.write("stages: [{id: s}]");
    REQUIRE(taken(w, 0, [](Claim& c) {
                c.ahead = 1;
                c.holder = "me";
                c.runner = RunnerIdentity{"host", "boot", 7, 7};
            }) == Ids{"s"});
    WriteNodes skip = World::request("stages: [{id: s, skip: true}]");
    skip.inside = AttemptRef{"s", 1};
    CHECK(w.refused(skip) == ErrorCode::invalid_state);
    skip.inside.reset();
    w.write(skip);
    CHECK(ended(w, "stage:s") == "FINAL skipped not_needed");
}

// ------------------------------------------------------------------------------------------ retries

TEST_CASE("Only the ends that the policy names are tried again") {
    struct Row {
        const char* on;
        std::optional<Cause> cause;
        std::int32_t exit_code;
        bool again;
    };
    const Row row =
        GENERATE(Row{"[failed]", std::nullopt, 1, true}, Row{"[timeout]", std::nullopt, 1, false},
                 Row{"[timeout]", Cause::timeout, 1, true}, Row{"[failed]", Cause::silent, 1, false},
                 Row{"[silent]", Cause::silent, 1, true}, Row{"[{exit: [72, 75]}]", std::nullopt, 75, true},
                 Row{"[{exit: [72, 75]}]", std::nullopt, 74, false}, Row{"[]", std::nullopt, 1, false});
    CAPTURE(row.on, row.exit_code);
    World w;
    w.write(fmt::format("stages: [{{id: s, retry: {{max_retries: 3, on: {}}}}}]", row.on));
    end_with(w, "s", row.cause, row.exit_code);
    CHECK(w.state("stage:s") == (row.again ? "ATTEMPTING" : "FINAL failed"));
    if (!row.again) CHECK(w.stage("s").concluded_reason == ConcludedReason::attempt_failed);
}

TEST_CASE("An interruption is a failure where the policy says so") {
    World w;
    w.write(
        "stages: [{id: s, retry: {on_interrupt: fail}}, "
        "{id: t, retry: {max_retries: 1, on_interrupt: fail}}]");
    end_with(w, "s", Cause::interrupted, 1);
    CHECK(w.state("stage:s") == "FINAL failed");
    end_with(w, "t", Cause::lost, 1);
    CHECK(w.state("stage:t") == "ATTEMPTING");
    end_with(w, "t", Cause::lost, 1);
    CHECK(w.stage("t").concluded_reason == ConcludedReason::no_retries_left);
    CHECK(w.stage("t").attempts.at(0).cause == Cause::lost);
}

TEST_CASE("The wait before a retry is never longer than max_backoff") {
    const Retry retry{.max_retries = 9, .backoff = 10s, .max_backoff = 25s};
    CHECK(wait_before_retry(retry, 1) == Duration(10s));
    CHECK(wait_before_retry(retry, 2) == Duration(20s));
    CHECK(wait_before_retry(retry, 3) == Duration(25s));
    CHECK(wait_before_retry(retry, 9) == Duration(25s));
}

// ------------------------------------------------------------------------------ limits and runners

TEST_CASE("A claim takes what fits, oldest first, and what does not stays ready") {
    World w;
    w.write(
        "limits: {mem: 4}\nstages: [{id: a, uses: {mem: 3}}, {id: b, uses: {mem: 2}}, {id: c, uses: [mem]}]");
    CHECK(taken(w, 5) == Ids{"a", "c"});
    CHECK(taken(w, 5).empty());
    CHECK(w.refused_claim("b", "w") == ErrorCode::pending);
    w.complete("c");
    CHECK(taken(w, 5).empty());
    w.complete("a");
    CHECK(w.claim("b").claimed.size() == 1);
    w.write("limits: {mem: 2}\nstages: [{id: d, uses: [mem]}]");
    CHECK(taken(w, 5).empty());
}

TEST_CASE("Many stages that do not fit hide none that does") {
    World w;
    std::string yaml = "limits: {gpu: 1}\nstages:\n";
    for (int i = 0; i < 200; ++i) yaml += fmt::format("  - {{id: g{}, uses: [gpu]}}\n", i);
    w.write(yaml);
    w.clock.advance(1s);
    w.write("stages: [{id: plain}, {id: mac, runner: mac}]");
    CHECK(taken(w, 1) == Ids{"g0"});
    CHECK(taken(w, 9) == Ids{"plain"});
    const auto of_kinds = [](Ids kinds) { return [kinds](Claim& c) { c.filter.runners = kinds; }; };
    CHECK(taken(w, 9, of_kinds({"linux"})).empty());
    w.complete("g0");
    CHECK(taken(w, 9, of_kinds({"*"})) == Ids{"g1", "mac"});
}

TEST_CASE("What many stages of one write ask for is kept as it was written") {
    World w;
    std::string yaml = "limits: {database-connections: 9}\nchecks: [{id: c}]\nstages:\n";
    for (int i = 0; i < 150; ++i)
        yaml += fmt::format(
            "  - {{id: s{}, runner: a-machine-with-a-long-name, uses: {{database-connections: {}}}, "
            "dependencies: [c], condition: {{check: c, path: /number/of/them, equals: {}}}, "
            "retry: {{max_retries: 1, on: [{{exit: [{}, 250]}}]}}}}\n",
            i, 1 + i % 9, i, 1 + i);
    w.write(yaml);
    for (int i = 0; i < 150; ++i) {
        const Stage s = w.stage(fmt::format("s{}", i));
        CHECK(s.runner == "a-machine-with-a-long-name");
        CHECK(s.uses == std::vector<Use>{{"database-connections", 1 + i % 9}});
        CHECK(s.condition.at(0).value == std::to_string(i));
        CHECK(s.retry.on.exit == std::vector<std::int32_t>{1 + i, 250});
    }
    CHECK(w.store->check({}).empty());
}

TEST_CASE("Of several kinds the oldest is taken first, whatever a pattern leaves out") {
    World w;
    std::string yaml = "stages:\n";
    for (int i = 0; i < 150; ++i) yaml += fmt::format("  - {{id: old{}}}\n", i);
    w.write(yaml + "  - {id: x-any}\n");
    w.clock.advance(1s);
    w.write("stages: [{id: x-mac, runner: mac}]");
    const auto change = [](Claim& c) {
        c.filter.runners = {"", "mac"};
        c.filter.match = {"x-*"};
    };
    CHECK(taken(w, 1, change) == Ids{"x-any"});
    CHECK(taken(w, 1, change) == Ids{"x-mac"});
}

TEST_CASE("What shares a limit, or must not be interrupted, is not claimed ahead") {
    World w;
    w.write(
        "limits: {gpu: 9}\nstages: [{id: a}, {id: b, uses: [gpu]}, {id: c, retry: {on_interrupt: fail}}, "
        "{id: d}]");
    CHECK(taken(w, 1, [](Claim& c) { c.ahead = 9; }) == Ids{"a", "d"});
    CHECK(w.stage("d").attempts.at(0).state == AttemptState::scheduled);
}

TEST_CASE("Limits and uses that make no sense are refused") {
    World w;
    w.write("limits: {gpu: 2}\nstages: [{id: s, uses: {gpu: 2}}]");
    for (const char* bad : {"stages: [{id: t, uses: [gpus]}]", "stages: [{id: t, uses: {gpu: 3}}]",
                            "limits: {gpu: 1}", "stages: [{id: t, runner: '*'}]"})
        CHECK(w.refused(bad) == ErrorCode::invalid_argument);
    CHECK(w.refused("stages: [{id: s, uses: [gpu]}]") == ErrorCode::invalid_state);
    w.pass("s");
    w.write("limits: {gpu: 1}");  // nobody who is open uses more
    CHECK(w.service->get_plan("p").limits == std::vector<Limit>{{"gpu", 1}});
}

TEST_CASE(
    "An explanation tells who holds a limit, which runner is needed, and a chosen skip from a broken one") {
    World w;
    w.write(
        "limits: {db: 1}\nchecks: [{id: c, state: FINAL, result: {data: {x: 1}}}]\n"
        "stages: [{id: a, uses: [db]}, {id: b, uses: [db]}, {id: mac, runner: mac}, {id: hand}, "
        "{id: cond, dependencies: [c], if: {check: c, path: /x, equals: 2}}]");
    w.claim("a", "worker-7");
    WriteNodes skip = World::request("stages: [{id: hand, skip: true}]");
    skip.reason = "not today";
    w.write(skip);
    const auto notes = [&](const char* id) {
        return w.service->explain("p", {NodeType::stage, id}).node.notes;
    };
    CHECK(notes("b") == Ids{"attempt 1 is PENDING, ready to be claimed",
                            "waits for the limit db: held by stage:a (worker-7)"});
    CHECK(notes("mac") == Ids{"attempt 1 is PENDING, ready for a runner of kind 'mac'"});
    CHECK(notes("hand") == Ids{"somebody skipped it: not today"});
    CHECK(notes("cond") == Ids{"its condition does not hold: check:c /x is not 2"});
}

// ------------------------------------------------------------------------------------------ cancel

TEST_CASE("A cancelled plan leaves what cleans up to run, and skips what nobody answers") {
    World w;
    w.write(
        "checks: [{id: asked, state: PLANNED}, {id: person, state: PLANNED}, {id: bad, state: PLANNED}]\n"
        "stages: [{id: work, assignments: [asked]}, {id: next, dependencies: [work]}, "
        "{id: down, dependencies: [{node: stage:next, when: unsuccessful}, {node: stage:work, when: "
        "always}]}, "
        "{id: after, dependencies: [down]}, "
        "{id: mixed, dependencies: [down, {node: stage:work, when: always}]}]");
    w.write("checks: [{id: bad, result: {failure: no}}]");
    cancel_plan(w);
    for (const char* ref : {"stage:work", "stage:next", "stage:mixed"})
        CHECK(w.state(ref) == "FINAL cancelled");
    CHECK(w.state("check:asked") == "FINAL failed");
    CHECK(ended(w, "check:person") == "FINAL skipped upstream");
    CHECK(w.state("check:bad") == "FINAL failed");
    CHECK(w.state("stage:down") == "ATTEMPTING");
    CHECK(w.state("stage:after") == "PLANNED");
    CHECK(w.service->get_plan("p").cancelled->reason == "a newer push");
    // What is written later is cancelled too, unless it cleans up.
    w.write("stages: [{id: late}, {id: late-down, dependencies: [{node: stage:late, when: always}]}]");
    CHECK(w.state("stage:late") == "FINAL cancelled");
    CHECK(w.stage("late").attempts.empty());  // it never was ready
    CHECK(w.state("stage:late-down") == "ATTEMPTING");
    w.pass("down");
    w.pass("after");
    CHECK(w.state("stage:after") == "FINAL passed");
    cancel_plan(w, {"late-down"}, true);
    CHECK(w.state("stage:late-down") == "FINAL cancelled");
    CHECK(w.service->check_states().empty());
}

TEST_CASE("Some stages can be cancelled, and the plan does not remember it") {
    World w;
    w.write("stages: [{id: a}, {id: b}, {id: down, dependencies: [{node: stage:a, when: always}]}]");
    cancel_plan(w, {"a", "down"});
    CHECK(w.state("stage:a") == "FINAL cancelled");
    CHECK(w.state("stage:b") == "ATTEMPTING");
    CHECK(w.state("stage:down") == "ATTEMPTING");
    CHECK_FALSE(w.service->get_plan("p").cancelled);
}

TEST_CASE("Policies, conditions, limits and a cancel survive export and import") {
    World from;
    from.write(
        "limits: {gpu: 2}\nchecks: [{id: c, state: PLANNED}]\n"
        "stages: [{id: s, runner: mac, uses: [gpu], silence: 5s, dependencies: [c], "
        "condition: {check: c, path: /x, equals: [1]}, "
        "retry: {max_retries: 2, max_backoff: 1m, on: [{exit: [3]}], on_interrupt: fail}}, "
        "{id: ready, runner: mac, uses: [gpu]}]");
    const auto exported = [](World& w) {
        std::string text;
        w.service->export_plan("p", [&](std::string_view line) { text.append(line).append("\n"); });
        return text;
    };
    const std::string text = exported(from);
    World to;
    to.service->delete_plan("p", true);
    to.service->import_plan(text, "plan.jsonl");
    CHECK(exported(to) == text);
    CHECK(taken(to, 9).empty());
    CHECK(taken(to, 9, [](Claim& c) { c.filter.runners = {"mac"}; }) == Ids{"ready"});
}
