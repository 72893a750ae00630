// SPDX-License-Identifier: Apache-2.0
// A new plan from one that is there: what is carried over, what begins anew, what becomes of the old one.
#include <fmt/core.h>

#include <algorithm>

#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using turboci::test::NodeList;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

using Refs = std::vector<std::string>;

RerunPlan rerun_of(const std::string& plan, Refs again = {}) {
    RerunPlan request;
    request.plan = plan;
    request.id = "again";
    for (const auto& ref : again) request.again.push_back(parse_ref(ref));
    request.definitions.actor = "tester";
    return request;
}
RerunResult rerun(World& w, Refs again = {}) {
    return w.service->rerun_plan(rerun_of("p", std::move(again)));
}
RerunPlan rerun_with(std::string_view yaml, Refs again = {}) {
    RerunPlan request = rerun_of("p", std::move(again));
    request.redefines = true;
    request.definitions = World::request(yaml);
    return request;
}

Refs names(const std::vector<NodeRef>& refs) {
    Refs list;
    for (const NodeRef& ref : refs) list.push_back(to_string(ref));
    return list;
}
Refs carried(World& w, Refs again = {}) { return names(rerun(w, std::move(again)).carried); }
Refs carried(World& w, const RerunPlan& request) { return names(w.service->rerun_plan(request).carried); }

Error refusal(World& w, const RerunPlan& request) {
    const auto before = w.service->list_plans().size();
    const auto version = w.version();
    try {
        static_cast<void>(w.service->rerun_plan(request));
    } catch (const Error& e) {
        CHECK(w.service->list_plans().size() == before);
        CHECK(w.version() == version);
        return e;
    }
    FAIL("it was not refused");
    throw std::logic_error("unreachable");
}

NodeList nodes_of(World& w, const std::string& plan = "again") {
    QueryNodes q;
    q.plan = plan;
    return w.query(q);
}
Check check_in(World& w, const std::string& id, const std::string& plan = "again") {
    const NodeList list = nodes_of(w, plan);
    return *std::ranges::find(list.checks, id, &Check::id);
}
Stage stage_in(World& w, const std::string& id, const std::string& plan = "again") {
    const NodeList list = nodes_of(w, plan);
    return *std::ranges::find(list.stages, id, &Stage::id);
}

/// What an attempt of a stage reports.
void report(World& w, const std::string& stage, const std::string& check, const std::string& result,
            int attempt = 1) {
    w.write(fmt::format("checks: [{{id: {}, results: [{{stage: {}, attempt: {}, {}}}]}}]", check, stage,
                        attempt, result));
}
/// Writes from inside an attempt.
void write_inside(World& w, const std::string& stage, std::string_view yaml) {
    WriteNodes r = World::request(yaml);
    r.inside = AttemptRef{stage, 1};
    w.write(r);
}

constexpr std::string_view kChain = R"(
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED, dependencies: [built]}]
stages:
  - {id: build, assignments: [built]}
  - {id: test, dependencies: [stage:build], assignments: [tested]}
  - {id: publish, dependencies: [stage:test]}
  - {id: lint}
)";

void run_chain(World& w, bool passes) {
    w.write(kChain);
    w.pass("build");
    w.pass("lint");
    if (!passes) return w.break_stage("test");
    w.pass("test");
    w.pass("publish");
}

/// Nothing in the store is what the rules could not have brought there, and the plan survives a journey.
void check_sound(World& w, const std::string& plan = "again") {
    CHECK(w.service->check_states() == std::vector<std::string>{});
    CHECK(w.store->check({}).empty());
    std::string text;
    w.service->export_plan(plan, [&](std::string_view line) { text.append(line).append("\n"); });
    World other;
    other.service->delete_plan("p", true);
    other.service->import_plan(text, "export");
    std::string second;
    other.service->export_plan(plan, [&](std::string_view line) { second.append(line).append("\n"); });
    CHECK(second == text);
}

}  // namespace

// ------------------------------------------------------------------------------------ what is carried

