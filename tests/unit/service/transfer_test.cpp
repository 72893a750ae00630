// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

std::string exported(World& w, const std::string& plan = "p") {
    std::string text;
    w.service->export_plan(plan, [&](std::string_view line) {
        text += line;
        text += '\n';
    });
    return text;
}

/// A plan in which everything that can be stored is stored.
void fill(World& w) {
    w.write(R"(
plan: {branch: main}
checks:
  - {id: later, state: PLANNED, dependencies: {any: [{all: [c, d]}, {at_least: 1, of: [{node: c, when: failure}, {node: 'stage:s', when: always}]}]}}
  - {id: c, kind: build, options: {a: [1, 2.5, "x\ny"]}, state: PLANNED}
  - {id: d}
stages:
  - {id: s, args: {command: [make, all]}, assignments: [c, {target_check_id: d, goal_state: PLANNED}], retry: {max_retries: 2, backoff: 500ms}, timeout: 5m, heartbeat: 10s}
  - {id: child}
  - {id: held, dependencies: [d]}
)");
    WriteNodes claim = World::request("{}");
    claim.claim = Claim{.stages = {"s"},
                        .at_most = 1,
                        .process_uid = "run",
                        .holder = "holder",
                        .runner = RunnerIdentity{"h", "b", 4, 5}};
    claim.op_id = "first-claim";
    w.write(claim);
    WriteNodes report = World::request("checks: [{id: c, result: {data: {n: 1}, failure: flaky}}]");
    report.inside = AttemptRef{"s", 1};
    w.write(report);
    w.write(
        "stages: [{id: s, continuation_group: [child], attempt: {progress: [{message: half, details: {pct: "
        "50}}], details: {pid: 7}}}]");
    WriteNodes end =
        World::request("stages: [{id: s, attempt: {state: INCOMPLETE, failure: exit status 1}}]");
    change(end.stages, 0, [](StageWrite& write) {
        HolderWord& word = write.attempt->holder.emplace();
        word.identity = "holder";
        word.exit_code = 1;
        word.log = LogPlace{"p.db.logs/p/s.1.log"};
    });
    w.write(end);
    w.clock.advance(1s);
    w.claim("s", "script");
    WriteNodes nothing = World::request("{}");
    nothing.op_id = "nothing";
    w.write(nothing);
}

