// SPDX-License-Identifier: Apache-2.0
// A plan in a store of its own: copies, and what would become of them if all went well.
#include "format/json_output.hpp"
#include "service/copy_plan.hpp"
#include "service/lookups.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using namespace std::chrono_literals;
using turboci::test::World;

namespace {

using Strings = std::vector<std::string>;

Strings rehearsed(World& w, const ClaimFilter& filter = {}) {
    Strings stages;
    for (const ClaimedAttempt& claimed : w.service->rehearse("p", filter)) stages.push_back(claimed.stage.id);
    return stages;
}

/// All that readers see of a plan but its record.
std::string shown_by(Service& service) {
    JsonSink sink;
    QueryNodes all;
    all.plan = "p";
    service.query(all, sink);
    return sink.take();
}

/// A store in memory with a copy of the world's plan in it, behind another plan.
std::unique_ptr<Store> copied(World& w) {
    auto store = open_store("memory:", {.clock = &w.clock});
    CreatePlan other;
    other.id = "other";
    other.nodes = World::request("checks: [{id: a}, {id: b, dependencies: [a]}]");
    LocalService(*store).create_plan(other);
    const auto from = w.store->read({});
    const auto to = store->write({}, {});
    service::copy_plan(*from, from->find_plan("p").value(), *to);
    to->commit();
    return store;
}

/// Two plans written by turns, so that the nodes of neither follow one another in the store.
void write_mixed(World& w) {
    CreatePlan other;
    other.id = "q";
    w.service->create_plan(other);
    w.write(
        "plan: {branch: main}\n"
        "checks: [{id: built, kind: build, state: PLANNED, required: false}, {id: said, state: WAITING}]\n"
        "stages: [{id: build, assignments: [built], retry: {max_retries: 2, backoff: 10s}}]\n");
    WriteNodes between = World::request("checks: [{id: built}, {id: x, dependencies: [built]}]");
    between.plan = "q";
    w.service->write_nodes(between);
    w.write(R"(
checks:
  - {id: tested, dependencies: {any: [built, {all: [said, {node: 'stage:build', when: failure}]}]}}
stages:
  - {id: test, args: {a: 1}, assignments: [tested], timeout: 1h, dependencies: [built], continuation_group: [part]}
  - {id: part, dependencies: [{node: test, on_state: ATTEMPTING}]}
)");
    w.write("checks: [{id: said, result: {data: {n: 1}, failure: no}}]");
    w.claim("build", "me");
    w.fail("build");
    w.clock.advance(10s);
    w.claim("build", "me");
}

}  // namespace

TEST_CASE("A copy of a plan is what the plan is") {
    World w;
    write_mixed(w);
    const auto store = copied(w);
    LocalService copy(*store);
    CHECK(shown_by(copy) == shown_by(*w.service));
    CHECK(copy.check_states().empty());
}

TEST_CASE("A copy of a plan goes on as the plan does") {
    World w;
    write_mixed(w);
    const auto store = copied(w);
    LocalService copy(*store);
    for (const char* text :
         {"checks: [{id: built, result: {data: {ok: true}}}]",
          "stages: [{id: build, attempt: {state: COMPLETE}}]", "checks: [{id: said, state: FINAL}]",
          "stages: [{id: test, attempt: {state: RUNNING, process_uid: me}}]",
          "stages: [{id: part, attempt: {state: RUNNING, process_uid: me}}]",
          "stages: [{id: test, attempt: {state: COMPLETE}}]", "stages: [{id: part, cancel: true}]"}) {
        INFO(text);
        w.clock.advance(1s);
        w.write(text);
        copy.write_nodes(World::request(text));
        CHECK(shown_by(copy) == shown_by(*w.service));
    }
    CHECK(w.state("stage:test") == "FINAL failed");
    CHECK(copy.check_states().empty());
}

