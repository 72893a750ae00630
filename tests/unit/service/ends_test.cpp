// SPDX-License-Identifier: Apache-2.0
// How attempts end, who may end them, and what follows.
#include "domain/attempt_token.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

const RunnerIdentity kRunner{"host", "boot", 42, 7};

/// A plan whose stage s is executed by a runner that lives until told otherwise.
struct Run {
    World w;
    Liveness liveness = Liveness::alive;

    explicit Run(const std::string& more = "", const std::string& rest = "") {
        w.service->set_runner_probe([this](const RunnerIdentity&) { return liveness; });
        w.write("stages:\n  - {id: s" + more +
                "}\n  - {id: down, dependencies: [{node: stage:s, when: always}]}\n" + rest);
        claim();
    }
    ClaimedAttempt claim(const std::string& holder = "me") {
        WriteNodes r = World::request("{}");
        Claim& wanted = r.claim.emplace();
        wanted.stages = {"s"};
        wanted.process_uid = "run:host:42:7";
        wanted.holder = holder;
        wanted.runner = kRunner;
        auto result = w.write(r);
        return result.claimed.empty() ? ClaimedAttempt{} : result.claimed.at(0);
    }
    static WriteNodes holder_write(const std::string& attempt, const HolderWord& word) {
        WriteNodes r = World::request("stages: [{id: s, attempt: {" + attempt + "}}]");
        change(r.stages, 0, [&](StageWrite& write) { write.attempt->holder = word; });
        return r;
    }
    WriteResult end(const std::string& attempt, HolderWord word = {}) {
        word.identity = "me";
        return w.write(holder_write(attempt, word));
    }
    Attempt attempt(std::size_t number) { return w.stage("s").attempts.at(number - 1); }
    void cancel(const std::string& reason = "") {
        WriteNodes r = World::request("stages: [{id: s, cancel: true}]");
        r.reason = reason;
        w.write(r);
    }
};

HolderWord signalled() {
    HolderWord word;
    word.signalled = true;
    return word;
}

}  // namespace

TEST_CASE(
    "Whoever asks for the end of what a live runner executes, nothing follows before its process has ended") {
    for (const std::string ask : {"cancel: true", "attempt: {state: INCOMPLETE, failure: gone}"}) {
        CAPTURE(ask);
        Run run(", retry: {max_retries: 1}");
        WriteNodes r = World::request("stages: [{id: s, " + ask + "}]");
        r.reason = "superseded";
        r.actor = "ann";
        run.w.write(r);
        CHECK(run.w.state("stage:s") == "ATTEMPTING");
        CHECK(run.w.state("stage:down") == "PLANNED");
        REQUIRE(run.attempt(1).stopping);
        CHECK(run.attempt(1).state == AttemptState::running);
        CHECK(run.attempt(1).stopping->by == "ann");
        const bool cancels = ask == "cancel: true";
        CHECK(run.attempt(1).stopping->cause == (cancels ? Cause::cancelled : Cause::failed));
        CHECK(run.w.refused_claim("s", "other") == ErrorCode::conflict);
        const auto version = run.w.version();
        run.w.write(r);  // said again it changes nothing
        CHECK(run.w.version() == version);
        run.end("state: COMPLETE", signalled());
        CHECK(run.attempt(1).state == AttemptState::incomplete);
        CHECK(run.attempt(1).cause == (cancels ? Cause::cancelled : Cause::failed));
        CHECK(run.attempt(1).failure == (cancels ? "superseded" : "gone"));
        CHECK(run.w.state("stage:s") == (cancels ? "FINAL cancelled" : "ATTEMPTING"));
        CHECK(run.w.state("stage:down") == (cancels ? "ATTEMPTING" : "PLANNED"));
    }
}