Error import_error(World& w, const std::string& text) {
    try {
        w.service->import_plan(text, "plan.export");
    } catch (const Error& e) {
        return e;
    }
    throw std::logic_error("the import was not refused");
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    if (at == std::string::npos) throw std::logic_error("'" + what + "' is not in the text");
    return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("Export, import and export again give the same bytes") {
    World from, to;
    fill(from);
    const std::string text = exported(from);
    to.service->delete_plan("p", true);
    to.service->import_plan(text, "plan.export");
    CHECK(exported(to) == text);
    CHECK(to.service->check_states().empty());
    CHECK(to.store->check({}).empty());
}

TEST_CASE("An imported plan goes on where the exported one stood") {
    World from, to;
    fill(from);
    to.service->delete_plan("p", true);
    from.complete("s");
    to.service->import_plan(exported(from), "plan.export");
    to.clock.reading = from.clock.reading;
    for (World* w : {&from, &to}) {
        w->pass("child");
        w->write("checks: [{id: d, state: FINAL}]");
    }
    CHECK(exported(to) == exported(from));
    CHECK(to.state("stage:s") == "FINAL passed");
    WriteNodes again = World::request("checks: [{id: new}]");
    again.op_id = "nothing";
    CHECK(to.write(again).replayed);
}

TEST_CASE("An attempt that asked for its end before its start was told can be exported and imported") {
    World w;
    w.write("stages: [{id: s}]");
    WriteNodes ahead = World::request("{}");
    Claim& claim = ahead.claim.emplace();
    claim.at_most = 0;
    claim.ahead = 1;
    claim.process_uid = "run";
    claim.holder = "me";
    claim.runner = RunnerIdentity{"host", "boot", 7, 7};
    w.write(ahead);
    WriteNodes wish = World::request("stages: [{id: s, attempt: {state: INCOMPLETE, failure: enough}}]");
    wish.inside = AttemptRef{"s", 1};
    w.write(wish);
    REQUIRE(w.stage("s").attempts.at(0).state == AttemptState::scheduled);
    REQUIRE(w.stage("s").attempts.at(0).stopping);
    CHECK(w.service->check_states().empty());
    CHECK(w.store->check({}).empty());
    const std::string text = exported(w);
    w.service->delete_plan("p", true);
    w.service->import_plan(text, "plan.export");
    CHECK(exported(w) == text);
}

TEST_CASE("An operation of an imported plan still tells what it took") {
    World from, to;
    from.write("stages: [{id: s}, {id: t}]");
    WriteNodes claim = World::request("{}");
    claim.op_id = "take";
    claim.claim.emplace().process_uid = "me";
    CHECK(from.write(claim).claimed.at(0).stage.id == "s");
    const std::string text = exported(from);
    CHECK_THAT(text,
               Contains(R"({"operation":{"op_id":"take","version":3,"claimed":[{"stage":"s","idx":1}]}})"));
    to.service->delete_plan("p", true);
    for (const auto& [what, with] :
         {std::pair(R"("claimed":[{"stage":"s","idx":1})", R"("claimed":[{"stage":"s","idx":2})"),
          {R"("claimed":[{"stage":"s")", R"("claimed":[{"stage":"x")"},
          {R"("idx":1}]}})", R"("idx":1,"x":1}]}})"},
          {R"("idx":1}]}})", R"("idx":0}]}})"}})
        CHECK(import_error(to, replaced(text, what, with)).code() == ErrorCode::invalid_argument);
    to.service->import_plan(text, "plan.export");
    CHECK(exported(to) == text);
    const auto again = to.write(claim);
    CHECK(again.replayed);
    CHECK(again.claimed.at(0).stage.id == "s");
}

TEST_CASE("A plan that exists is not overwritten") {
    World w;
    fill(w);
    CHECK(import_error(w, exported(w)).code() == ErrorCode::conflict);
}

TEST_CASE("An export that was tampered with is refused with the line, and nothing is kept") {
    World from;
    fill(from);
    const std::string good = exported(from);
    World to;
    to.service->delete_plan("p", true);
    for (const auto& [what, with] : std::vector<std::pair<std::string, std::string>>{
             {"\"turboci_export\":2", "\"turboci_export\":3"},
             {"\"turboci_export\":2", "\"turboci_export\":1"},
             {"\"cause\":\"failed\"", "\"cause\":null"},
             {"\"cause\":null", "\"cause\":\"lost\""},
             {"\"ended_at\":null", "\"ended_at\":\"2026-01-02T03:04:05.000006Z\""},
             {"\"holder\":\"holder\"", "\"holder\":7"},
             {"\"exit_code\":1", "\"exit_code\":256"},
             {"\"condition\":null", "\"condition\":{\"check\":\"c\"}"},
             {"\"silence_us\":null", "\"silence_us\":-5"},
             {"\"limits\":{}", "\"limits\":{\"gpu\":0}"},
             {"\"required\":true", "\"required\":1"},
             {"\"skip_cause\":null", "\"skip_cause\":\"upstream\""},
             {"\"created_by\":null", "\"created_by\":{\"stage\":\"s\",\"attempt\":9}"},
             {"\"state\":\"WAITING\"", "\"state\":\"ATTEMPTING\""},
             {"\"state\":\"WAITING\"", "\"state\":\"FINAL\""},
             {"\"outcome\":null", "\"outcome\":\"passed\""},
             {"\"node\":\"check:c\"", "\"node\":\"check:nope\""},
             {"\"threshold\":1", "\"threshold\":7"},
             {"\"no_retry\":false", "\"no_retry\":0"},
             {"\"max_retries\":2", "\"max_retries\":-2"},
             {"\"version\":", "\"version\":9"},
             {"\"check\":\"c\"", "\"check\":\"zzz\""},
             {"p:s:1", "p:s:x"},
             {"\"id\":\"c\"", "\"id\":\"d\""},
             {"\"at\":\"2", "\"at\":\"9"}}) {
        CAPTURE(what, with);
        const Error e = import_error(to, replaced(good, what, with));
        CHECK(e.code() == ErrorCode::invalid_argument);
        REQUIRE(e.details().size() == 1);
        CHECK(e.details()[0].file == "plan.export");
        CHECK(e.details()[0].line > 0);
        CHECK(to.service->list_plans().empty());
    }
}

TEST_CASE("No number and no time of an export is taken for more than it can be") {
    World from;
    fill(from);
    const std::string good = exported(from);
    World to;
    to.service->delete_plan("p", true);
    // What stands in the place of a value is taken or refused as input; it is never a fault of ours or the
    // store's.
    const auto try_all = [&](std::size_t at, std::size_t size, const std::vector<std::string>& values) {
        for (const std::string& value : values) {
            std::string text = good;
            text.replace(at, size, value);
            INFO(text.substr(at > 60 ? at - 60 : 0, 90));
            try {
                const WorkPlan plan = to.service->import_plan(text, "plan.export");
                CHECK(to.service->check_states().empty());
                to.service->delete_plan(plan.id, true);
            } catch (const Error& e) {
                CHECK(e.code() == ErrorCode::invalid_argument);
                CHECK(e.details().size() == 1);
            }
        }
    };
    int number = 0;
    for (std::size_t at = 0; (at = good.find_first_of("0123456789", at)) != std::string::npos;) {
        const std::size_t end = good.find_first_not_of("0123456789", at);
        if (turboci::test::kSanitized && ++number % 5 != 0) {
            at = end;
            continue;
        }
        if (good[at - 1] == ':' && good[at - 2] == '"')
            try_all(at, end - at,
                    {"2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-1",
                     "1e300"});
        constexpr std::size_t kTime = 27;  // 2026-01-02T03:04:05.000000Z
        if (good[at - 1] == '"' && good.size() > at + kTime && good.substr(at + kTime - 1, 2) == "Z\"") {
            try_all(at, kTime, {"0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"});
            at += kTime;
        } else {
            at = end;
        }
    }
    CHECK(import_error(to, replaced(good, R"("state_history":[{"state":"PLANNED","version":)",
                                    R"("state_history":[{"state":"PLANNED","version":214748364)"))
              .details()
              .at(0)
              .line > 1);
}

TEST_CASE("Text that is no export is refused") {
    World w;
    for (const std::string& text :
         {std::string(), std::string("{}"), std::string("[1]"), std::string("nonsense"),
          std::string(100000, '['), std::string("{\"turboci_export\":1}")}) {
        CAPTURE(text.substr(0, 20));
        CHECK(import_error(w, text).code() == ErrorCode::invalid_argument);
    }
}

TEST_CASE("Every state that the rules lead to passes the rules' own inspection") {
    World w;
    fill(w);
    CHECK(w.service->check_states().empty());
    w.complete("s");
    w.break_stage("child");
    w.write("checks: [{id: d, state: FINAL, result: {failure: x}}]");
    w.write("stages: [{id: late}, {id: late2, dependencies: [late]}]");
    w.write("stages: [{id: late2, cancel: true}]");
    w.claim("late");
    w.write("stages: [{id: late, cancel: true}]");
    CHECK(w.service->check_states().empty());
    CHECK(w.store->check({}).empty());
}

TEST_CASE("An import is held against every rule") {
    World w;
    fill(w);
    const std::string text = exported(w);
    w.service->delete_plan("p", true);
    struct Bad {
        const char* from;
        const char* to;
        const char* why;
    };
    static constexpr Bad kBad[] = {
        {R"("kind":"build")", R"("kind":"\u001b[1m")", "control character"},
        {R"("labels":{"branch":"main"})", R"("labels":{"branch":[1]})", "label"},
        {R"("process_uid":"run")", R"("process_uid":"a\nb")", "control character"},
        {R"("op_id":"nothing","version")", R"("op_id":"first-claim","version")", "twice"},
        {R"("op_id":"nothing","version")", R"("op_id":"","version")", "empty"},
        {R"("timeout_us":300000000)", R"("timeout_us":9223372036854775807)", "timeout_us"},
        {R"("max_retries":2)", R"("max_retries":0)", "more attempts"},
        {R"("node":"stage:s","on_state":"FINAL","when":"always")",
         R"("node":"stage:s","on_state":"ATTEMPTING","when":"always")", "'when'"},
        {R"("node":"check:c","on_state":"FINAL","when":"failure")",
         R"("node":"check:later","on_state":"FINAL","when":"failure")", "cycle"},
        {R"("edges":[{"node":"stage:child","on_state":"FINAL","when":"success"}])",
         R"("edges":[{"node":"check:d","on_state":"FINAL","when":"success"}])", "continuation"},
        {R"({"turboci_export":2,)", R"({"turboci_export":2,"turboci_export":2,)", "duplicate key"},
        {R"({"turboci_export":2,)", R"({"turboci_export":2,"more":1,)", "unknown key"},
        {R"({"end":)", R"({"finish":)", "neither"},
    };
    for (const Bad& bad : kBad) {
        INFO(bad.from << " -> " << bad.to);
        std::string changed = text;
        const std::size_t at = changed.find(bad.from);
        REQUIRE(at != std::string::npos);
        changed.replace(at, std::string_view(bad.from).size(), bad.to);
        const Error e = import_error(w, changed);
        CHECK(e.code() == ErrorCode::invalid_argument);
        CHECK_THAT(e.what(), Contains(bad.why));
    }
    // Cut off anywhere, it is not taken for whole.
    const std::string last = text.substr(0, text.rfind("{\"end\""));
    CHECK_THAT(import_error(w, last).what(), Contains("its end is missing"));
    const std::string without = last.substr(0, last.rfind("{\"operation\""));
    CHECK_THAT(import_error(w, without + text.substr(text.rfind("{\"end\""))).what(),
               Contains("lines are missing"));
    w.service->import_plan(text, "plan.export");
    CHECK(exported(w) == text);
}

TEST_CASE("An import is held against what the results of a check say") {
    World w;
    w.write("checks: [{id: c, state: FINAL, result: {failure: broken}}]");
    std::string text = exported(w);
    w.service->delete_plan("p", true);
    text.replace(text.find(R"("outcome":"failed")"), 18, R"("outcome":"passed")");
    CHECK_THAT(import_error(w, text).what(), Contains("its outcome is not that of its results"));
}
