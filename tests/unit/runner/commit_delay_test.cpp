// SPDX-License-Identifier: Apache-2.0
#include "runner/commit_delay.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace std::chrono_literals;

namespace {

/// Commands have taken 700 µs and writes 900 µs so far.
CommitDelay experienced() {
    CommitDelay delay;
    delay.command_took(700us);
    delay.write_took(900us);
    return delay;
}

}  // namespace

TEST_CASE("An end waits for another that is likely to come before a write could be over") {
    CommitDelay delay = experienced();
    delay.running_since(100us, 500us);
    CHECK(delay.held_until(500us) == 1400us);
    // One that is late is still expected, for as long as the first end is held.
    delay.running_since(100us, 1300us);
    CHECK(delay.held_until(1300us) == 1400us);
    delay.running_since(100us, 1400us);
    CHECK_FALSE(delay.held_until(1400us));
}

TEST_CASE("No end waits when nothing runs, or nothing is known yet") {
    CommitDelay delay = experienced();
    CHECK_FALSE(delay.held_until(500us));
    CommitDelay unknowing;
    unknowing.running_since(100us, 500us);
    CHECK_FALSE(unknowing.held_until(500us));
    unknowing.command_took(700us);
    unknowing.running_since(100us, 500us);
    CHECK_FALSE(unknowing.held_until(500us));
}

TEST_CASE("No end waits for a command that will run for long, be it that all do or that this one does") {
    CommitDelay delay = experienced();
    delay.running_since(0us, 1500us);
    CHECK_FALSE(delay.held_until(1500us));
    CommitDelay slow;
    slow.command_took(2s);
    slow.write_took(900us);
    slow.running_since(0s, 1s);
    CHECK_FALSE(slow.held_until(1s));
    // What is known to end in a moment is worth the moment.
    slow.running_since(0s, 1'999'500us);
    CHECK(slow.held_until(1'999'500us) == 2'000'400us);
}

TEST_CASE("Several running commands are waited for as long as the first of them is due") {
    CommitDelay delay = experienced();
    delay.running_since(0us, 100us);
    delay.running_since(90us, 100us);
    CHECK(delay.held_until(100us) == 1000us);
    delay.running_since(90us, 800us);
    CHECK(delay.held_until(800us) == 1000us);
    delay.release();
    // A new end, a new time.
    delay.running_since(800us, 900us);
    CHECK(delay.held_until(900us) == 1800us);
}

TEST_CASE("However slow writes are, no end is held for longer than nobody would notice") {
    CommitDelay delay;
    delay.command_took(700us);
    for (int i = 0; i < 10; ++i) delay.write_took(1s);
    delay.running_since(0us, 100us);
    CHECK(delay.held_until(100us) == 100us + CommitDelay::kLongest);
}

TEST_CASE("What is usual follows what was measured last") {
    CommitDelay delay = experienced();
    for (int i = 0; i < 30; ++i) delay.command_took(1h);
    delay.running_since(0us, 100us);
    CHECK_FALSE(delay.held_until(100us));
    for (int i = 0; i < 100; ++i) delay.command_took(500us);
    delay.running_since(0us, 100us);
    CHECK(delay.held_until(100us) == 1000us);
}