TEST_CASE("Only the holder can say that the work ran to its end") {
    Run run;
    CHECK(run.w.refused("stages: [{id: s, attempt: {state: COMPLETE}}]") == ErrorCode::invalid_state);
    HolderWord other;
    other.identity = "somebody else";
    CHECK(run.w.refused(Run::holder_write("state: COMPLETE", other)) == ErrorCode::conflict);
    run.end("state: COMPLETE");
    CHECK(run.w.state("stage:s") == "FINAL passed");
    const auto version = run.w.version();
    run.end("state: INCOMPLETE, failure: told twice");
    CHECK(run.w.version() == version);
}

TEST_CASE("A mark makes an end worse, never better, and not where the process ended before it was told to") {
    struct Row {
        const char* told;   // by others
        const char* ended;  // by the process
        bool signalled;
        std::optional<Cause> cause;  // of the end; none: COMPLETE
        const char* state;
    };
    for (const Row& row :
         {Row{"", "state: COMPLETE", false, std::nullopt, "FINAL passed"},
          Row{"", "state: INCOMPLETE", false, Cause::failed, "FINAL failed"},
          Row{"cancel: true", "state: COMPLETE", false, std::nullopt, "FINAL passed"},
          Row{"cancel: true", "state: COMPLETE", true, Cause::cancelled, "FINAL cancelled"},
          Row{"cancel: true", "state: INCOMPLETE", true, Cause::cancelled, "FINAL cancelled"},
          Row{"cancel: true", "state: INCOMPLETE", false, Cause::failed, "FINAL cancelled"},
          Row{"attempt: {state: INCOMPLETE}", "state: COMPLETE", false, std::nullopt, "FINAL passed"},
          Row{"attempt: {state: INCOMPLETE}", "state: COMPLETE", true, Cause::failed, "FINAL failed"}}) {
        CAPTURE(row.told, row.ended, row.signalled);
        Run run;
        if (row.told[0] != '\0') run.w.write("stages: [{id: s, " + std::string(row.told) + "}]");
        HolderWord word;
        word.signalled = row.signalled;
        run.end(row.ended, word);
        CHECK(run.attempt(1).cause == row.cause);
        CHECK(run.w.state("stage:s") == row.state);
    }
}

TEST_CASE("From inside, a fail or cancel counts whatever the exit status, and a complete changes nothing") {
    for (const std::string told :
         {"cancel: true", "attempt: {state: INCOMPLETE, failure: x}", "attempt: {state: COMPLETE}"}) {
        CAPTURE(told);
        Run run;
        WriteNodes r = World::request("stages: [{id: s, " + told + "}]");
        r.inside = AttemptRef{"s", 1};
        run.w.write(r);
        CHECK(run.attempt(1).state == AttemptState::running);
        const bool marks =
            told.find("COMPLETE}") == std::string::npos || told.find("INCOMPLETE") != std::string::npos;
        CHECK(run.attempt(1).stopping.has_value() == marks);
        if (marks) CHECK(run.attempt(1).stopping->from_inside);
        const WriteResult result = run.end("state: COMPLETE");
        REQUIRE(result.ended.size() == 1);
        CHECK(result.ended[0].state == (marks ? AttemptState::incomplete : AttemptState::complete));
        if (told.find("failure") != std::string::npos) CHECK(result.ended[0].failure == "x");
    }
}

TEST_CASE("The first mark stands, but a cancel replaces any") {
    Run run;
    run.w.write("stages: [{id: s, attempt: {state: INCOMPLETE, failure: one}}]");
    run.w.write("stages: [{id: s, attempt: {state: INCOMPLETE, failure: two}}]");
    CHECK(run.attempt(1).stopping->reason == "one");
    run.cancel("three");
    CHECK(run.attempt(1).stopping->cause == Cause::cancelled);
    run.w.write("stages: [{id: s, attempt: {state: INCOMPLETE, failure: four}}]");
    run.cancel("five");
    CHECK(run.attempt(1).stopping->reason == "three");
}

TEST_CASE("A timeout is the runner's to enforce; when it should be over, others mark it and still wait") {
    Run run(", timeout: 5s");
    run.w.clock.advance(6s);
    run.w.tick();
    CHECK_FALSE(run.attempt(1).stopping);
    run.w.clock.advance(10s);
    run.w.tick();
    REQUIRE(run.attempt(1).stopping);
    CHECK(run.attempt(1).stopping->cause == Cause::timeout);
    CHECK(run.attempt(1).state == AttemptState::running);
    run.end("state: COMPLETE", signalled());
    CHECK(run.attempt(1).cause == Cause::timeout);
}