TEST_CASE("What passed is carried over, and the rest begins anew") {
    World w;
    run_chain(w, false);
    const RerunResult result = rerun(w);
    CHECK(result.plan.id == "again");
    CHECK(result.plan.version == 1);
    CHECK(result.plan.from->plan == "p");
    CHECK(names(result.carried) == Refs{"check:built", "stage:build", "stage:lint"});
    CHECK(names(result.begun) == Refs{"check:tested", "stage:test", "stage:publish"});
    CHECK(result.ended.empty());
    const Stage build = stage_in(w, "build");
    CHECK(build.state == State::final);
    CHECK(build.outcome == Outcome::passed);
    CHECK(build.version == 1);
    CHECK(build.carried_from->plan == "p");
    CHECK(build.carried_from->version == w.stage("build").version);
    CHECK(build.attempts.at(0).process_uid == "w");
    CHECK(stage_in(w, "test").state == State::attempting);
    CHECK(stage_in(w, "test").attempts.at(0).idx == 1);
    CHECK(check_in(w, "tested").state == State::waiting);
    CHECK(stage_in(w, "publish").state == State::planned);
    check_sound(w);
}

TEST_CASE("A carried stage has the last attempt, and those that something of it refers to") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}]
stages: [{id: s, assignments: [c], retry: {max_retries: 3}}, {id: bad}]
)");
    w.claim("s");
    w.fail("s");
    w.claim("s");
    report(w, "s", "c", "data: {n: 7}", 2);
    w.complete("s");
    w.break_stage("bad");
    rerun(w);
    const Stage s = stage_in(w, "s");
    REQUIRE(s.attempts.size() == 1);
    CHECK(s.attempts[0].idx == 2);
    const Check c = check_in(w, "c");
    REQUIRE(c.results.size() == 1);
    CHECK(c.results[0].owner_id == "again:s:2");
    CHECK(c.results[0].data.text == R"({"n":7})");
    CHECK(c.results[0].finalized_at);
    check_sound(w);
    // A second time: where it ran is still the first plan.
    RerunPlan third = rerun_of("again", {"bad"});
    third.id = "third";
    w.service->rerun_plan(third);
    CHECK(stage_in(w, "s", "third").carried_from->plan == "p");
    CHECK(stage_in(w, "s", "third").carried_from->version == w.stage("s").version);
    CHECK(check_in(w, "c", "third").results.at(0).owner_id == "third:s:2");
    check_sound(w, "third");
}

TEST_CASE("An attempt that is carried keeps what was said of it meanwhile") {
    World w;
    w.write("stages: [{id: s}, {id: bad}]");
    w.write("stages: [{id: s, attempt: {progress: [{message: half, details: {n: 7}}, {message: all}]}}]");
    w.complete("s");
    w.break_stage("bad");
    rerun(w);
    const auto before = w.stage("s").attempts.at(0).progress;
    const auto after = stage_in(w, "s").attempts.at(0).progress;
    REQUIRE(after.size() == 2);
    CHECK(after[0].message == "half");
    CHECK(after[0].details.text == R"({"n":7})");
    CHECK(after[0].timestamp == before[0].timestamp);
    CHECK(after[1].message == "all");
    check_sound(w);
}

TEST_CASE("A state that a carried check never passed is not passed in the new plan either") {
    World w;
    w.write(
        "checks: [{id: c, state: FINAL}]\n"
        "stages: [{id: s, dependencies: [{node: c, on_state: PLANNING}]}, {id: bad}]");
    CHECK(w.state("stage:s") == "FINAL skipped");
    w.break_stage("bad");
    CHECK(carried(w) == Refs{"check:c"});
    CHECK(stage_in(w, "s").outcome == Outcome::skipped);
    check_sound(w);
}

TEST_CASE("What is named begins anew with all that hangs on it") {
    struct Row {
        const char* named;
        Refs carried;
    };
    const auto row = GENERATE(
        Row{"stage:build", {"stage:lint"}}, Row{"build", {"stage:lint"}}, Row{"check:built", {"stage:lint"}},
        Row{"stage:test", {"check:built", "stage:build", "stage:lint"}},
        Row{"check:tested", {"check:built", "stage:build", "stage:lint"}},
        Row{"stage:publish", {"check:built", "check:tested", "stage:build", "stage:test", "stage:lint"}},
        Row{"lint", {"check:built", "check:tested", "stage:build", "stage:test", "stage:publish"}});
    CAPTURE(row.named);
    World w;
    run_chain(w, true);
    CHECK(carried(w, Refs{row.named}) == row.carried);
    check_sound(w);
}

