// SPDX-License-Identifier: Apache-2.0
#include "turboci/verdict.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace turboci;

namespace {

/// Every way in which a node can be.
struct How {
    State state;
    std::optional<Outcome> outcome;
    std::optional<SkipCause> cause;
};
const std::vector<How> kAllWays{
    {State::planned, {}, {}},
    {State::final, Outcome::passed, {}},
    {State::final, Outcome::failed, {}},
    {State::final, Outcome::skipped, SkipCause::not_needed},
    {State::final, Outcome::skipped, SkipCause::upstream},
    {State::final, Outcome::cancelled, {}},
};

Check check_that_is(const How& how, bool required, std::string id = "c") {
    Check check;
    check.id = std::move(id);
    check.state = how.state;
    check.outcome = how.outcome;
    check.skip_cause = how.cause;
    check.required = required;
    return check;
}

Stage stage_that_is(const How& how, std::vector<Assignment> assignments = {}) {
    Stage stage;
    stage.id = "s";
    stage.state = how.state;
    stage.outcome = how.outcome;
    stage.skip_cause = how.cause;
    stage.assignments = std::move(assignments);
    return stage;
}

/// What a node that counts makes of the verdict.
Verdict verdict_of(const How& how) {
    if (how.state != State::final) return Verdict::pending;
    if (how.outcome == Outcome::passed) return Verdict::passed;
    return how.cause == SkipCause::not_needed ? Verdict::passed : Verdict::failed;
}

const How& kPassed = kAllWays[1];

}  // namespace

TEST_CASE("The verdict follows each node that counts") {
    for (const How& how : kAllWays) {
        for (const bool required : {true, false}) {
            const Verdict expected = required ? verdict_of(how) : Verdict::passed;
            for (const auto scope : {Judge::Scope::whole_plan, Judge::Scope::some_nodes}) {
                if (how.outcome != Outcome::cancelled) {
                    Judge of_check(scope);
                    of_check.check(check_that_is(how, required));
                    CHECK(of_check.judgement().verdict == expected);
                }
                for (const State goal : {State::planned, State::waiting, State::final}) {
                    Judge of_stage(scope);
                    of_stage.check(check_that_is(kPassed, required));
                    of_stage.stage(stage_that_is(how, {{"c", goal}}));
                    CHECK(of_stage.unknown_checks().empty());
                    CHECK(of_stage.judgement().verdict == expected);
                }
            }
        }
        Judge alone(Judge::Scope::whole_plan);
        alone.stage(stage_that_is(how));
        CHECK(alone.judgement().verdict == verdict_of(how));
    }
}

TEST_CASE("The worst of two nodes decides the verdict") {
    for (const How& one : kAllWays) {
        for (const How& other : kAllWays) {
            if (one.outcome == Outcome::cancelled) continue;
            Judge judge(Judge::Scope::whole_plan);
            judge.check(check_that_is(one, true));
            judge.stage(stage_that_is(other));
            CHECK(judge.judgement().verdict == std::max(verdict_of(one), verdict_of(other)));
        }
    }
}

TEST_CASE("A stage counts unless all checks that it is assigned to are not required") {
    const How failed{State::final, Outcome::failed, {}};
    for (const bool first : {true, false}) {
        for (const bool second : {true, false}) {
            Judge judge(Judge::Scope::whole_plan);
            judge.check(check_that_is(kPassed, first, "a"));
            judge.check(check_that_is(kPassed, second, "b"));
            const Stage stage = stage_that_is(failed, {{"a", State::final}, {"b", State::planned}});
            judge.stage(stage);
            CHECK((judge.judgement().verdict == Verdict::failed) == (first || second));
            CHECK(judge.standing_of(stage) == (first || second ? Standing::bad : Standing::aside));
        }
    }
}

TEST_CASE("Checks that a named stage is assigned to are asked for once") {
    const How failed{State::final, Outcome::failed, {}};
    Judge judge(Judge::Scope::some_nodes);
    judge.check(check_that_is(kPassed, false, "known"));
    judge.stage(stage_that_is(failed, {{"known", State::final}, {"a", State::final}, {"b", State::final}}));
    judge.stage(stage_that_is(kPassed, {{"uninteresting", State::final}}));
    judge.stage(stage_that_is(kAllWays[0], {{"a", State::final}}));
    CHECK(judge.unknown_checks() == std::vector<std::string>{"a", "b"});
    CHECK(judge.judgement().verdict == Verdict::failed);  // what is not known counts
    judge.set_required("a", false);
    CHECK(judge.unknown_checks() == std::vector<std::string>{"b"});
    CHECK(judge.judgement().bad.size() == 1);
    CHECK(judge.judgement().open.empty());
    judge.set_required("b", false);
    CHECK(judge.judgement().verdict == Verdict::passed);
}

TEST_CASE("A verdict names what made it so, in order") {
    Judge judge(Judge::Scope::whole_plan);
    CHECK(judge.judgement().verdict == Verdict::passed);
    judge.check(check_that_is({State::final, Outcome::failed, {}}, true, "x"));
    judge.check(check_that_is({State::waiting, {}, {}}, true, "y"));
    judge.check(check_that_is({State::final, Outcome::skipped, SkipCause::upstream}, true, "a"));
    judge.stage(stage_that_is({State::final, Outcome::cancelled, {}}));
    const Judgement judgement = judge.judgement();
    CHECK(judgement.bad ==
          std::vector<NodeRef>{{NodeType::check, "x"}, {NodeType::check, "a"}, {NodeType::stage, "s"}});
    CHECK(judgement.open == std::vector<NodeRef>{{NodeType::check, "y"}});
    CHECK(to_string(judgement.verdict) == "failed");
    CHECK(to_string(Verdict::pending) == "pending");
    CHECK(to_string(Verdict::passed) == "passed");
}

TEST_CASE("gate wants each required check FINAL and passed") {
    for (const How& how : kAllWays) {
        if (how.outcome == Outcome::cancelled) continue;
        for (const bool allow_skipped : {true, false}) {
            CHECK(gate_answer(check_that_is(how, false), allow_skipped) == GateAnswer::aside);
            const bool yes =
                how.outcome == Outcome::passed || (allow_skipped && how.cause == SkipCause::not_needed);
            CHECK(gate_answer(check_that_is(how, true), allow_skipped) ==
                  (yes ? GateAnswer::yes : GateAnswer::no));
        }
    }
    CHECK(gate_opens(1, 0));
    CHECK_FALSE(gate_opens(0, 0));
    CHECK_FALSE(gate_opens(5, 1));
}