TEST_CASE("Lost and interrupted attempts use up no retry, wait for none, and ten in a row end the stage") {
    for (const Cause cause : {Cause::lost, Cause::interrupted}) {
        Run run(", retry: {max_retries: 1, backoff: 1h}");
        for (int i = 1; i <= kMaxInterruptions; ++i) {
            if (cause == Cause::lost) {
                run.liveness = Liveness::gone;
                run.w.tick();
                run.liveness = Liveness::alive;
            } else {
                HolderWord word = signalled();
                word.cause = Cause::interrupted;
                run.end("state: INCOMPLETE, failure: interrupted by SIGINT", word);
            }
            CHECK(run.attempt(static_cast<std::size_t>(i)).cause == cause);
            if (i < kMaxInterruptions) CHECK(run.claim().idx == i + 1);
        }
        CHECK(run.w.state("stage:s") == "FINAL failed");
        CHECK(run.w.stage("s").concluded_reason == ConcludedReason::interrupted_too_often);
    }
}

TEST_CASE(
    "Backoff doubles by retries, not by attempts, and an interruption does not break the row of retries") {
    Run run(", retry: {max_retries: 2, backoff: 10s}");
    HolderWord interrupted;
    interrupted.cause = Cause::interrupted;
    run.end("state: INCOMPLETE, failure: x", interrupted);
    run.claim();
    run.end("state: INCOMPLETE, failure: y");
    CHECK(*run.attempt(3).not_before - run.attempt(3).created_at == 10s);
    run.w.clock.advance(10s);
    run.claim();
    run.end("state: INCOMPLETE, failure: z", interrupted);
    CHECK_FALSE(run.attempt(4).not_before);
    run.claim();
    run.end("state: INCOMPLETE, failure: y");
    CHECK(*run.attempt(5).not_before - run.attempt(5).created_at == 20s);
    run.w.clock.advance(20s);
    run.claim();
    run.end("state: INCOMPLETE, failure: y");
    CHECK(run.w.stage("s").concluded_reason == ConcludedReason::no_retries_left);
}

TEST_CASE("A runner that cannot be looked for is alive while it beats, and lost after a minute of silence") {
    Run run;
    run.liveness = Liveness::unknown;
    run.w.clock.advance(59s);
    run.w.tick();
    CHECK(run.attempt(1).state == AttemptState::running);
    CHECK_FALSE(run.w.service->beat({.holder = "me"}));
    run.w.clock.advance(59s);
    run.w.tick();
    CHECK(run.attempt(1).state == AttemptState::running);
    run.w.clock.advance(1s);
    run.w.tick();
    CHECK(run.attempt(1).cause == Cause::lost);
    CHECK(run.attempt(2).state == AttemptState::pending);
    // Its late word is another attempt's no more.
    CHECK(run.w.refused(Run::holder_write("idx: 2, state: COMPLETE", {.identity = "me"})) ==
          ErrorCode::conflict);
    CHECK(run.attempt(2).state == AttemptState::pending);
}

TEST_CASE("The latest beat counts, also when the clock was set back since the one before") {
    Run run;
    run.liveness = Liveness::unknown;
    CHECK_FALSE(run.w.service->beat({.holder = "me"}));
    run.w.clock.reading.wall -= 1h;
    CHECK_FALSE(run.w.service->beat({.holder = "me"}));
    run.w.clock.advance(60s);
    run.w.tick();
    CHECK(run.attempt(1).cause == Cause::lost);
}