TEST_CASE("What the record says of a node that is named must be clear") {
    World w;
    run_chain(w, true);
    w.write("checks: [{id: lint}]");
    CHECK(refusal(w, rerun_of("p", {"nobody"})).code() == ErrorCode::not_found);
    CHECK(refusal(w, rerun_of("p", {"check:build"})).code() == ErrorCode::not_found);
    CHECK(refusal(w, rerun_of("p", {"lint"})).code() == ErrorCode::invalid_argument);
}

TEST_CASE("A stage that passed and answered with a failure begins anew, the check with it") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]
stages: [{id: s, assignments: [c, d]}, {id: t, assignments: [d]}]
)");
    w.claim("s");
    report(w, "s", "c", "failure: no");
    w.complete("s");
    w.pass("t");
    CHECK(carried(w) == Refs{"stage:t"});
    CHECK(check_in(w, "d").state == State::waiting);
    check_sound(w);
}

TEST_CASE("A stage that is not assigned answers, too") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]
stages: [{id: s}, {id: t, assignments: [c, d]}]
)");
    w.claim("s");
    report(w, "s", "c", "failure: no");
    report(w, "s", "d", "data: {n: 1}");
    w.complete("s");
    w.pass("t");
    const Refs kept = carried(w);
    CHECK(kept == Refs{"stage:t"});
    check_sound(w);
}

TEST_CASE("What a carried stage reported comes along in a check that begins anew") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}]
stages: [{id: s, assignments: [c]}, {id: bad, assignments: [c]}]
)");
    w.claim("s");
    report(w, "s", "c", "data: {n: 1}");
    w.complete("s");
    w.break_stage("bad");
    CHECK(w.state("check:c") == "FINAL failed");
    CHECK(carried(w) == Refs{"stage:s"});
    Check c = check_in(w, "c");
    CHECK(c.state == State::waiting);
    REQUIRE(c.results.size() == 1);
    CHECK(c.results[0].owner_id == "again:s:1");
    CHECK(c.results[0].finalized_at);
    check_sound(w);
    WriteNodes r = World::request("stages: [{id: bad, attempt: {state: COMPLETE}}]");
    r.plan = "again";
    w.write(r);
    c = check_in(w, "c");
    CHECK(c.outcome == Outcome::passed);
    check_sound(w);
}

TEST_CASE("The answer of a person is carried; a no of one is asked again, and the stages with it are not") {
    World w;
    w.write(R"(
checks: [{id: yes, state: PLANNED}, {id: no, state: PLANNED}, {id: both, state: PLANNED}]
stages: [{id: s, assignments: [both]}]
)");
    w.write("checks: [{id: yes, state: FINAL, results: [{data: {by: ann}}]}]");
    w.write("checks: [{id: no, state: FINAL, results: [{failure: never}]}]");
    w.write("checks: [{id: both, results: [{failure: 'not so'}]}]");
    w.pass("s");
    CHECK(w.state("check:both") == "FINAL failed");
    CHECK(carried(w) == Refs{"check:yes", "stage:s"});
    CHECK(check_in(w, "yes").results.at(0).owner_id == "tester");
    CHECK(check_in(w, "no").state == State::waiting);
    // All stages assigned to it have ended, and nobody says no any more.
    CHECK(check_in(w, "both").outcome == Outcome::passed);
    check_sound(w);
}

TEST_CASE("What was skipped or cancelled is asked again") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}]
stages: [{id: s, assignments: [c]}, {id: gone}, {id: bad}]
)");
    w.write("stages: [{id: s, skip: true}, {id: gone, cancel: true}]");
    w.write("checks: [{id: d, skip: true}]");
    w.break_stage("bad");
    CHECK(carried(w).empty());
    CHECK(stage_in(w, "s").state == State::attempting);
    CHECK(stage_in(w, "gone").state == State::attempting);
    CHECK(check_in(w, "d").state == State::waiting);
}

