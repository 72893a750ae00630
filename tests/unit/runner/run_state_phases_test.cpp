// SPDX-License-Identifier: Apache-2.0
// How a run comes to its end: each phase, and what it forbids.
#include "run_state_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Ids = std::vector<StartId>;

namespace {

RunSettings fail_fast() {
    RunSettings settings = two_jobs();
    settings.fail_fast = true;
    return settings;
}

RunSettings ten_minutes() {
    RunSettings settings = two_jobs();
    settings.timeout = 10min;
    return settings;
}

/// Two stages run, and the run is in `phase`.
StateFixture in_phase(RunPhase phase) {
    RunSettings settings = ten_minutes();
    settings.fail_fast = phase == RunPhase::draining;
    StateFixture f(settings);
    f.run({"a", "b"});
    switch (phase) {
        case RunPhase::draining:
            f.end("a", 1);
            static_cast<void>(f.next());
            f.commit();
            break;
        case RunPhase::timed_out:
            f.now += 10min;
            break;
        case RunPhase::killed:
            f.state.signalled(2);
            [[fallthrough]];
        case RunPhase::interrupted:
            f.state.signalled(15);
            break;
        case RunPhase::broken:
            f.state.give_up(std::make_exception_ptr(Error(ErrorCode::store, "disk full")));
            break;
        case RunPhase::running:
        case RunPhase::finished:
            break;
    }
    if (f.job() == StoreJob::beat) f.state.beaten(f.now);
    REQUIRE(f.state.phase() == phase);
    return f;
}

}  // namespace

TEST_CASE("Whatever stops a run, it moves forward only, and each cause comes in its place") {
    // from, and where a failed stage, the run's timeout, a signal, and a broken store lead
    struct Row {
        RunPhase from, after_timeout, after_signal, after_break;
    };
    using P = RunPhase;
    const Row row = GENERATE(Row{P::running, P::timed_out, P::interrupted, P::broken},
                             Row{P::draining, P::draining, P::interrupted, P::broken},
                             Row{P::timed_out, P::timed_out, P::interrupted, P::broken},
                             Row{P::interrupted, P::interrupted, P::killed, P::broken},
                             Row{P::killed, P::killed, P::killed, P::broken},
                             Row{P::broken, P::broken, P::broken, P::broken});
    CAPTURE(static_cast<int>(row.from));
    StateFixture timeout = in_phase(row.from);
    timeout.now = 1h + 10min;
    static_cast<void>(timeout.next());
    CHECK(timeout.state.phase() == row.after_timeout);
    StateFixture signal = in_phase(row.from);
    signal.state.signalled(1);
    CHECK(signal.state.phase() == row.after_signal);
    CHECK(signal.state.signal() != 0);
    StateFixture broken = in_phase(row.from);
    broken.state.give_up(std::make_exception_ptr(Error(ErrorCode::store, "disk full")));
    CHECK(broken.state.phase() == row.after_break);
    CHECK(broken.state.error() != nullptr);
}

TEST_CASE("No phase but the first claims, and each ends when its commands have ended and are written") {
    const RunPhase phase =
        GENERATE(RunPhase::draining, RunPhase::timed_out, RunPhase::interrupted, RunPhase::killed);
    CAPTURE(static_cast<int>(phase));
    StateFixture f = in_phase(phase);
    if (phase != RunPhase::draining) f.end("a", 1);
    f.end("b", 1);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 0);
    CHECK_FALSE(f.state.finished());
    f.commit();
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
}

TEST_CASE("With fail-fast the batch that carries an end claims nothing, as it may be a failure") {
    StateFixture f(fail_fast());
    f.run({"a", "b"});
    f.end("a");
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 0);
    f.commit();
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 1);
}

TEST_CASE("With fail-fast a failure that will be retried is none yet, and a failed check is one") {
    StateFixture f(fail_fast());
    f.run({"a"});
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    WriteResult result;
    SECTION("retried") {
        result.ended.push_back({"a", 1, AttemptState::incomplete, Cause::failed, "exit status 1", 1s});
        f.commit({}, result);
        CHECK(f.state.phase() == RunPhase::running);
    }
    SECTION("a check failed") {
        result.ended.push_back({"a", 1, AttemptState::incomplete, Cause::failed, "exit status 1", 1s});
        result.advanced.push_back({{NodeType::check, "c"}, State::waiting, State::final, Outcome::failed});
        f.commit({}, result);
        CHECK(f.state.phase() == RunPhase::draining);
    }
    SECTION("no retry is left") {
        f.commit();
        CHECK(f.state.phase() == RunPhase::draining);
    }
}

TEST_CASE("A draining run starts what it had claimed, and lets run what runs") {
    StateFixture f(fail_fast());
    f.run({"a"});
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    f.commit({StateFixture::attempt("b")});
    const RunActions actions = f.next();
    CHECK(actions.start.size() == 1);
    CHECK(actions.stop.empty());
}