TEST_CASE("Of an attempt that has been followed by another only its holder may speak") {
    Run run(", retry: {max_retries: 3}");
    run.end("state: INCOMPLETE, failure: broken");
    const auto version = run.w.version();
    for (const char* said : {"idx: 1", "idx: 1, state: INCOMPLETE", "idx: 1, progress: [x]"}) {
        CAPTURE(said);
        CHECK(run.w.refused(Run::holder_write(said, {.identity = "another"})) == ErrorCode::conflict);
    }
    run.end("idx: 1, state: INCOMPLETE, failure: broken");  // says it again
    CHECK(run.w.version() == version);
    // One that nobody held has no holder that could speak.
    run.w.write("stages: [{id: s, attempt: {idx: 2, state: INCOMPLETE}}]");
    CHECK(run.w.refused(Run::holder_write("idx: 2", {.identity = "me"})) == ErrorCode::conflict);
}

TEST_CASE("News beside a second wish for the end count, and what is known already is none") {
    for (const std::string before : {"cancel: true", "attempt: {state: INCOMPLETE, details: {k: 1}}"}) {
        CAPTURE(before);
        Run run;
        run.w.write("stages: [{id: s, " + before + "}]");
        const auto wish = [&](const std::string& news) {
            const auto version = run.w.version();
            run.w.write("stages: [{id: s, attempt: {state: INCOMPLETE, " + news + "}}]");
            return run.w.version() - version;
        };
        CHECK(wish("details: {j: 2}") == 1);
        CHECK(wish("details: {j: 2}") == 0);
        CHECK(wish("details: {}") == 0);
        CHECK(wish("progress: [on]") == 1);
        CHECK(run.attempt(1).details.text.find(R"("j":2)") != std::string::npos);
    }
}

TEST_CASE("What a runner that is gone was told to stop ends as it was told") {
    Run run(", retry: {max_retries: 3}");
    run.cancel("superseded");
    run.liveness = Liveness::gone;
    run.w.tick();
    CHECK(run.w.state("stage:s") == "FINAL cancelled");
    CHECK(run.attempt(1).cause == Cause::cancelled);
}

TEST_CASE("What is asked of an attempt whose runner is gone is asked of what follows it") {
    Run run(", retry: {max_retries: 3}");
    run.liveness = Liveness::gone;
    run.cancel();
    CHECK(run.w.state("stage:s") == "FINAL cancelled");
    CHECK(run.attempt(1).cause == Cause::lost);
    CHECK(run.attempt(2).cause == Cause::cancelled);
    Run skipped(", retry: {max_retries: 3}");
    skipped.liveness = Liveness::gone;
    skipped.w.write("stages: [{id: s, skip: true}]");
    CHECK(skipped.w.state("stage:s") == "FINAL skipped");
    CHECK(skipped.attempt(1).cause == Cause::lost);
}

TEST_CASE("A SCHEDULED attempt goes back to PENDING, under its number") {
    World w;
    w.write("stages: [{id: s}]");
    w.write("stages: [{id: s, attempt: {state: SCHEDULED, process_uid: w1}}]");
    CHECK(w.refused("stages: [{id: s, attempt: {state: PENDING, process_uid: w2}}]") == ErrorCode::conflict);
    w.write("stages: [{id: s, attempt: {state: PENDING}}]");
    CHECK(w.stage("s").attempts.size() == 1);
    CHECK(w.stage("s").attempts[0].process_uid.empty());
    w.claim("s", "w2");
    CHECK(w.refused("stages: [{id: s, attempt: {state: PENDING}}]") == ErrorCode::invalid_state);
}