TEST_CASE("A failure that is not required is asked again only by name") {
    const std::string yaml = R"(
checks: [{id: opt, state: PLANNED, required: false}, {id: c, state: PLANNED}]
stages: [{id: flaky, assignments: [opt]}, {id: after, dependencies: [{node: flaky, when: always}]}, {id: bad}]
)";
    World w;
    w.write(yaml);
    w.break_stage("flaky");
    w.pass("after");
    w.break_stage("bad");
    SECTION("unnamed") {
        CHECK(carried(w) == Refs{"check:opt", "stage:flaky", "stage:after"});
        CHECK(check_in(w, "opt").outcome == Outcome::failed);
        CHECK(stage_in(w, "flaky").outcome == Outcome::failed);
        CHECK(stage_in(w, "flaky").carried_from->plan == "p");
        check_sound(w);
    }
    SECTION("the check named") { CHECK(carried(w, Refs{"check:opt"}).empty()); }
    SECTION("the stage named") { CHECK(carried(w, Refs{"stage:flaky"}).empty()); }
}

TEST_CASE("A stage that answers a required and an optional check with failures") {
    World w;
    w.write(R"(
checks: [{id: opt, state: PLANNED, required: false}, {id: c, state: PLANNED}]
stages: [{id: s, assignments: [opt, c]}, {id: bad}]
)");
    w.claim("s");
    report(w, "s", "opt", "failure: minor");
    w.complete("s");
    w.break_stage("bad");
    CHECK(carried(w) == Refs{"check:opt", "check:c", "stage:s"});
    CHECK(check_in(w, "opt").outcome == Outcome::failed);
    check_sound(w);
}

// ------------------------------------------------------------------------------------ definitions

TEST_CASE("A definition that has changed begins anew, policy is none") {
    struct Row {
        const char* what;
        std::string from, to;
        bool kept;
    };
    const auto row = GENERATE(
        Row{"args", "{id: s}", "{id: s, args: {command: x}}", false},
        Row{"runner", "{id: s}", "{id: s, runner: big}", false},
        Row{"uses", "{id: s}", "{id: s, uses: [db]}", false},
        Row{"assignments", "{id: s}", "{id: s, assignments: [c]}", false},
        Row{"goal", "{id: s}", "{id: s, assignments: [{target_check_id: c, goal_state: PLANNED}]}", false},
        Row{"dependencies", "{id: s}", "{id: s, dependencies: [a]}", false},
        Row{"other dependencies", "{id: s, dependencies: [a, b]}", "{id: s, dependencies: {any: [a, b]}}",
            false},
        Row{"when", "{id: s, dependencies: [a]}", "{id: s, dependencies: [{node: a, when: always}]}", false},
        Row{"order of dependencies", "{id: s, dependencies: [a, b]}",
            "{id: s, dependencies: [stage:b, a, a]}", true},
        Row{"nested", "{id: s, dependencies: {all: [a, {any: [b, c]}]}}",
            "{id: s, dependencies: {all: [a, {any: [c, b]}]}}", true},
        Row{"order of groups", "{id: s, dependencies: {all: [{any: [a, b]}, {all: [b, c]}]}}",
            "{id: s, dependencies: {all: [{all: [c, b]}, {any: [a, b]}]}}", true},
        Row{"nested otherwise", "{id: s, dependencies: {all: [a, {any: [b, c]}]}}",
            "{id: s, dependencies: {any: [a, {all: [b, c]}]}}", false},
        Row{"threshold", "{id: s, dependencies: {at_least: 1, of: [a, b]}}",
            "{id: s, dependencies: {at_least: 2, of: [a, b]}}", false},
        Row{"condition", "{id: s, dependencies: [c], if: {check: c, path: /n, exists: false}}",
            "{id: s, dependencies: [c], if: {check: c, path: /m, exists: false}}", false},
        Row{"group", "{id: s}", "{id: s, continuation_group: [a]}", false},
        Row{"policy", "{id: s}", "{id: s, retry: {max_retries: 2}, timeout: 9s, heartbeat: 8s, silence: 7s}",
            true},
        Row{"nothing", "{id: s, args: {a: 1, b: 2}}", "{id: s, args: {b: 2, a: 1}}", true});
    CAPTURE(row.what);
    const auto plan = [](const std::string& stage) {
        return "limits: {db: 1}\nchecks: [{id: c, state: PLANNED}]\nstages: [{id: a}, {id: b}, {id: bad}, " +
               stage + "]";
    };
    World w;
    w.write(plan(row.from));
    w.pass("a");
    w.pass("b");
    w.write("checks: [{id: c, state: FINAL, results: [{data: {}}]}]");
    w.pass("s");
    w.break_stage("bad");
    const RerunPlan request = rerun_with(plan(row.to));
    const Refs kept = carried(w, request);
    CHECK((std::ranges::find(kept, "stage:s") != kept.end()) == row.kept);
}

