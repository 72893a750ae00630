// SPDX-License-Identifier: Apache-2.0
#include "turboci/time.hpp"

#include "support/catch.hpp"

using namespace turboci;
using namespace std::chrono_literals;

namespace {
const Timestamp kStart = parse_timestamp("2026-01-02T03:04:05.000006Z").value();
const ClockAnchor kAnchor{kStart, 100s, "boot"};
}  // namespace

TEST_CASE("Times are written and read with microseconds") {
    CHECK(format_timestamp(kStart) == "2026-01-02T03:04:05.000006Z");
    CHECK(format_timestamp(Timestamp{}) == "1970-01-01T00:00:00.000000Z");
    CHECK_FALSE(parse_timestamp("2026-01-02T03:04:05Z"));
    CHECK_FALSE(parse_timestamp("2026-13-02T03:04:05.000006Z"));
    CHECK_FALSE(parse_timestamp("2026-02-30T03:04:05.000006Z"));
    CHECK_FALSE(parse_timestamp("2026-01-02T24:04:05.000006Z"));
}

TEST_CASE("Durations have a whole number and a unit") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("30s") == 30s);
    CHECK(parse_duration("10m") == 10min);
    CHECK(parse_duration("2h") == 2h);
    CHECK(parse_duration("0s") == 0s);
    CHECK(parse_duration("1d") == 24h);
    CHECK(parse_duration("1h30m") == 90min);
    CHECK(parse_duration("2d1h1m1s1ms") == 49h + 61s + 1ms);
    CHECK(parse_duration("1d5ms") == 24h + 5ms);
    for (const char* bad :
         {"",         "s",    "10",   "-1s",   "1.5s", "1 s",   "1w",    "soon", "99999999999999999999s",
          "9000000h", "+1s",  "1h30", "30m1h", "1h2h", "1h-2m", "1h 2m", "d",    "3654d",
          "3653d1h",  "1h30x"})
        CHECK_FALSE(parse_duration(bad));
    for (const Duration d : {Duration(0s), Duration(1500ms), Duration(90s), Duration(2h), Duration(61min)})
        CHECK(parse_duration(format_duration(d)) == d);
    CHECK(format_duration(120min) == "2h");
}

TEST_CASE("A plan's time follows a wall clock that agrees with the steady one") {
    CHECK(plan_time(kAnchor, {kStart + 10s, 110s, "boot"}) == kStart + 10s);
    CHECK(plan_time(kAnchor, {kStart + 11s, 110s, "boot"}) == kStart + 11s);
}

TEST_CASE("A wall clock that jumps does not move a plan's time") {
    CHECK(plan_time(kAnchor, {kStart - 24h * 365, 110s, "boot"}) == kStart + 10s);
    CHECK(plan_time(kAnchor, {kStart + 24h * 3650, 110s, "boot"}) == kStart + 10s);
}

TEST_CASE("A plan's time never goes back, not even over a reboot") {
    CHECK(plan_time(kAnchor, {kStart - 1s, 100s, "boot"}) == kStart);
    CHECK(plan_time(kAnchor, {kStart - 24h, 5s, "another"}) == kStart);
    CHECK(plan_time(kAnchor, {kStart + 24h, 5s, "another"}) == kStart + 24h);
}

TEST_CASE("The system's clocks tick") {
    const ClockReading a = system_clock().read(), b = system_clock().read();
    CHECK(b.since_boot >= a.since_boot);
    CHECK(a.boot_id == b.boot_id);
    CHECK_FALSE(a.boot_id.empty());
}