TEST_CASE(
    "A write with the token of an attempt that is not the current one is a conflict and changes nothing") {
    Run run(", retry: {max_retries: 1}", "checks: [{id: c, state: PLANNED}]");
    const std::string old = run.claim("me").token;
    run.w.write("stages: [{id: s, attempt: {progress: [news]}}]");
    WriteNodes report = World::request("checks: [{id: c, result: {data: {n: 1}}}]");
    const auto with = [&](const std::string& token) {
        report.token = token;
        return run.w.refused(report);
    };
    AttemptToken token;
    token.store = "x";
    CHECK_FALSE(parse_attempt_token("nonsense"));
    CHECK(with("nonsense") == ErrorCode::invalid_argument);
    WriteNodes claim = World::request("{}");
    claim.claim = Claim{.stages = {"s"}, .process_uid = "run:host:42:7"};
    const std::string mine = run.w.write(claim).claimed.at(0).token;
    token = *parse_attempt_token(mine);
    CHECK(token.stage == "s");
    CHECK(token.idx == 1);
    AttemptToken changed = token;
    changed.plan_identity = "another";
    CHECK(with(to_string(changed)) == ErrorCode::conflict);
    changed = token;
    changed.holder = "another";
    CHECK(with(to_string(changed)) == ErrorCode::conflict);
    changed = token;
    changed.idx = 2;
    CHECK(with(to_string(changed)) == ErrorCode::conflict);
    report.inside = AttemptRef{"down", 1};
    CHECK(with(mine) == ErrorCode::conflict);
    report.inside.reset();
    // Of another store or another plan it says nothing.
    changed = token;
    changed.store = "another";
    report.token = to_string(changed);
    run.w.write(report);
    changed = token;
    changed.plan = "another";
    report.token = to_string(changed);
    run.w.write(report);
    run.end("state: INCOMPLETE, failure: x");
    CHECK(with(mine) == ErrorCode::conflict);
    run.claim();
    run.end("state: COMPLETE");
}

TEST_CASE("The token of the last attempt of a stage that has ended speaks for nobody") {
    World w;
    w.write("stages: [{id: s}]\nchecks: [{id: c, state: PLANNED}]");
    WriteNodes claim = World::request("{}");
    claim.claim.emplace().process_uid = "w";
    const std::string token = w.write(claim).claimed.at(0).token;
    w.complete("s");
    WriteNodes report = World::request("checks: [{id: c, result: {data: {n: 1}}}]");
    report.token = token;
    CHECK(w.refused(report) == ErrorCode::invalid_state);
}

TEST_CASE("A plan that is made anew under an id is another plan") {
    World w;
    w.write("stages: [{id: s}]");
    WriteNodes write = World::request("stages: [{id: t}]");
    write.plan_identity = w.service->get_plan("p").identity;
    w.service->delete_plan("p", false);
    CreatePlan create;
    create.id = "p";
    w.service->create_plan(create);
    CHECK(w.refused(write) == ErrorCode::not_found);
}

TEST_CASE("A plan is not deleted while somebody holds an attempt of it, unless by force") {
    Run run;
    CHECK_THROWS_WITH(run.w.service->delete_plan("p", false), Contains("held by run:host:42:7"));
    run.liveness = Liveness::gone;
    run.w.service->delete_plan("p", false);
    World script;
    script.write("stages: [{id: s}]");
    script.claim("s", "worker-7");
    CHECK_THROWS_WITH(script.service->delete_plan("p", false), Contains("worker-7"));
    script.service->delete_plan("p", true);
}

TEST_CASE("A heartbeat is no change, ends nothing, and counts until somebody has ended the attempt") {
    World w;
    w.write("stages: [{id: s, heartbeat: 10s}, {id: other, timeout: 5s}]");
    w.claim("s");
    w.claim("other");
    const auto version = w.version();
    const auto updated = w.stage("s").updated_at;
    w.clock.advance(11s);
    w.write("stages: [{id: s, attempt: {heartbeat: true}}]");
    CHECK(w.version() == version);
    CHECK(w.stage("s").updated_at == updated);
    CHECK(w.state("stage:other") == "ATTEMPTING");
    w.tick();
    CHECK(w.state("stage:s") == "ATTEMPTING");
    CHECK(w.state("stage:other") == "FINAL failed");
    w.clock.advance(11s);
    w.tick();
    CHECK(w.stage("s").attempts[0].cause == Cause::silent);
    CHECK(w.refused("stages: [{id: s, attempt: {heartbeat: true}}]") == ErrorCode::invalid_state);
}