TEST_CASE("A check that is another one now is asked again, with the stages that answer it") {
    struct Row {
        const char* what;
        std::string to;
        Refs kept;
    };
    const auto row = GENERATE(Row{"kind", "{id: c, kind: unit, state: PLANNED}", {"stage:a"}},
                              Row{"options", "{id: c, options: {n: 1}, state: PLANNED}", {"stage:a"}},
                              Row{"required", "{id: c, required: false, state: PLANNED}", {"stage:a"}},
                              Row{"dependencies", "{id: c, dependencies: [a], state: PLANNED}", {"stage:a"}},
                              Row{"state", "{id: c}", {"check:c", "stage:a", "stage:s"}});
    CAPTURE(row.what);
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: a}, {id: s, assignments: [c]}, {id: bad}]");
    w.pass("a");
    w.pass("s");
    w.break_stage("bad");
    CHECK(carried(w, rerun_with("checks: [" + row.to +
                                "]\nstages: [{id: a}, {id: s, assignments: [c]}, {id: bad}]")) == row.kept);
    check_sound(w);
}

TEST_CASE("A check that only gained a stage is the same; its answer waits for it") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}]");
    w.pass("s");
    const RerunPlan request = rerun_with(
        "checks: [{id: c, state: PLANNED}]\nstages: [{id: s, assignments: [c]}, {id: t, assignments: [c]}]");
    CHECK(carried(w, request) == Refs{"stage:s"});
    CHECK(check_in(w, "c").state == State::waiting);
    CHECK(stage_in(w, "t").state == State::attempting);
    check_sound(w);
}

TEST_CASE("Files leave nodes out and bring new ones") {
    World w;
    run_chain(w, true);
    const RerunResult result = w.service->rerun_plan(rerun_with(R"(
checks: [{id: built, state: PLANNED}]
stages: [{id: build, assignments: [built]}, {id: lint}, {id: more, dependencies: [stage:build]}]
)"));
    CHECK(names(result.carried) == Refs{"check:built", "stage:build", "stage:lint"});
    CHECK(names(result.begun) == Refs{"stage:more"});
    CHECK(nodes_of(w).stages.size() == 3);
    CHECK(stage_in(w, "more").state == State::attempting);
    check_sound(w);
}

TEST_CASE("What has happened to a node is no news in the files of a plan that carries it") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: bad}]");
    w.write("checks: [{id: c, state: FINAL, results: [{data: {n: 1}}]}]");
    w.break_stage("bad");
    w.service->rerun_plan(
        rerun_with("checks: [{id: c, state: FINAL, results: [{data: {n: 2}}]}]\nstages: [{id: bad}]"));
    const Check c = check_in(w, "c");
    REQUIRE(c.results.size() == 1);
    CHECK(c.results[0].data.text == R"({"n":1})");
}

