// SPDX-License-Identifier: Apache-2.0
#include "turboci/stage.hpp"

#include "support/catch.hpp"
#include "turboci/check.hpp"

using namespace turboci;

TEST_CASE(
    "An attempt only moves forward, but one that was not begun can be given back; an ended one never moves") {
    constexpr std::array kAll{AttemptState::pending, AttemptState::scheduled, AttemptState::running,
                              AttemptState::complete, AttemptState::incomplete};
    for (const AttemptState from : kAll)
        for (const AttemptState to : kAll) {
            const bool ended = from == AttemptState::complete || from == AttemptState::incomplete;
            CAPTURE(to_string(from), to_string(to));
            const bool given_back = from == AttemptState::scheduled && to == AttemptState::pending;
            CHECK(may_move(from, to) ==
                  (given_back || (!ended && static_cast<int>(to) > static_cast<int>(from))));
        }
}

TEST_CASE("Names of attempts, reasons and owners read back as what they name") {
    for (const char* name : {"PENDING", "SCHEDULED", "RUNNING", "COMPLETE", "INCOMPLETE"})
        CHECK(to_string(parse_attempt_state(name).value()) == name);
    for (const char* name :
         {"attempt_complete", "no_retries_left", "retry_blocked", "cancelled", "dependencies_unsatisfied",
          "group_unsatisfied", "attempt_failed", "interrupted_too_often"})
        CHECK(to_string(parse_concluded_reason(name).value()) == name);
    for (const char* name : {"failed", "timeout", "silent", "lost", "interrupted", "cancelled"})
        CHECK(to_string(parse_cause(name).value()) == name);
    CHECK_FALSE(parse_cause("LOST"));
    for (const char* name : {"stage_attempt", "actor", "orchestrator"})
        CHECK(to_string(parse_owner_type(name).value()) == name);
    CHECK_FALSE(parse_attempt_state("pending"));
    CHECK_FALSE(parse_concluded_reason(""));
    CHECK_FALSE(parse_owner_type("me"));
}

TEST_CASE("The wait before another attempt doubles with each, up to a day") {
    using namespace std::chrono_literals;
    CHECK(wait_before_retry({3, 10s}, 1) == 10s);
    CHECK(wait_before_retry({3, 10s}, 2) == 20s);
    CHECK(wait_before_retry({3, 10s}, 3) == 40s);
    CHECK(wait_before_retry({1'000, 10s}, 1'000) == 24h);
    CHECK(wait_before_retry({1, 48h}, 1) == 24h);
    CHECK(wait_before_retry({1'000, 0s}, 1'000) == 0s);
}