TEST_CASE("What was imported while somebody held it is held by nobody") {
    Run run;
    run.w.write("stages: [{id: t}]");
    run.w.write("stages: [{id: t, attempt: {state: SCHEDULED, process_uid: w}}]");
    std::string text;
    run.w.service->export_plan("p", [&](std::string_view line) { (text += line) += '\n'; });
    run.w.service->delete_plan("p", true);
    run.w.service->import_plan(text, "plan.export");
    CHECK(run.attempt(1).process_uid == "run:host:42:7");
    CHECK(run.w.refused(Run::holder_write("state: COMPLETE", {.identity = "me"})) != ErrorCode::internal);
    run.w.write("checks: [{id: new}]");
    CHECK(run.attempt(1).cause == Cause::lost);
    CHECK(run.w.stage("t").attempts.at(0).state == AttemptState::pending);
}

TEST_CASE("A pass counts only with an attempt that runs to its end, whoever ends the check") {
    for (const std::string how : {"fail", "timeout", "silent", "cancel"}) {
        for (const bool assigned : {true, false}) {
            for (const bool retry : {false, true}) {
                CAPTURE(how, assigned, retry);
                World w;
                w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, timeout: 1h, heartbeat: 20m" +
                        std::string(assigned ? ", assignments: [c]" : "") +
                        (retry ? ", retry: {max_retries: 1}" : "") + "}]");
                w.claim("s");
                WriteNodes report =
                    World::request("checks: [{id: c, result: {data: {n: 1}, finalize: true}}]");
                report.inside = AttemptRef{"s", 1};
                w.write(report);
                if (how == "fail") w.fail("s");
                if (how == "timeout" || how == "silent") {
                    if (how == "timeout") {
                        for (int i = 0; i < 3; ++i) {
                            w.clock.advance(19min);
                            w.write("stages: [{id: s, attempt: {heartbeat: true}}]");
                        }
                    }
                    w.clock.advance(20min + 1s);
                    w.tick();
                }
                if (how == "cancel") w.write("stages: [{id: s, cancel: true}]");
                if (retry && how != "cancel") w.pass("s");
                if (!assigned) w.write("checks: [{id: c, state: FINAL}]");
                CHECK(w.state("check:c") == "FINAL failed");
                CHECK_THAT(*w.check("c").results.back().failure,
                           Contains("stage s reported a pass and then ended: "));
                CHECK(w.service->check_states().empty());
            }
        }
    }
}

TEST_CASE("Whoever ends a check while an attempt is live takes its word as it stands") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}]\nstages: [{id: s}]");
    w.claim("s");
    WriteNodes report = World::request("checks: [{id: c, result: {data: {n: 1}}}]");
    report.inside = AttemptRef{"s", 1};
    w.write(report);
    w.write("checks: [{id: c, state: FINAL}]");
    CHECK(w.state("check:c") == "FINAL passed");
    w.clock.advance(1s);
    w.fail("s");
    CHECK(w.state("check:c") == "FINAL passed");
    CHECK(w.service->check_states().empty());
}

TEST_CASE("An attempt that calls an answer final leaves the check to the stages assigned to it") {
    World w;
    w.write("checks: [{id: c, state: PLANNED}, {id: d}]\nstages: [{id: s, assignments: [c, d]}, {id: t}]");
    w.claim("s");
    w.claim("t");
    const auto final_from = [](const std::string& stage, const std::string& check) {
        WriteNodes r = World::request("checks: [{id: " + check + ", state: FINAL, result: {data: {n: 1}}}]");
        r.inside = AttemptRef{stage, 1};
        return r;
    };
    CHECK(w.refused(final_from("t", "c")) == ErrorCode::invalid_state);
    CHECK(w.refused(final_from("t", "new")) == ErrorCode::invalid_state);
    w.write(final_from("s", "c"));
    w.write(final_from("s", "d"));
    CHECK(w.state("check:c") == "WAITING");
    CHECK(w.state("check:d") == "WAITING");
    CHECK(w.check("c").results.at(0).finalized_at);
    w.complete("s");
    CHECK(w.state("check:c") == "FINAL passed");
    CHECK(w.state("check:d") == "FINAL passed");
    w.write(final_from("t", "c").checks.size() == 1 ? World::request("checks: [{id: c, state: FINAL}]")
                                                    : World::request("{}"));
}

