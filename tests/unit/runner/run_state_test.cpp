// SPDX-License-Identifier: Apache-2.0
// What a run decides, event by event.
#include "run_state_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Ids = std::vector<StartId>;

TEST_CASE("A run begins with a claim for all its slots and a look for dead runners") {
    StateFixture f;
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::batch);
    CHECK(f.state.batch().claim == 2);
    CHECK(f.state.batch().tick);
    CHECK(f.state.phase() == RunPhase::running);
    // One job at a time.
    CHECK(f.job() == StoreJob::none);
}

TEST_CASE("What was claimed is started, and the rest of the slots is asked for when something may be ready") {
    StateFixture f;
    f.run({"a"});
    // One of two: nothing more is ready.
    CHECK(f.job() == StoreJob::none);
    f.end("a");
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 2);
    REQUIRE(f.state.batch().ends.size() == 1);
    CHECK_FALSE(f.state.batch().tick);
    f.commit({StateFixture::attempt("b"), StateFixture::attempt("c")});
    CHECK(f.next().start.size() == 2);
    CHECK(f.job() == StoreJob::none);
    f.end("b");
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 1);
}

TEST_CASE("A run is finished when nothing of it runs and a look finds nothing to wait for") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.commit();
    const RunActions look = f.next();
    CHECK(look.job == StoreJob::inspect);
    CHECK(look.inspect.empty());
    CHECK_FALSE(f.state.finished());
    f.inspect({});
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
    CHECK(f.state.signal() == 0);
}

TEST_CASE("A run waits while others work, and looks for dead runners each second") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.commit();
    CHECK(f.job() == StoreJob::inspect);
    Inspection found;
    found.others_work = true;
    f.inspect({}, found);
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::none);
    CHECK(actions.wait_until == f.now + 1s);
    CHECK_FALSE(f.state.finished());
    f.now += 1s;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().tick);
    CHECK(f.state.batch().claim == 2);
}

TEST_CASE("A run waits for attempts that become ready later") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    WriteResult result;
    result.next_ready_in = 10s;
    f.commit({}, result);
    CHECK(f.job() == StoreJob::inspect);
    Inspection found;
    found.work_later = true;
    f.inspect({}, found);
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::none);
    CHECK(actions.wait_until == f.now + 10s);
    f.now += 10s;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 2);
}

TEST_CASE("An attempt that is ready by now, and was not when claimed, is claimed again in a moment") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.commit();
    CHECK(f.job() == StoreJob::inspect);
    Inspection found;
    found.work_later = true;
    f.inspect({}, found);
    CHECK(f.next().wait_until == f.now + 50ms);
    CHECK_FALSE(f.state.finished());
}

TEST_CASE("A stage past its timeout is stopped, marked for others to see, and ends as timed out") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    ClaimedAttempt claimed = StateFixture::attempt("a");
    claimed.stage.timeout = 5s;
    f.commit({claimed});
    CHECK(f.next().wait_until == f.now + 1s);
    f.now += 5s;
    const RunActions actions = f.next();
    CHECK(actions.stop == Ids{f.id("a")});
    CHECK(actions.job == StoreJob::batch);
    REQUIRE(f.state.batch().marks.size() == 1);
    CHECK(f.state.batch().marks.at(0).reason == "timed out after 5s");
    f.commit();
    // Once is enough.
    CHECK(f.next().stop.empty());
    f.end("a", 0);
    CHECK(f.job() == StoreJob::batch);
    const EndWrite& end = f.state.batch().ends.at(0);
    CHECK(end.event.failure == "timed out after 5s");
    CHECK(end.word.cause == Cause::timeout);
    CHECK(end.word.signalled);
}

TEST_CASE("A mark that could not be written is written again while its process runs, and not after") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    ClaimedAttempt claimed = StateFixture::attempt("a");
    claimed.stage.timeout = 5s;
    f.commit({claimed});
    CHECK(f.next().start.size() == 1);
    f.now += 5s;
    CHECK(f.job() == StoreJob::batch);
    f.fail(ErrorCode::locked);
    f.now += 1s;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().marks.size() == 1);
    f.end("a", 1);
    f.fail(ErrorCode::locked);
    f.now += 1s;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().marks.empty());
    CHECK(f.state.batch().ends.size() == 1);
}

