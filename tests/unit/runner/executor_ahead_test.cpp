// SPDX-License-Identifier: Apache-2.0
// Attempts that are claimed ahead, in a real store.
#include <algorithm>

#include "executor_fixture.hpp"

using namespace turboci;
using namespace turboci::test;
using Strings = std::vector<std::string>;

namespace {

std::string ten_short_stages() {
    std::string yaml = "stages: [";
    for (int i = 0; i < 10; ++i) yaml += "{id: s" + std::to_string(i) + ", args: {command: [ok, 1ms]}},";
    return yaml + "]";
}

/// One slot: two short commands, and a third, claimed ahead, whose start the store does not take for a
/// second.
struct UnwrittenStart : RunFixture {
    UnwrittenStart()
        : RunFixture(
              "stages: [{id: a, args: {command: [ok, 10ms]}}, {id: b, args: {command: [ok, 10ms]}}, "
              "{id: c, args: {command: [ok, 5s]}}]") {
        options.jobs = 1;
        runner.at.emplace(1h + 15ms, [this] { store->refuse = 1; });
    }
    AttemptState state_of_c() { return stage("c").attempts.at(0).state; }
};

}  // namespace

TEST_CASE("Short stages are held SCHEDULED by their run before they start, and have a beginning and an end") {
    RunFixture f(ten_short_stages());
    std::size_t scheduled = 0;
    f.runner.on_start = [&](const std::string&) {
        for (int i = 0; i < 10; ++i) {
            const Attempt attempt = f.stage("s" + std::to_string(i)).attempts.at(0);
            if (attempt.state == AttemptState::scheduled) ++scheduled;
        }
    };
    CHECK(f.run().exit_code == 0);
    CHECK(scheduled > 0);
    CHECK(f.runner.most_at_once == 2);
    CHECK(f.runner.started.size() == 10);
    for (int i = 0; i < 10; ++i) {
        const Attempt attempt = f.stage("s" + std::to_string(i)).attempts.at(0);
        CHECK(attempt.state == AttemptState::complete);
        CHECK(attempt.started_at);
        CHECK(attempt.ended_at);
    }
}

TEST_CASE("After a signal nothing is held that was not started") {
    RunFixture f(ten_short_stages());
    f.runner.on_start = [&](const std::string&) {
        if (f.runner.started.size() == 5) f.runner.signals = {2};
    };
    CHECK(f.run().exit_code == 130);
    CHECK(f.runner.started.size() <= 6);
    for (int i = 0; i < 10; ++i) {
        const std::string id = "s" + std::to_string(i);
        CAPTURE(id);
        const bool started = std::count(f.runner.started.begin(), f.runner.started.end(), id) > 0;
        const Attempt attempt = f.stage(id).attempts.back();
        CHECK(attempt.state != AttemptState::scheduled);
        if (!started) CHECK(attempt.state == AttemptState::pending);
        if (!started) CHECK(attempt.process_uid.empty());
        if (!started) CHECK(f.stage(id).attempts.size() == 1);
    }
}

TEST_CASE("A stage that is cancelled before its start is in the store is stopped, and the rest is written") {
    UnwrittenStart f;
    f.runner.at.emplace(1h + 500ms, [&] {
        CHECK(f.state_of_c() == AttemptState::scheduled);
        f.cancel("c");
        CHECK(f.stage("c").outcome == Outcome::cancelled);
    });
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.stopped == Strings{"c"});
    CHECK(f.stage("b").outcome == Outcome::passed);
    CHECK(f.stage("c").attempts.size() == 1);
    CHECK(f.hearer.summary.elapsed < 2s);
}

TEST_CASE("A stage that speaks before its start is in the store has begun: complete ends nothing") {
    UnwrittenStart f;
    f.runner.at.emplace(1h + 500ms, [&] {
        f.write("stages: [{id: c, attempt: {state: COMPLETE}}]", AttemptRef{"c", 1});
        CHECK(f.state_of_c() == AttemptState::scheduled);
    });
    CHECK(f.run().exit_code == 0);
    CHECK(f.runner.stopped.empty());
    CHECK(f.stage("c").outcome == Outcome::passed);
}

TEST_CASE(
    "A stage that fails itself before its start is in the store ends as it said, when its process ends") {
    UnwrittenStart f;
    f.runner.at.emplace(1h + 500ms, [&] {
        f.write("stages: [{id: c, attempt: {state: INCOMPLETE, failure: no}}]", AttemptRef{"c", 1});
        CHECK(f.state_of_c() == AttemptState::scheduled);
    });
    CHECK(f.run().exit_code == 1);
    CHECK(f.runner.stopped.empty());
    CHECK(f.stage("c").attempts.at(0).failure == "no");
    CHECK(f.hearer.summary.elapsed > 5s);
}