TEST_CASE("A check that somebody answered is not skipped for want of stages") {
    World w;
    w.write(
        "checks: [{id: c, state: PLANNED}, {id: a, state: PLANNED}]\nstages: [{id: s, dependencies: [a], "
        "assignments: [c]}]");
    w.write("checks: [{id: c, result: {data: {ok: true}}}]");
    w.write("checks: [{id: a, state: FINAL, result: {failure: x}}]");
    CHECK(w.state("check:c") == "FINAL passed");
    CHECK(w.stage("s").skip_cause == SkipCause::upstream);
}

TEST_CASE("A skip says whether something broke or nothing was needed") {
    World w;
    w.write(
        "checks: [{id: a, state: PLANNED}]\nstages:\n  - {id: needs, dependencies: [a]}\n"
        "  - {id: cleanup, dependencies: [{node: needs, when: failure}]}\n  - {id: after, dependencies: "
        "[needs]}\n"
        "  - {id: rescue, dependencies: [{node: a, when: failure}]}\n  - {id: then, dependencies: "
        "[cleanup]}\n");
    w.write("checks: [{id: a, state: FINAL, result: {failure: x}}]");
    CHECK(w.stage("needs").skip_cause == SkipCause::upstream);
    CHECK(w.stage("after").skip_cause == SkipCause::upstream);
    CHECK(w.stage("cleanup").skip_cause == SkipCause::not_needed);
    CHECK(w.stage("then").skip_cause == SkipCause::not_needed);
    CHECK(w.state("stage:rescue") == "ATTEMPTING");
}

TEST_CASE("Nodes that an attempt writes tell which one it was") {
    World w;
    w.write("stages: [{id: s}]");
    w.claim("s");
    WriteNodes r = World::request("checks: [{id: c}]\nstages: [{id: t}]");
    r.inside = AttemptRef{"s", 1};
    w.write(r);
    CHECK(w.check("c").created_by == CreatedBy{"s", 1});
    CHECK(w.stage("t").created_by == CreatedBy{"s", 1});
    CHECK_FALSE(w.stage("s").created_by);
}

TEST_CASE("Whether a check is required is fixed when it is PLANNED") {
    World w;
    w.write("checks: [{id: c}]");
    CHECK(w.check("c").required);
    const auto make = [](bool required, const std::string& state) {
        WriteNodes r = World::request("checks: [{id: c" + state + "}]");
        change(r.checks, 0, [&](CheckWrite& write) { write.required = required; });
        return r;
    };
    w.write(make(false, ", state: PLANNED"));
    CHECK_FALSE(w.check("c").required);
    CHECK(w.refused(make(true, "")) == ErrorCode::invalid_state);
    const auto version = w.version();
    w.write(make(false, ""));
    CHECK(w.version() == version);
}

TEST_CASE("News beside a wish for the end that comes too late are kept all the same") {
    Run run;
    run.w.write("stages: [{id: s, attempt: {state: INCOMPLETE, failure: one}}]");
    run.w.write(
        "stages: [{id: s, attempt: {state: INCOMPLETE, failure: two, details: {j: 7}, progress: [late]}}]");
    CHECK(run.attempt(1).details.text == R"({"j":7})");
    CHECK(run.attempt(1).progress.size() == 1);
    CHECK(run.attempt(1).stopping->reason == "one");
}

TEST_CASE("A heartbeat alone does not find that a runner is gone") {
    Run run;
    run.liveness = Liveness::gone;
    const auto version = run.w.version();
    run.w.write("stages: [{id: s, attempt: {heartbeat: true}}]");
    CHECK(run.w.version() == version);
    CHECK(run.attempt(1).state == AttemptState::running);
}

TEST_CASE("An empty name is nobody's") {
    World w;
    w.write("stages: [{id: s}]");
    CHECK(w.refused(Run::holder_write("state: COMPLETE", {})) == ErrorCode::conflict);
}
