// SPDX-License-Identifier: Apache-2.0
// How a run comes to its end: each phase, and what it forbids.
#include "run_state_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Ids = std::vector<StartId>;

namespace {

RunSettings fail_fast() {
    RunSettings settings = two_jobs();
    settings.fail_fast = 1;
    settings.cleanup_timeout = 5min;
    return settings;
}

RunSettings ten_minutes() {
    RunSettings settings = two_jobs();
    settings.timeout = 10min;
    settings.lost_after = 24h;  // no beats come between
    settings.cleanup_timeout = 5min;
    return settings;
}

/// Two stages run, and the run is in `phase`.
StateFixture in_phase(RunPhase phase) {
    RunSettings settings = ten_minutes();
    StateFixture f(settings);
    f.run({"a", "b"});
    switch (phase) {
        case RunPhase::timed_out:
        case RunPhase::cleaning_up:
            f.now += 10min;
            static_cast<void>(f.next());
            if (phase == RunPhase::timed_out) {
                f.now += 5min;
                f.commit();
                static_cast<void>(f.next());
                f.commit();
            }
            break;
        case RunPhase::killed:
            f.state.signalled(2, f.now);
            [[fallthrough]];
        case RunPhase::interrupted:
            f.state.signalled(15, f.now);
            break;
        case RunPhase::broken:
            f.state.give_up(std::make_exception_ptr(Error(ErrorCode::store, "disk full")));
            break;
        case RunPhase::draining:
            f.state.drain();
            break;
        case RunPhase::running:
        case RunPhase::finished:
            break;
    }
    const StoreJob job = f.job();
    if (job == StoreJob::beat) f.state.beaten(f.now);
    if (job == StoreJob::inspect) f.inspect({{"a", StateFixture::held()}, {"b", StateFixture::held()}});
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
    const Row row = GENERATE(Row{P::running, P::cleaning_up, P::interrupted, P::broken},
                             Row{P::cleaning_up, P::timed_out, P::interrupted, P::broken},
                             Row{P::timed_out, P::timed_out, P::interrupted, P::broken},
                             Row{P::interrupted, P::interrupted, P::killed, P::broken},
                             Row{P::killed, P::killed, P::killed, P::broken},
                             Row{P::broken, P::broken, P::broken, P::broken});
    CAPTURE(static_cast<int>(row.from));
    StateFixture timeout = in_phase(row.from);
    timeout.now += row.from == P::running ? 10min : 5min;
    static_cast<void>(timeout.next());
    CHECK(timeout.state.phase() == row.after_timeout);
    StateFixture signal = in_phase(row.from);
    signal.state.signalled(1, signal.now);
    CHECK(signal.state.phase() == row.after_signal);
    CHECK(signal.state.signal() != 0);
    StateFixture broken = in_phase(row.from);
    broken.state.give_up(std::make_exception_ptr(Error(ErrorCode::store, "disk full")));
    CHECK(broken.state.phase() == row.after_break);
    CHECK(broken.state.error() != nullptr);
}

TEST_CASE(
    "A phase that starts nothing claims nothing, and ends when its commands have ended and are written") {
    const RunPhase phase = GENERATE(RunPhase::timed_out, RunPhase::interrupted, RunPhase::killed);
    CAPTURE(static_cast<int>(phase));
    StateFixture f = in_phase(phase);
    f.end("a", 1);
    f.end("b", 1);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 0);
    CHECK_FALSE(f.state.finished());
    f.commit();
    if (f.job() == StoreJob::inspect) {
        f.inspect({});
        CHECK(f.job() == StoreJob::none);
    }
    CHECK(f.state.finished());
}

TEST_CASE("A run past its time cancels what is left, stops what the store marks, and claims what cleans up") {
    StateFixture f(ten_minutes());
    f.run({"a", "b"});
    f.now += 10min;
    const RunActions actions = f.next();
    CHECK(actions.stop.empty());
    CHECK(actions.job == StoreJob::batch);
    CHECK(f.state.batch().cancel == "the run timed out after 10m");
    CHECK_FALSE(f.state.batch().cancel_all);
    f.commit();
    // Which of them are to end is the store's to say.
    CHECK(f.job() == StoreJob::inspect);
    Attempt marked = StateFixture::held();
    marked.stopping = Stopping{};
    f.inspect({{"a", marked}, {"b", StateFixture::held()}});
    CHECK(f.next().stop == Ids{f.id("a")});
    f.end("a", 1);
    f.commit({StateFixture::attempt("clean")});
    CHECK(f.next().start.size() == 1);
    f.now += 5min;
    const RunActions late = f.next();
    CHECK(f.state.phase() == RunPhase::timed_out);
    CHECK(late.stop.size() == 2);
    CHECK(f.notes.back() == "the clean-up timed out after 5m");
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

TEST_CASE("With fail-fast what may be a failure is judged before anything is claimed") {
    StateFixture f(fail_fast());
    f.run({"a"});
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    WriteResult result;
    Inspection found;
    SECTION("what is retried is none") {
        result.ended.push_back({"a", 1, AttemptState::incomplete, Cause::failed, "exit status 1", 1s});
        f.commit({}, result);
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().claim > 0);
        CHECK(f.state.phase() == RunPhase::running);
        return;
    }
    SECTION("one that the verdict does not count") {
        f.commit();
        const RunActions actions = f.next();
        CHECK(actions.job == StoreJob::inspect);
        CHECK(actions.judge);
        f.inspect({}, found);
        CHECK(f.state.phase() == RunPhase::running);
        return;
    }
    SECTION("a check that failed") {
        result.ended.push_back({"a", 1, AttemptState::incomplete, Cause::failed, "exit status 1", 1s});
        result.advanced.push_back({{NodeType::check, "c"}, State::waiting, State::final, Outcome::failed});
        f.commit({}, result);
    }
    SECTION("a stage without a retry left") { f.commit(); }
    CHECK(f.next().judge);
    found.failures = 1;
    f.inspect({}, found);
    CHECK(f.state.phase() == RunPhase::cleaning_up);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().cancel == "a stage or check failed");
}