TEST_CASE("Who holds an attempt is known of a copy, and when that holder was last heard of") {
    World w;
    write_mixed(w);
    CHECK_FALSE(w.service->beat({.holder = "me"}));
    const auto store = copied(w);
    const auto transaction = store->read({});
    CHECK(service::last_beat(*transaction, "me") == w.clock.reading.wall);
    const PlanRow plan = transaction->find_plan("p").value();
    const auto held = service::held_attempts(*transaction, plan.key);
    REQUIRE(held.size() == 1);
    CHECK(held[0].holder == "me");
    CHECK(held[0].retries == 1);
}

TEST_CASE("A rehearsal names stages as they become ready, and writes nothing") {
    World w;
    w.write(R"(
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED, dependencies: [built]}, {id: asked, state: WAITING}]
stages:
  - {id: deploy, dependencies: [tested]}
  - {id: test, dependencies: [built], assignments: [tested]}
  - {id: build, assignments: [built]}
  - {id: sorry, dependencies: [{node: built, when: failure}]}
  - {id: told, dependencies: ['check:asked']}
  - {id: after, dependencies: [group]}
  - {id: group, continuation_group: [member]}
  - {id: member, dependencies: [{node: group, on_state: ATTEMPTING}, build]}
)");
    const std::string before = shown_by(*w.service);
    CHECK(rehearsed(w) == Strings{"build", "group", "test", "member", "deploy", "after"});
    CHECK(shown_by(*w.service) == before);
}

TEST_CASE("A rehearsal leaves alone what others hold, and what cannot be taken") {
    World w;
    w.write(R"(
stages:
  - {id: held, timeout: 1s, retry: {max_retries: 3}}
  - {id: after-held, dependencies: [held]}
  - {id: by-hand}
  - {id: after-hand, dependencies: [by-hand]}
  - {id: waits, retry: {max_retries: 1, backoff: 1h}}
  - {id: after, dependencies: [waits]}
)");
    w.break_stage("waits");
    w.claim("held");
    ClaimFilter filter;
    filter.except = {"by-hand"};
    CHECK(rehearsed(w, filter) == Strings{"waits", "after"});
}

TEST_CASE("A rehearsal waits for backoffs, the shortest first, when nothing else is left") {
    World w;
    w.write(R"(
stages:
  - {id: long, retry: {max_retries: 1, backoff: 2h}}
  - {id: short, retry: {max_retries: 1, backoff: 1h}}
  - {id: next, dependencies: [now]}
  - {id: now}
)");
    w.break_stage("long");
    w.break_stage("short");
    CHECK(rehearsed(w) == Strings{"now", "next", "short", "long"});
    // Nobody knows the boot of which the plan's clock was last told, and the wall clock has gone back since.
    w.clock.reading.boot_id = "boot-2";
    w.clock.reading.wall -= 24h;
    CHECK(rehearsed(w) == Strings{"now", "next", "short", "long"});
}

TEST_CASE("A rehearsal takes what the filter takes") {
    World w;
    w.write(R"(
stages:
  - {id: a, args: {command: x}}
  - {id: b, timeout: 1s}
  - {id: c, args: {command: x}, dependencies: [b]}
  - {id: d, args: {command: x}, dependencies: [a]}
  - {id: e, args: {command: x}, retry: {max_retries: 1, backoff: 1h}}
)");
    w.break_stage("e");
    ClaimFilter filter;
    filter.with_command = true;
    // What is not taken stays as it is, however late it gets: `b` does not time out.
    CHECK(rehearsed(w, filter) == Strings{"a", "d", "e"});
    filter.only = {"d", "e"};
    CHECK(rehearsed(w, filter) == Strings{"e"});
    filter.only = {"a"};
    CHECK(rehearsed(w, filter) == Strings{"a"});
}

TEST_CASE("A rehearsal takes stages of the runner kinds that it names, and what uses limits") {
    World w;
    w.write(R"(
limits: {db: 1}
stages:
  - {id: a, runner: gpu, uses: [db]}
  - {id: b}
  - {id: c, uses: [db], dependencies: [b]}
)");
    CHECK(rehearsed(w) == Strings{"b", "c"});
    ClaimFilter filter;
    filter.runners = {"gpu"};
    CHECK(rehearsed(w, filter) == Strings{"a"});
}
