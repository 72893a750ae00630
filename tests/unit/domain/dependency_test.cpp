// SPDX-License-Identifier: Apache-2.0
#include "turboci/dependency.hpp"

#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("A group is satisfied at its threshold and lost when too few members are left") {
    for (int members = 1; members <= 5; ++members)
        for (int threshold = 1; threshold <= members; ++threshold)
            for (int satisfied = 0; satisfied <= members; ++satisfied)
                for (int unsatisfied = 0; satisfied + unsatisfied <= members; ++unsatisfied) {
                    const GroupCount count{.kind = GroupKind::at_least,
                                           .threshold = threshold,
                                           .unresolved = members - satisfied - unsatisfied,
                                           .satisfied = satisfied,
                                           .resolution = Resolution::unresolved};
                    const auto expected = satisfied >= threshold              ? Resolution::satisfied
                                          : members - unsatisfied < threshold ? Resolution::unsatisfied
                                                                              : Resolution::unresolved;
                    CAPTURE(members, threshold, satisfied, unsatisfied);
                    CHECK(resolve(count) == expected);
                }
}

TEST_CASE("The empty group is satisfied") { CHECK(resolve(GroupCount{}) == Resolution::satisfied); }

TEST_CASE("An edge on FINAL asks for the outcome") {
    const StateHistory history;
    const auto edge = [&](When when, Outcome outcome, std::optional<SkipCause> cause = std::nullopt) {
        return resolve_edge(NodeType::check, State::final, when, State::final, outcome, cause, history) ==
               Resolution::satisfied;
    };
    CHECK(edge(When::success, Outcome::passed));
    CHECK_FALSE(edge(When::success, Outcome::failed));
    CHECK_FALSE(edge(When::success, Outcome::skipped));
    CHECK_FALSE(edge(When::success, Outcome::cancelled));
    CHECK_FALSE(edge(When::failure, Outcome::passed));
    CHECK(edge(When::failure, Outcome::failed));
    CHECK_FALSE(edge(When::failure, Outcome::skipped));
    CHECK_FALSE(edge(When::failure, Outcome::cancelled));
    for (const Outcome o : {Outcome::passed, Outcome::failed, Outcome::skipped, Outcome::cancelled})
        CHECK(edge(When::always, o));
    CHECK(edge(When::not_failed, Outcome::passed));
    CHECK(edge(When::not_failed, Outcome::skipped, SkipCause::not_needed));
    CHECK_FALSE(edge(When::not_failed, Outcome::skipped, SkipCause::upstream));
    CHECK_FALSE(edge(When::not_failed, Outcome::failed));
    CHECK_FALSE(edge(When::not_failed, Outcome::cancelled));
    CHECK_FALSE(edge(When::unsuccessful, Outcome::passed));
    CHECK(edge(When::unsuccessful, Outcome::failed));
    CHECK(edge(When::unsuccessful, Outcome::cancelled));
    for (const SkipCause cause : {SkipCause::upstream, SkipCause::not_needed})
        CHECK(edge(When::unsuccessful, Outcome::skipped, cause));
    CHECK(resolve_edge(NodeType::check, State::final, When::always, State::waiting, std::nullopt,
                       std::nullopt, history) == Resolution::unresolved);
}

TEST_CASE("An edge on an earlier state wants the target to have passed through it") {
    const StateEntry planning{State::planning, 1, {}}, waiting{State::waiting, 2, {}},
        final{State::final, 3, {}};
    const auto edge = [](State now, const StateHistory& history) {
        return resolve_edge(NodeType::check, State::waiting, When::success, now, Outcome::failed,
                            std::nullopt, history);
    };
    CHECK(edge(State::planning, {planning}) == Resolution::unresolved);
    CHECK(edge(State::waiting, {planning, waiting}) == Resolution::satisfied);
    CHECK(edge(State::final, {planning, waiting, final}) == Resolution::satisfied);
    CHECK(edge(State::final, {planning, final}) == Resolution::unsatisfied);
}

TEST_CASE("Names of groups, conditions and resolutions are the published ones") {
    CHECK(to_string(GroupKind::all) == "AND");
    CHECK(to_string(GroupKind::any) == "OR");
    CHECK(to_string(GroupKind::at_least) == "THRESHOLD");
    CHECK(to_string(Resolution::unresolved) == "UNRESOLVED");
    CHECK(to_string(Resolution::satisfied) == "SATISFIED");
    CHECK(to_string(Resolution::unsatisfied) == "UNSATISFIED");
    for (const std::string_view name : {"success", "failure", "always", "not_failed", "unsuccessful"})
        CHECK(to_string(parse_when(name).value()) == name);
    CHECK_FALSE(parse_when("sometimes"));
}
