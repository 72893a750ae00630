// SPDX-License-Identifier: Apache-2.0
#include "turboci/work_plan.hpp"

#include <set>

#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("New plan ids are unique, legal and ordered by time") {
    using namespace std::chrono_literals;
    const Timestamp t = parse_timestamp("2026-01-02T03:04:05.000000Z").value();
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(new_plan_id(t));
    CHECK(ids.size() == 1000);
    for (const auto& id : ids) CHECK_FALSE(plan_id_problem(id).has_value());
    CHECK(new_plan_id(t) < new_plan_id(t + 1ms));
    CHECK(new_plan_id(t).size() == 26);
}

TEST_CASE("Totals add up the counts by type and outcome") {
    WorkPlan plan;
    plan.counts = {{NodeType::check, State::planned, std::nullopt, 2},
                   {NodeType::check, State::final, Outcome::passed, 3},
                   {NodeType::check, State::final, Outcome::failed, 1},
                   {NodeType::stage, State::final, Outcome::cancelled, 4},
                   {NodeType::stage, State::attempting, std::nullopt, 5}};
    const PlanTotals t = totals(plan);
    CHECK(t.checks == 6);
    CHECK(t.final_checks == 4);
    CHECK(t.passed_checks == 3);
    CHECK(t.failed_checks == 1);
    CHECK(t.stages == 9);
    CHECK(t.final_stages == 4);
    CHECK(t.cancelled_stages == 4);
}

TEST_CASE("A plan that was made anew under the same id is another") {
    CHECK_NOTHROW(require_identity("p", "one", "one"));
    CHECK_NOTHROW(require_identity("p", "one", ""));
    CHECK_THROWS_WITH(require_identity("p", "two", "one"), "plan 'p' is gone: another was made under its id");
}