TEST_CASE("What was claimed when a signal came is not started, and ends interrupted") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.state.signalled(2);
    f.commit({StateFixture::attempt("a")});
    const RunActions actions = f.next();
    CHECK(actions.start.empty());
    CHECK(actions.job == StoreJob::batch);
    const EndWrite& end = f.state.batch().ends.at(0);
    CHECK(end.event.failure == "interrupted by signal 2 (SIGINT)");
    CHECK(end.word.cause == Cause::interrupted);
    CHECK_FALSE(end.word.signalled);
}

TEST_CASE("The first signal stops, the second kills, and the exit tells the first") {
    StateFixture f;
    f.run({"a", "b"});
    f.state.signalled(15);
    RunActions actions = f.next();
    CHECK(actions.stop == Ids{f.id("a"), f.id("b")});
    CHECK(actions.kill.empty());
    f.state.signalled(2);
    actions = f.next();
    CHECK(actions.stop.empty());
    CHECK(actions.kill == Ids{f.id("a"), f.id("b")});
    CHECK(f.state.signal() == 15);
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().ends.at(0).event.failure == "interrupted by signal 15 (SIGTERM)");
}

TEST_CASE("A killed run does not wait for a locked store") {
    StateFixture f = in_phase(RunPhase::killed);
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    f.end("b", 1);
    f.fail(ErrorCode::locked);
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
    CHECK(f.state.error() == nullptr);
    CHECK(f.notes.back() == "the store says no: what ended last is not recorded");
}

TEST_CASE("A run past its time says so in what it ends") {
    StateFixture f = in_phase(RunPhase::timed_out);
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().ends.at(0).event.failure == "interrupted: the run timed out after 10m");
}

TEST_CASE("A broken run asks the store nothing more, and keeps what could not be written") {
    StateFixture f = in_phase(RunPhase::broken);
    f.end("a", 1);
    f.end("b", 1);
    f.now += 1min;
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
    CHECK(f.state.unwritten().ends.size() == 2);
    CHECK(f.state.error() != nullptr);
}

TEST_CASE("A locked store is tried again each second, for ever while something runs") {
    StateFixture f;
    f.run({"a", "b"});
    f.end("a");
    for (int i = 0; i < 9; ++i) {
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().ends.size() == 1);
        f.fail(ErrorCode::locked);
        const RunActions actions = f.next();
        CHECK(actions.job == StoreJob::none);
        CHECK(actions.wait_until == f.now + 1s);
        f.now += 1s;
    }
    CHECK(f.state.phase() == RunPhase::running);
    CHECK(f.notes.size() == 9);
}

TEST_CASE("A store that stays locked while nothing runs ends the run at the sixth try") {
    StateFixture f;
    for (int i = 1; i <= 6; ++i) {
        CHECK(f.state.phase() == RunPhase::running);
        CHECK(f.job() == StoreJob::batch);
        f.fail(ErrorCode::locked);
        f.now += 1s;
    }
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
    CHECK(f.state.error() != nullptr);
}

TEST_CASE("A batch that is refused for the state of an attempt is written again without it") {
    const ErrorCode code = GENERATE(ErrorCode::invalid_state, ErrorCode::conflict);
    StateFixture f;
    f.run({"a", "b"});
    f.end("a");
    f.end("b");
    CHECK(f.job() == StoreJob::batch);
    f.fail(code);
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::inspect);
    CHECK(actions.inspect == std::vector<std::string>{"a", "b"});
    f.inspect({{"a", StateFixture::held(AttemptState::incomplete)}, {"b", StateFixture::held()}});
    CHECK(f.job() == StoreJob::batch);
    REQUIRE(f.state.batch().ends.size() == 1);
    CHECK(f.state.batch().ends.at(0).event.stage == "b");
}

TEST_CASE("A batch that is refused three times breaks the run") {
    StateFixture f;
    f.run({"a", "b"});
    f.end("a");
    for (int i = 1; i <= 3; ++i) {
        CHECK(f.state.phase() == RunPhase::running);
        CHECK(f.job() == StoreJob::batch);
        f.fail(ErrorCode::conflict);
        if (i == 3) break;
        CHECK(f.job() == StoreJob::inspect);
        f.inspect({{"a", StateFixture::held()}, {"b", StateFixture::held()}});
    }
    CHECK(f.state.phase() == RunPhase::broken);
    CHECK(f.next().stop == Ids{f.id("b")});
}

TEST_CASE("A store that breaks under a batch ends the run and keeps the ends") {
    const bool by_error = GENERATE(true, false);
    StateFixture f;
    f.run({"a", "b"});
    f.end("a");
    CHECK(f.job() == StoreJob::batch);
    if (by_error)
        f.fail(ErrorCode::store);
    else
        f.state.job_broken(std::make_exception_ptr(std::bad_alloc()), f.now);
    CHECK(f.next().stop == Ids{f.id("b")});
    f.end("b", 1);
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
    CHECK(f.state.unwritten().ends.size() == 2);
}
