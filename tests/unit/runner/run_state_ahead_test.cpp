// SPDX-License-Identifier: Apache-2.0
// What a run claims ahead: attempts that stay SCHEDULED until a slot is free.
#include "run_state_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Ids = std::vector<StartId>;

namespace {

std::vector<std::string> names(const std::vector<AttemptId>& attempts) {
    std::vector<std::string> names;
    for (const AttemptId& attempt : attempts) names.push_back(attempt.stage);
    return names;
}
std::vector<std::string> stages(const std::vector<RunActions::Start>& starts) {
    std::vector<std::string> names;
    for (const RunActions::Start& start : starts) names.push_back(start.attempt.stage.id);
    return names;
}
using Names = std::vector<std::string>;

/// `first` has run for so long and ended; its end is being written, with a claim ahead if that was short.
StateFixture after_command_of(Duration time, RunSettings settings = two_jobs()) {
    StateFixture f(std::move(settings));
    f.run({"first", "long"});
    f.now += time;
    f.end("first");
    REQUIRE(f.job() == StoreJob::batch);
    return f;
}

/// `long` and `a` run, `b` and `c` are held ahead.
StateFixture with_two_ahead() {
    StateFixture f = after_command_of(2ms);
    f.commit({StateFixture::attempt("a"), StateFixture::ahead("b"), StateFixture::ahead("c")});
    REQUIRE(stages(f.next().start) == Names{"a"});
    return f;
}

}  // namespace

TEST_CASE("As many attempts are claimed ahead as there are slots, once commands are known to be short") {
    StateFixture f;
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim == 2);
    CHECK(f.state.batch().claim_ahead == 0);
    f = after_command_of(100ms);
    CHECK(f.state.batch().claim == 1);
    CHECK(f.state.batch().claim_ahead == 2);
    f = after_command_of(101ms);
    CHECK(f.state.batch().claim == 1);
    CHECK(f.state.batch().claim_ahead == 0);
}

TEST_CASE("Under fail-fast nothing is claimed ahead") {
    RunSettings settings = two_jobs();
    settings.fail_fast = 1;
    StateFixture f = after_command_of(2ms, settings);
    CHECK(f.state.batch().claim_ahead == 0);
    f.commit();
    CHECK(f.job() == StoreJob::batch);
    CHECK(f.state.batch().claim_ahead == 0);
}

TEST_CASE("What was claimed ahead starts when a slot is free, and is RUNNING with the next batch") {
    StateFixture f = with_two_ahead();
    f.now += 2ms;
    f.end("a");
    const RunActions actions = f.next();
    CHECK(stages(actions.start) == Names{"b"});
    REQUIRE(actions.job == StoreJob::batch);
    const Batch& batch = f.state.batch();
    CHECK(batch.ends.size() == 1);
    CHECK(names(batch.started) == Names{"b"});
    // No slot is free; one more may wait beside c.
    CHECK(batch.claim == 0);
    CHECK(batch.claim_ahead == 1);
}

TEST_CASE("A slot for which an attempt is being claimed is given to no other") {
    StateFixture f = after_command_of(2ms);
    REQUIRE(f.state.batch().claim == 1);
    f.end("long");
    CHECK(f.next().start.empty());
    f.commit({StateFixture::attempt("a"), StateFixture::ahead("b"), StateFixture::ahead("c")});
    CHECK(stages(f.next().start) == Names{"a", "b"});
}

TEST_CASE("What ended before its start was written is written as an end alone, with how long it ran") {
    StateFixture f = with_two_ahead();
    f.end("a");
    REQUIRE(f.job() == StoreJob::batch);
    f.now += 3ms;
    f.end("long");
    CHECK(stages(f.next().start) == Names{"c"});
    f.now += 4ms;
    f.end("c");
    f.commit();
    REQUIRE(f.job() == StoreJob::batch);
    const Batch& batch = f.state.batch();
    CHECK(batch.started.empty());
    REQUIRE(batch.ends.size() == 2);
    CHECK(batch.ends.at(1).event.stage == "c");
    CHECK(batch.ends.at(1).word.ran_for == Duration(4ms));
}

TEST_CASE("What is not started within a second is given back, and not claimed again at once") {
    StateFixture f = with_two_ahead();
    CHECK(f.next().wait_until == f.now + 1s);
    f.now += 1s;
    REQUIRE(f.job() == StoreJob::batch);
    CHECK(names(f.state.batch().given_back) == Names{"b", "c"});
    CHECK(f.state.batch().claim_ahead == 0);
    f.commit();
    CHECK(f.job() == StoreJob::none);
}