TEST_CASE("A limit of two failures lets one pass") {
    RunSettings settings = fail_fast();
    settings.fail_fast = 2;
    StateFixture f(settings);
    f.run({"a"});
    for (const std::size_t failures : {1, 2}) {
        f.end("a", 1);
        CHECK(f.job() == StoreJob::batch);
        f.commit();
        CHECK(f.next().judge);
        Inspection found;
        found.failures = failures;
        f.inspect({}, found);
        CHECK((f.state.phase() == RunPhase::cleaning_up) == (failures == 2));
        if (failures == 2) return;
        CHECK(f.job() == StoreJob::batch);
        f.commit({StateFixture::attempt("a")});
        CHECK(f.next().start.size() == 1);
    }
}

TEST_CASE("A signal may cancel the run instead, and the second one stops it") {
    RunSettings settings = two_jobs();
    settings.cancel_on_signal = true;
    settings.cleanup_timeout = 5min;
    StateFixture f(settings);
    f.run({"a"});
    f.state.signalled(15, f.now);
    CHECK(f.state.phase() == RunPhase::cleaning_up);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().cancel == "signal 15 (SIGTERM)");
    f.state.signalled(15, f.now);
    CHECK(f.state.phase() == RunPhase::killed);
    CHECK(f.state.signal() == 15);
}

TEST_CASE("A command that writes nothing for too long is stopped, and what it writes buys it time") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    ClaimedAttempt quiet = StateFixture::attempt("quiet");
    quiet.stage.silence = 10s;
    f.commit({quiet});
    CHECK(f.next().start.size() == 1);
    f.now += 9s;
    f.state.heard(f.id("quiet"), f.now - 1s);
    CHECK(f.next().stop.empty());
    f.now += 8s;
    CHECK(f.next().stop.empty());
    f.now += 1s;
    CHECK(f.next().stop == Ids{f.id("quiet")});
    f.end("quiet", 1);
    f.commit();
    static_cast<void>(f.job());
    const EndWrite& end = f.state.batch().ends.at(0);
    CHECK(end.word.cause == Cause::silent);
    CHECK(end.event.failure == "no output for 10s");
}

TEST_CASE("What was claimed when a signal came is not started, and ends interrupted") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    f.state.signalled(2, f.now);
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
    f.state.signalled(15, f.now);
    RunActions actions = f.next();
    CHECK(actions.stop == Ids{f.id("a"), f.id("b")});
    CHECK(actions.kill.empty());
    f.state.signalled(2, f.now);
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

TEST_CASE("What cleans up for too long is cancelled") {
    StateFixture f = in_phase(RunPhase::timed_out);
    f.end("a", 1);
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().ends.at(0).event.failure == "cancelled: it cleaned up for too long");
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

TEST_CASE("A store that cannot be reached is tried again as a locked one") {
    StateFixture f;
    f.run({"a"});
    f.end("a");
    for (int i = 1; i <= 6; ++i) {
        CHECK(f.state.phase() == RunPhase::running);
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().ends.size() == 1);
        f.lose_connection();
        f.now += 1s;
    }
    CHECK(f.state.phase() == RunPhase::broken);
    CHECK(f.state.unwritten().ends.size() == 1);
}

TEST_CASE("A run of a worker keeps what ended until the store has it, unless the worker ends") {
    RunSettings settings = two_jobs();
    settings.beats = false;
    StateFixture f(settings);
    f.run({"a"});
    f.end("a");
    for (int i = 0; i < 20; ++i) {
        CHECK(f.job() == StoreJob::batch);
        CHECK(f.state.batch().ends.size() == 1);
        f.lose_connection();
        f.now += 1s;
    }
    CHECK(f.state.phase() == RunPhase::running);
    f.state.drain();
    CHECK(f.job() == StoreJob::batch);
    f.lose_connection();
    CHECK(f.state.phase() == RunPhase::broken);
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