TEST_CASE("Labels and limits come along, and files change them") {
    World w;
    w.write("plan: {branch: main, keep: me}\nlimits: {db: 2, gpu: 1}\nstages: [{id: bad, uses: [db]}]");
    w.break_stage("bad");
    SECTION("as they are") {
        rerun(w);
        const WorkPlan plan = w.service->get_plan("again");
        CHECK(has_label(plan.labels, "branch", "main"));
        CHECK(plan.limits == std::vector<Limit>{{"db", 2}, {"gpu", 1}});
    }
    SECTION("from files") {
        w.service->rerun_plan(
            rerun_with("plan: {branch: topic}\nlimits: {db: 3}\nstages: [{id: bad, uses: [db]}]"));
        const WorkPlan plan = w.service->get_plan("again");
        CHECK(has_label(plan.labels, "branch", "topic"));
        CHECK(has_label(plan.labels, "keep", "me"));
        CHECK(plan.limits == std::vector<Limit>{{"db", 3}, {"gpu", 1}});
    }
}

// ------------------------------------------------------------------------------------ dynamic nodes

namespace {
/// A planner that has written a stage, a check for it, and a group that waits for the stage.
void run_planner(World& w) {
    w.write("stages: [{id: planner}, {id: bad}]");
    w.claim("planner");
    write_inside(w, "planner", R"(
checks: [{id: asked, state: PLANNED}]
stages: [{id: late, assignments: [asked]}, {id: planner, continuation_group: [late]}]
)");
    w.complete("planner");
    w.pass("late");
    CHECK(w.state("stage:planner") == "FINAL passed");
}
}  // namespace

TEST_CASE("Nodes that a carried stage wrote come along, its group with them") {
    World w;
    run_planner(w);
    w.break_stage("bad");
    CHECK(carried(w) == Refs{"check:asked", "stage:planner", "stage:late"});
    CHECK(stage_in(w, "late").created_by == CreatedBy{"planner", 1});
    CHECK(stage_in(w, "planner").continuation_group.edges.size() == 1);
    check_sound(w);
}

TEST_CASE("Nodes that a stage wrote are left to it when it runs again, its group, too") {
    World w;
    run_planner(w);
    CHECK(carried(w, Refs{"planner"}).empty());
    const NodeList list = nodes_of(w);
    CHECK(list.checks.empty());
    REQUIRE(list.stages.size() == 2);
    CHECK(stage_in(w, "planner").continuation_group.empty());
    check_sound(w);
}

TEST_CASE("A node that a carried stage wrote may begin anew itself") {
    World w;
    run_planner(w);
    CHECK(carried(w, Refs{"late"}) == Refs{"stage:planner"});
    CHECK(stage_in(w, "late").state == State::attempting);
    CHECK(stage_in(w, "late").created_by == CreatedBy{"planner", 1});
    check_sound(w);
}

TEST_CASE("Files need not name what an attempt wrote") {
    World w;
    run_planner(w);
    w.break_stage("bad");
    CHECK(carried(w, rerun_with("stages: [{id: planner}, {id: bad}]")) ==
          Refs{"check:asked", "stage:planner", "stage:late"});
    CHECK(stage_in(w, "planner").continuation_group.edges.size() == 1);
    check_sound(w);
}

TEST_CASE("A group that an attempt wrote is the attempt's own however often its stage is carried") {
    World w;
    w.write("stages: [{id: s}, {id: t}, {id: bad}]");
    w.claim("s");
    w.clock.advance(1s);
    write_inside(w, "s", "stages: [{id: s, continuation_group: [t]}]");
    w.complete("s");
    w.pass("t");
    w.break_stage("bad");
    rerun(w);
    check_sound(w);
    RerunPlan third = rerun_with("stages: [{id: s}, {id: t}, {id: bad}]");
    third.plan = "again";
    third.id = "third";
    SECTION("it comes along") {
        CHECK(carried(w, third) == Refs{"stage:s", "stage:t"});
        CHECK(stage_in(w, "s", "third").continuation_group.edges.size() == 1);
        check_sound(w, "third");
    }
    SECTION("it is left to the stage that runs again") {
        third.redefines = false;
        third.definitions = {};
        third.again = {parse_ref("s")};
        CHECK(carried(w, third) == Refs{"stage:t"});
        CHECK(stage_in(w, "s", "third").continuation_group.empty());
    }
}