TEST_CASE("An end waits a moment for another that is due, and no write begins meanwhile") {
    StateFixture f;
    // Writes take 900 us and commands 700 us.
    CHECK(f.job() == StoreJob::batch);
    f.now += 900us;
    f.commit({StateFixture::attempt("a"), StateFixture::attempt("b")});
    CHECK(f.next().start.size() == 2);
    f.now += 700us;
    f.end("a");
    const Duration until = f.now + 900us;
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::none);
    CHECK(actions.wait_until == until);
    f.end("b");
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().ends.size() == 2);
}

TEST_CASE("What others do to an attempt is found out by a look, at most each second") {
    StateFixture f;
    f.run({
        "a",
        "b",
    });
    CHECK(f.next().wait_until == f.now + 1s);
    f.now += 1s;
    CHECK(f.job() == StoreJob::look);
    f.state.looked(plan_at(++f.version), f.now);
    // The plan has changed: are a and b still ours?
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::inspect);
    CHECK(actions.inspect == std::vector<std::string>{"a", "b"});
    SECTION("They are") {
        f.inspect({{"a", StateFixture::held()}, {"b", StateFixture::held()}});
        CHECK(f.next().stop.empty());
    }
    SECTION("Somebody wants one to stop") {
        Attempt marked = StateFixture::held();
        marked.stopping.emplace().cause = Cause::cancelled;
        f.inspect({{"a", marked}, {"b", StateFixture::held()}});
        CHECK(f.next().stop == Ids{f.id("a")});
        f.end("a", 1);
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().ends.size() == 1);
    }
    SECTION("One has marked itself, and ends by itself") {
        Attempt marked = StateFixture::held();
        marked.stopping.emplace().from_inside = true;
        f.inspect({{"a", marked}, {"b", StateFixture::held()}});
        CHECK(f.next().stop.empty());
    }
    SECTION("One was taken from this run: nothing is written of it") {
        f.inspect({{"a", StateFixture::held(AttemptState::running, "other")}, {"b", StateFixture::held()}});
        CHECK(f.next().stop == Ids{f.id("a")});
        f.end("a");
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().ends.empty());
    }
}

TEST_CASE("A run beats while it runs something") {
    StateFixture f;
    f.run({"a", "b"});
    f.now += 10s;
    CHECK(f.job() == StoreJob::beat);
    f.state.beaten(f.now);
    CHECK(f.job() != StoreJob::beat);
}

TEST_CASE("A run that was idle for long beats as soon as it holds something") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.now += 1h;
    f.commit({StateFixture::attempt("a")});
    const RunActions actions = f.next();
    CHECK(actions.start.size() == 1);
    CHECK(actions.job == StoreJob::beat);
    CHECK(f.state.phase() == RunPhase::running);
}

TEST_CASE("A run that others will soon take for gone ends what it runs") {
    StateFixture f;
    f.run({"a"});
    f.now += 10s;
    CHECK(f.job() == StoreJob::beat);
    f.now += 30s;
    CHECK(f.next().stop == Ids{f.id("a")});
    CHECK(f.state.phase() == RunPhase::broken);
    CHECK(f.notes ==
          std::vector<std::string>{"the store could not be written for too long; ending what runs"});
}

TEST_CASE("Dead runners are looked for every two seconds while a slot is free") {
    StateFixture f;
    f.run({"a"});
    f.now += 1s;
    CHECK(f.job() == StoreJob::look);
    f.state.looked(plan_at(f.version), f.now);
    f.now += 1s;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().tick);
    CHECK(f.state.batch().claim == 1);
}

TEST_CASE("An attempt that cannot be started ends at once, and that is written") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.commit({StateFixture::attempt("a")});
    CHECK(f.next().start.size() == 1);
    f.state.not_started(f.id("a"), "args.command is empty", true, f.now);
    CHECK(f.job() == StoreJob::batch);
    const EndWrite& end = f.state.batch().ends.at(0);
    CHECK(end.event.failure == "args.command is empty");
    CHECK(end.word.cause == Cause::failed);
    CHECK(end.no_retry);
}

TEST_CASE("The store has the last word on how an attempt ended") {
    StateFixture f;
    f.run({"a"});
    f.end("a");
    CHECK(f.job() == StoreJob::batch);
    WriteResult result;
    result.ended.push_back({"a", 1, AttemptState::incomplete, Cause::cancelled, "not needed", 5s});
    f.commit({}, result);
    const RunActions actions = f.next();
    REQUIRE(actions.news.size() == 1);
    const auto& end = std::get<StageEnd>(actions.news.at(0));
    CHECK(end.failure == "not needed");
    CHECK(end.cause == Cause::cancelled);
    CHECK(end.retry_in == Duration(5s));
}