TEST_CASE("However a run stops, the last batch gives back what it holds ahead") {
    StateFixture f = with_two_ahead();
    SECTION("a signal") { f.state.signalled(15, f.now); }
    SECTION("two signals") {
        f.state.signalled(15, f.now);
        f.state.signalled(15, f.now);
    }
    REQUIRE(f.job() == StoreJob::batch);
    CHECK(names(f.state.batch().given_back) == Names{"b", "c"});
    f.end("a", 1);
    f.end("long", 1);
    f.fail(ErrorCode::invalid_state);
    const RunActions actions = f.next();
    CHECK(actions.job == StoreJob::inspect);
    CHECK(actions.inspect.size() == 4);
    f.inspect({{"a", StateFixture::held()},
               {"long", StateFixture::held()},
               {"b", StateFixture::held(AttemptState::scheduled)},
               {"c", StateFixture::held(AttemptState::incomplete)}});
    REQUIRE(f.job() == StoreJob::batch);
    CHECK(names(f.state.batch().given_back) == Names{"b"});
    CHECK_FALSE(f.state.finished());
    f.commit();
    CHECK(f.job() == StoreJob::none);
    CHECK(f.state.finished());
}

TEST_CASE("What is claimed ahead while a run is told to stop is given back, not started") {
    StateFixture f = after_command_of(2ms);
    f.state.signalled(2, f.now);
    f.commit({StateFixture::ahead("b")});
    const RunActions actions = f.next();
    CHECK(actions.start.empty());
    REQUIRE(actions.job == StoreJob::batch);
    CHECK(names(f.state.batch().given_back) == Names{"b"});
}

TEST_CASE("A broken run leaves what it holds ahead to its last write") {
    StateFixture f = with_two_ahead();
    f.state.give_up(std::make_exception_ptr(Error(ErrorCode::store, "disk full")));
    CHECK(f.job() == StoreJob::none);
    f.end("a", 1);
    f.end("long", 1);
    static_cast<void>(f.next());
    CHECK(f.state.finished());
    CHECK(names(f.state.unwritten().given_back) == Names{"b", "c"});
}

TEST_CASE("When the start of an attempt is refused, its process is stopped and nothing is written of it") {
    StateFixture f = with_two_ahead();
    f.end("a");
    REQUIRE(f.job() == StoreJob::batch);
    f.fail(ErrorCode::conflict);
    REQUIRE(f.job() == StoreJob::inspect);
    SECTION("somebody else holds it") {
        f.inspect({{"a", StateFixture::held()},
                   {"long", StateFixture::held()},
                   {"b", StateFixture::held(AttemptState::running, "other")},
                   {"c", StateFixture::held(AttemptState::scheduled)}});
    }
    SECTION("it was cancelled") {
        f.inspect({{"a", StateFixture::held()},
                   {"long", StateFixture::held()},
                   {"b", StateFixture::held(AttemptState::incomplete)},
                   {"c", StateFixture::held(AttemptState::scheduled)}});
    }
    const RunActions actions = f.next();
    CHECK(actions.stop == Ids{f.id("b")});
    REQUIRE(actions.job == StoreJob::batch);
    CHECK(f.state.batch().started.empty());
    REQUIRE(f.state.batch().ends.size() == 1);
    f.commit();
    f.end("b", 1);
    CHECK(stages(f.next().start) == Names{"c"});
    CHECK(f.state.batch().ends.empty());
}

TEST_CASE("A start that could not be written is written again while its command runs") {
    StateFixture f = with_two_ahead();
    f.end("a");
    REQUIRE(f.job() == StoreJob::batch);
    f.fail(ErrorCode::locked);
    f.now += 1s;
    REQUIRE(f.job() == StoreJob::batch);
    CHECK(names(f.state.batch().started) == Names{"b"});
}

TEST_CASE("What was held ahead and is another's by now is forgotten") {
    StateFixture f = with_two_ahead();
    f.now += 500ms;
    f.end("a");
    REQUIRE(f.job() == StoreJob::batch);
    f.fail(ErrorCode::conflict);
    REQUIRE(f.job() == StoreJob::inspect);
    f.inspect({{"a", StateFixture::held()},
               {"long", StateFixture::held()},
               {"b", StateFixture::held(AttemptState::scheduled)},
               {"c", StateFixture::held(AttemptState::running, "other")}});
    REQUIRE(f.job() == StoreJob::batch);
    f.commit();
    f.end("b");
    CHECK(f.next().start.empty());
}