TEST_CASE("What needs a node that is left out is refused") {
    World w;
    run_planner(w);
    w.write("stages: [{id: user, dependencies: [late]}]");
    const Error error = refusal(w, rerun_of("p", {"planner"}));
    CHECK(error.code() == ErrorCode::invalid_dependency);
    CHECK(World::text(error).find("stage:user") != std::string::npos);
    CHECK(World::text(error).find("stage:late") != std::string::npos);
}

// ------------------------------------------------------------------------------------ the old plan

TEST_CASE("What is open in the old plan ends, and nothing becomes ready") {
    World w;
    w.write(R"(
checks: [{id: c, state: PLANNED}, {id: d, state: PLANNED}, {id: e}]
stages:
  - {id: bad}
  - {id: open, assignments: [c]}
  - {id: cleanup, dependencies: [{node: open, when: always}]}
)");
    w.write("checks: [{id: d, results: [{failure: no}]}]");
    w.break_stage("bad");
    const RerunResult result = rerun(w);
    CHECK(names(result.ended) == Refs{"check:c", "check:d", "check:e", "stage:open", "stage:cleanup"});
    CHECK(w.state("stage:open") == "FINAL cancelled");
    CHECK(w.state("stage:cleanup") == "FINAL cancelled");
    CHECK(w.stage("cleanup").attempts.empty());
    CHECK(w.stage("open").concluded_message == "superseded by again");
    CHECK(w.check("c").skip_cause == SkipCause::not_needed);
    CHECK(w.state("check:d") == "FINAL failed");
    CHECK(w.state("check:e") == "FINAL skipped");
    check_sound(w);
    check_sound(w, "p");
}

TEST_CASE("It is refused while an attempt runs, and names who holds it") {
    World w;
    w.write("stages: [{id: bad}, {id: live}]");
    w.break_stage("bad");
    w.claim("live", "worker-7");
    const Error error = refusal(w, rerun_of("p"));
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(World::text(error).find("worker-7") != std::string::npos);
}

TEST_CASE("An attempt whose runner is gone does not hold it") {
    World w;
    w.service->set_runner_probe([](const RunnerIdentity&) { return Liveness::gone; });
    w.write("stages: [{id: bad}, {id: live}]");
    w.break_stage("bad");
    WriteNodes r = World::request("{}");
    r.claim = Claim{.stages = {"live"},
                    .process_uid = "w",
                    .holder = "h",
                    .runner = RunnerIdentity{.host = "a", .boot_id = "b", .pid = 1, .start_time = 2}};
    w.write(r);
    CHECK(carried(w).empty());
    CHECK(w.state("stage:live") == "FINAL cancelled");
    CHECK(w.stage("live").attempts.at(0).cause == Cause::lost);
}

TEST_CASE("What was only taken ahead is taken back, unless its runner is elsewhere") {
    const bool elsewhere = GENERATE(false, true);
    World w;
    w.service->set_runner_probe(
        [&](const RunnerIdentity&) { return elsewhere ? Liveness::unknown : Liveness::alive; });
    w.write("stages: [{id: bad}, {id: ahead}]");
    w.break_stage("bad");
    WriteNodes r = World::request("{}");
    r.claim = Claim{.at_most = 0,
                    .ahead = 1,
                    .process_uid = "runner-9",
                    .holder = "h",
                    .runner = RunnerIdentity{.host = "a", .boot_id = "b", .pid = 1, .start_time = 2}};
    w.write(r);
    REQUIRE(w.stage("ahead").attempts.at(0).state == AttemptState::scheduled);
    if (elsewhere) {
        CHECK(refusal(w, rerun_of("p")).code() == ErrorCode::conflict);
        return;
    }
    rerun(w);
    CHECK(w.state("stage:ahead") == "FINAL cancelled");
}

TEST_CASE("Without anything to do nothing is written") {
    World w;
    run_chain(w, true);
    const auto version = w.version();
    RerunResult result = rerun(w);
    CHECK(result.nothing_to_do);
    CHECK(result.plan.id == "p");
    CHECK(w.service->rerun_plan(rerun_with(kChain)).nothing_to_do);
    CHECK(w.version() == version);
    CHECK(w.service->list_plans().size() == 1);
}

TEST_CASE("A line has one end") {
    World w;
    run_chain(w, false);
    rerun(w);
    RerunPlan request = rerun_of("p");
    request.id = "fork";
    const Error error = refusal(w, request);
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(World::text(error).find("again") != std::string::npos);
    request.fork = true;
    CHECK(w.service->rerun_plan(request).plan.from->plan == "p");
    CHECK(w.service->get_plan("fork").from->identity == w.service->get_plan("p").identity);
}

TEST_CASE("The new plan's id must be free, and the old plan's version expected") {
    World w;
    run_chain(w, false);
    RerunPlan request = rerun_of("p");
    request.id = "p";
    CHECK(refusal(w, request).code() == ErrorCode::conflict);
    request = rerun_of("p");
    request.definitions.if_version = w.version() + 1;
    CHECK(refusal(w, request).code() == ErrorCode::conflict);
    request.definitions.if_version = w.version();
    CHECK(w.service->rerun_plan(request).plan.id == "again");
}

TEST_CASE("The new plan's id must be one, and without any a new one is chosen") {
    World w;
    run_chain(w, false);
    const auto id = GENERATE("-again", "a b", "a\nb", "../again");
    RerunPlan request = rerun_of("p");
    request.id = id;
    const Error error = refusal(w, request);
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(World::text(error).find("plan id") != std::string::npos);
    request.id.clear();
    CHECK_FALSE(w.service->rerun_plan(request).plan.id.empty());
}

TEST_CASE("A rerun that is asked for twice with one op_id happens once") {
    World w;
    run_chain(w, false);
    RerunPlan request = rerun_of("p");
    request.id.clear();
    request.definitions.op_id = "push-7";
    const std::string id = w.service->rerun_plan(request).plan.id;
    CHECK(w.service->rerun_plan(request).plan.id == id);
    request.plan.clear();  // which now means the new one
    const RerunResult result = w.service->rerun_plan(request);
    CHECK(result.replayed);
    CHECK(result.plan.id == id);
    CHECK(w.service->list_plans().size() == 2);
}

TEST_CASE("A write with that op_id which changed nothing is no rerun") {
    World w;
    run_chain(w, false);
    rerun(w);
    WriteNodes idle;
    idle.plan = "again";
    idle.op_id = "push-7";
    w.write(idle);
    CHECK(w.service->get_plan("again").version == 1);
    RerunPlan request = rerun_of("again");
    request.id = "third";
    request.definitions.op_id = "push-7";
    CHECK(w.service->rerun_plan(request).plan.id == "third");
    CHECK(w.service->rerun_plan(request).replayed);
}

TEST_CASE("The record of both plans tells") {
    World w;
    w.write("stages: [{id: good}, {id: bad}, {id: open}]");
    w.pass("good");
    w.break_stage("bad");
    RerunPlan request = rerun_of("p");
    request.definitions.reason = "the test is mended";
    w.service->rerun_plan(request);
    std::string old, fresh;
    w.service->read_log({.plan = "p", .ref = std::nullopt},
                        [&](const LogEntry& e) { old += e.reason + " " + e.changes.text + "\n"; });
    w.service->read_log({.plan = "again", .ref = std::nullopt},
                        [&](const LogEntry& e) { fresh += e.reason + " " + e.changes.text + "\n"; });
    CHECK(old.find("superseded by again") != std::string::npos);
    CHECK(fresh.find("the test is mended") != std::string::npos);
    CHECK(fresh.find(R"("from":"p")") != std::string::npos);
    CHECK(fresh.find(R"("carried_from":{"plan":"p","version":)") != std::string::npos);
}

TEST_CASE("An explanation tells where a node was carried from") {
    World w;
    run_chain(w, false);
    rerun(w);
    const Explanation e = w.service->explain("again", parse_ref("stage:build"));
    CHECK(e.node.notes == std::vector<std::string>{"was carried over from plan p", "attempt 1 is COMPLETE"});
}
